"""Classic mistakes in what Keras lacks: each must differ from its formula in NumPy.

mutants_of_formulas.txt lists them as changes of the source text of one file.
"""

import functools
import re
from pathlib import Path

import pytest

import diffusion_formulas
import layer_formulas
import metric_formulas
import model_formulas
import naive_bayes_formula
from loss_formulas import ROWS, error_of_loss
from mutation import mutated
from sequence_formulas import error_of_sequence_loss

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
SHARED = {  # what other files of the namespace import, in that order
    "losses": ["base", "labels", "triplet"],
    "metrics": ["base", "multi_label"],
    "models/diffusion": ["process", "sampling"],
}
ERRORS = {
    **{row[0]: functools.partial(error_of_loss, row[0]) for row in ROWS},
    **metric_formulas.ERRORS,
    **layer_formulas.ERRORS,
    **model_formulas.ERRORS,
    **naive_bayes_formula.ERRORS,
    **diffusion_formulas.ERRORS,
    "SequenceLoss": error_of_sequence_loss,
}


def read_mutants():
    """{mistake: (class, namespace, file, old text, new text)}"""
    found = {}
    path = Path(__file__).with_name("mutants_of_formulas.txt")
    for row in path.read_text().strip().split("\n\n")[1:]:  # the first is a comment
        head, *lines = row.split("\n")
        name, namespace, file, mistake = re.fullmatch(
            r"(\w+) ([\w/]+)/(\w+): (.*)", head
        ).groups()
        old, new = (
            "\n".join(line[1:] for line in lines if line[0] == sign) for sign in "-+"
        )
        assert f"{name}: {mistake}" not in found
        found[f"{name}: {mistake}"] = (name, namespace, file, old, new)
    return found


MUTANTS = read_mutants()


def error_of(name, namespace, file, old="", new=""):
    shared = SHARED.get(namespace, [])
    files = [*(each for each in shared if each != file), file]
    package = f"custom_layers.{namespace}".replace("/", ".")
    cls = mutated(name, package, files, old, new)
    return ERRORS[name](cls)


@functools.cache
def error_of_the_original(name, namespace, file):
    return error_of(name, namespace, file)


def test_every_formula_has_mutants():
    assert {row[0] for row in MUTANTS.values()} == set(ERRORS)


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    assert error_of_the_original(*MUTANTS[mistake][:3]) < 1e-4
    assert error_of(*MUTANTS[mistake]) > 1e-3
