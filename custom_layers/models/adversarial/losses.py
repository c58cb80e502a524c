"""The kinds of GAN, as losses: what the scores cost the critic and the generator."""

from typing import Any

import keras
from keras import ops

from ...common.types import Config


class _AdversarialLoss(keras.losses.Loss):
    """The critic's loss, from its scores y_pred; y_true is 1 for real, 0 for generated.

    A kind of GAN defines the cost of one score: `real` and `generated` are what the
    score of a real and of a generated sample costs the critic, `fooling` is what the
    score of a generated sample costs the generator.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def real(self, scores):
        raise NotImplementedError

    def generated(self, scores):
        raise NotImplementedError

    def fooling(self, scores):
        raise NotImplementedError

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        y_true = ops.cast(y_true, y_pred.dtype)
        if len(y_true.shape) != len(y_pred.shape):
            raise ValueError(
                "Arguments `y_true` and `y_pred` must have the same shape. Received: "
                f"y_true.shape={tuple(y_true.shape)}, "
                f"y_pred.shape={tuple(y_pred.shape)}"
            )
        loss = y_true * self.real(y_pred) + (1 - y_true) * self.generated(y_pred)
        return ops.mean(loss, axis=-1)

    def generator(self, scores):
        """The generator's loss, from the scores of its samples: a scalar."""
        return ops.mean(self.fooling(ops.cast(scores, self.dtype)))

    def get_config(self) -> Config:
        config = super().get_config()
        if self.dtype != keras.config.floatx():
            config["dtype"] = self.dtype
        return config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NonSaturatingGAN(_AdversarialLoss):
    """The usual GAN: the critic is a classifier of real and generated samples.

    critic: -log(D(x)) - log(1 - D(G(z))), D = sigmoid(score)
    generator: -log(D(G(z))), whose gradient is largest where the critic is not fooled

    Args:
        reduction, name, dtype: as in every loss.

    Shapes: y_true, 1 for real and 0 for generated, and y_pred, the scores, (B, ..., 1).
    Raises: ValueError if the ranks differ.

    >>> loss = NonSaturatingGAN()
    >>> round(float(loss([[1.0]], [[2.0]])), 4), round(float(loss.generator(2.0)), 4)
    (0.1269, 0.1269)

    Paper: Goodfellow et al., "Generative adversarial nets", 2014.
    https://arxiv.org/abs/1406.2661
    """

    def real(self, scores):
        return ops.softplus(-scores)

    def generated(self, scores):
        return ops.softplus(scores)

    def fooling(self, scores):
        return ops.softplus(-scores)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinimaxGAN(NonSaturatingGAN):
    """Minimax GAN: a game about one number, which the generator makes small.

    critic: -log(D(x)) - log(1 - D(G(z))), D = sigmoid(score)
    generator: log(1 - D(G(z))), whose gradient vanishes where the critic is certain

    Args, shapes, errors: as in `NonSaturatingGAN`.

    >>> round(float(MinimaxGAN().generator(2.0)), 4)
    -2.1269

    Paper: Goodfellow et al., "Generative adversarial nets", 2014.
    https://arxiv.org/abs/1406.2661
    """

    def fooling(self, scores):
        return -ops.softplus(scores)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LeastSquaresGAN(_AdversarialLoss):
    """Least-squares GAN: regression of scores to 1 for real and 0 for generated ones.

    critic: (D(x) - 1)^2 + D(G(z))^2, D = score
    generator: (D(G(z)) - 1)^2

    Unlike those of a sigmoid, its gradients do not vanish for scores that are far off.

    Args, shapes, errors: as in `NonSaturatingGAN`.
    Differs from the paper: no factor of 1/2.

    >>> float(LeastSquaresGAN()([[1.0], [0.0]], [[0.5], [0.5]]))
    0.25

    Paper: Mao et al., "Least squares generative adversarial networks", 2017.
    https://arxiv.org/abs/1611.04076
    """

    def real(self, scores):
        return ops.square(scores - 1)

    def generated(self, scores):
        return ops.square(scores)

    def fooling(self, scores):
        return ops.square(scores - 1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HingeGAN(_AdversarialLoss):
    """Hinge GAN: the critic learns only from samples inside its margin.

    critic: max(0, 1 - D(x)) + max(0, 1 + D(G(z))), D = score
    generator: -D(G(z))

    Args, shapes, errors: as in `NonSaturatingGAN`.

    >>> float(HingeGAN()([[1.0], [0.0]], [[0.5], [-2.0]]))
    0.25

    Paper: Lim, Ye, "Geometric GAN", 2017. https://arxiv.org/abs/1705.02894
    """

    def real(self, scores):
        return ops.relu(1 - scores)

    def generated(self, scores):
        return ops.relu(1 + scores)

    def fooling(self, scores):
        return -scores


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WassersteinGAN(_AdversarialLoss):
    """Wasserstein GAN: the critic measures how far samples are from the real ones.

    critic: D(G(z)) - D(x), D = score
    generator: -D(G(z))

    The loss is minus the distance by which probability mass must be moved, if the
    critic has slope 1. A `GradientPenalty` takes care of that; without one, the scores
    grow without bound.

    Args, shapes, errors: as in `NonSaturatingGAN`.

    >>> float(WassersteinGAN()([[1.0], [0.0]], [[3.0], [1.0]]))
    -1.0

    Paper: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017.
    https://arxiv.org/abs/1701.07875
    """

    def real(self, scores):
        return -scores

    def generated(self, scores):
        return scores

    def fooling(self, scores):
        return -scores
