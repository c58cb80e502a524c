"""Bundles a recipe into one short script that trains Keras's own classes."""

import re
from pathlib import Path

from cookbook.one_file.needs import Collection, gather
from cookbook.one_file.source import Definition, Import
from cookbook.one_file.writer import (
    WIDTH,
    imports_in,
    names_in_one_file,
    stacked,
    text_of,
)
from cookbook.plain.edits import as_plain
from cookbook.plain.sources import OTHERS, PARTS, SCRIPT, PlainSources
from cookbook.plain.wordings import reworded
from cookbook.takeaway.bundle import ENDING, formatted
from cookbook.takeaway.recipe_script import as_script

SOURCE = "# Keras Cookbook (Apache-2.0): python -m cookbook bundle {recipe} --plain"
# Functions that the edits bring into a script: {name: the module of the stand-in}.
BESIDE = {
    **dict.fromkeys(("few_of_each", "one_hot", "only"), "images"),
    "Batches": "texts",
    **dict.fromkeys(("in_colour", "resized", "towards"), "generated"),
    **dict.fromkeys(("GAN", "PackedGAN", "WassersteinGP"), "adversarial"),
    "classifier_of": "adversarial",
    **dict.fromkeys(("CausalBlock", "EncoderBlock"), "components"),
    "report_sums": "translation",
}
# Sections in order, with the modules of their definitions; the recipe's own Config
# stands in the first and its functions in the last but one.
SECTIONS = ("Settings", "Data", "Components", "Network", "Evaluation", "Training")
SECTION_OF = {
    "images": "Data",
    "texts": "Data",
    "components": "Components",
    "adversarial": "Components",
    "generated": "Evaluation",
    "lab": "Data",
    "translation": "Evaluation",
    "reports": "Evaluation",
}
LONG_LINE = re.compile(r"^( +)([^#\n]+)  (# .+)$", re.MULTILINE)


def plain(recipe: Path) -> str:
    """The text of the script."""
    script = as_script(reworded(recipe.stem, recipe.read_text(encoding="utf-8")))
    text = as_plain(script.text.replace("-> Run | None:", "-> Run:"))
    if "\nimport keras\n" not in text and "keras." in text:
        text = f"import keras\n{text}"
    for name, module in BESIDE.items():
        if re.search(rf"(?<!def )\b{name}\(", text):
            text = f"from {PARTS}.{module} import {name}\n{text}"
    sources = PlainSources(text)
    main = sources.source_of(SCRIPT).definitions["main"]
    found = gather([main], sources.find)
    return _written(recipe.stem, script.docstring, found)


def _written(recipe: str, docstring: str, found: Collection) -> str:
    names = names_in_one_file(found)
    for meaning in names:
        if isinstance(meaning, Import) and meaning in OTHERS.values():
            names[meaning] = meaning.name or ""
    texts = text_of(found, names)
    names[Import("tyro")] = "tyro"

    blocks = []
    sections = _sections(found)
    for title in SECTIONS:
        chosen = {d: texts[d] for d in found.definitions if sections[d] == title}
        if chosen:
            blocks.append(f"# {title}\n{stacked(chosen)}")

    source = SOURCE.format(recipe=recipe)
    code = "\n\n\n".join([*blocks, ENDING])
    text = "\n\n".join([f'"""{docstring}"""', source, imports_in(names), code])
    return re.sub(LONG_LINE, _with_comment_above, formatted(f"{text}\n"))


def _with_comment_above(line: re.Match) -> str:
    indent, code, comment = line.groups()
    is_long = len(line.group()) > WIDTH
    return f"{indent}{comment}\n{indent}{code}" if is_long else line.group()


def _sections(found: Collection) -> dict[Definition, str]:
    """The section of each definition; what must exist early stands before its users."""
    sections = {definition: _section(definition) for definition in found.definitions}
    for definition in reversed(found.definitions):  # which come after what they need
        for need in found.needs[definition]:
            if need.is_early and isinstance(need.meaning, Definition):
                both = sections[definition], sections[need.meaning]
                sections[need.meaning] = min(both, key=SECTIONS.index)
    return sections


def _section(definition: Definition) -> str:
    module, name = definition.module, definition.name
    if module.startswith(PARTS):
        return SECTION_OF[module.rpartition(".")[2]]
    if module.startswith("custom_layers"):
        return "Components"
    if module.startswith("cookbook"):
        return "Data" if module.startswith("cookbook.data") else "Evaluation"
    if name == "main":
        return "Training"
    return "Settings" if definition.is_constant or name == "Config" else "Network"
