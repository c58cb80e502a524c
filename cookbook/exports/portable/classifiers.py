"""Exported models that judge pictures, texts and words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.data.files.pictures import read_picture
from cookbook.data.tagged.encoding import encode_words, split_sentence
from cookbook.data.text.words import Vocabulary, cut_and_pad
from cookbook.exports.portable.networks import Network
from cookbook.sentences.pieces import PieceVocabulary

Answer = list[tuple[str, float]]  # (class, probability) of the three most probable


class ImageModel:
    """A model that says what pictures show."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings

    def predict(self, pictures: Sequence[str | Path]) -> list[Answer]:
        """The three most probable classes of each picture file, with probabilities."""
        pixels = pixels_in(pictures, self.settings)
        return best_classes(self.network(pixels=pixels), self.settings["classes"])


class AnomalyModel:
    """A model that says how unlike the images of its training a picture is."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings

    def predict(self, pictures: Sequence[str | Path]) -> list[float]:
        """A score for each picture file: the larger, the stranger is the picture."""
        pixels = pixels_in(pictures, self.settings)
        return self.network(pixels=pixels).ravel().tolist()


class TextModel:
    """A model that judges texts."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings
        self.vocabulary = Vocabulary(settings["words"])

    def predict(self, texts: Sequence[str]) -> list[Answer]:
        """The most probable classes of each text, with their probabilities."""
        rows = [self.vocabulary.ids(self.vocabulary.split(text)) for text in texts]
        ids = cut_and_pad(rows, self.settings["length"])
        lengths = (ids != 0).sum(1)
        longest = max(lengths.max(), 16)
        logits = self.network(ids=ids[:, :longest])
        return best_classes(logits, self.settings["classes"])


class PieceModel(TextModel):
    """A model that judges texts by their word pieces."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        super().__init__(network, settings)
        self.vocabulary = PieceVocabulary(settings["words"])


class TaggerModel:
    """A model that gives each word of a sentence a tag."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.tags: list[str] = settings["tags"]
        self.letters: int = settings["letters"]
        self.vocabulary = Vocabulary(settings["words"])
        self.alphabet = Vocabulary(settings["alphabet"])

    def predict(self, sentences: Sequence[str]) -> list[list[tuple[str, str]]]:
        """The (word, tag) pairs of each sentence."""
        return [self._tagged(split_sentence(text)) for text in sentences]

    def _tagged(self, sentence: list[str]) -> list[tuple[str, str]]:
        words, characters = encode_words(
            [sentence],
            self.vocabulary,
            self.alphabet,
            self.letters,
            width=16,
        )
        (answer,) = self.network(words=words, characters=characters)
        answer = answer[: len(sentence)]

        best = answer.argmax(-1)
        if answer.ndim == 3:  # the potentials of a CRF
            best = np.array(best_path(answer))
        tags = [self.tags[i] for i in best]
        return list(zip(sentence, tags))


def best_path(psi: np.ndarray) -> list[int]:
    """The tags of the Viterbi path through log potentials (T, N, N).

    psi[t, i, j] scores the tag j at step t behind the tag i; before the first step
    stands the tag 0.
    """
    scores = psi[0, 0]  # N
    choices = []

    for step in psi[1:]:
        behind = scores[:, None] + step  # N, N
        choices.append(behind.argmax(0))
        scores = behind.max(0)

    tag = int(scores.argmax())
    path = [tag]

    for choice in reversed(choices):
        tag = int(choice[tag])
        path.append(tag)

    path.reverse()
    return path


def pixels_in(pictures: Sequence[str | Path], settings: dict[str, Any]) -> np.ndarray:
    """Picture files as the network takes them: float32 (N, H, W, C)."""
    shape = tuple(settings["shape"])
    pixels = [read_picture(Path(picture), shape) for picture in pictures]
    return scaled(np.stack(pixels), settings)


def scaled(pixels: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """Pixels from 0 to 255 in the range that the network takes, as float32."""
    low, high = settings["pixels"]
    values = pixels.astype("float32")
    if (low, high) == (0, 255):
        return values
    per_unit = 255 / (high - low)
    return values / np.float32(per_unit) + np.float32(low)


def best_classes(logits: np.ndarray, classes: Sequence[str]) -> list[Answer]:
    """(class, probability) of the three most probable classes of each row."""
    logits = logits.astype("float64")
    exp = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = exp / exp.sum(-1, keepdims=True)
    answers = []
    for row in probabilities:
        order = np.argsort(-row, kind="stable")
        best = order[:3]
        answers.append([(classes[i], float(row[i])) for i in best])
    return answers
