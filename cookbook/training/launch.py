"""Launch of a recipe: reads the command line, calls `main`, answers signals."""

import shlex
import sys
import typing
from collections.abc import Callable

from cookbook.command_line import parse
from cookbook.config import ExperimentConfig, TrainingConfig
from cookbook.errors import explained_out_of_memory, fail
from cookbook.processes import is_launched, is_worker
from cookbook.runs.files import storage_problem
from cookbook.runs.precision import choose_precision
from cookbook.runs.stopping import (
    asked,
    ignore_signals,
    leave,
    signal_name,
    stop_if_asked,
)
from cookbook.training.chaos import prove_survival
from cookbook.training.run_folder import RunFolder, without_empty_folders
from cookbook.training.strategies import use_strategy


def launch(
    main: Callable[[typing.Any], object], config_class: type[ExperimentConfig]
) -> None:
    """Runs `main` with the Config that the command line describes.

    With --chaos the recipe is killed and resumed instead, in processes of its own. With
    --strategy the devices are prepared first. A signal that ends the recipe, or a disk
    that can't be written to, is answered with one line.
    """
    try:
        stop_if_asked()
        config = parse(config_class)
        if isinstance(config, TrainingConfig):
            if config.chaos:
                raise SystemExit(prove_survival(config))
            choose_precision(config)
            if config.strategy != "none":
                config = use_strategy(config)
        with without_empty_folders(), explained_out_of_memory():
            main(config)
        sys.stdout.flush()
        ignore_signals()
    except KeyboardInterrupt:
        _end_stopped()
    except Exception as error:
        if asked():  # a library has turned the signal into an error of its own
            _end_stopped()
        if problem := _problem_of_folder(error):
            fail(problem)
        raise


def _end_stopped() -> typing.NoReturn:
    """Ends the program with a line that says how to go on, and the signal's status."""
    ignore_signals()
    if not (is_launched() or is_worker()):
        print(f"\nstopped by {signal_name()}: {_way_on()}", flush=True)
    leave()


def _way_on() -> str:
    """What was saved, and the command that goes on."""
    run = RunFolder.opened
    if run is None:
        return "no run had begun, so the same command starts it"
    if run.is_finished:
        return f"the run was finished; report: {run.path / 'report.html'}"
    if not hasattr(run.config, "resume"):
        return f"this recipe can't be resumed; what it wrote is in {run.path}"
    return f"what was trained is in {run.path}; go on with: {_command(run)}"


def _command(run: RunFolder) -> str:
    """The command that was typed, with --resume and --run FOLDER."""
    words = [*sys.argv]
    if "--resume" not in words:
        words += ["--resume"]
    # Under tf.distribute each machine has a run folder of its own.
    is_chosen = any(word.partition("=")[0] == "--run" for word in words)
    if not is_chosen and getattr(run.config, "strategy", "none") != "multiworker":
        words += ["--run", str(run.path)]
    return shlex.join(["python", *words])


def _problem_of_folder(error: Exception) -> str | None:
    """What is wrong if an error comes from the disk or the run folder; else None."""
    run = RunFolder.opened
    if isinstance(error, OSError) and run and not run.path.is_dir():
        return f"the folder {run.path} has vanished during the run: start anew"
    problem = storage_problem(error)
    where = f"; what was saved before is whole: {run.path}" if run else ""
    return f"a file can't be written ({problem}){where}" if problem else None
