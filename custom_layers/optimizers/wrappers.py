"""Optimizers around an optimizer: its steps averaged, pulled back or looked past."""

import keras
from keras import ops

from ..common.private_keras import optimized_variables, variable_key


class _Wrapper(keras.optimizers.Optimizer):
    """Hands its work to `inner_optimizer`; its slots and the inner ones are saved."""

    def __init__(self, inner_optimizer, name=None):
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = keras.optimizers.get(inner_optimizer)

    def build(self, var_list):
        if self.built:
            return
        self.inner_optimizer.build(var_list)
        super().build(var_list)
        self._slots = self.add_optimizer_variables(var_list, self._slot_name)

    def apply(self, grads, trainable_variables=None):
        if not self.built:
            if trainable_variables is None:
                raise ValueError(
                    "`apply` got no variables and the optimizer is not built: call "
                    "`build(variables)` first, or pass the variables."
                )
            self.build(list(trainable_variables))
        self._apply_around(grads, trainable_variables or optimized_variables(self))
        self.iterations.assign_add(1)

    def _pairs(self):
        """(variable, its slot), without those that gradients overwrite."""
        pairs = zip(optimized_variables(self), self._slots)
        return [(variable, slot) for variable, slot in pairs if slot is not None]

    @property
    def variables(self):
        return super().variables + self.inner_optimizer.variables

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"inner_optimizer": inner, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = keras.saving.deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        return cls(**{**config, "inner_optimizer": inner})


def _where(condition, x, y):
    """ops.where of variables, which JAX only takes as tensors."""
    return ops.where(condition, ops.convert_to_tensor(x), ops.convert_to_tensor(y))


def _check_positive_integer(**values):
    for name, value in values.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. Received: {name}={value}"
            )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lookahead(_Wrapper):
    """k steps of a fast optimizer, then slow weights go part of the way after them.

    every step:               fast = inner optimizer's update of fast
    every sync_period steps:  slow = slow + slow_step_size * (fast - slow);  fast = slow

    The model holds the fast weights.

    Args:
        inner_optimizer: the fast optimizer, or its name.
        sync_period: k, number of fast steps to a slow one.
        slow_step_size: the share of the way, in (0, 1].
        name: the optimizer's name.

    Raises: ValueError for a sync_period or slow_step_size out of its range.
    Not in Keras; the arguments are those of TensorFlow Addons.

    >>> w = keras.Variable(1.0)
    >>> optimizer = Lookahead(keras.optimizers.SGD(0.1), sync_period=2)
    >>> for _ in range(2):
    ...     optimizer.apply([1.0], [w])
    >>> round(float(w), 3)  # SGD went from 1.0 to 0.8, slow weights half of it
    0.9

    Paper: Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019,
    https://arxiv.org/abs/1907.08610
    """

    _slot_name = "slow"

    def __init__(self, inner_optimizer, sync_period=6, slow_step_size=0.5, name=None):
        super().__init__(inner_optimizer, name)
        _check_positive_integer(sync_period=sync_period)
        if not 0 < slow_step_size <= 1:
            raise ValueError(
                "`slow_step_size` must be above 0 and at most 1. "
                f"Received: slow_step_size={slow_step_size}"
            )
        self.sync_period = sync_period
        self.slow_step_size = slow_step_size

    def _apply_around(self, grads, trainable_variables):
        is_first = self.iterations == 0
        is_sync = (self.iterations + 1) % self.sync_period == 0
        for fast, slow in self._pairs():
            self.assign(slow, _where(is_first, fast, slow))
        self.inner_optimizer.apply(grads, trainable_variables)
        for fast, slow in self._pairs():
            new = slow + self.slow_step_size * (fast - slow)
            self.assign(slow, _where(is_sync, new, slow))
            self.assign(fast, _where(is_sync, new, fast))

    def get_config(self):
        return {
            **super().get_config(),
            "sync_period": self.sync_period,
            "slow_step_size": self.slow_step_size,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SWA(_Wrapper):
    """Stochastic weight averaging: the mean of the weights along the last steps.

    every step:                           w = inner optimizer's update of w
    at step start, and each period after: average = (n * average + w) / (n + 1)

    At the end of `fit`, or by `finalize_variable_values(model.trainable_variables)`,
    the average replaces w. Statistics of BatchNormalization belong to the weights of
    the last step: let some batches run through the model with training=True after it.

    Args:
        inner_optimizer: the optimizer, or its name; best with a high learning rate.
        start_averaging: number of steps before the first weights are averaged.
        average_period: number of steps between the weights that are averaged.
        name: the optimizer's name.

    Raises: ValueError for a negative start or a period below 1.
    Not in Keras, whose `use_ema` forgets old weights; this counts all the same. The
    arguments are those of TensorFlow Addons.

    >>> w = keras.Variable(1.0)
    >>> optimizer = SWA(keras.optimizers.SGD(0.1), start_averaging=1, average_period=1)
    >>> for _ in range(4):  # 0.9, then 0.8, 0.7, 0.6
    ...     optimizer.apply([1.0], [w])
    >>> optimizer.finalize_variable_values([w])
    >>> round(float(w), 3)
    0.7

    Paper: Izmailov et al., "Averaging weights leads to wider optima and better
    generalization", 2018, https://arxiv.org/abs/1803.05407
    """

    _slot_name = "average"

    def __init__(
        self, inner_optimizer, start_averaging=0, average_period=10, name=None
    ):
        super().__init__(inner_optimizer, name)
        _check_positive_integer(
            start_averaging=start_averaging + 1, average_period=average_period
        )
        self.start_averaging = start_averaging
        self.average_period = average_period

    def _apply_around(self, grads, trainable_variables):
        since_start = self.iterations - self.start_averaging
        n = ops.floor_divide(since_start, self.average_period)
        is_counted = (since_start >= 0) & (since_start % self.average_period == 0)
        self.inner_optimizer.apply(grads, trainable_variables)
        for w, average in self._pairs():
            share = ops.where(is_counted, 1 / ops.cast(n + 1, w.dtype), 0)
            self.assign_add(average, share * (w - average))

    def finalize_variable_values(self, var_list):
        super().finalize_variable_values(var_list)
        if self.built and int(self.iterations) > self.start_averaging:
            for w, average in self._pairs():
                self.assign(w, average)

    def get_config(self):
        return {
            **super().get_config(),
            "start_averaging": self.start_averaging,
            "average_period": self.average_period,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SAM(_Wrapper):
    """Sharpness-aware: step by the gradient at the worst point nearby, for flat minima.

    first call on a batch:   origin = w;  w = w + rho * g / |g|        up, g at w
    second call on it:       w = inner optimizer's update of origin    down, g at top

    |g| is the norm over all variables. SAM needs two gradients a step, and an optimizer
    only receives one a call: so two calls of `apply` make a step, and **every batch has
    to come twice in a row**. In `fit`: `dataset.batch(64).flat_map(lambda *batch:
    tf.data.Dataset.from_tensors(batch).repeat(2))`; in a loop of your own, compute the
    gradient and call `apply` twice. Learning-rate schedules count whole steps.

    Args:
        inner_optimizer: the optimizer that goes down, or its name.
        rho: length of the way up, > 0.
        name: the optimizer's name.

    Raises: ValueError for rho that is not positive.
    Not in Keras.

    >>> w = keras.Variable(1.0)
    >>> optimizer = SAM(keras.optimizers.SGD(0.1), rho=0.5)
    >>> for _ in range(2):  # loss w^2: the gradient is 2 at 1.0 and 3 at the top, 1.5
    ...     optimizer.apply([2 * w], [w])
    >>> round(float(w), 3)
    0.7

    Paper: Foret et al., "Sharpness-aware minimization for efficiently improving
    generalization", 2020, https://arxiv.org/abs/2010.01412
    """

    _slot_name = "origin"

    def __init__(self, inner_optimizer, rho=0.05, name=None):
        super().__init__(inner_optimizer, name)
        if rho <= 0:
            raise ValueError(f"`rho` must be positive. Received: rho={rho}")
        self.rho = rho

    def _apply_around(self, grads, trainable_variables):
        is_up = self.iterations % 2 == 0
        inner = self.inner_optimizer.variables
        inner_before = [ops.copy(ops.convert_to_tensor(state)) for state in inner]
        for w, origin in self._pairs():
            self.assign(origin, _where(is_up, w, origin))
            self.assign(w, origin)
        # No branch, which JAX could not take with state: what this does to the
        # optimizer and the weights on the way up is taken back below.
        self.inner_optimizer.apply(grads, trainable_variables)
        for state, before in zip(inner, inner_before):
            self.assign(state, _where(is_up, before, state))
        ways = self._ways_up(grads, trainable_variables)
        for w, origin in self._pairs():
            top = origin + ways.get(variable_key(self, w), 0)
            self.assign(w, _where(is_up, top, w))

    def _ways_up(self, grads, trainable_variables):
        """{key of a variable: rho * g / |g|}."""
        grads = {  # added to zeros, rows of an embedding become a dense gradient
            variable_key(self, w): ops.add(
                ops.cast(g, w.dtype), ops.zeros(w.shape, w.dtype)
            )
            for g, w in zip(grads, trainable_variables)
            if g is not None
        }
        squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in grads.values()]
        norm = ops.sqrt(sum(squares))
        scale = ops.where(norm > 0, self.rho / norm, 0)
        return {key: ops.cast(scale, g.dtype) * g for key, g in grads.items()}

    def get_config(self):
        return {**super().get_config(), "rho": self.rho}
