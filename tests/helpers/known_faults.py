"""What a fault that Keras's users reported is: a report, a probe and its right value.

The files `faults_of_*.py` hold the table, `faults_page.py` writes
docs/known_faults_of_keras.md from it.
"""

import dataclasses
import types
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

import custom_layers
from oracle import run_layer

OURS = types.SimpleNamespace(
    **{
        name: getattr(custom_layers, name)
        for name in (
            "activations",
            "callbacks",
            "constraints",
            "initializers",
            "layers",
            "losses",
            "optimizers",
            "regularizers",
        )
    }
)
ALL = ("tensorflow", "jax", "torch")
FAULTS = []


@dataclasses.dataclass(frozen=True)
class Fault:
    """One reported fault, and a probe that runs on Keras's classes and on ours."""

    component: str
    thread: str  # of GitHub, owner/repository/issues/number; "" if nobody reported it
    probe: Callable  # of a library; its docstring says what was reported
    right: object  # what the probe returns without the fault
    keras: str  # what Keras 3.15.1 does
    wrong_on: tuple  # the backends on which that is wrong

    @property
    def name(self):
        return self.probe.__name__

    @property
    def report(self):
        return " ".join(self.probe.__doc__.split())


def fault(component, thread, right, keras="", wrong_on=()):
    """Enters the function below it in the table; `keras` is empty where Keras is right.

    Where `keras` says something and `wrong_on` is empty, it is wrong on every backend.
    """
    wrong_on = wrong_on or (ALL if keras else ())

    def enter(probe):
        FAULTS.append(Fault(component, thread, probe, right, keras, wrong_on))
        return probe

    return enter


def numbers(x):
    """Nested lists of rounded Python numbers, of tensors and of what holds them."""
    if isinstance(x, (dict, list, tuple)):
        return keras.tree.map_structure(numbers, x)
    if isinstance(x, (str, bool, int, type(None))):
        return x
    return np.round(ops.convert_to_numpy(x).astype("float64"), 4).tolist()


def same(value, right):
    """Whether a probe's value is the right one; numbers to four digits."""
    if isinstance(right, list):
        pairs = zip(value, right) if isinstance(value, list) else ()
        return len(right) == len(value) and all(same(*pair) for pair in pairs)
    if isinstance(right, float) and isinstance(value, float):
        return abs(value - right) <= 2e-4 * max(1.0, abs(right))
    return value == right


def outcome(probe, library):
    """The probe's value as plain numbers, or the name of the error it ended in."""
    try:
        return numbers(probe(library))
    except Exception as error:
        return type(error).__name__


def gradient(function, x):
    """Gradient to x of a function of tensors, up to a factor."""

    class Function(keras.layers.Layer):
        def call(self, x):
            return function(x)

    layer = Function()
    layer(ops.convert_to_tensor(x))  # builds it, which JAX wants before a gradient
    return run_layer(layer, np.asarray(x))["gradient to input 0"]


def is_finite(x):
    return bool(np.all(np.isfinite(ops.convert_to_numpy(x).astype("float64"))))


def reloaded(item, registry):
    """The object that Keras makes of the configuration of `item`."""
    return registry.deserialize(registry.serialize(item))


def train(optimizer, gradients, start=1.0, dtype="float32"):
    """The weight, of `start` at first, after a step for each of the gradients."""
    weight = keras.Variable(np.asarray(start, "float32"), dtype=dtype)
    optimizer.build([weight])
    for g in gradients:
        g = ops.cast(np.asarray(g, "float32"), dtype)
        if keras.backend.backend() != "jax":
            optimizer.apply([g], [weight])
            continue
        state = [v.value for v in optimizer.variables]
        [new], state = optimizer.stateless_apply(state, [g], [weight.value])
        for variable, value in zip([weight, *optimizer.variables], [new, *state]):
            variable.assign(value)
    return weight
