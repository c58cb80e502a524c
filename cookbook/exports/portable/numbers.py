"""Exported models that forecast series, or make pictures and points."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.exports.portable.classifiers import pixels_in
from cookbook.exports.portable.networks import Network


class SeriesModel:
    """A model that continues a series."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.window: int = settings["window"]
        self.horizon: int = settings["horizon"]
        self.mean = np.array(settings["mean"])
        self.scale = np.array(settings["scale"])

    def predict(self, series: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The values that follow each series, (horizon,) or (horizon, columns).

        series: each (T,), or (T, columns), in the units of what the model has learned.
        """
        return [self._following(np.asarray(each, "float64")) for each in series]

    def _following(self, series: np.ndarray) -> np.ndarray:
        columns = len(self.mean)
        values = series.reshape(-1, columns)
        values = values[-self.window :]
        if len(values) < self.window:
            raise ValueError(
                f"got a series of {len(values)} values, expected at least the "
                f"{self.window} that a forecast is based on"
            )
        x = (values - self.mean) / self.scale
        x = x.astype("float32")
        answer = self.network(series=x[None])
        answer = answer.reshape(self.horizon, -1)
        count = answer.shape[1]  # of columns, which are all of them or the first
        following = answer * self.scale[:count] + self.mean[:count]
        if count == 1:
            return following[:, 0]
        return following


class PointGenerator:
    """A model that makes points out of noise."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.latent: int = settings["latent"]

    def predict(self, count: int, seed: int = 0) -> np.ndarray:
        """Points (count, coordinates); another seed makes others."""
        return self.network(noise=noise(count, self.latent, seed))


class ImageGenerator:
    """A model that makes pictures out of noise."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings

    def predict(
        self, count: int, seed: int = 0, label: str | None = None
    ) -> np.ndarray:
        """Pictures, uint8 (count, H, W) or (count, H, W, 3); another seed, others.

        label: the class that they show, of a model that has classes; without it the
            pictures show one class after the other.
        """
        arrays = {"noise": noise(count, self.settings["latent"], seed)}
        classes = self.settings["classes"]
        if classes and label is None:
            arrays["label"] = np.arange(count, dtype="int32") % len(classes)
        elif classes:
            number = classes.index(label)
            arrays["label"] = np.full(count, number, "int32")
        return as_pictures(self.network(**arrays), self.settings)


class PictureTranslator:
    """A model that translates pictures of one kind into pictures of another."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings

    def predict(self, pictures: Sequence[str | Path]) -> np.ndarray:
        """Each picture file, translated: uint8 (N, H, W) or (N, H, W, 3)."""
        pixels = pixels_in(pictures, self.settings)
        return as_pictures(self.network(pixels=pixels), self.settings)


def as_pictures(images: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """What a network makes as pixels from 0 to 255, (N, H, W) or (N, H, W, 3)."""
    low, high = settings["pixels"]
    brightness = (images - low) / (high - low)
    pixels = np.rint(brightness * 255)
    pixels = np.clip(pixels, 0, 255).astype("uint8")
    if pixels.shape[-1] == 1:
        return pixels[..., 0]
    return pixels


def noise(count: int, size: int, seed: int) -> np.ndarray:
    """Standard normal numbers, float32 (count, size)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, size), "float32")
