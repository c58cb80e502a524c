"""Strings of spoken words: recordings joined with pauses of any length, and noise."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from cookbook.data.sounds.recordings import (
    RATE,
    Recording,
    load_recordings,
    loudest_stretch,
)
from cookbook.data.sources import DataSet

FEWEST = 3  # words of a string, or one, if the longest strings have fewer
ROOM = 6_912  # samples of a string for each word of the longest one
PAUSE = 0.02, 0.3  # seconds, shortest and longest, before each word
# Decibels by which the noise is below the words, at least and at most.
NOISE = 15.0, 40.0
HELD_OUT = 500, 1000  # strings to validate and to test on


@dataclasses.dataclass(eq=False)
class JoinedSounds:
    """Strings of words (N, samples), each of which is joined when it is asked for.

    All strings together would fill the memory.
    """

    sounds: list[np.ndarray]  # of words
    chosen: np.ndarray  # (N, longest): places in `sounds`
    spans: np.ndarray  # (N, longest, 2): where a word begins and ends, or 0, 0
    labels: np.ndarray  # int32 (N, longest): 1 is the first word of all, 0 is padding
    decibels: np.ndarray  # (N,), by which the noise is below the words
    cuts: np.ndarray  # (N,), where the noise begins

    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), ROOM * self.labels.shape[1]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows) -> np.ndarray:
        """The sounds of some rows, float32; the loudest sample is 1 or -1."""
        places = np.arange(len(self))[rows]
        return np.stack([self._joined(row) for row in places])

    def _joined(self, row: int) -> np.ndarray:
        sound = np.zeros(self.shape[1], "float32")
        for i, (start, end) in zip(self.chosen[row], self.spans[row]):
            if end:
                sound[start:end] = self.sounds[i]
        is_word = sound != 0
        loudness = np.sqrt(np.mean(sound[is_word] ** 2))
        level = loudness * 10 ** (-self.decibels[row] / 20)
        start = self.cuts[row]
        noise = _noise(2 * len(sound))[start : start + len(sound)]
        sound += np.float32(level) * noise
        return sound / np.abs(sound).max()

    def __array_function__(self, function, types, args, kwargs) -> Any:
        """Lets `np.concatenate` join two sets of strings as it joins arrays."""
        if function is not np.concatenate:
            return NotImplemented
        ((first, second),) = args
        joined = {
            name: np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("spans", "labels", "decibels", "cuts")
        }
        later = second.chosen + len(first.sounds)
        chosen = np.concatenate([first.chosen, later])
        return JoinedSounds(first.sounds + second.sounds, chosen, **joined)


@functools.cache
def _noise(length: int) -> np.ndarray:
    """Noise from which each string takes a stretch."""
    rng = np.random.default_rng(0)
    return rng.normal(size=length).astype("float32")


def draw_strings(
    recordings: Sequence[Recording],
    words: Sequence[str],
    count: int,
    longest: int,
    seed: int,
) -> JoinedSounds:
    """Random strings of recordings; one speaker says all words of a string.

    Words that are too long for short strings are cut to their loudest stretch.
    """
    rng = np.random.default_rng(seed)
    fewest = FEWEST if longest >= FEWEST else 1
    most = ROOM * longest // fewest - int(PAUSE[1] * RATE)
    sounds = [loudest_stretch(each.sound, most) for each in recordings]
    lengths = np.array([len(sound) for sound in sounds])
    number = np.array([1 + words.index(each.word) for each in recordings])
    names = np.array([each.speaker for each in recordings])
    said = [np.flatnonzero(names == name) for name in np.unique(names)]
    found = JoinedSounds(
        sounds,
        chosen=np.zeros((count, longest), int),
        spans=np.zeros((count, longest, 2), int),
        labels=np.zeros((count, longest), "int32"),
        decibels=rng.uniform(*NOISE, size=count),
        cuts=rng.integers(ROOM * longest, size=count),
    )
    for row in range(count):
        of_speaker = said[rng.integers(len(said))]
        chosen, spans = _drawn(of_speaker, lengths, (fewest, longest), rng)
        found.chosen[row, : len(chosen)] = chosen
        found.spans[row, : len(chosen)] = spans
        found.labels[row, : len(chosen)] = number[chosen]
    return found


def _drawn(
    places: np.ndarray,
    lengths: np.ndarray,
    words: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """(sounds of a string, (first sample, sample behind the last one) of each).

    A draw that does not fit into a string is repeated.
    """
    fewest, longest = words
    while True:
        chosen = rng.choice(places, rng.integers(fewest, longest + 1))
        pauses = rng.uniform(*PAUSE, size=len(chosen)) * RATE
        ends = np.cumsum(lengths[chosen] + pauses.astype(int))
        if ends[-1] <= ROOM * longest:
            return chosen, np.stack([ends - lengths[chosen], ends], axis=-1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Strings(DataSet):
    """Strings of spoken words; each part is (x, y), JoinedSounds and their labels."""

    classes: tuple[str, ...]  # the words; the label of the first one is 1
    rate: int  # samples per second
    samples: int  # of each string
    # {part: the first sample of each word, and the one behind it, (N, longest, 2)}
    spans: dict[str, np.ndarray]


def load_strings(
    name: str, count: int, longest: int, quick: bool = False, seed: int = 0
) -> Strings:
    """Strings of recorded words; the recordings of a part are in no other part.

    Args:
        name, quick: as in `load_recordings`. With `quick` there are fewer strings to
            validate and to test on.
        count: strings in the training part.
        longest: words of the longest string.
        seed: random seed of the training part; the others are always the same.
    """
    found = load_recordings(name, quick)
    validation, test = HELD_OUT
    few = 10 if quick else 1
    counts = {"train": count, "validation": validation // few, "test": test // few}
    seeds = {"train": seed + 2, "validation": 0, "test": 1}
    parts = {}
    for part, recordings in found.parts.items():
        sounds = draw_strings(
            recordings, found.words, counts[part], longest, seeds[part]
        )
        parts[part] = sounds, sounds.labels
    return Strings(
        name=found.name,
        asked=found.asked,
        classes=found.words,
        rate=RATE,
        samples=ROOM * longest,
        spans={part: sounds.spans for part, (sounds, _) in parts.items()},
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
    )
