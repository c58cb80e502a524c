"""Recorded words for a script."""

from cookbook.data.sounds.recordings import (
    Recording,
    Recordings,
    as_loud_as_can_be,
    in_parts,
    melodies,
)
from cookbook.takeaway.standalone.data.sources import choose


def load_recordings(name: str, quick: bool = False) -> Recordings:
    """The recordings of a set of TensorFlow Datasets, or melodies in their place."""
    name, asked = choose(name, "spoken_digit", "melodies", quick)
    found = melodies() if name == "melodies" else _prepared(name)
    return Recordings(name, asked, in_parts(found))


def _prepared(name: str) -> list[Recording]:
    """The recordings of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    found = []
    for example in tfds.as_numpy(tfds.load(name, split="train")):
        file = example["audio/filename"].decode().removesuffix(".wav")
        word, speaker, number = file.split("_")
        sound = as_loud_as_can_be(example["audio"])
        found.append(Recording(sound, word, speaker, int(number)))
    return found
