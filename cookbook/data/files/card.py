"""The data card: what the user's files hold, and what is odd about them."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from cookbook.data.files.folders import Parts
from cookbook.data.files.parts import (
    Keys,
    copies_in,
    imbalance_of,
    repeated_in_training,
)
from cookbook.errors import harmless, note

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

    def tell(self) -> None:
        """Says in a few lines what was read, and what is odd about it."""
        sums = {part: sum(each.values()) for part, each in self.counts.items()}
        parts = ", ".join(f"{count:,} {part}" for part, count in sums.items())
        classes = len(self.counts["train"])
        kinds = f"; {classes} classes" if classes > 1 else ""
        print(harmless(f"{self.source}: {self.what}: {parts}{kinds}"), flush=True)
        for sentence in self.notes:
            note(f"{self.source}: {sentence}")


def counts_of(parts: Parts) -> dict[str, dict[str, int]]:
    """{part: {class: examples}}, the largest class first."""
    return {
        part: dict(Counter(examples.labels).most_common())
        for part, examples in parts.items()
    }


def plain_counts(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """{part: its examples} of data without classes, as `Card.counts`."""
    return {part: {"all": count} for part, count in counts.items()}


def oddities(parts: Parts, keys: Keys, what: str, broken: Sequence[str]) -> list[str]:
    """Sentences about broken files, copies and classes of different sizes."""
    found = []
    if broken:
        more = "; ..." if len(broken) > NAMED else ""
        named = "; ".join(broken[:NAMED])
        found.append(f"broken files are left out: {len(broken):,} ({named}{more})")
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
    return [*found, uneven] if uneven else found


def _in_two_classes(parts: Parts, keys: Keys) -> int:
    """How many different examples have copies with another label."""
    pairs = {
        (key, label)
        for part, examples in parts.items()
        for key, label in zip(keys[part], examples.labels)
    }
    counts = Counter(key for key, _ in pairs)
    return sum(count > 1 for count in counts.values())
