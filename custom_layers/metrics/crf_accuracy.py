"""Accuracy of a conditional random field, from the potentials that a `CRF` makes."""

import keras
from keras import ops

from ..common.types import Config, DType
from ..layers.crf import _is_tagged, viterbi
from ..losses.base import _integers, _per_value


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CRFAccuracy(keras.metrics.Metric):
    """Share of the steps at which the best tagging has the true tag.

    accuracy = number of steps t with viterbi(psi)[t] == y[t] / number of steps

    Masked steps are left out.

    Args:
        name: name of the metric.
        dtype: dtype of the counts; None means Keras's default.

    Call arguments of `update_state`: y_true, integer tags (B, T), which may be anything
        at masked steps; y_pred, the output of a `CRF`, (B, T, N, N); sample_weight,
        (B,) or (B, T).
    Result: scalar, the share over all batches; 0 before the first update.
    Differs from Keras: Keras has no such metric. Its "accuracy" takes the potentials
    for probabilities of classes.

    >>> from custom_layers.layers import CRF
    >>> metric = CRFAccuracy()
    >>> psi = CRF()(keras.ops.array([[[0.0, 3.0], [2.0, 1.0]]]))  # best tags: 1, 0
    >>> metric.update_state([[1, 1]], psi)
    >>> float(metric.result())
    0.5

    Paper: Viterbi, "Error bounds for convolutional codes and an asymptotically optimum
    decoding algorithm", 1967. https://doi.org/10.1109/TIT.1967.1054010
    """

    def __init__(self, name: str = "crf_accuracy", dtype: DType = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.right = self.add_variable(
            shape=(),
            initializer="zeros",
            name="right",
        )
        self.total = self.add_variable(
            shape=(),
            initializer="zeros",
            name="total",
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        psi = ops.convert_to_tensor(y_pred)
        y = _integers(y_true, "y_true")
        best = viterbi(psi)
        is_right = ops.equal(best, ops.cast(y, "int32"))
        is_right = ops.cast(is_right, self.dtype)
        weight = ops.cast(_is_tagged(psi), self.dtype)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            weight = weight * _per_value(sample_weight, weight)
        self.right.assign_add(ops.sum(weight * is_right))
        self.total.assign_add(ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(self.right, self.total)

    def get_config(self) -> Config:
        return {
            "name": self.name,
            "dtype": self.dtype,
        }
