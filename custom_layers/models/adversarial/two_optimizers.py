"""The optimizers of generator and critic, which Keras sees as one optimizer."""

from typing import Any

import keras

from ...common.private_keras import optimized_variables


class _TwoOptimizers(keras.optimizers.Optimizer):
    """The optimizers of generator and critic, as the one optimizer that Keras expects.

    Each of them is built by the model, and keeps and saves its own variables. The
    learning rate, which callbacks read and set, is the generator's. The critic's rate
    keeps its ratio to it, so that a rate that falls to half falls to half for both.

    Args:
        generator, critic: the optimizers, their names or their configurations.
        is_scaled: whether each scales its loss, which float16 needs.
    """

    def __init__(
        self,
        generator: str | dict | keras.optimizers.Optimizer,
        critic: str | dict | keras.optimizers.Optimizer,
        is_scaled: bool = False,
    ) -> None:
        super().__init__(learning_rate=0.0)
        self.generator = _optimizer(generator, is_scaled)
        self.critic = _optimizer(critic, is_scaled)
        if generator is critic and not isinstance(generator, str | dict):
            raise ValueError(
                "generator_optimizer and critic_optimizer are one object, but each "
                "keeps a state of its own weights: create two optimizers."
            )
        self.ratio = 1.0
        self.built = True

    @property
    def variables(self) -> list:
        return [*self.generator.variables, *self.critic.variables]

    @property
    def iterations(self) -> Any:
        return self.generator.iterations

    @property
    def learning_rate(self) -> Any:
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if callable(learning_rate):  # a schedule
            self.critic.learning_rate = learning_rate
        else:
            old, old_of_critic = (
                float(keras.ops.convert_to_numpy(optimizer.learning_rate))
                for optimizer in (self.generator, self.critic)
            )
            if old > 0 and old_of_critic > 0:  # at 0, the last ratio is remembered
                self.ratio = old_of_critic / old
            self.critic.learning_rate = learning_rate * self.ratio
        self.generator.learning_rate = learning_rate

    def build(self, variables: list) -> None:
        """Does nothing: the model builds both optimizers."""

    def finalize_variable_values(self, var_list: list) -> None:
        """Puts averages in the place of weights, if an optimizer keeps averages."""
        for optimizer in (self.generator, self.critic):
            optimizer.finalize_variable_values(optimized_variables(optimizer))

    def save_own_variables(self, store: dict) -> None:
        """Does nothing: both optimizers save their own variables."""

    def load_own_variables(self, store: dict) -> None:
        """Does nothing: both optimizers load their own variables."""


def _optimizer(
    given: str | dict | keras.optimizers.Optimizer, is_scaled: bool
) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.get(given)
    if is_scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
