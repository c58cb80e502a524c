"""Texts for a script: labelled ones, a long one, and sentences in two languages."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cookbook.data.text import characters
from cookbook.data.text.characters import Characters, _small_talk, _windows, encode
from cookbook.data.text.reviews import (
    VALIDATION_SHARE,
    Reviews,
    _by_length,
    generated_reviews,
)
from cookbook.data.text.translation import Texts, Translations, _arrays, _toy_captions
from cookbook.data.text.words import UNKNOWN, Vocabulary, cut_and_pad, split_words
from cookbook.takeaway.standalone.base.settings import fail
from cookbook.takeaway.standalone.data.sources import (
    Part,
    choose,
    hold_out,
    read,
    texts_of,
)
from custom_layers.generation import Subwords


def load_reviews(
    name: str,
    default: str,
    words: int,
    length: int,
    quick: bool = False,
    seed: int = 0,
) -> Reviews:
    """The text set `name`, with `words` in its vocabulary and `length` words a text."""
    name, asked = choose(name, default, "generated_reviews", quick)
    (texts, y), (test_texts, y_test), classes = (
        generated_reviews() if name == "generated_reviews" else _labelled_texts(name)
    )
    rest, held_out = hold_out(len(texts), VALIDATION_SHARE, seed)
    vocabulary, rows = numbered([*texts, *test_texts], learn_from=rest)
    vocabulary = Vocabulary(vocabulary.words[: max(0, words - 2)])
    known = [np.where(row < len(vocabulary), row, UNKNOWN) for row in rows]
    x = cut_and_pad(known, length)
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


def numbered(
    texts: Sequence[str], learn_from: Iterable[int]
) -> tuple[Vocabulary, list[np.ndarray]]:
    """(vocabulary of all words in texts[i] for i in learn_from, ids of each text)."""
    split = [split_words(text) for text in texts]
    vocabulary = Vocabulary.learn(split[i] for i in learn_from)

    return vocabulary, [np.array(vocabulary.ids(words), "int32") for words in split]


def _labelled_texts(name: str) -> tuple[Part, Part, tuple[str, ...]]:
    """(train, test, names of the classes) of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    classes = tuple(tfds.builder(name).info.features["label"].names)
    texts, y = read(name, "train", "text", "label")
    test_texts, y_test = read(name, "test", "text", "label")

    return (texts_of(texts), y), (texts_of(test_texts), y_test), classes


def load_characters(
    name: str, default: str, context: int, quick: bool = False
) -> Characters:
    """The text `name` in windows of `context` characters."""
    name, asked = choose(name, default, "small_talk", quick)
    texts = _small_talk() if name == "small_talk" else _long_texts(name)
    shortest = min(len(text) for text in texts.values())

    if context >= shortest:
        fail(f"--context got {context}, expected less than {shortest}")
    alphabet = characters.UNKNOWN + "".join(sorted(set(texts["train"])))
    strides = {"train": max(1, context // 2), "validation": context, "test": context}

    windows: dict[str, Any] = {
        part: _windows(encode(text, alphabet), context, strides[part])
        for part, text in texts.items()
    }

    return Characters(name=name, asked=asked, alphabet=alphabet, **windows)


def _long_texts(name: str) -> dict[str, str]:
    """{part: text} of a set of TensorFlow Datasets; several texts become one."""
    texts = {}

    for split in ("train", "validation", "test"):
        (rows,) = read(name, split, "text")
        texts[split] = "\n".join(texts_of(rows))

    return texts


def load_translations(
    name: str, default: str, size: int, longest: int, quick: bool = False
) -> Translations:
    """German and English sentences as the tokens of a vocabulary of `size` subwords."""
    name, asked = choose(name, default, "toy_captions", quick)
    texts = _toy_captions() if name == "toy_captions" else _sentences(name)
    subwords = Subwords.learn(itertools.chain(*texts["train"]), size)
    tokens = {
        part: [[subwords.encode(text) for text in pair] for pair in zip(*pairs)]
        for part, pairs in texts.items()
    }
    tokens["train"] = [
        pair for pair in tokens["train"] if max(map(len, pair)) < longest
    ]
    parts = {part: _arrays(*zip(*pairs)) for part, pairs in tokens.items()}

    return Translations(
        name=name, asked=asked, subwords=subwords, sentences=texts, **parts
    )


def _sentences(name: str) -> Texts:
    """{part: (sources, targets)} of a set of TensorFlow Datasets."""
    texts: Texts = {}
    for split in ("train", "validation", "test"):
        sources, targets = read(name, split, "de", "en")
        texts[split] = texts_of(sources), texts_of(targets)
    return texts
