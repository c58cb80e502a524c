"""What a finished run left: its model, and what it needs to be used."""

import json

import keras

from cookbook.cli import fail


def load_trained(recipe, config, needs):
    """(model, content of the JSON file `needs`) of the recipe's newest finished run."""
    parent = config.run_dir / recipe
    files = "metrics.json", "model.keras", needs
    for path in sorted(parent.glob("*/"), reverse=True):
        if all((path / name).exists() for name in files):
            content = json.loads((path / needs).read_text(encoding="utf-8"))
            return keras.models.load_model(path / "model.keras"), content
    fail(
        f"{parent} holds no finished run, expected one to use: train first with "
        f"python recipes/{recipe}.py, or give the --run-dir it was trained in"
    )
