"""Muon: orthogonal steps for matrices, Adam for all other variables."""

import re
from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.private_optimizers import DecaysByVariable
from ..common.types import Config, LearningRate
from .adam import Adam


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Muon(DecaysByVariable, Adam):
    """Muon: momentum whose matrix is made orthogonal, so all directions step equally.

    m = momentum * m + g
    x = g + momentum * m with nesterov, else m
    x = x / |x|, then ns_steps times, with s = x x^T (wide x; a tall one is transposed):
        x = muon_a * x + (muon_b * s + muon_c * s s) x       singular values go to 1
    w = w - lr * rms_rate * sqrt(max(rows, columns)) * x

    Only matrices take this step. All other variables, embeddings and `exclude_layers`
    take an Adam step with lr * adam_lr_ratio.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        adam_beta_1, adam_beta_2, epsilon: Adam's.
        adam_weight_decay: weight decay of the variables that take Adam's step.
        weight_decay: weight decay of the matrices.
        exclude_layers: regular expressions of variable paths that take Adam's step.
        exclude_embeddings: whether paths that contain "embedding" take Adam's step.
        muon_a, muon_b, muon_c: coefficients of the Newton-Schulz iteration.
        adam_lr_ratio: Adam's learning rate as a multiple of the matrices' one.
        momentum, nesterov: momentum of the matrices.
        ns_steps: number of Newton-Schulz iterations.
        rms_rate: root mean square to which steps are scaled; None leaves them.
        kwargs: clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for betas outside [0, 1), or for a gradient to orthogonalize
    whose rank is below 2.
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> Muon(0.1, rms_rate=None, weight_decay=None).apply([3 * w], [w])
    >>> print(w.numpy().round(1))
    [[0.9 0. ]
     [0.  0.9]]

    Paper: Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
    2024, https://kellerjordan.github.io/posts/muon/; rms_rate: Liu et al., "Muon is
    scalable for LLM training", 2025, https://arxiv.org/abs/2502.16982
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: list[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            adam_beta_1,
            adam_beta_2,
            epsilon,
            weight_decay=weight_decay,
            **kwargs,
        )
        self.adam_weight_decay = python_number(adam_weight_decay)
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = python_number(exclude_embeddings)
        self.muon_a = python_number(muon_a)
        self.muon_b = python_number(muon_b)
        self.muon_c = python_number(muon_c)
        self.adam_lr_ratio = python_number(adam_lr_ratio)
        self.momentum = python_number(momentum)
        self.ns_steps = python_number(ns_steps)
        self.nesterov = python_number(nesterov)
        self.rms_rate = python_number(rms_rate)

    def _should_use_adamw(self, variable) -> bool:
        """Whether the variable takes Adam's step; Keras's tests use this name."""
        is_embedding = "embedding" in variable.path.lower()
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and is_embedding)
            or any(re.search(pattern, variable.path) for pattern in self.exclude_layers)
        )

    def decay_of(self, variable) -> float | None:
        if self._should_use_adamw(variable):
            return self.adam_weight_decay
        return self.weight_decay

    def build(self, variables: list) -> None:
        if self.built:
            return
        keras.optimizers.Optimizer.build(self, variables)
        self._momentums, self._velocities = [], []
        for variable in variables:
            m = v = None
            if not getattr(variable, "overwrite_with_gradient", False):
                m = self.add_variable_from_reference(variable, "momentum")
                if self._should_use_adamw(variable):
                    v = self.add_variable_from_reference(variable, "velocity")
            self._momentums.append(m)
            self._velocities.append(v)

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        index = slot_index(self, variable)
        if self._velocities[index] is not None:
            adam_learning_rate = learning_rate * self.adam_lr_ratio
            super().update_step(gradient, variable, adam_learning_rate)
            return
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        m = self._momentums[index]

        new_m = ops.add(g, self.momentum * m)
        self.assign(m, new_m)
        x = ops.add(g, self.momentum * new_m) if self.nesterov else new_m
        x = self.zeropower_via_newtonschulz5(x, self.ns_steps)
        self.assign_sub(variable, self.lr_adjust(lr * x))

    def zeropower_via_newtonschulz5(self, x, steps: int):
        """About the orthogonal matrix nearest to x: U V^T, where x = U S V^T."""
        if len(x.shape) < 2:
            raise ValueError(
                "Expected gradient or momentum to have at least 2 dimensions. "
                f"Received: shape={x.shape}"
            )
        is_tall = x.shape[-2] > x.shape[-1]
        if is_tall:
            x = ops.swapaxes(x, -2, -1)
        norm = ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True))
        x = x / (norm + 1e-7)
        for _ in range(steps):
            s = ops.matmul(x, ops.swapaxes(x, -2, -1))
            polynomial = self.muon_b * s + ops.matmul(self.muon_c * s, s)
            x = self.muon_a * x + ops.matmul(polynomial, x)
        return ops.swapaxes(x, -2, -1) if is_tall else x

    def lr_adjust(self, x):
        """x scaled so that its root mean square is about rms_rate, as Adam's is."""
        if self.rms_rate is None:
            return x
        return x * (self.rms_rate * max(x.shape[0], x.shape[1]) ** 0.5)

    def get_config(self) -> Config:
        return {
            **keras.optimizers.Optimizer.get_config(self),
            "adam_beta_1": self.beta_1,
            "adam_beta_2": self.beta_2,
            "adam_weight_decay": self.adam_weight_decay,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "exclude_embeddings": self.exclude_embeddings,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "rms_rate": self.rms_rate,
        }
