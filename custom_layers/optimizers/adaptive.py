"""Adaptive optimizers: each weight's step is scaled by its gradient's history."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adam(keras.optimizers.Optimizer):
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
        weight_decay, clipnorm, ...: as in every Keras optimizer.

    >>> Adam().name
    'adam'

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
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name="adam",
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            name=name,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(var_list, "velocity_hat")

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        dtype = variable.dtype
        g = ops.cast(gradient, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        bias_1 = 1 - ops.power(ops.cast(self.beta_1, dtype), t)
        bias_2 = 1 - ops.power(ops.cast(self.beta_2, dtype), t)
        lr = ops.cast(learning_rate, dtype) * ops.sqrt(bias_2) / bias_1

        # beta * m + (1 - beta) * g, as one step from m towards g.
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign_add(v, (1 - self.beta_2) * ops.subtract(ops.square(g), v))
        v_hat = v
        if self.amsgrad:
            v_hat = self._velocity_hats[index]
            self.assign(v_hat, ops.maximum(v_hat, v))
        self.assign_sub(variable, lr * m / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
