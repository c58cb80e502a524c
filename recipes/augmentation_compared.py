"""Augmentation where labelled images are few: which kinds help, and how much.

    python recipes/augmentation_compared.py
    python recipes/augmentation_compared.py --images 300 --steps 1200

What is the best use of 1,000 labelled digits? A small convolutional network learns them
in equal steps: as they are, and varied by each of eight kinds of augmentation at its
usual strength. Then it learns a tenth and a third of them, as they are and as affine
variants. What helps on clear test images costs accuracy in fog, which no kind of
augmentation has shown to the network; from AugMix we had expected a gain there.

Papers: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks
applied to visual document analysis", 2003. https://doi.org/10.1109/ICDAR.2003.1227801;
Zhang et al., "mixup: beyond empirical risk minimization", 2017.
https://arxiv.org/abs/1710.09412
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras
import numpy as np

from cookbook.config import (
    BatchSize,
    Between,
    Count,
    ExperimentConfig,
    Filters,
    Rate,
    Repeats,
)
from cookbook.data.images import Images, load_images
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.pictures import draw_bars
from cookbook.lab.training import accuracy_of, in_passes, mixed, trainings
from cookbook.plots.figures import draw_lines
from cookbook.plots.picture_table import draw_picture_table
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import (
    AugMix,
    Conv2D,
    CutMix,
    Dense,
    MaxPooling2D,
    MixUp,
    RandAugment,
    RandomAffine,
    RandomErasing,
)
from custom_layers.losses import CategoricalCrossentropy
from custom_layers.optimizers import Adam

LOSS = CategoricalCrossentropy(from_logits=True)
SHIFT = 0.1  # share of a side by which images are shifted, in both directions
TURNS: dict[str, Any] = {"rotation": 0.04, "height_zoom": 0.1, "x_shear": 0.1}
KINDS: dict[str, Callable] = {
    "none": keras.layers.Identity,
    "flips": lambda: RandomAffine(flip="horizontal"),
    "shifts": lambda: RandomAffine(SHIFT, SHIFT, fill_mode="constant"),
    "affine": lambda: RandomAffine(SHIFT, SHIFT, fill_mode="constant", **TURNS),
    "RandomErasing": lambda: RandomErasing(fill_value=0.0),
    "MixUp": MixUp,
    "CutMix": CutMix,
    "RandAugment": RandAugment,
    "AugMix": AugMix,
}

MIXING = ("MixUp", "CutMix")  # which change labels, too
SHARES = (10, 3, 1)  # what the number of images is divided by in the second experiment
IN_QUICK = ("none", "flips", "affine")  # kinds that --quick compares
FOG = 0.6  # share of a foggy image that is white

BOUNDS: tuple[tuple[str, str, str, dict], ...] = (  # what is claimed of which kind
    ("shifts", "accuracy", "Shifts gain {points} of accuracy", {"at_least": 0.005}),
    ("affine", "accuracy", "Affine variants gain {points}", {"at_least": 0.005}),
    ("flips", "accuracy", "Flips gain {points}", {"at_most": 0}),
    ("RandomErasing", "accuracy", "RandomErasing gains {points}", {"at_most": 0.005}),
    ("MixUp", "accuracy", "MixUp gains {points}", {"at_least": 0}),
    ("CutMix", "accuracy", "CutMix gains {points}", {"at_least": 0}),
    ("RandAugment", "accuracy", "RandAugment gains {points}", {"at_least": 0.005}),
    ("AugMix", "accuracy", "AugMix gains {points}", {"at_least": 0}),
    ("affine", "foggy", "In fog, affine variants gain {points}", {"at_most": -0.05}),
    ("AugMix", "foggy", "In fog, AugMix gains {points}", {"at_most": 0}),
)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    data: str = "auto"  # image set of TensorFlow Datasets, or a folder of pictures
    images: Annotated[int, Between(20, 50_000)] = 1000  # labelled images to learn
    steps: Count = 300  # gradient steps of each training
    batch_size: BatchSize = 50  # images per step
    # filters of the first convolution; the second has twice as many
    filters: Filters = 16
    learning_rate: Rate = 2e-3  # step size of Adam
    repeats: Repeats = 3  # seeds of each training, whose results are averaged

    in_quick = {"images": 100, "steps": 200, "repeats": 1}


@dataclass(frozen=True)
class Measured:
    """What networks reach with one kind of augmentation; means over the seeds."""

    accuracy: float  # on the test images
    foggy: float  # accuracy on the test images in fog
    seconds: float  # for one step, where it was fastest


def build(kind: str, data: Images, config: Config) -> keras.Model:
    """Two convolutions, behind a layer that varies the images in training alone."""
    model = keras.Sequential([keras.Input(data.shape)])

    if kind not in MIXING:
        model.add(KINDS[kind]())

    model.add(keras.layers.Rescaling(1 / 255))

    for filters in (config.filters, 2 * config.filters):
        model.add(Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(MaxPooling2D())

    model.add(keras.layers.Flatten())
    model.add(Dense(len(data.classes)))

    optimizer = Adam(config.learning_rate)
    model.compile(optimizer, LOSS, steps_per_execution=20, jit_compile=False)

    return model


def measure(kind: str, data: Images, images: int, config: Config) -> Measured:
    """Trains on so many images with an augmentation, as the mean over all seeds."""
    size = config.batch_size

    def examples(seed):
        few = data.few(images // len(data.classes), seed).one_hot()
        x, y = in_passes(few.train, size, config.steps, seed)

        return mixed(KINDS[kind](seed=seed), x, y, size) if kind in MIXING else (x, y)

    figures = []
    x, y = data.test
    fog = (1 - FOG) * x + FOG * 255
    networks = trainings(lambda: build(kind, data, config), examples, config)

    for model, seconds in networks:
        both = accuracy_of(model, x, y), accuracy_of(model, fog, y)
        figures.append((*both, seconds))

    clear, foggy, times = zip(*figures)
    print(f"{kind:<14} {images} images, {min(times):.4f} s a step, accuracy", *clear)

    return Measured(np.mean(clear), np.mean(foggy), min(times))


def draw_variants(kinds: Iterable[str], data: Images, run: RunFolder) -> None:
    x = data.train[0][:8].astype("float32")
    rows = []

    for kind in kinds:
        layer = KINDS[kind]()
        varied = keras.ops.convert_to_numpy(layer(x, training=True)).clip(0, 255)
        rows.append(np.broadcast_to(varied / 255, (*varied.shape[:3], 3)))

    title = "Eight images as they are, and as each augmentation varies them"
    draw_picture_table(rows, title, run, "variants", [*kinds])


def draw_gains(found: dict[str, Measured], run: RunFolder) -> None:
    plain, *others = found.values()
    bars = {
        "clear images": [100 * (each.accuracy - plain.accuracy) for each in others],
        "images in fog": [100 * (each.foggy - plain.foggy) for each in others],
    }

    title = "Variants that may occur help on clear images, and none helps in fog"
    label = "gain in test accuracy (points)"
    draw_bars(bars, [*found][1:], title, label, run, "gains.svg")


def claims_of_sizes(found, data: Images, config: Config, run: RunFolder):
    """Trains on fewer images, draws that, and says what the variants are worth."""
    sizes = [config.images // share for share in SHARES]
    lines = {}

    for label, kind in (("as they are", "none"), ("affine variants", "affine")):
        fewer = [measure(kind, data, size, config) for size in sizes[:-1]]
        lines[label] = sizes, [100 * each.accuracy for each in (*fewer, found[kind])]

    title = "The fewer the images, the more their variants are worth"
    scale: dict[str, Any] = {"xscale": "log", "xticks": sizes, "xticklabels": sizes}

    labels = "labelled images", "test accuracy (%)"

    draw_lines(lines, title, *labels, run, "sizes.svg", **scale)

    (_, plain), (_, affine) = lines.values()
    lead = (affine[-2] - plain[-1]) / 100
    text = "A third of the images with affine variants lead all without by {points}"

    return [Claim(text, lead, at_least=-0.01)]


def claims_of_kinds(found: dict[str, Measured], config: Config) -> list[Claim]:
    """What holds for the kinds of augmentation, at the same number of images."""
    claims = []

    for kind, what, text, bound in BOUNDS:
        # The small digits of --quick say little about fog.
        if kind in found and (what == "accuracy" or not config.quick):
            gain = getattr(found[kind], what) - getattr(found["none"], what)
            claims.append(Claim(text, gain, **bound))

    return claims


def main(config: Config) -> Run:
    run = RunFolder.open("augmentation_compared", config)
    data = load_images(config.data, "mnist", config.quick, smallest=4)
    kinds = IN_QUICK if config.quick else KINDS
    found = {kind: measure(kind, data, config.images, config) for kind in kinds}
    draw_variants(kinds, data, run)
    draw_gains(found, run)
    claims = claims_of_kinds(found, config)
    sizes = [] if config.quick else claims_of_sizes(found, data, config, run)

    return conclude(run, [*claims, *sizes])


if __name__ == "__main__":
    launch(main, Config)
