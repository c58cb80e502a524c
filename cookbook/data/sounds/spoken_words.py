"""Single words to tell apart: recordings of one length, by speakers who are known."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cookbook.data.sounds.recordings import (
    RATE,
    Recording,
    Recordings,
    load_recordings,
    of_one_length,
)
from cookbook.data.sources import DataSet, Part
from cookbook.errors import fail

SAMPLES = 8192  # of each sound, about a second


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sounds(DataSet):
    """Spoken words; each part is (x, y), x float32 (N, SAMPLES), y int (N,)."""

    classes: tuple[str, ...]  # the word of each label
    rate: int  # samples per second

    @property
    def samples(self) -> int:
        """Samples of each sound."""
        return self.train[0].shape[1]


def load_sounds(name: str, quick: bool = False, unheard: str | None = None) -> Sounds:
    """Recorded words as arrays; shorter ones end in silence, longer ones are cut.

    Args:
        name, quick: as in `load_recordings`.
        unheard: a speaker whom the training does not hear. All of their recordings are
            the test part then, and nobody else's.
    """
    found = load_recordings(name, quick)
    parts = found.parts if unheard is None else _without(found, unheard)
    arrays = {part: _arrays(found.words, each) for part, each in parts.items()}
    return Sounds(
        name=found.name,
        asked=found.asked,
        classes=found.words,
        rate=RATE,
        train=arrays["train"],
        validation=arrays["validation"],
        test=arrays["test"],
    )


def _without(found: Recordings, unheard: str) -> dict[str, list[Recording]]:
    """The parts, where the test part are all recordings of one speaker."""
    if unheard not in found.speakers or len(found.speakers) < 2:
        fail(f"--unheard got {unheard!r}, expected one of {', '.join(found.speakers)}")
    return {
        "train": [r for r in found.parts["train"] if r.speaker != unheard],
        "validation": [r for r in found.parts["validation"] if r.speaker != unheard],
        "test": [r for r in found.all if r.speaker == unheard],
    }


def _arrays(words: Sequence[str], recordings: Sequence[Recording]) -> Part:
    x = of_one_length([each.sound for each in recordings], SAMPLES)
    y = np.array([words.index(each.word) for each in recordings])
    return x, y
