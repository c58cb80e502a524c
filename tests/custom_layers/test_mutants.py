"""Classic mistakes, made on purpose: each must be found by comparing trajectories.

mutants.txt lists them as changes of the source text of one optimizer's file. All files
are executed again with that change, in isolation: the real classes do not see it.
"""

import functools
import importlib.util
import json
import re
import sys
import types
from pathlib import Path

import keras
import pytest

from paper_formulas import (
    numpy_adabelief,
    numpy_adaptive_clipping,
    numpy_centralization,
    numpy_cocob,
    numpy_frank_wolfe,
    numpy_lookahead,
    numpy_novograd,
    numpy_proximal_adagrad,
    numpy_rectified_adam,
    numpy_rprop,
    numpy_schedule_free,
    numpy_shampoo,
    numpy_soap,
    numpy_yogi,
)
from trajectory import (
    embedding_path,
    error,
    needs_float64,
    run,
    sequence,
    tolerance,
)

# The mistakes are in the formulas.
pytestmark = [needs_float64, pytest.mark.one_backend]
PACKAGE = "custom_layers.optimizers"
FILES = (  # each after those that it imports
    "base",
    "sgd",
    "adagrad",
    "rmsprop",
    "adam",
    "adamax",
    "nadam",
    "rectified_adam",
    "adabelief",
    "lion",
    "lamb",
    "adafactor",
    "muon",
    "ftrl",
    "yogi",
    "novograd",
    "cocob",
    "proximal_adagrad",
    "conditional_gradient",
    "rprop",
    "schedule_free",
    "shampoo",
    "soap",
    "wrapper",
    "lookahead",
    "adaptive_gradient_clipping",
    "gradient_centralization",
)
GIVEN = sequence(dtype="float32")
EXACT = {"learning_rate": 0.125, "beta_1": 0.875, "beta_2": 0.9375}
OF_PAPERS = {  # what Keras lacks: its arguments, and the formula that it must equal
    "RectifiedAdam": (EXACT, numpy_rectified_adam),
    "AdaBelief": ({**EXACT, "epsilon": 1e-3}, numpy_adabelief),
    "Lookahead": ({}, numpy_lookahead),
    "Yogi": ({**EXACT, "initial_accumulator_value": 2.0**-20}, numpy_yogi),
    "NovoGrad": (EXACT, numpy_novograd),
    "COCOB": ({}, numpy_cocob),
    "ProximalAdagrad": (
        {
            "learning_rate": 0.125,
            "initial_accumulator_value": 0.125,
            "l1_regularization_strength": 0.25,
            "l2_regularization_strength": 0.5,
        },
        numpy_proximal_adagrad,
    ),
    "ConditionalGradient": (
        {"learning_rate": 0.875, "lambda_": 2.0},
        numpy_frank_wolfe,
    ),
    "Rprop": ({"learning_rate": 0.125, "increase": 1.25}, numpy_rprop),
    "ScheduleFreeAdamW": (
        {**EXACT, "epsilon": 1e-3, "warmup_steps": 4},
        numpy_schedule_free,
    ),
    "Shampoo": ({"learning_rate": 0.125, "epsilon": 0.25}, numpy_shampoo),
    "SOAP": ({**EXACT, "frequency": 4}, numpy_soap),
    "AdaptiveGradientClipping": ({"clipping": 0.25}, numpy_adaptive_clipping),
    "GradientCentralization": ({}, numpy_centralization),
}
WRAPPERS = ("Lookahead", "AdaptiveGradientClipping", "GradientCentralization")


def read_mutants():
    """{mistake: (class, file, arguments, old text, new text)}"""
    found = {}
    rows = Path(__file__).with_name("mutants.txt").read_text().strip().split("\n\n")
    for row in rows[1:]:  # the first is a comment
        head, *lines = row.split("\n")
        name, file, kwargs, mistake = re.fullmatch(
            r"(\w+) (\w+) (\{.*\}): (.*)", head
        ).groups()
        old, new = (
            "\n".join(line[1:] for line in lines if line[0] == sign) for sign in "-+"
        )
        assert f"{name}: {mistake}" not in found
        found[f"{name}: {mistake}"] = (name, file, json.loads(kwargs), old, new)
    return found


MUTANTS = read_mutants()
OF_ROWS = "Adam: rows of an embedding squared one by one"  # needs a sparse gradient


@functools.cache
def source(file):
    return Path(importlib.util.find_spec(f"{PACKAGE}.{file}").origin).read_text()


def mutated(name, file="", old="", new=""):
    """The class `name`, with `old` replaced by `new` in the file."""
    patch = pytest.MonkeyPatch()
    patch.setattr(
        keras.saving, "register_keras_serializable", lambda package: lambda cls: cls
    )
    found = {}
    try:
        for each in FILES:
            text = source(each)
            if each == file:
                assert text.count(old) == 1, f"{old!r} must stand in {file} once"
                text = text.replace(old, new)
            module = types.ModuleType(f"{PACKAGE}.{each}")
            module.__package__ = PACKAGE  # for its relative imports
            patch.setitem(sys.modules, module.__name__, module)
            exec(compile(text, each, "exec"), module.__dict__)
            found |= vars(module)
    finally:
        patch.undo()
    return found[name]


@functools.cache
def keras_path(name, kwargs):
    return run(getattr(keras.optimizers, name)(**json.loads(kwargs)), *GIVEN, "float32")


def error_of(cls, name, kwargs):
    """The distance of the class from Keras's, or from the formula of the paper."""
    if name not in OF_PAPERS:
        kwargs = {"learning_rate": 0.1, **kwargs}
        desired = keras_path(name, json.dumps(kwargs))
        return error(run(cls(**kwargs), *GIVEN, "float32"), desired)
    more, formula = OF_PAPERS[name]
    if name in WRAPPERS:
        more = {**more, "inner_optimizer": keras.optimizers.SGD(0.125)}
    starts, gradients = sequence([(3, 4)])
    desired = [[w] for w in formula(starts[0], [g for (g,) in gradients])]
    optimizer = cls(**{**more, **kwargs})
    return error(run(optimizer, starts, gradients, "float64"), desired)


def error_of_rows(cls, kwargs):
    """The distance from Keras's, which gets the sum of each row's gradients."""
    kwargs, rows = {"learning_rate": 0.1, **kwargs}, [0, 4, 2, 4]
    desired = embedding_path(keras.optimizers.Adam(**kwargs), rows, "sums")
    return error(embedding_path(cls(**kwargs), rows), desired)


@pytest.mark.parametrize("name", sorted({row[0] for row in MUTANTS.values()}))
def test_unchanged_source_passes(name):
    kwargs = {"sync_period": 4, "slow_step_size": 0.3} if name == "Lookahead" else {}
    assert error_of(mutated(name), name, kwargs) <= tolerance(name, "float32")


@pytest.mark.parametrize("mistake", [m for m in MUTANTS if m != OF_ROWS])
def test_mistake_is_found(mistake):
    name, file, kwargs, old, new = MUTANTS[mistake]
    assert error_of(mutated(name, file, old, new), name, kwargs) > 1e-5


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has IndexedSlices"
)
def test_mistake_in_rows_is_found():
    name, file, kwargs, old, new = MUTANTS[OF_ROWS]
    assert error_of_rows(mutated(name), kwargs) <= tolerance(name, "float32")
    assert error_of_rows(mutated(name, file, old, new), kwargs) > 1e-5
