"""Start of a recipe: help at once, mistakes at once, nothing on the screen before."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from cookbook.pages.catalogue import recipes
from cookbook.quiet_import import HARMLESS, NO_GPU, filtered_stderr
from cookbook.start import early_config

ROOT = Path(__file__).parents[2]
RECIPES = [entry.file for entry in recipes()]
HEAVY = ("tensorflow", "keras", "numpy")


def run(*command, **environment):
    """(the finished process, its seconds of processor time; 0 on Windows)."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    after = os.times()
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return done, user + system


@pytest.mark.parametrize("recipe", RECIPES)
def test_help_answers_at_once_without_tensorflow(recipe):
    done, seconds = run("-X", "importtime", recipe, "--help")
    assert done.returncode == 0, done.stderr
    assert "--seed" in done.stdout
    for line in done.stdout.splitlines():
        is_example = line.startswith("    python ")
        assert len(line) <= 80 or "http" in line or is_example
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert not loaded & set(HEAVY)
    assert seconds < 1  # 0.3 s


@pytest.mark.parametrize("arguments", [("--seed", "-1"), ("--sed", "3")])
def test_a_mistake_is_answered_at_once_in_one_line(arguments):
    done, seconds = run(RECIPES[0], *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert seconds < 1


SOURCE = """
import sys
from dataclasses import dataclass
from cookbook.config import Count, ExperimentConfig
from cookbook.start import start
start(__name__)
import keras
MOST = 2**4
print("this does not run")
LAYERS = {"dense": keras.layers.Dense}
@dataclass(frozen=True)
class Config(ExperimentConfig):
    units: Count = MOST  # of the layer
"""


def test_a_config_is_built_without_running_the_rest_of_its_recipe(capsys):
    assert early_config(SOURCE)().units == 16
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("units: Count = MOST", "units: Count = len(LAYERS)"),
        ("class Config", "class Settings"),
    ],
)
def test_a_config_that_needs_keras_is_left_to_launch(old, new):
    assert early_config(SOURCE.replace(old, new)) is None


LINES = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1700000000.000000   11 port.cc:153] oneDNN custom operations are on.
E0000 00:00:1700000000.000000   11 cuda_platform.cc:52] failed call to cuInit: INTERNAL
E0000 00:00:1700000000.000000   11 file_system.cc:1] no space left
Traceback (most recent call last):
"""


@pytest.mark.parametrize(
    ("pattern", "kept"), [(HARMLESS + NO_GPU, [3, 4]), (HARMLESS, [2, 3, 4])]
)
def test_only_harmless_messages_are_dropped(pattern, kept, capfd):
    with filtered_stderr(pattern):
        os.write(2, LINES.encode())
    os.write(2, b"after\n")
    lines = LINES.splitlines()
    assert capfd.readouterr().err.splitlines() == [*(lines[i] for i in kept), "after"]


def test_the_last_words_of_a_crash_are_shown():
    code = (
        "import os; from cookbook.quiet_import import filtered_stderr as f\n"
        "with f('nothing'): os.write(2, b'last words\\n'); os.abort()"
    )
    done, _ = run("-c", code)
    assert done.returncode
    assert "last words" in done.stderr


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="these are TensorFlow's messages"
)
def test_a_run_prints_nothing_before_its_own_lines(tmp_path):
    """TensorFlow's start-up messages would be 7 lines of stderr."""
    done, _ = run("recipes/backprop_by_hand.py", "--run-dir", tmp_path, "--quick")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
