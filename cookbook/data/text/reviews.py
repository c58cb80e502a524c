"""Labelled texts by name: reviews of TensorFlow Datasets, or generated ones."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet, Kind, choose, hold_out, read
from cookbook.data.text.words import Vocabulary, cut_and_pad, numbered

VALIDATION_SHARE = 1 / 10  # of the training examples: 2,500 of IMDB's 25,000
REVIEWS = Kind(
    what="labelled texts",
    features=frozenset({"text", "label"}),
    examples=("imdb_reviews", "yelp_polarity_reviews"),
    stand_in="generated_reviews",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reviews(DataSet):
    """A labelled text set; each part is (x, y), x int32 (N, length), y int (N,).

    x holds word ids of `vocabulary`, zeros behind them; validation and test go from
    short to long, so that a batch of them holds like lengths.
    """

    classes: tuple  # name of each label
    vocabulary: Vocabulary
    test_texts: list  # what x of test was made from
    padded: bool = True  # batches hold rows of like length

    @property
    def length(self):
        """Words of a text that are read."""
        return self.train[0].shape[1]


def load_reviews(name, default, words, length, quick=False, seed=0):
    """The text set `name`, or for "auto" `default`, or else generated reviews.

    words: size of the vocabulary, learned from the training part alone
    length: words of a text that are read, of its beginning and its end

    sources.choose says in which order; the validation part is cut from train, by seed.
    """
    name, asked = choose(name, default, REVIEWS, quick)
    if name == REVIEWS.stand_in:
        (texts, y), (test_texts, y_test), classes = generated_reviews()
    else:
        import tensorflow_datasets as tfds

        (texts, y), (test_texts, y_test) = _read(name, "train"), _read(name, "test")
        classes = tuple(tfds.builder(name).info.features["label"].names)
    rest, held_out = hold_out(len(texts), VALIDATION_SHARE, seed)
    vocabulary, rows = numbered([*texts, *test_texts], learn_from=rest)
    vocabulary = Vocabulary(vocabulary.words[: max(0, words - 2)])
    x = cut_and_pad([np.where(row < len(vocabulary), row, 1) for row in rows], length)
    x, x_test = x[: len(texts)], x[len(texts) :]
    held_out = held_out[_by_length(x[held_out])]
    order = _by_length(x_test)
    return Reviews(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=(x_test[order], y_test[order]),
        classes=classes,
        vocabulary=vocabulary,
        test_texts=[test_texts[i] for i in order],
    )


def _read(name, split):
    part = read(name, split)
    texts, y = (part["text"], part["label"]) if isinstance(part, dict) else part
    return [text.decode("utf-8", "replace") for text in texts], y


def _by_length(x):
    return np.argsort((x != 0).sum(1), kind="stable")


# The grammar of the generated reviews. A clause is praise or blame; "not" turns it
# round. A review is what most of its clauses are. Of the nouns and the fillers, which
# say nothing, those of the test part never occur in training.
GOOD = ["good", "great", "funny", "clever", "moving", "fresh", "charming", "fine"]
BAD = ["bad", "dull", "silly", "boring", "awful", "clumsy", "weak", "tired"]
LOVED = ["loved", "enjoyed", "admired"]
HATED = ["hated", "regretted", "disliked"]
NOUNS = "plot acting music script cast ending camera story", "pace humour lead sound"
FILLERS = (
    "i saw it on a monday|it runs for two hours|my brother came along|we sat in front",
    "we took the late show|popcorn was cheap|it rained all day",
)


def generated_reviews(count=1500, test_count=500):
    """(texts, y) of training, of test, and the classes: neg, pos; always the same."""
    rng = np.random.default_rng(0)
    parts = []
    for i, size in enumerate((count, test_count)):
        y = rng.integers(2, size=size)
        parts.append(([_review(rng, label, i) for label in y], y))
    return *parts, ("neg", "pos")


def _review(rng, label, part):
    """A review of one or three clauses, of which at most one is against its label."""
    clauses = [label, label, label] if rng.random() < 0.5 else [label, label, 1 - label]
    clauses = clauses[: rng.choice([1, 3])]
    sentences = [_clause(rng, praise, part) for praise in rng.permutation(clauses)]
    for filler in rng.choice(FILLERS[part].split("|"), rng.integers(3), replace=False):
        sentences.insert(rng.integers(len(sentences) + 1), str(filler))
    return ". ".join(sentences) + "."


def _clause(rng, praise, part):
    noun = rng.choice(NOUNS[part].split())
    negated = rng.random() < 0.3
    good = praise != negated
    if rng.random() < 0.3:
        verb = rng.choice(LOVED if good else HATED)
        return f"i {'never ' * negated}{verb} the {noun}"
    very = rng.choice(["", "very ", "really ", "so "])
    return f"the {noun} was {'not ' * negated}{very}{rng.choice(GOOD if good else BAD)}"
