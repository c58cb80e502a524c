"""Lessons: the lines of docs/lessons that quote what recipes have measured.

Such a line is an item of a list that ends with a link to its recipe:

    - Fast learning kills 51.6 % of the ReLU units ([name](../../recipes/name.py))
    - `imdb_rnn` reaches test accuracy 89.29 % ([name](../../recipes/name.py))

Its words say which claim of the recipe it quotes, or which row of the results. Its
numbers are those of docs/lab.json and docs/results.json: `renew_lessons` writes them.
"""

import json
import re
from collections.abc import Mapping, Sequence

from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT
from cookbook.pages.results import measured

LESSONS = ROOT / "docs" / "lessons"
LAB = ROOT / "docs" / "lab.json"
QUOTE = re.compile(
    r"^- (?P<said>.+) \(\[(?P<recipe>\w+)\]\(\.\./\.\./recipes/(?P=recipe)\.py\)\)$",
    re.MULTILINE,
)
ROW = re.compile(r"`(?P<label>[^`]+)` reaches ")
NUMBER = re.compile(r"-?\d+(,\d{3})*(\.\d+)?(e-?\d+)?")
Claims = Mapping[str, Sequence[str]]  # {recipe of the lab: its sentences}


def renew_lessons() -> None:
    """Writes the present numbers into every line that quotes a recipe."""
    claims = claims_of_lab()
    for page in sorted(LESSONS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = QUOTE.sub(lambda quote: _renewed(quote, claims), before)
        if after != before:
            page.write_text(after, encoding="utf-8")


def claims_of_lab() -> Claims:
    """What docs/lab.json says."""
    return json.loads(LAB.read_text(encoding="utf-8"))


def quoted(said: str, recipe: str, claims: Claims) -> str | None:
    """What the recipe has measured, in the words of `said`; None for unknown words."""
    row = ROW.match(said)
    if row:
        label = row["label"]
        found = measured(label) if label.split()[0] == recipe else None
        return f"`{label}` reaches {found}" if found else None
    fitting = [c for c in claims.get(recipe, ()) if _words(c) == _words(said)]
    # Of "With 2 units, 78 %" and "With 3 units, 99 %", one begins like the quote.
    return max(fitting, key=lambda claim: _numbers_shared(claim, said), default=None)


def _numbers_shared(claim: str, said: str) -> int:
    """How many numbers of a claim stand in the same places of a quote."""
    numbers, others = (
        [found[0] for found in NUMBER.finditer(text)] for text in (claim, said)
    )
    return sum(number == other for number, other in zip(numbers, others))


def _renewed(quote: re.Match[str], claims: Claims) -> str:
    found = quoted(quote["said"], quote["recipe"], claims)
    if found is None:
        fail(
            f"a lesson says that {quote['recipe']} measured {quote['said']!r}, "
            "which is neither a claim in docs/lab.json nor a row of "
            "docs/results.json: use their words"
        )
    return quote[0].replace(quote["said"], found)


def _words(sentence: str) -> str:
    """The sentence with # for each number."""
    return NUMBER.sub("#", sentence)
