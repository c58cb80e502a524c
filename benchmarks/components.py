"""Time of each component against the class of Keras, as a ratio, in one process."""

import functools
import importlib
import pkgutil
import time
import typing
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

import custom_layers
from benchmarks import cases
from benchmarks.steps import (
    Step,
    activation_step,
    function_step,
    layer_step,
    loss_step,
    optimizer_step,
)

ROUNDS = 15
CALLS_PER_ROUND = 0.02  # seconds that each side runs before it is the other's turn
# (component, what is timed, a function that makes a step from a class or function)
Measurement = tuple[str, str, Callable[[typing.Any], Step]]


def ratios(
    ours: Step,
    theirs: Step,
    rounds: int = ROUNDS,
) -> tuple[float, float, float, float]:
    """(median, lower, upper quartile) of ours / theirs, and theirs in milliseconds.

    The two take turns, so that a change in the machine's speed meets both.
    """
    for step in (ours, theirs, ours, theirs):
        step()
    once = _seconds(theirs, calls=1)
    calls = max(1, int(CALLS_PER_ROUND / max(once, 1e-6)))
    found, base = [], []
    for i in range(rounds):
        if i % 2:
            our_time = _seconds(ours, calls)
            their_time = _seconds(theirs, calls)
        else:
            their_time = _seconds(theirs, calls)
            our_time = _seconds(ours, calls)
        found.append(our_time / their_time)
        base.append(their_time)
    lower, median, upper = np.percentile(found, [25, 50, 75])
    return median, lower, upper, 1e3 * float(np.median(base))


def _seconds(step: Step, calls: int) -> float:
    """Mean seconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def measurements() -> Iterator[Measurement]:
    """Yields everything that can be timed."""
    for jit in (False, True):
        for backward in (False, True):
            yield from _layers(jit, backward)
            yield from _activations_and_losses(jit, backward)
        for name, kwargs in cases.OPTIMIZERS.items():
            for count in cases.OPTIMIZER_VARIABLES:
                make = functools.partial(
                    optimizer_step, kwargs=kwargs, count=count, jit_compile=jit
                )
                yield name, f"{count} variables, jit={jit}", make
    yield from _functions()


def _layers(jit: bool, backward: bool) -> Iterator[Measurement]:
    make = functools.partial(layer_step, jit_compile=jit, backward=backward)
    what = _what(jit, backward)
    for name, (kwargs, shape) in cases.LAYERS.items():
        yield name, what, functools.partial(make, kwargs=kwargs, shape=shape)
    for name, kwargs, shape in cases.SIZES:
        size = shape["query"] if isinstance(shape, dict) else shape
        words = " x ".join(map(str, size))
        step = functools.partial(make, kwargs=kwargs, shape=shape)
        yield name, f"{what}, {words}", step


def _activations_and_losses(jit: bool, backward: bool) -> Iterator[Measurement]:
    options = {"jit_compile": jit, "backward": backward}
    what = _what(jit, backward)
    for name, (kwargs, shape) in cases.ACTIVATIONS.items():
        make = functools.partial(activation_step, kwargs=kwargs, shape=shape, **options)
        yield name, what, make
    for name, (kwargs, shape) in cases.LOSSES.items():
        labels = cases.SPARSE.get(name)
        make = functools.partial(
            loss_step, kwargs=kwargs, shape=shape, labels=labels, **options
        )
        yield name, what, make


def _what(jit: bool, backward: bool) -> str:
    return f"{'trained' if backward else 'forward'}, jit={jit}"


def _functions() -> Iterator[Measurement]:
    """Initializers, regularizers, constraints and schedules, which are called."""
    shape = (512, 512)
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape).astype("f")
    matrix = tf.constant(values)
    tables: list[tuple] = [
        (cases.INITIALIZERS, "call", shape),
        (cases.REGULARIZERS, "gradient", matrix),
        (cases.CONSTRAINTS, "call", matrix),
        (cases.SCHEDULES, "call", tf.constant(7)),
    ]
    for table, what, argument in tables:
        for name, kwargs in table.items():
            make = functools.partial(
                function_step,
                kwargs=kwargs,
                argument=argument,
                backward=what == "gradient",
            )
            yield name, what, make


def find(name: str) -> tuple[typing.Any, typing.Any]:
    """(our class, Keras's class or None)."""
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
    ):
        if hasattr(package, name):
            return ours, getattr(package, name)
    return ours, None


def run(names: Sequence[str] = (), rounds: int = ROUNDS) -> None:
    """Prints a row per component and step: the ratio ours / Keras and its spread."""
    step = "step (trained: with gradients)"
    print(f"{'component':<32}{step:<36}ours/keras  quartiles      keras ms")
    measured = []
    for name, what, make in measurements():
        if names and name not in names:
            continue
        ours, theirs = find(name)
        if theirs is None:
            continue
        keras.backend.clear_session()
        pair = make(ours), make(theirs)
        median, lower, upper, base = ratios(*pair, rounds=rounds)
        spread = f"{lower:.2f} to {upper:.2f}"
        row = f"{name:<32}{what:<36}{median:>10.2f}  {spread}"
        print(f"{row:<92}{base:>10.3f}", flush=True)
        measured.append((median, name, what))
    if measured:
        median, name, what = max(measured)
        print(f"{len(measured)} measured; the slowest: {name}, {what}, {median:.2f}")
