"""The initializers that are named after Glorot, He and LeCun.

Each is variance scaling with a fixed scale, mode and distribution.
"""

from collections.abc import Sequence

import keras

from ..common.types import Config, Seed
from .variance_scaling import VarianceScaling


class _NamedVarianceScaling(VarianceScaling):
    """A VarianceScaling whose class fixes the scale, the mode and the distribution."""

    def get_config(self) -> Config:
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlorotUniform(_NamedVarianceScaling):
    """Glorot (Xavier) uniform, which suits tanh: signals and gradients keep their size.

    w ~ U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out))

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> x = keras.random.normal((200, 400), seed=1)
    >>> y = x @ GlorotUniform(seed=2)((400, 400))
    >>> round(float(keras.ops.std(x)), 1), round(float(keras.ops.std(y)), 1)
    (1.0, 1.0)

    Paper: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010. https://proceedings.mlr.press/v9/glorot10a.html
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=1.0,
            mode="fan_avg",
            distribution="uniform",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlorotNormal(_NamedVarianceScaling):
    """Glorot (Xavier) normal, which suits tanh: signals and gradients keep their size.

    w ~ N(0, sqrt(2 / (fan_in + fan_out))), drawn again beyond two deviations

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> gradient = keras.random.normal((200, 400), seed=1)
    >>> back = gradient @ keras.ops.transpose(GlorotNormal(seed=2)((400, 400)))
    >>> round(float(keras.ops.std(gradient)), 1), round(float(keras.ops.std(back)), 1)
    (1.0, 1.0)

    Paper: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010. https://proceedings.mlr.press/v9/glorot10a.html
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=1.0,
            mode="fan_avg",
            distribution="truncated_normal",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HeUniform(_NamedVarianceScaling):
    """He (Kaiming) uniform: makes up for the half of the signal that ReLU removes.

    w ~ U(-limit, limit), limit = sqrt(6 / fan_in)

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> x = keras.random.normal((200, 400), seed=1)  # of mean square 1
    >>> y = keras.ops.relu(x @ HeUniform(seed=2)((400, 400)))
    >>> round(float(keras.ops.mean(y**2)), 1)  # doubled by W, halved by ReLU
    1.0

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=2.0,
            mode="fan_in",
            distribution="uniform",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HeNormal(_NamedVarianceScaling):
    """He (Kaiming) normal: makes up for the half of the signal that ReLU removes.

    w ~ N(0, sqrt(2 / fan_in)), drawn again beyond two deviations

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> x = keras.random.normal((200, 400), seed=1)  # of mean square 1
    >>> for seed in range(3):  # three layers
    ...     x = keras.ops.relu(x @ HeNormal(seed=seed)((400, 400)))
    >>> 0.8 < float(keras.ops.mean(x**2)) < 1.2
    True

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=2.0,
            mode="fan_in",
            distribution="truncated_normal",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LecunUniform(_NamedVarianceScaling):
    """LeCun uniform: a unit's weighted sum has the variance of one of its inputs.

    w ~ U(-limit, limit), limit = sqrt(3 / fan_in)

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> x = keras.random.normal((200, 400), seed=1)
    >>> y = x @ LecunUniform(seed=2)((400, 50))  # the 50 outputs do not count
    >>> round(float(keras.ops.std(x)), 1), round(float(keras.ops.std(y)), 1)
    (1.0, 1.0)

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=1.0,
            mode="fan_in",
            distribution="uniform",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LecunNormal(_NamedVarianceScaling):
    """LeCun normal, the start for SELU: a sum has the variance of one of its inputs.

    w ~ N(0, sqrt(1 / fan_in)), drawn again beyond two deviations

    Args:
        seed, input_axes, output_axes: as in `VarianceScaling`.

    Call: (shape, dtype) -> weight of that shape.

    >>> x = keras.random.normal((200, 400), seed=1)
    >>> y = keras.ops.selu(x @ LecunNormal(seed=2)((400, 400)))
    >>> round(float(keras.ops.std(x)), 1), round(float(keras.ops.std(y)), 1)
    (1.0, 1.0)

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=1.0,
            mode="fan_in",
            distribution="truncated_normal",
            seed=seed,
            input_axes=input_axes,
            output_axes=output_axes,
        )
