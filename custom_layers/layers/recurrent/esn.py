"""ESN, the echo state network, whose recurrent weights stay random: cell and layer."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ...common.checks import number_from_zero
from ...common.types import Activation, Config, Initializer, Seed
from .cell import _as_tensor, _Cell, _like
from .layer import _of_cell, _RecurrentLayer

# What a cell with weights that are not trained has no use for.
_OF_TRAINING = (
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ESNCell(_Cell):
    """One step of an echo state network: a random reservoir that is never trained.

    h = (1 - leaky) * h_tm1 + leaky * activation(x W + h_tm1 U + b)
    U = spectral_radius / size(M) * M,  where M is random, with few entries beside 0

    The size of M is its spectral radius, max |eigenvalue|. Below a radius of 1, what
    was long ago fades from h like an echo.

    Args:
        units: size U of the reservoir h, a positive integer.
        connectivity: share of the entries of M that are not 0, from 0 to 1.
        leaky: share of h that is new in a step, from 0 to 1.
        spectral_radius: spectral radius of U.
        use_norm2: whether the size of M is its largest singular value, which is never
            below the radius and computed faster.
        use_bias: whether b is added.
        activation: function of the sum; None leaves the sum as it is.
        kernel_initializer, recurrent_initializer, bias_initializer: of W, M and b.
        seed: integer that makes the choice of the entries beside 0 repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer, for a connectivity or
        a leaky beyond 0 ... 1 and for a radius below 0.
    Differs from TensorFlow Addons: with use_norm2 Addons divides by the root of the sum
        of all squares, which makes the radius much smaller; there is a seed.

    Whatever the state was, its echo fades:

    >>> cell = ESNCell(50, seed=1)
    >>> one, other = keras.ops.ones((1, 50)), keras.ops.zeros((1, 50))
    >>> for _ in range(150):
    ...     x = keras.random.normal((1, 3))
    ...     (_, [one]), (_, [other]) = cell(x, [one]), cell(x, [other])
    >>> bool(keras.ops.max(keras.ops.abs(one - other)) < 1e-4)
    True

    Paper: Jaeger, "The echo state approach to analysing and training recurrent neural
    networks", GMD report 148, 2001.
    https://www.researchgate.net/publication/215385037
    """

    trains_weights = False

    def __init__(
        self,
        units: int,
        connectivity: float = 0.1,
        leaky: float = 1.0,
        spectral_radius: float = 0.9,
        use_norm2: bool = False,
        use_bias: bool = True,
        activation: Activation = "tanh",
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            seed=seed,
            **kwargs,
        )
        self.connectivity = _share(connectivity, "connectivity")
        self.leaky = _share(leaky, "leaky")
        self.spectral_radius = number_from_zero(spectral_radius, "spectral_radius")
        self.use_norm2 = use_norm2

    def _initial_recurrent_kernel(self, shape, dtype=None):
        """U, from M; the eigenvalues are those of NumPy, which has them everywhere."""
        M = self.recurrent_initializer(shape, dtype="float32")
        M = ops.convert_to_numpy(M).astype("float64")
        draw = keras.random.uniform(shape, dtype="float32", seed=self.seed)
        M = np.where(ops.convert_to_numpy(draw) < self.connectivity, M, 0)
        if self.use_norm2:
            size = np.linalg.norm(M, 2)
        else:
            size = np.abs(np.linalg.eigvals(M)).max()
        U = self.spectral_radius / size * M if size > 0 else M
        return ops.convert_to_tensor(U, dtype=dtype)

    def call(self, inputs, states, training: bool = False):
        h_tm1 = _as_tensor(states)
        z = self._sum(inputs, h_tm1, training=False)  # x W + h_tm1 U + b
        h = (1 - self.leaky) * h_tm1 + self.leaky * self.activation(z)
        return h, _like(states, h)

    def get_config(self) -> Config:
        config = {
            **super().get_config(),
            "connectivity": self.connectivity,
            "leaky": self.leaky,
            "spectral_radius": self.spectral_radius,
            "use_norm2": self.use_norm2,
        }
        return {key: v for key, v in config.items() if key not in _OF_TRAINING}


def _share(value: Any, name: str) -> float:
    """`value`, if it is a number from 0 to 1."""
    number = number_from_zero(value, name)
    if number > 1:
        raise ValueError(f"The `{name}` argument must be at most 1. Received: {value}")
    return number


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ESN(_RecurrentLayer):
    """Echo state network: random features of a sequence, for a readout to be fitted.

    h_t = cell(x_t, h_tm1), the step whose formula `ESNCell` shows;
    the output is h_T, or every h_t.

    Args:
        units, connectivity, ..., seed: see `ESNCell`.
        return_sequences: whether to return every h_t instead of the last one.
        return_state: whether to return the final h too.
        go_backwards: whether to read the sequence from its last step to its first.
        stateful: whether a batch starts from the final state of the batch before it.
        unroll: whether to write the loop out, step by step.
        zero_output_for_mask: whether masked steps return zeros instead of repeating
            the output of the step before them; it concerns return_sequences only.

    Call: sequences, initial_state, mask (B, T). A masked step leaves h as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises, differs from TensorFlow Addons: as in `ESNCell`.

    Least squares fit a readout that continues a wave; nothing else is trained:

    >>> wave = np.sin(0.3 * np.arange(500, dtype="float32"))
    >>> h = ESN(50, seed=1, return_sequences=True)(wave[None, :-1, None])[0]
    >>> h, y = np.array(h)[100:], wave[101:]
    >>> readout, *_ = np.linalg.lstsq(h[:200], y[:200], rcond=None)
    >>> bool(np.abs(h[200:] @ readout - y[200:]).max() < 0.01)
    True

    Paper: Jaeger, "The echo state approach to analysing and training recurrent neural
    networks", GMD report 148, 2001.
    https://www.researchgate.net/publication/215385037
    """

    cell: ESNCell
    connectivity: float = _of_cell("connectivity")
    leaky: float = _of_cell("leaky")
    spectral_radius: float = _of_cell("spectral_radius")
    use_norm2: bool = _of_cell("use_norm2")

    def __init__(
        self,
        units: int,
        connectivity: float = 0.1,
        leaky: float = 1.0,
        spectral_radius: float = 0.9,
        use_norm2: bool = False,
        use_bias: bool = True,
        activation: Activation = "tanh",
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        return_sequences: bool = False,
        go_backwards: bool = False,
        unroll: bool = False,
        seed: Seed = None,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = ESNCell(
            units=units,
            connectivity=connectivity,
            leaky=leaky,
            spectral_radius=spectral_radius,
            use_norm2=use_norm2,
            use_bias=use_bias,
            activation=activation,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="esn_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
