"""The run folder: what a run leaves behind, whole at any moment."""

import csv
import dataclasses
import json
import os
import time
from pathlib import Path

from cookbook.cli import fail

STATE = "state.npz"  # what a resumed run goes on from


class RunFolder:
    """runs/<recipe>/<time>/: config.json, history.csv, metrics.json, model, pictures.

    Every file is written beside its place and then moved there, so that a run killed
    at any moment leaves only whole files.
    """

    def __init__(self, path, config):
        self.path = Path(path)
        self.recipe = self.path.parent.name
        self.config = config
        self.started = time.time()

    @classmethod
    def open(cls, recipe, config):
        """A new folder, or with --resume the recipe's newest unfinished one."""
        parent = config.run_dir / Path(recipe).stem
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
        run.write_json("config.json", plain(config))
        return run

    @classmethod
    def _newest_unfinished(cls, parent, config):
        unfinished = [
            path
            for path in sorted(parent.glob("*/"))
            if (path / STATE).exists() and not (path / "metrics.json").exists()
        ]
        if not unfinished:
            fail(f"--resume found no unfinished run in {parent}: start one without it")
        saved = json.loads((unfinished[-1] / "config.json").read_text())
        now = plain(config)
        changed = {
            key: f"{saved.get(key)} -> {now[key]}"
            for key in now
            if key not in ("resume", "run_dir") and saved.get(key) != now[key]
        }
        if changed:
            fail(
                f"--resume found {unfinished[-1]}, which was started with other "
                f"settings ({changed}): give the same ones, or start without --resume"
            )
        return cls(unfinished[-1], config)

    def write_json(self, name, content):
        self.write(name, lambda path: path.write_text(json.dumps(content, indent=2)))

    def write(self, name, save):
        """`save(path)` writes the file; it appears under `name` only once whole."""
        target = self.path / name
        partial = target.with_name(f"partial_{name}")
        save(partial)
        os.replace(partial, target)


def write_table(path, rows):
    """Writes a list of dicts with the same keys as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plain(config):
    """A Config as JSON-ready values."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))
