"""Mode overlap: whether a generator covers every mode of a mixture of Gaussians."""

from typing import Any

import keras
import numpy as np
from keras import ops

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
        self.spread = spread
        modes = len(self.centres)
        self.total = self.add_variable((), "zeros", name="total")
        self.counts = self.add_variable((modes,), "zeros", name="counts")

    def update_state(self, real, generated, sample_weight=None) -> None:
        generated = ops.convert_to_tensor(generated, "float32")
        offsets = ops.expand_dims(generated, 1) - ops.convert_to_tensor(self.centres)
        distances = ops.sqrt(ops.sum(ops.square(offsets), axis=-1))  # B, modes
        is_near = ops.cast(distances < 3 * self.spread, "float32")
        self.counts.assign_add(ops.sum(is_near, axis=0))
        self.total.assign_add(ops.cast(ops.shape(is_near)[0], "float32"))

    def result(self):
        shares = self.counts / ops.maximum(self.total, 1)
        return ops.sum(ops.minimum(shares, 1 / len(self.centres)))

    def figures(self) -> dict[str, float]:
        """What the samples so far are worth, by name.

        "modes" counts the modes with a sample near them, "high-quality share" is the
        share of the samples that are near a mode, and "mode overlap" is the result.
        """
        counts = ops.convert_to_numpy(self.counts)
        total = max(float(self.total), 1)
        return {
            "modes": int(np.sum(counts > 0)),
            "high-quality share": float(np.sum(counts) / total),
            "mode overlap": float(self.result()),
        }

    def get_config(self) -> Config:
        centres = self.centres.tolist()
        return {"centres": centres, "spread": self.spread, "name": self.name}
