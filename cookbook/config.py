"""Settings of a recipe: the flags that all recipes share, and ranges of values."""

import dataclasses
import shlex
import typing
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Between:
    """Range of a Config field: `rate: Annotated[float, Between(0, 1)] = 0.5`."""

    low: float
    high: float = float("inf")

    def __str__(self) -> str:
        if self.high == float("inf"):
            return f"a number >= {self.low}"
        return f"a number from {self.low} to {self.high}"


Count = typing.Annotated[int, Between(1)]  # at least one of something
Share = typing.Annotated[float, Between(0, 1)]  # a part of a whole
Rate = typing.Annotated[float, Between(1e-9)]  # a positive number, such as a step size
Tuner = typing.Literal["random", "bayesian", "hyperband", "grid"]
Strategy = typing.Literal["none", "mirrored", "multiworker"]
Seed = typing.Annotated[int, Between(0, 2**32 - 1)]


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """Flags of every recipe. A recipe's Config derives from it and adds its own.

    The comment beside a field, or above it, is the flag's text in `--help`. The class
    that introduces a field is the flag's group there.
    """

    # random seed: the same seed gives the same result on the same machine
    seed: Seed = 0
    # folder in which every run makes a folder of its own for what it writes
    run_dir: Path = Path("runs")
    # try the recipe out in seconds, on little data; its result means nothing
    quick: bool = False

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self), include_extras=True)
        for name, hint in hints.items():
            for mark in getattr(hint, "__metadata__", ()):
                if isinstance(mark, Between):
                    _check_range(name, getattr(self, name), mark)


def _check_range(name: str, value: float, allowed: Between) -> None:
    if not allowed.low <= value <= allowed.high:
        raise ValueError(f"{flag_name(name)} got {value}, expected {allowed}")


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Flags that say how a recipe trains its model."""

    # passes over the training set
    epochs: Count = 1
    # train on the validation part too, for a last run once all is decided
    with_validation: bool = False
    # write logs that `tensorboard --logdir runs` shows in a browser
    tensorboard: bool = False
    # train on several devices at once: on all GPUs of this machine (mirrored), or on
    # the machines that the environment variable TF_CONFIG names (multiworker)
    strategy: Strategy = "none"


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Flags that choose the data."""

    # name of a data set in TensorFlow Datasets; auto means the one that the recipe was
    # written for or, where that cannot be downloaded, a small embedded one
    data: str = "auto"


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """Flags of the hyperparameter search, which runs before the training."""

    # settings to try and compare on the validation part; afterwards the best one is
    # trained; 0 means no search
    tune: typing.Annotated[int, Between(0)] = 0
    # how the search chooses the settings that it tries
    tuner: Tuner = "random"


@dataclasses.dataclass(frozen=True)
class ResumingOptions:
    """Flags for going on after a run was stopped or killed."""

    # go on with this recipe's newest unfinished run; its result will be the same as
    # if it had never stopped
    resume: bool = False
    # folder of the run to resume, or whose model to use, instead of the newest one
    run: Path | None = None
    # training steps between two saves, which is the most that a kill can cost
    save_every: Count = 100
    # test --resume: kill the recipe so many times at random moments, resume it each
    # time, and compare its result with that of a run that was not killed
    chaos: typing.Annotated[int, Between(0)] = 0


@dataclasses.dataclass(frozen=True)
class TrainingConfig(
    ResumingOptions, SearchOptions, DataOptions, TrainingOptions, ExperimentConfig
):
    """Flags of a recipe that trains one model on a data set.

    Fields come from the last base class to the first, so `seed` is the first flag.
    """


def check_heads(config: typing.Any) -> None:
    """Refuses a width that the attention heads can't share, two features each."""
    heads, width = config.heads, config.width
    if width % (2 * heads):
        raise ValueError(
            f"--heads got {heads} and --width {width}, expected a width that is a "
            f"multiple of twice the heads, {2 * heads}"
        )


def flag_name(field: str) -> str:
    """The flag of a Config's field: "run_dir" is --run-dir."""
    return "--" + field.replace("_", "-")


def flags(config: ExperimentConfig) -> str:
    """The flags that make `config` out of its class's defaults; "" for none."""
    words = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value == field.default:
            continue
        if value is True:
            words += [flag_name(field.name)]
        elif value is False:
            words += [flag_name(f"no_{field.name}")]
        elif isinstance(value, list | tuple):
            words += [flag_name(field.name), *map(str, value)]
        else:
            words += [flag_name(field.name), str(value)]
    return shlex.join(words)
