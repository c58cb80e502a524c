"""Benchmarks: every class that Keras has too is timed; a row shows its ratio."""

import inspect
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from oracle import components, keras_counterpart

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow is what is timed"
)
ROOT = Path(__file__).parents[2]
# A cell is timed inside its layer; a wrapper's time is that of what it wraps.
UNTIMED = {
    "GRUCell",
    "LSTMCell",
    "SimpleRNNCell",
    "Bidirectional",
    "SpectralNormalization",
}


def test_every_class_that_keras_has_is_timed():
    from benchmarks import cases

    tables = [table for table in vars(cases).values() if isinstance(table, dict)]
    timed = {name for table in tables for name in table}
    rivals = {
        name
        for name, thing in components().items()
        if inspect.isclass(thing) and keras_counterpart(name) is not None
    }
    missing = rivals - timed - UNTIMED
    assert not missing, f"add to benchmarks/cases.py: {missing}"


def test_one_command_prints_the_ratio_and_its_spread():
    command = [sys.executable, "-m", "benchmarks", "GlorotUniform", "--rounds", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header, row, last = done.stdout.strip().splitlines()
    assert "ours/keras" in header
    assert row.startswith("GlorotUniform")
    assert 0.2 < float(row.split()[2]) < 5
    assert last.startswith("1 measured; the slowest: GlorotUniform")
