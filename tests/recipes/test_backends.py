"""Recipes on JAX and torch, in processes of their own: they train, and end well."""

import json
import os
import subprocess
import sys

import pytest

from cookbook.pages.catalogue import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "backend", "bar"),
    [
        ("imdb_rnn", "jax", 0.85),
        ("optimizer_paths", "jax", None),  # its claims end it if they do not hold
        ("mnist_mlp", "torch", 0.95),
        ("activations_gallery", "torch", None),  # NumPy reads what needs gradients
        ("addition_seq2seq", "torch", None),
    ],
)
def test_a_recipe_learns_on_another_backend(name, backend, bar, tmp_path):
    """Texts in a few widths and descent in a loop on JAX; torch steps one by one.

    Beside other tests, torch has one thread: several wait for each other, busily.
    """
    done = subprocess.run(
        [sys.executable, f"recipes/{name}.py", "--quick", "--run-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (metrics,) = tmp_path.glob(f"{name}/*/metrics.json")
    figure, *_ = json.loads(metrics.read_text()).values()
    assert bar is None or figure >= bar
