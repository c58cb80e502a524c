"""Networks for style transfer, and how near the picture comes to content and style."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cookbook.data.images import Images
from cookbook.data.pictures import PicturePair, tinted
from cookbook.reports.generated.style_transfer import measure, pixels_of
from cookbook.takeaway.standalone.backbones import load_backbone
from cookbook.takeaway.standalone.folder import RunFolder
from cookbook.takeaway.standalone.reports.generated import learned
from cookbook.takeaway.standalone.reports.pictures import draw_curves
from cookbook.takeaway.standalone.run import Expected, Figures, Run, finish
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
        name = config.backbone
        return {name: load_backbone(name, config.weights, shape, side=1)}
    images = tinted(images)
    teacher = learned(build, config_class, images, config.network_epochs)
    pictures = np.zeros((1, *shape), "uint8"), np.zeros(1, "int64")
    seed_everything(config.seed)
    networks = {}
    for name in ("random", "own"):
        networks[name] = build(
            config_class(), dataclasses.replace(images, train=pictures)
        )
    networks["own"].set_weights(teacher.get_weights())
    return networks


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
