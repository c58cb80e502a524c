"""Report on translated images: whether they keep their class, and how real they look.

Images have pixels from -1 to 1.
"""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from cookbook.data.images import PARTS
from cookbook.data.sources import Part
from cookbook.plots.figures import Folder, draw_lines, save_figure
from cookbook.plots.gallery import ACROSS, draw_contest, draw_motion, draw_tiles
from cookbook.plots.mistakes import draw_confusion
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.reports.generated.sample_quality import JudgedImages, score_images
from cookbook.training.run_folder import RunFolder
from custom_layers.models import CycleGAN

ROUNDS = 2  # images of each class that a picture shows


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnpairedImages(JudgedImages):
    """Printed and handwritten characters, of which no two belong together.

    Each part is (printed images, handwritten images). The labels are for measuring, and
    training sees none of them.
    """

    printed_labels: dict[str, np.ndarray]  # {part: what its printed images show}
    handwritten_labels: dict[str, np.ndarray]


def unpaired(printed: Mapping[str, Part], data: JudgedImages) -> UnpairedImages:
    """Handwritten images `data` with as many printed ones, {part: (images, labels)}."""
    fields = [field.name for field in dataclasses.fields(data)]
    values = {name: getattr(data, name) for name in fields}
    printed_labels = {}
    handwritten_labels = {}
    for name in PARTS:
        x, printed_labels[name] = printed[name]
        y, handwritten_labels[name] = getattr(data, name)
        values[name] = x.astype("float32") / 127.5 - 1, y
    return UnpairedImages(
        **values,
        printed_labels=printed_labels,
        handwritten_labels=handwritten_labels,
    )


class SameClass(keras.metrics.Mean):
    """Share of the translated images in which the judge sees the class they had.

    The images come in the order of `labels`, as those of the validation part do.
    """

    def __init__(self, judge: keras.Model, labels: np.ndarray) -> None:
        super().__init__("same_class")
        self.judge = judge
        self.labels = labels

    def update_state(self, real, generated, sample_weight=None) -> None:
        _, logits = self.judge(generated, training=False)
        answers = ops.cast(ops.argmax(logits, -1), "int32")
        seen = ops.cast(self.count, "int32")
        rows = seen + ops.arange(ops.shape(answers)[0])
        expected = ops.take(ops.convert_to_tensor(self.labels, "int32"), rows)
        is_same = ops.equal(answers, expected)
        super().update_state(ops.cast(is_same, "float32"))


class TranslatedAfterEpoch(keras.callbacks.Callback):
    """translated_001.png, ...: the same printed images, translated after each epoch."""

    def __init__(self, data: UnpairedImages, run: Folder) -> None:
        super().__init__()
        x, _ = data.validation
        labels = data.printed_labels["validation"]
        self.images = x[of_each_class(labels, 10)]
        self.run = run

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Draws the images as they are translated now."""
        figure = Figure(figsize=(4, 4.2), layout="constrained")
        axes = figure.subplots()
        translated = self.model.generator(self.images, training=False)
        draw_tiles(axes, ops.convert_to_numpy(translated))
        number = epoch + 1
        axes.set_title(f"printed digits, translated, epoch {number}")
        save_figure(figure, self.run, f"translated_{number:03d}.png")


def of_each_class(labels: np.ndarray, rounds: int) -> np.ndarray:
    """Rows of images, ACROSS of them per round: one class after the other."""
    known = np.unique(labels)
    rows = []
    for i in range(rounds):
        for label in np.resize(known, ACROSS):
            of_class = np.flatnonzero(labels == label)
            rows.append(of_class[i % len(of_class)])
    return np.array(rows)


def report_translated_images(
    model: CycleGAN,
    data: UnpairedImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Translates the test images in both directions, draws, and finishes the run."""
    x, y = data.test
    labels = data.printed_labels["test"]
    y_made = model.translate(x)
    x_made = model.translate(y, back=True)
    x_again = model.translate(y_made, back=True)
    y_again = model.translate(x_made)

    figures = figures_of(data, y_made, x_made)
    figures["error of printed images after a cycle"] = _error(x_again, x)
    figures["error of handwritten images after a cycle"] = _error(y_again, y)
    print_figures(figures)

    draw_losses_of_generators(history, run)
    draw_contest(history, run)
    draw_motion(run, ("translated",))
    draw_confusion(labels, classes_of(data.judge, y_made), data.classes, run)
    share = figures["same class"]
    draw_translations(
        of_each_class(labels, ROUNDS),
        {"printed": x, "handwritten": y_made, "printed again": x_again},
        f"{share:.1%} of the printed images keep their class in handwriting",
        run,
        "printed_to_handwritten.png",
    )
    share = figures["same class, from handwriting to print"]
    draw_translations(
        of_each_class(data.handwritten_labels["test"], ROUNDS),
        {"handwritten": y, "printed": x_made, "handwritten again": y_again},
        f"{share:.1%} of the handwritten images keep their class in print",
        run,
        "handwritten_to_printed.png",
    )
    return finish(model, data, history, run, figures, expected)


def figures_of(data: UnpairedImages, y_made: np.ndarray, x_made: np.ndarray) -> Figures:
    """What the judge says of the test images and of their translations."""
    x, y = data.test
    labels = data.printed_labels["test"]
    training_images = data.train[1][: len(y)]
    after = score_images(data.judge, y, y_made, labels)
    before = score_images(data.judge, y, x, labels)
    back = score_images(data.judge, x, x_made, data.handwritten_labels["test"])
    best_possible = score_images(data.judge, y, training_images)
    distance = "Frechet distance"
    return {
        "same class": after["asked class"],
        distance: after[distance],
        "same class, not translated": before["asked class"],
        f"{distance}, not translated": before[distance],
        f"{distance} of training images": best_possible[distance],
        "same class, from handwriting to print": back["asked class"],
        f"{distance}, from handwriting to print": back[distance],
    }


def classes_of(judge: keras.Model, images: np.ndarray) -> np.ndarray:
    """The class that the judge sees in each image."""
    _, logits = judge.predict(images, batch_size=500, verbose=0)
    return logits.argmax(-1)


def _error(images: np.ndarray, originals: np.ndarray) -> float:
    """The mean difference of pixels, as a share of their range."""
    return float(np.mean(np.abs(images - originals)) / 2)


def draw_losses_of_generators(history: list[dict], run: RunFolder) -> None:
    """curves.png: the cycle and the identity loss, where training has them, by epoch.

    Validation data, or training data after a search, which has no others.
    """
    prefix = "val_" if "val_generator_loss" in history[0] else ""
    part = "validation" if prefix else "training"
    epochs = [row["epoch"] for row in history]
    lines = {}
    for name in ("cycle_loss", "identity_loss", "generator_loss"):
        key = prefix + name
        if key in history[0]:
            label = name.removesuffix("_loss")
            lines[label] = epochs, [row[key] for row in history]
    title = f"What the generators make small, on {part} data"
    draw_lines(lines, title, "epoch", "loss", run, "curves.png", yscale="log")


def draw_translations(
    rows: np.ndarray,
    kinds: Mapping[str, np.ndarray],
    title: str,
    run: Folder,
    name: str,
) -> None:
    """NAME: below each other, what the images in `rows` are in each of the kinds.

    kinds: {what a row of tiles shows: the images of all rows}
    """
    sheet = []
    for start in range(0, len(rows), ACROSS):
        chosen = rows[start : start + ACROSS]
        sheet += [images[chosen] for images in kinds.values()]

    figure = Figure(figsize=(8, 0.7 * len(sheet) + 0.4), layout="constrained")
    axes = figure.subplots()
    draw_tiles(axes, np.concatenate(sheet))
    height = sheet[0].shape[1]
    captions = [*kinds] * (len(sheet) // len(kinds))
    for i, caption in enumerate(captions):
        middle = (i + 0.5) * height
        axes.text(-4, middle, caption, ha="right", va="center")
    axes.set_title(title)
    save_figure(figure, run, name)
