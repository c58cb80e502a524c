"""Searches of runs: what was asked of them, in search.json, and how far they came.

config.json holds the settings that the model of a run was trained with: the best ones.
search.json beside it holds

    settings: all flags as they were given last
    stages: the numbers of trials that were asked for one after the other, as [20, 40]
    score: the column of the history that the trials are compared by
    began: when the search began, in seconds since 1970, as if it had never paused
    resumed: when it last began or went on
    best: the settings that the search has chosen, once it is done

metrics.json says which search its figures belong to. A search of which more is asked
later differs from that, and so its run is unfinished again, while its model and its
figures stay in use until the new ones are there.
"""

import re
from pathlib import Path
from typing import Any

from cookbook.config import UNLIMITED, ExperimentConfig, seconds_in
from cookbook.errors import fail
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.finished import is_of_recipe, names_recipe, runs_in
from cookbook.runs.settings import CONFIG, FREE, difference, plain, recipe_of

FILE = "search.json"
METRICS = "metrics.json"
# What decides when a search is done: more of it continues the search of a run.
GOAL = ("tune", "tune_time", "confirm")
# Flags that may change while a search goes on.
CHANGEABLE = (*FREE, *GOAL, "tune_metric", "stop_early")
TRIAL = re.compile(r"[1-9]\d*\.json")  # a trial's result; 0.json is of the defaults


def is_search(config: ExperimentConfig) -> bool:
    """Whether a Config asks for a search."""
    return bool(getattr(config, "tune", 0))


def is_of_search(folder: Path) -> bool:
    """Whether the run in a folder searches, or has searched, before it trains."""
    return (folder / FILE).exists()


def read_search(folder: Path) -> dict[str, Any] | None:
    """The content of search.json; None for a run without a search.

    Raises Damaged if the file does not hold what a run writes.
    """
    if not is_of_search(folder):
        return None
    content = read_json(folder / FILE)
    settings, stages = content.get("settings"), content.get("stages")
    if not isinstance(settings, dict) or not _is_goal(goal_of(content)):
        raise Damaged("it does not hold the settings of a search")
    if not isinstance(stages, list) or not stages:
        raise Damaged("it does not hold the stages of a search")
    times = [content[name] for name in ("began", "resumed") if name in content]
    if not all(isinstance(time, int | float) for time in times) or len(times) == 1:
        raise Damaged("it does not hold the times of a search")
    return content


def _is_goal(goal: dict[str, Any]) -> bool:
    """Whether the values have the types that GOAL expects."""
    time = goal["tune_time"]
    try:
        seconds_in("1s" if time is None else time)
    except (ValueError, AttributeError):
        return False
    return isinstance(goal["tune"], int) and isinstance(goal["confirm"], int)


def goal_of(search: dict[str, Any]) -> dict[str, Any]:
    """What is asked of a search: the trials, the time, the settings to confirm."""
    return {name: search["settings"].get(name) for name in GOAL}


def begun(config: ExperimentConfig) -> dict[str, Any]:
    """The content of search.json for a search that begins."""
    settings = plain(config)
    return {"settings": settings, "stages": [settings["tune"]]}


def prolonged(
    folder: Path, search: dict[str, Any], config: ExperimentConfig
) -> dict[str, Any]:
    """The content of search.json for a search that goes on with a Config."""
    settings, stages = plain(config), list(search["stages"])
    if settings["tune"] != stages[-1]:
        if stages[-1] == UNLIMITED:  # time has ended it after so many trials
            stages[-1] = trials_in(folder)
        stages.append(settings["tune"])
    return {**search, "settings": settings, "stages": stages}


def trials_in(folder: Path) -> int:
    """The number of trials that are done in a run, without that of the defaults."""
    names = [path.name for path in (folder / "trials").glob("*.json")]
    return sum(1 for name in names if TRIAL.fullmatch(name))


def trials_asked(folder: Path, search: dict[str, Any]) -> int:
    """The number of trials that a search goes to; a time may have ended it earlier."""
    asked = goal_of(search)
    if asked["tune_time"] is None:
        return asked["tune"]
    return min(asked["tune"], trials_in(folder))


def is_finished(folder: Path) -> bool:
    """Whether a run has come to its end, and nothing was asked of its search later."""
    if not (folder / METRICS).exists():
        return False
    try:
        search = read_search(folder)
        found = read_json(folder / METRICS).get("search")
    except Damaged:
        return True
    return search is None or found == goal_of(search)


def asks_more(folder: Path, config: ExperimentConfig) -> bool:
    """Whether a Config asks for more than the search of a finished run has done."""
    try:
        search = read_search(folder)
    except Damaged:
        return False
    if search is None or not is_search(config):
        return False
    asked, now = goal_of(search), goal_of({"settings": plain(config)})
    if now["tune"] < trials_asked(folder, search) or now == asked:
        return False
    was_cut = trials_in(folder) < asked["tune"]
    return (
        now["tune"] > asked["tune"]
        or (was_cut and _lasts_longer(now["tune_time"], asked["tune_time"]))
        or now["confirm"] > asked["confirm"]
    )


def _lasts_longer(now: str | None, before: str | None) -> bool:
    """Whether one time of --tune-time is longer than another; None is no bound."""
    if now is None or before is None:
        return before is not None
    return seconds_in(now) > seconds_in(before)


def record_of(folder: Path) -> Path:
    """The file that says with which flags a run was started."""
    return folder / (FILE if (folder / FILE).exists() else CONFIG)


def changed_settings(folder: Path, config: ExperimentConfig) -> str:
    """The settings that a Config has and a run has not, if they change results.

    Raises Damaged if `record_of` the run is damaged.
    """
    search = read_search(folder)
    saved = search["settings"] if search else read_json(folder / CONFIG)
    # A version of the cookbook without a flag did what the flag's default does.
    defaults = plain(type(config)())
    is_continued = search and is_search(config)
    free = CHANGEABLE if is_continued else FREE
    return difference({**defaults, **saved}, plain(config), free)


def find_search(run: Path, run_dir: Path, recipe: str, own: Path | None = None) -> Path:
    """The run folder with the trials that --from names; ends the program without it.

    run: a run folder, the folder of a recipe's runs, or the name or file of a recipe.
    recipe: the recipe that learns from the trials.
    own: the folder of the run that learns from them.
    """
    found = _newest_with_trials(run, run_dir, own)
    if not trials_in(found):
        fail(
            f"--from got {found}, a run without trials of a search, expected one that "
            "was started with --tune"
        )
    if own and found.resolve() == own.resolve():
        fail(f"--from got {found}, which is this run itself: leave --from out")
    owner = recipe_of(found)
    if owner not in (None, recipe):
        fail(f"--from got {found}, a run of {owner}, expected one of {recipe}")
    return found


def _newest_with_trials(run: Path, run_dir: Path, own: Path | None) -> Path:
    """The folder `run`, or the newest run with trials of the recipe that it names."""
    if (run / CONFIG).exists():
        return run
    if is_of_recipe(run):
        parent = run
    elif names_recipe(run, run_dir):
        parent = run_dir / run.stem
    else:
        fail(
            f"--from got {run}, and there is no such run: expected the folder of a run "
            "with a search, or the name of a recipe"
        )
    for path in reversed(runs_in(parent)):
        if path != own and trials_in(path):
            return path
    fail(f"--from got {run}, and {parent} holds no run with a search: start one first")
