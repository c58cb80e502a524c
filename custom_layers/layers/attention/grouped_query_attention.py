"""Grouped-query attention: several query heads share one head of keys and values."""

import keras

from .multi_head_attention import _HeadAttention, _positive


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GroupQueryAttention(_HeadAttention):
    """Multi-head attention whose query heads share the key and value heads in groups.

    Q = query Wq + bq has num_query_heads heads; K = key Wk + bk and V = value Wv + bv
    have num_key_value_heads, each of them repeated for the query heads of its group;
    y = concat over query heads(softmax(Q K^T / sqrt(head_dim)) V) Wo + bo

    Args:
        head_dim: features of a head of Q, K and V.
        num_query_heads, num_key_value_heads: the second divides the first; 1 is
            multi-query attention, as many as query heads is multi-head attention.
        dropout, use_bias, sliding_window, flash_attention, use_gate, seed, kernel_*,
            bias_*: see `MultiHeadAttention`.
        activity_regularizer: of every projection, and of y once more.

    Call: layer(query, value, key=value, query_mask, value_mask, key_mask,
    attention_mask (B, T, S), return_attention_scores, use_causal_mask).
    Input shapes: (B, T, D), (B, S, D), (B, S, Dk). Output shape: (B, T, D).
    Raises: ValueError for sizes that are no positive integers or do not divide.
    Differs from Keras: beyond 128 tokens a row without any allowed key averages
    over fewer keys than all.

    >>> layer = GroupQueryAttention(4, num_query_heads=4, num_key_value_heads=2)
    >>> layer(keras.ops.ones((2, 5, 8)), keras.ops.ones((2, 3, 8))).shape
    TensorShape([2, 5, 8])

    Paper: Ainslie et al., "GQA: training generalized multi-query transformer models
    from multi-head checkpoints", 2023. https://arxiv.org/abs/2305.13245
    """

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = _positive("head_dim", head_dim)
        self.num_query_heads = _positive("num_query_heads", num_query_heads)
        self.num_key_value_heads = _positive("num_key_value_heads", num_key_value_heads)
        self._set_heads(num_query_heads, num_key_value_heads, head_dim, head_dim)
        self._set_attention(
            dropout, use_bias, use_gate, sliding_window, flash_attention, seed
        )
        initializers = kernel_initializer, bias_initializer
        regularizers = kernel_regularizer, bias_regularizer, activity_regularizer
        constraints = kernel_constraint, bias_constraint
        self._set_projections(initializers, regularizers, constraints)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal. "
                f"Received: query_shape={query_shape}, value_shape={value_shape}"
            )
        return super().compute_output_shape(query_shape, value_shape, key_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
