"""docs/addons.md: every name of TensorFlow Addons has an answer, which runs."""

import collections
import functools
import re

import keras
import pytest

from custom_layers import (
    activations,
    callbacks,
    generation,
    layers,
    losses,
    metrics,
    models,
    optimizers,
)
from sources import ROOT

pytestmark = pytest.mark.one_backend
PAGE = (ROOT / "docs" / "addons.md").read_text()
NAMES = (ROOT / "tests" / "helpers" / "addons_names.txt").read_text()
OURS = {
    "activations": activations,
    "callbacks": callbacks,
    "generation": generation,
    "layers": layers,
    "losses": losses,
    "metrics": metrics,
    "models": models,
    "optimizers": optimizers,
}
SCOPE = {**OURS, "keras": keras}


def rows():
    """(namespace, name, answer, what differs) of every row."""
    namespace = None
    for line in PAGE.splitlines():
        if line.startswith("## tfa."):
            namespace = line.removeprefix("## tfa.")
        elif namespace and line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            name, answer, *rest = cells
            yield namespace, name.strip("`"), answer, (rest or [""])[0]


ROWS = list(rows())


def kind_of(answer):
    if not answer.startswith("`"):
        return answer
    first = re.match(r"`(\w+)", answer).group(1)
    return "ours" if first in OURS else "Keras's"


def test_every_name_of_addons_has_one_row():
    wanted = [
        (line.split(": ")[0], name)
        for line in NAMES.splitlines()
        for name in line.split(": ")[1].split()
    ]
    assert [row[:2] for row in ROWS] == wanted
    assert len(set(wanted)) == len(wanted) > 150


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}.{row[1]}")
def test_the_answer_exists_and_runs(row):
    _, _, answer, note = row
    kind = kind_of(answer)
    assert kind in ("ours", "Keras's", "not yet", "no")
    assert note or kind != "no", "say why not"
    if answer.startswith("`"):
        assert eval(answer.strip("`"), dict(SCOPE)) is not None
    for path in re.findall(r"`(\w+(?:\.\w+)+)", note):
        first, *others = path.split(".")
        if first in SCOPE:
            functools.reduce(getattr, others, SCOPE[first])


def test_the_counts_are_those_of_the_rows():
    for namespace in [*dict.fromkeys(row[0] for row in ROWS), "all"]:
        kinds = collections.Counter(
            kind_of(answer) for n, _, answer, _ in ROWS if namespace in (n, "all")
        )
        columns = [kinds[kind] for kind in ("ours", "Keras's", "not yet", "no")]
        name = "all" if namespace == "all" else f"`tfa.{namespace}`"
        cells = " | ".join(map(str, [kinds.total(), *columns]))
        assert f"| {name} | {cells} |" in PAGE
