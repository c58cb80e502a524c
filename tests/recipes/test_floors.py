"""The figures that README promises, on real data where they are prepared."""

import importlib
import json
import os
from pathlib import Path

import pytest

from cookbook.command_line import parse

MNIST = Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets"), "mnist")
FLOORS = {"mnist_cnn": 0.994, "mnist_mlp": 0.985}


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.expanduser().exists(), reason="MNIST is not prepared")
@pytest.mark.parametrize("name", FLOORS)
def test_real_mnist_reaches_the_floor(name, tmp_path):
    recipe = importlib.import_module(f"recipes.{name}")
    recipe.main(parse(recipe.Config, ["--data", "mnist", "--run-dir", str(tmp_path)]))
    (metrics,) = tmp_path.glob("*/*/metrics.json")
    metrics = json.loads(metrics.read_text())
    assert metrics["test accuracy"] >= FLOORS[name]
    assert metrics["parameters"] <= {"mnist_cnn": 100_000}.get(name, 1_000_000)
