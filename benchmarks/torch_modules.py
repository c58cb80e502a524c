"""Modules of PyTorch that a person would write where it has none of that name."""

import typing
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Tensor], **options: typing.Any) -> None:
        super().__init__()
        self.function = function
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, **self.options)


class LastOutput(nn.Module):
    """A recurrent module that returns its last output, or all of them."""

    def __init__(self, module: nn.Module, return_sequences: bool) -> None:
        super().__init__()
        self.module = module
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:
        outputs, _ = self.module(x)
        return outputs if self.return_sequences else outputs[:, -1]


class DotProductAttention(nn.Module):
    """Dot-product attention whose scores have a factor that is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(
            self.scale * query, value, value, scale=1.0
        )


class GroupedAttention(nn.Module):
    """Multi-head attention in which several queries share a key and a value."""

    def __init__(self, width: int, heads: int, key_heads: int, size: int) -> None:
        super().__init__()
        self.heads, self.key_heads = heads, key_heads
        self.query = nn.Linear(width, heads * size)
        self.key = nn.Linear(width, key_heads * size)
        self.value = nn.Linear(width, key_heads * size)
        self.output = nn.Linear(heads * size, width)

    def forward(
        self, query: Tensor, value: Tensor, use_causal_mask: bool = False
    ) -> Tensor:
        Q = self.query(query).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        K = self.key(value).unflatten(-1, (self.key_heads, -1)).transpose(1, 2)
        V = self.value(value).unflatten(-1, (self.key_heads, -1)).transpose(1, 2)
        y = F.scaled_dot_product_attention(
            Q, K, V, is_causal=use_causal_mask, enable_gqa=self.heads > self.key_heads
        )
        return self.output(y.transpose(1, 2).flatten(2))


class MultiHeadAttention(GroupedAttention):
    """Multi-head attention: each head has keys and values of its own."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads, heads, width // heads)
