"""Choice of the strategy that proposes the trials of a search."""

from typing import Any

from cookbook.tuning.strategies.oracles import make_tuner


def propose(trials: Any) -> None:
    """Runs the trials of a search, from trial 1 on."""
    make_tuner(trials).search()
