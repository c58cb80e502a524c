"""Engines of a search: --tuner chooses how the settings that it tries are found."""

from typing import Any

from cookbook.processes import role
from cookbook.tuning.scale.chief import serve_workers
from cookbook.tuning.scale.slots import in_slots


def propose(trials: Any) -> None:
    """Runs the trials of a search that this process has to run.

    trials: a Trials. In the chief of several processes the function serves the workers
        and returns when all trials are done.
    """
    if trials.config.tuner == "tpe":
        from cookbook.tuning.strategies.tpe import search_with_optuna

        search_with_optuna(trials)
    else:
        tuner = _tuner(trials)
        if role() == "chief":
            serve_workers(tuner, trials)
        else:
            in_slots(trials.slots, lambda name: tuner.in_slot(name).search())


def _tuner(trials: Any) -> Any:
    """keras-tuner's search of the kind config.tuner, which takes seconds to import."""
    from cookbook.tuning.strategies.bayesian import BayesianSearch
    from cookbook.tuning.strategies.grid import GridSearch
    from cookbook.tuning.strategies.hyperband import Hyperband
    from cookbook.tuning.strategies.oracles import RandomSearch, Search

    kinds = {
        "random": RandomSearch,
        "grid": GridSearch,
        "bayesian": BayesianSearch,
        "hyperband": Hyperband,
    }
    oracle = kinds[trials.config.tuner](trials)
    return Search(oracle, trials)


def refuse_missing_packages(tuner: str) -> None:
    """Ends the program if --tuner needs a package that is not installed."""
    if tuner == "tpe":
        from cookbook.tuning.strategies.tpe import import_optuna

        import_optuna()
