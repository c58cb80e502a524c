"""Learning-rate schedules: the step size as a function of the step."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineDecay(keras.optimizers.schedules.LearningRateSchedule):
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
        if decay_steps <= 0:
            raise ValueError(
                "Argument `decay_steps` must be > 0. "
                f"Received: decay_steps={decay_steps}"
            )
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        with keras.name_scope(self.name):
            initial = ops.convert_to_tensor(self.initial_learning_rate)
            t = ops.cast(step, initial.dtype)
            if self.warmup_target is None:
                return self._decay(initial, t)
            target = ops.cast(self.warmup_target, initial.dtype)
            warmup = initial + (target - initial) * t / max(self.warmup_steps, 1)
            decay = self._decay(target, t - self.warmup_steps)
            return ops.where(t < self.warmup_steps, warmup, decay)

    def _decay(self, peak, u):
        u = ops.minimum(u, ops.cast(self.decay_steps, u.dtype))
        cosine = (1 + ops.cos(math.pi * u / self.decay_steps)) / 2
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
