"""Copies components into one file of the user's, which needs Keras and NumPy only."""

import difflib
import importlib.metadata
import re
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.one_file.needs import Collection, gather, named
from cookbook.one_file.source import ROOT, Definition
from cookbook.one_file.writer import imports_in, names_in_one_file, stacked, text_of
from cookbook.pages.catalogue import LIBRARY, Entry, components

HEADER = """\
# Copied from Keras Cookbook {version} (licence: Apache-2.0) by the command
#     python -m cookbook copy {names}
# The file is yours: it needs Keras and NumPy, and nothing of the cookbook.
"""


def copy_command(names: Sequence[str], to: Path | None, force: bool) -> None:
    """Copies the named components to a file, or to the screen; without names, lists.

    An existing file is only replaced with `force`.
    """
    if not names:
        print(listing())
        return
    if to and to.exists() and not force:
        fail(f"{to} exists: give another file, or --force to replace it")
    text = copy(names, to)
    if to is None:
        print(text, end="")
        return
    write(to, text)
    print(f"{to}: {', '.join(names)}, {len(text.splitlines())} lines")


def write(to: Path, text: str) -> None:
    """Writes the text to a file of the user's; ends the program if that cannot be."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{to} can't be written ({error.strerror}): give another file")


def listing() -> str:
    """All components that can be copied, by namespace."""
    names: dict[str, list[str]] = {}
    for entry in components():
        if entry.namespace.startswith(LIBRARY):
            names.setdefault(entry.namespace, []).append(entry.name)
    blocks = ["Copy any of these: python -m cookbook copy NAME ... [--to FILE]"]
    for namespace in sorted(names):
        lines = textwrap.wrap(
            ", ".join(sorted(names[namespace])),
            width=80,
            initial_indent="  ",
            subsequent_indent="  ",
        )
        blocks.append("\n".join([namespace, *lines]))
    return "\n\n".join(blocks)


def copy(names: Sequence[str], to: Path | None) -> str:
    """The text of a file with the named components and exactly what they use.

    names: such as "LSTM", or "losses.Dice" with the namespace.
    to: the file that will hold the text. Its name is the package under which the
        copied classes register themselves with Keras, so that they do not take the
        place of the installed ones.
    """
    roots = [_root(name) for name in names]
    _refuse_same_names(names, roots)
    found = gather(roots)
    command = " ".join(names) + (f" --to {to}" if to else "")
    header = HEADER.format(version=version(), names=command)
    return f"{header}\n{one_file(found, registered_name(to))}\n"


def one_file(found: Collection, registered: str) -> str:
    """The imports and the definitions of a collection, as the text of a module."""
    names = names_in_one_file(found)
    texts = text_of(found, names, registered)
    first, *_ = found.definitions
    space = "\n\n" if first.is_constant else "\n\n\n"
    return imports_in(names) + space + stacked(texts)


def version() -> str:
    """The version of the cookbook: of this checkout, or of the installed package."""
    project = ROOT / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    return importlib.metadata.version("keras-cookbook")


def registered_name(to: Path | None) -> str:
    """The package for Keras's registry: the file's name, as an identifier."""
    stem = to.stem if to else "copied"
    return re.sub(r"\W", "_", stem)


def _root(name: str) -> Definition:
    """The component of this name; ends the program if there is none."""
    exported = [entry for entry in components() if entry.namespace.startswith(LIBRARY)]
    namespace, _, short = name.rpartition(".")
    for entry in exported:
        if entry.name == short and _is_in(entry, namespace):
            return named(entry.namespace, short)
    near = difflib.get_close_matches(short, [entry.name for entry in exported], n=1)
    hint = f"did you mean {near[0]}?" if near else "copy without names lists all"
    fail(f"copy got {name!r}, expected the name of a component: {hint}")


def _is_in(entry: Entry, namespace: str) -> bool:
    return not namespace or f".{entry.namespace}".endswith(f".{namespace}")


def _refuse_same_names(names: Sequence[str], roots: Sequence[Definition]) -> None:
    """Ends the program if two different components have the same name."""
    seen: dict[str, Definition] = {}
    for name, root in zip(names, roots):
        if seen.setdefault(root.name, root) != root:
            fail(f"copy got {name!r} twice, from two namespaces: copy them one by one")
