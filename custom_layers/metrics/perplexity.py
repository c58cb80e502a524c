"""Perplexity of a language model."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _weights


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Perplexity(keras.metrics.Metric):
    """Perplexity: between how many equally likely tokens a language model wavers.

    perplexity = exp(sum over tokens of -log(p of the true token) / number of tokens)

    Args:
        from_logits: whether y_pred holds logits instead of probabilities.
        mask_token_id: a token that does not count, such as 0 for padding; None counts
            all.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true, integer tokens (B, T); y_pred
        (B, T, V); sample_weight (B,) or (B, T). What the mask of y_pred hides does not
        count.
    Result: scalar of at least 1, over the tokens of all batches; 0 before the first
        update.
    Differs from Keras: Keras has no such metric; it is that of KerasHub.

    >>> metric = Perplexity()
    >>> metric.update_state([[1, 0]], [[[0.5, 0.5], [0.125, 0.875]]])
    >>> round(float(metric.result()), 4)  # the geometric mean of 2 and 8
    4.0

    Paper: Jelinek, Mercer, Bahl and Baker, "Perplexity, a measure of the difficulty of
    speech recognition tasks", 1977. https://doi.org/10.1121/1.2016299
    """

    def __init__(
        self,
        from_logits: bool = False,
        mask_token_id: int | None = None,
        name: str = "perplexity",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = python_number(from_logits)
        self.mask_token_id = python_number(mask_token_id)
        self.surprise = self.add_variable(
            shape=(), initializer="zeros", name="surprise"
        )
        self.tokens = self.add_variable(shape=(), initializer="zeros", name="tokens")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.cast(ops.convert_to_tensor(y_true), "int32")
        z = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(y), self.dtype)
        if self.mask_token_id is not None:
            is_token = ops.not_equal(y, self.mask_token_id)
            weight = weight * ops.cast(is_token, self.dtype)
        if not self.from_logits:
            z = ops.log(ops.clip(z, keras.config.epsilon(), 1))
        is_truth = ops.one_hot(y, z.shape[-1], dtype="bool")
        of_truth = ops.sum(ops.where(is_truth, z, ops.zeros_like(z)), axis=-1)
        surprise = ops.logsumexp(z, axis=-1) - of_truth
        surprise = ops.where(weight > 0, surprise, ops.zeros_like(surprise))
        self.surprise.assign_add(ops.sum(weight * surprise))
        self.tokens.assign_add(ops.sum(weight))

    def result(self):
        mean = ops.divide_no_nan(self.surprise, self.tokens)
        return ops.where(self.tokens > 0, ops.exp(mean), ops.zeros_like(mean))

    def get_config(self) -> Config:
        return {
            "from_logits": self.from_logits,
            "mask_token_id": self.mask_token_id,
            "name": self.name,
            "dtype": self.dtype,
        }
