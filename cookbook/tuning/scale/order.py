"""Order for the command `tune`: what it is to search, in which processes."""

import argparse
import dataclasses
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail

RECIPES = Path(__file__).parents[3] / "recipes"
VARIABLE = "COOKBOOK_RAY"  # by which `tune --on ray` tells a recipe its options


@dataclasses.dataclass(frozen=True)
class RayOptions:
    """What the command `tune --on ray` says of the places where trials run."""

    address: str | None = None  # of a cluster; None: this machine alone
    cpus: float = 1  # per trial
    gpus: float = 0  # per trial
    at_once: int | None = None  # trials; None: as many as there is room for

    @classmethod
    def of_this_process(cls) -> "RayOptions | None":
        """The options that this process was started with; None: it has none."""
        text = os.environ.get(VARIABLE)
        return None if text is None else cls(**json.loads(text))

    @property
    def environment(self) -> dict[str, str]:
        """The environment variable by which a recipe finds these options."""
        return {VARIABLE: json.dumps(dataclasses.asdict(self))}

    def refuse_mistakes(self) -> None:
        """Ends the program if Ray is not installed, or a number is not of its kind."""
        if self.cpus < 0 or self.gpus < 0:
            fail(
                f"a trial on Ray got {self.cpus:g} CPUs and {self.gpus:g} GPUs, "
                "expected no number below 0"
            )
        if importlib.util.find_spec("ray") is None:
            fail(
                "--on ray needs Ray, which is not installed: "
                "pip install 'ray[default]>=2.50,<3'"
            )


@dataclasses.dataclass(frozen=True)
class Order:
    """What the command `tune` is to do."""

    paths: Sequence[str]  # one path, that of the recipe
    words: Sequence[str] = ()  # the flags of the recipe, such as --tune 20
    workers: int = 2
    gpus: float | None = None  # for each trial; None: all trials see all GPUs
    ray: RayOptions | None = None  # None: processes of this machine

    @property
    def recipe(self) -> list[str]:
        """The command that runs the recipe."""
        return [sys.executable, *self.paths, *self.words]


def order_of(arguments: argparse.Namespace) -> Order:
    """The order that a command line of `tune` gives; ends the program on a mistake."""
    address, cpus = arguments.ray_address, arguments.cpus_per_trial
    gpus, workers = arguments.gpus_per_trial, arguments.workers
    ray = None
    if arguments.on == "ray":
        ray = RayOptions(address, 1 if cpus is None else cpus, gpus or 0, workers)
    elif address is not None or cpus is not None:
        name = "--ray-address" if cpus is None else "--cpus-per-trial"
        fail(f"tune got {name} without --on ray: add that, or leave {name} out")
    workers = 2 if workers is None else workers
    return Order(arguments.recipe, arguments.words, workers, gpus, ray)


def check_order(order: Order) -> None:
    """Ends the program if there is nothing to search, or no place to do it."""
    paths = order.paths
    if not paths or paths[0].isdecimal():  # the number is that of --tune
        fail("tune got no recipe, expected one, as in tune recipes/mnist_cnn.py")
    if len(paths) > 1:
        fail(f"tune got {len(paths)} recipes, expected one: {', '.join(paths)}")
    _refuse_other_files(paths[0])
    if order.workers < 1:
        fail(f"--workers got {order.workers}, expected at least 1")
    if not any(word.split("=")[0] in ("--tune", "--tune-time") for word in order.words):
        fail(
            "tune got neither --tune nor --tune-time: say how many trials, as in "
            f"--tune {5 * order.workers}, or how long, as in --tune-time 2h"
        )
    if order.ray:
        order.ray.refuse_mistakes()


def _refuse_other_files(path: str) -> None:
    """Ends the program unless the file is a recipe that has something to search."""
    near = RECIPES / f"{Path(path).stem or path}.py"
    found = Path(path) if Path(path).is_file() else near
    reason = ""
    if found.is_file():
        source = found.read_text(encoding="utf-8", errors="replace")
        if "\ndef space(" not in source:
            reason = f"{found.name} has no function space, so nothing to search"
        elif found == near and not Path(path).is_file():
            reason = f"did you mean {os.path.relpath(near)}?"
    if not Path(path).is_file():
        hint = f": {reason}" if reason else ""
        fail(f"tune got {path!r}, and there is no such file{hint}")

    if reason:
        fail(f"tune got {path!r}, which can't be tuned: {reason}")
