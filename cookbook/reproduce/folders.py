"""Run folders of a reproduction: finished runs, and unfinished ones to go on with."""

import contextlib
import time
from pathlib import Path
from typing import Any

from cookbook.command_line import parse
from cookbook.config import ExperimentConfig
from cookbook.errors import fail
from cookbook.processes import GRACE
from cookbook.reproduce.plan import Planned
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.finished import runs_in
from cookbook.runs.searches import METRICS, is_of_search
from cookbook.runs.settings import CONFIG, difference, plain
from cookbook.start import early_config


def config_of(run: Planned) -> ExperimentConfig:
    """The Config that the recipe makes of the run's flags."""
    source = run.file.read_text(encoding="utf-8")
    config_class = early_config(source)
    if config_class is None:
        fail(f"the Config of {run.file} can't be read: it must not need slow imports")
    return parse(config_class, run.flags)


def finished_run(run: Planned, run_dir: Path) -> tuple[Path, dict[str, Any]] | None:
    """(folder, metrics) of the newest finished run with these settings, if any.

    A run on other data than it asked for does not count.
    """
    for folder in _folders_of(run, run_dir):
        with contextlib.suppress(Damaged, OSError):
            metrics = read_json(folder / METRICS)
            if is_on_its_data(metrics):
                return folder, metrics
    return None


def unfinished_run(run: Planned, run_dir: Path) -> Path | None:
    """The folder of the newest unfinished run with these settings, if any."""
    for folder in _folders_of(run, run_dir):
        if not (folder / METRICS).exists():
            return folder
    return None


def is_on_its_data(metrics: dict[str, Any]) -> bool:
    """Whether a run had the data that it asked for, and no embedded stand-in."""
    return "NOT" not in str(metrics.get("data", ""))


def _folders_of(run: Planned, run_dir: Path) -> list[Path]:
    """The folders of runs with the settings of this one, the newest first."""
    wanted = plain(config_of(run))
    found = []
    for folder in reversed(runs_in(run_dir / run.recipe)):
        if is_of_search(folder):
            continue
        with contextlib.suppress(Damaged):
            if not difference(read_json(folder / CONFIG), wanted):
                found.append(folder)
    return found


def wait_until_free(folder: Path) -> None:
    """Returns once no process uses a run folder.

    The process of a reproduction that was killed may still be saving its state.
    """
    until = time.time() + GRACE
    while _is_in_use(folder):
        if time.time() > until:
            fail(
                f"another process is at work in {folder}: let it end, or give another "
                "--run-dir"
            )
        time.sleep(0.5)


def _is_in_use(folder: Path) -> bool:
    """Whether a process holds the lock of a run folder; Windows has no such locks."""
    try:
        import fcntl

        with (folder / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False
