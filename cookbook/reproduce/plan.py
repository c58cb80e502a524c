"""Plan of a reproduction: the runs of docs/results.json, and the order they fit in."""

import dataclasses
import difflib
import shlex
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.pages.results import recipe_rows

UNKNOWN_SECONDS = 1800.0  # assumed for a row that nobody has measured yet


@dataclasses.dataclass(frozen=True)
class Planned:
    """A row of the results with one random seed: a run that is to be repeated."""

    label: str  # recipe and flags, as the row is named: "imdb_rnn --cell gru"
    seed: int
    seconds: float  # of a processor, as results.json states them
    kept: float | None  # the figure of this seed in results.json
    tolerance: tuple[float, float] | None = None  # (figure, tolerance) of the row

    @property
    def recipe(self) -> str:
        """The name of the recipe."""
        return self.label.partition(" ")[0]

    @property
    def name(self) -> str:
        """What the run is called on the screen."""
        return f"{self.label} --seed {self.seed}"

    @property
    def flags(self) -> list[str]:
        """The flags of the recipe, with the seed."""
        return shlex.split(self.name)[1:]

    @property
    def file(self) -> Path:
        """The file of the recipe."""
        return ROOT / "recipes" / f"{self.recipe}.py"


def runs_to_repeat(names: Sequence[str], seeds: Sequence[int]) -> list[Planned]:
    """The runs of the named recipes, in the order in which they are to be done.

    First comes one seed of every row, the shortest first, then the second seed of every
    row, and so on: whenever the time is over, as many rows as possible are measured.

    names: recipes, or their files; without any, all that have a row in results.json.
    seeds: random seeds; without any, those that results.json holds for each row.
    """
    known = [entry.name for entry in recipes() if recipe_rows(entry.name)]
    chosen = [_known_recipe(name, known) for name in names] or known
    rounds: dict[int, list[Planned]] = {}
    for recipe in dict.fromkeys(chosen):
        for label, row, runs in recipe_rows(recipe):
            wanted = seeds or [run["seed"] for run in runs] or [0]
            for place, seed in enumerate(dict.fromkeys(wanted)):
                rounds.setdefault(place, []).append(_planned(label, row, runs, seed))
    return [
        run
        for place in sorted(rounds)
        for run in sorted(rounds[place], key=lambda run: run.seconds)
    ]


def _known_recipe(name: str, known: Sequence[str]) -> str:
    """The name of a recipe that has a row; ends the program for another one."""
    recipe = Path(name).stem
    if recipe in known:
        return recipe
    near = difflib.get_close_matches(recipe, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    fail(f"reproduce got {name!r}, expected a recipe with a row in the results: {hint}")


def _planned(
    label: str, row: dict[str, Any], runs: Sequence[dict[str, Any]], seed: int
) -> Planned:
    """One run of a row.

    A recipe states what its default settings reach. What other flags reach, the row
    itself states, under "expected".
    """
    kept = {run["seed"]: next(iter(run.values())) for run in runs}
    expected = row.get("expected")
    return Planned(
        label,
        seed,
        _stated_seconds(runs),
        kept.get(seed),
        (expected[0], expected[1]) if expected else None,
    )


def _stated_seconds(runs: Sequence[dict[str, Any]]) -> float:
    """The median processor seconds of a row's runs, those with a GPU left out."""
    known = [run["cpu_seconds"] for run in runs if " + " not in run["machine"]]
    return float(statistics.median(known)) if known else UNKNOWN_SECONDS


class Clock:
    """The time that is left, and how long runs take here, compared with results.json.

    A machine may be faster or slower than the one of the results. So the seconds that
    results.json states are multiplied by the ratio of the runs that were done here.
    """

    def __init__(self, now: float, hours: float | None) -> None:
        self.end = None if hours is None else now + 3600 * hours
        self.stated = self.taken = 0.0

    def note(self, run: Planned, seconds: float) -> None:
        """Remembers how long a whole run has taken."""
        self.stated += run.seconds
        self.taken += seconds

    def expected(self, run: Planned) -> float:
        """The seconds that a run is expected to take here."""
        return run.seconds * (self.taken / self.stated if self.stated else 1.0)

    def is_over(self, now: float) -> bool:
        """Whether no time is left."""
        return self.end is not None and now >= self.end

    def has_room_for(self, run: Planned, now: float) -> bool:
        """Whether a run that begins now is expected to end in time."""
        return self.end is None or now + self.expected(run) <= self.end


def clock_time(seconds: float) -> str:
    """A time as a clock shows it.

    >>> clock_time(65), clock_time(7384.2)
    ('1:05', '2:03:04')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
