"""Loading a model file that may come from anyone: nothing in it is run."""

import importlib
import json
import re
import zipfile
from pathlib import Path

import keras

from cookbook.errors import fail

CARRIERS = {"Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer"}  # of code
FUNCTIONS = {"keras.activations", "keras.losses", "keras.metrics", "builtins", None}


def load_safely(path):
    """The model in a .keras file; ends the program in one line if it carries code.

    Before anything is made, each class and function that the file names must be
    Keras's or ours, and none of those that hold Python code, a pickle or a graph.
    """
    path = Path(path)
    importlib.import_module("custom_layers")  # registers our classes
    for problem in code_in(_config_of(path)):
        fail(f"{path} {problem}: load it only with code that you have read and trust")
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # whatever a foreign file can hold
        reason = re.split(r"(?<=[.!])\s", str(error).strip())[0].replace("\n", " ")
        fail(f"{path} can't be loaded as a model ({reason[:300]})")


def _config_of(path):
    """The model's configuration, as nested dicts and lists."""
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


def code_in(config):
    """Yields a phrase for each thing in a configuration that is not safe to make."""
    if isinstance(config, list):
        for item in config:
            yield from code_in(item)
    if not isinstance(config, dict):
        return
    name, module = config.get("class_name"), config.get("module")
    if isinstance(name, str):
        ours = keras.saving.get_registered_object(config.get("registered_name"))
        family = str(module or "keras").split(".")[0]
        if name in CARRIERS:
            yield f"carries code, in a {name}"
        elif name == "function" and module not in FUNCTIONS and not ours:
            yield f"calls {module}.{config.get('config')}, which is no part of a model"
        elif family not in ("keras", "builtins") and not ours:
            yield f"needs {name} of {module}, which is neither Keras's nor ours"
    for item in config.values():
        yield from code_in(item)
