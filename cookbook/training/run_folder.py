"""The run folder: what a run leaves behind, whole at any moment."""

import atexit
import csv
import dataclasses
import json
import os
import time
from pathlib import Path

from cookbook.errors import fail
from cookbook.processes import is_worker, wait_for_chief

# Flags that change no result: a run may be resumed with others.
FREE = ("run_dir", "resume", "save_every", "chaos", "tensorboard")
LOCKS = {}  # path: the open file whose lock keeps other processes out


class RunFolder:
    """runs/<recipe>/<time>/: config.json, history.csv, metrics.json, model, pictures.

    Every file is written beside its place and then moved there, so that a run killed
    at any moment leaves only whole files. One process at a time uses a folder, or a
    chief and its workers.
    """

    def __init__(self, path, config):
        self.path = Path(path)
        self.recipe = self.path.parent.name
        self.config = config
        self.started = time.time()

    @classmethod
    def open(cls, recipe, config):
        """A new folder, or with --resume the recipe's newest unfinished one.

        A search's worker shares that of its chief.
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
    def _newest_unfinished(cls, parent, config):
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
        # A version that had fewer flags did as their defaults do.
        changed = difference({**plain(type(config)()), **saved}, plain(config))
        if changed:
            fail(
                f"--resume found {run.path}, which was started with other settings "
                f"({changed}): give the same ones, or start without --resume"
            )
        return run

    def part(self, name):
        """A folder inside this one, where a further training of the run is saved."""
        part = RunFolder(self.path / name, self.config)
        try:
            part.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(_unwritable(name, self.path, error))
        return part

    def lock(self):
        """Ends this process if another one uses the folder; a kill frees it."""
        if os.name != "posix" or self.path in LOCKS or is_worker():
            return
        import fcntl

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

    def write_json(self, name, content):
        self.write(name, lambda path: path.write_text(json.dumps(content, indent=2)))

    def write(self, name, save):
        """`save(path)` writes the file; it appears under `name` only once whole."""
        target = self.path / name
        partial = target.with_name(f"partial_{name}")
        try:
            save(partial)
            os.replace(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            fail(_unwritable(name, self.path, error))


def _unwritable(name, path, error):
    return (
        f"can't write {name} in {path} ({error.strerror or error}): what was saved "
        "before is whole; make room or give the right to write, then go on with "
        "--resume"
    )


def difference(saved, now):
    """The settings that differ and matter, as `name: saved -> now`."""
    return ", ".join(
        f"{name}: {saved.get(name)} -> {now[name]}"
        for name in now
        if name not in FREE and saved.get(name) != now[name]
    )


def write_table(path, rows):
    """Writes a list of dicts with the same keys as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plain(config):
    """A Config as JSON-ready values."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))
