"""Command line of a recipe: its Config dataclass becomes flags, with help in groups."""

import collections
import contextlib
import dataclasses
import difflib
import functools
import io
import os
import re
import sys
import textwrap
import typing
from collections.abc import Iterator, Sequence

import tyro

from cookbook.config import ExperimentConfig, flag_name, is_repeated
from cookbook.errors import fail, note
from cookbook.field_comments import field_comments

WIDTH = 80  # columns of the help
# Groups of the help, by the class that introduces a field, in the order shown. The
# recipe's own flags stand before them. tyro adds the word "options" to each name.
GROUPS = {
    "TrainingOptions": "training",
    "DataOptions": "data",
    "ImageConfig": "data",
    "ClassOptions": "data",
    "TextClassConfig": "data",
    "SearchOptions": "search",
    "ResumingOptions": "resuming",
    "ExperimentConfig": "general",
}
OWN = "own"
HINT = "see --help for all flags and their values"
# Flags that every recipe takes, so that one command can run all of them.
COMMON = ("seed", "run_dir", "quick")
RULE = re.compile("[-─╭]{2,}( |$)|-{3,}")  # a line across a panel of tyro's
# Messages of Python's about a value, which tyro hands on: {pattern: what was expected}
NOT_A_NUMBER = {
    re.compile(r"Error parsing (\S+): invalid literal for int\(\).*?: (.*)"): (
        "a whole number"
    ),
    re.compile(r"Error parsing (\S+): could not convert string to float: (.*)"): (
        "a number"
    ),
    re.compile(r"Error parsing (\S+): Could not find valid parse .*?: \[(.*)\]"): (
        "numbers with spaces between them"
    ),
    re.compile(r"Error parsing (\S+): Exceeds the limit .* has (\d+ digits).*"): (
        "a smaller number"
    ),
}
PLACE = "(description)"  # what tyro shows between the usage and the groups
Config = typing.TypeVar("Config", bound=ExperimentConfig)


def parse(config_class: type[Config], args: Sequence[str] | None = None) -> Config:
    """A Config from the command line, or from `args`; exits with 2 on a mistake.

    tyro, a library, turns a dataclass into a command line, and each dataclass inside
    it into a panel of the help. So the Config's fields are dealt out to one dataclass
    per group, tyro fills these, and the Config is built from their values.
    """
    words = sys.argv[1:] if args is None else list(args)
    given = _given(config_class, words)
    output, errors = io.StringIO(), io.StringIO()
    try:
        with (
            _columns(WIDTH),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            groups: typing.Any = tyro.cli(
                _grouped(typing.cast(typing.Any, config_class)),
                args=words,
                description=PLACE,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
            )
    except SystemExit as stop:
        if stop.code:
            fail(f"{_mistake(errors.getvalue(), config_class, words)}; {HINT}")
        print(_help(config_class, output.getvalue()))
        raise
    values: dict[str, typing.Any] = {}
    for group in vars(groups).values():
        values.update(vars(group))
    try:
        config = config_class(**{name: values[name] for name in given})
    except ValueError as error:
        fail(f"{error}; {HINT}")
    _refuse_idle(config, given)
    return config


def _given(config_class: type, words: Sequence[str]) -> list[str]:
    """The fields whose flags are among the words; none may be there twice."""
    names = _flags_of(config_class)
    flags = [_flag_in(word) for word in words]
    given = [flag for flag in flags if flag in names]
    hints = typing.get_type_hints(config_class)
    for flag, count in collections.Counter(given).items():
        if count > 1 and not is_repeated(hints[names[flag]]):
            times = "twice" if count == 2 else f"{count} times"
            fail(f"{flag} was given {times}, expected once; {HINT}")
    return [names[flag] for flag in dict.fromkeys(given)]


def _flags_of(config_class: type) -> dict[str, str]:
    """{flag: its field}; the flag of a field that is true by default is --no-NAME."""
    return {
        flag_name(f"no_{field.name}" if field.default is True else field.name): (
            field.name
        )
        for field in dataclasses.fields(config_class)
    }


def _flag_in(word: str) -> str:
    """The flag of a word such as --batch-size, --batch_size or --batch-size=32."""
    return word.split("=")[0].replace("_", "-")


def _refuse_idle(config: ExperimentConfig, given: Sequence[str]) -> None:
    """Ends the program if a flag was given that has no effect beside the others."""
    reasons = config.idle()
    for name in given:
        if name not in reasons:
            continue
        problem = f"{flag_name(name)} plays no part {reasons[name]}"
        if name in COMMON:
            note(problem)
        else:
            fail(f"{problem}: leave it out; {HINT}")


@contextlib.contextmanager
def _columns(width: int) -> Iterator[None]:
    """Lets tyro wrap its text at `width`, however wide the terminal is."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def _help(config_class: type, text: str) -> str:
    """tyro's help, with a usage and a description in lines of WIDTH."""
    _, groups = text.split(PLACE)
    lines = [line.rstrip() for line in groups.strip("\n").splitlines()]
    usage = f"usage: python {sys.argv[0]} [OPTIONS]"
    return "\n".join([usage, "", _description(config_class), "", *lines]).rstrip()


def _description(config_class: type) -> str:
    """The recipe's docstring: paragraphs are wrapped, indented commands are not."""
    docstring = sys.modules[config_class.__module__].__doc__ or ""
    wrapped = textwrap.TextWrapper(WIDTH, break_on_hyphens=False)
    paragraphs = [
        part if part.startswith(" ") else wrapped.fill(part)
        for part in docstring.strip("\n").split("\n\n")
    ]
    return "\n\n".join(paragraphs)


@functools.cache
def _grouped(config_class: typing.Any) -> type:
    """A dataclass whose members are dataclasses, one per group of the help."""
    hints = typing.get_type_hints(config_class, include_extras=True)
    comments = field_comments(config_class)
    groups: dict[str, list] = {OWN: [], **{name: [] for name in GROUPS.values()}}
    for field in dataclasses.fields(config_class):
        text = comments.get(field.name, "")
        quick = config_class.in_quick.get(field.name)
        hint = _with_help(hints[field.name], field, text, quick)
        member = field.name, hint, dataclasses.field(default=field.default)
        groups[_group(config_class, field.name)].append(member)
    panels = []
    for name, fields in groups.items():
        if fields:
            panel = dataclasses.make_dataclass(name, fields)
            panel.__doc__ = ""  # instead of the signature, which tyro would show
            # tyro shows a panel without a name first, under the title "options".
            title = tyro.conf.arg(name="" if name == OWN else name)
            panels.append((name, typing.Annotated[panel, title]))
    return dataclasses.make_dataclass("Options", panels)


def _group(config_class: type, field: str) -> str:
    """The group of a field: that of the first class in which it appears."""
    owners = [
        cls
        for cls in config_class.__mro__
        if field in vars(cls).get("__annotations__", ())
    ]
    return GROUPS.get(owners[-1].__name__, OWN)


def _with_help(
    hint: typing.Any, field: dataclasses.Field, text: str, quick: object
) -> typing.Any:
    """A field's type with the help text of its flag.

    A field that is true by default has the flag --no-NAME, so its help must say that
    the flag turns this off.
    """
    default = field.default
    if default is True:
        text = f"turn this off: {text}"
    notes = _default_note(default, quick)
    mark = tyro.conf.arg(
        name=flag_name(field.name).removeprefix("--"),
        help=text,
        help_behavior_hint=lambda _: notes,
        metavar="TEXT" if default is None else None,  # tyro would say {None}|STR
    )
    marks = [mark]
    if is_repeated(hint):
        marks += [tyro.conf.UseAppendAction]
    return typing.Annotated[hint, *marks]


def _default_note(default: object, quick: object) -> str:
    """What the help says about a default; a flag that takes no value needs no note.

    quick: the default with --quick, if that is another one.
    """
    if default is None or default == () or isinstance(default, bool):
        return ""
    if quick is None:
        return f"(default: {_words(default)})"
    return f"(default: {_words(default)}; with --quick {_words(quick)})"


def _words(value: object) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)


def _mistake(panel: str, config_class: type, words: Sequence[str]) -> str:
    """What is wrong with the command line, from tyro's panel of an error.

    The panel is a title, the message and, after a rule of dashes, advice.
    """
    known = _flags_of(config_class)
    for flag in map(_flag_in, words):
        if not re.match("-+[A-Za-z]", flag) or flag in (*known, "-h", "--help"):
            continue
        near = difflib.get_close_matches(flag, known, n=3, cutoff=0.7)
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        if near or flag.startswith("--"):
            return f"Unrecognized option: {flag}{hint}"
    lines = [line.strip(" │|") for line in panel.splitlines()]
    rules = [i for i, line in enumerate(lines) if RULE.match(line)]
    first, last = rules[0] + 1, rules[1] if rules[1:] else len(lines)
    message = " ".join(lines[first:last]).strip().rstrip(".")
    for pattern, expected in NOT_A_NUMBER.items():
        if found := pattern.fullmatch(message):
            flag, got = found.groups()
            return f"{flag} got {got}, expected {expected}"
    return message
