"""Labelled texts: of TensorFlow Datasets, generated, or the user's own files."""

import dataclasses
import typing
from pathlib import Path

import numpy as np

from cookbook.data.files.given import name_of_path, names_files, path_given
from cookbook.data.files.parts import numbers_of
from cookbook.data.kinds import Kind
from cookbook.data.sources import DataSet, Part, choose, hold_out, read
from cookbook.data.text.labelled_files import read_labelled_texts
from cookbook.data.text.words import (
    UNKNOWN,
    Vocabulary,
    cut_and_pad,
    numbered,
    numbered_by,
)
from cookbook.errors import fail

VALIDATION_SHARE = 1 / 10  # of the training examples: 2,500 of IMDB's 25,000
TEST_SHARE = 1 / 5  # of the user's texts, where they lack a test part
REVIEWS = Kind(
    what="labelled texts",
    features={"text": "Text", "label": "ClassLabel"},
    parts=("train", "test"),
    examples=("imdb_reviews", "yelp_polarity_reviews"),
    stand_in="generated_reviews",
    files="a table or a folder of labelled texts",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reviews(DataSet):
    """A labelled text set; each part is (x, y), x int32 (N, length), y int (N,).

    x holds word ids of `vocabulary`, with zeros at the end of a row. The rows of
    validation and test are sorted by length, so that a batch holds similar lengths.
    """

    classes: tuple[str, ...]  # name of each label
    vocabulary: Vocabulary
    test_texts: list[str]  # the texts from which x of test was made
    padded: bool = True  # rows end in zeros; see Batches

    @property
    def length(self) -> int:
        """The number of words of a text that a model reads."""
        return self.train[0].shape[1]


def load_reviews(
    name: str,
    default: str,
    words: int | Vocabulary,
    length: int,
    quick: bool = False,
    columns: tuple[str | None, str | None] = (None, None),
    seed: int = 0,
) -> Reviews:
    """The text set `name`; "auto" means `default` or else generated reviews.

    The validation part is cut from the training part at random.

    Args:
        name: a set of TensorFlow Datasets, "generated_reviews", "auto", or the path of
            a table or a folder of texts; see `read_labelled_texts`.
        default: the set that "auto" asks for; `sources.choose` has the rules.
        words: size of the vocabulary, which is learned from the training part alone;
            or a vocabulary that there is already.
        length: words of a text that a model reads, from its beginning and its end.
        quick: whether "auto" means the generated reviews at once.
        columns: columns of texts and of labels in the user's table; None is guessed.
        seed: random seed of the validation part.
    """
    if names_files(name):
        path = path_given(name, REVIEWS.known, REVIEWS.files)
        return _from_files(path, words, length, seed, columns)
    name, asked = choose(name, default, REVIEWS, quick)
    if name == REVIEWS.stand_in:
        (texts, y), (test_texts, y_test), classes = generated_reviews()
    else:
        (texts, y), (test_texts, y_test), classes = _prepared(name)
    rest, held_out = hold_out(len(texts), VALIDATION_SHARE, seed)
    counts = {"training": len(rest), "validation": len(held_out), "test": len(y_test)}
    REVIEWS.check_examples(name, counts)
    REVIEWS.check_labels(name, {"train": y, "test": y_test}, len(classes))
    return _reviews(
        (texts, y),
        (test_texts, y_test),
        (rest, held_out),
        (words, length),
        name=name,
        asked=asked,
        classes=classes,
    )


def _reviews(
    examples: Part,
    test: Part,
    cut: tuple[np.ndarray, np.ndarray],
    sizes: tuple[int | Vocabulary, int],
    **facts: typing.Any,
) -> Reviews:
    """The data set of texts and labels.

    Args:
        examples: (texts, y) to train and to validate with.
        test: (texts, y) to test with.
        cut: the rows of `examples` for training, and those for validation.
        sizes: size of the vocabulary, or the vocabulary itself; words of a text that
            are read.
        facts: other fields of the data set.
    """
    (texts, y), (test_texts, y_test) = examples, test
    rest, held_out = cut
    words, length = sizes
    vocabulary, known = _known([*texts, *test_texts], words, rest)
    x = cut_and_pad(known, length)
    x, x_test = x[: len(texts)], x[len(texts) :]
    held_out = held_out[_by_length(x[held_out])]
    order = _by_length(x_test)
    return Reviews(
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=(x_test[order], y_test[order]),
        vocabulary=vocabulary,
        test_texts=[test_texts[i] for i in order],
        **facts,
    )


def _known(
    texts: list[str], words: int | Vocabulary, rest: np.ndarray
) -> tuple[Vocabulary, list[np.ndarray]]:
    """(vocabulary, ids of each text); see `_reviews`."""
    if isinstance(words, Vocabulary):
        return words, numbered_by(words, texts)
    vocabulary, rows = numbered(texts, learn_from=rest)
    vocabulary = Vocabulary(vocabulary.words[: max(0, words - 2)])
    return vocabulary, [np.where(row < len(vocabulary), row, UNKNOWN) for row in rows]


def _from_files(
    path: Path,
    words: int | Vocabulary,
    length: int,
    seed: int,
    columns: tuple[str | None, str | None],
) -> Reviews:
    """The user's own texts."""
    shares = {"test": TEST_SHARE, "validation": VALIDATION_SHARE}
    parts, classes, card = read_labelled_texts(path, shares, seed, columns)
    if len(classes) < 2:
        fail(f"{path} has the one class {classes[0]!r}, expected at least two")
    train, validation, test = (parts[p] for p in ("train", "validation", "test"))
    labels = numbers_of([*train.labels, *validation.labels], classes)
    return _reviews(
        ([*train.items, *validation.items], labels),
        (test.items, numbers_of(test.labels, classes)),
        (np.arange(len(train)), np.arange(len(train), len(labels))),
        (words, length),
        name=name_of_path(path),
        asked=name_of_path(path),
        classes=classes,
        card=card,
    )


def _prepared(name: str) -> tuple[Part, Part, tuple[str, ...]]:
    """(train, test, names of the classes) of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    info = tfds.builder(name).info
    classes = tuple(info.features["label"].names)
    return _read(name, "train"), _read(name, "test"), classes


def _read(name: str, split: str) -> Part:
    """(texts, labels) of a split."""
    part = read(name, split)
    texts, y = (part["text"], part["label"]) if isinstance(part, dict) else part
    return [text.decode("utf-8", "replace") for text in texts], y


def _by_length(x: np.ndarray) -> np.ndarray:
    """The order of the rows from the shortest to the longest."""
    lengths = (x != 0).sum(1)
    return np.argsort(lengths, kind="stable")


# The grammar of the generated reviews. A clause praises or blames, and "not" reverses
# it; a review's label is that of most of its clauses. The nouns, and the fillers, which
# say nothing, differ between the training and the test part.
GOOD = ["good", "great", "funny", "clever", "moving", "fresh", "charming", "fine"]
BAD = ["bad", "dull", "silly", "boring", "awful", "clumsy", "weak", "tired"]
LOVED = ["loved", "enjoyed", "admired"]
HATED = ["hated", "regretted", "disliked"]
TRAIN_NOUNS = ["plot", "acting", "music", "script", "cast", "ending", "camera", "story"]
TEST_NOUNS = ["pace", "humour", "lead", "sound"]
TRAIN_FILLERS = [
    "i saw it on a monday",
    "it runs for two hours",
    "my brother came along",
    "we sat in front",
]
TEST_FILLERS = ["we took the late show", "popcorn was cheap", "it rained all day"]


def generated_reviews(
    count: int = 1500, test_count: int = 500
) -> tuple[Part, Part, tuple[str, ...]]:
    """(texts, y) of training and of test, and the classes neg, pos; always the same."""
    rng = np.random.default_rng(0)
    train = _generate(rng, count, TRAIN_NOUNS, TRAIN_FILLERS)
    test = _generate(rng, test_count, TEST_NOUNS, TEST_FILLERS)
    return train, test, ("neg", "pos")


def _generate(
    rng: np.random.Generator, count: int, nouns: list[str], fillers: list[str]
) -> Part:
    """(texts, y) of one part."""
    y = rng.integers(2, size=count)
    return [_review(rng, label, nouns, fillers) for label in y], y


def _review(
    rng: np.random.Generator, label: int, nouns: list[str], fillers: list[str]
) -> str:
    """A review of one or three clauses, of which at most one is against its label."""
    clauses = [label, label, label] if rng.random() < 0.5 else [label, label, 1 - label]
    clauses = clauses[: rng.choice([1, 3])]
    sentences = [_clause(rng, praise, nouns) for praise in rng.permutation(clauses)]
    for filler in rng.choice(fillers, rng.integers(3), replace=False):
        place = rng.integers(len(sentences) + 1)
        sentences.insert(place, str(filler))
    return ". ".join(sentences) + "."


def _clause(rng: np.random.Generator, praise: int, nouns: list[str]) -> str:
    """A clause that praises or blames, in a third of cases by "not" or "never"."""
    noun = rng.choice(nouns)
    negated = rng.random() < 0.3
    good = praise != negated
    if rng.random() < 0.3:
        verb = rng.choice(LOVED if good else HATED)
        never = "never " if negated else ""
        return f"i {never}{verb} the {noun}"
    very = rng.choice(["", "very ", "really ", "so "])
    adjective = rng.choice(GOOD if good else BAD)
    negation = "not " if negated else ""
    return f"the {noun} was {negation}{very}{adjective}"
