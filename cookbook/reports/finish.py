"""Report: the test set, once; figures, pictures and the last line of a run."""

import contextlib
import dataclasses
import importlib
import os
import platform
import re
import sys
import time
from pathlib import Path

import keras

from cookbook.config import flags
from cookbook.training.checkpoint import fingerprint
from cookbook.training.run_folder import FREE


@dataclasses.dataclass(frozen=True)
class Run:
    """What `main` of a recipe returns, so that a notebook can go on with it."""

    model: keras.Model | None  # the trained model; None for an experiment of the lab
    history: list  # one dict per epoch
    figures: dict  # {name: value} measured at the end, the headline first
    folder: Path  # where the run's files are


def finish(model, data, history, run, figures, expected):
    """Writes model.keras and metrics.json, prints the last line, returns the Run.

    figures: {name: value}, the headline first; expected: {data set: (headline's value,
    tolerance)} for the recipe's default settings.
    """
    name, value = next(iter(figures.items()))
    goal = expected.get(data.name) if _is_default(run.config) else None
    seconds = time.time() - run.started
    backend = keras.backend.backend()
    run.write("model.keras", model.save)
    run.write_json(
        "metrics.json",
        {
            **figures,
            "expected": goal,
            "data": data.note,
            "epochs": len(history),
            "seconds": round(seconds, 1),
            "cpu_seconds": round(time.process_time(), 1),
            "parameters": model.count_params(),
            "weights": fingerprint(model.get_weights()),
            "seed": run.config.seed,
            "python": platform.python_version(),
            "keras": keras.version(),
            backend: importlib.import_module(backend).__version__,
            "machine": _machine(),
            "command": _command(run),
            "date": time.strftime("%Y-%m-%d"),
        },
    )
    wanted = "no figure expected for this data or these settings"
    if goal:
        wanted = f"expected {goal[0]:.4f} +- {goal[1]:.4f}"
    print(
        f"{name} {value:.4f} ({wanted}) | {data.note} | {len(history)} epochs | "
        f"{seconds:.0f} s | {run.path}"
    )
    return Run(model, history, figures, run.path)


def _command(run):
    """What to type to get this run again, but for the place of its folder."""
    config = dataclasses.replace(run.config, run_dir=Path("runs"), resume=False)
    return f"python recipes/{run.recipe}.py {flags(config)}".strip()


def _machine():
    """The processor, how many of its cores this process may use, and any GPUs."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        model = names[0] if names else model
    return " + ".join([f"{model}, {cores} core{'s' * (cores > 1)}", *_accelerators()])


def _accelerators():
    """The names of the GPUs that the backend computes on."""
    backend = importlib.import_module(keras.backend.backend())
    if backend.__name__ == "jax":
        devices = backend.devices()
        return [device.device_kind for device in devices if device.platform != "cpu"]
    if backend.__name__ == "torch":
        count = backend.cuda.device_count()
        return [backend.cuda.get_device_name(i) for i in range(count)]
    devices = backend.config.list_physical_devices("GPU")
    details = map(backend.config.experimental.get_device_details, devices)
    return [detail.get("device_name", "GPU") for detail in details]


def _is_default(config):
    """Whether only the flags that change no result differ from the defaults."""
    free = ("seed", "data", *FREE)
    return all(
        getattr(config, field.name) == field.default
        for field in dataclasses.fields(config)
        if field.name not in free
    )
