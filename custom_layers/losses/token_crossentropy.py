"""Cross-entropy over the tokens of a sequence, in which padding does not count."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TokenCrossentropy(keras.losses.Loss):
    """Mean surprise at the tokens that are there; padding, number 0, counts nothing.

    loss = sum_t (1 - e) * -log(p_t[y_t]) + e * mean_v(-log(p_t[v])), over y_t != 0
           / number of y_t != 0                            e = label_smoothing

    Paper: Szegedy et al., "Rethinking the Inception architecture for computer vision",
    2016, on label smoothing. https://arxiv.org/abs/1512.00567
    """

    def __init__(self, label_smoothing=0.0, name="token_crossentropy", **kwargs):
        super().__init__(name, reduction="sum", **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        e, z = self.label_smoothing, ops.cast(y_pred, "float32")
        y = ops.one_hot(y_true, z.shape[-1], dtype=z.dtype) * (1 - e)
        y = y + e / z.shape[-1]
        surprise = ops.logsumexp(z, axis=-1) - ops.sum(y * z, axis=-1)  # B, T
        there = ops.cast(ops.not_equal(y_true, 0), surprise.dtype)
        return surprise * there / ops.maximum(ops.sum(there), 1)

    def get_config(self):
        return {"label_smoothing": self.label_smoothing, "name": self.name}
