"""Optimizers of large models and large batches (siblings: base, adaptive)."""

import keras
from keras import ops

from ..common.private_keras import slot_index
from .adaptive import _MomentOptimizer
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lion(_StepOptimizer):
    """Only the sign of a momentum is used: one slot a weight, all steps equally long.

    w = w - lr * sign(beta_1 * m + (1 - beta_1) * g)
    m = beta_2 * m + (1 - beta_2) * g

    Args:
        learning_rate: float, schedule, or callable without arguments; 3 to 10 times
            smaller than Adam's.
        beta_1: share of m in the step, in (0, 1].
        beta_2: decay rate of m.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 outside (0, 1].
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Lion(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Paper: Chen et al., "Symbolic discovery of optimization algorithms", 2023,
    https://arxiv.org/abs/2302.06675
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the "
                f"optimizer degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._momentums = self.add_optimizer_variables(var_list, "momentum")

    def _step_scalars(self, learning_rate, dtype):
        values = (learning_rate, self.beta_1, self.beta_2)
        return tuple(ops.cast(value, dtype) for value in values)

    def update_step(self, gradient, variable, learning_rate):
        lr, beta_1, beta_2 = self._scalars(learning_rate, variable)
        m = self._momentums[slot_index(self, variable)]
        g = ops.cast(gradient, variable.dtype)
        c = ops.add(beta_1 * m, ops.multiply(1 - beta_1, g))
        self.assign_sub(variable, lr * ops.sign(c))
        self.assign_add(m, (1 - beta_2) * ops.subtract(g, m))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lamb(_MomentOptimizer):
    """Adam whose step in each variable is as long as the variable, times lr.

    m, v as in Adam
    u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
    trust = |w| / |u|, or 1 where either norm is zero
    w = w - lr * trust * u

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of the corrected v.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. As in Keras,
    weight decay is applied before the step; the paper adds it to u.

    >>> w = keras.Variable([3.0, 4.0])
    >>> Lamb(0.1).apply([[1.0, -1.0]], [w])  # |w| = 5, u = (1, -1)
    >>> print(w.numpy().round(3))
    [2.646 4.354]

    Paper: You et al., "Large batch optimization for deep learning: training BERT in 76
    minutes", 2019, https://arxiv.org/abs/1904.00962
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def _step_scalars(self, learning_rate, dtype):
        lr = ops.cast(learning_rate, dtype)
        return lr, self._bias(self.beta_1, dtype), self._bias(self.beta_2, dtype)

    def update_step(self, gradient, variable, learning_rate):
        lr, bias_1, bias_2 = self._scalars(learning_rate, variable)
        _, m, v = self._average(gradient, variable, 1 - self.beta_1, 1 - self.beta_2)
        u = m / bias_1 / (ops.sqrt(v / bias_2) + self.epsilon)
        w_norm = ops.sqrt(ops.sum(ops.square(variable)))
        u_norm = ops.sqrt(ops.sum(ops.square(u)))
        trust = ops.where(w_norm * u_norm > 0, w_norm / u_norm, 1)
        self.assign_sub(variable, lr * trust * u)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adafactor(_StepOptimizer):
    """Adam's second moment of a matrix, kept as one number a row and one a column.

    lr_t = min(lr, 1 / sqrt(t)) * max(epsilon_2, rms(w))
    beta = 1 - t^beta_2_decay;  s = g^2 + epsilon_1
    matrix:  r = beta * r + (1 - beta) * mean of s over columns
             c = beta * c + (1 - beta) * mean of s over rows
             v = r * c / mean(r)
    vector:  v = beta * v + (1 - beta) * s
    u = g / sqrt(v)
    w = w - lr_t * u / max(1, rms(u) / clip_threshold)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_2_decay: how fast beta goes to 1, < 0.
        epsilon_1, epsilon_2: bounds from below of g^2 and of the size of w.
        clip_threshold: bound of the update's root mean square.
        relative_step: kept in the config; as in Keras, lr_t is bounded either way.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Variables of rank above 2: matrices are their last two axes.
    Differs from Keras: the arguments of the base class are keyword-only. As in Keras,
    v is kept as a slot too, so that states can be exchanged: no memory is saved.

    >>> w = keras.Variable([3.0, 4.0])
    >>> Adafactor(0.1).apply([[1.0, -1.0]], [w])
    >>> print(w.numpy().round(3))
    [2.646 4.354]

    Paper: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory
    cost", 2018, https://arxiv.org/abs/1804.04235
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._r, self._c, self._v = [], [], []
        for variable in var_list:
            shapes = [(), ()]  # a vector's r and c only hold their places, as in Keras
            if len(variable.shape) >= 2:
                *batch, rows, columns = variable.shape
                shapes = [(*batch, rows), (*batch, columns)]
            slots = [None, None, None]
            if not getattr(variable, "overwrite_with_gradient", False):
                slots = [
                    self.add_variable(shape, dtype=variable.dtype, name=variable.name)
                    for shape in shapes
                ]
                slots.append(self.add_variable_from_reference(variable, "velocity"))
            for of_all, slot in zip((self._r, self._c, self._v), slots):
                of_all.append(slot)

    def _step_scalars(self, learning_rate, dtype):
        t = self._time(dtype)
        lr = ops.minimum(ops.cast(learning_rate, dtype), 1 / ops.sqrt(t))
        return lr, ops.power(t, self.beta_2_decay)

    def update_step(self, gradient, variable, learning_rate):
        lr, one_minus_beta = self._scalars(learning_rate, variable)
        index = slot_index(self, variable)
        r, c, v = self._r[index], self._c[index], self._v[index]
        g = ops.cast(gradient, variable.dtype)
        s = ops.add(ops.square(g), self.epsilon_1)

        def move(average, target):
            self.assign_add(average, one_minus_beta * ops.subtract(target, average))

        if len(variable.shape) >= 2:
            move(r, ops.mean(s, axis=-1))
            move(c, ops.mean(s, axis=-2))
            of_row = ops.expand_dims(r / ops.mean(r, axis=-1, keepdims=True), -1)
            self.assign(v, of_row * ops.expand_dims(c, -2))
        else:
            move(v, s)
        u = ops.divide(g, ops.sqrt(v))
        lr = lr * ops.maximum(_rms(variable), self.epsilon_2)
        lr = lr / ops.maximum(_rms(u) / self.clip_threshold, 1)
        self.assign_sub(variable, ops.multiply(lr, u))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x):
    return ops.sqrt(ops.mean(ops.square(x)))
