"""Adaptive optimizers: each weight's step is scaled by its gradient's history.

Adagrad divides by the root of all squares so far, RMSprop and Adadelta by that of a
running average, Adam adds momentum and corrects both averages for their start at zero.
"""

import keras
from keras import ops

from ..common.private_keras import slot_index
from .base import _check_decay_rates, _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adagrad(_StepOptimizer):
    """Steps shrink with the sum of squared gradients: rare features keep long steps.

    a = a + g^2
    w = w - lr * g / sqrt(a + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        initial_accumulator_value: start of a, so that first steps are not huge.
        epsilon: added inside the root.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adagrad(0.1, initial_accumulator_value=0.0).apply([[4.0, 0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 0.9]

    Paper: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011, https://jmlr.org/papers/v12/duchi11a.html
    """

    def __init__(
        self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **kwargs
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._accumulators = self.add_optimizer_variables(
            var_list, "accumulator", initializer=start
        )

    def update_step(self, gradient, variable, learning_rate):
        lr = self._scalars(learning_rate, variable)
        g = ops.cast(gradient, variable.dtype)
        a = self._accumulators[slot_index(self, variable)]
        self.assign_add(a, ops.square(g))
        root = ops.sqrt(ops.add(a, self.epsilon))
        self.assign_sub(variable, ops.divide(ops.multiply(lr, g), root))

    def get_config(self):
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adadelta(_StepOptimizer):
    """Adagrad that forgets, in units of the weights: past steps scale the next one.

    a = rho * a + (1 - rho) * g^2
    step = sqrt((d + epsilon) / (a + epsilon)) * g
    d = rho * d + (1 - rho) * step^2
    w = w - lr * step

    Args:
        learning_rate: float, schedule, or callable without arguments; 1.0 in the paper.
        rho: decay rate of both averages, a and d.
        epsilon: added inside both roots; it starts the first step.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for rho outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable(1.0)
    >>> Adadelta(1.0, rho=0.5, epsilon=0.02).apply([1.0], [w])
    >>> round(1 - float(w), 4)
    0.1961

    Paper: Zeiler, "ADADELTA: an adaptive learning rate method", 2012,
    https://arxiv.org/abs/1212.5701
    """

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        _check_decay_rates(rho=rho)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._accumulated_grads, self._accumulated_delta_vars = (
            self.add_optimizer_variables(
                var_list, ["accumulated_grad", "accumulated_delta_var"]
            )
        )

    def update_step(self, gradient, variable, learning_rate):
        lr = self._scalars(learning_rate, variable)
        g = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        a, d = self._accumulated_grads[index], self._accumulated_delta_vars[index]
        self.assign_add(a, (1 - self.rho) * ops.subtract(ops.square(g), a))
        step = ops.multiply(ops.sqrt((d + self.epsilon) / (a + self.epsilon)), g)
        self.assign_add(d, (1 - self.rho) * ops.subtract(ops.square(step), d))
        self.assign_sub(variable, ops.multiply(lr, step))

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RMSprop(_StepOptimizer):
    """Adagrad that forgets: g is divided by the root of its running mean square.

    v = rho * v + (1 - rho) * g^2
    variance = v, or centered: v - mean^2 with mean = rho * mean + (1 - rho) * g
    step = lr * g / sqrt(variance + epsilon)
    w = w - step, or with momentum: m = momentum * m + step;  w = w - m

    Args:
        learning_rate: float, schedule, or callable without arguments.
        rho: decay rate of v and of the mean.
        momentum: share of the last step that is kept; 0 for none.
        epsilon: added inside the root.
        centered: divide by an estimate of the standard deviation.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for rho outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> RMSprop(0.1, rho=0.75).apply([[4.0, 0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.8 0.8]

    Papers: Tieleman and Hinton, "Lecture 6.5 - rmsprop", 2012,
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered:
    Graves, "Generating sequences with recurrent neural networks", 2013,
    https://arxiv.org/abs/1308.0850
    """

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        _check_decay_rates(rho=rho)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._velocities = self.add_optimizer_variables(var_list, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(var_list, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(
                var_list, "average_gradient"
            )

    def update_step(self, gradient, variable, learning_rate):
        lr = self._scalars(learning_rate, variable)
        g = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        v = self._velocities[index]
        self.assign_add(v, (1 - self.rho) * ops.subtract(ops.square(g), v))
        variance = v
        if self.centered:
            mean = self._average_gradients[index]
            self.assign_add(mean, (1 - self.rho) * ops.subtract(g, mean))
            variance = v - ops.square(mean)
        step = ops.divide(ops.multiply(lr, g), ops.sqrt(variance + self.epsilon))
        if self.momentum > 0:
            m = self._momentums[index]
            step = ops.add(self.momentum * m, step)
            self.assign(m, step)
        self.assign_sub(variable, step)

    def get_config(self):
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


class _MomentOptimizer(_StepOptimizer):
    """What Adam and its variants share: the running averages m of g and v of g^2."""

    _slot_names = ("momentum", "velocity")

    def __init__(self, learning_rate, beta_1, beta_2, epsilon, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        _check_decay_rates(beta_1=beta_1, beta_2=beta_2)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, list(self._slot_names)
        )

    def _average(self, gradient, variable, new_1, new_2):
        """m and v take the share 1 - beta of g and g^2; returns g, m and v."""
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)
        # beta * m + (1 - beta) * g, as one step from m towards g.
        self.assign_add(m, new_1 * ops.subtract(g, m))
        self.assign_add(v, new_2 * ops.subtract(ops.square(g), v))
        return g, m, v

    def _bias(self, beta, dtype):
        """1 - beta^t: what an average that started at zero has seen by now."""
        return 1 - ops.power(ops.cast(beta, dtype), self._time(dtype))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adam(_MomentOptimizer):
    """Momentum over RMSprop, both averages corrected for their start at zero.

    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g^2
    v_hat = max(v_hat, v) with amsgrad, else v
    w = w - lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v_hat) + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of v before its bias is corrected.
        amsgrad: keep the largest v seen, so that steps never grow again.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adam(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Papers: Kingma and Ba, "Adam: a method for stochastic optimization", 2014,
    https://arxiv.org/abs/1412.6980; amsgrad: Reddi, Kale, Kumar, "On the convergence
    of Adam and beyond", 2018, https://arxiv.org/abs/1904.09237
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = amsgrad

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(var_list, "velocity_hat")

    def _step_scalars(self, learning_rate, dtype):
        bias_1, bias_2 = self._bias(self.beta_1, dtype), self._bias(self.beta_2, dtype)
        return ops.cast(learning_rate, dtype) * ops.sqrt(bias_2) / bias_1

    def _largest(self, v, variable):
        """v_hat: v itself, or with amsgrad the largest v seen."""
        if not self.amsgrad:
            return v
        v_hat = self._velocity_hats[slot_index(self, variable)]
        self.assign(v_hat, ops.maximum(v_hat, v))
        return v_hat

    def update_step(self, gradient, variable, learning_rate):
        lr = self._scalars(learning_rate, variable)
        _, m, v = self._average(gradient, variable, 1 - self.beta_1, 1 - self.beta_2)
        v_hat = self._largest(v, variable)
        self.assign_sub(variable, lr * m / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        return {**super().get_config(), "amsgrad": self.amsgrad}
