"""Claims: the findings of an experiment, each with its number, and whether it holds."""

import dataclasses
import re
import time
from collections.abc import Sequence

import keras

from cookbook.reports.finish import Run, command_of
from cookbook.reports.machine import machine
from cookbook.reports.page import write_page
from cookbook.training.run_folder import RunFolder, plain

# The bound of what only rounding changes, in networks that ask Keras for 64 bits. On
# JAX and torch, most of Keras computes in 32 bits all the same.
ROUNDING = 1e-12 if keras.backend.backend() == "tensorflow" else 1e-6
FIELD = re.compile(r"\{.*?\}")  # where a sentence has its number: {}, {percent}, ...


@dataclasses.dataclass(frozen=True)
class Claim:
    """A finding of an experiment: a sentence, its measured number, and a bound.

    The claim holds if the measured number keeps its bound. The printed line is

        holds  Fast learning kills 51.6 % of ReLU's units (at least 30 %)

    Args:
        text: a whole sentence with one field for the number. `{}` writes it as it is,
            `{percent}` writes a share of 1 as a percentage, and `{points}` writes a
            difference of two shares in percentage points.
        measured: the number.
        at_least: the bound, if the number must not be smaller.
        at_most: the bound, if the number must not be larger.

    Raises:
        ValueError: without exactly one field and exactly one bound.
    """

    text: str
    measured: float
    _: dataclasses.KW_ONLY
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if len(FIELD.findall(self.text)) != 1:
            raise ValueError(
                f"text got {self.text!r}, expected one {{}} for the number"
            )
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"give either at_least or at_most: {self.text!r}")

    @property
    def bound(self) -> float:
        """The number that `measured` must reach, or must not exceed."""
        bound = self.at_least if self.at_most is None else self.at_most
        assert bound is not None  # see __post_init__
        return bound

    @property
    def holds(self) -> bool:
        """Whether the measured number is on the claim's side of its bound."""
        if self.at_most is None:
            return bool(self.measured >= self.bound)
        return bool(self.measured <= self.bound)

    @property
    def sentence(self) -> str:
        """The text with the measured number, and the bound behind it."""
        said = _write(self.text, self.measured)
        side = "at least" if self.at_most is None else "at most"
        bound = _write(FIELD.findall(self.text)[0], self.bound)
        if said.endswith(")"):
            return f"{said[:-1]}; {side} {bound})"
        return f"{said} ({side} {bound})"

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'FAILS '} {self.sentence}"


def _write(text: str, value: float) -> str:
    """The text with `value` in its field."""
    hundred = _digits(100 * value)
    return text.format(
        _digits(value), percent=f"{hundred} %", points=f"{hundred} points"
    )


def _digits(value: float) -> str:
    """The number with three digits, or with all digits before the point."""
    if 999.5 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{value:.3g}")


def conclude(run: RunFolder, claims: Sequence[Claim]) -> Run:
    """Prints every claim, writes metrics.json, and returns the recipe's Run."""
    for claim in claims:
        print(claim)
    seconds = time.time() - run.started
    rows = [
        {
            "text": claim.sentence,
            "measured": float(claim.measured),
            "bound": float(claim.bound),
            "holds": claim.holds,
        }
        for claim in claims
    ]
    metrics = {
        "claims": rows,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "seed": run.config.seed,
        "machine": machine(),
        "command": command_of(run),
        "settings": plain(run.config),
    }
    figures = {claim.sentence: claim.measured for claim in claims}
    page = write_page(run, metrics, figures)
    run.complete(metrics)
    holding = sum(claim.holds for claim in claims)
    print(f"{holding} of {len(claims)} claims hold | {seconds:.0f} s | report: {page}")
    return Run(None, [], figures, run.path)
