"""Settings of a script, and its way to refuse wrong ones."""

import dataclasses
import sys
import typing
from collections.abc import Mapping
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """Settings of every script, each of which is a flag."""

    seed: int = 0  # random seed
    run_dir: Path = Path("runs")  # folder for what a run writes
    quick: bool = False  # try the script out in seconds; its result means nothing

    # {field: its value with --quick}, unless another one is given
    in_quick: typing.ClassVar[Mapping[str, typing.Any]] = {}

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self) if self.quick else ():
            if (
                field.name in self.in_quick
                and getattr(self, field.name) == field.default
            ):
                object.__setattr__(self, field.name, self.in_quick[field.name])


@dataclasses.dataclass(frozen=True)
class TrainingConfig(ExperimentConfig):
    """Settings of a script that trains one model on a data set."""

    epochs: int = 1  # passes over the training set
    with_validation: bool = False  # train on the validation part too, for a last run
    data: str = "auto"  # data set of TensorFlow Datasets; auto means the usual one


def fail(message: str) -> typing.NoReturn:
    """Ends the program with one line."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def check_heads(config: typing.Any) -> None:
    """Refuses a width that the attention heads can't share, two features each."""
    if config.width % (2 * config.heads):
        fail(f"--width must be a multiple of {2 * config.heads}, twice the heads")
