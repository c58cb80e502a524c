"""Tagged sentences for a script."""

from cookbook.data.tagged.generated import generated_tags
from cookbook.data.tagged.sentences import (
    SPLITS,
    Tagged,
    TaggedSentences,
    _sentence,
    tagged_sentences,
)
from cookbook.takeaway.standalone.data.sources import choose, read

TREEBANK = "universal_dependencies/en_ewt:1.0.1"
STAND_IN = "generated_tags"


def load_sentences(name: str, letters: int, quick: bool = False) -> TaggedSentences:
    """Sentences with parts of speech, and `letters` characters of each word."""
    name, asked = choose(name, TREEBANK, STAND_IN, quick)
    sentences = generated_tags() if name == STAND_IN else _prepared(name)
    return tagged_sentences(name, sentences, letters, asked=asked)


def _prepared(name: str) -> Tagged:
    """{part: sentences} of a treebank in TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    names = tfds.builder(name).info.features["upos"].feature.names
    sentences: Tagged = {}
    for part, split in SPLITS.items():
        rows = zip(*read(name, split, "tokens", "upos", "head"))
        pairs = (_sentence(names, *row) for row in rows)
        sentences[part] = [pair for pair in pairs if pair[0]]
    return sentences
