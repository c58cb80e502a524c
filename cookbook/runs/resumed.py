"""The run that --resume goes on with: it is unfinished, or its search is."""

from pathlib import Path

from cookbook.config import ExperimentConfig
from cookbook.errors import fail
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.finished import runs_in
from cookbook.runs.searches import (
    asks_more,
    changed_settings,
    is_finished,
    is_search,
    read_search,
    record_of,
    trials_asked,
)
from cookbook.runs.settings import CONFIG


def chosen_run(path: Path, config: ExperimentConfig) -> Path:
    """The folder that --run names, if it can be resumed."""
    if not (path / CONFIG).is_file():
        fail(f"--run got {path}, expected the folder of a run, with a config.json")
    if is_finished(path) and not asks_more(path, config):
        more = _of_its_search(path, config)
        fail(
            f"--run got {path}, which is finished{more}: its figures are in "
            "metrics.json; leave --resume out to start a new run"
        )
    return path


def newest_run_to_resume(parent: Path, config: ExperimentConfig) -> Path:
    """The newest run of a recipe that can be resumed; damaged ones are passed over.

    It is unfinished, or its search is, because `config` asks for more of it.
    """
    finished = None
    for path in reversed(runs_in(parent)):
        if is_finished(path):
            if asks_more(path, config) and not changed_settings(path, config):
                return path
            finished = finished or path
        elif (path / CONFIG).exists():
            record = record_of(path)
            try:
                read_json(path / CONFIG)
                read_search(path)
                return path
            except Damaged as problem:
                print(f"{record} is damaged ({problem}): run passed over")
    end = ""
    if finished:
        end = f"; {finished} is finished{_of_its_search(finished, config)}"
    fail(f"--resume found no unfinished run in {parent}{end}: start one without it")


def _of_its_search(path: Path, config: ExperimentConfig) -> str:
    """Why the search of a finished run does not go on, if one is asked for."""
    try:
        search = read_search(path)
        if search is None or not is_search(config):
            return ""
        differences = changed_settings(path, config)
    except Damaged as problem:
        return f", and its {record_of(path).name} is damaged ({problem})"
    if differences:
        return f", and its search had other settings ({differences})"
    trials = trials_asked(path, search)
    return f", and its search has {trials} trials (a larger --tune goes on with it)"


def refuse_other_settings(path: Path, config: ExperimentConfig) -> None:
    """Ends the program if a run was started with settings that are not those given."""
    record = record_of(path)
    try:
        differences = changed_settings(path, config)
        search = read_search(path)
    except Damaged as problem:
        fail(
            f"{record} is damaged ({problem}): choose another run with --run, or start "
            "anew without --resume"
        )
    if differences:
        fail(
            f"--resume found {path}, which was started with other settings "
            f"({differences}): give the same ones, or start without --resume"
        )
    trials = trials_asked(path, search) if search else 0
    tune = getattr(config, "tune", 0)
    if tune < trials:
        fail(
            f"--tune got {tune}, and the search in {path} was asked for {trials} "
            "trials: give that number or a larger one, or start without --resume"
        )
