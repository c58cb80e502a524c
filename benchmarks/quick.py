"""What `--quick` of every recipe takes on TensorFlow, JAX and torch.

Each run is a process of its own and begins with an empty folder, so that a network on
which a recipe builds, such as a judge, is trained anew. What counts are the seconds of
the processors, because others may use them too while this is measured.
"""

import dataclasses
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

from benchmarks.results import Kept, Results
from cookbook.pages.catalogue import ROOT, recipes

BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "torch"}
LONGEST = 180  # seconds of the processors after which a run is ended
MOST = 2.0  # what a run on JAX may take, divided by the time on TensorFlow


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run took, and what kept it from its end.

    Attributes:
        seconds: of the clock on the wall.
        processor_seconds: of all processors, for the run and whatever it started.
        problem: the last line of what it wrote as an error, or "".
    """

    seconds: float
    processor_seconds: float
    problem: str = ""

    def as_row(self) -> Kept:
        """The figures under the names that a file of results gives them."""
        return {
            "seconds": round(self.seconds, 1),
            "processor_seconds": round(self.processor_seconds, 1),
            "problem": self.problem,
        }


def outcome(recipe: str, backend: str, longest: int = LONGEST) -> Outcome:
    """The outcome of `recipes/<recipe>.py --quick` on a backend.

    longest: processor seconds after which the system ends a process of the run.
    """
    environment = {**os.environ, "KERAS_BACKEND": backend}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)  # a recipe decides that by itself
    before = _processor_seconds()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        limited = ["bash", "-c", f'ulimit -t {longest}; exec "$@"', "bash"]
        command = [sys.executable, f"recipes/{recipe}.py", "--quick"]
        run = subprocess.run(
            [*limited, *command, "--run-dir", folder],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    seconds = time.perf_counter() - start
    problem = "" if run.returncode == 0 else _last_line(run.stderr)
    used = _processor_seconds() - before
    if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        problem = f"not finished after {longest} s of the processors"
    return Outcome(seconds, used, problem)


def _last_line(errors: str) -> str:
    """The last line with a word in it; XLA frames its warnings with asterisks."""
    lines = [line.strip() for line in errors.splitlines()]
    said = [line for line in lines if any(map(str.isalnum, line))]
    return said[-1] if said else "ended without a word"


def _processor_seconds() -> float:
    """Seconds of the processors that all ended children of this process took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_quick(
    names: Sequence[str] = (),
    results: Results | None = None,
    is_rest: bool = False,
    backends: Sequence[str] = (*BACKENDS,),
) -> None:
    """Prints a row per recipe: the processor seconds on each backend.

    Args:
        names: recipes to run; none stands for all of them.
        results, is_rest: as in `benchmarks.components.run`.
        backends: those on which they run; the others stay unmeasured.
    """
    results = results or Results(None, "quick")
    heads = "".join(f"{name:>14}" for name in BACKENDS.values())
    print(f"{'processor seconds of':<34}{heads}{'JAX/TF':>10}")
    for recipe in names or [entry.name for entry in recipes()]:
        if is_rest and results.holds(recipe):
            continue
        row = {backend: outcome(recipe, backend).as_row() for backend in backends}
        results.keep(recipe, row)
        first, *others = cells(row)
        print(f"{recipe:<34}{first:>14}{''.join(f'{x:>14}' for x in others)}")
        for line in problems(row):
            print(f"    {line}", flush=True)


def cells(row: Kept) -> list[str]:
    """Processor seconds on each backend, "fails" where a run did, and JAX / TensorFlow.

    row: {backend: figures of a run}; one that was not measured is missing.
    """
    ratio = ratio_of_jax(row)
    return [
        *(_cell(row.get(backend)) for backend in BACKENDS),
        "-" if ratio is None else f"{ratio:.2f}",
    ]


def _cell(figures: Kept | None) -> str:
    if figures is None:
        return "-"
    return "fails" if figures["problem"] else f"{figures['processor_seconds']}"


def has_ended(row: Kept, backend: str) -> bool:
    """Whether the recipe was run on that backend and came to its end."""
    return backend in row and not row[backend]["problem"]


def ratio_of_jax(row: Kept) -> float | None:
    """The processor seconds on JAX / those on TensorFlow, if both runs ended well."""
    if not has_ended(row, "jax") or not has_ended(row, "tensorflow"):
        return None
    return row["jax"]["processor_seconds"] / row["tensorflow"]["processor_seconds"]


def problems(row: Kept) -> list[str]:
    """ "torch: what kept the run from its end", for each backend with a problem."""
    return [
        f"{name}: {row[backend]['problem']}"
        for backend, name in BACKENDS.items()
        if backend in row and row[backend]["problem"]
    ]


def summary(rows: Mapping[str, Kept]) -> str:
    """Two sentences: how many run on each backend, and how much longer on JAX."""
    counts = []
    for backend, name in BACKENDS.items():
        started = sum(backend in row for row in rows.values())
        ended = sum(has_ended(row, backend) for row in rows.values())
        counts.append(f"{ended} of {started} on {name}")

    ratios = []
    above = []
    for recipe, row in rows.items():
        ratio = ratio_of_jax(row)
        if ratio is None:
            continue
        ratios.append(ratio)
        if ratio > MOST:
            above.append(f"{recipe} {ratio:.2f}")

    return (
        "Runs that came to their end, of those that were started: "
        f"{', '.join(counts)}. The median of the {len(ratios)} ratios JAX / "
        f"TensorFlow is {statistics.median(ratios):.2f}; above {MOST:g} are: "
        f"{', '.join(above) or 'none'}."
    )
