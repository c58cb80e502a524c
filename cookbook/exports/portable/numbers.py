"""Exported models that forecast series, or make pictures and points out of noise."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cookbook.exports.portable.networks import Network


class Forecaster:
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
        values = series.reshape(-1, columns)[-self.window :]
        if len(values) < self.window:
            raise ValueError(
                f"got a series of {len(values)} values, expected at least the "
                f"{self.window} that a forecast is based on"
            )
        standardized = ((values - self.mean) / self.scale).astype("float32")
        answer = self.network(series=standardized[None]).reshape(self.horizon, -1)
        forecast = answer.shape[1]  # columns, which are all of them or the first
        following = answer * self.scale[:forecast] + self.mean[:forecast]
        return following[:, 0] if forecast == 1 else following


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
        if classes:
            first = classes.index(label) if label else 0
            labels = np.arange(count) % len(classes) if label is None else first
            arrays["label"] = np.broadcast_to(labels, count).astype("int32")
        low, high = self.settings["pixels"]
        share = (self.network(**arrays) - low) / (high - low)
        pixels = np.clip(np.rint(share * 255), 0, 255).astype("uint8")
        return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def noise(count: int, size: int, seed: int) -> np.ndarray:
    """Standard normal numbers, float32 (count, size)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, size), "float32")
