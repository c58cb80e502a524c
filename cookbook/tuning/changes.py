"""Changes to the space of a search: `--space learning_rate=1e-4:1e-1:log`."""

import dataclasses
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
        if len(self.values) == 1:
            return hp.Fixed(self.name, self.values[0])
        if self.values and isinstance(self.values[0], bool):
            return hp.Boolean(self.name)  # of a Choice, keras-tuner makes numbers
        if self.values:
            return hp.Choice(self.name, list(self.values))
        kind = hp.Int if isinstance(self.low, int) else hp.Float
        sampling = "log" if self.is_log else "linear"
        return kind(self.name, self.low, self.high, step=self.step, sampling=sampling)


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
    name, equals, text = word.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    text = text.strip()
    if not equals or not text:
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
        ends = change.low, change.high
    else:
        change = Change(name, tuple(_value(word, t, kind) for t in text.split(",")))
        ends = change.values
    for value in ends:
        try:
            dataclasses.replace(config, **{name: value})
        except ValueError as problem:
            fail(f"--space got {word!r}: {str(problem).replace(flag_name(name), name)}")
    return change


def _searchable(config: Any) -> set[str]:
    """The fields that the recipe's own Config declares, which a search may change."""
    own = set(vars(type(config)).get("__annotations__", {}))
    return own - {*QUESTIONS, "in_quick"}


def _kind(config: Any, name: str) -> Any:
    """The type of a field's values: int, float, bool, str or the choices of a word."""
    hint = typing.get_type_hints(type(config))[name]
    if typing.get_origin(hint) is typing.Literal:
        return type(typing.get_args(hint)[0])
    return hint if hint in (int, float, bool, str) else type(getattr(config, name))


def _range(word: str, name: str, parts: list[str], kind: Any) -> Change:
    is_log = parts[-1].strip() == "log"
    if is_log:
        parts = parts[:-1]
    if kind not in (int, float) or len(parts) not in (2, 3):
        fail(f"--space got {word!r}, expected {FORMS}; ranges are for numbers")
    low, high, *steps = [_value(word, text, kind) for text in parts]
    if low >= high:
        fail(f"--space got {word!r}, expected a first number below the second")
    if is_log and low <= 0:
        fail(f"--space got {word!r}, expected numbers above 0, which log needs")
    if steps and steps[0] <= is_log:
        least = "a factor above 1" if is_log else "a step above 0"
        fail(f"--space got {word!r}, expected {least} as its third number")
    return Change(name, (), low, high, steps[0] if steps else None, is_log)


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
