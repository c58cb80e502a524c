"""Time and memory of each component, against Keras and PyTorch, in one process."""

import dataclasses
import functools
import operator
import typing
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks import cases
from benchmarks.counterparts import find, rivals
from benchmarks.measure import ROUNDS, Step, warn_if_busy
from benchmarks.results import Kept, Results, ratio_text, row_of_pairs
from benchmarks.steps import (
    activation_step,
    function_step,
    layer_step,
    loss_step,
    metric_step,
    operations,
    optimizer_step,
)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Something to time.

    Attributes:
        name: the component.
        what: what is timed of it.
        make: a function that makes a step from a class or function, ours or Keras's.
        rival: make_step(torch_rivals) -> the step of PyTorch, or None if it has none.
    """

    name: str
    what: str
    make: Callable[[typing.Any], Step]
    rival: Callable[[typing.Any], Step | None] = lambda rivals: None

    def steps(self) -> dict[str, Step]:
        """{"ours": step, "keras": step, "torch": step}, as far as there is one."""
        keras.backend.clear_session()
        ours, theirs = find(self.name)
        steps = {"ours": self.make(ours)}
        if theirs is not None:
            steps["keras"] = self.make(theirs)
        torch_steps = rivals()
        rival = self.rival(torch_steps) if torch_steps else None
        if rival is not None:
            steps["torch"] = rival
        return steps


def measurements(jit: bool = False) -> Iterator[Measurement]:
    """Yields everything that can be timed.

    jit: whether XLA compiles the whole step.
    """
    for backward in (False, True):
        what = "trained" if backward else "forward"
        what += ", XLA" if jit else ""
        yield from _layers(what, backward, jit)
        yield from _wrappers(what, backward, jit)
        yield from _activations(what, backward, jit)
        yield from _losses(what, backward, jit)
    yield from _optimizers(jit)
    if not jit:
        yield from _metrics()
        yield from _functions()


def _layers(what: str, backward: bool, jit: bool) -> Iterator[Measurement]:
    sizes = [(name, *case, what) for name, case in cases.LAYERS.items()]
    for name, kwargs, shape in cases.SIZES:
        size = shape["query"] if isinstance(shape, dict) else shape
        sizes.append((name, kwargs, shape, f"{what}, {' x '.join(map(str, size))}"))
    for name, kwargs, shape, described in sizes:
        options = {
            "kwargs": kwargs,
            "shape": shape,
            "backward": backward,
            "below": cases.INTEGERS.get(name),
        }
        yield Measurement(
            name,
            described,
            functools.partial(layer_step, jit_compile=jit, **options),
            operator.methodcaller("layer_step", name, **options),
        )


def _wrappers(what: str, backward: bool, jit: bool) -> Iterator[Measurement]:
    for name, (make, shape) in cases.WRAPPERS.items():
        options = {"make": make, "shape": shape, "backward": backward}
        step = functools.partial(_wrapped_step, jit_compile=jit, **options)
        yield Measurement(name, what, step)


def _wrapped_step(
    cls: typing.Any,
    make: Callable[[typing.Any], keras.layers.Layer],
    **options: typing.Any,
) -> Step:
    """The step of the layer that `make` makes of a class, ours or Keras's."""
    return layer_step(functools.partial(make, cls), {}, **options)


def _activations(what: str, backward: bool, jit: bool) -> Iterator[Measurement]:
    for name, (kwargs, shape) in cases.ACTIVATIONS.items():
        options = {"kwargs": kwargs, "shape": shape, "backward": backward}
        yield Measurement(
            name,
            what,
            functools.partial(activation_step, jit_compile=jit, **options),
            operator.methodcaller("activation_step", name, **options),
        )


def _losses(what: str, backward: bool, jit: bool) -> Iterator[Measurement]:
    for name, (kwargs, shape, truth) in cases.LOSSES.items():
        options = {"shape": shape, "truth": truth, "backward": backward}
        yield Measurement(
            name,
            what,
            functools.partial(loss_step, kwargs=kwargs, jit_compile=jit, **options),
            operator.methodcaller("loss_step", name, **options),
        )


def _optimizers(jit: bool) -> Iterator[Measurement]:
    for name, kwargs in cases.OPTIMIZERS.items():
        for count in cases.OPTIMIZER_VARIABLES:
            make = functools.partial(
                optimizer_step, kwargs=kwargs, count=count, jit_compile=jit
            )
            yield Measurement(
                name,
                f"{count} variables" + (", XLA" if jit else ""),
                make,
                operator.methodcaller("optimizer_step", name, count),
            )


def _metrics() -> Iterator[Measurement]:
    for name, (kwargs, shape, truth) in cases.METRICS.items():
        make = functools.partial(metric_step, kwargs=kwargs, shape=shape, truth=truth)
        yield Measurement(name, "update and result", make)


def _functions() -> Iterator[Measurement]:
    """Initializers, regularizers, constraints and schedules, which are called."""
    shape = (512, 512)
    rng = np.random.default_rng(0)
    matrix = tf.constant(rng.normal(size=shape).astype("f"))
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
            yield Measurement(name, what, make)


def run(
    names: Sequence[str],
    rounds: int = ROUNDS,
    jit: bool = False,
    results: Results | None = None,
    is_rest: bool = False,
) -> None:
    """Prints a row per component and step: times, ratios, memory and compile time.

    Args:
        names: components to time; none stands for all of them.
        rounds: measurements of which a ratio is the median.
        jit: whether XLA compiles the whole step.
        results: where the rows are kept.
        is_rest: whether rows that are kept already are left out.
    """
    results = results or Results(None, "components")
    warn_if_busy()
    print(HEADER)
    slowest: list[tuple[float, str]] = []
    for measurement in measurements(jit):
        label = f"{measurement.name}, {measurement.what}"
        is_asked = not names or measurement.name in names
        if not is_asked or (is_rest and results.holds(label)):
            continue
        steps = measurement.steps()
        row = row_of_pairs(steps, rounds)
        if "keras" in row:
            is_same = operations(steps["ours"]) == operations(steps["keras"])
            row["keras"]["same_operations"] = is_same
        row = {"component": measurement.name, "what": measurement.what, **row}
        print(_line(row), flush=True)
        results.keep(label, row)
        if "keras" in row:
            slowest.append((row["keras"]["ratio"][1], label))
    if slowest:
        median, label = max(slowest)
        print(f"{len(slowest)} measured; the slowest: {label}, {median:.2f}")


HEADER = (
    f"{'component':<34}{'step':<32}{'ours/keras, quartiles':<24}"
    f"{'ours/torch, quartiles':<24}{'ours: ms':>9}{'MB':>8}{'compile s':>10}"
    f"  (keras: MB, compile s)"
)


def _line(row: Kept) -> str:
    ours = row["ours"]
    ratios = f"{ratio_text(row, 'keras'):<24}{ratio_text(row, 'torch'):<24}"
    line = f"{row['component']:<34}{row['what']:<32}{ratios}{_costs(ours)}"
    if "keras" in row:
        theirs = row["keras"]
        line += f"  ({_megabytes(theirs)}, {theirs['compile_seconds']:.2f})"
    return line


def _costs(side: Kept) -> str:
    compiling = side["compile_seconds"]
    return f"{side['milliseconds']:>9.3f}{_megabytes(side):>8}{compiling:>10.2f}"


def _megabytes(side: Kept) -> str:
    megabytes = side["megabytes"]
    return "?" if megabytes is None else f"{megabytes:.1f}"
