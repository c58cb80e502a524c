"""Fréchet distance: how far generated images are from real ones."""

import keras
from keras import ops

from ..common.types import Config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class FrechetDistance(keras.metrics.Metric):
    """Fréchet distance between real and generated images, in the features of a judge.

    distance = |m - n|^2 + trace(S + T - 2 (S T)^(1/2))

    m and S are the mean and the covariance of the features of the real images, n and T
    those of the generated images. The distance is 0 if both agree. The paper's judge
    is Inception; the features of another judge give other numbers.

    Args:
        judge: a trained keras.Model whose first output is the features, (B, D).
        name: name of the metric.

    Call arguments of `update_state`: real and generated, batches of equal size, as the
        judge takes them. `sample_weight` is ignored.
    Result: scalar; 0 before the first update, NaN for features that are not finite.
    Serialization: the configuration holds the judge's architecture without its weights,
        as that of a layer around a layer does. Give the metric that `from_config`
        returns the weights: `again.judge.set_weights(judge.get_weights())`.
    Differs from Keras: Keras has no such metric. It sums in float64; on JAX, which has
        no float64 by default, in float32.

    >>> judge = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
    >>> x = keras.ops.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    >>> metric = FrechetDistance(judge)
    >>> metric.update_state(real=x, generated=x + 3.0)
    >>> round(float(metric.result()), 4)  # 3^2 + 3^2: only the means differ
    18.0

    Paper: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, "GANs trained by a two
    time-scale update rule converge to a local Nash equilibrium", 2017.
    https://arxiv.org/abs/1706.08500
    """

    def __init__(self, judge: keras.Model, name: str = "frechet_distance") -> None:
        is_jax = keras.backend.backend() == "jax"
        dtype = "float32" if is_jax else "float64"
        super().__init__(name=name, dtype=dtype)
        self.judge = judge
        D = judge.outputs[0].shape[-1]
        self.count = self.add_variable(
            shape=(),
            initializer="zeros",
            dtype=dtype,
            name="count",
        )
        self.sums = self.add_variable(
            shape=(2, D),
            initializer="zeros",
            dtype=dtype,
            name="sums",
        )
        self.products = self.add_variable(
            shape=(2, D, D),
            initializer="zeros",
            dtype=dtype,
            name="products",
        )

    def update_state(self, real, generated, sample_weight=None) -> None:
        features = [self._features(real), self._features(generated)]
        f = ops.stack(features)  # 2, B, D
        f_transposed = ops.transpose(f, (0, 2, 1))
        batch_size = ops.shape(f)[1]
        self.count.assign_add(ops.cast(batch_size, self.dtype))
        self.sums.assign_add(ops.sum(f, axis=1))
        # `@` keeps float64; on torch, Keras's ops.matmul returns float32.
        self.products.assign_add(f_transposed @ f)

    def _features(self, images):
        outputs = self.judge(images, training=False)
        first = keras.tree.flatten(outputs)[0]
        return ops.cast(first, self.dtype)  # B, D

    def result(self):
        count = ops.maximum(self.count, 2)  # before the first update it is 0
        means = self.sums / count
        column = ops.expand_dims(means, 2)
        row = ops.expand_dims(means, 1)
        outer = column * row
        scatter = self.products - count * outer
        covariances = scatter / (count - 1)
        # The eigenvalues of a matrix that is not finite would raise an error.
        is_finite = ops.all(ops.isfinite(covariances))
        covariances = ops.where(is_finite, covariances, 0)
        m, n = ops.unstack(means)
        S, T = ops.unstack(covariances)
        distance = _distance(m, n, S, T)
        return ops.where(is_finite, distance, float("nan"))

    def get_config(self) -> Config:
        judge = keras.saving.serialize_keras_object(self.judge)
        return {
            "judge": judge,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Config) -> "FrechetDistance":
        judge = keras.saving.deserialize_keras_object(config["judge"])
        return cls(judge, name=config["name"])


def _distance(m, n, S, T):
    """|m - n|^2 + trace(S + T - 2 (S T)^(1/2)).

    S T is not symmetric, but it has the eigenvalues of S^(1/2) T S^(1/2), which is.
    """
    values, vectors = ops.linalg.eigh(S)
    values = ops.maximum(values, 0)  # a rounding error may make them negative
    scaled = vectors * ops.sqrt(values)
    root_of_S = scaled @ ops.transpose(vectors)
    symmetric = root_of_S @ T @ root_of_S
    shared, _ = ops.linalg.eigh(symmetric)
    shared = ops.maximum(shared, 0)
    trace_of_root = ops.sum(ops.sqrt(shared))
    apart = ops.sum(ops.square(m - n)) + ops.trace(S + T)
    return apart - 2 * trace_of_root
