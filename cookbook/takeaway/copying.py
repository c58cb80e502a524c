"""Copies components into one file of the user's, which needs Keras and NumPy only."""

import ast
import contextlib
import difflib
import functools
import importlib.metadata
import keyword
import re
import sys
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.one_file.needs import Collection, gather, named
from cookbook.one_file.rewrite import REGISTERED
from cookbook.one_file.source import ROOT, Definition, find
from cookbook.one_file.writer import imports_in, names_in_one_file, stacked, text_of
from cookbook.pages.catalogue import LIBRARY, PROJECT, Entry, components
from cookbook.runs.files import write_whole

# Modules that a file of the same name would hide from itself and from others.
OTHERS_MODULES = {
    *sys.stdlib_module_names,
    *("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "matplotlib", "PIL"),
    *("sklearn", "tensorflow_datasets", "tyro", LIBRARY, "cookbook", "recipes"),
}
LICENCE = """\
#
# SPDX-License-Identifier: Apache-2.0
# The licence is http://www.apache.org/licenses/LICENSE-2.0; the code comes "AS IS",
# without warranties or conditions of any kind.
"""


def copy_command(names: Sequence[str], to: Path | None, force: bool) -> None:
    """Copies the named components to a file, or to the screen; without names, lists.

    An existing file is only replaced with `force`.
    """
    if not names and (to or force):
        fail("copy got no NAME: give the components to copy, such as LSTM")
    if force and not to:
        fail("copy got --force, but no --to FILE that it could replace")
    if not names:
        print(listing())
    elif to is None:
        print(copy(names, to), end="")
    else:
        refuse_target(to, force)
        _refuse_unimportable(to)
        text = copy(names, to)
        write(to, text)
        shown = textwrap.shorten(
            ", ".join(dict.fromkeys(names)), 60, placeholder=" ..."
        )
        print(f"{to} holds {shown} in {len(text.splitlines()):,} lines.")


def refuse_target(
    to: Path,
    force: bool,
    suffixes: Sequence[str] = (".py",),
    example: str = "layers.py",
) -> None:
    """Ends the program if the file is none, or one that must not be replaced.

    suffixes: how the name of the file may end.
    example: a name that the file could have.
    """
    if to.is_dir():
        fail(f"{to} is a folder: give a file in it, such as {to / example}")
    if to.suffix not in suffixes:
        fail(f"{to} does not end in {' or '.join(suffixes)}: give another file")
    if to.suffix == ".py" and to.stem in OTHERS_MODULES:
        fail(
            f"{to} would hide the module {to.stem} from Python: give another name, "
            f"such as {to.with_name(f'my_{to.name}')}"
        )
    if to.exists() and not force:
        fail(f"{to} exists: give another file, or --force to replace it")


def _refuse_unimportable(to: Path) -> None:
    """Ends the program if no `import` can name the file."""
    if to.stem.isidentifier() and not keyword.iskeyword(to.stem):
        return
    fail(
        f"{to} can't be imported, because {to.stem!r} is no name in Python: give "
        "another name, such as my_layers.py"
    )


def write(to: Path, text: str) -> None:
    """Writes the text to a file of the user's; ends the program if that cannot be."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        write_whole(to, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        fail(f"{to} can't be written ({error.strerror}): give another file")


def listing() -> str:
    """All components that can be copied, by namespace."""
    names: dict[str, list[str]] = {}
    for entry in _exported().values():
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


@functools.cache
def _exported() -> dict[str, Entry]:
    """The components by name, each of which is unique."""
    return {
        entry.name: entry
        for entry in components()
        if entry.namespace.startswith(LIBRARY)
    }


def copy(names: Sequence[str], to: Path | None) -> str:
    """The text of a file with the named components and exactly what they use.

    names: such as "LSTM", or "losses.Dice" with the namespace.
    to: the file that will hold the text. Its name is the package under which the
        copied classes register themselves with Keras, so that they do not take the
        place of the installed ones.
    """
    known = _exported()
    roots = list(dict.fromkeys(_component(name, known) for name in names))
    text = one_file(gather(roots), registered_name(to))
    return f"{header([root.name for root in roots])}\n{text}\n"


def header(names: Sequence[str]) -> str:
    """The comment at the top: where the file comes from, and what its licence asks."""
    # No colon may follow a name: Python reads "Encoding: ..." as that of the file.
    sentences = (
        f"Copied from Keras Cookbook {version()} by `python -m cookbook copy`, which "
        f"joined definitions of several files: {', '.join(names)}. This file needs "
        "Keras and NumPy, and nothing of the cookbook."
    )
    lines = textwrap.wrap(
        sentences,
        width=88,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
    )
    return "\n".join(lines) + "\n" + LICENCE


def one_file(found: Collection, registered: str) -> str:
    """The imports and the definitions of a collection, as the text of a module."""
    names = names_in_one_file(found)
    body = stacked(text_of(found, names, registered))
    imports = imports_in(names)
    if not imports:
        return body
    first, *_ = found.definitions
    # isort wants one empty line between imports and a constant, else two.
    return f"{imports}\n\n{body}" if first.is_constant else f"{imports}\n\n\n{body}"


def version() -> str:
    """The version of the cookbook: of this checkout, or of the installed package."""
    with contextlib.suppress(OSError, ValueError):
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text).get("project", {})
        if project.get("name") == PROJECT:
            return project["version"]
    return importlib.metadata.version(PROJECT)


def registered_name(to: Path | None) -> str:
    """The package for Keras's registry: the file's name, as an identifier."""
    name = re.sub(r"\W", "_", to.stem) if to else "copied"
    return f"copy_of_{name}" if name == REGISTERED else name


def _component(name: str, known: dict[str, Entry]) -> Definition:
    """The component of this name; ends the program if there is none."""
    namespace, _, short = name.rpartition(".")
    place = known[short].namespace if short in known else _place_of_second_name(short)
    if place:
        found = named(place, short)
        if not namespace or _exports(namespace, found):
            return found
        hint = f"{short} stands in {place}"
    else:
        by_letters = {one.lower(): one for one in known}
        near = difflib.get_close_matches(short.lower(), by_letters, n=1)
        near = [by_letters[one] for one in near]
        hint = f"did you mean {near[0]}?" if near else "copy without names lists all"
    fail(f"copy got {name!r}, expected the name of a component: {hint}")


def _place_of_second_name(name: str) -> str:
    """The namespace that exports a component under this name too: `swish = silu`."""
    if not name.isidentifier():
        return ""
    for namespace in {entry.namespace for entry in _exported().values()}:
        found = find(namespace, name)
        if isinstance(found, Definition) and found.is_constant:
            value = getattr(found.node, "value", None)
            if isinstance(value, ast.Name):
                return namespace
    return ""


def _exports(namespace: str, component: Definition) -> bool:
    """Whether the component can be imported from custom_layers.NAMESPACE."""
    if not all(part.isidentifier() for part in namespace.split(".")):
        return False
    for module in (namespace, f"{LIBRARY}.{namespace}"):
        with contextlib.suppress(ModuleNotFoundError):
            if find(module, component.name) == component:
                return True
    return False
