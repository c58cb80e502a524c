"""What a finished run left: its model, and what it needs to be used."""

import importlib
import json
import os

import keras

from cookbook.cli import fail
from cookbook.training import seed_everything, train


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


def kept_network(recipe, data, config, epochs):
    """The network of `recipe`, which learned data once, kept in the folder of the runs.

    Its settings are the recipe's defaults but for `epochs`.
    """
    path = config.run_dir / "networks" / f"{recipe}_{data.name}_{epochs}.keras"
    source = importlib.import_module(f"recipes.{recipe}")  # its network, and no copy
    if not path.exists():
        print(f"training {recipe}'s network on {data.name}, kept in {path}")
        settings = source.Config(epochs=epochs)
        seed_everything(0)
        network = source.build(settings, data)
        train(network, data, settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
        network.save(partial)
        os.replace(partial, path)  # whole at any moment, should two runs make one
        # Layers are numbered from the start again, as where it was kept already: what
        # TensorFlow fuses, and so a run's last bits, depends on their names.
        keras.backend.clear_session(free_memory=False)
    return keras.models.load_model(path)
