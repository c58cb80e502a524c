"""Data of plain scripts: reviews, characters, sums and pairs of sentences."""

import gzip
import itertools
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow_datasets as tfds
from sklearn.model_selection import train_test_split


class Batches(keras.utils.PyDataset):
    """Batches of rows of similar length, without columns of padding alone."""

    def __init__(self, x: Any, y: Any, batch_size: int) -> None:
        super().__init__()
        self.x, self.y, self.size = x, y, batch_size
        self.lengths = np.max([(a != 0).sum(1) for a in keras.tree.flatten(x)], 0)
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        order = np.argsort(self.lengths + np.random.random(len(self.lengths)))
        first, *others, last = np.split(order, range(self.size, len(order), self.size))
        np.random.shuffle(others)
        self.rows = [first, last, *others]  # unlike: Keras takes equal axes as fixed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple:
        def cut(a):
            a = a[self.rows[index]]
            return a if a.ndim == 1 else a[:, : (a != 0).sum(1).max()]

        return keras.tree.map_structure(cut, (self.x, self.y))


def load_reviews(name: str, words: int, length: int, quick: bool) -> SimpleNamespace:
    """Texts of TensorFlow Datasets, or with `quick` generated ones, as ids of words."""
    if quick:
        name, (texts, y) = "toy_reviews", toy_reviews()
        texts, test_texts, y, y_test = train_test_split(texts, y, random_state=0)
    else:
        options = {"as_supervised": True, "batch_size": -1}
        splits = tfds.load(name, split=["train", "test"], **options)
        (texts, y), (test_texts, y_test) = tfds.as_numpy(splits)
        texts, test_texts = ([x.decode() for x in part] for part in (texts, test_texts))
    words_in = re.compile(r"\w+(?:'\w+)*|[!?.,]").findall
    split = [words_in(text.lower()) for text in (*texts, *test_texts)]
    counts = Counter(itertools.chain(*split[: len(texts)]))
    vocabulary = ["", "?", *(word for word, _ in counts.most_common(words - 2))]
    number = {word: i for i, word in enumerate(vocabulary)}
    x = np.zeros((len(split), length), "int32")  # 0 is padding, 1 an unknown word
    for row, found in zip(x, split):
        ids = [number.get(word, 1) for word in found]
        if len(ids) > length:  # the verdict stands at the end
            ids = ids[: length // 4] + ids[length // 4 - length :]
        row[: len(ids)] = ids
    data = SimpleNamespace(name=name, classes=["bad", "good"], vocabulary=vocabulary)
    data.test = x[len(texts) :], y_test
    parts = train_test_split(x[: len(texts)], y, test_size=0.1, random_state=0)
    data.train, data.validation = parts[::2], parts[1::2]
    return data


def toy_reviews() -> tuple[list[str], np.ndarray]:
    """Sentences such as "the plot was not bad", and whether they praise."""
    rng = np.random.default_rng(0)
    words = ["bad", "dull", "awful", "poor", "good", "great", "funny", "moving"]
    kinds, negated = rng.integers([8, 2], size=(2000, 2)).T
    texts = [f"the plot was {n * 'not '}{words[k]}." for k, n in zip(kinds, negated)]
    return texts, (kinds > 3) ^ negated


def load_characters(name: str, context: int, quick: bool) -> SimpleNamespace:
    """A text in windows of characters' numbers; y is x one character later."""
    data = SimpleNamespace(name="toy_play" if quick else name)
    for part, lines in {"train": 320, "validation": 40, "test": 40}.items():
        text = toy_play(lines)
        if not quick:
            (example,) = tfds.as_numpy(tfds.load(name, split=part))
            text = example["text"].decode()
        if part == "train":
            data.alphabet = sorted(set(text))
        ids = np.array([data.alphabet.index(c) for c in text if c in data.alphabet])
        windows = np.lib.stride_tricks.sliding_window_view(ids, context)
        stride = context // 2 if part == "train" else context
        setattr(data, part, (windows[:-1:stride], windows[1::stride]))
    return data


def toy_play(lines: int) -> str:
    """A random play for two voices."""
    rng = np.random.default_rng(lines)
    people, moods = ["king", "queen", "fool", "lord"], ["good", "old", "merry", "poor"]
    return "".join(
        f"{rng.choice(['ROMEO', 'JULIET'])}:\nThe {rng.choice(moods)} "
        f"{rng.choice(people)} sees the {rng.choice(people)}.\n\n"
        for _ in range(lines)
    )


START, ALPHABET = 11, " 0123456789<>+"  # the character of each token; 0 is padding


def load_sums(digits: int, count: int, quick: bool, seed: int) -> SimpleNamespace:
    """Sums as ((question, answer before), answer), written from the right."""
    more = 100 if quick else 5_000
    rng = np.random.default_rng(seed)
    pairs: dict = {}  # neither a sum nor its mirror image stands in two parts
    while len(pairs) < count + 2 * more:
        a, b = rng.integers(0, 10 ** rng.integers(1, digits + 1, 2)).tolist()
        pairs.setdefault((min(a, b), max(a, b)), (a, b))
    questions = as_tokens([f"{a}+{b}" for a, b in pairs.values()])
    answers = [f"{a + b}"[::-1] for a, b in pairs.values()]
    before = as_tokens([f"<{answer}" for answer in answers])
    after = as_tokens([f"{answer}>" for answer in answers])
    data = SimpleNamespace(name="sums")
    rows = np.split(np.arange(len(pairs)), [count, count + more])
    for part, i in zip(("train", "validation", "test"), rows):
        setattr(data, part, ((questions[i], before[i]), after[i]))
    return data


def as_tokens(texts: list[str]) -> np.ndarray:
    rows = [[ALPHABET.index(character) for character in text] for text in texts]
    return keras.utils.pad_sequences(rows, padding="post")


URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"


def load_translations(
    name: str, size: int, longest: int, quick: bool
) -> SimpleNamespace:
    """German and English captions as tokens; with `quick` a few generated ones."""
    files = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
    texts = toy_captions() if quick else {p: captions(f) for p, f in files.items()}
    data = SimpleNamespace(name="toy_captions" if quick else name, sentences=texts)
    encoder = tfds.deprecated.text.SubwordTextEncoder
    sentences = itertools.chain(*texts["train"])
    data.subwords = encoder.build_from_corpus(sentences, target_vocab_size=size)
    start = data.subwords.vocab_size
    for part, pairs in texts.items():
        rows = [[data.subwords.encode(text) for text in pair] for pair in pairs]
        if part == "train":
            rows = [pair for pair in rows if max(map(len, pair)) < longest]
        source = padded([[*german, start + 1] for german, _ in rows])
        before = padded([[start, *english] for _, english in rows])
        target = padded([[*english, start + 1] for _, english in rows])
        setattr(data, part, ((source, before), target))
    return data


def padded(rows: list[list[int]]) -> np.ndarray:
    return keras.utils.pad_sequences(rows, padding="post")


def captions(file: str) -> list[tuple[str, ...]]:
    """Pairs of a German and an English caption."""
    columns = []
    for name in (f"{file}.de.gz", f"{file}.en.gz"):
        path = keras.utils.get_file(name, f"{URL}/{name}")
        text = gzip.decompress(Path(path).read_bytes()).decode()
        columns.append(text.rstrip("\n").split("\n"))
    return list(zip(*columns))


def toy_captions() -> dict[str, list[tuple[str, str]]]:
    """Captions made from a few words: 600 to train on, and twice 60."""
    kinds = "kleiner small, junger young, alter old, nasser wet"
    people = "Hund dog, Mann man, Vogel bird, Freund friend, Junge boy, Koch cook"
    deeds = "rennt runs, sitzt sits, spielt plays, wartet waits, isst eats, singt sings"
    places = "Park park, Haus house, Wasser water, Wald forest, Zug train"
    words = [[w.split() for w in x.split(", ")] for x in (kinds, people, deeds, places)]
    pairs = []
    for (a, e), (b, f), (c, g), (d, h) in itertools.product(*words):
        pairs.append((f"Ein {a} {b} {c} im {d}.", f"A {e} {f} {g} in the {h}."))
    np.random.default_rng(0).shuffle(pairs)
    return {"train": pairs[120:], "validation": pairs[:60], "test": pairs[60:120]}
