"""Weighted kappa loss, for classes that have an order."""

import keras
from keras import ops

from ..common.checks import one_of, positive_integer, python_number
from ..common.types import Config, DType
from .base import _Loss, _pair, _per_value, _refuse_shapes, _wide


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WeightedKappa(_Loss):
    """Weighted kappa loss: an error costs more, the farther apart the classes are.

    loss = log(observed / expected + epsilon)
    observed = sum over samples n and classes c of w[label of n, c] * y_pred[n, c]
    expected = sum over classes c, d of w[c, d] * true[c] * pred[d] / number of samples
    w[c, d] = (c - d)^2, or |c - d| with linear weights

    true and pred are the sums of y_true and y_pred over the samples. The quotient is 1
    minus Cohen's kappa: 0 for a perfect answer, 1 for one that is independent of the
    truth. It is a property of a whole batch, so choose large batches.

    Args:
        num_classes: number of classes, checked against y_pred; None means any number.
        weightage: "quadratic" or "linear".
        epsilon: added inside the logarithm, a number > 0; its logarithm is the best
            value of the loss.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true, one-hot, and y_pred, probabilities, (B, ..., C) -> scalar. Masked
        samples are left out.
    Raises: ValueError for shapes that differ, for another number of classes, and for
        an argument outside its range.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons'
    WeightedKappaLoss.

    >>> y_true = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    >>> round(float(WeightedKappa()(y_true, [[0.2, 0.2, 0.6], [0.2, 0.8, 0.0]])), 4)
    -0.4055

    Paper: de la Torre, Puig and Valls, "Weighted kappa loss function for multi-class
    classification of ordinal data in deep learning", 2018.
    https://doi.org/10.1016/j.patrec.2017.05.018
    """

    uses_mask = True

    def __init__(
        self,
        num_classes: int | None = None,
        weightage: str = "quadratic",
        epsilon: float = 1e-6,
        reduction: str | None = "sum_over_batch_size",
        name: str = "weighted_kappa",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if num_classes is not None:
            num_classes = positive_integer(num_classes, "num_classes")
        if epsilon <= 0:
            raise ValueError(f"`epsilon` must be above 0. Received: epsilon={epsilon}")
        self.num_classes = num_classes
        self.weightage = one_of(weightage, ("quadratic", "linear"), "weightage")
        self.epsilon = python_number(epsilon)

    def call(self, y_true, y_pred, mask=None):
        y_true, y_pred = _pair(y_true, y_pred)
        C = y_pred.shape[-1]
        if self.num_classes not in (None, C):
            expected = f"must have {self.num_classes} classes on the last axis"
            _refuse_shapes(y_true, y_pred, expected)
        if mask is not None:
            is_kept = ops.broadcast_to(_per_value(mask, y_pred), ops.shape(y_pred))
            nothing = ops.zeros_like(y_pred)
            y_true = ops.where(is_kept, y_true, nothing)
            y_pred = ops.where(is_kept, y_pred, nothing)
        y_true, y_pred = _wide(y_true), _wide(y_pred)
        y_true = ops.reshape(y_true, (-1, C))  # N, C
        y_pred = ops.reshape(y_pred, (-1, C))

        classes = ops.arange(C, dtype=y_pred.dtype)
        apart = ops.expand_dims(classes, 1) - classes
        w = ops.abs(apart) if self.weightage == "linear" else ops.square(apart)
        true = ops.sum(y_true, axis=0)
        pred = ops.sum(y_pred, axis=0)
        samples = ops.sum(y_true)
        observed = ops.sum(ops.matmul(y_true, w) * y_pred)
        expected = ops.divide_no_nan(ops.sum(ops.matmul(true, w) * pred), samples)
        error = ops.divide_no_nan(observed, expected)  # 1 - kappa
        loss = ops.log(error + self.epsilon)
        return ops.cast(loss, self.dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "weightage": self.weightage,
            "epsilon": self.epsilon,
        }
