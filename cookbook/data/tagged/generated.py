"""Generated tagged sentences, for use without a network: learned in seconds.

The words of the training part and of the test part are made from different stems, so
that a network has to look at their endings and at their neighbours.
"""

from collections.abc import Callable, Sequence

import numpy as np

COUNTS = {"train": 400, "validation": 60, "test": 100}  # sentences
STEMS = {
    "train": (
        *("bark", "glim", "torn", "rust", "mell", "fing", "dorm", "plim", "sorn"),
        *("varn", "tull", "brim", "quill", "hest", "mork", "lind", "sarp", "wend"),
    ),
    "test": ("darn", "plick", "vorm", "stell", "hurm", "knar", "filt", "gond", "mirst"),
}
Pairs = list[tuple[str, str]]  # (word, tag)
Sentence = tuple[list[str], list[str]]  # the words, and the tag of each
Sentences = dict[str, list[Sentence]]

# Parts of speech. Some words are nouns or verbs, as their neighbours show.
BOTH = ["watch", "play", "walk", "run", "dance", "answer", "visit", "call"]
ENDINGS = {
    "NOUN": ["er", "ness", "ment"],
    "ADJ": ["ous", "ful", "ish"],
    "ADV": ["ly"],
}
CLOSED = {
    "VERB": ["see", "like", "find", "need", "follow"],
    "DET": ["the", "some", "these", "a"],
    "PRON": ["they", "we", "you"],
    "ADP": ["in", "near", "with"],
    "AUX": ["can", "will", "must"],
    "PUNCT": [".", "!"],
}

# Names of things. {} is the place of a name.
FRAMES = {  # {sentence: how often it occurs}
    "{person} works for {corporation} in {location} .": 0.3,
    "yesterday {person} met {person} near {location} .": 0.25,
    "the office of {corporation} moved to {location} .": 0.2,
    "nobody saw it coming , says {person} .": 0.15,
    "it rained all day and the game was late .": 0.1,
}
FIRST_NAMES = ["Anna", "Ben", "Clara", "David", "Eva", "Felix"]
FORMS = {  # of a name, where {} is a stem
    "person": ["@ {}son", "@ {}berg", "Dr. {}son"],
    "location": ["{}ville", "{}ton", "North {}ton"],
    "corporation": ["{} Labs", "{} Inc", "{} & {} Inc"],
}


def generated_tags() -> Sentences:
    """Sentences with parts of speech, in three parts; always the same."""
    return _parts(_spoken)


def generated_names() -> Sentences:
    """Sentences with persons, places and companies as BIO tags; always the same."""
    return _parts(_named)


def _parts(make: Callable[[np.random.Generator, Sequence[str]], Pairs]) -> Sentences:
    """{part: sentences that `make` makes}; validation has the stems of training."""
    rng = np.random.default_rng(0)
    parts: Sentences = {}
    for part, count in COUNTS.items():
        stems = STEMS["test" if part == "test" else "train"]
        parts[part] = []
        for _ in range(count):
            pairs = make(rng, stems)
            words = [word for word, _ in pairs]
            tags = [tag for _, tag in pairs]
            parts[part].append((words, tags))
    return parts


def _chosen(rng: np.random.Generator, words: Sequence[str]) -> str:
    return str(rng.choice(words))


def _word(rng: np.random.Generator, stems: Sequence[str], tag: str) -> tuple[str, str]:
    """A word with this tag; nouns and verbs may look alike."""
    if tag in ("NOUN", "VERB") and rng.random() < 0.5:
        return _chosen(rng, BOTH), tag
    if tag in CLOSED:
        return _chosen(rng, CLOSED[tag]), tag
    stem = _chosen(rng, stems)
    ending = _chosen(rng, ENDINGS[tag])
    return stem + ending, tag


def _spoken(rng: np.random.Generator, stems: Sequence[str]) -> Pairs:
    """A sentence such as "they can watch the barkous dance ."."""
    pattern = [*_phrase(rng)]
    before = _chosen(rng, ["", "AUX", "ADV"])
    if before:
        pattern.append(before)
    pattern.append("VERB")
    if rng.random() < 0.8:
        if rng.random() < 0.3:
            pattern.append("ADP")
        pattern += _phrase(rng)
    pattern.append("PUNCT")
    return [_word(rng, stems, tag) for tag in pattern]


def _phrase(rng: np.random.Generator) -> list[str]:
    """The tags of a noun with what stands before it, or of a pronoun."""
    if rng.random() < 0.3:
        return ["PRON"]
    if rng.random() < 0.4:
        return ["DET", "ADJ", "NOUN"]
    return ["DET", "NOUN"]


def _named(rng: np.random.Generator, stems: Sequence[str]) -> Pairs:
    """A sentence such as "Anna Barkson works for Glim Labs in Northton ."."""
    frame = str(rng.choice([*FRAMES], p=[*FRAMES.values()]))
    pairs: Pairs = []
    for word in frame.split():
        kind = word.strip("{}")
        if kind == word:
            pairs.append((word, "O"))
            continue

        first, *others = _name(rng, stems, kind).split()
        pairs.append((first, f"B-{kind}"))
        for other in others:
            pairs.append((other, f"I-{kind}"))
    return pairs


def _name(rng: np.random.Generator, stems: Sequence[str], kind: str) -> str:
    """A name of this kind, made from stems."""
    form = _chosen(rng, FORMS[kind])
    form = form.replace("@", _chosen(rng, FIRST_NAMES))
    while "{}" in form:
        stem = _chosen(rng, stems).capitalize()
        form = form.replace("{}", stem, 1)
    return form
