"""NumPy numbers are numbers: components take them and store Python's own.

Whoever computes a size with NumPy gets the same configuration, which is JSON, as
whoever types it.
"""

import json

import numpy as np
import pytest

from making import CLASSES, KINDS, make

pytestmark = pytest.mark.one_backend  # makes configurations, computes nothing
TABLES = {
    name: table[name]
    for kind in ("layer", "regularizer", "constraint")
    for table in [KINDS[kind][1]]
    for name in table
}


def as_numpy(value):
    """The same arguments with NumPy's numbers, which float32 holds exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
        return value
    if isinstance(value, list | tuple):
        return type(value)(as_numpy(entry) for entry in value)
    return np.int64(value) if isinstance(value, int) else np.float32(value)


def as_float32(value):
    """The same arguments with floats rounded to what float32 holds."""
    if isinstance(value, list | tuple):
        return type(value)(as_float32(entry) for entry in value)
    return float(np.float32(value)) if isinstance(value, float) else value


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_configuration_is_json_and_the_same_as_with_pythons_numbers(name):
    config = make(name).get_config()

    def again(change):
        arguments = {key: change(value) for key, value in config.items()}
        return json.dumps(CLASSES[name].from_config(arguments).get_config())

    assert again(as_numpy) == again(as_float32)
