"""Filter response normalization: each channel of each sample, without its mean."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes, number_from_zero, python_number
from ...common.types import Axes, Config, Constraint, Initializer, Regularizer, Shape
from .base import _along, _Normalization, _positive_axes
from .moments import _in_float32


@keras.saving.register_keras_serializable(package="keras_cookbook")
class FilterResponseNormalization(_Normalization):
    """Divides each channel of each sample by its root mean square over all places.

    nu^2 = mean of x^2 over the places
    y = x / sqrt(nu^2 + epsilon) * gamma + beta

    No statistics of a batch are needed: a batch of one trains like a large one, and
    training and inference compute the same. The mean is not subtracted, so that y may
    be far from 0: put a `TLU` behind it in place of a ReLU.

    Args:
        epsilon: added to the mean square, a number >= 0.
        axis: the axes of the places; None means all between the batch and the last.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights,
            which have an entry per channel.
        learned_epsilon: whether the size of a weight, which starts at 1e-4, is added to
            epsilon; the paper advises it where there are few places.
        learned_epsilon_constraint: projection of that weight after each step.
        center, scale: whether there is a beta, and a gamma.

    Input and output shape: (B, ..., C), the same.
    Raises: ValueError for an input without places, for an axis that is the batch or
        that the input lacks, and for channels whose number is unknown.
    Keras has no such class. TensorFlow Addons has it for images (B, H, W, C).

    Photographs of one scene, the second ten times as bright, become the same:

    >>> image = keras.ops.array([[1.0], [2.0], [3.0]])
    >>> y = FilterResponseNormalization()(keras.ops.stack([image, 10 * image]))
    >>> print(y[:, :, 0].numpy().round(2))
    [[0.46 0.93 1.39]
     [0.46 0.93 1.39]]

    Paper: Singh, Krishnan, "Filter response normalization layer: eliminating batch
    dependence in the training of deep neural networks", 2019.
    https://arxiv.org/abs/1911.09737
    """

    def __init__(
        self,
        epsilon: float = 1e-6,
        axis: Axes | None = None,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        learned_epsilon: bool = False,
        learned_epsilon_constraint: Constraint = None,
        center: bool = True,
        scale: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=python_number(axis),
            epsilon=number_from_zero(epsilon, "epsilon"),
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.learned_epsilon = learned_epsilon
        self.learned_epsilon_constraint = keras.constraints.get(
            learned_epsilon_constraint
        )
        self.autocast = False  # float16 cannot hold features above 65,504

    def build(self, input_shape: Shape) -> None:
        channels = self._axes(input_shape)[1]
        self._sizes = known_sizes(input_shape, channels, self)
        if self.scale:
            self._add_gamma(self._sizes)
        if self.center:
            self._add_beta(self._sizes)
        if self.learned_epsilon:
            self.epsilon_weight = self.add_weight(
                name="learned_epsilon",
                shape=(),
                initializer=keras.initializers.Constant(1e-4),
                constraint=self.learned_epsilon_constraint,
                autocast=False,
            )

    def call(self, inputs):
        x = _in_float32(inputs)
        places, channels = self._axes(x.shape)
        gamma, beta = self._gamma_and_beta(
            x.dtype, _along(channels, self._sizes, len(x.shape))
        )
        epsilon = self.epsilon
        if self.learned_epsilon:
            epsilon += ops.abs(ops.cast(self.epsilon_weight, x.dtype))
        nu_2 = ops.mean(ops.square(x), axis=places, keepdims=True)
        y = x * ops.rsqrt(nu_2 + epsilon) * gamma + beta
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._axes(input_shape)
        return input_shape

    def _axes(self, shape: Shape) -> tuple[list[int], list[int]]:
        """(the axes of the places, those of the channels)."""
        rank = len(shape)
        given = range(1, rank - 1) if self.axis is None else self.axis
        places = _positive_axes(given if isinstance(given, int) else [*given], shape)
        if not places or 0 in places:
            raise ValueError(
                "FilterResponseNormalization takes a mean over the places of a sample, "
                f"which an input (B, ..., C) has. Received: input_shape={shape}, "
                f"axis={self.axis}. Expected axes after the batch."
            )
        return places, [a for a in range(1, rank) if a not in places]

    def get_config(self) -> Config:
        constraint = keras.constraints.serialize(self.learned_epsilon_constraint)
        return {
            **super().get_config(),
            "learned_epsilon": self.learned_epsilon,
            "learned_epsilon_constraint": constraint,
        }
