"""What a finished run left: its model, and what it needs to be used."""

import json
import os

import keras

from cookbook.errors import fail
from cookbook.training.train import seed_everything, train


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
    """The network of a recipe, which learned data once, kept in the folder of the runs.

    recipe: the module, such as recipes.mnist_cnn, with its Config and build. The
    settings are the Config's defaults but for `epochs`.
    """
    name = recipe.__name__.rpartition(".")[2]
    path = config.run_dir / "networks" / f"{name}_{data.name}_{epochs}.keras"
    if not path.exists():
        print(f"training {name}'s network on {data.name}, kept in {path}")
        settings = recipe.Config(epochs=epochs)
        seed_everything(0)
        network = recipe.build(settings, data)
        train(network, data, settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
        network.save(partial)
        os.replace(partial, path)  # whole at any moment, should two runs make one
        # Layers are numbered from the start again, as where it was kept already: what
        # TensorFlow fuses, and so a run's last bits, depends on their names.
        keras.backend.clear_session(free_memory=False)
    return keras.models.load_model(path)
