"""The parts that are compared: ours, those of Keras and those of PyTorch."""

import functools
import importlib
import importlib.util
import pkgutil
import typing

import keras

import custom_layers


@functools.cache
def find(name: str) -> tuple[typing.Any, typing.Any]:
    """(our class or function, Keras's or None)."""
    ours = None
    for info in pkgutil.walk_packages(custom_layers.__path__, "custom_layers."):
        module = importlib.import_module(info.name)
        ours = ours or vars(module).get(name)
    for package in (
        keras.initializers,  # before layers: both have an Identity
        keras.layers,
        keras.losses,
        keras.optimizers,
        keras.optimizers.schedules,
        keras.regularizers,
        keras.constraints,
        keras.activations,
        keras.metrics,  # the last: losses have names of metrics
    ):
        # A metric has no gradient, so it is the counterpart of a metric only.
        is_metric = package is keras.metrics
        if is_metric and not ours.__module__.startswith("custom_layers.metrics"):
            continue
        if hasattr(package, name):
            return ours, getattr(package, name)
    return ours, None


def rivals() -> typing.Any:
    """The module with the steps of PyTorch, or None where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        return None
    return importlib.import_module("benchmarks.torch_rivals")


def steps_of_backend() -> typing.Any:
    """The module with the steps on the backend that Keras runs on."""
    modules = {"tensorflow": "steps", "jax": "steps_jax", "torch": "steps_torch"}
    return importlib.import_module(f"benchmarks.{modules[keras.backend.backend()]}")
