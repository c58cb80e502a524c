"""Shampoo: Adagrad with a matrix for each axis of a weight."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Shampoo(_StepOptimizer):
    """Shampoo: Adagrad that knows which weights change together, along each axis.

    L = L + g g^T,  R = R + g^T g       both begin at epsilon times the identity
    w = w - lr * L^(-1/4) g R^(-1/4)

    Adagrad divides each entry of g by a number of its own; L and R mix the rows and
    the columns, so that a valley may lie aslant. A kernel with k axes has k such
    matrices, to the power -1 / (2k); a vector has one: full Adagrad.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        epsilon: what L and R begin with, > 0.
        frequency: number of steps between two computations of the roots, which take
            most of the time.
        max_dim: axes that are longer, such as that of a vocabulary, have no matrix.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an argument that is not positive.
    Not in Keras. The paper leaves axes that are long to a diagonal matrix; here they
    have none, and k counts the others.

    Two inputs that are nearly the same make a narrow valley. Adagrad creeps along it:

    >>> from custom_layers.optimizers import Adagrad
    >>> x = keras.ops.array([[1.0, 0.9], [0.9, 1.0]])
    >>> target = keras.ops.array([[1.0], [-1.0]])
    >>> for optimizer in (Adagrad(0.5, name="Adagrad"), Shampoo(0.5, name="Shampoo")):
    ...     w = keras.Variable([[0.0], [0.0]])
    ...     for _ in range(100):  # loss: |x (w - target)|^2 / 2
    ...         slope = keras.ops.matmul(x, keras.ops.matmul(x, w - target))
    ...         optimizer.apply([slope], [w])
    ...     print(optimizer.name, w.numpy().ravel().round(2))
    Adagrad [ 0.79 -0.79]
    Shampoo [ 1. -1.]

    Paper: Gupta, Koren, Singer, "Shampoo: preconditioned stochastic tensor
    optimization", 2018, https://arxiv.org/abs/1802.09568
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
        epsilon: float = 1e-4,
        frequency: int = 1,
        max_dim: int = 4096,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if epsilon <= 0:
            raise ValueError(f"`epsilon` must be above 0. Received: epsilon={epsilon}")
        self.epsilon = python_number(epsilon)
        self.frequency = positive_integer(frequency, "frequency")
        self.max_dim = positive_integer(max_dim, "max_dim")

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._sums = [
            _factors(self, variable, "sum", self.max_dim) for variable in variables
        ]
        self._roots = [
            _factors(self, variable, "root", self.max_dim) for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate) -> None:
        index = slot_index(self, variable)
        sums, roots = self._sums[index], self._roots[index]
        g = ops.cast(dense(gradient), _precise(variable.dtype))
        g = ops.reshape(g, _axes(variable))
        lr = ops.cast(learning_rate, g.dtype)

        k = max(len([root for root in roots if root is not None]), 1)
        is_due = self.iterations % self.frequency == 0
        for axis, (L, root) in enumerate(zip(sums, roots)):
            if L is None:
                continue
            self.assign_add(L, _gram(g, axis))
            new_L, old_root = map(ops.convert_to_tensor, (L, root))
            self.assign(root, self._root(is_due, new_L, old_root, -1 / (2 * k)))
        step = lr * _rotate(g, roots)
        self.assign_sub(variable, ops.reshape(step, variable.shape))

    def _root(self, is_due, L, old_root, power: float):
        """(L + epsilon * identity)^power if it is due, else the old root."""

        def compute():
            s, U = ops.linalg.eigh(L)
            s = ops.maximum(s, 0) + self.epsilon
            return ops.matmul(U * s**power, ops.transpose(U))

        return ops.cond(is_due, compute, lambda: old_root)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "frequency": self.frequency,
            "max_dim": self.max_dim,
        }


def _precise(dtype: str) -> str:
    """The dtype in which matrices are decomposed: float32 at least."""
    return "float64" if dtype == "float64" else "float32"


def _factors(
    optimizer: keras.optimizers.Optimizer, variable: Any, name: str, max_dim: int
) -> list:
    """A slot (d, d) for each axis of the variable; None for one longer than max_dim."""
    if getattr(variable, "overwrite_with_gradient", False):
        return []
    return [
        optimizer.add_variable(
            shape=(d, d), dtype=_precise(variable.dtype), name=f"{name}_of_axis_{axis}"
        )
        if d <= max_dim
        else None
        for axis, d in enumerate(_axes(variable))
    ]


def _axes(variable) -> tuple[int, ...]:
    """The shape of a variable; a scalar counts as a vector of one entry."""
    return tuple(variable.shape) or (1,)


def _gram(g, axis: int):
    """g g^T along an axis: (d, d), products of entries, summed over the other axes."""
    others = [a for a in range(len(g.shape)) if a != axis]
    return ops.tensordot(g, g, [others, others])


def _rotate(x, matrices: Sequence):
    """L^T x R of a matrix; any axis is multiplied by its own matrix, None for none."""
    for Q in matrices:  # each turn takes the first axis and appends it as the last
        if Q is None:
            x = ops.moveaxis(x, 0, -1)
        else:
            x = ops.tensordot(x, ops.convert_to_tensor(Q), [[0], [0]])
    return x
