"""Tagged sentences for a script."""

from cookbook.data.tagged.generated import generated_names, generated_tags
from cookbook.data.tagged.sentences import (
    FEATURES,
    SPLITS,
    Tagged,
    TaggedSentences,
    _sentence,
    tagged_sentences,
)
from cookbook.takeaway.standalone.data.sources import choose, read

SETS = {
    "tags": ("universal_dependencies/en_ewt:1.0.1", "generated_tags"),
    "entities": ("wnut17", "generated_names"),
}


def load_sentences(
    name: str, task: str, letters: int, quick: bool = False
) -> TaggedSentences:
    """Sentences with parts of speech or, for the task "entities", with names."""
    default, stand_in = SETS[task]
    name, asked = choose(name, default, stand_in, quick)
    if name != stand_in:
        sentences = _prepared(name, FEATURES[task])
    else:
        sentences = generated_tags() if task == "tags" else generated_names()
    return tagged_sentences(name, sentences, letters, asked=asked)


def _prepared(name: str, feature: str) -> Tagged:
    """{part: sentences} of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    features = tfds.builder(name).info.features
    names = features[feature].feature.names
    needed = ["tokens", feature, *(each for each in ("head",) if each in features)]

    return {
        part: [
            pair
            for row in zip(*read(name, split, *needed))
            if (pair := _sentence(names, *row))[0]
        ]
        for part, split in SPLITS.items()
    }
