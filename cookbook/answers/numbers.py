"""Models that answer with numbers or pictures: forecasts, scores, new images."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.answers.classifiers import Pictures, in_pieces, prepared_pixels
from cookbook.data.files.pictures import read_picture
from cookbook.errors import Mistake
from cookbook.trained.trained_run import TrainedRun, refuse_single


class Forecaster(TrainedRun):
    """A run whose model forecasts how a series goes on.

    run = load_run("mackey_glass_rnn")
    run.predict([series])  # (1, horizon): the values that follow
    """

    takes = "series"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        settings = self.description.settings
        self.window: int = settings["window"]
        self.horizon: int = settings["horizon"]
        self.names: list[str] = settings["columns"]  # of the columns of a series
        self.mean = np.array(settings["mean"])
        self.scale = np.array(settings["scale"])
        columns = len(self.names)
        self.refuse_other_shape([self.window, columns], "input_shape")
        self.refuse_other_shape([self.horizon * columns], "output_shape")

    def read(self, value: np.ndarray) -> np.ndarray:
        """The series, if it fills a window with numbers."""
        rows = len(value)
        window = value[-self.window :]
        series = value.reshape(rows, -1)
        columns = series.shape[1]
        if columns != len(self.names):
            names = ", ".join(self.names)
            raise ValueError(
                f"it has {_counted(columns, 'column')} of numbers, expected those of "
                f"{names}"
            )
        if rows < self.window:
            raise ValueError(
                f"it has {_counted(rows, 'value')}, expected at least {self.window}"
            )
        if not np.isfinite(window).all():
            raise ValueError(f"a number is missing in its last {self.window} rows")
        return series

    def predict(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """(N, horizon), or (N, horizon, columns): the values that follow each series.

        inputs: series of any length from `window` on, (T,) or (T, columns), in the
            units of the data that the model has learned.
        """
        refuse_single(inputs, "a list of arrays")
        windows = []
        for series in inputs:
            self._refuse_bare(series)
            values = self.read(np.asarray(series))
            windows.append(values[-self.window :])

        x = (np.array(windows) - self.mean) / self.scale
        x = x.astype("float32")
        y = in_pieces(self.model, x)

        columns = len(self.names)
        y = y.reshape(len(y), self.horizon, columns)
        forecasts = y.astype("float64") * self.scale + self.mean
        if columns == 1:
            return forecasts[..., 0]
        return forecasts

    def _refuse_bare(self, series: Any) -> None:
        """Raises Mistake for a row of a series that stands in no list."""
        columns = len(self.names)
        if np.ndim(series) < (1 if columns == 1 else 2):
            shape = "(T,)" if columns == 1 else f"(T, {columns})"
            raise Mistake(
                f"got a series of the shape {np.shape(series)}, expected {shape}: "
                "predict takes a list of series, also of one"
            )

    def fields(self, answer: np.ndarray) -> dict[str, Any]:
        """A column for each step ahead of each series."""
        by_step = answer.reshape(self.horizon, -1)
        values = by_step.T.ravel()
        names = self.columns()
        return dict(zip(names, map(_short, values)))

    def columns(self) -> list[str]:
        """NAME_1, NAME_2, ...: the forecasts 1, 2, ... steps ahead."""
        found = []
        for name in self.names:
            for step in range(self.horizon):
                found.append(f"{name}_{step + 1}")
        return found


class AnomalyDetector(TrainedRun):
    """A run whose model scores how unlike its training images an image is.

    run = load_run("gan_anomaly")
    run.predict(["odd.png", "normal.png"])
    """

    takes = "pictures"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shape: tuple[int, int, int] = tuple(self.description.settings["shape"])
        self.refuse_other_shape(self.shape, "input_shape")

    def read(self, value: str | Path) -> np.ndarray:
        """The picture in a file, cut and scaled."""
        return read_picture(Path(value), self.shape)

    def predict(self, inputs: Pictures) -> np.ndarray:
        """(N,): the score of each image, the larger the more anomalous it looks."""
        pixels = prepared_pixels(inputs, self.shape, self.description.settings)
        return in_pieces(self.model, pixels)

    def fields(self, answer: np.floating) -> dict[str, Any]:
        """The score."""
        return {"score": _short(answer)}

    def columns(self) -> list[str]:
        """The one column that holds the scores."""
        return ["score"]


class Generator(TrainedRun):
    """A run whose model makes new samples: images, or points.

    load_run("mnist_gan").predict(["any"] * 16)
    load_run("mnist_cgan").predict(["7", "3"])  # uint8 (2, 28, 28, 1)
    """

    takes = "classes"

    @property
    def makes_images(self) -> bool:
        """Whether samples are images, rather than points."""
        return "pixels" in self.description.settings

    def read(self, value: str) -> str:
        """The name of a class that the model has learned."""
        if self.classes and value not in self.classes:
            names = ", ".join(self.classes)
            raise ValueError(f"expected one of the classes {names[:300]}")
        return value

    def predict(self, inputs: Sequence[str], seed: int = 0) -> np.ndarray:
        """A sample for each input: images, uint8 (N, H, W, C), or points (N, 2).

        inputs: names of classes. A model that has learned no classes makes as many
            samples as there are inputs.
        seed: random seed; the same one gives the same samples.
        """
        refuse_single(inputs, "a list of names")
        labels = None
        if self.classes:
            labels = np.array([self._label(name) for name in inputs])
        samples = self.model.sample(len(inputs), labels, seed=seed)
        if not self.makes_images:
            return samples
        return as_bytes(samples, self.description.settings)

    def _label(self, name: str) -> int:
        """The number of a class; raises Mistake if the model has not learned it."""
        try:
            return self.classes.index(self.read(name))
        except ValueError as problem:
            raise Mistake(f"got the class {name!r}: {problem}") from None

    def fields(self, answer: np.ndarray) -> dict[str, Any]:
        """The coordinates of a point."""
        coordinates = answer.ravel()
        return dict(zip(self.columns(), map(_short, coordinates)))

    def columns(self) -> list[str]:
        """x_1, x_2, ...: the coordinates of a point."""
        shape = self.description.settings["shape"]
        size = math.prod(shape)
        return [f"x_{i + 1}" for i in range(size)]


class ImageTranslator(TrainedRun):
    """A run whose model translates images of one kind into another one.

    run = load_run("printed_to_handwritten_cyclegan")
    run.predict(["seven.png"])  # uint8 (1, 28, 28, 1): handwriting
    run.predict(images, back=True)  # handwriting as print
    """

    takes = "pictures"
    makes_images = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shape: tuple[int, int, int] = tuple(self.description.settings["shape"])
        for name in ("generator", "inverse"):
            network = getattr(self.model, name, None)
            takes = getattr(network, "input_shape", ())
            makes = getattr(network, "output_shape", ())
            if takes[1:] != self.shape or makes[1:] != self.shape:
                raise ValueError(f"its {name} does not translate images of that shape")

    def read(self, value: str | Path) -> np.ndarray:
        """The picture in a file, cut and scaled."""
        return read_picture(Path(value), self.shape)

    def predict(self, inputs: Pictures, back: bool = False) -> np.ndarray:
        """uint8 (N, H, W, C): the images as images of the other kind.

        back: whether the inputs are of the second kind, and are to become the first.
        """
        settings = self.description.settings
        pixels = prepared_pixels(inputs, self.shape, settings)
        network = self.model.inverse if back else self.model.generator
        return as_bytes(in_pieces(network, pixels), settings)


def as_bytes(images: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """What a model makes as pixels from 0 to 255, uint8.

    settings: of the description; `pixels` is the range of what the model makes.
    """
    low, high = settings["pixels"]
    scale = 255 / (high - low)
    pixels = np.round((images - low) * scale)
    return np.clip(pixels, 0, 255).astype("uint8")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _short(value: float | np.floating) -> float:
    """The value with six significant digits, as a table shows it."""
    return float(f"{value:.6g}")


def as_sheet(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) side by side in one about square picture, (H, W, 3) uint8."""
    count, H, W, _ = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)

    shape = rows * H, columns * W, 3
    sheet = np.full(shape, 255, "uint8")
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        top = row * H
        left = column * W
        sheet[top : top + H, left : left + W] = image
    return sheet
