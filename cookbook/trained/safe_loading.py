"""Loading a model file that may come from anyone: no code in it is run."""

import math
import random
import re
import threading
from pathlib import Path
from typing import Any

import keras

from cookbook.errors import Mistake, one_line
from cookbook.trained.allowed import problems
from cookbook.trained.model_file import Refused, read_config

SPARE = 2**20  # bytes that a model's variables may take beyond those in its file


def load_safely(path: Path | str) -> keras.Model:
    """Loads the model in a .keras file, unless the file is damaged or carries code.

    The file must hold what Keras writes, its sizes must be real, and every class and
    function that it names must be a part of a model, of Keras's or ours. All of that is
    checked before anything large is made. A file that is refused raises Mistake, whose
    text is one line.
    """
    try:
        return load_or_refuse(path)
    except Refused as problem:
        raise Mistake(one_line(f"{path} {problem}")) from None


def load_or_refuse(path: Path | str) -> keras.Model:
    """Loads a model as `load_safely` does, but raises Refused, without the path."""
    config, sizes = read_config(path)
    for problem in problems(config, max(sizes.values(), default=0)):
        raise Refused(problem)
    _check_size(config, sum(sizes.values()))
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # whatever a foreign file can hold
        raise Refused(f"can't be loaded as a model ({_reason(error)})") from None


def _check_size(config: dict, stored: int) -> None:
    """Raises Refused if the model is larger than the arrays that are stored for it.

    The model is made once without values for its variables, so that a layer with 10^12
    units costs nothing. That is done in a thread of its own, since Keras keeps what it
    remembers, such as the names given so far, for each thread.
    """
    found: list[Any] = []

    def measure() -> None:
        try:
            with keras.StatelessScope(initialize_variables=False):
                model = keras.saving.deserialize_keras_object(_uncompiled(config))
                if not isinstance(model, keras.Model):
                    raise Refused(f"holds a {type(model).__name__}, not a model")
                found.append(sum(_bytes(variable) for variable in model.variables))
        except Exception as error:  # whatever a foreign file can hold
            found.append(error)

    state = random.getstate()  # Keras draws seeds of initializers from it
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
    random.setstate(state)
    if isinstance(found[0], Refused):
        raise found[0]
    if isinstance(found[0], Exception):
        raise Refused(f"can't be loaded as a model ({_reason(found[0])})")
    if found[0] > stored + SPARE:
        raise Refused(
            f"describes a model of {found[0]:.3g} bytes, but holds weights of {stored}"
        )


def _uncompiled(config: Any) -> Any:
    """The configuration without losses and optimizers, which have no part in size."""
    if isinstance(config, dict):
        return {
            name: _uncompiled(value)
            for name, value in config.items()
            if name != "compile_config"
        }
    if isinstance(config, list):
        return [_uncompiled(item) for item in config]
    return config


def _bytes(variable: Any) -> int:
    dtype = keras.backend.standardize_dtype(variable.dtype)
    bits = re.search(r"\d+", dtype)  # none in bool
    return math.prod(variable.shape) * max(1, int(bits[0]) // 8 if bits else 1)


def _reason(error: Exception) -> str:
    """The first sentence of an error's text, without the errors around it."""
    text = str(error).rpartition("Exception encountered:")[2].strip()
    text = text or type(error).__name__
    sentence = re.split(r"(?<=[.!])\s", text)[0]
    return sentence.replace("\n", " ")[:300]
