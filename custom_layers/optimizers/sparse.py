"""Optimizers for sparse data: few features a batch (siblings: base, adaptive)."""

import keras
from keras import ops

from ..common.private_keras import slot_index
from .adaptive import Adam
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Ftrl(_StepOptimizer):
    """Follow the regularized leader: Adagrad whose L1 penalty gives exact zeros.

    new_a = a + g^2;  p = -learning_rate_power
    z = z + g + 2 * l2_shrinkage * w - (new_a^p - a^p) / lr * w
    q = new_a^p / lr + 2 * l2 + beta / lr
    w = (clip(z, -l1, l1) - z) / q                         zero where |z| <= l1
    a = new_a

    Args:
        learning_rate: float, schedule, or callable without arguments.
        learning_rate_power: <= 0; -0.5 is Adagrad's decay, 0 a constant rate.
        initial_accumulator_value: start of a, >= 0.
        l1_regularization_strength, l2_regularization_strength: l1 and l2, >= 0.
        l2_shrinkage_regularization_strength: l2 penalty on the loss itself, >= 0; the
            one above only stabilizes the leader.
        beta: added to the root of a, as in the paper.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an argument of the wrong sign.
    Differs from Keras: the arguments of the base class are keyword-only.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Ftrl(0.1, l1_regularization_strength=3.0).apply([[0.1, -4.0]], [w])
    >>> print(w.numpy().round(3))
    [0.    0.946]

    Paper: McMahan et al., "Ad click prediction: a view from the trenches", 2013,
    https://doi.org/10.1145/2487575.2488200
    """

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for name, value in self._own_config().items():
            if name == "learning_rate_power" and value > 0:
                raise ValueError(
                    f"`{name}` needs to be negative or zero. Received: {name}={value}."
                )
            if name not in ("learning_rate_power", "beta") and value < 0:
                raise ValueError(
                    f"`{name}` needs to be positive or zero. Received: {name}={value}."
                )

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._accumulators, self._linears = self.add_optimizer_variables(
            var_list, ["accumulator", "linear"], initializer=[start, "zeros"]
        )

    def _step_scalars(self, learning_rate, dtype):
        lr = ops.cast(learning_rate, dtype)
        return lr, 2 * self.l2_regularization_strength + self.beta / lr

    def update_step(self, gradient, variable, learning_rate):
        lr, l2 = self._scalars(learning_rate, variable)
        index = slot_index(self, variable)
        a, z = self._accumulators[index], self._linears[index]
        g = ops.cast(gradient, variable.dtype)
        l1, p = self.l1_regularization_strength, -self.learning_rate_power

        new_a = ops.add(a, ops.square(g))
        rate = ops.power(new_a, p) / lr
        shrinkage = 2 * self.l2_shrinkage_regularization_strength
        pull = shrinkage - (rate - ops.power(a, p) / lr)
        self.assign_add(z, ops.add(g, ops.multiply(pull, variable)))
        self.assign(variable, (ops.clip(z, -l1, l1) - z) / (rate + l2))
        self.assign(a, new_a)

    def _own_config(self):
        return {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": (
                self.l2_shrinkage_regularization_strength
            ),
            "beta": self.beta,
        }

    def get_config(self):
        return {**super().get_config(), **self._own_config()}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LazyAdam(Adam):
    """Adam that leaves alone the rows of an embedding which the batch did not use.

    rows in the gradient:  m, v, w = Adam's update of these rows
    all other rows:        m, v, w unchanged

    Adam itself lets m and v of absent rows decay and goes on moving w by the old m.
    A gradient is lazy where it comes as rows: on TensorFlow that of an Embedding. A
    row that comes more than once counts once, with the sum of its gradients.

    Args: as in Adam.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. A dense gradient, as JAX and torch give, is updated as by Adam.

    >>> layer = keras.layers.Embedding(1000, 8)
    >>> model = keras.Sequential([layer, keras.layers.Flatten()])
    >>> model.compile(LazyAdam(0.1), "mse")

    Paper: LazyAdam of TensorFlow Addons, 2019, after Adam's paper (see Adam):
    https://www.tensorflow.org/addons/api_docs/python/tfa/optimizers/LazyAdam
    """

    def update_step(self, gradient, variable, learning_rate):
        if not hasattr(gradient, "dense_shape"):
            super().update_step(gradient, variable, learning_rate)
            return
        rows, lr = gradient.indices, self._scalars(learning_rate, variable)
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        # Summed over repeated rows; each repetition then computes the same new row.
        g = ops.segment_sum(gradient.values, rows, num_segments=variable.shape[0])
        g = ops.cast(g, variable.dtype)
        g, m_rows, v_rows = (ops.take(x, rows, axis=0) for x in (g, m, v))
        m_rows = m_rows + (1 - self.beta_1) * (g - m_rows)
        v_rows = v_rows + (1 - self.beta_2) * (ops.square(g) - v_rows)
        self._assign_rows(m, rows, m_rows)
        self._assign_rows(v, rows, v_rows)
        if self.amsgrad:
            v_hat = self._velocity_hats[index]
            v_rows = ops.maximum(ops.take(v_hat, rows, axis=0), v_rows)
            self._assign_rows(v_hat, rows, v_rows)
        step = lr * m_rows / (ops.sqrt(v_rows) + self.epsilon)
        self._assign_rows(variable, rows, ops.take(variable, rows, axis=0) - step)

    def _assign_rows(self, variable, rows, values):
        new = ops.scatter_update(variable, ops.expand_dims(rows, 1), values)
        self.assign(variable, new)
