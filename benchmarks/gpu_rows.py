"""What a process of `benchmarks.gpu` measures on its backend."""

import importlib
import typing
from collections.abc import Iterator
from types import SimpleNamespace

import keras
import numpy as np

from benchmarks.measure import Step, compare
from benchmarks.results import row_of
from benchmarks.table_rows import Row, component_rows
from cookbook.data.augmentation import without_augmentation
from cookbook.training.train import suit_backend

ROUNDS = 7
SMALL = 3  # rows that are tried on a processor


def backend_has_gpu() -> bool:
    """Whether the backend that Keras runs on sees a GPU."""
    backend: typing.Any = importlib.import_module(keras.backend.backend())
    if backend.__name__ == "jax":
        return any(device.platform == "gpu" for device in backend.devices())
    if backend.__name__ == "torch":
        return backend.cuda.is_available()
    return bool(backend.config.list_physical_devices("GPU"))


def rows_for(small: bool) -> Iterator[Row]:
    """The rows of components, and the training steps of two recipes.

    small: whether a few quick ones will do, because only the script is tried.
    """
    if small:
        quick = [row for row in component_rows() if "10 variables" in row.what]
        yield from quick[:SMALL]
        yield _network("shakespeare_gpt", quick=True)
        return
    yield from component_rows()
    yield _network("shakespeare_gpt")
    yield _network("mnist_cnn")


def measured(row: Row) -> dict[str, typing.Any]:
    """The row's figures; PyTorch's part is timed on the torch backend only."""
    keras.backend.clear_session()
    with_torch = keras.backend.backend() == "torch"
    if with_torch and backend_has_gpu():
        torch: typing.Any = importlib.import_module("torch")
        torch.set_default_device("cuda")
    sides = {k: make for k, make in row.sides.items() if with_torch or k != "torch"}
    steps = {side: make() for side, make in sides.items()}
    timed = {side: finished(step) for side, step in steps.items() if step is not None}
    return {"what": row.what, **row_of(compare(timed, ROUNDS))}


def finished(step: Step) -> Step:
    """The step and the wait for the GPU, which works on while Python goes on."""
    backend: typing.Any = importlib.import_module(keras.backend.backend())
    if not backend_has_gpu() or backend.__name__ == "jax":  # whose steps wait
        return step
    if backend.__name__ == "torch":
        wait = backend.cuda.synchronize
    else:
        wait = backend.test.experimental.sync_devices

    def step_and_wait() -> None:
        step()
        wait()

    return step_and_wait


def _network(recipe: str, quick: bool = False) -> Row:
    """A training step of the recipe's network on random data, from its host.

    Augmentation is left out, since the network of PyTorch has none.
    """
    module = importlib.import_module(f"recipes.{recipe}")
    config = module.Config(quick=quick)
    x, y, data = _data_of(recipe, config)

    def ours() -> Step:
        model = without_augmentation(module.build(config, data))
        suit_backend(model)
        return lambda: model.train_on_batch(x, y)

    def theirs() -> Step:
        from benchmarks.keras_parts import keras_parts

        with keras_parts(recipe):
            return ours()

    def of_torch() -> Step:
        torch_networks: typing.Any = importlib.import_module(
            "benchmarks.torch_networks"
        )
        return getattr(torch_networks, recipe)(config)

    sides = {"ours": ours, "keras": theirs, "torch": of_torch}
    what = f"training step of {recipe}"
    if recipe == "mnist_cnn":
        what += " without augmentation"
    return Row(what, dict(sides), {}, is_network=True)


def _data_of(recipe: str, config: typing.Any) -> tuple:
    """(x, y, a data set as the recipe's `build` needs it), random."""
    rng = np.random.default_rng(0)
    batch = config.batch_size
    if recipe == "mnist_cnn":
        x = rng.integers(0, 256, (batch, 28, 28, 1)).astype("uint8")
        y = rng.integers(0, 10, batch)
        described = {"shape": (28, 28, 1), "classes": [str(i) for i in range(10)]}
    else:
        x, y = rng.integers(0, 65, (2, batch, config.context))
        described = {"alphabet": "".join(map(chr, range(32, 97)))}
    return x, y, SimpleNamespace(train=(x, y), **described)
