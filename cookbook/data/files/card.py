"""The data card: what the user's files hold, and what is odd about them."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from cookbook.data.files.folders import Parts
from cookbook.data.files.parts import (
    Keys,
    copies_in,
    imbalance_of,
    repeated_in_training,
)
from cookbook.errors import harmless, note

LEFT_OUT = "broken files are left out"  # the beginning of their note
NAMED = 3  # broken files that a message names; the card names all


@dataclasses.dataclass(frozen=True)
class Card:
    """Facts about the user's files, for the run folder."""

    source: str  # the path that was given
    what: str  # what one example is, in the plural: "pictures"
    counts: Mapping[str, Mapping[str, int]]  # {part: {class: examples}}
    sizes: Mapping[str, object]  # {what was measured: its value}
    notes: Sequence[str] = ()  # what is odd, one sentence each
    broken: Sequence[str] = ()  # the files that could not be read, and why
    examples: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    def tell(self, said: Sequence[str] = ()) -> None:
        """Says in a few lines what was read, and what is odd about it.

        said: those of the notes that have been printed already.
        """
        parts = []
        for part, of_classes in self.counts.items():
            count = sum(of_classes.values())
            parts.append(f"{count:,} {part}")
        found = ", ".join(parts)

        classes = len(self.counts["train"])
        if classes > 1:
            found += f"; {classes} classes"
        print(harmless(f"{self.source}: {self.what}: {found}"), flush=True)
        for sentence in self.notes:
            if sentence in said:
                continue
            note(f"{self.source}: {sentence}")


def counts_of(parts: Parts) -> dict[str, dict[str, int]]:
    """{part: {class: examples}}, the largest class first."""
    counts = {}
    for part, examples in parts.items():
        ranking = Counter(examples.labels).most_common()
        counts[part] = dict(ranking)
    return counts


def plain_counts(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """{part: its examples} of data without classes, as `Card.counts`."""
    whole = {}
    for part, count in counts.items():
        whole[part] = {"all": count}
    return whole


def oddities(parts: Parts, keys: Keys, what: str, broken: Sequence[str]) -> list[str]:
    """Sentences about broken files, copies and classes of different sizes."""
    found = []
    if broken:
        named = "; ".join(broken[:NAMED])
        more = ""
        if len(broken) > NAMED:
            more = "; ..."
        found.append(f"{LEFT_OUT}: {len(broken):,} ({named}{more})")

    repeated = repeated_in_training(keys)
    for part, count in repeated.items():
        found.append(
            f"{what} of the {part} part that are also in the training part: {count:,}; "
            f"the figures of the {part} part will be too good"
        )

    copies = copies_in(keys)
    if copies and not repeated:
        found.append(f"{what} that are copies of others, in the same part: {copies:,}")

    contrary = _in_two_classes(parts, keys)
    if contrary:
        found.append(f"{what} that stand in two classes at once: {contrary:,}")

    uneven = imbalance_of(parts["train"].labels, what)
    if uneven:
        found.append(uneven)
    return found


def _in_two_classes(parts: Parts, keys: Keys) -> int:
    """How many different examples have copies with another label."""
    labels: dict[Hashable, set[str]] = {}
    for part, examples in parts.items():
        for key, label in zip(keys[part], examples.labels):
            labels.setdefault(key, set()).add(label)

    of_several = [found for found in labels.values() if len(found) > 1]
    return len(of_several)
