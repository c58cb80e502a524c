"""Networks that recipes need ready-trained: each is trained once and then kept."""

import os
from types import ModuleType

import keras

from cookbook.config import ExperimentConfig
from cookbook.data.augmentation import without_augmentation
from cookbook.data.batches import for_few
from cookbook.data.sources import DataSet
from cookbook.errors import fail
from cookbook.runs.precision import in_float32
from cookbook.trained.model_file import Refused
from cookbook.trained.safe_loading import load_or_refuse
from cookbook.training.train import seed_everything, train


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
        settings = for_few(settings, len(data.train[0]))
        with in_float32():  # it judges networks of any precision
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
