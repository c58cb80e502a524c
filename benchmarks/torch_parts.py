"""Counterparts in PyTorch of the components, as a table.

A row says how the counterpart is made from the arguments of the case, in which order it
takes the axes, and how it gets the weights of ours. `torch_rivals.difference` checks
every row: both give outputs of one shape and, with the same weights, the same numbers.
"""

import dataclasses
import functools
import typing
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.cases import Arguments
from benchmarks.torch_modules import (
    DotProductAttention,
    GroupedAttention,
    LastOutput,
    MultiHeadAttention,
    Of,
)

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Part:
    """The counterpart of a layer in PyTorch.

    Attributes:
        make: make(arguments of the case, shape of the first input) -> module.
        weights: our weights, as tensors, in the order and form of its parameters and
            then of its buffers; None where they cannot be copied.
        channels_first: whether the axis of the channels is the second one there.
        equal: whether outputs are the same; those of random layers are not.
    """

    make: Callable[[Arguments, Shape], nn.Module]
    weights: Callable[..., list[Tensor]] | None = None
    channels_first: bool = False
    equal: bool = True


image = functools.partial(Part, channels_first=True)
random = functools.partial(Part, equal=False)


def _conv(kernel: Tensor, bias: Tensor) -> list[Tensor]:
    """A kernel (*size, in, out) becomes (out, in, *size).

    That of a transposed convolution, (*size, out, in), becomes (in, out, *size).
    """
    return [_turned(kernel, -1, -2), bias]


def _turned(kernel: Tensor, *last: int) -> Tensor:
    """The axes named by `last` first, then those of the kernel's size."""
    axes = [axis % kernel.ndim for axis in last]
    return kernel.permute(*axes, *range(kernel.ndim - 2))


def _depthwise(kernel: Tensor, *bias: Tensor) -> list[Tensor]:
    """A kernel (*size, in, 1) becomes (in, 1, *size)."""
    return [_turned(kernel, -2, -1), *bias]


def _separable(depthwise: Tensor, pointwise: Tensor, bias: Tensor) -> list[Tensor]:
    return [*_depthwise(depthwise), *_conv(pointwise, bias)]


def _linear(kernel: Tensor, bias: Tensor) -> list[Tensor]:
    return [kernel.T, bias]


def _recurrent(kernel: Tensor, recurrent: Tensor, bias: Tensor) -> list[Tensor]:
    """PyTorch has a second bias, which only the GRU of Keras has too."""
    if bias.ndim == 2:
        (z, r, h), (z_r, r_r, h_r) = (part.chunk(3) for part in bias)
        biases = torch.cat([r, z, h]), torch.cat([r_r, z_r, h_r])
        kernel, recurrent = _reset_first(kernel), _reset_first(recurrent)
        return [kernel.T, recurrent.T, *biases]
    return [kernel.T, recurrent.T, bias, torch.zeros_like(bias)]


def _reset_first(kernel: Tensor) -> Tensor:
    """Our gates are update, reset, candidate; those of PyTorch begin with reset."""
    z, r, h = kernel.chunk(3, dim=1)
    return torch.cat([r, z, h], dim=1)


def _same(*weights: Tensor) -> list[Tensor]:
    return [*weights]


def _flat(*weights: Tensor) -> list[Tensor]:
    return [weight.flatten() for weight in weights]


def _heads(*weights: Tensor) -> list[Tensor]:
    """The kernels (D, H, d) or, of the output, (H, d, D) become matrices."""
    *first, output, bias = weights
    flat = [w.flatten(1).T if w.ndim == 3 else w.flatten() for w in first]
    return [*flat, output.flatten(0, 1).T, bias]


def _convolution(cls: typing.Any, **options: typing.Any) -> Part:
    def make(a: Arguments, shape: Shape) -> nn.Module:
        strides = a.get("strides", 1)
        return cls(shape[-1], a["filters"], a["kernel_size"], strides, **options)

    return image(make, _conv)


def _separated(cls: typing.Any) -> Part:
    def make(a: Arguments, shape: Shape) -> nn.Module:
        channels, size = shape[-1], a["kernel_size"]
        depthwise = cls(channels, channels, size, groups=channels, bias=False)
        return nn.Sequential(depthwise, cls(channels, a["filters"], 1))

    return image(make, _separable)


def _by_depth(cls: typing.Any) -> Part:
    return image(
        lambda a, s: cls(s[-1], s[-1], a["kernel_size"], groups=s[-1]), _depthwise
    )


def _rnn(cls: typing.Any) -> Part:
    def make(a: Arguments, shape: Shape) -> nn.Module:
        module = cls(shape[-1], a["units"], batch_first=True)
        return LastOutput(module, a.get("return_sequences", False))

    return Part(make, _recurrent)


def _over(function: Callable[..., Tensor], **options: typing.Any) -> Part:
    """A function as a part with channels that come second."""
    return image(lambda a, s: Of(function, **options))


# Batch normalization, by the number of axes of its input.
NORMS = {3: nn.BatchNorm1d, 4: nn.BatchNorm2d}

LAYERS: dict[str, Part] = {
    # activations
    "ReLU": Part(lambda a, s: nn.ReLU()),
    "LeakyReLU": Part(lambda a, s: nn.LeakyReLU(0.3)),
    "PReLU": image(lambda a, s: nn.PReLU(s[-1]), _flat),
    "ELU": Part(lambda a, s: nn.ELU()),
    "RReLU": random(lambda a, s: nn.RReLU()),
    "Softmax": Part(lambda a, s: nn.Softmax(-1)),
    # dense
    "Dense": Part(
        lambda a, s: nn.Sequential(nn.Linear(s[-1], a["units"]), nn.ReLU()), _linear
    ),
    "Embedding": Part(
        lambda a, s: nn.Embedding(a["input_dim"], a["output_dim"]), _same
    ),
    "ReversibleEmbedding": Part(
        lambda a, s: nn.Embedding(a["input_dim"], a["output_dim"]), _same
    ),
    "EmbeddingBag": Part(
        lambda a, s: nn.EmbeddingBag(a["input_dim"], a["output_dim"], mode="mean"),
        _same,
    ),
    # convolution
    "Conv1D": image(
        lambda a, s: nn.Sequential(
            nn.ConstantPad1d((a["kernel_size"] - 1, 0), 0),
            nn.Conv1d(s[-1], a["filters"], a["kernel_size"]),
        ),
        _conv,
    ),
    "Conv2D": _convolution(nn.Conv2d),
    "Conv3D": _convolution(nn.Conv3d),
    "Conv1DTranspose": _convolution(nn.ConvTranspose1d),
    "Conv2DTranspose": dataclasses.replace(
        _convolution(nn.ConvTranspose2d, padding=1, output_padding=1),
        equal=False,  # PyTorch cuts off the other border
    ),
    "Conv3DTranspose": _convolution(nn.ConvTranspose3d),
    "DepthwiseConv1D": _by_depth(nn.Conv1d),
    "DepthwiseConv2D": _by_depth(nn.Conv2d),
    "SeparableConv1D": _separated(nn.Conv1d),
    "SeparableConv2D": _separated(nn.Conv2d),
    # pooling
    "AdaptiveAveragePooling1D": image(lambda a, s: nn.AdaptiveAvgPool1d(60)),
    "AdaptiveAveragePooling2D": image(lambda a, s: nn.AdaptiveAvgPool2d(7)),
    "AdaptiveAveragePooling3D": image(lambda a, s: nn.AdaptiveAvgPool3d(6)),
    "AdaptiveMaxPooling1D": image(lambda a, s: nn.AdaptiveMaxPool1d(60)),
    "AdaptiveMaxPooling2D": image(lambda a, s: nn.AdaptiveMaxPool2d(7)),
    "AdaptiveMaxPooling3D": image(lambda a, s: nn.AdaptiveMaxPool3d(6)),
    "AveragePooling1D": image(lambda a, s: nn.AvgPool1d(2)),
    "AveragePooling2D": image(lambda a, s: nn.AvgPool2d(2)),
    "AveragePooling3D": image(lambda a, s: nn.AvgPool3d(2)),
    "MaxPooling1D": image(lambda a, s: nn.MaxPool1d(2)),
    "MaxPooling2D": image(lambda a, s: nn.MaxPool2d(2)),
    "MaxPooling3D": image(lambda a, s: nn.MaxPool3d(2)),
    "GlobalAveragePooling1D": _over(torch.mean, dim=(2,)),
    "GlobalAveragePooling2D": _over(torch.mean, dim=(2, 3)),
    "GlobalAveragePooling3D": _over(torch.mean, dim=(2, 3, 4)),
    "GlobalMaxPooling1D": _over(torch.amax, dim=(2,)),
    "GlobalMaxPooling2D": _over(torch.amax, dim=(2, 3)),
    "GlobalMaxPooling3D": _over(torch.amax, dim=(2, 3, 4)),
    # normalization
    "BatchNormalization": image(lambda a, s: NORMS[len(s)](s[-1], 1e-3, 0.01), _same),
    "LayerNormalization": Part(lambda a, s: nn.LayerNorm(s[-1], 1e-3), _same),
    "GroupNormalization": image(
        lambda a, s: nn.GroupNorm(a["groups"], s[-1], 1e-3), _same
    ),
    "RMSNormalization": Part(lambda a, s: nn.RMSNorm(s[-1], 1e-6), _same),
    "UnitNormalization": Part(lambda a, s: Of(F.normalize, dim=-1)),
    # attention
    "Attention": Part(lambda a, s: DotProductAttention(), _same),
    "MultiHeadAttention": Part(
        lambda a, s: MultiHeadAttention(s[-1], a["num_heads"]), _heads
    ),
    "GroupQueryAttention": Part(
        lambda a, s: GroupedAttention(
            s[-1], a["num_query_heads"], a["num_key_value_heads"], a["head_dim"]
        ),
        _heads,
    ),
    # recurrent
    "SimpleRNN": _rnn(nn.RNN),
    "LSTM": _rnn(nn.LSTM),
    "GRU": _rnn(nn.GRU),
    # dropout
    "Dropout": random(lambda a, s: nn.Dropout(a["rate"])),
    "SpatialDropout1D": random(
        lambda a, s: nn.Dropout1d(a["rate"]), channels_first=True
    ),
    "SpatialDropout2D": random(
        lambda a, s: nn.Dropout2d(a["rate"]), channels_first=True
    ),
    "SpatialDropout3D": random(
        lambda a, s: nn.Dropout3d(a["rate"]), channels_first=True
    ),
    "AlphaDropout": random(lambda a, s: nn.AlphaDropout(a["rate"])),
}

ACTIVATIONS: dict[str, Callable[..., Tensor]] = {
    "celu": F.celu,
    "elu": F.elu,
    "exponential": torch.exp,
    "gelu": F.gelu,
    "glu": F.glu,
    "hard_shrink": F.hardshrink,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": functools.partial(F.leaky_relu, negative_slope=0.2),
    "log_sigmoid": F.logsigmoid,
    "log_softmax": functools.partial(F.log_softmax, dim=-1),
    "mish": F.mish,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "soft_shrink": F.softshrink,
    "softmax": functools.partial(F.softmax, dim=-1),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "tanh_shrink": F.tanhshrink,
    "threshold": functools.partial(F.threshold, threshold=0.5, value=0.0),
}


def _ctc(y: Tensor, p: Tensor) -> Tensor:
    batch, steps, _ = p.shape
    lengths = torch.full((batch,), steps), torch.full((batch,), y.shape[1])
    each = F.ctc_loss(
        F.log_softmax(p, -1).transpose(0, 1), y, *lengths, reduction="none"
    )
    return each.mean()


# Losses: function(y_true, y_pred) with the arguments of the case.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "MeanSquaredError": lambda y, p: F.mse_loss(p, y),
    "MeanAbsoluteError": lambda y, p: F.l1_loss(p, y),
    "Huber": lambda y, p: F.huber_loss(p, y, delta=0.2),
    "Poisson": lambda y, p: F.poisson_nll_loss(p, y, log_input=False, eps=1e-7),
    "BinaryCrossentropy": lambda y, p: F.binary_cross_entropy_with_logits(p, y),
    "CategoricalCrossentropy": lambda y, p: F.cross_entropy(p, y),
    "SparseCategoricalCrossentropy": lambda y, p: F.cross_entropy(p, y),
    "TokenCrossentropy": lambda y, p: F.cross_entropy(
        p.flatten(0, 1), y.flatten(), ignore_index=0, label_smoothing=0.1
    ),
    "KLDivergence": lambda y, p: F.kl_div(p.log(), y, reduction="batchmean"),
    "CosineSimilarity": lambda y, p: -F.cosine_similarity(p, y).mean(),
    "CTC": _ctc,
}

# Optimizers: in the form that makes one pass over each weight, where there is one.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD": functools.partial(torch.optim.SGD, lr=0.01, momentum=0.9, fused=True),
    "Adagrad": functools.partial(
        torch.optim.Adagrad, lr=1e-3, initial_accumulator_value=0.1, fused=True
    ),
    "Adadelta": functools.partial(torch.optim.Adadelta, lr=1e-3, rho=0.95, eps=1e-7),
    "RMSprop": functools.partial(torch.optim.RMSprop, lr=1e-3, alpha=0.9, eps=1e-7),
    "Adam": functools.partial(torch.optim.Adam, lr=1e-3, fused=True),
    "AdamW": functools.partial(
        torch.optim.AdamW, lr=1e-3, weight_decay=4e-3, fused=True
    ),
    "Adamax": functools.partial(torch.optim.Adamax, lr=1e-3),
    "Nadam": functools.partial(torch.optim.NAdam, lr=1e-3, momentum_decay=1.0),
    "RectifiedAdam": functools.partial(torch.optim.RAdam, lr=1e-3),
}
