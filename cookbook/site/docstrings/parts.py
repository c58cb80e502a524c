"""Docstrings of components, read into parts: formula, arguments, shapes, examples."""

import dataclasses
import fnmatch
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence

from cookbook.site.docstrings.formulas import begins_formula, goes_on_in_prose, typeset

# Titles that begin a part of their own. Short docstrings join some: "Args, raises:".
TITLE = re.compile(
    r"(?P<title>(?:Args|Call|Inputs?|Outputs?|Shapes?|Returns|Result|Raises|Yields|"
    r"Differs from|Papers?|Example|Speed|Source|Weights|Serialization)\b[^:.]{0,60}):"
    r"(?: (?P<rest>.*)|$)"
)
INDENT = 4
Argument = tuple[tuple[str, ...], str]  # (its names as written, what they mean)


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a docstring: text, formula, section, arguments, example or verbatim.

    Verbatim are paragraphs whose lines are all indented, such as tables.
    """

    kind: str
    text: str = ""  # of a formula, an example or a table, its lines as they stand
    title: str = ""  # of a section
    arguments: tuple[Argument, ...] = ()


def docstring_parts(docstring: str) -> list[Part]:
    """The parts of a docstring, in its order."""
    found: list[Part] = []
    for lines in _blocks(inspect.cleandoc(docstring).splitlines()):
        found += _parts(lines)
    return found


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Paragraphs; a title begins one too, and so does an example."""
    block: list[str] = []
    for line in lines:
        begins = TITLE.match(line) or (
            line.startswith(">>> ") and not _is_example(block)
        )
        if block and (begins or not line.strip()):
            yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def _is_example(block: Sequence[str]) -> bool:
    return bool(block) and block[0].startswith(">>> ")


def _parts(lines: list[str]) -> list[Part]:
    """The parts of a paragraph."""
    if _is_example(lines):
        return [Part("example", "\n".join(lines))]

    found = TITLE.match(lines[0])
    if found and found["title"] == "Args" and not found["rest"]:
        return [Part("arguments", arguments=tuple(_arguments(lines[1:])))]
    if found:
        text = _joined([found["rest"] or "", *lines[1:]])
        return [Part("section", text, found["title"])]

    end = _end_of_formula(lines)
    if begins_formula(lines[0]) and not _is_prose(lines[:end]):
        formula = Part("formula", "\n".join(lines[:end]))
        text = _joined(lines[end:])

        return [formula, Part("text", text)] if text else [formula]

    if all(line.startswith(" " * INDENT) for line in lines):
        return [Part("verbatim", textwrap.dedent("\n".join(lines)))]
    return [Part("text", _joined(lines))]


def _is_prose(lines: Sequence[str]) -> bool:
    """Whether a paragraph that begins with a formula is a sentence all the same."""
    return lines[-1].endswith(".") and typeset(lines) is None


def _end_of_formula(lines: Sequence[str]) -> int:
    for place, line in enumerate(lines):
        if place and goes_on_in_prose(line):
            return place
    return len(lines)


def _joined(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


def _arguments(lines: Sequence[str]) -> Iterator[Argument]:
    """Grouped arguments such as `beta_1, beta_2: decay rates of m and v.`"""
    items: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        is_open = bool(items) and not re.search(r":( |$)", items[-1])
        if items and (indent > INDENT or is_open):
            items[-1] += f" {line.strip()}"
        else:
            items.append(line.strip())

    for item in items:
        head, _, text = item.partition(": ")
        names = head.rstrip(":").split(",")
        yield tuple(name.strip() for name in names), text


def explained(
    arguments: Sequence[Argument], parameters: Sequence[str]
) -> tuple[dict[str, str], list[Argument]]:
    """({parameter: what it means}, arguments that are not in the signature).

    A pattern such as kernel_* stands for all parameters that no other name explains.
    """
    names = [name for group, _ in arguments for name in group]
    known: dict[str, str] = {}
    left: list[Argument] = []
    for group, text in arguments:
        strange = []
        for place, name in enumerate(group):
            chosen = _meant(name, parameters, names)
            if name == "...":
                chosen = _between(group[place - 1], group[-1], parameters)
            known |= dict.fromkeys(chosen, text)
            if not chosen:
                strange.append(name)
        if strange:
            left.append((tuple(strange), text))
    return {name: known[name] for name in parameters if name in known}, left


def _between(first: str, last: str, parameters: Sequence[str]) -> list[str]:
    """The parameters between two, as in `units, ..., seed`."""
    if first not in parameters or last not in parameters:
        return []

    begin = parameters.index(first) + 1
    end = parameters.index(last)
    return [*parameters[begin:end]]


def _meant(name: str, parameters: Sequence[str], names: Sequence[str]) -> list[str]:
    bare = name.lstrip("*").strip("`")
    if bare in parameters:
        return [bare]
    pattern = name.replace("...", "*")
    if "*" not in pattern.lstrip("*"):
        return []
    return [p for p in fnmatch.filter(parameters, pattern) if p not in names]


def as_markdown(part: Part, plain: bool = False) -> str:
    """A part as Markdown; plain leaves formulas as they are written."""
    if part.kind == "formula":
        tex = None if plain else typeset(part.text.splitlines())
        if tex:
            return f"$$\n{tex}\n$$"

        return _fenced("text", part.text)
    if part.kind == "verbatim":
        return _fenced("text", part.text)

    if part.kind == "example":
        return _fenced("pycon", part.text)
    if part.kind == "arguments":
        return "**Arguments**\n\n" + "\n".join(map(as_item, part.arguments))
    if part.kind == "section":
        return f"**{part.title}**: {as_typed(part.text)}"
    return as_typed(part.text)


def as_item(argument: Argument) -> str:
    """A group of arguments as an item of a list."""
    names, text = argument
    shown = [f"`{name}`" for name in names]
    return f"- {', '.join(shown)}: {as_typed(text)}"


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def as_typed(text: str) -> str:
    """Plain text as Markdown: signs mean themselves, save code and addresses."""
    pieces = re.split(r"(`[^`]*`|https?://[^\s,;)]+)", text)
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            piece = re.sub(r"([\\*_\[\]$#])", r"\\\1", piece)
            pieces[place] = piece.replace("<", "&lt;")
        elif piece.startswith("http"):
            address = piece.rstrip(".")
            pieces[place] = f"<{address}>{piece[len(address) :]}"
    return "".join(pieces)
