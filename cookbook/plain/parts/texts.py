"""Data of plain scripts: reviews, characters, sums and pairs of sentences."""

import gzip
import itertools
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow_datasets as tfds
from keras.utils import PyDataset, get_file, pad_sequences
from sklearn.model_selection import train_test_split


class Batches(PyDataset):
    """Batches of rows of similar length, without columns of padding alone."""

    def __init__(self, x, y, batch_size: int) -> None:
        super().__init__()
        self.parts = x, y
        self.size = batch_size
        lengths = [(p != 0).sum(1) for p in keras.tree.flatten(x) if p.ndim == 2]
        self.lengths = np.max(lengths, axis=0)
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Puts rows of one length in another order, and then the batches."""
        count = len(self.lengths)
        order = np.argsort(self.lengths + np.random.random(count))
        first, *others, last = np.split(order, range(self.size, count, self.size))
        np.random.shuffle(others)
        self.rows = [first, last, *others]  # unlike: Keras takes equal axes as fixed

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple:
        rows = self.rows[index]

        def chosen(part):
            part = part[rows]
            if part.ndim == 1:  # labels
                return part
            longest = (part != 0).sum(1).max()
            return part[:, :longest]

        return keras.tree.map_structure(chosen, self.parts)


def load_reviews(name: str, words: int, length: int, quick: bool) -> SimpleNamespace:
    """Texts of TensorFlow Datasets, or with `quick` generated ones, as ids of words."""
    if quick:
        texts, test_texts, y, y_test = train_test_split(*toy_reviews(), random_state=0)
    else:
        train, test = tfds.load(
            name, split=["train", "test"], as_supervised=True, batch_size=-1
        )
        texts, y = tfds.as_numpy(train)
        test_texts, y_test = tfds.as_numpy(test)
    texts, test_texts = (list(map(words_of, part)) for part in (texts, test_texts))
    counts = Counter(itertools.chain(*texts)).most_common(words - 2)
    vocabulary = ["", "?", *(word for word, _ in counts)]
    x = ids_of(texts, vocabulary, length)
    x_test = ids_of(test_texts, vocabulary, length)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.1, random_state=0)
    return SimpleNamespace(
        classes=["bad", "good"],
        vocabulary=vocabulary,
        train=(x, y),
        validation=(x_val, y_val),
        test=(x_test, y_test),
    )


def words_of(text: bytes) -> list[str]:
    """The words of a text, and the marks between them."""
    return re.findall(r"\w+(?:'\w+)*|[!?.,]", text.decode().lower())


def ids_of(texts: list, vocabulary: list[str], length: int) -> np.ndarray:
    """The numbers of the words; 0 is padding, 1 an unknown word."""
    number = {word: i for i, word in enumerate(vocabulary)}
    rows = []
    for words in texts:
        ids = [number.get(word, 1) for word in words]
        if len(ids) > length:  # the verdict stands at the end
            ids = ids[: length // 4] + ids[length // 4 - length :]
        rows.append(ids)
    return pad_sequences(rows, length, padding="post")


def toy_reviews() -> tuple[list[bytes], np.ndarray]:
    """Sentences such as "the plot was not bad", and whether they praise."""
    words = ["bad", "dull", "awful", "poor", "good", "great", "funny", "moving"]
    texts = []
    praise = []
    for no, i in itertools.product(["", "not "], range(8)):
        texts += 125 * [f"the plot was {no}{words[i]}.".encode()]
        praise += 125 * [(i > 3) != bool(no)]
    return texts, np.array(praise, "int64")


def load_characters(name: str, context: int, quick: bool) -> SimpleNamespace:
    """A text in windows of characters' numbers; y is x one character later."""
    data = SimpleNamespace(opening="ROMEO:")
    for part, lines in {"train": 320, "validation": 40, "test": 41}.items():
        if quick:
            text = toy_play(lines)
        else:
            (example,) = tfds.as_numpy(tfds.load(name, split=part))
            text = example["text"].decode()
        if part == "train":
            data.alphabet = sorted(set(text))
        ids = [data.alphabet.index(c) for c in text if c in data.alphabet]
        windows = np.lib.stride_tricks.sliding_window_view(ids, context)
        stride = context // 2 if part == "train" else context
        setattr(data, part, (windows[:-1:stride], windows[1::stride]))
    return data


def toy_play(lines: int) -> str:
    """A random play for two voices."""
    rng = np.random.default_rng(lines)
    people = ["king", "queen", "fool", "lord"]
    text = ""
    for _ in range(lines):
        voice = rng.choice(["ROMEO", "JULIET"])
        mood = rng.choice(["good", "old", "merry", "poor"])
        one, other = rng.choice(people, 2)
        text += f"{voice}:\nThe {mood} {one} sees the {other}.\n\n"
    return text


ALPHABET = " 0123456789<>+"  # the character of each token; 0 is padding


def load_sums(digits: int, count: int, quick: bool, seed: int) -> SimpleNamespace:
    """Sums as ((question, answer before), answer), written from the right."""
    held_out = 100 if quick else 5_000
    rng = np.random.default_rng(seed)
    pairs: dict = {}  # neither a sum nor its mirror image stands in two parts
    while len(pairs) < count + 2 * held_out:
        lengths = rng.integers(1, digits + 1, size=2)
        a, b = rng.integers(0, 10**lengths).tolist()

        key = min(a, b), max(a, b)
        pairs.setdefault(key, (a, b))

    sums = []
    answers = []

    for a, b in pairs.values():
        sums.append(f"{a}+{b}")
        answers.append(str(a + b)[::-1])

    # The network that writes an answer reads what stands before each character.
    questions = as_tokens(sums)
    before = as_tokens([f"<{answer}" for answer in answers])
    after = as_tokens([f"{answer}>" for answer in answers])

    data = SimpleNamespace()
    begin = 0
    sizes = {"train": count, "validation": held_out, "test": held_out}

    for part, size in sizes.items():
        rows = slice(begin, begin + size)
        x = questions[rows], before[rows]
        y = after[rows]
        setattr(data, part, (x, y))
        begin += size

    return data


def as_tokens(texts: list[str]) -> np.ndarray:
    rows = []
    for text in texts:
        rows.append([ALPHABET.index(character) for character in text])

    return pad_sequences(rows, padding="post")


TREEBANK = "universal_dependencies/en_ewt:1.0.1"
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"
FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}


def load_translations(
    name: str, size: int, longest: int, quick: bool
) -> SimpleNamespace:
    """German and English captions as tokens; with `quick` a few generated ones."""
    if quick:
        sentences = toy_captions()
    else:
        sentences = {part: captions(file) for part, file in FILES.items()}

    encoder = tfds.deprecated.text.SubwordTextEncoder
    subwords = encoder.build_from_corpus(
        itertools.chain(*sentences["train"]), target_vocab_size=size
    )
    data = SimpleNamespace(sentences=sentences, subwords=subwords)

    start = subwords.vocab_size
    end = start + 1

    for part, pairs in sentences.items():
        rows = [[subwords.encode(text) for text in pair] for pair in pairs]
        if part == "train":
            # What is longer would cost more time than it teaches.
            rows = [pair for pair in rows if max(map(len, pair)) < longest]

        # The network reads the source and what stands before each target.
        source = padded([[*german, end] for german, _ in rows])
        before = padded([[start, *english] for _, english in rows])
        target = padded([[*english, end] for _, english in rows])
        x = source, before
        y = target
        setattr(data, part, (x, y))

    return data


def padded(rows: list) -> np.ndarray:
    return pad_sequences(rows, padding="post")


def captions(file: str) -> list[tuple]:
    """Pairs of a German and an English caption."""
    columns = []
    for name in (f"{file}.de.gz", f"{file}.en.gz"):
        path = get_file(name, f"{URL}/{name}")

        content = gzip.decompress(Path(path).read_bytes())
        text = content.decode()
        columns.append(text.rstrip("\n").split("\n"))

    return list(zip(*columns))


def toy_captions() -> dict[str, list[tuple]]:
    """Captions made from a few words: 600 to train on, and twice 60."""
    table = [
        "kleiner small, junger young, alter old, nasser wet",
        "Hund dog, Mann man, Vogel bird, Freund friend, Junge boy, Koch cook",
        "rennt runs, sitzt sits, spielt plays, wartet waits, isst eats, singt sings",
        "Park park, Haus house, Wasser water, Wald forest, Zug train",
    ]
    words = []

    for row in table:
        words.append([both.split() for both in row.split(", ")])

    pairs = []

    for chosen in itertools.product(*words):
        german, english = zip(*chosen)
        pair = (
            "Ein {} {} {} im {}.".format(*german),
            "A {} {} {} in the {}.".format(*english),
        )
        pairs.append(pair)

    np.random.default_rng(0).shuffle(pairs)

    return {"train": pairs[120:], "validation": pairs[:60], "test": pairs[60:120]}


def load_sentences(letters: int, quick: bool) -> SimpleNamespace:
    """English sentences with parts of speech; with `quick` a few generated ones.

    Each part is ((words, characters), tags), as numbers; 0 is padding, 1 unknown.
    """
    sentences = {}
    for part, split in SPLITS.items():
        sentences[part] = toy_sentences(split) if quick else treebank(split)

    words: Counter[str] = Counter()
    characters = set()
    for word, _ in itertools.chain(*sentences["train"]):
        words.update([word.lower()])
        characters.update(word)

    tags: set[str] = set()
    for pairs in itertools.chain(*sentences.values()):
        tags.update(tag for _, tag in pairs)

    # What occurs once only shows the network what an unknown word is.
    frequent = [word for word, count in words.items() if count > 1]
    data = SimpleNamespace(
        tags=["", *sorted(tags)],
        vocabulary=["", "?", *frequent],
        alphabet=["", "?", *sorted(characters)],
    )
    number = {word: i for i, word in enumerate(data.vocabulary)}
    place = {letter: i for i, letter in enumerate(data.alphabet)}

    for part, rows in sentences.items():
        ids = []
        y = []
        spellings = []

        for pairs in rows:
            ids.append([number.get(word.lower(), 1) for word, _ in pairs])
            y.append([data.tags.index(tag) for _, tag in pairs])
            table = spelled(pairs, place, letters)
            spellings.append(table)

        x = padded(ids), padded(spellings)
        setattr(data, part, (x, padded(y)))

    return data


def spelled(pairs: list[tuple], place: dict, letters: int) -> np.ndarray:
    """The last letters of each word, as numbers: the end says most."""
    rows = []
    for word, _ in pairs:
        known = [place.get(c, 1) for c in word]
        rows.append(known[-letters:])

    return pad_sequences(rows, letters, padding="post")


def treebank(split: str) -> list[list[tuple]]:
    """Sentences as pairs (word, part of speech)."""
    upos = tfds.builder(TREEBANK).info.features["upos"]
    names = upos.feature.names
    found = []

    examples = tfds.load(TREEBANK, split=split)
    for example in tfds.as_numpy(examples):
        pairs = []
        rows = zip(example["tokens"], example["upos"], example["head"])

        # Without the rows for contractions as a whole, and for omitted words
        for word, tag, head in rows:
            if head != b"None":
                pairs.append((word.decode(), names[tag]))

        found.append(pairs)

    return found


def toy_sentences(split: str) -> list[list[tuple]]:
    """Sentences such as "they can watch the play .", with new words in the test."""
    rng = np.random.default_rng(len(split))
    both = ["watch", "play", "walk", "dance", "answer", "visit"]
    stems = ["barn", "gulm", "torn"]
    if split == "test":
        stems = ["darn", "vork"]

    sentences = []
    for _ in range(400):
        verb, noun = rng.choice(both, 2)
        stem = rng.choice(stems)
        pairs = [("they", "PRON"), ("can", "AUX")]
        if rng.random() < 0.5:
            pairs.append((stem + "ly", "ADV"))

        pairs += [(verb, "VERB"), ("the", "DET")]
        if rng.random() < 0.5:
            pairs.append((stem + "ous", "ADJ"))

        pairs += [(noun, "NOUN"), (".", "PUNCT")]
        sentences.append(pairs)
    return sentences
