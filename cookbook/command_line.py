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
from pathlib import Path

import tyro

from cookbook.config import ExperimentConfig, flag_name, is_repeated, question_of
from cookbook.errors import fail, note
from cookbook.field_comments import field_comments
from cookbook.runs.settings import settings_from

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
    "RepeatOptions": "general",
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
CONFIG = "--config"
PLACE = "(description)"  # what tyro shows between the usage and the groups
Config = typing.TypeVar("Config", bound=ExperimentConfig)


@dataclasses.dataclass(frozen=True)
class RepeatOptions:
    """Flags of the command line alone, which are no settings of a run."""

    # train again with the settings in this config.json, or in that of this run folder;
    # flags beside it win, and --run-dir, --tensorboard and the flags of a search and of
    # resuming are not taken from the file
    config: Path | None = None


def parse(config_class: type[Config], args: Sequence[str] | None = None) -> Config:
    """A Config from the command line, or from `args`; exits with 2 on a mistake.

    tyro, a library, turns a dataclass into a command line, and each dataclass inside
    it into a panel of the help. So the Config's fields are dealt out to one dataclass
    per group, tyro fills these, and the Config is built from their values.
    """
    words = sys.argv[1:] if args is None else list(args)
    given = _given(config_class, words)
    off = () if _has_both_forms(words) else (tyro.conf.FlagCreatePairsOff,)
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
                config=(*off, tyro.conf.OmitArgPrefixes),
            )
    except SystemExit as stop:
        if stop.code:
            fail(f"{_mistake(errors.getvalue(), config_class, words)}; {HINT}")
        print(_help(config_class, output.getvalue()))
        raise
    values: dict[str, typing.Any] = {}
    for group in vars(groups).values():
        values.update(vars(group))
    chosen = {name: values[name] for name in given}
    file = chosen.pop("config", None)
    saved = settings_from(file, config_class, _recipe(config_class)) if file else {}
    try:
        config = config_class(**{**saved, **chosen})
    except ValueError as error:
        fail(f"{error}; {HINT}")
    _refuse_idle(config, given)
    return config


def _given(config_class: type, words: Sequence[str]) -> list[str]:
    """The fields whose flags are among the words; none may be there twice."""
    names = _flags_of(config_class, _has_both_forms(words))
    flags = [_flag_in(word) for word in words]
    given = [flag for flag in flags if flag in names]
    hints = typing.get_type_hints(config_class)
    counts = collections.Counter(names[flag] for flag in given)
    for flag in given:
        name = names[flag]
        if counts[name] > 1 and not is_repeated(hints.get(name)):
            times = "twice" if counts[name] == 2 else f"{counts[name]} times"
            fail(f"{flag} was given {times}, expected once; {HINT}")
    return list(counts)


def _has_both_forms(words: Sequence[str]) -> bool:
    """Whether a switch has the flags --NAME and --no-NAME: beside a config.json.

    Without one, it only has the flag that changes its default.
    """
    flags = [_flag_in(word) for word in words]
    return CONFIG in flags and not {"-h", "--help"} & {*flags}


def _flags_of(config_class: type, both_forms: bool = False) -> dict[str, str]:
    """{flag: its field}; the flag of a field that is true by default is --no-NAME."""
    found = {CONFIG: "config"}
    for field in dataclasses.fields(config_class):
        is_switch = isinstance(field.default, bool)
        if field.default is not True or both_forms:
            found[flag_name(field.name)] = field.name
        if field.default is True or (is_switch and both_forms):
            found[flag_name(f"no_{field.name}")] = field.name
    return found


def _recipe(config_class: type) -> str | None:
    """The name of the recipe that a Config belongs to; None outside of files."""
    path = getattr(sys.modules[config_class.__module__], "__file__", None)
    return Path(path).stem if path else None


def _flag_in(word: str) -> str:
    """The flag of a word such as --batch-size, --batch_size or --batch-size=32."""
    return word.split("=")[0].replace("_", "-")


def _refuse_idle(config: ExperimentConfig, given: Sequence[str]) -> None:
    """Ends the program if a flag was given that has no effect beside the others."""
    reasons = config.idle()
    question = question_of(config)
    if question:
        reason = f"with {flag_name(question)}, which asks a trained model"
        reasons = {**reasons, "config": reason}
    for name in given:
        if name not in reasons:
            continue
        problem = f"{_flag_given(config, name)} plays no part {reasons[name]}"
        if name in COMMON:
            note(problem)
        else:
            fail(f"{problem}: leave it out; {HINT}")


def _flag_given(config: ExperimentConfig, name: str) -> str:
    """The flag that was given for a field: --no-NAME if it turned the field off."""
    is_off = getattr(config, name, None) is False
    return flag_name(f"no_{name}" if is_off else name)


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
    groups: dict[str, list] = {OWN: [], **{name: [] for name in GROUPS.values()}}
    for owner in (config_class, RepeatOptions):
        hints = typing.get_type_hints(owner, include_extras=True)
        comments = field_comments(owner)
        for field in dataclasses.fields(owner):
            text = comments.get(field.name, "")
            quick = config_class.in_quick.get(field.name)
            hint = _with_help(hints[field.name], field, text, quick)
            member = field.name, hint, dataclasses.field(default=field.default)
            groups[_group(owner, field.name)].append(member)
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
    known = _flags_of(config_class, _has_both_forms(words))
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
