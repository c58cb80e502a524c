"""Benchmarks: every component is timed, and what they print and keep is in step."""

import collections
import inspect
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

from benchmarks import cases, gpu, gpu_rows, quick
from benchmarks.__main__ import main
from benchmarks.counterparts import find
from benchmarks.measure import Cost, _order, compare, peak, ratio
from benchmarks.page import KEPT, PAGE, _above, page
from benchmarks.results import Results, ratio_text, row_of_pairs
from benchmarks.steps import activation_step, operations
from benchmarks.table import cells
from benchmarks.table_rows import Row
from cookbook.data.augmentation import augmentation_in
from examples import METRICS, OPTIMIZERS
from oracle import components, keras_counterpart

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow is what is timed"
)
ROOT = Path(__file__).parents[2]
UNTIMED = {
    # A cell is timed inside its layer; a wrapper's time is that of what it wraps.
    "GRUCell",
    "LSTMCell",
    "SimpleRNNCell",
    "Bidirectional",
    "MultiOptimizer",
    "SpectralNormalization",
    # Callbacks run once per epoch.
    "EarlyStopping",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    # These take the outputs of a whole network, or several steps of it.
    "CRFAccuracy",
    "CRFLoss",
    "FrechetDistance",
    "ModeOverlap",
    "SAM",
}


def timed():
    tables = [table for table in vars(cases).values() if isinstance(table, dict)]
    return {name for table in tables for name in table}


def test_every_class_that_keras_has_is_timed():
    rivals = {
        name
        for name, thing in components().items()
        if inspect.isclass(thing) and keras_counterpart(name) is not None
    }
    missing = rivals - timed() - UNTIMED
    assert not missing, f"add to benchmarks/cases.py: {missing}"


def test_every_loss_metric_and_optimizer_is_timed():
    losses = {
        name
        for name, thing in components().items()
        if inspect.isclass(thing)
        and issubclass(thing, keras.losses.Loss)
        and ".losses." in thing.__module__
        and "adversarial" not in thing.__module__
    }
    missing = {*losses, *METRICS, *OPTIMIZERS} - timed() - UNTIMED
    assert not missing, f"add to benchmarks/cases.py: {missing}"


def test_one_command_prints_the_ratio_and_its_spread(tmp_path):
    file = tmp_path / "speed.json"
    command = [sys.executable, "-m", "benchmarks", "GlorotUniform", "--rounds", "3"]
    done = subprocess.run(
        [*command, "--json", file], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # On a busy machine, a line above them says that the ratio is not to be trusted.
    header, row, last = done.stdout.strip().splitlines()[-3:]
    assert "ours/keras" in header
    assert row.startswith("GlorotUniform")
    assert 0.2 < float(row.split()[2]) < 5
    assert last.startswith("1 measured; the slowest: GlorotUniform")
    kept = json.loads(file.read_text())["components"]
    assert "keras" in kept["machine"]
    assert set(kept["rows"]["GlorotUniform, call"]["ours"]) == {
        "milliseconds",
        "compile_seconds",
        "megabytes",
    }


def test_a_ratio_is_taken_round_by_round():
    ours, theirs = Cost([1, 4, 9], 5, None), Cost([2, 4, 3], 5, None)
    assert ratio(ours, theirs) == [0.75, 1, 2]
    assert ratio_text({"keras": {"ratio": [0.75, 1, 2]}}, "keras") == (
        "1.00 (0.75 to 2.00)"
    )


def test_steps_take_turns_and_the_first_call_is_apart():
    called = []
    steps = {name: lambda name=name: called.append(name) for name in "ab"}
    costs = compare(steps, rounds=2)
    assert called[:2] == ["a", "b"]
    assert [len(cost.times) for cost in costs.values()] == [2, 2]
    turns = [called[0], *(b for a, b in itertools.pairwise(called) if a != b)]
    # The first calls; how many fill a turn; round 1; round 2, which b begins; memory.
    assert "".join(turns) == "ab" + "ab" + "ab" + "a" + "b"


def test_ours_meets_one_other_side_at_a_time():
    """The threads of PyTorch would slow down the side after it."""
    called = []
    sides = ("ours", "keras", "torch")
    steps = {side: lambda side=side: called.append(side) for side in sides}
    row = row_of_pairs(steps, rounds=2)
    neighbours = {pair for pair in itertools.pairwise(called) if len({*pair}) == 2}
    assert neighbours & {("keras", "torch"), ("torch", "keras")} == set()
    assert set(row) == set(sides)
    assert "ratio" in row["keras"]
    assert "ratio" in row["torch"]
    alone = row_of_pairs({"ours": steps["ours"]}, rounds=2)
    assert set(alone) == {"ours"}


def test_a_metric_of_keras_is_no_counterpart_of_a_loss():
    """It has no gradient, so the training of a loss would look slow beside it."""
    assert find("RootMeanSquaredError")[1] is None
    assert find("AUC")[1] is keras.metrics.AUC


def test_graphs_of_equal_operations_are_recognized():
    def of(function):
        return operations(activation_step(function, {}, (2, 3), backward=True))

    assert of(keras.ops.tanh) == of(lambda x: keras.ops.tanh(x))
    assert of(keras.ops.tanh) != of(keras.ops.sigmoid)


def test_the_page_tells_ratios_of_equal_graphs_from_the_others():
    def row(lower, median, is_same):
        ratio = [lower, median, 9]
        return {"keras": {"ratio": ratio, "same_operations": is_same}}

    rows = {
        "equal": row(1.1, 1.2, True),
        "noisy": row(1, 1.1, False),
        "slow": row(1.1, 1.3, False),
        "fast": row(0.1, 1, False),
        "alone": {},
    }
    sentence = _above(rows)
    assert sentence.startswith("3 are above 1.05. 1 of these")
    assert "of 1 others" in sentence
    assert sentence.endswith("The rest: slow.")


def test_no_step_has_another_one_before_it_more_often_than_the_rest():
    """What a step leaves in the caches slows down the next one."""
    turns = [name for turn in range(12) for name in _order(["a", "b", "c"], turn)]
    followers = collections.Counter(itertools.pairwise(turns))
    counts = [followers[pair] for pair in itertools.permutations("abc", 2)]
    assert max(counts) - min(counts) <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_counts_what_a_call_takes_and_gives_back():
    assert 40 < peak(lambda: bytearray(os.urandom(1)) * 50_000_000) < 60


def test_a_row_says_which_bound_it_misses():
    row = {
        "keras": {"ratio": [0.5, 0.604, 0.7]},
        "torch": {"ratio": [1.2, 1.31, 1.4]},
        "bounds": {"keras": 0.6, "torch": 1.3},
    }
    *_, bounds, met = cells("LSTM", row)
    assert bounds == "0.60 of Keras, 1.30 of PyTorch"
    assert met == "not PyTorch"
    figure = {"figure": 2.6, "unit": "s", "at most": 2.5}
    assert cells("text", figure)[-1] == "no"


def test_a_file_of_results_goes_on_where_it_was_left(tmp_path):
    results = Results(tmp_path / "speed.json", "table")
    assert not results.holds("LSTM")
    results.keep("LSTM", {"figure": 1})
    results.keep("GRU", {"figure": 2})
    assert Results(tmp_path / "speed.json", "table").holds("LSTM")
    assert not Results(tmp_path / "speed.json", "recipes").holds("LSTM")


def test_the_page_shows_what_is_kept():
    assert KEPT.exists()
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks page"


def test_a_run_with_quick_counts_the_processor_and_names_what_went_wrong(
    tmp_path, monkeypatch
):
    """A run that takes too long is ended by the system."""
    texts = {
        "busy": "import time\nwhile time.process_time() < 0.5: pass",
        "refusing": "import os, sys\n"
        "sys.exit('not on ' + os.environ['KERAS_BACKEND'] + chr(10) + '***')",
        "endless": "while True: pass",
    }
    (tmp_path / "recipes").mkdir()
    for name, text in texts.items():
        (tmp_path / "recipes" / f"{name}.py").write_text(text)
    monkeypatch.setattr(quick, "ROOT", tmp_path)
    busy = quick.outcome("busy", "jax")
    assert busy.problem == ""
    assert 0.5 <= busy.processor_seconds < 5
    assert quick.outcome("refusing", "torch").problem == "not on torch"
    endless = quick.outcome("endless", "jax", longest=1)
    assert endless.problem == "not finished after 1 s of the processors"


def test_the_page_counts_the_backends_on_which_quick_runs():
    def run(seconds, problem=""):
        return {"seconds": 9, "processor_seconds": seconds, "problem": problem}

    rows = {
        "even": {"tensorflow": run(10), "jax": run(10), "torch": run(50)},
        "slow": {"tensorflow": run(10), "jax": run(30), "torch": run(1, "no")},
        "lost": {"tensorflow": run(10), "jax": run(3, "lost"), "torch": run(9)},
    }
    assert quick.cells(rows["slow"]) == ["10", "30", "fails", "3.00"]
    assert quick.cells(rows["lost"]) == ["10", "fails", "9", "-"]
    assert quick.problems(rows["lost"]) == ["JAX: lost"]
    del rows["even"]["torch"]
    assert quick.cells(rows["even"]) == ["10", "10", "-", "1.00"]
    assert quick.summary(rows) == (
        "Runs that came to their end, of those that were started: 3 of 3 on "
        "TensorFlow, 2 of 3 on JAX, 1 of 2 on torch. The median of the 2 ratios JAX / "
        "TensorFlow is 2.00; above 2 are: slow 3.00."
    )


@pytest.mark.parametrize(
    "command", [[], ["table"], ["recipes"], ["feeding"], ["quick"]]
)
def test_a_name_that_nothing_has_is_refused_in_one_line(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *command, "LSTN"])
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")  # so that it is restored
    with pytest.raises(SystemExit) as exit:
        main()
    assert exit.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "LSTN" in line


def gpu_script(*flags):
    command = [sys.executable, "-m", "benchmarks.gpu", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_without_a_gpu_the_script_says_so_in_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "")
    done = gpu_script()
    assert done.returncode == 2, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("No GPU was found")


def test_a_network_on_a_gpu_has_no_augmentation_and_suits_the_backend(monkeypatch):
    """As the network of PyTorch, which has none."""
    seen = []
    monkeypatch.setattr(gpu_rows, "suit_backend", lambda model: seen.append("suited"))
    monkeypatch.setattr(
        keras.Model, "train_on_batch", lambda model, x, y: seen.append(model)
    )
    row = gpu_rows._network("mnist_cnn")
    for side in ("ours", "keras"):
        row.sides[side]()()
    first, ours, second, theirs = seen
    assert first == second == "suited"
    for model in (ours, theirs):
        assert model.compiled
        assert not augmentation_in(model)
        assert model.output_shape == (None, 10)


def test_a_row_that_fails_on_a_gpu_is_named_and_the_next_one_runs(monkeypatch, capsys):
    def measured(row):
        if row.what == "second":
            raise RuntimeError("out of memory\nwhile it ran")
        return {"what": row.what}

    rows = [Row(what, {}, {}) for what in ("first", "second", "third")]
    monkeypatch.setattr(gpu_rows, "rows_for", lambda small: rows)
    monkeypatch.setattr(gpu_rows, "measured", measured)
    arguments = SimpleNamespace(cpu=True, seconds=60.0)
    with pytest.raises(SystemExit) as exit:
        gpu._measure(arguments)
    assert exit.value.code == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert second == "second failed: RuntimeError"
    assert [json.loads(line)["what"] for line in (first, third)] == ["first", "third"]


@pytest.mark.slow
def test_the_script_for_a_gpu_measures_in_small(tmp_path):
    file = tmp_path / "gpu.json"
    done = gpu_script("--cpu", "--seconds", "900", "--json", str(file))
    assert done.returncode == 0, done.stderr
    kept = json.loads(file.read_text())
    for backend in ("torch", "jax", "tensorflow"):
        rows = kept[f"gpu, {backend}"]["rows"]
        assert "SGD, update of 10 variables" in rows
        assert "training step of shakespeare_gpt" in rows, done.stdout
        assert done.stdout.count(f"\n{backend}") + done.stdout.startswith(backend)
    assert "ours/PyTorch" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["layers", "functions", "optimizers"])
def test_parts_of_pytorch_compute_what_ours_do(kind):
    from benchmarks import torch_parts
    from benchmarks.torch_rivals import (
        TOLERANCE,
        difference,
        function_difference,
        update_difference,
    )

    tables = {
        "layers": [(difference, torch_parts.LAYERS)],
        "functions": [
            (function_difference, torch_parts.ACTIVATIONS),
            (function_difference, torch_parts.LOSSES),
        ],
        "optimizers": [(update_difference, torch_parts.OPTIMIZERS)],
    }
    for compare_with_ours, table in tables[kind]:
        found = {name: compare_with_ours(name, components()[name]) for name in table}
        wrong = {k: v for k, v in found.items() if v is not None and v > TOLERANCE}
        assert not wrong


@pytest.mark.slow
def test_a_recipe_is_timed_with_our_parts_and_with_those_of_keras():
    from benchmarks.recipes import measured

    row = measured("ring_gan", rounds=3, quick=True)
    assert row["keras"]["ratio"][1] > 0
    assert row["without counterpart"] == [
        "AdversarialModel",
        "ModeOverlap",
        "NonSaturatingGAN",
    ]


@pytest.mark.slow
def test_within_keras_parts_a_recipe_is_made_of_them():
    from benchmarks.keras_parts import keras_parts
    from recipes import shakespeare_gpt

    ours = shakespeare_gpt.Dense
    with keras_parts("shakespeare_gpt") as kept:
        assert shakespeare_gpt.Dense is keras.layers.Dense
        assert kept == ["ALiBi", "OneCycle", "RelativePositionBias"]
    assert shakespeare_gpt.Dense is ours
