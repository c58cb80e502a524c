"""The end of a run: its figures, its files, its last line, and what main returns."""

import contextlib
import dataclasses
import importlib
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from cookbook.config import ExperimentConfig, flags
from cookbook.data.sources import DataSet
from cookbook.plots.data_card import write_card
from cookbook.reports.machine import machine
from cookbook.reports.page import repeating, write_page
from cookbook.runs.settings import FREE
from cookbook.trained.description import describe, write_description
from cookbook.training.checkpoint import fingerprint
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import as_saved

PICTURES = (".png", ".gif", ".svg")  # the kinds that recipes draw
Figures = dict[str, Any]  # what was measured at the end of a run, the headline first
Expected = dict[str, tuple[float, float]]  # {data set: (headline figure, tolerance)}


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run: what the `main` of every recipe returns.

    A notebook can go on with it, to look at mistakes or to predict:

        run = mnist_cnn.main(mnist_cnn.Config(quick=True))
        run.show()  # its figures and pictures
        print(run.figures["test accuracy"], run.folder)
        logits = run.model.predict(images)

    The figures also stand in metrics.json, in the folder of the run.
    """

    model: keras.Model | None  # trained, without augmentation; the lab's runs have none
    history: list[dict]  # one dict per epoch
    figures: Figures
    folder: Path  # where the files of the run are

    @property
    def pictures(self) -> list[Path]:
        """The pictures in the folder of the run, and in folders inside it, by name."""
        found = (path for kind in PICTURES for path in self.folder.rglob(f"*{kind}"))
        return sorted(found)

    def show(self) -> None:
        """Prints the figures; a notebook shows the pictures, a terminal their paths."""
        if self.figures:
            print_figures(self.figures)
        print(f"all files: {self.folder}")
        for picture in self.pictures:
            print(picture)
            _show_in_notebook(picture)


def _show_in_notebook(picture: Path) -> None:
    """Shows a picture below the cell of a notebook; elsewhere it does nothing."""
    if not is_in_notebook():
        return
    from IPython.display import Image, display

    display(Image(filename=str(picture)))


def is_in_notebook() -> bool:
    """Whether this process can show pictures inline: whether Jupyter's kernel runs it.

    IPython in a terminal can't.
    """
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def finish(
    model: keras.Model,
    data: DataSet,
    history: list[dict],
    run: RunFolder,
    figures: Figures,
    expected: Expected,
) -> Run:
    """Writes what the run leaves, prints the last line, returns the Run.

    That is model.keras, model.json, which describes it, report.html, which shows all
    that the run found, and metrics.json.

    model: as it was trained. What is saved and returned lacks its augmentation.
    figures: what was measured; the first one, the headline, stands in the last line.
    expected: the headline that the recipe reaches with its default settings.
    """
    name, value = next(iter(figures.items()))
    goal = expected.get(data.name) if _is_default(run.config) else None
    seconds = time.time() - run.started
    model = as_saved(model)
    run.write("model.keras", model.save)
    description = describe(model, data, run.recipe)
    if description:
        write_description(run, description)
    write_card(data, run)
    circumstances = {
        "expected": goal,
        "data": data.note,
        "epochs": len(history),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "parameters": model.count_params(),
        "weights": fingerprint(model.get_weights()),
        "seed": run.config.seed,
        **_versions(),
        "machine": machine(),
        "command": command_of(run),
        "date": time.strftime("%Y-%m-%d"),
    }
    metrics = {**figures, **circumstances}
    page = write_page(run, metrics, figures, description)
    run.complete(metrics)
    wanted = "no value to compare with for this data or these settings"
    if goal:
        wanted = f"expected {goal[0]:.4f} +- {goal[1]:.4f}"
    if run.search:
        print(f"the best settings, trained again: {repeating(run)}")
    epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    print(
        f"{name} {value:.4f} ({wanted}) | data: {data.note} | {epochs} | "
        f"{seconds:.0f} s | report: {page}"
    )
    return Run(model, history, figures, run.path)


@contextlib.contextmanager
def predicting_step_by_step(model: keras.Model) -> Iterator[None]:
    """Within it, `model.predict` runs one step per call.

    Keras makes one graph of all the steps of a call, one after the other: of ten steps
    that takes longer than predicting a test set.
    """
    steps = model.steps_per_execution
    model.steps_per_execution, model.predict_function = 1, None
    try:
        yield
    finally:
        model.steps_per_execution, model.predict_function = steps, None


def print_figures(figures: Figures) -> None:
    """Prints figures below each other, numbers with four decimals."""
    width = max(len(name) for name in figures) + 2
    for name, value in figures.items():
        print(f"{name:<{width}}{_written(value)}")


def _written(value: Any) -> str:
    """A number with four decimals; a smaller one with two digits."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2g}" if 0 < abs(value) < 1e-4 else str(round(value, 4))


def _versions() -> dict[str, str]:
    """The versions of Python, Keras and its backend."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.version(),
        backend: importlib.import_module(backend).__version__,
    }


def command_of(run: RunFolder) -> str:
    """The command that repeats this run, in a folder of runs/."""
    neutral = {"run_dir": Path("runs"), "run": None, "resume": False}
    config: Any = run.config
    own = {n: value for n, value in neutral.items() if hasattr(config, n)}
    config = dataclasses.replace(config, **own)
    return f"python recipes/{run.recipe}.py {flags(config)}".strip()


def _is_default(config: ExperimentConfig) -> bool:
    """Whether the settings are the defaults, except those that change no result."""
    free = ("seed", "data", *FREE)
    for field in dataclasses.fields(config):
        is_free = field.name in free
        if not is_free and getattr(config, field.name) != field.default:
            return False
    return True
