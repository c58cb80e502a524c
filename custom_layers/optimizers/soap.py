"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from typing import Any

import keras
from keras import ops

from ..common.checks import positive_integer
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .adam import Adam
from .shampoo import _factors, _gram, _precise, _rotate

# Of a gradient that is turned, this share of the largest entry is a rounding error.
ROUNDING = {"float32": 1e-5, "float64": 1e-13}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SOAP(Adam):
    """SOAP: Adam in the coordinates in which Shampoo's matrices are diagonal.

    L = beta_2 * L + (1 - beta_2) * g g^T         Q_L: its eigenvectors
    R = beta_2 * R + (1 - beta_2) * g^T g         Q_R: its eigenvectors
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * (Q_L^T g Q_R)^2
    w = w - alpha * Q_L [Q_L^T m Q_R / (sqrt(v) + epsilon)] Q_R^T     alpha as in Adam

    Every `frequency` steps, one power iteration turns each basis: Q = qr(L Q).

    The first step finds the first basis and leaves kernels alone: in a basis of its
    own, a gradient is diagonal, and Adam would divide rounding errors by each other.
    Directions without a gradient get no step for the same reason. A kernel of a
    convolution has a basis for each axis. Vectors and scalars take Adam's step.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m, and of v, L and R.
        epsilon: added to the root of v.
        frequency: number of steps between two power iterations.
        max_dim: axes that are longer, such as that of a vocabulary, are not turned.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1), and for a frequency or
    max_dim that is not a positive integer.
    Not in Keras. The authors' code also sorts the eigenvectors by their eigenvalues.

    Two inputs that are nearly the same make a valley aslant, where Adam is slow:

    >>> from custom_layers.optimizers import Adam
    >>> x = keras.ops.array([[1.0, 0.9], [0.9, 1.0]])
    >>> target = keras.ops.array([[3.0, 0.0], [0.0, -2.0]])
    >>> for optimizer in (Adam(0.5, name="Adam"), SOAP(0.5, name="SOAP")):
    ...     w = keras.Variable([[0.0, 0.0], [0.0, 0.0]])
    ...     for _ in range(100):  # loss: |x (w - target)|^2 / 2
    ...         slope = keras.ops.matmul(x, keras.ops.matmul(x, w - target))
    ...         optimizer.apply([slope], [w])
    ...     print(optimizer.name, round(float(keras.ops.max(abs(w - target))), 1))
    Adam 1.1
    SOAP 0.1

    Paper: Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam", 2024,
    https://arxiv.org/abs/2409.11321
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.003,
        beta_1: float = 0.95,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        frequency: int = 10,
        max_dim: int = 10000,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.frequency = positive_integer(frequency, "frequency")
        self.max_dim = positive_integer(max_dim, "max_dim")

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        kernels = [v if len(v.shape) > 1 else None for v in variables]
        self._preconditioners, self._bases = [
            [
                [] if kernel is None else _factors(self, kernel, name, self.max_dim)
                for kernel in kernels
            ]
            for name in ("preconditioner", "basis")
        ]

    def update_step(self, gradient, variable, learning_rate) -> None:
        index = slot_index(self, variable)
        m_slot, v_slot = self._momentums[index], self._velocities[index]
        bases = self._bases[index]
        if not bases:
            super().update_step(gradient, variable, learning_rate)
            return

        wide = _precise(variable.dtype)
        t = ops.cast(self.iterations + 1, wide)
        lr = ops.cast(learning_rate, wide)
        counts = ops.cast(t > 1, wide)  # 0 in the first step, 1 afterwards
        n = ops.maximum(t - 1, 1)
        beta_1 = ops.cast(self.beta_1, wide)
        beta_2 = ops.cast(self.beta_2, wide)
        alpha = counts * lr * ops.sqrt(1 - beta_2**n) / (1 - beta_1**n)
        share_1 = counts * (1 - beta_1)
        share_2 = counts * (1 - beta_2)

        g, m, v = [ops.cast(x, wide) for x in (dense(gradient), m_slot, v_slot)]

        m = m + share_1 * (g - m)
        v = v + share_2 * (ops.square(_rotate(g, bases)) - v)
        root = ops.sqrt(v)
        is_exact = root > ROUNDING[wide] * ops.max(root)
        direction = _rotate(m, bases) / (root + self.epsilon)
        direction = ops.where(is_exact, direction, ops.zeros_like(direction))
        self.assign(m_slot, m)
        self.assign(v_slot, v)
        self.assign_sub(variable, alpha * _rotate_back(direction, bases))
        self._turn_bases(g, self._preconditioners[index], bases)

    def _turn_bases(self, g, preconditioners: list, bases: list) -> None:
        """Averages g g^T of every axis, and turns the bases if that is due."""
        is_first = self.iterations == 0
        is_due = self.iterations % self.frequency == 0
        for axis, (L_slot, Q_slot) in enumerate(zip(preconditioners, bases)):
            if L_slot is None:
                continue
            self.assign_add(L_slot, (1 - self.beta_2) * (_gram(g, axis) - L_slot))
            L, Q = map(ops.convert_to_tensor, (L_slot, Q_slot))
            self.assign(Q_slot, _turned(is_first, is_due, L, Q))

    def get_config(self) -> Config:
        config = super().get_config()
        del config["amsgrad"]
        return {**config, "frequency": self.frequency, "max_dim": self.max_dim}


def _turned(is_first, is_due, L, Q):
    """The eigenvectors of L at first; later, if it is due, a step of Q towards them."""

    def eigenvectors():
        _, vectors = ops.linalg.eigh(L)
        return ops.flip(vectors, axis=1)  # power iterations keep the largest first

    def power_iteration():
        return ops.linalg.qr(ops.matmul(L, Q))[0]

    def turn():
        return ops.cond(is_first, eigenvectors, power_iteration)

    return ops.cond(is_due, turn, lambda: Q)


def _rotate_back(x, bases: list):
    """Q_L x Q_R^T of a matrix: what undoes `_rotate`."""
    return _rotate(x, [Q if Q is None else ops.transpose(Q) for Q in bases])
