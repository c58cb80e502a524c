"""Changes to the space of a search: `--space learning_rate=1e-4:1e-1:log`."""

import dataclasses
import inspect
import typing
from typing import Any

from cookbook.config import QUESTIONS, flag_name
from cookbook.errors import fail

FORMS = (
    "NAME=LOW:HIGH, NAME=LOW:HIGH:STEP, NAME=LOW:HIGH:log, NAME=VALUE,VALUE,... "
    "or NAME=fixed"
)
WORDS = {"true": True, "false": False}


@dataclasses.dataclass(frozen=True)
class Change:
    """The values that --space gives to one hyperparameter."""

    name: str
    values: tuple = ()  # to choose from; none: a range, or fixed
    low: Any = None  # None: not a range
    high: Any = None
    step: Any = None
    is_log: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether the hyperparameter keeps the value that it has without a search."""
        return not self.values and self.low is None

    def declared(self, hp: Any) -> Any:
        """Declares the hyperparameter with keras-tuner; returns its value."""
        values = list(self.values)
        if len(values) == 1:
            return hp.Fixed(self.name, values[0])
        if values and isinstance(values[0], bool):
            return hp.Boolean(self.name)  # of a Choice, keras-tuner makes numbers
        if values:
            return hp.Choice(self.name, values)
        kind = hp.Int if isinstance(self.low, int) else hp.Float
        return kind(
            self.name,
            self.low,
            self.high,
            step=self.step,
            sampling="log" if self.is_log else "linear",
        )


def read_changes(config: Any) -> dict[str, Change]:
    """{hyperparameter: its change} of config.space; ends the program on a mistake."""
    changes: dict[str, Change] = {}
    for word in getattr(config, "space", ()):
        change = _read(word, config)
        if change.name in changes:
            fail(f"--space got {change.name} twice, expected it once")
        changes[change.name] = change
    return changes


def _read(word: str, config: Any) -> Change:
    """The change that a word such as units=64,128 describes."""
    name, _, text = word.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    text = text.strip()
    if not name or not text:
        fail(f"--space got {word!r}, expected {FORMS}")
    fields = _searchable(config)
    if name not in fields:
        known = ", ".join(sorted(fields))
        fail(f"--space got {name}, expected one of the recipe's own settings: {known}")
    if text == "fixed":
        return Change(name)

    kind = _kind(config, name)
    if ":" in text:
        change = _range(word, name, text.split(":"), kind)
        _refuse_values(word, config, name, (change.low, change.high))
        return change
    values = tuple(_value(word, part, kind) for part in text.split(","))
    _refuse_values(word, config, name, values)
    return Change(name, values)


def _refuse_values(
    word: str,
    config: Any,
    name: str,
    values: tuple,
) -> None:
    """Ends the program if the Config does not take one of the values."""
    for value in values:
        try:
            dataclasses.replace(config, **{name: value})
        except ValueError as problem:
            reason = str(problem).replace(flag_name(name), name)
            fail(f"--space got {word!r}: {reason}")


def _searchable(config: Any) -> set[str]:
    """The fields that the recipe's own Config declares, which a search may change."""
    declared = inspect.get_annotations(type(config))
    return set(declared) - {*QUESTIONS, "in_quick"}


def _kind(config: Any, name: str) -> Any:
    """The type of a field's values: int, float, bool or str."""
    hint = typing.get_type_hints(type(config))[name]
    if hint in (int, float, bool, str):
        return hint
    if typing.get_origin(hint) is typing.Literal:
        first, *_ = typing.get_args(hint)
        return type(first)
    return type(getattr(config, name))


def _range(
    word: str,
    name: str,
    parts: list[str],
    kind: Any,
) -> Change:
    """The change to LOW:HIGH, with a step or the word log behind it or without."""
    is_log = parts[-1].strip().lower() == "log"
    if is_log:
        parts = parts[:-1]
    if kind not in (int, float) or len(parts) not in (2, 3):
        fail(f"--space got {word!r}, expected {FORMS}; ranges are for numbers")

    low = _value(word, parts[0], kind)
    high = _value(word, parts[1], kind)
    step = None
    if len(parts) == 3:
        step = _value(word, parts[2], kind)
    if low >= high:
        fail(f"--space got {word!r}, expected a first number below the second")
    if is_log and low <= 0:
        fail(f"--space got {word!r}, expected numbers above 0, which log needs")
    least = 1 if is_log else 0
    if step is not None and step <= least:
        kind_of_step = "factor" if is_log else "step"
        fail(f"--space got {word!r}, expected a {kind_of_step} above {least}")
    return Change(name, (), low, high, step, is_log)


def _value(word: str, text: str, kind: Any) -> Any:
    """A value in a text, as the type of its field."""
    text = text.strip()
    if kind is bool:
        if text.lower() not in WORDS:
            fail(f"--space got {word!r}, expected true or false for {text!r}")
        return WORDS[text.lower()]
    try:
        return kind(text)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        fail(f"--space got {word!r}, expected {number} for {text!r}")
