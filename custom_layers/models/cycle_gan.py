"""A model that translates between two kinds of samples, without pairs to learn from."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import number_from_zero
from ..common.types import Config
from .adversarial.backends import _minimize
from .adversarial.losses import LeastSquaresGAN
from .adversarial.two_players import (
    _critics_loss,
    _refuse_shared_statistics,
    _TwoPlayers,
    _weights_of,
)

PARTS = ("generator", "inverse", "critic_x", "critic_y")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CycleGAN(_TwoPlayers):
    """Cycle-consistent GAN: translates samples x to samples y and back, without pairs.

    G is the generator, F the inverse, D_X and D_Y are the critics of x and of y.

    cycle_loss = mean |F(G(x)) - x| + mean |G(F(y)) - y|
    identity_loss = mean |G(y) - y| + mean |F(x) - x|
    generator_loss = fooling(D_Y(G(x))) + fooling(D_X(F(y)))
    critic_loss = real(D_X(x)) + generated(D_X(F(y))) + the same for D_Y

    G and F minimize generator_loss + cycle * cycle_loss + identity * identity_loss. In
    the same step, D_X and D_Y then minimize critic_loss, with the same G(x) and F(y).

    Args:
        generator, inverse: functional models, samples x -> y and samples y -> x.
        critic_x, critic_y: functional models, samples -> scores: one score per sample,
            or one for each place, which judges the patch around it.
        loss: the kind of GAN; by default `LeastSquaresGAN`.
        penalty: a `GradientPenalty` of both critics, or None.
        cycle, identity: weights of these losses, at least 0. With 0, the loss is left
            out. With an identity above 0, x and y need one shape.

    Shapes: as many x as y in `fit`, in any order. A call translates x.
    Raises: ValueError if the networks do not fit together, or for a weight below 0.
    Differs from the paper: the critics see the present translations only, not some of
        earlier steps; that pool is meant for batches of one image.

    `scores`, metrics set before `fit`, get metric.update_state(y, G(x)) in validation.

    >>> from custom_layers.models import CycleGAN
    >>> def network():  # what it makes is what it takes, until it has learned
    ...     dense = keras.layers.Dense(1, kernel_initializer="ones")
    ...     return keras.Sequential([keras.Input((1,)), dense])
    >>> networks = [network() for _ in range(4)]
    >>> model = CycleGAN(*networks, cycle=1, identity=0)
    >>> adam = [keras.optimizers.Adam(0.1, beta_1=0.5) for _ in range(2)]
    >>> model.compile(*adam)
    >>> x = keras.random.normal((2048, 1))
    >>> _ = model.fit(x, 4.0 + keras.random.normal((2048, 1)), epochs=6, verbose=0)
    >>> bool(abs(model.translate(np.zeros((9, 1))).mean() - 4) < 1)
    True
    >>> bool(abs(model.translate(np.full((9, 1), 4.0), back=True).mean()) < 1)
    True

    Paper: Zhu, Park, Isola, Efros, "Unpaired image-to-image translation using
    cycle-consistent adversarial networks", 2017. https://arxiv.org/abs/1703.10593
    """

    def __init__(
        self,
        generator: keras.Model,
        inverse: keras.Model,
        critic_x: keras.Model,
        critic_y: keras.Model,
        loss: Any = None,
        penalty: Any = None,
        cycle: float = 10.0,
        identity: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        parts = dict(zip(PARTS, (generator, inverse, critic_x, critic_y)))
        _refuse_misfits(parts, penalty, identity)
        self.generator = generator
        self.inverse = inverse
        self.critic_x = critic_x
        self.critic_y = critic_y
        self.adversarial_loss = LeastSquaresGAN() if loss is None else loss
        self.penalty = penalty
        self.cycle = number_from_zero(cycle, "cycle")
        self.identity = number_from_zero(identity, "identity")
        self.scores: list = []
        self.seed = keras.random.SeedGenerator()
        names = ["critic_loss", "generator_loss"]
        names += ["cycle_loss"] if self.cycle else []
        names += ["identity_loss"] if self.identity else []
        self.trackers = [keras.metrics.Mean(name) for name in names]
        self.built = True

    def call(self, inputs, training: bool = False):
        return self.generator(inputs, training=training)

    def translate(self, samples: Any, back: bool = False) -> np.ndarray:
        """The samples x as samples y or, with `back`, the samples y as samples x."""
        network = self.inverse if back else self.generator
        return network.predict(samples, batch_size=500, verbose=0)

    def export(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Exports the generator, which translates x to y."""
        self.generator.export(filepath, *args, **kwargs)

    def _sides(self) -> tuple[list[keras.Model], list[keras.Model]]:
        return [self.generator, self.inverse], [self.critic_x, self.critic_y]

    def _train(self, data):
        x, y = self._unpaired(data)
        losses, x_made, y_made = self._generators_step(x, y)
        losses["critic_loss"] = self._critics_step(x, y, x_made, y_made)
        return self._logs_of(losses)

    def _test(self, data):
        x, y = self._unpaired(data)
        losses, x_made, y_made = self._translations(x, y, training=False)
        made = x_made, y_made
        losses["critic_loss"] = self._loss_of_critics(x, y, *made, training=False)
        self._logs_of(losses)
        for metric in self.scores:
            metric.update_state(y, y_made)
        return self.get_metrics_result()

    def _unpaired(self, data):
        """(x, y) as tensors of the type in which the model computes."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None or sample_weight is not None:
            got = "no y" if y is None else "weights of samples or classes"
            raise ValueError(
                "CycleGAN learns from samples x and y of two kinds, which all count "
                f"equally, as in fit(x, y). Received: {got}"
            )
        samples = [ops.convert_to_tensor(part) for part in (x, y)]
        return [ops.cast(part, self.compute_dtype) for part in samples]

    def _logs_of(self, losses):
        """The means so far of the losses, once these are counted in."""
        for tracker in self.trackers:
            tracker.update_state(losses[tracker.name])
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def _generators_step(self, x, y):
        """G and F learn; returns their losses, and the F(y) and G(x) that they made."""

        def objective():
            losses, x_made, y_made = self._translations(x, y, training=True)
            total = losses["generator_loss"]
            if self.cycle:
                total = total + self.cycle * losses["cycle_loss"]
            if self.identity:
                total = total + self.identity * losses["identity_loss"]
            return total, (losses, x_made, y_made)

        generators, _ = self._sides()
        weights = _weights_of(generators)
        return _minimize(objective, weights, self.optimizer.generator, self)

    def _translations(self, x, y, training: bool):
        """(losses of G and F, F(y), G(x))"""

        def G(samples):
            made = self.generator(samples, training=training)
            return ops.cast(made, self.compute_dtype)

        def F(samples):
            made = self.inverse(samples, training=training)
            return ops.cast(made, self.compute_dtype)

        x_made, y_made = F(y), G(x)
        fooling = self.adversarial_loss.generator
        of_x = fooling(self.critic_x(x_made, training=training))
        of_y = fooling(self.critic_y(y_made, training=training))
        losses = {"generator_loss": of_x + of_y}
        if self.cycle:
            losses["cycle_loss"] = _distance(F(y_made), x) + _distance(G(x_made), y)
        if self.identity:
            losses["identity_loss"] = _distance(F(x), x) + _distance(G(y), y)
        return losses, x_made, y_made

    def _critics_step(self, x, y, x_made, y_made):
        """D_X and D_Y learn to tell samples from translations; returns their loss."""
        x_made, y_made = ops.stop_gradient(x_made), ops.stop_gradient(y_made)

        def objective():
            loss = self._loss_of_critics(x, y, x_made, y_made, training=True)
            if self.penalty is None:
                return loss, loss
            D_X, D_Y = self._critics(training=True)
            of_x = self.penalty(D_X, x, x_made, self.seed)
            of_y = self.penalty(D_Y, y, y_made, self.seed)
            return loss + of_x + of_y, loss

        _, critics = self._sides()
        weights = _weights_of(critics)
        return _minimize(objective, weights, self.optimizer.critic, self)

    def _loss_of_critics(self, x, y, x_made, y_made, training: bool):
        D_X, D_Y = self._critics(training)
        kind = self.adversarial_loss
        of_x = _critics_loss(kind, D_X(x), D_X(x_made))
        of_y = _critics_loss(kind, D_Y(y), D_Y(y_made))
        return of_x + of_y

    def _critics(self, training: bool):
        """D_X and D_Y as functions of samples alone."""

        def D_X(samples):
            return self.critic_x(samples, training=training)

        def D_Y(samples):
            return self.critic_y(samples, training=training)

        return D_X, D_Y

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            **{name: serialize(getattr(self, name)) for name in PARTS},
            "loss": serialize(self.adversarial_loss),
            "penalty": serialize(self.penalty),
            "cycle": self.cycle,
            "identity": self.identity,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "CycleGAN":
        read = keras.saving.deserialize_keras_object
        names = (*PARTS, "loss", "penalty")
        objects = {name: read(config[name], custom_objects) for name in names}
        return cls(**{**config, **objects})


def _distance(a, b):
    """mean |a - b|"""
    return ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32")))


def _refuse_misfits(parts, penalty, identity) -> None:
    """Refuses networks of which one does not take what another one makes.

    parts: {name: network}
    """
    shapes = {}
    for name, part in parts.items():
        if len(getattr(part, "inputs", None) or []) != 1:
            raise ValueError(
                f"The {name} must be a model that knows its one input, such as a "
                "Sequential that begins with keras.Input. Received: "
                f"{type(part).__name__}"
            )
        shapes[name] = tuple(part.inputs[0].shape[1:])
    x, y = shapes["generator"], shapes["inverse"]
    made = [tuple(parts[name].output_shape[1:]) for name in ("inverse", "generator")]
    judged = [shapes["critic_x"], shapes["critic_y"]]
    if made != [x, y] or judged != [x, y]:
        raise ValueError(
            f"The generator takes samples x of shape {x}, and the inverse samples y of "
            f"shape {y}. So the inverse must make {x} and the generator {y}, and the "
            f"critics must take {x} and {y}. Received: an inverse that makes {made[0]},"
            f" a generator that makes {made[1]}, critics that take {judged[0]} and "
            f"{judged[1]}"
        )
    if identity and x != y:
        raise ValueError(
            "The identity loss compares G(y) with y, so x and y must have one shape. "
            f"Received: {x} and {y}. Take identity=0"
        )
    for name in ("critic_x", "critic_y"):
        _refuse_shared_statistics(parts[name], penalty)
