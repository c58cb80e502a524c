"""Things to try with a recipe, and what came of them: docs/tries.json.

It holds {recipe and flags: {"try": what changes, "runs": what a run of each seed has
measured}}. A run of these flags gets there by `python -m cookbook results FOLDER`, as
other results do. A row whose measure is not that of the recipe's results says in
"without" what it is to be compared with.
"""

import json
from typing import Any

from cookbook.pages.catalogue import ROOT

TRIES = ROOT / "docs" / "tries.json"
KEPT = ("command", "cpu_seconds", "data", "machine", "seed")  # beside the measure
Tries = dict[str, dict[str, Any]]


def tries() -> Tries:
    """All things to try."""
    if not TRIES.exists():
        return {}

    text = TRIES.read_text(encoding="utf-8")

    return json.loads(text)


def tries_of(recipe: str) -> Tries:
    """Those of a recipe that somebody has tried, by their flags."""
    found = {}
    for label, row in tries().items():
        name, _, flags = label.partition(" ")
        if name == recipe and row.get("runs"):
            found[flags] = row
    return found


def keep_try(label: str, run: dict[str, Any]) -> None:
    """Writes what a run measured, which stands first in its metrics.

    Of the lab these are its claims. It replaces what an earlier run of the same command
    has measured.
    """
    kept = tries()
    row = kept[label]
    measure = next(iter(run))
    found = {name: run[name] for name in (measure, *KEPT) if name in run}
    if "claims" in found:
        found["claims"] = [
            {name: claim[name] for name in ("text", "holds")}
            for claim in found["claims"]
        ]

    runs = [found]
    for other in row.get("runs", ()):
        if other["command"] != run["command"]:
            runs.append(other)

    row["runs"] = sorted(runs, key=lambda each: each["seed"])
    text = json.dumps(kept, indent=1, ensure_ascii=False)

    TRIES.write_text(text + "\n", encoding="utf-8")


def runs_of_try(label: str) -> list[dict[str, Any]]:
    """What runs of a thing to try have measured; none if nobody has tried it."""
    row = tries().get(label, {})

    return row.get("runs", [])
