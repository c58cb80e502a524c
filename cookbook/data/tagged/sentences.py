"""Tagged sentences: of TensorFlow Datasets, generated, or the user's own files."""

import dataclasses
import typing
from collections.abc import Sequence

import numpy as np

from cookbook.data.files.given import name_of_path, names_files, path_given
from cookbook.data.kinds import Kind
from cookbook.data.sources import DataSet, choose, read
from cookbook.data.tagged.conll_files import Sentence, read_tagged
from cookbook.data.tagged.encoding import encode_words, learn_ids
from cookbook.data.tagged.generated import generated_names, generated_tags
from cookbook.data.text.words import Vocabulary
from cookbook.errors import fail

Tagged = dict[str, list[Sentence]]  # {part: its sentences}
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
FILES = "a CoNLL file with a word and its tag per line, or a folder of such files"
# {task: the sets that it can learn from}
TASKS = {
    "tags": Kind(
        what="parts of speech",
        features={"tokens": "Sequence", "upos": "Sequence"},
        parts=tuple(SPLITS.values()),
        examples=("universal_dependencies/en_ewt:1.0.1",),
        stand_in="generated_tags",
        files=FILES,
    ),
    "entities": Kind(
        what="named entities",
        features={"tokens": "Sequence", "ner": "Sequence"},
        parts=tuple(SPLITS.values()),
        examples=("wnut17", "conll2003"),
        stand_in="generated_names",
        files=FILES,
    ),
}
GENERATED = {"tags": generated_tags, "entities": generated_names}
FEATURES = {"tags": "upos", "entities": "ner"}  # that hold the tags
OMITTED = b"None"  # the head of a row that stands for no word of the sentence


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggedSentences(DataSet):
    """Tagged sentences; each part is ((words, characters), tags), arrays of ids.

    words and tags are int32 (N, T), characters int32 (N, T, letters), all padded with
    0. The rows of validation and test are sorted by length, so that a batch holds
    similar lengths.
    """

    tags: tuple[str, ...]  # the name of each tag id; that of the padding is ""
    vocabulary: Vocabulary  # of words, in lower case
    alphabet: Vocabulary  # of characters
    sentences: Tagged  # in the order of the rows
    padded = True  # rows end in zeros; see Batches

    @property
    def letters(self) -> int:
        """The number of characters of a word that a model reads."""
        (_, characters), _ = self.train
        return characters.shape[2]

    @property
    def has_spans(self) -> bool:
        """Whether the tags mark spans, such as names: B-person, I-person."""
        return any(tag.startswith("B-") for tag in self.tags)


def load_sentences(
    name: str, task: str, letters: int, quick: bool = False
) -> TaggedSentences:
    """The tagged sentences `name`; "auto" means the usual set of the task.

    Args:
        name: a set of TensorFlow Datasets, the task's stand-in, "auto", or the path of
            files; see `read_tagged`.
        task: "tags" for parts of speech, or "entities" for named entities.
        letters: characters of a word that a model reads.
        quick: whether "auto" means the stand-in at once.
    """
    kind = TASKS[task]
    if names_files(name):
        path = path_given(name, kind.known, kind.files)
        sentences, card = read_tagged(path)
        card.tell()
        source = name_of_path(path)
        data = tagged_sentences(source, sentences, letters, asked=source, card=card)
        if task == "entities" and not data.has_spans:
            fail(f"{path} has no tag such as B-person: use --task tags, or mark names")
        return data
    default, *_ = kind.examples
    wanted = default if name == "auto" and not quick else name
    if wanted == "wnut17":
        from cookbook.data.tagged.wnut17 import Wnut17
        from cookbook.data.text.multi30k import prepare_from_manual_folder

        prepare_from_manual_folder(Wnut17)
    name, asked = choose(name, default, kind, quick)
    if name == kind.stand_in:
        sentences = GENERATED[task]()
    else:
        sentences = _prepared(name, FEATURES[task])
    kind.check_examples(name, {part: len(found) for part, found in sentences.items()})
    return tagged_sentences(name, sentences, letters, asked=asked)


def tagged_sentences(
    name: str, sentences: Tagged, letters: int, **facts: typing.Any
) -> TaggedSentences:
    """The data set of {part: sentences}; facts: other fields of it."""
    sentences = dict(sentences)
    for part in ("validation", "test"):
        sentences[part] = sorted(sentences[part], key=lambda pair: len(pair[0]))
    vocabulary, alphabet = learn_ids([words for words, _ in sentences["train"]])
    every = [tag for part in sentences.values() for _, tags in part for tag in tags]
    tags = ("", *sorted(set(every)))

    parts: dict[str, typing.Any] = {}
    # As wide as each other, so that the parts can be joined.
    width = max(len(words) for part in sentences.values() for words, _ in part)
    for part, pairs in sentences.items():
        words = [each for each, _ in pairs]
        x = encode_words(words, vocabulary, alphabet, letters, width)
        parts[part] = x, encode_tags([each for _, each in pairs], tags, width)
    return TaggedSentences(
        name=name,
        tags=tags,
        vocabulary=vocabulary,
        alphabet=alphabet,
        sentences=sentences,
        **parts,
        **facts,
    )


def encode_tags(
    rows: Sequence[Sequence[str]], tags: Sequence[str], width: int
) -> np.ndarray:
    """int32 (N, width): the place of each tag among `tags`, padded with 0."""
    place = {tag: i for i, tag in enumerate(tags)}
    ids = np.zeros((len(rows), width), "int32")
    for row, names in zip(ids, rows):
        row[: len(names)] = [place[name] for name in names]
    return ids


def _prepared(name: str, feature: str) -> Tagged:
    """{part: sentences} of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    features = tfds.builder(name).info.features
    names = features[feature].feature.names
    needed = ["tokens", feature]
    # A treebank has rows for what is not said, and for contractions as a whole.
    needed += [each for each in ("head",) if each in features]
    sentences: Tagged = {}
    for part, split in SPLITS.items():
        columns = read(name, split, needed)
        rows = zip(*(columns[each] for each in needed))
        pairs = (_sentence(names, *row) for row in rows)
        sentences[part] = [pair for pair in pairs if pair[0]]
    return sentences


def _sentence(
    names: Sequence[str],
    tokens: Sequence[bytes],
    tags: Sequence[int],
    heads: Sequence[bytes] | None = None,
) -> Sentence:
    """(words, names of their tags) of rows, of which those behind the end are empty."""
    words, found = [], []
    for i, (token, tag) in enumerate(zip(tokens, tags)):
        if token and (heads is None or heads[i] != OMITTED):
            words.append(token.decode("utf-8", "replace"))
            found.append(names[tag])
    return words, found
