"""Gradient penalty: holds the slope of a critic."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GradientPenalty:
    """Holds the critic's slope: its gradient's norm shall be `target`.

    penalty = weight * mean((|grad D(x)| - target)^2)
    x = e * real + (1 - e) * generated, e uniform in [0, 1), one a sample ("between")

    WGAN-GP is target 1 "between"; R1, which lets the plain GAN converge, is target 0
    at "real" samples; "both" is R1 and R2, the penalty at real and at generated ones.

    Args:
        weight: factor of the penalty; of R1 it is half the paper's gamma.
        target: wanted norm of the gradient.
        at: "between", "real" or "both".

    Raises: ValueError for a weight or a target below 0, or another place `at`.

    >>> penalty = GradientPenalty(10.0)
    >>> x = keras.ops.ones((4, 2))
    >>> round(float(penalty(lambda x: 3 * x[:, :1], x, 0 * x, seed=0)), 3)
    40.0

    Papers: Gulrajani et al., "Improved training of Wasserstein GANs", 2017,
    https://arxiv.org/abs/1704.00028; Mescheder, Geiger, Nowozin, "Which training
    methods for GANs do actually converge?", 2018. https://arxiv.org/abs/1801.04406
    """

    def __init__(self, weight=10.0, target=1.0, at="between"):
        if weight < 0 or target < 0:
            raise ValueError(
                "`weight` and `target` must be at least 0. "
                f"Received: weight={weight}, target={target}"
            )
        if at not in ("between", "real", "both"):
            raise ValueError(
                f"`at` must be 'between', 'real' or 'both'. Received: at={at!r}"
            )
        self.weight = weight
        self.target = target
        self.at = at

    def __call__(self, critic, real, generated, seed):
        """The penalty of critic, a function of a batch of samples; a scalar."""
        if self.at == "between":
            e_shape = (ops.shape(real)[0], *(1 for _ in real.shape[1:]))
            e = keras.random.uniform(e_shape, seed=seed, dtype=real.dtype)
            places = [e * real + (1 - e) * generated]
        else:
            places = [real, generated] if self.at == "both" else [real]
        return self.weight * sum(self._excess(critic, x) for x in places)

    def _excess(self, critic, x):
        g = ops.cast(_gradient(critic, x), "float32")
        square = ops.sum(ops.square(g), axis=tuple(range(1, len(g.shape))))
        norm = ops.sqrt(square + 1e-12)  # a root has no slope at 0
        return ops.mean(ops.square(norm - self.target))

    def get_config(self):
        return {"weight": self.weight, "target": self.target, "at": self.at}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _gradient(f, x):
    """Gradient of sum(f(x)) to x, which can itself be differentiated."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.grad(lambda x: ops.sum(f(x)))(x)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)
    import torch

    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(ops.sum(f(x)), x, create_graph=True)[0]
