"""Steps of language models: networks that read one token and keep what they have read.

A step is `next_logits` of the model's decoder, with which `predict` writes as well. Its
inputs and outputs are arrays only, so that any format can hold it: the state that it
carries from token to token is a row of arrays, which are zero before the first token.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from cookbook.answers.decoders import character_decoder
from cookbook.exports.portable.writers import StepNetwork, empty_states
from cookbook.exports.signature import Exported, relative_difference
from custom_layers.common.caches import portable_caches


class StepModel(keras.Model):
    """A function of arrays as a network, which holds the layers that the function uses.

    Args:
        run: run(tokens, index, *states) -> [logits, *states].
        trained: the model whose layers `run` uses.
    """

    def __init__(self, run: Callable, trained: keras.Model) -> None:
        super().__init__()
        self.run = run
        self.trained = trained
        self.built = True

    def call(self, inputs):
        return self.run(*inputs)


@dataclasses.dataclass(frozen=True)
class ExportedStep:
    """The step of a language model, ready to be exported.

    Attributes:
        plain: the network that takes [tokens, index, *states], of one row, and returns
            [logits, *states]. It reads the token at `index`.
        context: the length of a row of tokens.
        states: shape and type of each state.
        decoder: what `predict` writes with.
    """

    plain: keras.Model
    context: int
    states: tuple[dict[str, Any], ...]
    decoder: Callable

    def specs(self, batch: int | None = None) -> list[keras.InputSpec]:
        """Name, shape and type of each input, of one row whatever `batch` is."""
        states = [
            keras.InputSpec(state["type"], tuple(state["shape"]), name=f"state_{i}")
            for i, state in enumerate(self.states)
        ]
        return [
            keras.InputSpec("int32", (1, self.context), name="tokens"),
            keras.InputSpec("int32", (1,), name="index"),
            *states,
        ]


def step_of(exported: Exported) -> ExportedStep | None:
    """The step of a language model; other models have none."""
    description = exported.description
    if description.kind != "language model":
        return None
    context = description.settings["context"]
    begin = character_decoder(exported.network)
    next_logits, first = begin(np.zeros((1, 1), "int32"), context)

    def run(tokens, index, *states):
        state = keras.tree.pack_sequence_as(first, states)
        with portable_caches():
            logits, state = next_logits(tokens, index[0], state)
        return [logits, *keras.tree.flatten(state)]

    states = [
        {"shape": [*x.shape], "type": keras.backend.standardize_dtype(x.dtype)}
        for x in keras.tree.flatten(first)
    ]
    return ExportedStep(
        StepModel(run, exported.network),
        context,
        tuple(states),
        character_decoder(exported.network),
    )


def largest_difference_of_steps(exported: ExportedStep, network: StepNetwork) -> float:
    """The largest difference between the logits of two steps, relative to the largest.

    network: the exported step. It reads random tokens at every place of a row, and so
        does the step that `predict` takes; both carry their own states.
    """
    size = exported.plain.trained.outputs[0].shape[-1]
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, size, (1, exported.context), "int32")
    next_logits, state = exported.decoder(tokens[:, :1], exported.context)
    states = empty_states(exported.states)
    worst = 0.0
    for place in range(exported.context):
        logits, state = next_logits(tokens, place, state)
        index = np.array([place], "int32")
        found, *states = network.outputs(
            tokens=tokens,
            index=index,
            **{f"state_{i}": each for i, each in enumerate(states)},
        )
        expected = ops.convert_to_numpy(logits)
        worst = max(worst, relative_difference(expected, found))
    return worst
