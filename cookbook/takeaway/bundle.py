"""Bundles a recipe and all that it needs into one script without our packages."""

from collections.abc import Set
from pathlib import Path

from cookbook.one_file.needs import Collection, gather
from cookbook.one_file.source import (
    Definition,
    Import,
    Meaning,
    Source,
    find,
    parsed,
    source_of,
)
from cookbook.one_file.writer import imports_in, names_in_one_file, stacked, text_of
from cookbook.takeaway.recipe_script import ENDING, Script, as_script
from cookbook.takeaway.trimming import SERIALIZATION, SHAPES, trimmed

STANDALONE = "cookbook.takeaway.standalone"
DATA = ("sources", "images", "texts")
# Modules that a script needs in a shorter form: without resuming, search and devices.
REPLACED = {
    "cookbook.config": f"{STANDALONE}.settings",
    "cookbook.errors": f"{STANDALONE}.settings",
    "cookbook.training.run_folder": f"{STANDALONE}.folder",
    "cookbook.training.train": f"{STANDALONE}.training",
    "cookbook.reports.finish": f"{STANDALONE}.finish",
    "cookbook.lab.claims": f"{STANDALONE}.finish",
    "cookbook.data.sources": f"{STANDALONE}.sources",
    "custom_layers.common.checks": f"{STANDALONE}.checks",
    "custom_layers.common.private_keras": f"{STANDALONE}.checks",
    "cookbook.data.images": f"{STANDALONE}.images",
    "cookbook.data.text.reviews": f"{STANDALONE}.texts",
    "cookbook.data.text.characters": f"{STANDALONE}.texts",
    "cookbook.data.text.translation": f"{STANDALONE}.texts",
    "cookbook.reports.image_classifier": f"{STANDALONE}.reports",
    "cookbook.reports.text_classifier": f"{STANDALONE}.reports",
}
# What a script calls the kinds of fields, whose ranges only the cookbook checks.
BUILTIN = {
    **dict.fromkeys(("Count", "Size", "Filters", "Depth", "Repeats", "BatchSize"), "int"),
    **dict.fromkeys(("Share", "Portion", "Rate"), "float"),
    "Seed": "int",
}
# The parts of a script, in order: {title: the packages whose definitions it holds}.
SECTIONS = {
    "Settings": (f"{STANDALONE}.settings", f"{STANDALONE}.folder"),
    "Components": ("custom_layers", f"{STANDALONE}.checks"),
    "Data": ("cookbook.data", *(f"{STANDALONE}.{n}" for n in DATA)),
    "Training": ("cookbook.training", f"{STANDALONE}.training"),
    "Pictures and figures": ("cookbook", STANDALONE),
    "The recipe": ("recipes",),
}


def bundle(recipe: Path) -> str:
    """The text of the script."""
    script = as_script(recipe.read_text(encoding="utf-8"))
    unused = {*SERIALIZATION, *SHAPES}
    found = _collected(script, unused)
    used = {name for name in unused if _is_called(name, found)}
    if used & {*SERIALIZATION}:
        used |= {*SERIALIZATION}
    if used:
        found = _collected(script, unused - used)
    return _written(script, found, recipe)


def _collected(script: Script, unused: Set[str]) -> Collection:
    sources = Sources(script, unused)
    roots = sources.source_of("recipes.script").definitions.values()
    return gather(roots, sources.find)


def _is_called(name: str, found: Collection) -> bool:
    return any(f".{name}(" in definition.text.replace("super().", "") for definition in found.definitions)


class Sources:
    """The modules that a script is made of, each in the form that the script needs."""

    def __init__(self, script: Script, unused: Set[str]) -> None:
        self.unused = unused
        self.known = {"recipes.script": parsed("recipes.script", script.text)}

    def source_of(self, module: str) -> Source:
        if module not in self.known:
            source = source_of(module)
            if module.startswith("custom_layers") and not source.is_package:
                source = parsed(module, trimmed(source.text, self.unused))
            self.known[module] = source
        return self.known[module]

    def find(self, module: str, name: str) -> Meaning | None:
        """What a name means in a module, where some modules are replaced by others."""
        meaning = find(module, name, self.source_of)
        if not isinstance(meaning, Definition):
            return meaning
        if meaning.module == "cookbook.config" and name in BUILTIN:
            return Import("builtins", BUILTIN[name])
        stand_in = REPLACED.get(meaning.module)
        if stand_in is None or module == stand_in:
            return meaning
        there = self.source_of(stand_in).definitions.get(meaning.name)
        return there or meaning


def _written(script: Script, found: Collection, recipe: Path) -> str:
    names = names_in_one_file(found)
    texts = text_of(found, names)
    names[Import("tyro")] = "tyro"
    parts = [f'"""{script.docstring}"""', imports_in(names)]
    for title, packages in SECTIONS.items():
        chosen = {d: t for d, t in texts.items() if section_of(d) == title}
        if chosen:
            parts.append(f"# {title}\n\n\n{stacked(chosen)}")
    parts.append(ENDING)
    return "\n\n\n".join(parts) + "\n"


def section_of(definition: Definition) -> str:
    """The title of the section that a definition belongs to: the longest match wins."""
    best, title = "", ""
    for name, packages in SECTIONS.items():
        for package in packages:
            if definition.module.startswith(package) and len(package) > len(best):
                best, title = package, name
    return title
