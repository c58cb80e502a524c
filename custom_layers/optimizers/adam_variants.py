"""Adam's descendants, each changing one term of it (sibling: adaptive)."""

import math

import keras
from keras import ops

from ..common.private_keras import slot_index
from .adaptive import Adam, _MomentOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdamW(Adam):
    """Adam whose weight decay does not pass through the adaptive scaling.

    w = w - lr * weight_decay * w      decay, first and on its own
    w = Adam's update of w             m and v never see the decay

    An L2 penalty would add weight_decay * w to g: weights with large gradients would
    then hardly decay, because v divides their decay too.

    Args:
        learning_rate: float, schedule, or callable without arguments; it scales the
            decay too.
        weight_decay: float; `exclude_from_weight_decay(var_names=["bias"])` spares
            variables.
        beta_1, beta_2, epsilon, amsgrad: as in Adam.
        kwargs: clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for weight_decay=None, and for betas outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable(1.0)
    >>> AdamW(0.1, weight_decay=0.5).apply([0.0], [w])
    >>> round(float(w), 3)
    0.95

    Paper: Loshchilov and Hutter, "Decoupled weight decay regularization", 2017,
    https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None"
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adamax(_MomentOptimizer):
    """Adam with the infinity norm: the largest recent |g| in place of the root of v.

    m = beta_1 * m + (1 - beta_1) * g
    u = max(beta_2 * u, |g|)
    w = w - lr / (1 - beta_1^t) * m / (u + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and u.
        epsilon: keeps the division defined before the first gradient.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adamax(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Paper: Kingma and Ba, "Adam: a method for stochastic optimization", section 7.1,
    2014, https://arxiv.org/abs/1412.6980
    """

    _slot_names = ("momentum", "norm")

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def _step_scalars(self, learning_rate, dtype):
        return ops.cast(learning_rate, dtype) / self._bias(self.beta_1, dtype)

    def update_step(self, gradient, variable, learning_rate):
        lr = self._scalars(learning_rate, variable)
        index = slot_index(self, variable)
        m, u = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign(u, ops.maximum(self.beta_2 * u, ops.abs(g)))
        self.assign_sub(variable, lr * m / (u + self.epsilon))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Nadam(_MomentOptimizer):
    """Adam with Nesterov's momentum: the step uses m as it will be next time.

    u_t = beta_1 * (1 - 0.96^t / 2)                  momentum that warms up
    p = u_1 * u_2 * ... * u_t
    m, v as in Adam
    m_hat = u_{t+1} * m / (1 - p * u_{t+1}) + (1 - u_t) * g / (1 - p)
    w = w - lr * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of the corrected v.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable(1.0)
    >>> Nadam(0.1).apply([4.0], [w])
    >>> round(float(w), 3)
    0.894

    Paper: Dozat, "Incorporating Nesterov momentum into Adam", 2016,
    https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._u_product = self.add_variable(
            shape=(),
            initializer="ones",
            dtype=var_list[0].dtype if var_list else None,
            name="u_product",
        )

    def _u(self, t, beta_1, decay=0.96):
        return beta_1 * (1 - 0.5 * ops.power(decay, t))

    def _step_scalars(self, learning_rate, dtype):
        """1 - betas, the factors of m and g in lr * m_hat, and v's correction."""
        t, lr = self._time(dtype), ops.cast(learning_rate, dtype)
        beta_1, beta_2 = ops.cast(self.beta_1, dtype), ops.cast(self.beta_2, dtype)
        decay = ops.cast(0.96, dtype)
        u, next_u = self._u(t, beta_1, decay), self._u(t + 1, beta_1, decay)
        if not self._known_scalars:  # once a step, even with variables of two dtypes
            p = self._u_product
            self.assign(p, p * self._u(self._time(p.dtype), self.beta_1))
        p = ops.cast(self._u_product, dtype)
        of_m, of_g = lr * next_u / (1 - p * next_u), lr * (1 - u) / (1 - p)
        return 1 - beta_1, 1 - beta_2, of_m, of_g, self._bias(self.beta_2, dtype)

    def update_step(self, gradient, variable, learning_rate):
        new_1, new_2, of_m, of_g, bias_2 = self._scalars(learning_rate, variable)
        g, m, v = self._average(gradient, variable, new_1, new_2)
        step = ops.add(of_m * m, ops.multiply(of_g, g))
        self.assign_sub(variable, step / (ops.sqrt(v / bias_2) + self.epsilon))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RectifiedAdam(Adam):
    """Adam that does not trust v before it has seen enough gradients (RAdam).

    rho_inf = 2 / (1 - beta_2) - 1
    rho = rho_inf - 2 * t * beta_2^t / (1 - beta_2^t)     length of v's average
    r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    rho > sma_threshold:  w = w - r * Adam's step
    else:                 w = w - lr * m / (1 - beta_1^t)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2, epsilon, amsgrad: as in Adam.
        sma_threshold: rho above which v is used; 5, as TensorFlow Addons and torch.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for betas outside [0, 1), beta_2 = 0, a sma_threshold below 4.
    Not in Keras. TensorFlow Addons' built-in warm-up is left to a schedule.

    >>> w = keras.Variable([1.0, 1.0])
    >>> RectifiedAdam(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.6  1.05]

    Paper: Liu et al., "On the variance of the adaptive learning rate and beyond", 2019,
    https://arxiv.org/abs/1908.03265
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        sma_threshold=5.0,
        **kwargs,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)
        if beta_2 == 0 or sma_threshold < 4:
            raise ValueError(
                "`beta_2` must be above 0 and `sma_threshold` at least 4, or r is not "
                f"defined. Received: beta_2={beta_2}, sma_threshold={sma_threshold}"
            )
        self.sma_threshold = sma_threshold

    def _step_scalars(self, learning_rate, dtype):
        t = self._time(dtype)
        # beta_2^t / (1 - beta_2^t), without the cancellation of 1 - beta_2^t.
        odds = 1 / ops.expm1(-math.log(self.beta_2) * t)
        rho_inf = 2 / (1 - self.beta_2) - 1
        rho = rho_inf - 2 * t * odds
        is_rectified = rho > self.sma_threshold
        r2 = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
        r2 = ops.where(is_rectified, r2 * self._bias(self.beta_2, dtype), 1)
        lr = ops.cast(learning_rate, dtype) / self._bias(self.beta_1, dtype)
        return lr * ops.sqrt(r2), is_rectified

    def update_step(self, gradient, variable, learning_rate):
        lr, is_rectified = self._scalars(learning_rate, variable)
        _, m, v = self._average(gradient, variable, 1 - self.beta_1, 1 - self.beta_2)
        root = ops.sqrt(self._largest(v, variable)) + self.epsilon
        self.assign_sub(variable, lr * m / ops.where(is_rectified, root, 1))

    def get_config(self):
        return {**super().get_config(), "sma_threshold": self.sma_threshold}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaBelief(Adam):
    """Adam scaled by how far g is from what m made us expect, instead of by g itself.

    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * (g - m)^2 + epsilon
    w = w - lr / (1 - beta_1^t) * m / (sqrt(s / (1 - beta_2^t)) + epsilon)

    Where gradients agree, s is small and the step long; where they jump, it is short.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and s.
        epsilon: added to s and to its root.
        amsgrad: keep the largest s seen.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. TensorFlow Addons rectifies by default; this is the paper's algorithm.

    >>> w = keras.Variable([1.0, 1.0])
    >>> AdaBelief(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.889 1.111]

    Paper: Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in
    observed gradients", 2020, https://arxiv.org/abs/2010.07468
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-14,
        amsgrad=False,
        **kwargs,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)

    def _step_scalars(self, learning_rate, dtype):
        lr = ops.cast(learning_rate, dtype) / self._bias(self.beta_1, dtype)
        return lr, self._bias(self.beta_2, dtype)

    def update_step(self, gradient, variable, learning_rate):
        lr, bias_2 = self._scalars(learning_rate, variable)
        index = slot_index(self, variable)
        m, s = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        surprise = ops.square(ops.subtract(g, m))
        self.assign_add(s, (1 - self.beta_2) * (surprise - s) + self.epsilon)
        root = ops.sqrt(self._largest(s, variable) / bias_2)
        self.assign_sub(variable, lr * m / (root + self.epsilon))
