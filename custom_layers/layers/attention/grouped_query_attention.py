"""Grouped-query attention: several query heads share one head of keys and values."""

from typing import Any

import keras

from ...common.checks import positive_integer
from ...common.types import Config, Constraint, Initializer, Regularizer, Seed
from .base import _HeadAttention


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GroupQueryAttention(_HeadAttention):
    """Multi-head attention whose query heads share the key and value heads in groups.

    Q = query Wq + bq has num_query_heads heads; K = key Wk + bk and V = value Wv + bv
    have num_key_value_heads, each of which is repeated for the query heads of its group
    y = concat over query heads(softmax(Q K^T / sqrt(head_dim)) V) Wo + bo

    Args:
        head_dim: features of a head of Q, K and V.
        num_query_heads, num_key_value_heads: the second divides the first; 1 is
            multi-query attention, as many as query heads is multi-head attention.
        dropout, use_bias, sliding_window, flash_attention, use_gate, seed, kernel_*,
            bias_*: see `MultiHeadAttention`.
        activity_regularizer: penalty on every projection, and on y once more.

    Call: layer(query, value, key=value, query_mask, value_mask, key_mask,
    attention_mask (B, T, S), return_attention_scores, use_causal_mask).
    Input shapes: (B, T, D), (B, S, D), (B, S, Dk). Output shape: (B, T, D).
    Raises: ValueError for sizes that are not positive integers or do not divide.
    Differs from Keras: beyond 128 tokens a query without any allowed key averages
    over fewer keys than all.

    >>> x = keras.ops.ones((1, 5, 8))
    >>> for heads in (4, 2, 1):  # of keys and values; always 4 heads of queries
    ...     layer = GroupQueryAttention(4, num_query_heads=4, num_key_value_heads=heads)
    ...     y = layer(x, x)
    ...     print(layer.count_params())
    568
    424
    352

    Paper: Ainslie et al., "GQA: training generalized multi-query transformer models
    from multi-head checkpoints", 2023. https://arxiv.org/abs/2305.13245
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        use_gate: bool = False,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        head_dim = positive_integer(head_dim, "head_dim")
        heads = positive_integer(num_query_heads, "num_query_heads")
        key_value_heads = positive_integer(num_key_value_heads, "num_key_value_heads")
        super().__init__(
            heads=heads,
            key_value_heads=key_value_heads,
            key_features=head_dim,
            value_features=head_dim,
            dropout=dropout,
            use_bias=use_bias,
            use_gate=use_gate,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            projection_activity_regularizer=activity_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            seed=seed,
            **kwargs,
        )
        self.head_dim = head_dim
        self.num_query_heads = heads
        self.num_key_value_heads = key_value_heads

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None
    ) -> tuple:
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal. "
                f"Received: query_shape={query_shape}, value_shape={value_shape}"
            )
        return super().compute_output_shape(query_shape, value_shape, key_shape)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
