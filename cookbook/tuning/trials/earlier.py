"""Trials of an earlier search, from which another one learns: `--from RUN`."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from cookbook.errors import fail, note
from cookbook.processes import is_worker
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.searches import find_search, read_search
from cookbook.runs.settings import SEARCH, difference, plain
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.spaces.space import Dimension, Space
from cookbook.tuning.trials.results import TrialResult, results_in

FILE = "earlier.json"  # what a run has taken from another one


def earlier_trials(run: RunFolder, space: Space, score: str) -> list[TrialResult]:
    """The trials of the search that --from names, as far as this search knows them.

    The run keeps them in a file of its own. So it goes on from the same trials after a
    kill, whatever becomes of the other run.

    score: the column of the history that this search compares.
    """
    with contextlib.suppress(Damaged, TypeError, LookupError):
        kept = read_json(run.path / FILE)["trials"]
        return [TrialResult(**content) for content in kept]
    config: Any = run.config
    folder = find_search(config.from_, config.run_dir, run.recipe, run.path)
    results = _comparable(folder, space, score)
    if not is_worker():
        trials = [dataclasses.asdict(result) for result in results]
        run.write_json(FILE, {"from": str(folder), "trials": trials})
    return results


def _comparable(folder: Path, space: Space, score: str) -> list[TrialResult]:
    """The trials of a run that have a score and values that are possible here."""
    settings = _settings(folder, space, score)
    found = []
    reasons = []
    for result in results_in(folder).values():
        if result.score is None:
            continue
        values, reason = _values_here(result, space, settings)
        if reason:
            reasons.append(reason)
        else:
            found.append(dataclasses.replace(result, values=values))

    text = f"the search learns from {len(found)} trials of {folder}"
    if reasons:
        why = ", ".join(sorted(set(reasons)))
        text += f"; not possible here: {len(reasons)} ({why})"
    changed = _changed(settings, space)
    if changed:
        text += f"; its other settings were not the same ({changed})"
    note(text)
    return found


def _changed(settings: dict[str, Any], space: Space) -> str:
    """The settings that differ between two searches, without those that they tried."""
    tried = [dimension.name for dimension in space.dimensions]
    now = plain(space.config)
    for name in (*SEARCH, *tried):
        now.pop(name, None)
    known = {name: value for name, value in now.items() if name in settings}
    return difference(settings, known)


def _settings(folder: Path, space: Space, score: str) -> dict[str, Any]:
    """The settings from which an earlier search began; {} if it does not say them."""
    try:
        search = read_search(folder) or {}
    except Damaged as problem:
        fail(f"--from can't use {folder}: its search.json is damaged ({problem})")
    column = search.get("score", score)
    if column != score:
        fail(
            f"--from got {folder}, whose trials are compared by {column}, expected "
            f"{score}: leave it out"
        )
    return search.get("settings", {})


def _values_here(
    result: TrialResult, space: Space, settings: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """The values of a trial in this space, and what is wrong with them, if anything.

    settings: those from which the other search began.

    A hyperparameter that only the other search has tried must have the value that the
    Config has here. One that only this search tries had its value in `settings`.
    """
    tried = [dimension.name for dimension in space.dimensions]
    for name, value in result.values.items():
        own = getattr(space.config, name, None)
        if name not in tried and value != own:
            return {}, f"{name} is not tried here"

    values: dict[str, Any] = {}
    for dimension in space.dimensions:
        name = dimension.name
        if not dimension.is_active(values):
            continue
        value = result.values.get(name, settings.get(name))
        if value is None or not _holds(dimension, value):
            return {}, f"{name} has other values here"
        values[name] = value
    return values, ""


def _holds(dimension: Dimension, value: Any) -> bool:
    """Whether a dimension has a value."""
    if dimension.kind == "choice":
        return value in dimension.values
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return dimension.low <= value <= dimension.high
