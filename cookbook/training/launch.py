"""Launch of a recipe: reads the command line and calls the recipe's `main`."""

from collections.abc import Callable

from cookbook.command_line import Config, parse
from cookbook.config import TrainingConfig
from cookbook.training.chaos import prove_survival
from cookbook.training.strategies import use_strategy


def launch(main: Callable[[Config], object], config_class: type[Config]) -> None:
    """Runs `main` with the Config that the command line describes.

    With --chaos the recipe is killed and resumed instead, in processes of its own. With
    --strategy the devices are prepared first.
    """
    config = parse(config_class)
    if isinstance(config, TrainingConfig) and config.chaos:
        raise SystemExit(prove_survival(config))
    if isinstance(config, TrainingConfig) and config.strategy != "none":
        main(use_strategy(config))
    else:
        main(config)
