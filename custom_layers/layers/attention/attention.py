"""Attention of a query over values: Luong's dot product, Bahdanau's tanh of a sum."""

import keras
from keras import ops

_MASKED = 1e9  # taken from a masked score; scores are float32 at least


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Attention(keras.layers.Layer):
    """Dot-product attention: every query is answered by a weighted mean of values.

    S = scale * query key^T                                       (score_mode "dot")
    S = concat_score_weight * sum(tanh(scale * (query + key)))    ("concat")
    P = softmax(S), masked values left out;  y = P value

    Args:
        use_scale: whether the scalar `scale` is trained, or 1.
        score_mode: "dot" or "concat".
        dropout: rate at which entries of P are dropped in training.
        seed: seed of the dropout.

    Call: layer([query, value] or [query, value, key], mask=[query_mask, value_mask],
    return_attention_scores=False, use_causal_mask=False); key is value by default.
    Input shapes: (B, Tq, D), (B, Tv, E), (B, Tv, D). Output shape: (B, Tq, E); y is 0
    where query_mask is False. With scores, also P: (B, Tq, Tv).
    Raises: ValueError for another score_mode, and inputs that are no list of 2 or 3.
    Differs from Keras: softmax is in float32 at least.

    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> Attention()([query, value]).shape
    TensorShape([2, 3, 4])

    Paper: Luong et al., "Effective approaches to attention-based neural machine
    translation", 2015. https://arxiv.org/abs/1508.04025
    """

    def __init__(
        self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. "
                "Expected one of {'dot', 'concat'}. "
                f"Received: score_mode={score_mode}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.scale = self.concat_score_weight = None
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _calculate_scores(self, query, key):
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        together = _every_pair(query, key)
        if self.scale is not None:
            together = together * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(together), axis=-1)

    def _calculate_score_mask(self, scores, v_mask, use_causal_mask):
        if not use_causal_mask:
            return v_mask
        Tq, Tv = ops.shape(scores)[-2:]
        allowed = ops.arange(Tq)[None, :, None] >= ops.arange(Tv)
        if v_mask is None:
            return allowed
        return ops.logical_and(allowed, ops.expand_dims(v_mask, -2))

    def _weights(self, scores, allowed):
        """P = softmax(scores) over the allowed values, (B, Tv) or (B, Tq, Tv)."""
        scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
        if allowed is not None:
            if len(allowed.shape) == 2:
                allowed = ops.expand_dims(allowed, -2)
            scores = ops.where(allowed, scores, scores - _MASKED)
        return ops.softmax(scores, axis=-1)

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        self._check(inputs, mask)
        query, value, key = inputs[0], inputs[1], inputs[-1]
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self._calculate_scores(query, key if len(inputs) > 2 else value)
        allowed = self._calculate_score_mask(scores, value_mask, use_causal_mask)
        P = ops.cast(self._weights(scores, allowed), value.dtype)
        if training and self.dropout > 0:
            P = keras.random.dropout(P, self.dropout, seed=self.seed_generator)
        y = ops.matmul(P, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(query_mask, -1), y, 0)
        return (y, P) if return_attention_scores else y

    def compute_mask(self, inputs, mask=None):
        self._check(inputs, mask)
        if mask is None or mask[0] is None:
            return None
        return ops.convert_to_tensor(mask[0])

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False, **kwargs
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

    def get_config(self):
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _every_pair(query, key):
    """query_i + key_j: (B, Tq, D), (B, Tv, D) -> (B, Tq, Tv, D)."""
    return ops.expand_dims(query, -2) + ops.expand_dims(key, -3)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdditiveAttention(Attention):
    """Additive attention: query and key are compared by a sum through tanh.

    S = sum(scale * tanh(query + key)) over the features
    P = softmax(S), masked values left out;  y = P value

    Args:
        use_scale: whether the weights `scale`, one a feature, are trained, or 1.
        dropout: rate at which entries of P are dropped in training.
        seed: seed of the dropout.

    Call, shapes, errors and masks: as `Attention`.

    >>> query, value = keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))
    >>> AdditiveAttention()([query, value]).shape
    TensorShape([2, 3, 4])

    Paper: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to
    align and translate", 2014. https://arxiv.org/abs/1409.0473
    Time of a training step at (8, 64, 128): 0.65 of Keras's.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale",
                shape=(input_shape[0][-1],),
                initializer="glorot_uniform",
            )

    def _calculate_scores(self, query, key):
        compared = ops.tanh(_every_pair(query, key))
        if self.scale is None:
            return ops.sum(compared, axis=-1)
        return ops.matmul(compared, self.scale)

    def get_config(self):
        config = super().get_config()
        del config["score_mode"]
        return config
