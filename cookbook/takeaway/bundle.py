"""Bundles a recipe and all that it needs into one script without our packages."""

import ast
import difflib
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.one_file.needs import Collection, gather
from cookbook.one_file.source import ROOT, Definition, Import, Meaning
from cookbook.one_file.writer import imports_in, names_in_one_file, stacked, text_of
from cookbook.slimming.slim import slimmed
from cookbook.takeaway.copying import refuse_target, version, write
from cookbook.takeaway.recipe_script import Script, as_script
from cookbook.takeaway.stand_ins import FULL, NAMES, PADDED, SCRIPT, STANDALONE, Sources
from cookbook.takeaway.trimming import SERIALIZATION, SHAPES

SCRIPT_FILE, NOTEBOOK = ".py", ".ipynb"  # how the names of the files end
HEADER = """\
# Bundled from Keras Cookbook {version} (licence: Apache-2.0) by the command
#     python -m cookbook bundle recipes/{recipe}.py
# The file is yours: it needs nothing of the cookbook, but these packages:
{packages}
# With the same seed it trains the same weights as the recipe, up to rounding. Of the
# recipe it leaves out: the hyperparameter search, resuming, training on several
# devices, the use of a trained model, pictures that explain the network, and checks of
# arguments. Components lack what a script does not need, such as `get_config`.
"""
ONEDNN = (
    'os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # other sums round otherwise'
)
QUIET = 'os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")'
ENDING = """\
if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))"""
# The packages that pip installs for an import, where their names differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets importlib_resources",
}
OTHER_BACKENDS = ("jax", "torch")  # imported only by users who choose them
# The parts of a script, in order: {title: the packages whose definitions it holds}.
SECTIONS = {
    "Settings": (f"{STANDALONE}.base.settings", f"{STANDALONE}.base.folder"),
    "Components": (
        "custom_layers",
        f"{STANDALONE}.components",
        f"{STANDALONE}.layers",
    ),
    "Data": ("cookbook.data", f"{STANDALONE}.data"),
    "Training": ("cookbook.training", f"{STANDALONE}.training"),
    "Pictures and figures": ("cookbook", STANDALONE),
    "The recipe": ("recipes",),
}
# The project's rules, for a file that stands alone.
RULES = [
    "--isolated",
    "--line-length=88",
    "--target-version=py311",
    "--select=E,F,I,B,UP,SIM,RUF,PT,C4",
    "--ignore=SIM108,RUF002,RUF003,B905",
    # What takes out a comprehension or a variable that no longer does anything.
    '--config=lint.extend-safe-fixes = ["C416", "RUF059"]',
]


def bundle_command(
    name: str,
    to: Path | None,
    force: bool,
    make: Callable[[Path], str],
) -> None:
    """Writes the script or notebook to a file, or to the screen.

    An existing file is only replaced with `force`.

    make: gives the text for a recipe's file, such as `bundle`.
    """
    recipe = recipe_file(name)
    if force and not to:
        fail("bundle got --force, but no --to FILE that it could replace")
    if to:
        example = f"{recipe.stem}{SCRIPT_FILE}"
        refuse_target(to, force, (SCRIPT_FILE, NOTEBOOK), example)
    text = make(recipe)
    if to is None:
        print(text, end="")
        return
    write(to, text)
    length = f" in {len(text.splitlines()):,} lines" if to.suffix == SCRIPT_FILE else ""
    print(f"{to} holds {recipe.stem}{length}.")


def recipe_file(name: str) -> Path:
    """The file of a recipe, given as a path or by its bare name."""
    folder = ROOT / "recipes"
    known = {path.stem: path for path in folder.glob("[!_]*.py")}
    path = Path(name)
    if path.is_file():
        if path.resolve() not in {
            known_path.resolve() for known_path in known.values()
        }:
            fail(
                f"bundle got {name}, expected a recipe in {folder}: a file elsewhere, "
                "such as a copy of a recipe, is none; `list` shows all of them"
            )
        return path
    if path.parent not in (Path(), Path(folder.name), folder):
        fail(f"bundle got {name!r}: there is no such file; `list` shows all recipes")
    if path.stem in known and path.suffix in ("", ".py"):
        return known[path.stem]
    near = difflib.get_close_matches(path.stem, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "`list` shows all of them"
    fail(f"bundle got {name!r}, expected a recipe: {hint}")


def bundle(recipe: Path) -> str:
    """The text of the script, formatted."""
    return formatted(slimmed(script_of(recipe)))


def script_of(recipe: Path) -> str:
    """The text of the script, before it is formatted."""
    script = as_script(recipe.read_text(encoding="utf-8"))
    found = _needed(script, FULL.get(recipe.stem, ()))
    names = _names(found)
    texts = text_of(found, names)
    parts = [f'"""{script.docstring}"""']
    sections = []
    for title in SECTIONS:
        chosen = {d: t for d, t in texts.items() if section_of(d) == title}
        if chosen:
            sections.append(f"# {title}\n\n\n{stacked(chosen)}")
    code = "\n\n\n".join([*sections, ENDING])
    imports = _imports(names, script)
    header = HEADER.format(
        version=version(),
        recipe=recipe.stem,
        packages=_wrapped(packages_of(f"{imports}\n{code}")),
    )
    return "\n\n".join([*parts, header, imports, f"\n{code}\n"])


def _needed(script: Script, full: Sequence[str]) -> Collection:
    """What the script holds; methods for files only where something calls them."""
    unused = {*SERIALIZATION, *SHAPES}
    found = _gathered(script, unused, {}, full)
    others = PADDED if any(_is_padded(d) for d in found.definitions) else {}
    used = {name for name in unused if _is_called(name, found)}
    if used & {*SERIALIZATION}:
        used |= {*SERIALIZATION}
    if used or others:
        found = _gathered(script, unused - used, others, full)
    return found


def _gathered(
    script: Script,
    unused: Iterable[str],
    others: Mapping[str, str],
    full: Sequence[str],
) -> Collection:
    sources = Sources(script.text, frozenset(unused), others, full)
    roots = sources.source_of(SCRIPT).definitions.values()
    return gather(roots, sources.find)


def _is_padded(definition: Definition) -> bool:
    """Whether it is a data set whose rows end in zeros."""
    return definition.is_constant is False and "    padded" in definition.text


def _is_called(name: str, found: Collection) -> bool:
    """Whether a definition calls the method, or what does so in its place."""
    calls = rf"(?<!super\(\))\.{name}\("
    if name in SERIALIZATION:
        calls += r"|\b(serialize_keras_object|clone_model)\("
    return any(re.search(calls, definition.text) for definition in found.definitions)


def _names(found: Collection) -> dict[Meaning, str]:
    names = names_in_one_file(found)
    for meaning in set(NAMES.values()) & {*names}:  # `Loss`, rather than `_Loss`
        if isinstance(meaning, Import):
            names[meaning] = meaning.name or ""
    names[Import("tyro")] = "tyro"
    return names


def _imports(names: Mapping[Meaning, str], script: Script) -> str:
    """The imports; between Python's own and the others, what TensorFlow reads."""
    with_os = {**names, Import("os"): "os"}
    standard, others = imports_in(with_os).split("\n\n", 1)
    settings = [ONEDNN, QUIET] if script.uses_onednn else [QUIET]
    return "\n\n".join([standard, "\n".join(settings), others])


def packages_of(code: str) -> list[str]:
    """The packages that pip must install for the imports in the code."""
    found = {"tensorflow"}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        for module in modules:
            top = module.split(".")[0]
            if top not in {*sys.stdlib_module_names, *OTHER_BACKENDS}:
                found.add(DISTRIBUTIONS.get(top, top))
    return sorted(found)


def _wrapped(packages: list[str]) -> str:
    """The command that installs the packages, as lines of a comment."""
    command = f"pip install {' '.join(packages)}"
    lines = textwrap.wrap(
        command, width=88, initial_indent="#     ", subsequent_indent="#         "
    )
    return "\n".join(lines)


def section_of(definition: Definition) -> str:
    """The title of the section that a definition belongs to: the longest match wins."""
    best, title = "", ""
    for name, packages in SECTIONS.items():
        for package in packages:
            if definition.module.startswith(package) and len(package) > len(best):
                best, title = package, name
    return title


def formatted(text: str) -> str:
    """The text in the project's format; ends the program where ruff is missing."""
    (text,) = formatted_together([text])
    return text


def formatted_together(texts: Sequence[str]) -> list[str]:
    """Texts in the project's format: ruff starts twice, and not twice for each."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"script_{i}.py") for i in range(len(texts))]
        for file, text in zip(files, texts):
            file.write_text(text, encoding="utf-8")

        _ruff("check", "--fix-only", *RULES, folder)
        _ruff("format", "--isolated", "--line-length=88", folder)
        return [file.read_text(encoding="utf-8") for file in files]


def _ruff(command: str, *options: str) -> None:
    ruff = [sys.executable, "-m", "ruff", command, "--quiet", "--no-cache"]
    done = subprocess.run([*ruff, *options], capture_output=True, text=True)
    if "No module named ruff" in done.stderr:
        fail("bundle needs ruff to format the script: pip install ruff")
    if done.returncode:
        raise RuntimeError(f"ruff refuses the script: {done.stderr}")
