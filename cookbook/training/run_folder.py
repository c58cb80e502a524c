"""The run folder: the files that a run leaves behind, each of them always whole."""

import atexit
import contextlib
import csv
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cookbook.config import ExperimentConfig
from cookbook.errors import fail
from cookbook.processes import is_worker, wait_for_chief

# Flags that change no result: a run may be resumed with other values of these.
FREE = ("run_dir", "resume", "save_every", "chaos", "tensorboard")
LOCKS: dict[Path, Any] = {}  # for each folder, the open file that locks it


class RunFolder:
    """The folder runs/<recipe>/<time>/ of one run.

    It holds config.json, history.csv, metrics.json, the model and the pictures. Every
    file is written under another name first and then moved to its place. So a run that
    is killed at any moment leaves only whole files. One process at a time uses a
    folder, or the chief and the workers of one search.
    """

    def __init__(self, path: Path | str, config: ExperimentConfig):
        self.path = Path(path)
        self.recipe = self.path.parent.name
        self.config = config
        self.started = time.time()

    @classmethod
    def open(cls, recipe: str, config: ExperimentConfig) -> "RunFolder":
        """A new folder, or with --resume the newest unfinished one of the recipe.

        A worker of a search shares the folder of its chief.
        """
        parent = config.run_dir / Path(recipe).stem
        if is_worker():
            wait_for_chief()
            return cls._newest_unfinished(parent, config)
        if getattr(config, "resume", False):
            return cls._newest_unfinished(parent, config)
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
        for attempt in range(100):
            path = parent / (f"{stamp}_{attempt}" if attempt else stamp)
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                continue
            except OSError as error:
                fail(
                    f"--run-dir got {config.run_dir}, where no folder can be made "
                    f"({error.strerror}): choose a folder you may write to"
                )
        run = cls(path, config)
        run.lock()
        run.write_json("config.json", plain(config))
        return run

    @classmethod
    def _newest_unfinished(cls, parent: Path, config: ExperimentConfig) -> "RunFolder":
        unfinished = [
            path
            for path in sorted(parent.glob("*/"))
            if (path / "config.json").exists() and not (path / "metrics.json").exists()
        ]
        if not unfinished:
            fail(f"--resume found no unfinished run in {parent}: start one without it")
        run = cls(unfinished[-1], config)
        run.lock()
        saved = json.loads((run.path / "config.json").read_text())
        # A version of the cookbook without a flag did what the flag's default does.
        changed = difference({**plain(type(config)()), **saved}, plain(config))
        if changed:
            fail(
                f"--resume found {run.path}, which was started with other settings "
                f"({changed}): give the same ones, or start without --resume"
            )
        return run

    def part(self, name: str) -> "RunFolder":
        """A folder inside this one, for another training that belongs to the run."""
        part = RunFolder(self.path / name, self.config)
        try:
            part.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(_unwritable(name, self.path, error))
        return part

    def lock(self) -> None:
        """Ends this process if another one uses the folder; a kill frees the folder.

        Windows has no such locks: there the folder stays open to every process.
        """
        if self.path in LOCKS or is_worker():
            return
        try:
            import fcntl
        except ImportError:
            return
        try:
            file = (self.path / "lock").open("w")
            atexit.register(file.close)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(
                f"another process is at work in {self.path}: let it end, or stop it "
                "first"
            )
        except OSError as error:
            fail(_unwritable("lock", self.path, error))
        LOCKS[self.path] = file

    def write_json(self, name: str, content: Any) -> None:
        """Writes a file of JSON."""
        self.write(name, lambda path: path.write_text(json.dumps(content, indent=2)))

    def write(self, name: str, save: Callable[[Path], Any]) -> None:
        """Writes the file `name` by calling save(path); it appears once it is whole."""
        target = self.path / name
        partial = target.with_name(f"partial_{name}")
        try:
            save(partial)
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            fail(_unwritable(name, self.path, error))


@contextlib.contextmanager
def without_empty_folders() -> Iterator[None]:
    """Removes new run folders if a mistake of the user's ends the program inside.

    --resume would take such a folder for a run that can go on, and fail each time. A
    folder in which something was computed is kept.
    """
    before = set(LOCKS)
    try:
        yield
    except SystemExit as stop:
        if stop.code == 2:
            for path in set(LOCKS) - before:
                _remove_empty(path)
        raise


def _remove_empty(path: Path) -> None:
    """Removes a run folder that holds nothing but settings."""
    found = [file for file in path.rglob("*") if file.is_file()]
    if all(file.suffix in ("", ".json") and file.parent == path for file in found):
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):  # other runs may be there
            path.parent.rmdir()
            path.parent.parent.rmdir()


def _unwritable(name: str, path: Path, error: OSError) -> str:
    return (
        f"can't write {name} in {path} ({error.strerror or error}): what was saved "
        "before is whole; make room or allow writing there, then go on with --resume"
    )


def difference(saved: dict, now: dict) -> str:
    """The settings that differ and change results, as `name: saved -> now`."""
    return ", ".join(
        f"{name}: {saved.get(name)} -> {now[name]}"
        for name in now
        if name not in FREE and saved.get(name) != now[name]
    )


def write_table(path: Path, rows: Sequence[dict]) -> None:
    """Writes dicts with the same keys as the rows of a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plain(config: ExperimentConfig) -> dict:
    """A Config as a dict of values that JSON can hold."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))
