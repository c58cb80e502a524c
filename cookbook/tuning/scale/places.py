"""Places where the trials of a search run: this process, or wherever Ray has room."""

import contextlib
import dataclasses
import importlib.util
import json
import os
from collections.abc import Iterator
from typing import Any

from cookbook.errors import fail

VARIABLE = "COOKBOOK_RAY"  # by which `tune --on ray` tells a recipe its options


@dataclasses.dataclass(frozen=True)
class RayOptions:
    """What the command `tune --on ray` says of the places where trials run."""

    address: str | None = None  # of a cluster; None: this machine alone
    cpus: float = 1  # per trial
    gpus: float = 0  # per trial
    at_once: int | None = None  # trials; None: as many as there is room for

    @property
    def environment(self) -> dict[str, str]:
        """The environment variable by which a recipe finds these options."""
        return {VARIABLE: json.dumps(dataclasses.asdict(self))}

    def refuse_mistakes(self) -> None:
        """Ends the program if Ray is not installed, or a number is none of its kind."""
        if self.cpus < 0 or self.gpus < 0:
            fail(
                f"a trial on Ray got {self.cpus:g} CPUs and {self.gpus:g} GPUs, "
                "expected no number below 0"
            )
        if importlib.util.find_spec("ray") is None:
            fail("--on ray needs Ray, which is not installed: pip install 'ray>=2.50'")


@contextlib.contextmanager
def workplace(trials: Any) -> Iterator[Any]:
    """The Trials of a search, which train in this process or, if asked for, on Ray."""
    if VARIABLE not in os.environ:
        yield trials
        return
    from cookbook.tuning.scale.on_ray import RayTrials

    remote = RayTrials(trials, RayOptions(**json.loads(os.environ[VARIABLE])))
    try:
        yield remote
    finally:
        remote.close()
