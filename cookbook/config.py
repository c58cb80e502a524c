"""Settings of a recipe: the flags that all recipes share, and ranges of values."""

import contextlib
import dataclasses
import numbers
import re
import shlex
import types
import typing
from collections.abc import Mapping
from pathlib import Path

from cookbook.data.files.given import names_files

# Fields with a text for a trained model; with one of them a recipe does not train.
QUESTIONS = ("predict", "translate", "write", "ask")
# How a text ends, or begins, that is meant to be the name of a file.
FILE_NAME = re.compile(
    r"(~?/|\.\.?/|\w+://|\w:\\)\S*|"
    r"\S+\.(txt|md|json|html?|pdf|docx?|keras|npy|npz|zip|gz)|"
    # The name of a table or a picture may have spaces.
    r".+\.(csv|tsv|tab|jsonl|ndjson|parquet|png|jpe?g|gif|bmp|webp)",
    re.IGNORECASE,
)
NUMBER = r"(?:(\d+(?:\.\d+)?)%s)?"
TIME = re.compile("".join(NUMBER % unit for unit in "dhms"))
UNLIMITED = 10**5  # trials of a search that has a time, and no number of trials
LONGEST_NAME = 250  # characters of a file's name; a longer text is a text
LARGEST = 10**9  # bound of a number that has none of its own
# {type of a field: the values that it takes, and the same in words}
KINDS: dict[typing.Any, tuple[typing.Any, str]] = {
    bool: (bool, "True or False"),
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a text"),
    Path: (str | Path, "the path of a folder"),
}


@dataclasses.dataclass(frozen=True)
class Between:
    """Range of a Config field: `rate: Annotated[float, Between(0, 1)] = 0.5`."""

    low: float
    high: float = LARGEST

    def __str__(self) -> str:
        return f"a number from {_written(self.low)} to {_written(self.high)}"


def _written(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


# Kinds of fields. Each has an upper bound, which is far above what is useful, so that
# a slip of the finger is refused before it fills the memory.
Count = typing.Annotated[int, Between(1, 10**6)]  # steps, passes, examples, ...
Size = typing.Annotated[int, Between(1, 2**14)]  # units of a layer, length of a vector
Filters = typing.Annotated[int, Between(1, 2**10)]  # of a convolution
Depth = typing.Annotated[int, Between(1, 200)]  # layers or blocks on top of each other
Repeats = typing.Annotated[int, Between(1, 1000)]  # networks, frames: each is slow
BatchSize = typing.Annotated[int, Between(1, 2**16)]
Share = typing.Annotated[float, Between(0, 1)]  # a part of a whole
Portion = typing.Annotated[float, Between(0, 0.99)]  # a part, less than the whole
Side = typing.Annotated[int, Between(1, 1024)]  # pixels
Rate = typing.Annotated[float, Between(1e-9, 1e6)]  # a positive number: a step size
Tuner = typing.Literal["random", "bayesian", "hyperband", "grid", "tpe"]
Precision = typing.Literal["float32", "bfloat16", "float16"]
Strategy = typing.Literal["none", "mirrored", "multiworker"]
# A recipe may add small numbers to its seed, and a seed has 32 bits.
Seed = typing.Annotated[int, Between(0, 2**31 - 1)]


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

    # {field: its default with --quick}, where that differs from the usual default
    in_quick: typing.ClassVar[Mapping[str, typing.Any]] = {}

    def __new__(cls, *values: typing.Any, **named: typing.Any) -> typing.Self:
        """A Config that knows, until its fields are checked, which ones were given."""
        config = super().__new__(cls)
        names = [field.name for field in dataclasses.fields(cls)]
        vars(config)["_given"] = {*names[: len(values)], *named}
        return config

    def __post_init__(self) -> None:
        given = vars(self).pop("_given")
        if self.quick:
            defaults = {k: v for k, v in self.in_quick.items() if k not in given}
            vars(self).update(defaults)
        hints = typing.get_type_hints(type(self), include_extras=True)
        for name in [field.name for field in dataclasses.fields(self)]:
            hint = hints[name]
            value = getattr(self, name)
            _check(name, value, hint)
            if isinstance(value, str) and Path in (hint, *typing.get_args(hint)):
                vars(self)[name] = Path(value)  # such as run_dir="runs" in a notebook
        question = question_of(self)
        if question:
            _check_text(flag_name(question), getattr(self, question))

    def idle(self) -> dict[str, str]:
        """The fields that have no effect in this Config: {field: the reason}.

        The command line refuses flags of such fields.
        """
        return {}


def default_of(config: ExperimentConfig, field: dataclasses.Field) -> typing.Any:
    """The value that a field has unless it is given, which may depend on --quick."""
    if config.quick:
        return config.in_quick.get(field.name, field.default)
    return field.default


def _check(name: str, value: typing.Any, hint: typing.Any) -> None:
    """Raises ValueError for a value of another type, or a number out of its range."""
    is_marked = typing.get_origin(hint) is typing.Annotated
    kind, *marks = typing.get_args(hint) if is_marked else [hint]
    if typing.get_origin(kind) is tuple and isinstance(value, list | tuple):
        element, *_ = typing.get_args(kind)
        if not value and not is_repeated(hint):
            raise ValueError(f"{flag_name(name)} got no number, expected at least one")
        for item in value:
            _check(name, item, element)
        return
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    ranges = [mark for mark in marks if isinstance(mark, Between)]
    allowed = ranges[0] if ranges else Between(-LARGEST)
    expected = _expected(value, kind)
    if is_number and kind in (int, float) and not allowed.low <= value <= allowed.high:
        expected = str(allowed)
    if expected:
        shown = value if is_number else repr(value)
        raise ValueError(f"{flag_name(name)} got {shown}, expected {expected}")


def _expected(value: typing.Any, kind: typing.Any) -> str:
    """What a field expects, in words, if the value is of another type; else ""."""
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return "" if value in choices else f"one of {', '.join(choices)}"
    if types.NoneType in choices:
        return "" if value is None else _expected(value, choices[0])
    if typing.get_origin(kind) is tuple:
        return "several values, as in (1, 2)"
    accepted, words = KINDS.get(kind, (object, ""))
    fits = isinstance(value, accepted) and isinstance(value, bool) == (kind is bool)
    return "" if fits else words


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Flags that say how a recipe trains its model."""

    # passes over the training set
    epochs: Count = 1
    # train on the validation part too, for a last run once all is decided
    with_validation: bool = False
    # numbers in which layers compute: bfloat16 saves time in large layers, but needs a
    # processor with AVX512-BF16 or AMX, or a GPU; float16 needs a GPU
    precision: Precision = "float32"
    # write logs that `tensorboard --logdir runs` shows in a browser
    tensorboard: bool = False
    # train on several devices at once: on all GPUs of this machine (mirrored), or on
    # the machines that the environment variable TF_CONFIG names (multiworker)
    strategy: Strategy = "none"


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Flags that choose the data."""

    # name of a data set in TensorFlow Datasets, or the path of files of your own; auto
    # means the set that the recipe was written for or, where that cannot be downloaded,
    # a small embedded one
    data: str = "auto"


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """Flags of the hyperparameter search, which runs before the training."""

    # settings to try and compare on the validation part; afterwards the best one is
    # trained; 0 means no search
    tune: typing.Annotated[int, Between(0, UNLIMITED)] = 0
    # how the search chooses the settings that it tries; tpe needs Optuna
    tuner: Tuner = "random"
    # time for the search, such as 90s, 30m, 2h or 1h30m, instead of a number or beside
    # it; the trial that runs then is finished
    tune_time: str | None = None
    # values that a setting may take in the search, as LOW:HIGH, LOW:HIGH:log, A,B,C or
    # fixed; once for each setting, as in --space dropout=0.1:0.5 --space units=64,128
    space: tuple[str, ...] = ()
    # train the best so many settings, and the recipe's own, with three further seeds
    # each, and decide by the mean
    confirm: typing.Annotated[int, Between(0, 100)] = 0
    # a second figure to keep small; the search shows which settings nothing beats in
    # both
    tune_metric: typing.Literal["none", "seconds", "parameters"] = "none"
    # stop a trial that is worse than the median of the others at the same epoch
    stop_early: bool = True
    # another run of this recipe, whose search this one learns from: its folder, or the
    # recipe's name for the newest one
    from_: Path | None = None
    # where the processes of a tpe search meet: a file for Optuna's journal, or the URL
    # of a database such as sqlite:///study.db; by default a file of the run folder
    study: str | None = None


@dataclasses.dataclass(frozen=True)
class ResumingOptions:
    """Flags for going on after a run was stopped or killed."""

    # go on with this recipe's newest unfinished run; its result will be the same as
    # if it had never stopped; with a larger --tune, go on with a finished search
    resume: bool = False
    # folder of the run to resume, or whose model to use, instead of the newest one
    run: Path | None = None
    # training steps between two saves, which is the most that a kill can cost
    save_every: Count = 100
    # test --resume: kill the recipe so many times at random moments, resume it each
    # time, and compare its result with that of a run that was not killed
    chaos: typing.Annotated[int, Between(0, 10**4)] = 0


@dataclasses.dataclass(frozen=True)
class TrainingConfig(
    ResumingOptions, SearchOptions, DataOptions, TrainingOptions, ExperimentConfig
):
    """Flags of a recipe that trains one model on a data set.

    Fields come from the last base class to the first, so `seed` is the first flag.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tune_time is not None:
            seconds_in(self.tune_time)  # raises ValueError for what is no time
            vars(self)["tune"] = self.tune or UNLIMITED

    def idle(self) -> dict[str, str]:
        question = question_of(self)
        if question:
            reason = f"with {flag_name(question)}, which asks a trained model"
            plays = ["run_dir", "run", question]
            plays += ["seed"] if question == "write" else []
            names = [field.name for field in dataclasses.fields(self)]
            return {name: reason for name in names if name not in plays}
        found = super().idle()
        if self.tune:
            found["with_validation"] = "with --tune, whose answer learns from all parts"
        else:
            names = [field.name for field in dataclasses.fields(SearchOptions)]
            found.update({name: "without --tune" for name in names if name != "tune"})
        if self.tuner != "tpe":
            found.setdefault("study", "without --tuner tpe")
        if self.tuner == "hyperband":
            found["stop_early"] = "with --tuner hyperband, which stops trials itself"
        if self.chaos:
            found["resume"] = "with --chaos, which starts new runs"
        return found


@dataclasses.dataclass(frozen=True)
class ImageConfig(TrainingConfig):
    """Flags of a recipe that learns from images."""

    # side, in pixels, to which pictures of your own are scaled and cut
    image_size: Side = 28

    def idle(self) -> dict[str, str]:
        if names_files(self.data):
            return super().idle()
        return super().idle() | {"image_size": "without --data FOLDER of pictures"}


@dataclasses.dataclass(frozen=True)
class ClassOptions:
    """Flags of a recipe that tells classes apart."""

    # balanced: in training, rare classes count as much as frequent ones
    class_weight: typing.Literal["none", "balanced"] = "none"


@dataclasses.dataclass(frozen=True)
class ImageClassConfig(ClassOptions, ImageConfig):
    """Flags of a recipe that learns the classes of images."""


@dataclasses.dataclass(frozen=True)
class TextClassConfig(ClassOptions, TrainingConfig):
    """Flags of a recipe that learns the classes of texts."""

    # column of a table of your own that holds the texts; without it, it is guessed
    text_column: str | None = None
    # column that holds the classes; without it, it is guessed
    label_column: str | None = None

    @property
    def columns(self) -> tuple[str | None, str | None]:
        """The columns of texts and of labels, as they were given."""
        return self.text_column, self.label_column

    def idle(self) -> dict[str, str]:
        if names_files(self.data):
            return super().idle()
        columns = ["text_column", "label_column"]
        return super().idle() | dict.fromkeys(columns, "without --data FILE")


def seconds_in(text: str) -> float:
    """The seconds in a time such as 90s, 30m, 2h or 1h30m; raises ValueError."""
    found = TIME.fullmatch(text.strip().lower())
    if not found or not text.strip():
        raise ValueError(
            f"--tune-time got {text!r}, expected a time such as 90s, 30m, 2h or 1h30m"
        )
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 86400 * days + 3600 * hours + 60 * minutes + seconds


def question_of(config: ExperimentConfig) -> str | None:
    """The field with a text for a trained model, if one is given."""
    given = [name for name in QUESTIONS if getattr(config, name, None) is not None]
    return given[0] if given else None


def _check_text(flag: str, text: str) -> None:
    """Raises ValueError for the name of a file, which would be taken for a text."""
    if len(text) > LONGEST_NAME or "\0" in text:
        return
    with contextlib.suppress(OSError):
        if Path(text).is_file():
            raise ValueError(
                f"{flag} got {text!r}, which is a file, expected the text itself; "
                "files are what `python -m cookbook predict RUN FILE` takes"
            )
    if FILE_NAME.fullmatch(text):
        raise ValueError(
            f"{flag} got {text!r}, and there is no such file; in any case it expects "
            "the text itself, not the name of a file"
        )


def check_heads(config: typing.Any) -> None:
    """Refuses a width that the attention heads can't share, two features each."""
    heads, width = config.heads, config.width
    if width % (2 * heads):
        raise ValueError(
            f"--heads got {heads} and --width {width}, expected a width that is a "
            f"multiple of twice the heads, {2 * heads}"
        )


def flag_name(field: str) -> str:
    """The flag of a Config's field: "run_dir" is --run-dir, "from_" is --from."""
    return "--" + field.rstrip("_").replace("_", "-")


def is_repeated(hint: typing.Any) -> bool:
    """Whether a field's flag may be given several times, with one value each time."""
    return hint == tuple[str, ...]


def flags(config: ExperimentConfig) -> str:
    """The flags that make `config` out of its class's defaults; "" for none."""
    words = []
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value == default_of(config, field):
            continue
        if value is True:
            words += [flag_name(field.name)]
        elif value is False:
            words += [flag_name(f"no_{field.name}")]
        elif is_repeated(hints[field.name]):
            for item in value:
                words += [flag_name(field.name), item]
        elif isinstance(value, list | tuple):
            words += [flag_name(field.name), *map(str, value)]
        else:
            words += [flag_name(field.name), str(value)]
    return shlex.join(words)
