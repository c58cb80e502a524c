"""Dot-product attention of a query over values, as Luong has it."""

from typing import Any

import keras
from keras import ops

from ...common.checks import minus_infinity, python_number
from ...common.inputs import as_booleans, as_floats
from ...common.types import Config, Seed
from .scaled_dot_product import _softmax_over_keys


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Attention(keras.layers.Layer):
    """Dot-product attention: each query is answered by a weighted mean of values.

    S = scale * query key^T                                       (score_mode "dot")
    S = concat_score_weight * sum(tanh(scale * (query + key)))    ("concat")
    P = softmax(S), where masked values get the weight 0;  y = P value

    Args:
        use_scale: whether the scalar `scale` is trained; it is 1 otherwise.
        score_mode: "dot" or "concat".
        dropout: rate at which entries of P are dropped in training.
        seed: seed of the dropout.

    Call: layer([query, value] or [query, value, key], mask=[query_mask, value_mask],
    return_attention_scores=False, use_causal_mask=False); key is value by default.
    Input shapes: (B, Tq, D), (B, Tv, E), (B, Tv, D). Output shape: (B, Tq, E); y is 0
    where query_mask is False. With scores, also P: (B, Tq, Tv).
    Raises: ValueError for another score_mode, and for inputs that are not a list of two
    or three tensors.
    Differs from Keras: the softmax is computed in float32 at least.

    >>> key = keras.ops.array([[[9.0, 0.0], [0.0, 9.0]]])
    >>> value = keras.ops.array([[[1.0], [2.0]]])
    >>> query = keras.ops.array([[[0.0, 9.0], [1.0, 1.0]]])
    >>> y = Attention()([query, value, key])
    >>> y.numpy().tolist()  # like the second key; halfway between both
    [[[2.0], [1.5]]]

    Paper: Luong et al., "Effective approaches to attention-based neural machine
    translation", 2015. https://arxiv.org/abs/1508.04025
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. "
                "Expected one of {'dot', 'concat'}. "
                f"Received: score_mode={score_mode}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = python_number(dropout)
        self.seed = python_number(seed)
        self.scale = None
        self.concat_score_weight = None
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: list) -> None:
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def call(
        self,
        inputs,
        mask=None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ):
        self._check(inputs, mask)
        inputs = as_floats(inputs, self.compute_dtype)
        query, value, key = inputs[0], inputs[1], inputs[-1]
        query_mask, value_mask = map(as_booleans, mask[:2] if mask else (None, None))
        S = self._calculate_scores(query, key if len(inputs) > 2 else value)
        allowed = self._calculate_score_mask(S, value_mask, use_causal_mask)
        P = ops.cast(_softmax_over(S, allowed), value.dtype)
        if training and self.dropout > 0:
            P = keras.random.dropout(P, self.dropout, seed=self.seed_generator)
        y = ops.matmul(P, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(query_mask, -1), y, 0)
        return (y, P) if return_attention_scores else y

    # Keras's own unit tests call the next two methods, so they have Keras's names.

    def _calculate_scores(self, query, key):
        """S (B, Tq, Tv)."""
        if self.score_mode == "dot":
            S = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return S if self.scale is None else S * self.scale
        sums = _every_pair(query, key)
        if self.scale is not None:
            sums = sums * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(sums), axis=-1)

    def _calculate_score_mask(self, scores, v_mask, use_causal_mask):
        """The values that each query may see: (B, Tv), (B, Tq, Tv), or None for all."""
        if not use_causal_mask:
            return v_mask
        Tq, Tv = ops.shape(scores)[-2:]
        allowed = ops.arange(Tq)[None, :, None] >= ops.arange(Tv)
        if v_mask is None:
            return allowed
        return ops.logical_and(allowed, ops.expand_dims(v_mask, -2))

    def compute_mask(self, inputs, mask=None):
        self._check(inputs, mask)
        if mask is None or mask[0] is None:
            return None
        return as_booleans(mask[0])

    def compute_output_shape(self, input_shape: list) -> tuple:
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores: bool = False, **kwargs: Any
    ):
        self._check(inputs, mask)
        shape = self.compute_output_shape([x.shape for x in inputs])
        y = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return y
        shape = (*inputs[0].shape[:-1], inputs[-1].shape[-2])
        return y, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def _check(self, inputs, mask=None):
        name = type(self).__name__
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} layer must be called on a list of inputs, namely "
                f"[query, value] or [query, value, key]. Received: inputs={inputs}."
            )
        if not 2 <= len(inputs) <= 3:
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, namely "
                f"[query, value] or [query, value, key]. Received: {len(inputs)}."
            )
        if mask is not None and not isinstance(mask, list):
            raise ValueError(
                f"{name} layer mask must be a list, namely "
                f"[query_mask, value_mask]. Received: mask={mask}."
            )
        if mask is not None and not 2 <= len(mask) <= 3:
            raise ValueError(
                f"{name} layer accepts mask list of length 2 or 3. Received: {mask}."
            )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _softmax_over(S, allowed):
    """softmax(S) over the allowed values, (B, Tv) or (B, Tq, Tv), in float32 at least.

    A score that is not allowed is lowered, not replaced: like Keras, a query without
    any allowed value weighs all of them as it would without a mask.
    """
    S = ops.cast(S, keras.backend.result_type(S.dtype, "float32"))
    if allowed is not None:
        if len(allowed.shape) == 2:
            allowed = ops.expand_dims(allowed, -2)
        S = ops.where(allowed, S, S + minus_infinity(S.dtype))
    return _softmax_over_keys(S)


def _every_pair(query, key):
    """query_i + key_j: (B, Tq, D), (B, Tv, D) -> (B, Tq, Tv, D)."""
    return ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
