"""Networks for style transfer, and how near the picture comes to content and style."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from cookbook.data.images import Images
from cookbook.data.pictures import PicturePair, tinted
from cookbook.reports.generated.style_transfer import SMALLEST_MAP, measure, pixels_of
from cookbook.takeaway.standalone.backbones import load_backbone
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import Expected, Figures, Run, finish
from cookbook.takeaway.standalone.reports.generated import learned
from cookbook.takeaway.standalone.reports.pictures import draw_curves
from cookbook.takeaway.standalone.training import seed_everything


def feature_networks(
    config: Any,
    images: Images | None,
    shape: tuple[int, int, int],
    build: Callable,
    config_class: type,
) -> dict[str, keras.Model]:
    """The networks whose features are compared, for pictures of `shape`: {name: model}.

    images: what the own network learns. If there are none, the only network is the one
        of keras.applications that config.backbone names.
    build, config_class: of the recipe whose network is the own one. The other one is
        the same network with random weights.
    """
    if images is None:
        backbone = load_backbone(config.backbone, config.weights, shape, side=1)
        features = [
            layer.output
            for layer in backbone.layers
            if _is_activation(layer, layer.output)
        ]
        return {config.backbone: keras.Model(backbone.inputs, features)}
    images = tinted(images)
    network = learned(build, config_class, images, config.network_epochs)
    seed_everything(config.seed)
    untrained = build(config_class(), images)
    return {
        "own": _features_of(network.layers, shape),
        "random": _features_of(untrained.layers, shape),
    }


def _features_of(layers: list, shape: tuple[int, int, int]) -> keras.Model:
    """The activations of layers for pictures of `shape`, without augmentation."""
    images = x = keras.Input(shape)
    features = []
    for layer in layers:
        if type(layer).__name__.startswith("Random"):
            continue
        x = layer(x)
        if _is_activation(layer, x):
            features.append(x)
    return keras.Model(images, features)


def _is_activation(layer: keras.layers.Layer, x: Any) -> bool:
    """Whether the outputs x of a layer are activations that are large enough to use."""
    function = getattr(layer, "activation", None)
    is_linear = function in (None, keras.activations.linear)
    is_large = len(x.shape) == 4 and min(x.shape[1:3]) >= SMALLEST_MAP
    return is_large and ("ReLU" in type(layer).__name__ or not is_linear)


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """The output of a layer."""

    output: Any


def feature_layers(network: keras.Model) -> tuple[Features, list[Features]]:
    """The content layer and the style layers of a network of features.

    The style layers are the first activations at each resolution, up to five. The
    content layer is the activation after the last style layer but one. In VGG19 these
    are the layers of the paper.
    """
    active = [Features(output) for output in network.outputs]
    first: dict = {}
    for features in active:
        first.setdefault(features.output.shape[1:3], features)
    style = list(first.values())[:5]
    content = active[active.index(style[-2]) + 1]
    return content, style


class PictureAfterEpoch(keras.callbacks.Callback):
    """Callback that writes the picture after each epoch: picture_001.png, ..."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        path = self.run.path / f"picture_{epoch + 1:03d}.png"
        keras.utils.save_img(path, pixels_of(self.model), scale=False)


def report_style(
    model: keras.Model,
    data: PicturePair,
    history: list[dict],
    judges: dict[str, keras.Model],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures the picture before and after; picture_*.png show it after each epoch.

    judges: {name: model of the statistics}. The picture was trained to suit the one
        that config.backbone names.
    """
    judge = judges[run.config.backbone]
    result = pixels_of(model).astype("float32") / 255
    before, after = (measure(judge, p, data) for p in (data.content, result))
    figures: Figures = {
        "style loss falls by a factor of": before["style loss"] / after["style loss"],
        "content correlation": after["content correlation"],
    }
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)
