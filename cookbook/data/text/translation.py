"""Sentences in two languages, as numbers of subwords."""

import dataclasses
import hashlib
import itertools
import json
import os

import numpy as np

from cookbook.data.sources import DataSet, Kind, cache_folder, choose, read
from custom_layers.generation import END, START, Subwords

TRANSLATIONS = Kind(
    what="sentences in German and English",
    features=frozenset({"de", "en"}),
    examples=("multi30k",),
    stand_in="toy_captions",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Translations(DataSet):
    """Pairs of sentences; each part is ((source, target before), target).

    All are subwords' numbers (N, S) or (N, T), padded with 0: source and target end in
    END, and "target before" is the target one place later, from START on.
    """

    subwords: Subwords  # of both languages, learned from the training part
    sentences: dict  # part -> (sources, targets), as texts
    padded = True  # batches may hold rows of like length


def load_translations(name, default, size, longest, quick=False):
    """German to English: the set `name`, or for "auto" `default`, or a small toy.

    size: of the vocabulary; longest: training pairs with more subwords are left out.
    """
    if not quick and name in ("auto", "multi30k"):
        from cookbook.data.text.multi30k import prepare_from_manual_folder

        prepare_from_manual_folder()
    name, asked = choose(name, default, TRANSLATIONS, quick)
    texts = _toy_captions() if name == TRANSLATIONS.stand_in else _prepared(name)
    subwords, numbers = _cached_numbers(texts, size)
    parts = {}
    for part, pairs in numbers.items():
        if part == "train":
            pairs = [pair for pair in pairs if max(map(len, pair)) < longest]
        parts[part] = _arrays(*zip(*pairs))
    return Translations(
        name=name, asked=asked, subwords=subwords, sentences=texts, **parts
    )


def _arrays(sources, targets):
    source = pad([[*row, END] for row in sources])
    before = pad([[START, *row] for row in targets])
    return (source, before), pad([[*row, END] for row in targets])


def pad(rows):
    """Lists of numbers as an array (N, longest), filled up with 0."""
    return np.array([*itertools.zip_longest(*rows, fillvalue=0)], "int32").T


def _cached_numbers(texts, size):
    """(subwords, {part: [(source, target)]}): learned from train once, then cached."""
    content = json.dumps([texts, size]).encode()
    key = hashlib.sha256(content).hexdigest()[:16]
    path = cache_folder() / f"subwords_{key}.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Subwords(saved["pieces"], saved["merges"]), saved["numbers"]
    except (OSError, ValueError, KeyError):
        pass  # not there yet, or damaged
    subwords = Subwords.learn(itertools.chain(*texts["train"]), size)
    numbers = {
        part: [[subwords.encode(s) for s in pair] for pair in zip(*pairs)]
        for part, pairs in texts.items()
    }
    saved = {"pieces": subwords.pieces, "merges": subwords.merges, "numbers": numbers}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(saved), encoding="utf-8")
        os.replace(partial, path)
    except OSError:
        pass  # a home that can't be written costs the time again
    return subwords, numbers


def _prepared(name):
    """{part: (sources, targets)} of a TFDS set that has the three splits."""
    texts = {}
    for split in ("train", "validation", "test"):
        columns = read(name, split)
        if isinstance(columns, dict):
            columns = columns["de"], columns["en"]
        texts[split] = [[row.decode("utf-8") for row in column] for column in columns]
    return texts


def _toy_captions():
    """Captions put together from a few words: 600, 60 and 60, none of them twice."""
    whos = (
        ("ein {}er Hund", "a {} dog"),
        ("eine {}e Frau", "a {} woman"),
        ("ein {}es Kind", "a {} child"),
        ("ein {}er Mann", "a {} man"),
        ("eine {}e Katze", "a {} cat"),
    )
    hows = ("klein", "small"), ("jung", "young"), ("müd", "tired"), ("nass", "wet")
    acts = ("rennt", "runs"), ("schläft", "sleeps"), ("sitzt", "sits")
    acts += ("spielt", "plays"), ("wartet", "waits"), ("steht", "stands")
    places = ("im Park", "in the park"), ("am Strand", "at the beach")
    places += ("auf der Straße", "on the street"), ("unter einem Baum", "under a tree")
    places += ("vor dem Haus", "in front of the house"), ("im Wasser", "in the water")
    pairs = []
    for who, how, act, place in itertools.product(whos, hows, acts, places):
        de = f"{who[0].format(how[0])} {act[0]} {place[0]}."
        en = f"{who[1].format(how[1])} {act[1]} {place[1]}."
        pairs.append(tuple(text[0].upper() + text[1:] for text in (de, en)))
    order = np.random.default_rng(0).permutation(len(pairs))
    pairs = [pairs[i] for i in order]
    return {
        "train": [*zip(*pairs[:600])],
        "validation": [*zip(*pairs[600:660])],
        "test": [*zip(*pairs[660:720])],
    }
