"""Record of what a run was made with: its code, its network and the versions."""

import functools
import hashlib
import importlib
import importlib.util
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

from cookbook.config import ExperimentConfig

PACKAGES = ("cookbook", "custom_layers")
# Entries of a configuration that say nothing about the network.
SILENT = {"seed", "shared_object_id", "build_config", "compile_config", "module"}
# Entries that name the layers which a layer is connected to.
WIRES = {"keras_history", "input_layers", "output_layers"}


def versions() -> dict[str, str]:
    """What must stay the same so that a resumed run repeats every bit.

    It is empty in a process that has not loaded Keras, and so trains nothing.
    """
    if "keras" not in sys.modules:
        return {}
    import keras

    backend = keras.backend.backend()
    return {
        "keras": keras.version(),
        "backend": backend,
        "machine": platform.machine(),
        backend: importlib.import_module(backend).__version__,
    }


def code_of(config: ExperimentConfig) -> dict[str, str]:
    """{what: checksum} of the code that the recipe of a Config runs.

    A Config that no file defines, as in a notebook, has no recipe.
    """
    return _code_with(type(config).__module__)


def _code_with(module: str) -> dict[str, str]:
    source = getattr(sys.modules.get(module), "__file__", None)
    return code_of_recipe(Path(source) if source else None)


# An edit that comes later does not change what this process runs.
@functools.cache
def code_of_recipe(file: Path | None) -> dict[str, str]:
    """{what: checksum} of the code that a recipe runs; None stands for a notebook."""
    code = {}
    if file and file.is_file():
        code[file.name] = _checksum([file])
    return {**code, **_code_of_packages()}


@functools.cache
def _code_of_packages() -> dict[str, str]:
    code = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)  # this does not load it
        if spec and spec.origin:
            files = Path(spec.origin).parent.rglob("*.py")
            code[package] = _checksum(sorted(files))
    return code


def _checksum(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:16]


def changed(saved: dict, now: dict) -> str:
    """The entries of `saved` that are different now: "keras 3.15.1 -> 3.16.0, ..."."""
    return ", ".join(
        f"{name} {value} -> {now.get(name)}"
        for name, value in saved.items()
        if now.get(name) != value
    )


def network_of(model: Any) -> Any:
    """The network of a model as JSON can hold it: its layers, settings and wiring.

    It is None for a model that has no configuration.
    """
    import keras

    try:
        config = keras.saving.serialize_keras_object(model)
    except Exception:  # a model of the user's may raise anything here
        return None
    text = json.dumps(_without_names(config, {}), default=str)
    return json.loads(re.sub(r" at 0x[0-9a-f]+", "", text))


def _without_names(config: Any, places: dict[str, int]) -> Any:
    """A configuration in which a layer's place stands for its name.

    Keras numbers the names by what was built before in the same process.

    places: {name: place} of the layers of the model around.
    """
    if isinstance(config, list | tuple):
        return [_without_names(item, places) for item in config]
    if not isinstance(config, dict):
        return config
    layers = config.get("layers")
    if isinstance(layers, list):
        names = [str(layer["config"].get("name")) for layer in layers]
        places = {name: place for place, name in enumerate(names)}
    # The name of a dtype policy, such as mixed_float16, is all that it consists of.
    silent = SILENT if set(config) == {"name"} else SILENT | {"name"}
    return {
        key: _placed(value, places) if key in WIRES else _without_names(value, places)
        for key, value in config.items()
        if key not in silent
    }


def _placed(wires: Any, places: dict[str, int]) -> Any:
    """The names of layers in lists and dicts, replaced by their places."""
    if isinstance(wires, str):
        return places.get(wires, wires)
    if isinstance(wires, dict):
        return {key: _placed(value, places) for key, value in wires.items()}
    if isinstance(wires, list | tuple):
        return [_placed(item, places) for item in wires]
    return wires


def first_difference(
    saved: Any, now: Any, owner: str = "the model", key: str = ""
) -> str | None:
    """Where two networks differ first, in words; None if they are the same.

    owner, key: the class that the values belong to, and what they are there.
    """
    if isinstance(saved, dict) and isinstance(now, dict):
        name = str(now.get("class_name", "_"))
        if name == saved.get("class_name") and not name.startswith("_"):
            owner = name
        # Only another version adds or drops an entry, and versions are announced.
        pairs = [
            ("inputs" if step in WIRES else step, value, now[step])
            for step, value in saved.items()
            if step in now
        ]
    elif isinstance(saved, list) and isinstance(now, list) and len(saved) == len(now):
        pairs = [(f"{key} {i}", *pair) for i, pair in enumerate(zip(saved, now))]
    elif saved != now:
        return f"{owner}: {key} {_short(saved)} -> {_short(now)}"
    else:
        return None
    differences = (first_difference(old, new, owner, step) for step, old, new in pairs)
    return next(filter(None, differences), None)


def _short(value: Any) -> str:
    """A value in at most 60 characters; of a list, the number of its members."""
    if isinstance(value, list):
        return f"{len(value)} of them"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
