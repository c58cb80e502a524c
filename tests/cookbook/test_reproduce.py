"""Reproduction: runs are planned, done, found again, resumed, timed and compared."""

import argparse
import json
import signal
import subprocess
import sys
import time

import pytest

import cookbook.pages.results
import cookbook.reproduce.plan
from cookbook.__main__ import main
from cookbook.pages.catalogue import Entry, recipes
from cookbook.pages.results import recipe_rows
from cookbook.reproduce.command import reproduce_command
from cookbook.reproduce.folders import config_of
from cookbook.reproduce.plan import Clock, Planned, runs_to_repeat
from cookbook.reproduce.verdicts import Repeated, agreement

# A recipe that trains nothing: its figure is 0.9 and a hundredth per seed.
FAKE = '''"""A made-up recipe."""

import sys
import time
from dataclasses import dataclass

from cookbook.config import Count, TrainingConfig


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 2  # steps of one tenth of a second
    deviation: float = 0.0  # of the figure
    breaks: bool = False  # whether it fails


from cookbook.command_line import parse
from cookbook.processes import end_with_launcher
from cookbook.runs.stopping import listen, status
from cookbook.training.run_folder import RunFolder

listen()
end_with_launcher()
config = parse(Config)
run = RunFolder.open("fake", config)
steps = run.path / "steps.txt"
try:
    done = len(steps.read_text()) if config.resume else 0
    for epoch in range(done, config.epochs):
        print(f"Epoch {epoch + 1}/{config.epochs}", flush=True)
        time.sleep(0.1)
        steps.write_text("x" * (epoch + 1))
except KeyboardInterrupt:
    sys.exit(status())
if config.breaks:
    sys.exit(3)
is_default = config.epochs == 2 and not config.deviation
run.complete(
    {
        "test accuracy": 0.9 + config.seed / 100 + config.deviation,
        "expected": [0.9, 0.015] if is_default else None,
        "data": "made up",
        "resumed at": done,
    }
)
'''
# Runs the command with the rows of another results.json and the made-up recipe.
DRIVER = """
import sys
from pathlib import Path
import cookbook.pages.results
import cookbook.reproduce.plan as plan
from cookbook.pages.catalogue import Entry
cookbook.pages.results.KEPT = Path(sys.argv[1])
plan.recipes = lambda: [Entry("fake", "fake.py", "", "")]
recipe = Path(sys.argv[2])
plan.Planned.file = property(lambda run: recipe)
sys.argv = ["cookbook", *sys.argv[3:]]
from cookbook.__main__ import run
run()
"""


def kept_run(label, seed, value=0.9, seconds=1.0, machine="a machine"):
    name, _, flags = label.partition(" ")
    command = " ".join([f"python recipes/{name}.py", flags, f"--seed {seed}"])
    return {
        "test accuracy": value,
        "seed": seed,
        "cpu_seconds": seconds,
        "machine": machine,
        "command": " ".join(command.split()),
    }


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A function that fills a results.json with rows of a made-up recipe."""
    kept, recipe = tmp_path / "results.json", tmp_path / "fake.py"
    recipe.write_text(FAKE)
    monkeypatch.setattr(cookbook.pages.results, "KEPT", kept)
    monkeypatch.setattr(
        cookbook.reproduce.plan, "recipes", lambda: [Entry("fake", "fake.py", "", "")]
    )
    monkeypatch.setattr(Planned, "file", property(lambda run: recipe))
    monkeypatch.setattr("cookbook.reproduce.command.checkout", lambda: tmp_path)

    def fill(runs, **expected):
        labels = {run["command"].partition(" --seed")[0] for run in runs}
        rows = {}
        for label in sorted(labels):
            name = label.removeprefix("python recipes/").replace(".py", "", 1)
            rows[name] = {"task": "made up", "well known": "", **expected}
        kept.write_text(json.dumps({"rows": rows, "best": [], "runs": runs}))

    return fill


def order(tmp_path, *recipes, seeds=(), hours=None, plan=False):
    return argparse.Namespace(
        recipes=list(recipes),
        seeds=list(seeds),
        hours=hours,
        run_dir=tmp_path / "runs",
        plan=plan,
    )


def test_one_seed_of_every_row_comes_first_and_the_shortest_row_of_these(world):
    world(
        [
            *[kept_run("fake", seed, seconds=50.0) for seed in (0, 1)],
            *[kept_run("fake --epochs 3", seed, seconds=9.0) for seed in (4, 7)],
        ]
    )
    names = [run.name for run in runs_to_repeat([], [])]
    assert names == [
        "fake --epochs 3 --seed 4",
        "fake --seed 0",
        "fake --epochs 3 --seed 7",
        "fake --seed 1",
    ]
    chosen = [run.seed for run in runs_to_repeat(["recipes/fake.py"], [5, 5, 2])]
    assert chosen == [5, 5, 2, 2]


def test_work_of_a_gpu_is_no_processor_time(world):
    world([kept_run("fake", 0, seconds=60.0), kept_run("fake", 1, 0.9, 2.0, "a + b")])
    assert {run.seconds for run in runs_to_repeat([], [])} == {60.0}


def test_runs_are_done_compared_and_found_again(world, tmp_path, capsys):
    world([kept_run("fake", seed, 0.9 + seed / 100) for seed in (0, 1)])
    assert reproduce_command(order(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "2 of 2 runs are measured, 0 of them outside" in out
    assert "0.9100    0.9000 +- 0.0150  0.9100" in out
    assert reproduce_command(order(tmp_path)) == 0
    assert "[2/2] fake --seed 1: finished in" in capsys.readouterr().out
    assert len(list((tmp_path / "runs" / "fake").iterdir())) == 2


def test_a_figure_outside_its_tolerance_ends_with_status_1(world, tmp_path, capsys):
    world([kept_run("fake", 0)])
    assert reproduce_command(order(tmp_path, seeds=["0", "2"])) == 1
    out = capsys.readouterr().out
    assert "OUTSIDE: 0.005 above its tolerance" in out
    assert "outside: fake --seed 2" in out.splitlines()


def test_other_flags_are_compared_with_what_their_row_states(world, tmp_path, capsys):
    label = "fake --deviation 0.1"
    world([kept_run(label, 0)], expected=[1.0, 0.001])
    assert reproduce_command(order(tmp_path)) == 0
    world([kept_run(label, 0)], expected=[1.1, 0.001])
    assert reproduce_command(order(tmp_path)) == 1
    assert "below its tolerance" in capsys.readouterr().out
    world([kept_run(label, 0)])
    assert reproduce_command(order(tmp_path)) == 0
    assert "no tolerance is stated" in capsys.readouterr().out


def test_a_recipe_that_fails_is_named_with_its_log(world, tmp_path, capsys):
    world([kept_run("fake --breaks", 0), kept_run("fake", 0)])
    assert reproduce_command(order(tmp_path)) == 1
    out = capsys.readouterr().out
    assert "FAILED with exit status 3: see" in out
    assert "1 of 2 runs are measured" in out
    assert "failed: fake --breaks --seed 0" in out
    assert "Epoch 2/2" in (tmp_path / "runs/logs/fake_breaks_seed_0.txt").read_text()


def test_a_run_on_other_data_is_no_reproduction():
    metrics = {"test accuracy": 0.9, "expected": None, "data": "digits, NOT mnist"}
    outcome = Repeated(Planned("mnist_cnn", 0, 60.0, 0.99), metrics)
    assert outcome.is_bad
    assert "it ran on digits" in outcome.verdict
    assert "failed: mnist_cnn --seed 0" in agreement([outcome])


def test_what_does_not_fit_is_left_out_and_a_shorter_run_may_follow(
    world, tmp_path, capsys
):
    world([kept_run("fake", 0, seconds=9e4), kept_run("fake --epochs 1", 0)])
    assert reproduce_command(order(tmp_path, hours=1.0)) == 0
    out = capsys.readouterr().out
    assert "fake --seed 0: left out" in out
    assert "1 of 2 runs are measured" in out


def test_a_run_that_is_too_slow_is_stopped_and_goes_on_later(
    world, tmp_path, capsys, monkeypatch
):
    world([kept_run("fake --epochs 20", 0)], expected=[0.9, 0.1])
    steps = (tmp_path / "runs").glob
    with monkeypatch.context() as patch:
        patch.setattr(
            Clock, "is_over", lambda clock, now: any(steps("fake/*/steps.txt"))
        )
        assert reproduce_command(order(tmp_path, hours=1.0)) == 0
    assert "stopped when the time was over" in capsys.readouterr().out
    assert reproduce_command(order(tmp_path)) == 0
    assert "which goes on in" in capsys.readouterr().out
    (metrics,) = steps("fake/*/metrics.json")
    assert json.loads(metrics.read_text())["resumed at"] > 0


def test_the_time_is_over_at_its_end():
    clock = Clock(now=100.0, hours=0.5)
    assert not clock.is_over(1899.0)
    assert clock.is_over(1900.0)
    assert not Clock(now=100.0, hours=None).is_over(1e9)


def test_times_are_scaled_to_this_machine():
    clock = Clock(now=0.0, hours=1.0)
    run = Planned("fake", 0, 1000.0, None)
    assert clock.has_room_for(run, now=2000.0)
    clock.note(run, 3000.0)  # it took three times as long
    assert clock.expected(run) == 3000.0
    assert not clock.has_room_for(run, now=2000.0)


def test_the_plan_shows_times_and_runs_nothing(world, tmp_path, capsys):
    world([kept_run("fake", 0, seconds=65.0), kept_run("fake", 1, seconds=65.0)])
    assert reproduce_command(order(tmp_path, plan=True, hours=0.02)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["1:05", "1:05", "fake", "--seed", "0"]
    assert "fake --seed 1: left out" in lines[2]
    assert lines[-1].startswith("2 runs, 1:05 to go, 1 left out")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_midway_it_goes_on(number, world, tmp_path):
    runs = [kept_run("fake --epochs 20", 0, seconds=0.5), kept_run("fake", 0)]
    world(runs, expected=[0.9, 0.1])
    driver = [sys.executable, "-c", DRIVER, tmp_path / "results.json"]
    words = ["reproduce", "--run-dir", str(tmp_path / "runs")]
    command = [*map(str, driver), str(tmp_path / "fake.py"), *words]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until = time.time() + 30
    while not list(tmp_path.glob("runs/fake/*/steps.txt")) and time.time() < until:
        time.sleep(0.05)
    first.send_signal(number)
    out, _ = first.communicate(timeout=30)
    if number == signal.SIGTERM:
        assert first.returncode == 128 + number
        assert out.endswith("stopped by SIGTERM: the same command goes on\n")
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 0, second.stderr
    assert "which goes on in" in second.stdout
    assert "2 of 2 runs are measured" in second.stdout
    folders = list(tmp_path.glob("runs/fake/*/metrics.json"))
    assert len(folders) == 2
    assert max(json.loads(f.read_text())["resumed at"] for f in folders) > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mnist_cn"], "did you mean mnist_cnn?"),
        (["xor_from_scratch"], "expected a recipe with a row in the results"),
        (["--seeds", "0", "mnist_cnn"], "names of recipes stand before --seeds"),
        (["--seeds", "-1", "--plan"], "--seeds"),
        (["--hours", "0"], "expected a number above 0"),
        (["--hours", "nan"], "expected a number above 0"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, message, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cookbook", "reproduce", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_folder_that_cannot_be_made_is_one_line(world, tmp_path, capsys):
    world([kept_run("fake", 0)])
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(SystemExit) as stop:
        reproduce_command(order(tmp_path))
    assert stop.value.code == 2
    assert "where no folder can be made" in capsys.readouterr().err


LABELS = [row[0] for entry in recipes() for row in recipe_rows(entry.name)]


@pytest.mark.parametrize("label", LABELS)
def test_every_row_of_the_results_can_be_repeated(label):
    """Its flags are those of the recipe, and a tolerance is stated for them."""
    recipe = label.partition(" ")[0]
    (row,) = [row for name, row, _ in recipe_rows(recipe) if name == label]
    config = config_of(Planned(label, 3, 1.0, None))
    assert config.seed == 3
    assert (" " in label) == ("expected" in row)
