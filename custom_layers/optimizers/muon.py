"""Muon: orthogonal steps for matrices, Adam for the rest (sibling: adaptive)."""

import re

import keras
from keras import ops

from ..common.private_keras import decays, slot_index
from .adaptive import Adam


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Muon(Adam):
    """Momentum whose matrix is made orthogonal: all its directions get the same step.

    m = momentum * m + g
    x = g + momentum * m with nesterov, else m
    x = x / |x|, then ns_steps times, with s = x x^T (wide x; a tall one is transposed):
        x = muon_a * x + (muon_b * s + muon_c * s s) x       singular values go to 1
    w = w - lr * rms_rate * sqrt(max(rows, columns)) * x

    Matrices only: every other variable, embeddings and `exclude_layers` take an Adam
    step with lr * adam_lr_ratio.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        adam_beta_1, adam_beta_2, epsilon: Adam's.
        adam_weight_decay, weight_decay: of the variables with Adam, and of the others.
        exclude_layers: regular expressions of variable paths that take Adam.
        exclude_embeddings: whether paths that hold "embedding" take Adam.
        muon_a, muon_b, muon_c: coefficients of the Newton-Schulz iteration.
        adam_lr_ratio: Adam's learning rate as a multiple of the other.
        momentum, nesterov: of the matrices.
        ns_steps: number of iterations.
        rms_rate: root mean square that updates are scaled to; None leaves them.
        kwargs: clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for betas outside [0, 1), or a gradient to orthogonalize of
    rank below 2.
    Differs from Keras: the arguments of the base class are keyword-only.

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
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        *,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.775,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            adam_beta_1,
            adam_beta_2,
            epsilon,
            weight_decay=weight_decay,
            **kwargs,
        )
        self.adam_weight_decay = adam_weight_decay
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _should_use_adamw(self, variable):
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(x, variable.path) for x in self.exclude_layers)
        )

    def build(self, var_list):
        if self.built:
            return
        keras.optimizers.Optimizer.build(self, var_list)
        self._momentums, self._velocities = [], []
        for variable in var_list:
            m = v = None
            if not getattr(variable, "overwrite_with_gradient", False):
                m = self.add_variable_from_reference(variable, "momentum")
                if self._should_use_adamw(variable):
                    v = self.add_variable_from_reference(variable, "velocity")
            self._momentums.append(m)
            self._velocities.append(v)

    def _step_scalars(self, learning_rate, dtype):
        """Adam's, for the variables that take Adam."""
        return super()._step_scalars(learning_rate * self.adam_lr_ratio, dtype)

    def update_step(self, gradient, variable, learning_rate):
        index = slot_index(self, variable)
        if self._velocities[index] is not None:
            super().update_step(gradient, variable, learning_rate)
            return
        m = self._momentums[index]
        g = ops.cast(gradient, variable.dtype)
        x = ops.add(g, self.momentum * m)
        self.assign(m, x)
        if self.nesterov:
            x = ops.add(g, self.momentum * x)
        x = self.zeropower_via_newtonschulz5(x, self.ns_steps)
        lr = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, self.lr_adjust(lr * x))

    def zeropower_via_newtonschulz5(self, x, steps):
        """The orthogonal matrix nearest to x, nearly: U V^T where x = U S V^T."""
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

    def _apply_weight_decay(self, variables):
        for variable in variables:
            is_adam = self._should_use_adamw(variable)
            decay = self.adam_weight_decay if is_adam else self.weight_decay
            if decay is not None and decays(self, variable):
                lr = ops.cast(self.learning_rate, variable.dtype)
                variable.assign(variable - variable * decay * lr)

    def get_config(self):
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
