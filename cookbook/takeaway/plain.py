"""Bundles a recipe into one short script that trains Keras's own classes."""

import re
from functools import cache
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
from cookbook.one_file.writer import (
    WIDTH,
    imports_in,
    names_in_one_file,
    stacked,
    text_of,
)
from cookbook.takeaway.bundle import ENDING, formatted
from cookbook.takeaway.plain_edits.edits import as_plain
from cookbook.takeaway.plain_edits.wordings import reworded
from cookbook.takeaway.recipe_script import as_script
from cookbook.takeaway.trimming import SERIALIZATION, SHAPES, trimmed

PARTS = "cookbook.takeaway.plain_parts"
STAND_INS = (
    "data",
    "components",
    "adversarial",
    "generated",
    "translation",
    "lab",
    "reports",
)
SCRIPT = "recipes.script"
SOURCE = "# Keras Cookbook (Apache-2.0): python -m cookbook bundle {recipe} --plain"
# Names of custom_layers that a script takes from Keras instead, by namespace: ours are
# proven equal to them. The test of this table says how.
KERAS = {
    "activations": "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu "
    "hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid "
    "silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax "
    "squareplus tanh tanh_shrink threshold",
    "constraints": "MaxNorm",
    "initializers": "GlorotNormal GlorotUniform HeNormal HeUniform Identity "
    "LecunNormal LecunUniform Orthogonal RandomNormal RandomUniform TruncatedNormal "
    "VarianceScaling",
    "layers": "BatchNormalization Bidirectional Conv1D Conv2D Conv2DTranspose Dense "
    "Dropout Embedding GRU GRUCell GlobalAveragePooling1D GlobalAveragePooling2D "
    "GlobalMaxPooling2D GroupNormalization LSTM LayerNormalization LeakyReLU "
    "MaxPooling2D ReLU SimpleRNN SpatialDropout1D",
    "losses": "BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy "
    "Hinge Huber KLDivergence LogCosh MeanAbsoluteError MeanSquaredError "
    "SparseCategoricalCrossentropy",
    "optimizers": "Adadelta Adagrad Adam Muon RMSprop SGD",
    "optimizers.schedules": "CosineDecay ExponentialDecay",
    "regularizers": "L1 L1L2 L2",
}
# Classes of data sets, in place of which a script has attributes without a class.
DATA_SETS = (
    *("Images", "JudgedImages", "OddImages", "PicturePair", "Forecasts"),
    *("Reviews", "Characters", "Sums", "Translations"),
)
# What else a script calls by another name: {name in the cookbook: what it means}.
OTHERS = {
    "Run": Import("builtins", "dict"),
    "note": Import("builtins", "print"),
    "conclude": Import("builtins", "dict"),
    "AdversarialModel": Import("keras", "Model"),
    **dict.fromkeys(DATA_SETS, Import("types", "SimpleNamespace")),
}
# Functions that the edits bring into a script: {name: the module of the stand-in}.
BESIDE = {
    **dict.fromkeys(("Batches", "few_of_each", "one_hot", "only"), "data"),
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
    "data": "Data",
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
    sources = Sources(text)
    main = sources.source_of(SCRIPT).definitions["main"]
    found = gather([main], sources.find)
    return _written(recipe.stem, script.docstring, found)


class Sources:
    """The modules that a plain script is made of, each as the script needs it."""

    def __init__(self, script: str) -> None:
        self.known = {SCRIPT: parsed(SCRIPT, script)}

    def source_of(self, module: str) -> Source:
        if module not in self.known:
            source = source_of(module)
            text = source.text
            if module.startswith("custom_layers") and not source.is_package:
                text = trimmed(text, {*SERIALIZATION, *SHAPES})
            elif module.startswith("recipes."):
                text = as_plain(as_script(text).text)
            self.known[module] = source if text == source.text else parsed(module, text)
        return self.known[module]

    def find(self, module: str, name: str) -> Meaning | None:
        """What a name means in a module: Keras's class, or a stand-in."""
        meaning = find(module, name, self.source_of)
        if not isinstance(meaning, Definition):
            return meaning
        origin = meaning.module
        if origin.startswith(("recipes", PARTS)):
            return meaning
        stand_in = _stand_ins().get(meaning.name)
        if stand_in:
            return self.source_of(stand_in).definitions[meaning.name]
        if origin.startswith("custom_layers") and meaning.name in _of_keras():
            return Import(_of_keras()[meaning.name], meaning.name)
        return OTHERS.get(meaning.name, meaning)


@cache
def _of_keras() -> dict[str, str]:
    """{name: Keras's namespace} for the table KERAS."""
    return {
        name: f"keras.{namespace}"
        for namespace, names in KERAS.items()
        for name in names.split()
    }


@cache
def _stand_ins() -> dict[str, str]:
    """{name: the module of its stand-in}."""
    modules = [f"{PARTS}.{name}" for name in STAND_INS]
    return {
        name: module for module in modules for name in source_of(module).definitions
    }


def _written(recipe: str, docstring: str, found: Collection) -> str:
    names = names_in_one_file(found)
    for meaning in names:
        if isinstance(meaning, Import) and meaning in OTHERS.values():
            names[meaning] = meaning.name or ""
    texts = text_of(found, names)
    names[Import("tyro")] = "tyro"
    source = SOURCE.format(recipe=recipe)
    parts = [f'"""{docstring}"""\n\n{source}\n\n{imports_in(names)}']
    sections = _sections(found)
    for title in SECTIONS:
        chosen = {d: texts[d] for d in found.definitions if sections[d] == title}
        if chosen:
            parts.append(f"# {title}\n{stacked(chosen)}")
    parts.append(ENDING)
    text = "\n\n\n".join([f"{parts[0]}\n\n{parts[1]}", *parts[2:]]) + "\n"
    return re.sub(LONG_LINE, _with_comment_above, formatted(text))


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
