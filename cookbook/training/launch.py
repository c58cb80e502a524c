"""The start of a recipe: from the words of the command line to its `main`."""

from collections.abc import Callable

from cookbook.command_line import parse
from cookbook.config import ExperimentConfig
from cookbook.training.chaos import prove_survival
from cookbook.training.strategies import use_strategy


def launch(main: Callable, config_class: type[ExperimentConfig]) -> None:
    """Runs `main` with the Config that the command line describes.

    --chaos kills and resumes the recipe instead; --strategy prepares several devices.
    """
    config = parse(config_class)
    if getattr(config, "chaos", 0):
        raise SystemExit(prove_survival(config))
    if getattr(config, "strategy", "none") != "none":
        config = use_strategy(config)
    main(config)
