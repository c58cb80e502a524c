"""Geometric and harmonic mean of a stream of values."""

import keras
from keras import ops

from ..common.types import Config, DType
from .base import _weights


class _MeanOf(keras.metrics.Metric):
    """A mean of f(values), from which `result` goes back by the inverse of f."""

    def __init__(self, name: str, dtype: DType) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def transform(self, values):
        """f(values)."""
        raise NotImplementedError

    def update_state(self, values, sample_weight=None) -> None:
        x = ops.convert_to_tensor(values, dtype=self.dtype)
        weight = _weights(values, sample_weight, ops.shape(x), self.dtype)
        # Padding may hold a 0, of which no f is finite.
        x = ops.where(weight > 0, x, ops.ones_like(x))
        self.total.assign_add(ops.sum(weight * self.transform(x)))
        self.count.assign_add(ops.sum(weight))

    def get_config(self) -> Config:
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GeometricMean(_MeanOf):
    """Geometric mean: the factor that, taken for every value, gives their product.

    mean = exp(sum(w * log(values)) / sum(w))

    It is the mean for rates of growth and for ratios.

    Args:
        name, dtype: as in every metric.

    Call arguments of `update_state`: values of any shape, which must be positive;
        sample_weight of their first axes, w. What a mask hides does not count.
    Result: scalar; 0 before the first update, and once a value is 0.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons'
    GeometricMean.

    >>> metric = GeometricMean()
    >>> metric.update_state([1.0, 4.0])
    >>> round(float(metric.result()), 4)
    2.0

    Paper: https://en.wikipedia.org/wiki/Geometric_mean
    """

    def __init__(self, name: str = "geometric_mean", dtype: DType = None) -> None:
        super().__init__(name, dtype)

    def transform(self, values):
        return ops.log(values)

    def result(self):
        mean = ops.exp(ops.divide_no_nan(self.total, self.count))
        return ops.where(self.count > 0, mean, ops.zeros_like(mean))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HarmonicMean(_MeanOf):
    """Harmonic mean: the inverse of the mean of the inverses.

    mean = sum(w) / sum(w / values)

    It is the mean for speeds, and F1 is that of precision and recall.

    Args:
        name, dtype: as in every metric.

    Call arguments of `update_state`: values of any shape, which must be positive;
        sample_weight of their first axes, w. What a mask hides does not count.
    Result: scalar; 0 before the first update, and once a value is 0.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons'
    HarmonicMean.

    >>> metric = HarmonicMean()
    >>> metric.update_state([1.0, 3.0])
    >>> round(float(metric.result()), 4)
    1.5

    Paper: https://en.wikipedia.org/wiki/Harmonic_mean
    """

    def __init__(self, name: str = "harmonic_mean", dtype: DType = None) -> None:
        super().__init__(name, dtype)

    def transform(self, values):
        return 1 / values

    def result(self):
        return ops.divide_no_nan(self.count, self.total)
