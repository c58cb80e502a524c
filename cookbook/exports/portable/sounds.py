"""Exported models that listen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cookbook.data.sounds.recordings import RATE, of_one_length, read_sound
from cookbook.exports.portable.classifiers import Answer, best_classes
from cookbook.exports.portable.networks import Network

BLANK = 0  # the label of a frame in which no word begins


class SoundModel:
    """A model that says which word somebody says."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.settings = settings

    def predict(self, files: Sequence[str | Path]) -> list[Answer]:
        """The three most probable classes of each WAV file, with probabilities."""
        sounds = [read_sound(file) for file in files]
        logits = self.network(sound=of_one_length(sounds, self.settings["samples"]))
        return best_classes(logits, self.settings["classes"])


class SpeechModel:
    """A model that writes down the words that somebody says."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.samples: int = settings["samples"]
        self.words: list[str] = settings["classes"]

    def predict(self, files: Sequence[str | Path]) -> list[str]:
        """The words of each WAV file, with spaces between them."""
        sounds = [read_sound(file) for file in files]
        longest = max(map(len, sounds), default=0)
        if longest > self.samples:
            most = self.samples / RATE
            raise ValueError(f"a sound lasts longer than {most:.1f} s: cut it")
        logits = self.network(sound=of_one_length(sounds, self.samples))
        return [self._written(row) for row in logits.argmax(-1)]

    def _written(self, labels: Sequence[int]) -> str:
        """The words of the labels of all frames: repeats and blanks go."""
        words = []
        before = BLANK
        for label in labels:
            if label not in (before, BLANK):
                words.append(self.words[label - 1])
            before = label
        return " ".join(words)
