"""Reversible embedding: one table makes vectors of tokens and logits of vectors."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.initial_values import fresh
from ..common.private_keras import set_mask
from ..common.types import Config, Constraint, Initializer, Regularizer, Shape
from .embedding import Embedding


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ReversibleEmbedding(Embedding):
    """Embedding that also works in reverse: its table turns vectors into logits.

    y = E[x];  in reverse, logits = x E^T, or c tanh(x E^T / c) with a soft cap c

    The input and the output of a language model so share their weights, which are most
    of a small model's, and a token's vector learns from both uses.

    Args:
        input_dim, output_dim: number of tokens V, and length D of each vector.
        tie_weights: whether E^T gives the logits; a weight of its own otherwise.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: start
            values of E, a penalty on it, its projection after each step.
        mask_zero: whether 0 is padding; later layers then receive the mask x != 0.
        reverse_dtype: dtype of the logits and their product; the layer's by default.
        logit_soft_cap: bound c of the logits; None for no bound.
        weights: see `Embedding`.

    Call: layer(tokens), or layer(vectors, reverse=True).
    Input shape: any, of integers; in reverse (..., D).
    Output shape: (..., D); in reverse (..., V).
    Raises: ValueError as `Embedding`, and for a logit_soft_cap that is not positive.
    Differs from Keras: vectors keep their mask in reverse, so that a loss leaves
        padding out; the logits have the dtype that a model is promised; without
        tied weights, the two tables start with different values; no quantization.

    The vector of token 1 gives this token the highest logit:

    >>> E = keras.ops.array([[0.0, 1.0], [2.0, 2.0], [1.0, -1.0]])
    >>> layer = ReversibleEmbedding(3, 2, weights=E)
    >>> layer(layer(keras.ops.array([1])), reverse=True).numpy().tolist()
    [[2.0, 8.0, 0.0]]

    Papers: Press, Wolf, "Using the output embedding to improve language models", 2017,
    https://arxiv.org/abs/1608.05859; the cap: Gemma team, "Gemma 2: improving open
    language models at a practical size", 2024. https://arxiv.org/abs/2408.00118
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Initializer = "uniform",
        embeddings_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        weights = kwargs.pop("weights", None)
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = python_number(logit_soft_cap)
        if logit_soft_cap is not None and not self.logit_soft_cap > 0:
            raise ValueError(
                "The `logit_soft_cap` argument must be a positive number or None. "
                f"Received: logit_soft_cap={logit_soft_cap}"
            )
        self.supports_masking = True
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=fresh(self.embeddings_initializer),
            )

    def call(self, inputs, reverse: bool = False):
        if reverse:
            return self._logits(inputs)
        y = super().call(inputs)
        if self.mask_zero:
            set_mask(y, super().compute_mask(inputs))
        return y

    def _logits(self, x):
        E = self.embeddings
        transposed = ops.transpose(E) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(x, dtype), ops.cast(transposed, dtype))
        c = self.logit_soft_cap
        return logits if c is None else c * ops.tanh(logits / c)

    def compute_mask(self, inputs, mask=None):
        """That of tokens, which are integers; vectors keep the mask that they have."""
        is_reverse = keras.backend.is_float_dtype(inputs.dtype)
        return mask if is_reverse else super().compute_mask(inputs)

    def compute_output_shape(self, input_shape: Shape, reverse: bool = False) -> Shape:
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def compute_output_spec(self, inputs, reverse: bool = False) -> keras.KerasTensor:
        if not reverse:
            return super().compute_output_spec(inputs)
        shape = self.compute_output_shape(inputs.shape, reverse=True)
        return keras.KerasTensor(shape, dtype=self.reverse_dtype or self.compute_dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
