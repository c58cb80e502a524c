"""Choice of the strategy that proposes the trials of a search."""

from typing import Any

from cookbook.processes import role
from cookbook.tuning.scale.chief import serve_workers
from cookbook.tuning.scale.slots import in_slots
from cookbook.tuning.strategies.oracles import make_tuner


def propose(trials: Any) -> None:
    """Runs the trials of a search, from trial 1 on."""
    tuner = make_tuner(trials)
    if role() == "chief":
        serve_workers(tuner, trials)
    else:
        in_slots(trials.slots, lambda name: tuner.search())
