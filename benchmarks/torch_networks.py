"""The networks of recipes in PyTorch, as fast as PyTorch's own parts make them.

Each function has the name of a recipe. It returns a training step: of the same layers,
sizes and batch, on random data, with the optimizer that it is given.
"""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import THREADS, Step

Optimizer = Callable[..., torch.optim.Optimizer]  # makes one from parameters


def adamw(parameters: Any) -> torch.optim.Optimizer:
    """AdamW in one pass over each weight, the fastest form that PyTorch has."""
    return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=4e-3, fused=True)


def adam(parameters: Any) -> torch.optim.Optimizer:
    """Adam in one pass over each weight, the fastest form that PyTorch has."""
    return torch.optim.Adam(parameters, lr=1e-3, fused=True)


def shakespeare_gpt(
    config: Any, alphabet: int = 65, optimizer: Optimizer = adamw
) -> Step:
    """A training step of the recipe's network; config is the Config of the recipe."""
    network = GPT(alphabet, config.width, config.blocks, config.heads, config.context)
    size = config.batch_size, config.context
    x = torch.randint(alphabet, size)
    y = torch.randint(alphabet, size)
    return training_step(network, optimizer, x, y)


def mnist_cnn(config: Any, optimizer: Optimizer = adam) -> Step:
    """A training step of the recipe's network, without augmentation."""
    network = convnet(config.filters, classes=10)
    x = torch.randint(256, (config.batch_size, 1, 28, 28)).float()
    x = x.to(memory_format=torch.channels_last)
    y = torch.randint(10, (config.batch_size,))
    return training_step(network, optimizer, x, y)


def training_step(
    network: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor
) -> Step:
    """A step that trains the network to answer x with the classes y."""
    torch.set_num_threads(THREADS)
    update = optimizer(network.parameters())

    def step() -> None:
        update.zero_grad()
        scores = network(x)
        loss = F.cross_entropy(scores.flatten(0, -2), y.flatten())
        loss.backward()
        update.step()

    return step


class GPT(nn.Module):
    """Pre-norm blocks of causal self-attention with rotary positions."""

    def __init__(
        self, alphabet: int, width: int, blocks: int, heads: int, context: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(alphabet, width)
        self.blocks = nn.Sequential(
            *(Block(width, heads, context) for _ in range(blocks))
        )
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, alphabet)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.blocks(4 * self.embedding(tokens))
        return self.logits(self.norm(x))


class Block(nn.Module):
    """Attention and a feed-forward network, each with a residual and a norm."""

    cos: Tensor  # T, d / 2: of the angle at each place
    sin: Tensor

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, 3 * width)  # to Q, K and V at once
        self.output = nn.Linear(width, width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        half = width // heads // 2
        wavelengths = 10_000 ** (torch.arange(half) / half)
        angles = torch.arange(context)[:, None] / wavelengths
        self.register_buffer("cos", torch.cos(angles))
        self.register_buffer("sin", torch.sin(angles))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        wide = F.relu(self.expand(self.norm(x)))
        return x + self.contract(wide)

    def attention(self, x: Tensor) -> Tensor:
        batch, context, width = x.shape
        split = self.projection(x).view(batch, context, 3, self.heads, -1)
        Q, K, V = split.permute(2, 0, 3, 1, 4)  # each is B, heads, T, d
        y = F.scaled_dot_product_attention(
            self.turned(Q),
            self.turned(K),
            V,
            is_causal=True,
        )
        y = y.transpose(1, 2)  # B, T, heads, d
        return self.output(y.reshape(batch, context, width))

    def turned(self, x: Tensor) -> Tensor:
        """x with rotary positions."""
        first, second = x.chunk(2, dim=-1)
        return torch.cat(
            [
                first * self.cos - second * self.sin,
                second * self.cos + first * self.sin,
            ],
            dim=-1,
        )


def convnet(filters: int, classes: int) -> nn.Module:
    """Four blocks of convolution, batch normalization and ReLU; two with pooling."""
    sizes = [1, filters, 2 * filters, 3 * filters, 6 * filters]
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(itertools.pairwise(sizes)):
        layers.append(nn.Conv2d(before, after, 3, bias=False))
        if number % 2 == 0:
            layers.append(nn.MaxPool2d(2))
        layers += [
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    layers += [
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(sizes[-1], classes),
    ]
    network: Any = nn.Sequential(*layers)  # of its `to`, the types lack this form
    return network.to(memory_format=torch.channels_last)
