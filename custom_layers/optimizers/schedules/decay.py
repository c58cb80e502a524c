"""Learning-rate schedules: the step size as a function of the step."""

import math

import keras
from keras import ops


def _check_positive(**values):
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule computes `rate(t)`; t and the rate have the dtype of `start`."""

    def __call__(self, step):
        with keras.name_scope(self.name):
            start = ops.convert_to_tensor(self.initial_learning_rate)
            return self._rate(start, ops.cast(step, start.dtype))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ExponentialDecay(_Schedule):
    """The rate shrinks by the same factor every `decay_steps` steps.

    lr = initial_learning_rate * decay_rate^p
    p = t / decay_steps, with staircase its whole part

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: number of steps for one factor, > 0.
        decay_rate: the factor.
        staircase: jump once every decay_steps instead of gliding.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.

    >>> schedule = ExponentialDecay(0.8, decay_steps=10, decay_rate=0.5)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 20)]
    [0.8, 0.566, 0.4, 0.2]

    Paper: Robbins and Monro, "A stochastic approximation method", 1951, on rates that
    go to zero; https://doi.org/10.1214/aoms/1177729586
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="ExponentialDecay",
    ):
        super().__init__()
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def _rate(self, start, t):
        return start * ops.power(ops.cast(self.decay_rate, t.dtype), self._progress(t))

    def _progress(self, t):
        p = t / self.decay_steps
        return ops.floor(p) if self.staircase else p

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class InverseTimeDecay(ExponentialDecay):
    """The rate falls as one over time: fast at first, then ever more slowly.

    lr = initial_learning_rate / (1 + decay_rate * p)
    p = t / decay_steps, with staircase its whole part

    Args: as of ExponentialDecay; after decay_steps, lr is 1 / (1 + decay_rate) of it.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.

    >>> schedule = InverseTimeDecay(0.8, decay_steps=10, decay_rate=1.0)
    >>> [round(float(schedule(t)), 3) for t in (0, 10, 30, 70)]
    [0.8, 0.4, 0.2, 0.1]

    Paper: Robbins and Monro, "A stochastic approximation method", 1951: sums of such
    rates diverge and of their squares converge; https://doi.org/10.1214/aoms/1177729586
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        decay_rate,
        staircase=False,
        name="InverseTimeDecay",
    ):
        super().__init__(
            initial_learning_rate, decay_steps, decay_rate, staircase, name
        )

    def _rate(self, start, t):
        return start / (1 + self.decay_rate * self._progress(t))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PiecewiseConstantDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate for each stretch of steps: lowered by hand where learning stalls.

    lr = values[i], with i the number of boundaries below t

    Args:
        boundaries: increasing list of steps; a boundary still has the rate before it.
        values: list of rates, one more than boundaries.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError where values are not one more than boundaries.

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> [round(float(schedule(t)), 3) for t in (0, 10, 11, 20, 21)]
    [0.1, 0.1, 0.01, 0.01, 0.001]

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012, https://doi.org/10.1145/3065386
    """

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        super().__init__()
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, and "
                f"values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            t = ops.convert_to_tensor(step)
            boundaries = ops.cast(ops.convert_to_tensor(self.boundaries), t.dtype)
            i = ops.sum(ops.cast(t > boundaries, "int32"))
            return ops.take(ops.convert_to_tensor(self.values), i)

    def get_config(self):
        return {
            "boundaries": self.boundaries,
            "values": self.values,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PolynomialDecay(_Schedule):
    """From one rate to another along a polynomial; power 1 is a straight line.

    lr = end + (initial - end) * (1 - t / T)^power
    t is held at T = decay_steps, or with cycle: T is the next multiple of decay_steps

    Args:
        initial_learning_rate, end_learning_rate: rates at step 0 and at step T.
        decay_steps: length T of the decay, > 0.
        power: of the polynomial.
        cycle: start again, from a lower rate each time, once T is reached.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.

    >>> schedule = PolynomialDecay(0.1, 10, end_learning_rate=0.0, power=2.0)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 15)]
    [0.1, 0.025, 0.0, 0.0]

    Paper: Liu, Rabinovich, Berg, "ParseNet: looking wider to see better", 2015,
    https://arxiv.org/abs/1506.04579
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        super().__init__()
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def _rate(self, start, t):
        p = t / self.decay_steps
        if self.cycle:
            p = p / ops.maximum(ops.ceil(p), 1)
        end = self.end_learning_rate
        left = ops.power(1 - ops.minimum(p, 1), self.power)
        return (start - end) * left + end

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


def _cosine(progress):
    """Half a cosine: 1 at progress 0, 0 at progress 1."""
    return (1 + ops.cos(math.pi * progress)) / 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineDecay(_Schedule):
    """Linear warm-up, then half a cosine down to a floor.

    warm-up, t < warmup_steps: lr = initial + (target - initial) * t / warmup_steps
    decay, u = t - warmup_steps: lr = peak * ((1 - alpha) * (1 + cos(pi * u / T)) / 2
        + alpha), with T = decay_steps and u held at T once it is reached
    peak is target, or initial where there is no warm-up.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: length T of the decay, > 0.
        alpha: the floor, as a share of the peak.
        name: label of the operation.
        warmup_target: rate at the end of the warm-up; None means no warm-up.
        warmup_steps: length of the warm-up.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.

    >>> schedule = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 60, 110, 200)]
    [0.0, 0.05, 0.1, 0.05, 0.0, 0.0]

    Papers: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2016, https://arxiv.org/abs/1608.03983; warm-up: Goyal et al.,
    "Accurate, large minibatch SGD", 2017, https://arxiv.org/abs/1706.02677
    """

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        super().__init__()
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def _rate(self, start, t):
        if self.warmup_target is None:
            return self._decay(start, t)
        target = ops.cast(self.warmup_target, t.dtype)
        warmup = start + (target - start) * t / max(self.warmup_steps, 1)
        decay = self._decay(target, t - self.warmup_steps)
        return ops.where(t < self.warmup_steps, warmup, decay)

    def _decay(self, peak, u):
        cosine = _cosine(ops.minimum(u / self.decay_steps, 1))
        return peak * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineDecayRestarts(_Schedule):
    """Cosine decays one after the other, each longer than the last (SGDR).

    decay i lasts T_i = first_decay_steps * t_mul^i steps
    lr = initial * ((1 - alpha) * m_mul^i * (1 + cos(pi * u / T_i)) / 2 + alpha)
    with u the steps since decay i began

    Args:
        initial_learning_rate: rate at step 0.
        first_decay_steps: length of the first decay, > 0.
        t_mul: each decay's length as a multiple of the one before it.
        m_mul: each decay's start as a multiple of the one before it.
        alpha: the floor, as a share of the initial rate.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for first_decay_steps <= 0.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, m_mul=0.5)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]

    Paper: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2016, https://arxiv.org/abs/1608.03983
    """

    def __init__(
        self,
        initial_learning_rate,
        first_decay_steps,
        t_mul=2.0,
        m_mul=1.0,
        alpha=0.0,
        name="SGDRDecay",
    ):
        super().__init__()
        _check_positive(first_decay_steps=first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def _rate(self, start, t):
        p = t / self.first_decay_steps
        if self.t_mul == 1:
            i = ops.floor(p)
            p = p - i
        else:  # decay i begins at p = (1 - t_mul^i) / (1 - t_mul)
            i = ops.log(1 - p * (1 - self.t_mul)) / math.log(self.t_mul)
            i = ops.floor(i + 1e-6)  # or a rounded logarithm restarts a step late
            length = ops.power(ops.cast(self.t_mul, t.dtype), i)
            p = (p - (1 - length) / (1 - self.t_mul)) / length
        peak = ops.power(ops.cast(self.m_mul, t.dtype), i)
        return start * ((1 - self.alpha) * peak * _cosine(p) + self.alpha)

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
