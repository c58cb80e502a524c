"""Exported networks: their inputs by name, examples of these, and what is compared."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cookbook.errors import Mistake, harmless
from cookbook.exports.portable.writers import DIGITS
from cookbook.trained.description import GENERATORS
from cookbook.trained.trained_run import Description
from custom_layers.common.private_keras import all_layers
from custom_layers.models import CycleGAN

# {kind of model: (names of its inputs, in their order)}
NAMES = {
    "image classifier": ("pixels",),
    "anomaly score": ("pixels",),
    "sound classifier": ("sound",),
    "transcriber": ("sound",),
    "image translator": ("pixels",),
    "text classifier": ("ids",),
    "word-piece classifier": ("ids",),
    "tagger": ("words", "characters"),
    "language model": ("tokens",),
    "translation": ("source", "target"),
    "sums": ("question", "before"),
    "forecast": ("series",),
    "point generator": ("noise",),
    "image generator": ("noise", "label"),
}
TOLERANCE = 1e-4  # of the largest number in an answer; float32 holds 1e-7
# (rows, length of rows of any length) of the examples that are compared
SIZES = ((3, 12), (1, 7))


@dataclasses.dataclass(frozen=True)
class Exported:
    """A network with what is known about it, ready to be exported.

    Attributes:
        network: the network that answers; of adversarial training the generator.
        plain: the same layers without optimizer and losses, which is what is written.
        description: of the run that the network is from.
        names: the names of its inputs, in the order in which it takes them.
    """

    network: keras.Model
    plain: keras.Model
    description: Description
    names: tuple[str, ...]

    def specs(self, batch: int | None = None) -> list[keras.InputSpec]:
        """Name, shape and type of each input; `batch` rows, or any number of them."""
        return [
            keras.InputSpec(dtype=x.dtype, shape=(batch, *x.shape[1:]), name=name)
            for name, x in zip(self.names, self.plain.inputs)
        ]

    def answer(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """What `predict` of the network answers to arrays by name."""
        inputs = [arrays[name] for name in self.names]
        return self.network.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])

    def examples(self, rows: int, length: int) -> dict[str, np.ndarray]:
        """Random arrays of the kind that the network takes, by name."""
        rng = np.random.default_rng(rows)
        arrays = {}
        for spec in self.specs(rows):
            shape = [size or length for size in spec.shape]
            arrays[spec.name] = self._example(spec, shape, rng)
        return arrays

    def _example(
        self, spec: keras.InputSpec, shape: list[int], rng: np.random.Generator
    ) -> np.ndarray:
        if "int" not in spec.dtype:
            if spec.name == "pixels":
                low, high = self.description.settings["pixels"]
                return rng.uniform(low, high, shape).astype(spec.dtype)
            return rng.standard_normal(shape).astype(spec.dtype)
        if spec.name == "label":
            return rng.integers(0, len(self.description.classes), shape, spec.dtype)
        size = self._vocabulary_size(spec.name)
        ids = rng.integers(1, size, shape, spec.dtype)
        if spec.name in ("ids", "source", "question", "words", "characters"):
            end = 2 * shape[1] // 3
            ids[0, end:] = 0  # as the end of a shorter row is padded
        return ids

    def _vocabulary_size(self, name: str) -> int:
        settings = self.description.settings
        if name == "characters":
            return len(settings["alphabet"]) + 2
        if "words" in settings:
            return len(settings["words"]) + 2  # with padding and unknown words
        for pieces in ("alphabet", "pieces"):
            if pieces in settings:
                return len(settings[pieces])
        return len(DIGITS)


def exported(model: keras.Model, description: Description) -> Exported:
    """What is exported of a run's model; raises Mistake if the two don't fit."""
    network = model
    if isinstance(model, (*GENERATORS, CycleGAN)):
        network = model.generator
    network = in_32_bits(network)
    names = NAMES[description.kind]
    if description.kind == "image generator" and not description.classes:
        names = ("noise",)
    inputs = getattr(network, "inputs", None) or []
    if len(inputs) != len(names):
        raise Mistake(
            harmless(
                f"the model has {len(inputs)} inputs, but {description} takes "
                f"{' and '.join(names)}: use another run"
            )
        )
    inputs = inputs if len(inputs) > 1 else inputs[0]
    plain = keras.Model(inputs, network.outputs[0])
    return Exported(network, plain, description, names)


def in_32_bits(network: keras.Model) -> keras.Model:
    """The network itself or, if it computes in 16 bits, one that computes in 32.

    The weights of both have 32 bits. Not all formats know numbers of 16 bits.
    """
    policies = {layer.dtype_policy.name for layer in all_layers(network)}
    if not any(_is_mixed(name) for name in policies):
        return network
    described = keras.saving.serialize_keras_object(network)
    described.pop("compile_config", None)
    wider = keras.saving.deserialize_keras_object(_with_float32(described))
    wider.set_weights(network.get_weights())
    return wider


def _is_mixed(policy: str) -> bool:
    return policy.startswith("mixed_")


def _with_float32(part: Any) -> Any:
    """A configuration with the policy float32 in place of the mixed ones."""
    if isinstance(part, list | tuple):
        return type(part)(map(_with_float32, part))
    if not isinstance(part, dict):
        return part
    if part.get("class_name") == "DTypePolicy" and _is_mixed(part["config"]["name"]):
        return {**part, "config": {"name": "float32"}}
    return {name: _with_float32(value) for name, value in part.items()}


def largest_difference(exported: Exported, network: Callable[..., np.ndarray]) -> float:
    """The largest difference between two answers, relative to the largest number.

    network: the exported network, called with arrays by name.
    """
    worst = 0.0
    for rows, length in SIZES:
        arrays = exported.examples(rows, length)
        worst = max(
            worst, relative_difference(exported.answer(arrays), network(**arrays))
        )
    return worst


def relative_difference(expected: np.ndarray, answer: np.ndarray) -> float:
    """The largest difference between two arrays, relative to the largest number.

    It is infinite if the answer has another shape or is not finite.
    """
    expected, answer = (np.asarray(x, "float64") for x in (expected, answer))
    if answer.shape != expected.shape or not np.isfinite(answer).all():
        return float("inf")
    scale = np.abs(expected).max() or 1.0
    return float(np.abs(answer - expected).max() / scale)
