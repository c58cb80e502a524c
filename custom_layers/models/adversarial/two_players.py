"""What models share in which two sides learn against each other, by two optimizers."""

from typing import Any

import keras

from ...common.private_keras import all_layers
from ...common.types import Config
from .backends import _run_step
from .two_optimizers import _TwoOptimizers


class _TwoPlayers(keras.Model):
    """Model with a step of its own, in which generators and critics learn in turn.

    A subclass names the networks of both sides, and defines `_train` and `_test`, which
    take the data of a step and return its logs.
    """

    def _sides(self) -> tuple[list[keras.Model], list[keras.Model]]:
        """(generators, critics)"""
        raise NotImplementedError

    def _train(self, data):
        raise NotImplementedError

    def _test(self, data):
        raise NotImplementedError

    def train_step(self, *args: Any) -> Any:
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _run_step(self._train, groups, *args)

    def test_step(self, *args: Any) -> Any:
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        return _run_step(self._test, groups, *args)

    def compile(
        self,
        generator_optimizer: str | dict | keras.optimizers.Optimizer,
        critic_optimizer: str | dict | keras.optimizers.Optimizer,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Takes names, configurations or objects of optimizers; options as in Keras."""
        generators, critics = self._sides()
        parts = [self, *generators, *critics]
        is_scaled = auto_scale_loss and "mixed_float16" in {
            part.dtype_policy.name for part in parts
        }
        pair = _TwoOptimizers(generator_optimizer, critic_optimizer, is_scaled)
        super().compile(
            pair,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,  # each of the two scales its own loss
        )
        for optimizer, side in zip(self.optimizers, (generators, critics)):
            optimizer.build(_weights_of(side))

    def get_compile_config(self) -> Config:
        if not self.compiled:
            return {}
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.optimizer.generator),
            "critic_optimizer": serialize(self.optimizer.critic),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
            "auto_scale_loss": False,  # each optimizer scales its own loss if it must
        }

    def compile_from_config(self, config: Config) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def optimizers(self) -> list:
        """Both optimizers: what a resumed run must restore beside the weights."""
        return [self.optimizer.generator, self.optimizer.critic]

    @property
    def metrics(self) -> list:
        """All metrics but Keras's `loss`: a sum of the two losses has no meaning."""
        return [metric for metric in super().metrics if metric.name != "loss"]


def _weights_of(side: list[keras.Model]) -> list:
    """The weights that the optimizer of one side changes."""
    return [weight for part in side for weight in part.trainable_variables]


def _critics_loss(kind: Any, real_scores, generated_scores):
    """What the scores of real and of generated samples cost a critic."""
    ones = keras.ops.ones_like(real_scores)
    zeros = keras.ops.zeros_like(generated_scores)
    return kind(ones, real_scores) + kind(zeros, generated_scores)


def _refuse_shared_statistics(critic: keras.Model, penalty: Any) -> None:
    """Refuses a critic with a penalty in which samples have an effect on each other."""
    kinds = {type(layer).__name__ for layer in all_layers(critic)}
    if penalty is not None and "BatchNormalization" in kinds:
        raise ValueError(
            "A critic with a gradient penalty must score each sample by itself. "
            "Received one with BatchNormalization: take LayerNormalization"
        )
