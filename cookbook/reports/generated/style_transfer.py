"""Report on style transfer: how near the picture comes to content and to style."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from cookbook.data.images import Images
from cookbook.data.pictures import PicturePair, tinted
from cookbook.plots.figures import draw_lines, save_figure
from cookbook.plots.gallery import draw_motion
from cookbook.reports.finish import Expected, Figures, Run, finish
from cookbook.trained.backbones import load_backbone
from cookbook.trained.load import kept_network
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig, seed_everything
from custom_layers.generation import colour_transfer

FALL = "style loss falls by a factor of"
SMALLEST_MAP = 4  # pixels on a side of a feature map that can still hold a texture


def feature_networks(
    config: RecipeConfig,
    images: Images | None,
    shape: tuple[int, int, int],
    recipe: ModuleType,
) -> dict[str, keras.Model]:
    """The networks whose features are compared, for pictures of `shape`: {name: model}.

    images: what the own network learns. If there are none, the only network is the one
        of keras.applications that config.backbone names.
    recipe: the module of a classifier of images, whose network is the own one. The
        other one is the same network with random weights.
    """
    if images is None:
        name = config.backbone
        return {name: load_backbone(name, config.weights, shape, side=1)}
    learned = kept_network(recipe, tinted(images), config, config.network_epochs)
    seed_everything(config.seed)
    random = resized(learned, shape, learned=False)
    return {"own": resized(learned, shape), "random": random}


def feature_layers(
    network: keras.Model,
) -> tuple[keras.layers.Layer, list[keras.layers.Layer]]:
    """The content layer and the style layers of a convolutional network.

    The style layers are the first activations at each resolution, up to five. The
    content layer is the activation after the last style layer but one. In VGG19 these
    are the layers of the paper.
    """
    active = [layer for layer in network.layers if _is_activation(layer)]
    first: dict = {}
    for layer in active:
        first.setdefault(layer.output.shape[1:3], layer)
    style = list(first.values())[:5]
    content = active[active.index(style[-2]) + 1]
    return content, style


def _is_activation(layer: keras.layers.Layer) -> bool:
    """Whether the outputs of a layer are activations that are large enough to use."""
    output = getattr(layer, "output", None)
    if output is None or len(output.shape) != 4:
        return False
    if min(output.shape[1:3]) < SMALLEST_MAP:
        return False
    function = getattr(layer, "activation", None)
    is_linear = function in (None, keras.activations.linear)
    return "ReLU" in type(layer).__name__ or not is_linear


def resized(
    network: keras.Model,
    shape: tuple[int, int, int],
    learned: bool = True,
) -> keras.Model:
    """The network for pictures of another shape, without its random augmentation.

    learned: whether it keeps its weights; if not, it gets new random ones.
    """

    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer).__name__.startswith("Random"):
            return keras.layers.Identity(name=layer.name)
        return type(layer).from_config(layer.get_config())

    images = keras.Input(shape)
    copy = keras.models.clone_model(network, images, clone_function=copied)
    if learned:
        copy.set_weights(network.get_weights())
    return copy


def pixels_of(model: keras.Model, name: str = "picture") -> np.ndarray:
    """The picture that a model holds, as integers from 0 to 255, (H, W, 3).

    name: of the layer whose output is the picture; the model's input is the number 1.
    """
    one = np.ones((1, 1), "float32")
    picture = keras.Model(model.inputs[0], model.get_layer(name).output)(one)
    values = 255 * ops.convert_to_numpy(picture)[0]
    return np.round(values).astype("uint8")


class PictureAfterEpoch(keras.callbacks.Callback):
    """Callback that writes the picture after each epoch: picture_001.png, ..."""

    def __init__(self, run: RunFolder):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        _write(pixels_of(self.model), self.run, f"picture_{epoch + 1:03d}.png")


def measure(
    statistics: keras.Model,
    picture: np.ndarray,
    pair: PicturePair,
) -> dict[str, float]:
    """How near a picture is to the content and to the style of a pair.

    style loss: mean over layers of |G - A|^2 / |A|^2, with A the style's Gram matrices
    content distance: |F - P| / |P|, with P the content's features
    content correlation: Pearson's correlation of F and P

    statistics: a model that gives [F, *G], content features and Gram matrices.
    """
    F, *G = _arrays(statistics(picture[None]))
    P, *_ = _arrays(statistics(pair.content[None]))
    _, *A = _arrays(statistics(pair.style[None]))
    errors = [np.sum((g - a) ** 2) / np.sum(a**2) for g, a in zip(G, A)]
    distance = np.linalg.norm(F - P) / np.linalg.norm(P)
    correlation = np.corrcoef(F.ravel(), P.ravel())[0, 1]
    return {
        "style loss": float(np.mean(errors)),
        "content distance": float(distance),
        "content correlation": float(correlation),
    }


def _arrays(tensors: Sequence) -> list[np.ndarray]:
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def report_style(
    model: keras.Model,
    data: PicturePair,
    history: list[dict],
    judges: dict[str, keras.Model],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures the result, the start and a change of colours alone; finishes the run.

    judges: {name: model of the statistics}. The picture was trained to suit the one
        that config.backbone names.
    """
    result = pixels_of(model)
    pictures = {
        "start": data.content,
        "recoloured": colour_transfer(data.content, data.style),
        "style": data.style,
        "result": result.astype("float32") / 255,
    }
    found = {}
    for judge, statistics in judges.items():
        found[judge] = _measure_all(judge, statistics, pictures, data)
    config: Any = run.config
    own = found[config.backbone]
    figures = {
        FALL: own[FALL],
        "content correlation": own["result"]["content correlation"],
        "features": found,
    }

    _write(result, run, "result.png")
    _draw_three(data, result, run)
    draw_terms(history, run)
    draw_motion(run, ("picture",))
    return finish(model, data, history, run, figures, expected)


def _measure_all(
    judge: str,
    statistics: keras.Model,
    pictures: dict[str, np.ndarray],
    data: PicturePair,
) -> Figures:
    """The figures of all pictures by one judge, and by how much the style loss fell."""
    table = {name: measure(statistics, p, data) for name, p in pictures.items()}
    for name, row in table.items():
        shown = ", ".join(f"{key} {value:.4g}" for key, value in row.items())
        print(f"{judge} features, {name:<11}{shown}")
    fall = table["start"]["style loss"] / table["result"]["style loss"]
    return {FALL: fall, **table}


def draw_terms(history: list[dict], run: RunFolder) -> None:
    """Draws curves.png: the terms of the loss by epoch, each as a relative error."""
    names = [key for key in history[0] if key.endswith("_loss")]
    names.sort(key=lambda name: (not name.startswith("content"), name))
    epochs = [row["epoch"] for row in history]
    lines = {}
    for name in names:
        label = name.removesuffix("_loss").replace("_", " ")
        lines[label] = epochs, [row[name] for row in history]
    title = "Terms of the loss: relative error of content and styles, roughness"
    draw_lines(lines, title, "epoch", "loss", run, "curves.png", yscale="log")


def _draw_three(
    data: PicturePair,
    result: np.ndarray,
    run: RunFolder,
) -> None:
    """Draws side_by_side.png: content, style, result."""
    height, width = result.shape[:2]
    size = (12, 4 * height / width + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    parts = {"content": data.content, "style": data.style, "result": result}
    for axes, (name, picture) in zip(figure.subplots(1, 3), parts.items()):
        axes.imshow(picture)
        axes.set_title(name)
        axes.set_axis_off()
    save_figure(figure, run, "side_by_side.png")


def _write(
    picture: np.ndarray,
    run: RunFolder,
    name: str,
) -> None:
    """Writes a picture of integers from 0 to 255 as PNG."""

    def save(path: Any) -> None:
        keras.utils.save_img(path, picture, None, "png", scale=False)

    run.write(name, save)
