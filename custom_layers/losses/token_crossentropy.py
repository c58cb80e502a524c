"""Cross-entropy over the tokens of a sequence, in which padding does not count."""

import keras
from keras import ops

from ..common.types import Config, DType
from .base import _differ, _integers, _Loss, _refuse_shapes, _tensor, _wide
from .crossentropy import _share
from .fused import _fuses_crossentropy, _surprise_of_labels


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TokenCrossentropy(_Loss):
    """Cross-entropy of a sequence model, averaged over all tokens but the padding.

    loss = mean over the tokens with y > 0 of
           (1 - e) * -log(p[y]) + e * mean over the vocabulary v of -log(p[v])
    p = softmax(y_pred), e = label_smoothing

    Token 0 is padding, and so are negative numbers and whatever is masked. The mean is
    over the tokens of the whole batch, so a longer sequence weighs more, and how far a
    batch is padded does not matter.

    Args:
        label_smoothing: share e of the truth, in [0, 1], that is spread evenly over
            the vocabulary.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true (B, T) of integer tokens, y_pred (B, T, V) of logits -> scalar. A
        batch of padding alone has loss 0. A token of V or more gives NaN.
    Raises: ValueError for other shapes and for label_smoothing outside [0, 1].
    Differs from Keras: Keras has no such loss; its SparseCategoricalCrossentropy with
    ignore_class=0 lacks label smoothing.

    >>> loss = TokenCrossentropy()
    >>> round(float(loss([[1, 0]], [[[0.0, 0.0], [9.0, 0.0]]])), 4)
    0.6931

    Paper: Szegedy et al., "Rethinking the Inception architecture for computer vision",
    2016, on label smoothing. https://arxiv.org/abs/1512.00567
    """

    uses_mask = True

    def __init__(
        self,
        label_smoothing: float = 0.0,
        name: str = "token_crossentropy",
        dtype: DType = None,
    ) -> None:
        # `call` divides by the number of tokens, so the reduction is a plain sum.
        super().__init__(name, reduction="sum", dtype=dtype)
        self.label_smoothing = _share(label_smoothing)

    def call(self, y_true, y_pred, mask=None):
        y = _integers(y_true, "y_true")
        z = _wide(_tensor(y_pred, "y_pred"))
        if len(z.shape) != 3 or _differ(y.shape, z.shape[:-1]):
            _refuse_shapes(y, z, "must have the shapes (B, T) and (B, T, V)")
        e, vocabulary = self.label_smoothing, z.shape[-1]
        is_token = y > 0
        if mask is not None:
            if _differ(mask.shape, y.shape):
                _refuse_shapes(y, z, f"do not fit the mask of shape {mask.shape}")
            is_token = ops.logical_and(is_token, mask)
        y = ops.where(is_token, y, 0)
        is_known = y < vocabulary
        y = ops.where(is_known, y, 0)
        if _fuses_crossentropy(z):
            surprise = _surprise_of_labels(z, y, e)
        else:
            truth = ops.one_hot(y, vocabulary, dtype=z.dtype) * (1 - e)
            truth = truth + e / vocabulary
            surprise = ops.logsumexp(z, axis=-1) - ops.sum(truth * z, axis=-1)  # B, T
        surprise = ops.where(is_known, surprise, float("nan"))
        surprise = ops.where(is_token, surprise, 0.0)

        is_token = ops.cast(is_token, z.dtype)
        tokens = ops.sum(is_token)
        return surprise / ops.maximum(tokens, 1)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["reduction"]
        return {**config, "label_smoothing": self.label_smoothing}
