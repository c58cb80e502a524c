"""Mode overlap: whether a generator covers every mode of a mixture of Gaussians."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import python_number
from ..common.types import Config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ModeOverlap(keras.metrics.Metric):
    """Share of a mixture of Gaussians that the generated samples fill.

    overlap = sum over modes of min(share of the samples near the mode, 1 / modes)

    Near means within three standard deviations of the centre, which papers on mode
    collapse call "high quality". The overlap is 1 if every mode gets its share of the
    samples, and 1 / modes if all samples are near one mode.

    Args:
        centres: the centres of the modes, (modes, D).
        spread: standard deviation of a mode, a number > 0.
        name: name of the metric.

    Call arguments of `update_state`: real, which is ignored and stands there because
        `FrechetDistance` takes it; generated, samples (B, D). `sample_weight` is
        ignored.
    Result: scalar; 0 before the first update.
    Raises: ValueError for centres that are not a matrix and for a spread of 0 or less.
    Differs from Keras: Keras has no such metric.

    >>> metric = ModeOverlap(centres=[[0.0, 0.0], [9.0, 0.0]], spread=1.0)
    >>> metric.update_state(real=None, generated=keras.ops.zeros((4, 2)))
    >>> float(metric.result())  # of two modes, one is filled
    0.5

    Paper: Srivastava, Valkov, Russell, Gutmann, Sutton, "VEEGAN: reducing mode collapse
    in GANs using implicit variational learning", 2017.
    https://arxiv.org/abs/1705.07761
    """

    def __init__(self, centres: Any, spread: float, name: str = "mode_overlap") -> None:
        super().__init__(name=name)
        self.centres = np.asarray(centres, "float32")
        if self.centres.ndim != 2:
            raise ValueError(
                "`centres` must have the shape (modes, D). "
                f"Received: centres.shape={self.centres.shape}"
            )
        if spread <= 0:
            raise ValueError(f"`spread` must be above 0. Received: spread={spread}")
        self.spread = python_number(spread)
        modes = len(self.centres)
        self.total = self.add_variable(
            shape=(),
            initializer="zeros",
            name="total",
        )
        self.counts = self.add_variable(
            shape=(modes,),
            initializer="zeros",
            name="counts",
        )

    def update_state(self, real, generated, sample_weight=None) -> None:
        generated = ops.convert_to_tensor(generated, "float32")
        samples = ops.expand_dims(generated, 1)  # B, 1, D
        centres = ops.convert_to_tensor(self.centres)
        square = ops.sum(ops.square(samples - centres), axis=-1)
        distances = ops.sqrt(square)  # B, modes
        reach = 3 * self.spread
        is_near = ops.cast(distances < reach, "float32")
        batch_size = ops.shape(is_near)[0]
        self.counts.assign_add(ops.sum(is_near, axis=0))
        self.total.assign_add(ops.cast(batch_size, "float32"))

    def result(self):
        total = ops.maximum(self.total, 1)  # before the first update it is 0
        shares = self.counts / total
        even_share = 1 / len(self.centres)
        return ops.sum(ops.minimum(shares, even_share))

    def figures(self) -> dict[str, float]:
        """What the samples so far are worth, by name.

        "modes" counts the modes with a sample near them, "high-quality share" is the
        share of the samples that are near a mode, and "mode overlap" is the result.
        """
        counts = ops.convert_to_numpy(self.counts)
        total = max(float(self.total), 1)
        modes = np.sum(counts > 0)
        near = np.sum(counts)
        return {
            "modes": int(modes),
            "high-quality share": float(near / total),
            "mode overlap": float(self.result()),
        }

    def get_config(self) -> Config:
        return {
            "centres": self.centres.tolist(),
            "spread": self.spread,
            "name": self.name,
        }
