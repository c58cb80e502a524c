"""Recorded words: spoken digits, files of the user, or melodies as a stand-in."""

import collections
import dataclasses
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.data.files.given import name_of_path, names_files, path_given
from cookbook.data.kinds import Kind
from cookbook.data.sources import choose, read_each
from cookbook.errors import fail

RATE = 8000  # samples per second
HELD_OUT = 0.1  # of what a speaker recorded of a word: to test, and to validate
SHORTEST = 256  # samples that a recording must have
FILE_NAME = re.compile(r"([^_]+)_([^_]+)_(\d+)\.wav", re.IGNORECASE)
KIND = Kind(
    what="spoken words in files such as 7_jackson_32.wav",
    features={"audio": "Audio", "audio/filename": "Text"},
    parts=("train",),
    examples=("spoken_digit",),
    stand_in="melodies",
    files="a folder of WAV files with names such as 7_jackson_32.wav: the word, the "
    "speaker, a number",
)

# What stands in for a digit: three notes. A voice sings them in its own key, so that a
# digit is known by how its melody rises and falls.
MELODIES = (
    *((0, 0, 0), (0, 1, 2), (2, 1, 0), (0, 2, 0), (2, 0, 2)),
    *((0, 0, 2), (0, 2, 2), (2, 2, 0), (2, 0, 0), (0, 1, 0)),
)
VOICES = {"bass": 280.0, "tenor": 380.0, "alto": 520.0, "soprano": 700.0}  # Hz
STEP = 1.6  # ratio of the frequencies of two notes
TIMES = 20  # that each voice sings each melody


@dataclasses.dataclass(frozen=True)
class Recording:
    """A word that somebody has said."""

    sound: np.ndarray  # float32 (samples,), the loudest of which is 1 or -1
    word: str
    speaker: str
    number: int  # among the recordings of this word by this speaker


@dataclasses.dataclass(frozen=True)
class Recordings:
    """A set of recordings in three parts."""

    name: str  # of the data set really used
    asked: str  # of the data set that was asked for
    parts: dict[str, list[Recording]]

    @property
    def all(self) -> list[Recording]:
        """The recordings of all parts."""
        return [each for part in self.parts.values() for each in part]

    @property
    def words(self) -> tuple[str, ...]:
        """The words that occur, sorted."""
        return self._values("word")

    @property
    def speakers(self) -> tuple[str, ...]:
        """The names of the speakers, sorted."""
        return self._values("speaker")

    def _values(self, field: str) -> tuple[str, ...]:
        return tuple(sorted({getattr(each, field) for each in self.all}))


def load_recordings(name: str, quick: bool = False) -> Recordings:
    """Recorded words; "auto" means spoken_digit, or else melodies.

    Of the recordings of a word by a speaker, those with the lowest numbers are the test
    part, and the next are the validation part. Of spoken_digit the test part are thus
    the numbers 0 to 4, as its authors chose it.

    Args:
        name: a set of TensorFlow Datasets, "melodies", "auto", or the path of a folder
            of WAV files.
        quick: whether "auto" means the melodies at once.
    """
    if names_files(name):
        return _from_folder(path_given(name, KIND.known, KIND.files))
    name, asked = choose(name, "spoken_digit", KIND, quick)
    found = melodies() if name == KIND.stand_in else _prepared(name)
    return Recordings(name, asked, in_parts(found))


def in_parts(recordings: list[Recording]) -> dict[str, list[Recording]]:
    """The recordings as {part: some of them}; each part has all words and speakers."""
    groups = collections.defaultdict(list)
    for each in recordings:
        groups[each.word, each.speaker].append(each)

    parts: dict[str, list[Recording]] = {"train": [], "validation": [], "test": []}
    for group in groups.values():
        group.sort(key=lambda each: each.number)
        few = max(1, round(HELD_OUT * len(group)))
        parts["test"] += group[:few]
        parts["validation"] += group[few : 2 * few]
        parts["train"] += group[2 * few :]
    return parts


def _prepared(name: str) -> list[Recording]:
    """The recordings of a set of TensorFlow Datasets."""
    found = []
    for example in read_each(name, "train"):
        file = example["audio/filename"].decode("utf-8", "replace")
        if not FILE_NAME.fullmatch(file):
            fail(f"data set {name!r} has no {KIND.what}: {KIND.advice}")
        found.append(_recording(example["audio"], file))
    return found


def recording_files(root: Path) -> list[Path]:
    """The files in a folder of the user whose names tell the word; one or more."""
    files = sorted(root.glob("*")) if root.is_dir() else []
    files = [path for path in files if FILE_NAME.fullmatch(path.name)]
    if not files:
        fail(f"{root} holds no such files, expected {KIND.files}")
    return files


def _from_folder(root: Path) -> Recordings:
    """The recordings in a folder of the user."""
    files = recording_files(root)
    parts = in_parts([_read(path) for path in files])
    name = name_of_path(root)
    found = Recordings(name, name, parts)
    if len(found.words) < 2 or not parts["train"] or not parts["validation"]:
        fail(
            f"{root} holds too few recordings (files: {len(files)}, words: "
            f"{len(found.words)}): record two words or more, each at least three times"
        )
    return found


def _read(path: Path) -> Recording:
    """The recording in a WAV file, at RATE samples per second."""
    try:
        return _recording(read_sound(path), path.name)
    except ValueError as problem:
        fail(f"{path} {problem}")


def read_sound(path: str | Path) -> np.ndarray:
    """The sound in a WAV file: float32 (samples,), RATE of them per second.

    It has one channel and no mean, and its loudest sample is 1 or -1. A file that is no
    such sound raises ValueError, which says why.
    """
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except Exception as error:  # a damaged file can raise anything
        first, *_ = str(error).splitlines() or [type(error).__name__]
        raise _unreadable(first[:200]) from None
    samples = samples.astype("float64")
    if samples.ndim > 1:  # stereo
        samples = samples.mean(1)
    if not len(samples) or not np.isfinite(samples).all():
        raise _unreadable("it holds no samples, or infinite ones")
    return as_loud_as_can_be(resample_poly(samples, RATE, rate))


def _unreadable(reason: str) -> ValueError:
    return ValueError(f"can't be read ({reason}): give WAV files of PCM")


def of_one_length(sounds: Sequence[np.ndarray], samples: int) -> np.ndarray:
    """Sounds of one length, (N, samples): silence behind short ones, long ones cut.

    Of a long sound, the loudest stretch is kept.
    """
    x = np.zeros((len(sounds), samples), "float32")
    for row, sound in zip(x, sounds):
        kept = loudest_stretch(sound, samples)
        row[: len(kept)] = kept
    return x


def _recording(samples: np.ndarray, file: str) -> Recording:
    match = FILE_NAME.fullmatch(file)
    assert match
    word, speaker, number = match.groups()
    return Recording(as_loud_as_can_be(samples), word, speaker, int(number))


def as_loud_as_can_be(samples: Any) -> np.ndarray:
    """The samples as float32, without their mean, the loudest of which is 1 or -1."""
    sound = np.asarray(samples, "float64")
    sound = sound - sound.mean()
    sound = sound / (np.abs(sound).max() or 1.0)
    missing = max(0, SHORTEST - len(sound))
    return np.pad(sound, (0, missing)).astype("float32")


def loudest_stretch(sound: np.ndarray, length: int) -> np.ndarray:
    """The `length` samples with the most energy; a shorter sound as it is."""
    if len(sound) <= length:
        return sound
    energy = np.cumsum(np.square(sound, dtype="float64"))
    energy = np.insert(energy, 0, 0)
    stretches = energy[length:] - energy[:-length]
    start = int(stretches.argmax())
    return sound[start : start + length]


def melodies() -> list[Recording]:
    """TIMES recordings of each melody in each voice, which differ in key and speed."""
    rng = np.random.default_rng(0)
    found = []
    for speaker, frequency in VOICES.items():
        for digit, notes in enumerate(MELODIES):
            for number in range(TIMES):
                sound = _sung(notes, frequency * rng.uniform(0.94, 1.06), rng)
                found.append(Recording(sound, str(digit), speaker, number))
    return found


def _sung(
    notes: tuple[int, ...], frequency: float, rng: np.random.Generator
) -> np.ndarray:
    """The notes, one after the other, with an overtone and some noise."""
    length = int(RATE * rng.uniform(0.09, 0.16))  # of a note
    hertz = frequency * STEP ** np.repeat(notes, length)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    tone = np.sin(phase)
    overtone = 0.5 * np.sin(2 * phase)

    half_a_wave = np.pi * np.arange(length) / length
    swell = np.tile(np.sin(half_a_wave) ** 0.5, len(notes))
    sound = swell * (tone + overtone)

    noise = rng.normal(0, 0.01, len(sound))
    return as_loud_as_can_be(sound + noise)
