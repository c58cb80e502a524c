"""Launch of a recipe: reads the command line and calls the recipe's `main`."""

import typing
from collections.abc import Callable

from cookbook.command_line import parse
from cookbook.config import ExperimentConfig, TrainingConfig
from cookbook.errors import explained_out_of_memory
from cookbook.training.chaos import prove_survival
from cookbook.training.run_folder import without_empty_folders
from cookbook.training.strategies import use_strategy


def launch(
    main: Callable[[typing.Any], object], config_class: type[ExperimentConfig]
) -> None:
    """Runs `main` with the Config that the command line describes.

    With --chaos the recipe is killed and resumed instead, in processes of its own. With
    --strategy the devices are prepared first.
    """
    config = parse(config_class)
    if isinstance(config, TrainingConfig):
        if config.chaos:
            raise SystemExit(prove_survival(config))
        if config.strategy != "none":
            config = use_strategy(config)
    with without_empty_folders(), explained_out_of_memory():
        main(config)
