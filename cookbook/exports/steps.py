"""Steps of models that write: networks that read one token and keep what they read.

A step is `next_logits` of the model's decoder, with which `predict` writes as well. Its
inputs and outputs are arrays only, so that any format can hold it: the state that it
carries from token to token is a row of arrays. Before the first token these are zero,
or, of a translation, what a second network makes of the source: its encoder.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from cookbook.answers.decoders import character_decoder, translation_decoder
from cookbook.exports.portable.writers import (
    StepNetwork,
    empty_states,
    longest_row,
)
from cookbook.exports.signature import Exported, relative_difference
from custom_layers.common.caches import portable_caches

SOURCES = (3, 12)  # lengths of the sources that are compared, in tokens


class FunctionModel(keras.Model):
    """A function of arrays as a network, which holds the layers that the function uses.

    Args:
        run: run(*inputs) -> list of outputs.
        trained: the model whose layers `run` uses.
    """

    def __init__(self, run: Callable, trained: keras.Model) -> None:
        super().__init__()
        self.run = run
        self.trained = trained
        self.built = True

    def call(self, inputs):
        return self.run(*inputs) if isinstance(inputs, list) else self.run(inputs)


@dataclasses.dataclass(frozen=True)
class ExportedEncoder:
    """The network that reads the source of a translation, ready to be exported.

    Attributes:
        plain: it takes a source (1, S), and returns the first states of the step.
    """

    plain: keras.Model

    def specs(self, batch: int | None = None) -> list[keras.InputSpec]:
        """Name, shape and type of the input, of one row whatever `batch` is."""
        return [keras.InputSpec("int32", (1, None), name="source")]


@dataclasses.dataclass(frozen=True)
class ExportedStep:
    """The step of a model that writes, ready to be exported.

    Attributes:
        plain: the network that takes [tokens, index, *states], of one row, and returns
            [logits, *states]. It reads the token at `index`.
        context: the length of a row of tokens; None for any length.
        states: shape and type of each state. A size that depends on the source of a
            translation is None.
        decoder: what `predict` writes with.
        encoder: the network that gives the first states; without it these are zero.
    """

    plain: keras.Model
    context: int | None
    states: tuple[dict[str, Any], ...]
    decoder: Callable
    encoder: ExportedEncoder | None = None

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
    """The step of a language model or of a translation; other models have none."""
    kind = exported.description.kind
    if kind == "language model":
        return _step_of_language_model(exported)
    if kind == "translation":
        return _step_of_translation(exported)
    return None


def _step_of_language_model(exported: Exported) -> ExportedStep:
    context = exported.description.settings["context"]
    begin = character_decoder(exported.network)
    next_logits, first = begin(np.zeros((1, 1), "int32"), context)
    return ExportedStep(
        _step_model(next_logits, first, exported.network),
        context,
        tuple(map(_described, keras.tree.flatten(first))),
        character_decoder(exported.network),
    )


def _step_of_translation(exported: Exported) -> ExportedStep:
    begin = translation_decoder(exported.network)

    def encode(source):
        tokens = ops.shape(source)[1] - 1  # its last one ends the sentence
        _, state = begin(source, longest_row(tokens))
        return keras.tree.flatten(state)

    described = []
    for size in SOURCES:
        source = np.ones((1, size), "int32")
        next_logits, first = begin(source, longest_row(size - 1))
        described.append(map(_described, keras.tree.flatten(first)))
    return ExportedStep(
        _step_model(next_logits, first, exported.network),
        None,
        tuple(_of_any_source(*pair) for pair in zip(*described)),
        translation_decoder(exported.network),
        ExportedEncoder(FunctionModel(encode, exported.network)),
    )


def _step_model(
    next_logits: Callable, first: Any, trained: keras.Model
) -> FunctionModel:
    """The network of a step.

    first: a state that `next_logits` takes.
    """

    def run(tokens, index, *states):
        state = keras.tree.pack_sequence_as(first, states)
        with portable_caches():
            logits, state = next_logits(tokens, index[0], state)
        return [logits, *keras.tree.flatten(state)]

    return FunctionModel(run, trained)


def _described(state: Any) -> dict[str, Any]:
    """Shape and type of an array."""
    name = keras.backend.standardize_dtype(state.dtype)
    return {"shape": [*state.shape], "type": name}


def _of_any_source(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The description of a state, by those that it has after two sources."""
    pairs = zip(one["shape"], other["shape"])
    return {**one, "shape": [a if a == b else None for a, b in pairs]}


def largest_difference_of_steps(
    exported: ExportedStep, step: StepNetwork, encoder: StepNetwork | None = None
) -> float:
    """The largest difference between the logits of two steps, relative to the largest.

    step, encoder: the exported networks. The step reads random tokens at every place of
        a row, and so does the step that `predict` takes; both carry their own states.
    """
    size = exported.plain.trained.outputs[0].shape[-1]
    rng = np.random.default_rng(0)
    if encoder is None:
        assert exported.context
        tokens = rng.integers(1, size, (1, exported.context), "int32")
        begun = exported.decoder(tokens[:, :1], exported.context)
        return _difference(tokens, begun, step, empty_states(exported.states))
    worst = 0.0
    for length in SOURCES:
        source = rng.integers(1, size, (1, length), "int32")
        written = longest_row(length - 1)
        tokens = rng.integers(1, size, (1, written), "int32")
        begun = exported.decoder(source, written)
        states = encoder.outputs(source=source)
        worst = max(worst, _difference(tokens, begun, step, states))
    return worst


def _difference(
    tokens: np.ndarray,
    begun: tuple[Callable, Any],
    step: StepNetwork,
    states: list[np.ndarray],
) -> float:
    """The largest difference between a decoder and a step along a row of tokens.

    begun: next_logits of the decoder and its first state.
    states: those of the step.
    """
    next_logits, state = begun
    worst = 0.0
    for place in range(tokens.shape[1]):
        logits, state = next_logits(tokens, place, state)
        index = np.array([place], "int32")
        named = {f"state_{i}": each for i, each in enumerate(states)}
        found, *states = step.outputs(tokens=tokens, index=index, **named)
        expected = ops.convert_to_numpy(logits)
        worst = max(worst, relative_difference(expected, found))
    return worst
