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
Sentences = dict[str, list[tuple[list[str], list[str]]]]  # as in TaggedSentences

# Parts of speech. Some words are nouns or verbs, as their neighbours show.
BOTH = ["watch", "play", "walk", "run", "dance", "answer", "visit", "call"]
VERBS = ["see", "like", "find", "need", "follow"]
ENDINGS = {"NOUN": ["er", "ness", "ment"], "ADJ": ["ous", "ful", "ish"], "ADV": ["ly"]}
CLOSED = {
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
            words, tags = zip(*make(rng, stems))
            parts[part].append(([*words], [*tags]))
    return parts


def _spoken(rng: np.random.Generator, stems: Sequence[str]) -> Pairs:
    """A sentence such as "they can watch the barkous dance ."."""

    def of(tag: str) -> Pairs:
        if tag in CLOSED:
            return [(str(rng.choice(CLOSED[tag])), tag)]
        return [(f"{rng.choice(stems)}{rng.choice(ENDINGS[tag])}", tag)]

    def phrase() -> Pairs:
        if rng.random() < 0.3:
            return of("PRON")
        adjective = of("ADJ") if rng.random() < 0.4 else []
        noun = of("NOUN") if rng.random() < 0.5 else [(str(rng.choice(BOTH)), "NOUN")]
        return [*of("DET"), *adjective, *noun]

    verbs = BOTH if rng.random() < 0.6 else VERBS
    verb = [(str(rng.choice(verbs)), "VERB")]
    before = rng.choice(["", "AUX", "ADV"])
    pairs = [*phrase(), *(of(str(before)) if before else []), *verb]
    if rng.random() < 0.8:
        between = of("ADP") if rng.random() < 0.3 else []
        pairs += [*between, *phrase()]
    return [*pairs, *of("PUNCT")]


def _named(rng: np.random.Generator, stems: Sequence[str]) -> Pairs:
    """A sentence such as "Anna Barkson works for Glim Labs in Northton ."."""
    frame = str(rng.choice([*FRAMES], p=[*FRAMES.values()]))
    pairs: Pairs = []
    for word in frame.split():
        kind = word.strip("{}")
        if kind == word:
            pairs.append((word, "O"))
            continue
        form = str(rng.choice(FORMS[kind])).replace("@", rng.choice(FIRST_NAMES))
        while "{}" in form:
            form = form.replace("{}", str(rng.choice(stems)).capitalize(), 1)
        first, *others = form.split()
        pairs.append((first, f"B-{kind}"))
        pairs += [(other, f"I-{kind}") for other in others]
    return pairs
