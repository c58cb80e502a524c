"""Metrics of generated samples: how real they are, and how many modes they cover."""

import keras
import numpy as np
from keras import ops


class FrechetDistance(keras.metrics.Metric):
    """Distance of real and generated images in a judge's features: 0 if they agree.

    |m - n|^2 + trace(S + T - 2 (S T)^(1/2)), of the means m, n and covariances S, T

    Paper: Heusel et al., "GANs trained by a two time-scale update rule converge to a
    local Nash equilibrium", 2017, https://arxiv.org/abs/1706.08500, where the features
    are Inception's; those of another judge give other numbers.
    """

    def __init__(self, judge, name="frechet_distance"):
        super().__init__(name=name, dtype="float64")
        self.judge = judge
        D = judge.outputs[0].shape[-1]
        self.count = self.add_variable((), "zeros", "float64", name="count")
        self.sums = self.add_variable((2, D), "zeros", "float64", name="sums")
        self.products = self.add_variable(
            (2, D, D), "zeros", "float64", name="products"
        )

    def update_state(self, real, generated, sample_weight=None):
        parts = (self.judge(x, training=False)[0] for x in (real, generated))
        f = ops.cast(ops.stack(list(parts)), "float64")  # 2, B, D
        self.count.assign_add(ops.cast(ops.shape(f)[1], "float64"))
        self.sums.assign_add(ops.sum(f, axis=1))
        self.products.assign_add(ops.matmul(ops.transpose(f, (0, 2, 1)), f))

    def result(self):
        n = ops.maximum(self.count, 2)  # before the first update all is 0
        means = self.sums / n
        outer = means[:, :, None] * means[:, None, :]
        covariances = (self.products - n * outer) / (n - 1)
        is_finite = ops.all(ops.isfinite(covariances))
        S, T = ops.unstack(ops.where(is_finite, covariances, 0))
        values, vectors = ops.linalg.eigh(S)  # which stops at what is not finite
        root = vectors * ops.sqrt(ops.maximum(values, 0)) @ ops.transpose(vectors)
        shared = ops.linalg.eigh(root @ T @ root)[0]  # those of S T
        apart = ops.sum(ops.square(means[0] - means[1])) + ops.trace(S + T)
        distance = apart - 2 * ops.sum(ops.sqrt(ops.maximum(shared, 0)))
        return ops.where(is_finite, distance, float("nan"))


class ModeOverlap(keras.metrics.Metric):
    """Share of the real distribution that the samples fill: 1 if every mode gets its.

    sum over modes of min(share of samples near the mode, 1 / modes), where near is
    within three standard deviations: "high quality" in the papers on mode collapse.

    Paper: Srivastava et al., "VEEGAN: reducing mode collapse in GANs using implicit
    variational learning", 2017. https://arxiv.org/abs/1705.07761
    """

    def __init__(self, centres, spread, name="mode_overlap"):
        super().__init__(name=name)
        self.centres = np.asarray(centres, "float32")
        self.reach = 3 * spread
        self.total = self.add_variable((), "zeros", name="total")
        self.counts = self.add_variable((len(centres),), "zeros", name="counts")

    def update_state(self, real, generated, sample_weight=None):
        offsets = generated[:, None] - self.centres  # B, modes, 2
        distances = ops.sqrt(ops.sum(ops.square(offsets), axis=-1))
        near = ops.cast(distances < self.reach, "float32")
        self.counts.assign_add(ops.sum(near, axis=0))
        self.total.assign_add(ops.cast(ops.shape(near)[0], "float32"))

    def result(self):
        shares = self.counts / self.total
        return ops.sum(ops.minimum(shares, 1 / len(self.centres)))

    def figures(self):
        """{name: value}: modes with a sample near them, share of samples near one."""
        counts = ops.convert_to_numpy(self.counts)
        return {
            "modes": int(np.sum(counts > 0)),
            "high-quality share": float(np.sum(counts) / float(self.total)),
            "mode overlap": float(self.result()),
        }
