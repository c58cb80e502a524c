"""Bundles a recipe into one short script that trains Keras's own classes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cookbook.one_file.names import names_inside
from cookbook.one_file.needs import Collection, gather
from cookbook.one_file.source import Definition, Import, Meaning
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
from cookbook.takeaway.bundle import ENDING, formatted_together
from cookbook.takeaway.recipe_script import as_script

LINE = 88  # characters that a line may have
SOURCE = "# Keras Cookbook (Apache-2.0): python -m cookbook bundle {recipe} --plain"
# Functions that the edits bring into a script: {name: the module of the stand-in}.
BESIDE = {
    **dict.fromkeys(("few_of_each", "one_hot", "only"), "images"),
    "Batches": "texts",
    **dict.fromkeys(("in_colour", "resized", "towards"), "generated"),
    **dict.fromkeys(("ConditionalGAN", "GAN"), "adversarial"),
    **dict.fromkeys(("PackedGAN", "WassersteinGP"), "adversarial"),
    "classifier_of": "latent.judge",
    **dict.fromkeys(("CausalBlock", "EncoderBlock"), "components"),
    "PostNormBlock": "sentences.encoder",
    "VariedBlock": "attention.variants",
    "VisionBlock": "attention.vision",
    "kernel_gradients": "lab",
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
    "judge": "Components",
    "generated": "Evaluation",
    "lab": "Data",
    "translation": "Evaluation",
    "reports": "Evaluation",
    "diffusion": "Components",
    "losses": "Components",
    "measures": "Evaluation",
    "models": "Components",
    "pixels": "Data",
    "counts": "Components",
    "encoder": "Components",
    "pieces": "Data",
    "variants": "Components",
    "vision": "Components",
}
LONG_LINE = re.compile(r"^( +)([^#\n]+)  (# .+)$", re.MULTILINE)


def plain_script(recipe: Path) -> str:
    """The text of the script."""
    (script,) = plain_scripts([recipe])
    return script


def plain_scripts(recipes: Sequence[Path]) -> list[str]:
    """The texts of the scripts of several recipes."""
    texts = formatted_together([_unformatted(recipe) for recipe in recipes])
    return [_with_comments_above(text) for text in texts]


def _unformatted(recipe: Path) -> str:
    text = recipe.read_text(encoding="utf-8")

    script = as_script(reworded(recipe.stem, text))
    text = as_plain(script.text.replace("-> Run | None:", "-> Run:"))
    sources = PlainSources(_with_imports(text))

    main = sources.source_of(SCRIPT).definitions["main"]
    found = gather([main], sources.find)
    return _written(recipe.stem, script.docstring, found)


def _with_imports(text: str) -> str:
    """The script with imports of what the rules have brought in."""
    if "\nimport keras\n" not in text and "keras." in text:
        text = f"import keras\n{text}"
    for name, module in BESIDE.items():
        if re.search(rf"(?<!def )\b{name}\(", text):
            text = f"from {PARTS}.{module} import {name}\n{text}"
    return text


def _written(recipe: str, docstring: str, found: Collection) -> str:
    names = names_in_one_file(found)
    for meaning in names:
        if isinstance(meaning, Import) and meaning in OTHERS.values():
            names[meaning] = meaning.name or ""
    names[Import("tyro")] = "tyro"

    texts, names = _with_namespaces(found, names)
    blocks = []
    sections = _sections(found)
    for title in SECTIONS:
        chosen = {d: texts[d] for d in found.definitions if sections[d] == title}
        if chosen:
            blocks.append(f"# {title}\n{stacked(chosen)}")

    source = SOURCE.format(recipe=recipe)
    if len(source) > LINE:
        source = source.replace(": ", ":\n# ")
    code = "\n\n\n".join([*blocks, ENDING])
    text = "\n\n".join([f'"""{docstring}"""', source, imports_in(names), code])
    return _with_comments_above(f"{text}\n")  # before ruff splits these lines


def _with_namespaces(
    found: Collection, names: dict[Meaning, str]
) -> tuple[dict[Definition, str], dict[Meaning, str]]:
    """(the texts of the definitions, the names to import).

    Where an import from a namespace of Keras is too long for a line, the script imports
    the namespace instead and writes `layers.Dense`.
    """
    imports = dict(names)
    namespaces = _long_namespaces(names)
    if namespaces:
        namespaces -= _variables(found)
    for meaning, name in names.items():
        _, _, namespace = meaning.module.partition(".")
        if isinstance(meaning, Import) and namespace in namespaces:
            names[meaning] = f"{namespace}.{name}"
            del imports[meaning]

    texts = text_of(found, names)
    for namespace in namespaces:
        imports[Import("keras", namespace)] = namespace

        for definition, text in texts.items():
            short = text.replace(f"keras.{namespace}.", f"{namespace}.")
            texts[definition] = short

    return texts, imports


def _long_namespaces(names: Mapping[Meaning, str]) -> set[str]:
    """Namespaces of Keras from which a script imports more than a line can hold."""
    members: dict[str, list[str]] = {}
    for meaning, name in names.items():
        top, _, namespace = meaning.module.partition(".")
        if top == "keras" and namespace.isidentifier():
            members.setdefault(namespace, []).append(name)

    return {
        namespace
        for namespace, found in members.items()
        if len(f"from keras.{namespace} import {', '.join(found)}") > WIDTH
    }


def _variables(found: Collection) -> set[str]:
    """The names of the variables in all functions."""
    functions = [d.node for d in found.definitions if d.name != "Config"]
    return set().union(*map(names_inside, functions))


def _with_comments_above(text: str) -> str:
    """The text with the comments that make a line too long above that line."""
    return re.sub(LONG_LINE, _divided, text)


def _divided(line: re.Match) -> str:
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
