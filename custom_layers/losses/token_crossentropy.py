"""Cross-entropy over the tokens of a sequence, in which padding does not count."""

import keras
from keras import ops

from ..common.types import Config, DType
from .base import _differ, _Loss, _refuse_shapes, _tensor, _wide
from .crossentropy import _share


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TokenCrossentropy(_Loss):
    """Cross-entropy of a sequence model, averaged over all tokens but the padding.

    loss = mean over the tokens with y != 0 of
           (1 - e) * -log(p[y]) + e * mean over the vocabulary v of -log(p[v])
    p = softmax(y_pred), e = label_smoothing

    Token 0 is padding. The mean is over the tokens of the whole batch, so a longer
    sequence weighs more, and how far a batch is padded does not matter.

    Args:
        label_smoothing: share e of the truth, in [0, 1], that is spread evenly over
            the vocabulary.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default. It must be able to
            hold every token, as Keras casts y_true to it.

    Shapes: y_true (B, T) of integer tokens, y_pred (B, T, V) of logits -> scalar. A
        batch of padding alone has loss 0.
    Raises: ValueError for other shapes and for label_smoothing outside [0, 1].
    Differs from Keras: Keras has no such loss; its SparseCategoricalCrossentropy with
    ignore_class=0 lacks label smoothing.

    >>> loss = TokenCrossentropy()
    >>> round(float(loss([[1, 0]], [[[0.0, 0.0], [9.0, 0.0]]])), 4)
    0.6931

    Paper: Szegedy et al., "Rethinking the Inception architecture for computer vision",
    2016, on label smoothing. https://arxiv.org/abs/1512.00567
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        name: str = "token_crossentropy",
        dtype: DType = None,
    ) -> None:
        # `call` divides by the number of tokens, so the reduction is a plain sum.
        super().__init__(name, reduction="sum", dtype=dtype)
        self.label_smoothing = _share(label_smoothing)

    def call(self, y_true, y_pred):
        y = _tensor(y_true, "y_true", "int32")
        z = _wide(_tensor(y_pred, "y_pred"))
        if len(z.shape) != 3 or _differ(y.shape, z.shape[:-1]):
            _refuse_shapes(y, z, "must have the shapes (B, T) and (B, T, V)")
        e, vocabulary = self.label_smoothing, z.shape[-1]
        truth = ops.one_hot(y, vocabulary, dtype=z.dtype) * (1 - e)
        truth = truth + e / vocabulary
        surprise = ops.logsumexp(z, axis=-1) - ops.sum(truth * z, axis=-1)  # B, T
        is_token = ops.cast(ops.not_equal(y, 0), z.dtype)
        return surprise * is_token / ops.maximum(ops.sum(is_token), 1)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["reduction"]
        return {**config, "label_smoothing": self.label_smoothing}
