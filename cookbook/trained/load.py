"""Loading what a finished run left: its model, and what is needed to use it."""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from cookbook.config import ExperimentConfig
from cookbook.data.augmentation import without_augmentation
from cookbook.data.sources import DataSet
from cookbook.errors import fail
from cookbook.trained.model_file import Refused
from cookbook.trained.safe_loading import load_or_refuse, load_safely
from cookbook.training.run_folder import runs_in
from cookbook.training.train import seed_everything, train

# What the files beside a model hold, by their names.
FORMS: dict[str, Any] = {
    "reader.json": {"words": list, "length": int, "classes": list, "data": str},
    "subwords.json": {"pieces": list, "merges": list},
    "alphabet.json": {"alphabet": str, "context": int},
    "digits.json": int,
}


def load_trained(
    recipe: str,
    config: ExperimentConfig,
    needs: str,
) -> tuple[keras.Model, Any]:
    """The model of the newest finished run of a recipe, and a file from its folder.

    --run chooses another run.

    recipe: the name of the recipe.
    config: config.run_dir is where the runs are, config.run the one to use.
    needs: the name of a JSON file that the model is of no use without, such as its
        vocabulary. Its content is returned as the second value.
    """
    parent = config.run_dir / recipe
    files = "metrics.json", "model.keras", needs
    chosen = getattr(config, "run", None)
    for path in [chosen] if chosen else reversed(runs_in(parent)):
        if all((path / name).exists() for name in files):
            content = _companion(path / needs)
            return without_augmentation(load_safely(path / "model.keras")), content
    fail(
        f"{chosen or parent} holds no finished run, expected one to use: train first "
        f"with python recipes/{recipe}.py, or give the --run-dir it was trained in"
    )


def _companion(path: Path) -> Any:
    """The content of a JSON file beside a model, which must have the right form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        fail(f"{path} is damaged ({error}): train again, or use another run")
    form = FORMS.get(path.name, object)
    fields = form if isinstance(form, dict) else {}
    kind = dict if fields else form
    is_right = isinstance(content, kind) and all(
        isinstance(content.get(name), each) for name, each in fields.items()
    )
    if not is_right or isinstance(content, bool):
        fail(f"{path} is damaged (its content has another form): train again")
    return content


def kept_network(
    recipe: ModuleType,
    data: DataSet,
    config: ExperimentConfig,
    epochs: int,
) -> keras.Model:
    """The network of a recipe, trained on `data`; it is trained once and then kept.

    recipe: the module of the recipe, such as recipes.mnist_cnn. Its `build` makes the
        network, with the defaults of its Config.
    data: the data set to train on; its name is part of the name of the kept file.
    config: config.run_dir is where the file is kept, in the folder networks/.
    epochs: how long the network is trained.
    """
    name = recipe.__name__.rpartition(".")[2]
    path = config.run_dir / "networks" / f"{name}_{data.name}_{epochs}.keras"
    if not path.exists():
        print(f"First {name}'s network learns {data.name}; it is kept in {path}")
        settings = recipe.Config(epochs=epochs)
        seed_everything(0)
        network = recipe.build(settings, data)
        train(network, data, settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
        without_augmentation(network).save(partial)
        os.replace(partial, path)  # so the file is whole even if two runs make it
        # The layers that are made next must have the names that they have in a run that
        # finds the network kept: TensorFlow fuses operations by their names, and with
        # other names a run would differ in its last bits.
        keras.backend.clear_session(free_memory=False)
    try:
        return without_augmentation(load_or_refuse(path))
    except Refused as problem:
        fail(f"{path} {problem}; delete it, and the network is trained again")
