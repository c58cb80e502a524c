"""Keras's own unit tests, which its wheel ships, run on our classes in place of its.

Each row names a test module of `keras.src` and the components of ours that take the
place of the namesakes there. EXEMPT names what we leave out on purpose, and why.
"""

import functools
import importlib
import re
import types
import unittest

import pytest

from oracle import components, keras_counterpart

pytestmark = pytest.mark.filterwarnings("default")

KERAS_TESTS = {
    # activations
    "activations.activations_test": "relu softmax",
    "layers.activations.relu_test": "ReLU",
    # initializers, regularizers
    "initializers.random_initializers_test": "VarianceScaling GlorotUniform HeNormal",
    "regularizers.regularizers_test": "L2",
    # dense
    "layers.core.dense_test": "Dense",
    # convolution
    "layers.convolutional.conv_test": "Conv2D",
    # pooling
    "layers.pooling.max_pooling_test": "MaxPooling2D",
    "layers.pooling.global_average_pooling_test": "GlobalAveragePooling2D",
    # normalization
    "layers.normalization.batch_normalization_test": "BatchNormalization",
    # dropout
    "layers.regularization.dropout_test": "Dropout",
    # losses
    "losses.losses_test": "SparseCategoricalCrossentropy",
    # optimizers
    "optimizers.adam_test": "Adam",
    # schedules
    "optimizers.schedules.learning_rate_schedule_test": "CosineDecay",
}

# regular expression over "Class.test" -> reason
EXEMPT = {
    r"lora|quantiz|gptq|awq|int4|int8|float8": "LoRA and quantization are left out",
}

# Packages whose names a test module reaches through an imported module.
_FAMILIES = (
    "activations",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "optimizers",
    "regularizers",
)


class _StandIn(types.ModuleType):
    """A module of Keras, with some of its names replaced by ours."""

    def __init__(self, module, ours):
        super().__init__(module.__name__)
        self.__dict__.update(ours)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


def _with_ours(module, ours):
    """`module`, a test module of Keras, with our components under Keras's names."""
    for key, value in list(vars(module).items()):
        if isinstance(value, types.ModuleType):
            parts = value.__name__.split(".")
            if parts[:2] == ["keras", "src"] and parts[2] in _FAMILIES:
                setattr(module, key, _StandIn(value, ours))
        elif key in ours and getattr(value, "__module__", "").startswith("keras.src"):
            setattr(module, key, ours[key])
    return module


def _exempt(name):
    return next(
        (why for pattern, why in EXEMPT.items() if re.search(pattern, name)), None
    )


def _collect():
    found = components()
    for path, names in KERAS_TESTS.items():
        ours = {name: found[name] for name in names.split()}
        module = _with_ours(importlib.import_module(f"keras.src.{path}"), ours)
        for name, cls in list(vars(module).items()):
            if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
                continue
            if cls.__module__ != module.__name__:
                continue
            left_out = {
                method: None
                for method in dir(cls)
                if method.startswith("test") and _exempt(f"{name}.{method}")
            }
            yield name, type(name, (cls,), {**left_out, "__module__": __name__})


globals().update(_collect())


@functools.cache
def _covered():
    return {name for names in KERAS_TESTS.values() for name in names.split()}


@pytest.mark.parametrize("name", sorted(components()))
def test_every_component_that_keras_has_takes_keras_own_tests(name):
    if keras_counterpart(name) is not None:
        assert name in _covered(), f"add {name} to KERAS_TESTS"
