"""Trials on Ray: each trial of a search is a task, on whichever machine has room.

    python -m cookbook tune recipes/mnist_cnn.py --tune 100 --on ray

runs the recipe once. It proposes the trials, and hands each to Ray, which starts the
processes, assigns them CPUs and GPUs, and starts the task of a dead one again. Such a
task goes on from the trial's last save. So all machines of a cluster need the same
--run-dir, on a disk that they share, and the cookbook under the same path.
"""

import contextlib
import io
import logging
import os
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from cookbook.data.sources import first_line
from cookbook.errors import Mistake, fail
from cookbook.runs.stopping import STATE, Stopped, listen
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from cookbook.tuning.scale.order import RayOptions
from cookbook.tuning.trials.attempts import take_back_attempt
from cookbook.tuning.trials.median_rule import Watch
from cookbook.tuning.trials.results import TrialResult
from cookbook.tuning.trials.runner import Trials

RETRIES = 20  # of a trial whose process dies; `attempts` gives it up much sooner
# Beginnings of the environment variables that a trial's process gets from this one.
PASSED = ("TF_", "TFDS_", "KERAS_", "XLA_", "JAX_")
ROOT = Path(__file__).parents[3]  # the folder that holds the cookbook


@contextlib.contextmanager
def workplace(trials: Trials) -> Iterator[Trials]:
    """The trials of a search, which train in this process or, if asked for, on Ray."""
    options = RayOptions.of_this_process()
    if options is None:
        yield trials
        return
    options.refuse_mistakes()
    remote = RayTrials(trials, options)
    try:
        yield remote
    finally:
        remote.close()


class RayTrials(Trials):
    """Trials whose trainings are tasks of Ray; the rest of them runs in this process.

    `run_or_recall` may be called in as many threads as there are slots.
    """

    def __init__(self, trials: Trials, options: RayOptions):
        room = _connect(options)
        import ray

        vars(self).update(vars(trials))
        self.slots = _slots(options, room, trials.config.tune)
        self.is_over = False
        self.running: set[Path] = set()  # folders of the trials that are trained now
        try:
            self.shared = ray.put(trials)  # the data once, not with each task
        except (TypeError, pickle.PicklingError) as problem:
            fail(f"Ray can't copy this recipe or its data: {first_line(problem)}")
        self.task = ray.remote(
            num_cpus=options.cpus, num_gpus=options.gpus, max_retries=RETRIES
        )(_attempt)

    def attempt(
        self,
        result: TrialResult,
        config: RecipeConfig,
        folder: RunFolder,
        watch: Watch,
        until: int,
    ) -> None:
        import ray

        place = Path.cwd(), getattr(sys.modules["__main__"], "__file__", None)
        arguments = result, config, folder, watch, until
        self.running.add(folder.path)
        name = f"trial {result.number}"
        try:
            task = self.task.options(name=name).remote([self.shared], place, arguments)
            vars(result).update(vars(ray.get(task)))
        except Mistake as mistake:  # Ray adds the calls that led to it
            fail(str(getattr(mistake, "cause", mistake)))
        except Exception as error:
            if self.is_over:  # so that the error is not taken for the trial's
                raise Stopped from error
            if not isinstance(error, ray.exceptions.RayError):
                raise
            result.problem = first_line(error)
        self.running.discard(folder.path)

    def close(self) -> None:
        """Ends all tasks. A trial that this interrupts did not fail by itself."""
        import ray

        self.is_over = True
        ray.shutdown()
        for path in self.running:
            take_back_attempt(RunFolder(path, self.config))


def _attempt(shared: list, place: tuple, arguments: tuple) -> TrialResult:
    """Trains a trial in a process of Ray's; returns its result."""
    import ray

    directory, recipe = place
    result, config, folder, watch, until = arguments
    os.chdir(directory)
    # The record of a run's code looks up the recipe as the file of the main module.
    sys.modules["__main__"].__file__ = recipe
    (trials,) = ray.get(shared)
    if not (trials.run.path / "config.json").exists():
        raise Mistake(
            f"the machine {ray.util.get_node_ip_address()} does not have the folder "
            f"{trials.run.path}: choose a --run-dir on a disk that all machines share"
        )
    folder.started = time.time()  # the time before was spent on waiting for a place
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            trials.attempt(result, config, folder, watch, until)
    except SystemExit:  # which Ray would take for the end of a healthy process
        raise Mistake(told.getvalue().strip().removeprefix("error: ")) from None
    return result


def _connect(options: RayOptions) -> dict[str, float]:
    """Starts Ray here, or joins the cluster; returns the resources of all machines."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # a thread must not start Ray again
    import ray

    try:
        context = ray.init(
            options.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": _environment(options)},
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = options.address or "on this machine"
        fail(f"Ray can't be reached or started {where}: {first_line(error)}")
    if STATE.is_listening:
        listen()  # again: Ray has its own answer to SIGTERM
    if context.dashboard_url:
        print(f"Ray's dashboard: http://{context.dashboard_url}", flush=True)
    return ray.cluster_resources()


def _environment(options: RayOptions) -> dict[str, str]:
    """Environment variables of the processes in which Ray runs trials."""
    threads = str(max(1, int(options.cpus)))
    variables = {
        name: value for name, value in os.environ.items() if name.startswith(PASSED)
    }
    variables = {"TF_NUM_INTRAOP_THREADS": threads, **variables}
    if options.gpus:  # else TensorFlow takes all memory of the GPUs that it sees
        variables["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**variables, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _slots(options: RayOptions, room: dict[str, float], trials: int) -> int:
    """How many trials to train at once."""
    if options.at_once is not None:
        return min(options.at_once, trials)
    places = [
        int(room.get(name, 0) / each)
        for name, each in (("CPU", options.cpus), ("GPU", options.gpus))
        if each
    ]
    count = min(places, default=1)
    if count < 1:
        cpus, gpus = room.get("CPU", 0), room.get("GPU", 0)
        fail(
            f"a trial is to have {options.cpus:g} CPUs and {options.gpus:g} GPUs, and "
            f"Ray has {cpus:g} and {gpus:g}: lower --cpus-per-trial or --gpus-per-trial"
        )
    return min(count, trials)
