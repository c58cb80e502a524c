"""Sentences in two languages, as the token ids of subwords."""

import dataclasses
import hashlib
import itertools
import json
import os
import typing
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cookbook.data.files.given import names_files
from cookbook.data.kinds import Kind
from cookbook.data.sources import DataSet, Part, cache_folder, choose, read
from cookbook.data.text.plain_files import read_pairs
from custom_layers.generation import END, START, Subwords

TRANSLATIONS = Kind(
    what="sentences in German and English",
    features={"de": "Text", "en": "Text"},
    parts=("train", "validation", "test"),
    examples=("multi30k",),
    stand_in="toy_captions",
    files="a TSV file or two files of sentences",
)
Texts = dict[str, tuple[list[str], list[str]]]  # {part: (sources, targets)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Translations(DataSet):
    """Pairs of sentences; each part is ((source, target before), target).

    All three are arrays of token ids, (N, S) or (N, T), padded with 0. Source and
    target end in END; "target before" is the target one place later, behind START.
    """

    subwords: Subwords  # of both languages, learned from the training part
    sentences: Texts  # of each part, as they were read
    languages: tuple[str, str] = ("German", "English")  # of sources and targets
    padded = True  # rows end in zeros; see Batches


def load_translations(
    name: str, default: str, size: int, longest: int, quick: bool = False
) -> Translations:
    """Sentences in two languages; "auto" means `default` or else toy captions.

    Args:
        name: a set of TensorFlow Datasets, "toy_captions", "auto", or the paths of two
            files with a sentence per line, such as de.txt,en.txt, or that of a table.
        default: the set that "auto" asks for; `sources.choose` has the rules.
        size: size of the vocabulary, which both languages share.
        longest: subwords of a sentence; longer pairs are left out of training.
        quick: whether "auto" means the toy captions at once.
    """
    if names_files(name):
        texts, languages, card = read_pairs(name)
        card.tell()
        facts = {"asked": card.source, "card": card, "languages": languages}
        return _translations(card.source, texts, size, longest, **facts)
    if name == "multi30k" or (name == "auto" and not quick):
        from cookbook.data.text.multi30k import prepare_from_manual_folder

        prepare_from_manual_folder()
    name, asked = choose(name, default, TRANSLATIONS, quick)
    texts = _toy_captions() if name == TRANSLATIONS.stand_in else _prepared(name)
    return _translations(name, texts, size, longest, asked=asked)


def _translations(
    name: str, texts: Texts, size: int, longest: int, **facts: typing.Any
) -> Translations:
    """The data set of {part: (sources, targets)}; facts: other fields of it."""
    subwords, tokens = _cached_tokens(texts, size)
    tokens["train"] = [
        pair for pair in tokens["train"] if max(map(len, pair)) < longest
    ]
    TRANSLATIONS.check_examples(name, {part: len(x) for part, x in tokens.items()})
    parts: dict[str, typing.Any] = {}
    for part, pairs in tokens.items():
        parts[part] = _arrays(*zip(*pairs))
    return Translations(name=name, subwords=subwords, sentences=texts, **parts, **facts)


def _arrays(sources: Sequence[list[int]], targets: Sequence[list[int]]) -> Part:
    """((source, target before), target) of lists of tokens."""
    source = pad([[*row, END] for row in sources])
    before = pad([[START, *row] for row in targets])
    return (source, before), pad([[*row, END] for row in targets])


def pad(rows: Sequence[list[int]], columns: int = 0) -> np.ndarray:
    """Lists of tokens as an array (N, longest), padded with 0.

    columns: the smallest number of columns of the array.
    """
    table = [*itertools.zip_longest(*rows, fillvalue=0)]
    table += [(0,) * len(rows)] * (columns - len(table))
    return np.array(table, "int32").T


def _cached_tokens(
    texts: Texts, size: int
) -> tuple[Subwords, dict[str, list[list[list[int]]]]]:
    """(subwords, {part: [[source, target], ...]}), as tokens.

    The subwords are learned from the training part once and then kept in a file.
    """
    content = json.dumps([texts, size]).encode()
    key = hashlib.sha256(content).hexdigest()[:16]
    path = cache_folder() / f"subwords_{key}.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Subwords(saved["pieces"], saved["merges"]), saved["numbers"]
    except (OSError, ValueError, KeyError):
        pass  # not there yet, or damaged
    subwords = Subwords.learn(itertools.chain(*texts["train"]), size)
    tokens = {
        part: [[subwords.encode(text) for text in pair] for pair in zip(*pairs)]
        for part, pairs in texts.items()
    }
    saved = {"pieces": subwords.pieces, "merges": subwords.merges, "numbers": tokens}
    _write(path, json.dumps(saved))
    return subwords, tokens


def _write(path: Path, content: str) -> None:
    """Writes the file whole or, where the disk is full or read-only, not at all."""
    partial = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(content, encoding="utf-8")
        os.replace(partial, path)
    except OSError:
        pass  # the next run does the work again


def _prepared(name: str) -> Texts:
    """{part: (sources, targets)} of a set of TensorFlow Datasets."""
    texts: Texts = {}
    for split in TRANSLATIONS.parts:
        columns = read(name, split)
        if isinstance(columns, dict):
            columns = columns["de"], columns["en"]
        sources, targets = (
            [text.decode("utf-8", "replace") for text in column] for column in columns
        )
        texts[split] = sources, targets
    return texts


# Parts of the toy captions, in German and in English; {} is the adjective's place.
WHO = (
    ("ein {}er Hund", "a {} dog"),
    ("eine {}e Frau", "a {} woman"),
    ("ein {}es Kind", "a {} child"),
    ("ein {}er Mann", "a {} man"),
    ("eine {}e Katze", "a {} cat"),
)
ADJECTIVES = (("klein", "small"), ("jung", "young"), ("müd", "tired"), ("nass", "wet"))
ACTIONS = (
    ("rennt", "runs"),
    ("schläft", "sleeps"),
    ("sitzt", "sits"),
    ("spielt", "plays"),
    ("wartet", "waits"),
    ("steht", "stands"),
)
PLACES = (
    ("im Park", "in the park"),
    ("am Strand", "at the beach"),
    ("auf der Straße", "on the street"),
    ("unter einem Baum", "under a tree"),
    ("vor dem Haus", "in front of the house"),
    ("im Wasser", "in the water"),
)


def _toy_captions() -> Texts:
    """Captions made from a few words: 600, 60 and 60, all of them different."""
    pairs = []
    for words in itertools.product(WHO, ADJECTIVES, ACTIONS, PLACES):
        german, english = (_caption(*language) for language in zip(*words))
        pairs.append((german, english))
    order = np.random.default_rng(0).permutation(len(pairs))
    pairs = [pairs[i] for i in order]
    return {
        "train": _columns(pairs[:600]),
        "validation": _columns(pairs[600:660]),
        "test": _columns(pairs[660:720]),
    }


def _caption(who: str, adjective: str, action: str, place: str) -> str:
    text = f"{who.format(adjective)} {action} {place}."
    return text[0].upper() + text[1:]


def _columns(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """(sources, targets) of pairs (source, target)."""
    sources, targets = zip(*pairs)
    return [*sources], [*targets]
