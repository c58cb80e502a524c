"""What the configuration of a model may name: layers, losses, ... and nothing else.

Keras makes whatever class or function a configuration names. Here each name is looked
up as Keras does it, and the object that is found must be a part of a model, of Keras's
or ours. A name that merely sounds like a layer does not pass.
"""

import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import keras

from cookbook.trained.model_file import walk
from custom_layers import layers  # importing the package registers all our classes

OURS = "keras_cookbook"  # the package under which our classes are registered
KINDS = (
    keras.Operation,  # layers, models, and what `keras.ops` does in a model
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
    keras.dtype_policies.DTypePolicy,
    keras.dtype_policies.DTypePolicyMap,
    keras.random.SeedGenerator,
)
# Layers that hold Python code, a pickle, or a graph, or that read one from a path.
CARRIERS = (
    keras.layers.Lambda,
    keras.layers.TFSMLayer,
    keras.layers.TorchModuleWrapper,
    keras.layers.JaxLayer,
    keras.layers.FlaxLayer,
)
FUNCTIONS = (keras.activations, keras.losses, keras.metrics)
# Functions in these modules that are not an activation, a loss or a metric.
NO_PARTS = ("get", "serialize", "deserialize")
VALUES = ("__tensor__", "__numpy__")
PLAIN = (*VALUES, "__keras_tensor__", "__bytes__", "__ellipsis__", "__slice__")
NUMERIC = re.compile(r"bool|u?int\d{1,2}|b?float\d{1,2}\w{0,8}|complex\d{2,3}")
# Settings of layers that may name a file or an address, from which Keras would read.
PATHS = ("vocabulary", "idf_weights", "filepath")
LARGEST = 10_000_000  # largest number in a layer, unless an array is as long
NO_SIZES = ("seed", "steps", "_id")  # numbers whose names hold these may be larger
TRUST = "load it only with code that you have read and trust"


def problems(config: Any, longest: int = 0) -> Iterator[str]:
    """Yields a phrase for each thing in a configuration that is not safe to make.

    longest: the size in bytes of the largest array that belongs to the model.
    """
    for value, _ in walk(config):
        if isinstance(value, dict):
            yield from _problems(value, max(longest, LARGEST))


def _problems(value: dict, largest: int) -> Iterator[str]:
    """Yields a phrase if a dict of a configuration is not safe to make."""
    if "class_name" in value:
        yield from _problems_of_object(value)
    for name in PATHS:
        if isinstance(value.get(name), str):
            yield f"reads the file {value[name]!r}: {TRUST}"
    nodes = value.get("inbound_nodes")
    for node in nodes if isinstance(nodes, list) else []:
        if not any(_is_input(part) for part, _ in walk(node)):
            yield "holds a layer that computes while it is loaded"
    for name, number in _numbers(value):
        if abs(number) > largest and not any(word in name for word in NO_SIZES):
            yield f"sets {name!r} to {str(number)[:30]}, which its weights do not fit"


def _is_input(part: Any) -> bool:
    return isinstance(part, dict) and part.get("class_name") == "__keras_tensor__"


def _numbers(value: dict) -> Iterator[tuple[str, float]]:
    """Yields (name, integer) of the integers that stand in a dict or in its lists."""
    for name, item in value.items():
        for number in item if isinstance(item, list) else [item]:
            if isinstance(number, int) and not isinstance(number, bool):
                yield name, number


def _problems_of_object(value: dict) -> Iterator[str]:
    name, module = value["class_name"], value.get("module")
    inner = value.get("config")
    if name in PLAIN:
        if name in VALUES and not _is_numeric(inner):
            yield f"holds a {name} that is not an array of numbers"
        return
    if name == "function":
        if not _is_function(module, inner):
            yield f"calls {module}.{inner}, which is not part of a model: {TRUST}"
        return
    found = _found(name, module, value.get("registered_name"))
    if name in ("__lambda__", "Lambda") or _is_a(found, CARRIERS):
        yield f"carries code, in a {name}: {TRUST}"
    elif not _is_a(found, KINDS) and not _is_ours(found):
        yield (
            f"needs {name} of {module}, which is neither a part of Keras's models nor "
            f"of ours: {TRUST}"
        )


def _is_numeric(inner: Any) -> bool:
    dtype = inner.get("dtype") if isinstance(inner, dict) else None
    return isinstance(dtype, str) and NUMERIC.fullmatch(dtype) is not None


def _found(name: Any, module: Any, registered_name: Any) -> Any:
    """What Keras would make for these names; None if nothing may be made."""
    if not (isinstance(name, str) and isinstance(module, str)):
        return None
    if isinstance(registered_name, str):
        registered = keras.saving.get_registered_object(registered_name)
        if registered is not None or ">" in registered_name:
            is_named = registered_name == f"{OURS}>{name}"
            return registered if is_named and _is_ours(registered) else None
    if module.split(".")[0] != "keras":
        return None
    return vars(sys.modules.get(module, types.ModuleType(""))).get(name)


def _is_a(found: Any, kinds: tuple) -> bool:
    if not isinstance(found, type):
        return False
    is_quantizer = found in vars(keras.quantizers).values()
    return issubclass(found, kinds) or (is_quantizer and kinds is KINDS)


def _is_ours(found: Any) -> bool:
    """Whether an object is a class or a function of custom_layers."""
    package = str(getattr(found, "__module__", "")).split(".")[0]
    return package == layers.__name__.split(".")[0]


def _is_function(module: Any, name: Any) -> bool:
    """Whether these names are those of an activation, a loss or a metric."""
    if not isinstance(name, str):
        return False
    registered = keras.saving.get_registered_object(name)
    if registered is not None:
        return name.startswith(f"{OURS}>") and _is_ours(registered)
    if module == "builtins":
        homes: tuple = FUNCTIONS
    else:
        homes = tuple(home for home in FUNCTIONS if home.__name__ == module)
    found = [vars(home).get(name) for home in homes]
    return name not in NO_PARTS and any(
        isinstance(function, types.FunctionType) for function in found
    )
