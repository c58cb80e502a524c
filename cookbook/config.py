"""Settings: the flags that recipes share, and the ranges of their values."""

import dataclasses
import shlex
import typing
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Between:
    """Marks a Config field's range: `rate: Annotated[float, Between(0, 1)] = 0.5`."""

    low: float
    high: float = float("inf")

    def __str__(self):
        if self.high == float("inf"):
            return f"a number >= {self.low}"
        return f"a number from {self.low} to {self.high}"


Count = typing.Annotated[int, Between(1)]  # at least one of something
Share = typing.Annotated[float, Between(0, 1)]  # a part of a whole
Rate = typing.Annotated[float, Between(1e-9)]  # a positive number, such as a step size
Tuner = typing.Literal["random", "bayesian", "hyperband", "grid"]
Strategy = typing.Literal["none", "mirrored", "multiworker"]
Seed = typing.Annotated[int, Between(0, 2**32 - 1)]  # what random numbers start from


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """The flags that every recipe has; a recipe's Config adds its own."""

    seed: Seed = 0  # start of all random numbers
    run_dir: Path = Path("runs")  # where run folders are made
    quick: bool = False  # a run of seconds: embedded data, fewer steps

    def __post_init__(self):
        hints = typing.get_type_hints(type(self), include_extras=True)
        for name, hint in hints.items():
            for mark in getattr(hint, "__metadata__", ()):
                value = getattr(self, name)
                if isinstance(mark, Between) and not mark.low <= value <= mark.high:
                    flag = "--" + name.replace("_", "-")
                    raise ValueError(f"{flag} got {value}, expected {mark}")


@dataclasses.dataclass(frozen=True)
class TrainingConfig(ExperimentConfig):
    """The flags of a recipe that trains one model on a data set."""

    epochs: Count = 1  # passes over the training set
    data: str = "auto"  # a TFDS name; auto: the recipe's own, or a stand-in offline
    tune: typing.Annotated[int, Between(0)] = 0  # trials of a search before training
    tuner: Tuner = "random"  # how the search proposes its trials
    with_validation: bool = False  # learn from that part too, once all is decided
    resume: bool = False  # go on with this recipe's newest unfinished run
    save_every: Count = 100  # steps between saves: what a kill may cost
    chaos: typing.Annotated[int, Between(0)] = (
        0  # kills at random, to prove it survives
    )
    tensorboard: bool = False  # write logs for TensorBoard too
    strategy: Strategy = "none"  # train on several devices or machines at once


def check_heads(config):
    """Refuses a width that the attention heads can't share, two features each."""
    heads, width = config.heads, config.width
    if width % (2 * heads):
        raise ValueError(
            f"--heads got {heads} and --width {width}, expected a width that is a "
            f"multiple of twice the heads, {2 * heads}"
        )


def flags(config):
    """The flags that make `config` out of its class's defaults; "" for none."""
    words = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value == field.default:
            continue
        flag = "--" + field.name.replace("_", "-")
        several = value if isinstance(value, (list, tuple)) else [value]
        words += [flag, *([] if value is True else map(str, several))]
    return shlex.join(words)
