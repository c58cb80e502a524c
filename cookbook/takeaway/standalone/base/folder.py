"""The run folder of a script."""

import csv
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cookbook.takeaway.standalone.base.settings import ExperimentConfig


class RunFolder:
    """The folder runs/<recipe>/<time> of one run, for its figures and pictures."""

    def __init__(self, path: Path, config: Any) -> None:
        self.path = path
        self.config = config
        self.started = time.time()
        path.mkdir(parents=True, exist_ok=True)

    @classmethod
    def open(cls, recipe: str, config: ExperimentConfig) -> "RunFolder":
        moment = time.strftime("%Y-%m-%d_%H-%M-%S")
        return cls(config.run_dir / Path(recipe).stem / moment, config)

    def part(self, name: str) -> "RunFolder":
        """A folder inside this one."""
        return RunFolder(self.path / name, self.config)

    def write(self, name: str, save: Callable[[Path], Any]) -> None:
        """Writes the file `name` by calling save(path)."""
        save(self.path / name)

    def write_json(self, name: str, content: Any) -> None:
        text = json.dumps(content, indent=2, default=str)
        (self.path / name).write_text(text, encoding="utf-8")


def write_table(path: Path, rows: Sequence[dict]) -> None:
    """Writes dicts with the same keys as the rows of a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
