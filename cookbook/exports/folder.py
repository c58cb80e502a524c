"""Folder of an export: the network, model.json, use.py, and README.md."""

import json
from pathlib import Path

import keras

from cookbook.exports.converters.formats import FORMATS
from cookbook.exports.readme import readme
from cookbook.exports.signature import Exported
from cookbook.exports.steps import ExportedStep
from cookbook.exports.uses import USES
from cookbook.one_file.needs import gather, named
from cookbook.one_file.rewrite import REGISTERED
from cookbook.one_file.source import Definition
from cookbook.takeaway.copying import LICENCE, one_file, version
from cookbook.trained.description import KINDS
from cookbook.trained.model_file import read_config, walk
from cookbook.trained.trained_run import Description

PORTABLE = "cookbook.exports.portable"
HEADER = """\
# Written by `python -m cookbook export` of Keras Cookbook {version}.
# It makes the model beside this file answer, and needs nothing of the cookbook.
"""
LOAD = '''

def load(folder: str | Path = Path(__file__).parent) -> {use}:
    """The model in this folder, ready to answer."""
    folder = Path(folder)
    return {use}({arguments})
'''


def write_companions(
    exported: Exported, step: ExportedStep | None, name: str, folder: Path, note: str
) -> None:
    """Writes the files beside a network: what it means, and how to use it.

    step: its step, which is in the folder as well; None if there is none.
    name: the format of the network, which is in the folder already.
    note: a sentence on how exact the export is.
    """
    texts = {
        "model.json": settings_text(exported.description, step),
        "use.py": use_py(exported.description, step, name, folder),
        "README.md": readme(exported, step, name, note),
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")


def settings_text(description: Description, step: ExportedStep | None) -> str:
    """model.json of the export, which also holds the vocabulary."""
    kind = KINDS[description.kind]
    content = {
        "kind": description.kind,
        "recipe": description.recipe,
        "data": description.data,
        "classes": description.classes,
        "input": kind.input,
        "output": kind.output,
        **description.settings,
    }
    if step and not step.encoder:
        content["states"] = step.states
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def use_py(
    description: Description, step: ExportedStep | None, name: str, folder: Path
) -> str:
    """The text of use.py: one file with all that using the model takes."""
    use = USES[description.kind]
    network = FORMATS[name].network.__name__
    roots = [
        named(f"{PORTABLE}.{use.module}", use.name),
        named(f"{PORTABLE}.networks", network),
        named(f"{PORTABLE}.networks", "read_settings"),
    ]
    if name == "keras":
        roots += components_in(folder / FORMATS[name].file)
    text = one_file(gather(roots), REGISTERED)
    header = HEADER.format(version=version()) + LICENCE
    arguments = f"{network}(folder), read_settings(folder)"
    if step:
        arguments += f', {network}(folder, "{FORMATS[name].step}")'
    if step and step.encoder:
        arguments += f', {network}(folder, "{FORMATS[name].encoder}")'
    return f"{header}\n{text}\n{LOAD.format(use=use.name, arguments=arguments)}"


def components_in(path: Path) -> list[Definition]:
    """The definitions of our classes and functions that a .keras file names."""
    config, _ = read_config(path)
    found: dict[str, Definition] = {}
    for value, _ in walk(config):
        names = value.values() if isinstance(value, dict) else ()
        for name in names:
            if isinstance(name, str) and name.startswith(f"{REGISTERED}>"):
                component = keras.saving.get_registered_object(name)
                if component is not None:  # a layer may be called so
                    found[name] = named(component.__module__, component.__name__)
    return [*found.values()]
