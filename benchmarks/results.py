"""Results of measurements: rows in a JSON file, with the machine they come from."""

import importlib.metadata
import json
import os
import platform
import typing
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Cost, Step, compare, ratio

Kept = dict[str, typing.Any]
PACKAGES = ("tensorflow", "keras", "torch", "jax")
NAMES = {"keras": "Keras", "torch": "PyTorch"}


class Results:
    """The rows of one kind of measurement, kept in a file if there is one.

    A row is kept as soon as it is there, so that nothing is lost when the time is over.

    Args:
        path: the JSON file, {kind: {"machine": ..., "rows": {name: row}}}, or None.
        kind: "components", "table", "recipes" or the like.
    """

    def __init__(self, path: Path | None, kind: str) -> None:
        self.path = path
        self.kind = kind

    def holds(self, name: str) -> bool:
        """Whether the file has a row of that name."""
        return name in self._read().get(self.kind, {}).get("rows", {})

    def keep(self, name: str, row: Kept) -> None:
        """Adds the row to the file, in place of an older one of that name."""
        if self.path is None:
            return
        content = self._read()
        part = content.setdefault(self.kind, {"rows": {}})
        part["machine"] = machine_and_versions()
        part["rows"][name] = row
        text = json.dumps(content, indent=1) + "\n"
        self.path.write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, typing.Any]:
        if self.path is None or not self.path.exists():
            return {}
        return json.loads(self.path.read_text(encoding="utf-8"))


def machine_and_versions() -> dict[str, str]:
    """The processor with its cores, the GPUs, and the versions of what is compared."""
    from cookbook.reports.machine import machine

    found = {"machine": machine(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    found["oneDNN"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as TensorFlow decides")
    return found


def row_of(costs: Mapping[str, Cost]) -> Kept:
    """{side: its figures, those of the others with the ratio ours / theirs}."""
    row: Kept = {side: cost.as_row() for side, cost in costs.items()}
    for side in NAMES:
        if side in costs:
            row[side]["ratio"] = ratio(costs["ours"], costs[side])
    return row


def row_of_pairs(steps: Mapping[str, Step], rounds: int) -> Kept:
    """The row of {side: step}, in which ours takes turns with one other at a time.

    With PyTorch as a third party, the rounds would not be fair to the other two: its
    threads look for work for a while and slow down the side whose turn is next, so that
    Keras against itself came out at 1.05 to 1.10. What ours costs is taken from the
    first pair.
    """
    row: Kept = {}
    for other in [side for side in NAMES if side in steps] or ["ours"]:
        pair = {side: steps[side] for side in ("ours", other)}
        row = {**row_of(compare(pair, rounds)), **row}
    return row


def ratio_text(row: Kept, side: str) -> str:
    """ "0.61 (0.58 to 0.66)": the median and the quartiles of ours / theirs."""
    if side not in row:
        return "-"
    lower, median, upper = row[side]["ratio"]
    return f"{median:.2f} ({lower:.2f} to {upper:.2f})"
