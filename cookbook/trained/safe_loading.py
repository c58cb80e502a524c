"""Loading a model file that may come from anyone: no code in it is run."""

import importlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from cookbook.errors import fail

# Classes of Keras that hold Python code, a pickle or a graph.
CARRIERS = {"Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer"}
# Modules of Keras whose functions are parts of a model.
FUNCTIONS = {"keras.activations", "keras.losses", "keras.metrics", "builtins", None}


def load_safely(path: Path | str) -> keras.Model:
    """Loads the model in a .keras file, unless the file carries code.

    Each class and function that the file names must be Keras's or ours, and none may be
    of a kind that holds code. That is checked before anything is made. A file that is
    refused ends the program with one line and status 2.
    """
    path = Path(path)
    importlib.import_module("custom_layers")  # registers our classes
    for problem in code_in(_config_of(path)):
        fail(f"{path} {problem}: load it only with code that you have read and trust")
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # whatever a foreign file can hold
        sentences = re.split(r"(?<=[.!])\s", str(error).strip())
        reason = sentences[0].replace("\n", " ")
        fail(f"{path} can't be loaded as a model ({reason[:300]})")


def _config_of(path: Path) -> Any:
    """The configuration of the model in a file, as nested dicts and lists."""
    expected = "expected a model that Keras 3 saved as .keras"
    if not path.is_file():
        fail(f"there is no file {path}: {expected}")
    if not zipfile.is_zipfile(path):
        fail(f"{path} is no .keras file (a pickle or HDF5 may run code): {expected}")
    with zipfile.ZipFile(path) as archive:
        try:
            return json.loads(archive.read("config.json"))
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            fail(f"{path} is damaged or no model ({error}): {expected}")


def code_in(config: Any) -> Iterator[str]:
    """Yields a phrase for each thing in a configuration that is not safe to make."""
    if isinstance(config, list):
        for item in config:
            yield from code_in(item)
    elif isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield from _problems(config)
        for item in config.values():
            yield from code_in(item)


def _problems(config: dict) -> Iterator[str]:
    """Yields a phrase if the class or function of a configuration is not safe."""
    name = config["class_name"]
    module = config.get("module")
    family = str(module or "keras").split(".")[0]
    registered_name = config.get("registered_name")
    is_ours = keras.saving.get_registered_object(registered_name) is not None
    if name in CARRIERS:
        yield f"carries code, in a {name}"
    elif name == "function":
        if module not in FUNCTIONS and not is_ours:
            function = f"{module}.{config.get('config')}"
            yield f"calls {function}, which is not part of a model"
    elif family not in ("keras", "builtins") and not is_ours:
        yield f"needs {name} of {module}, which is neither Keras's nor ours"
