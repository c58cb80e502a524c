"""Settings of a run, in its config.json: how they are kept, compared and used again."""

import dataclasses
import difflib
import json
import re
from pathlib import Path
from typing import Any, TypeVar

from cookbook.config import QUESTIONS, ExperimentConfig, SearchOptions
from cookbook.errors import fail
from cookbook.runs.files import Damaged, read_json

CONFIG = "config.json"
# Flags that change no result: a run may be resumed with other values of these.
FREE = ("run_dir", "run", "resume", "save_every", "chaos", "tensorboard")
SEARCH = tuple(field.name for field in dataclasses.fields(SearchOptions))
LARGEST = 2**20  # bytes of a config.json
# The password in the URL of a database, which no file of a run may hold.
PASSWORD = re.compile(r"(://[^/:@]*):[^/@]*@")
AnyConfig = TypeVar("AnyConfig", bound=ExperimentConfig)


def plain(config: ExperimentConfig) -> dict[str, Any]:
    """A Config as a dict of values that JSON can hold, without passwords."""
    values = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    if values.get("study"):
        values["study"] = PASSWORD.sub(r"\1:***@", values["study"])
    return values


def without_search(config: AnyConfig) -> AnyConfig:
    """The Config that trains what the search of `config` has chosen."""
    fields = dataclasses.fields(config)
    defaults: dict[str, Any] = {
        field.name: field.default for field in fields if field.name in SEARCH
    }
    return dataclasses.replace(config, **defaults)


def difference(saved: dict, now: dict, free: tuple[str, ...] = FREE) -> str:
    """The settings that differ and change results, as `name: saved -> now`.

    free: the settings that may differ.
    """
    return ", ".join(
        f"{name}: {saved.get(name)} -> {now[name]}"
        for name in now
        if name not in free and saved.get(name) != now[name]
    )


def recipe_of(folder: Path) -> str | None:
    """The recipe whose run a folder holds; None if its files do not say so."""
    for name in (CONFIG, "code.json"):  # earlier versions named it in the second only
        try:
            recipe = read_json(folder / name).get("recipe")
        except Damaged:
            continue
        if isinstance(recipe, str):
            return recipe
    return None


def settings_from(
    file: Path, config_class: type[ExperimentConfig], recipe: str | None
) -> dict[str, Any]:
    """The settings of a config.json with which a recipe repeats its training.

    Those that say where and how a run was kept, and those of its search, are left out.
    The program ends with one line if the file does not fit the recipe.

    file: the config.json, or the run folder that holds it.
    recipe: the name of the recipe, if it has one.
    """
    path = file / CONFIG if file.is_dir() else file
    settings = _content(path)
    named = settings.pop("recipe", None)
    owner = named if isinstance(named, str) else recipe_of(path.parent)
    if recipe and owner not in (None, recipe):
        fail(
            f"--config got {path}, the settings of {owner}, not of {recipe}: "
            f"python recipes/{owner}.py takes them"
        )
    _refuse_unknown(path, settings, config_class, recipe or "this recipe")
    for name in QUESTIONS:
        if settings.get(name) is not None:
            fail(
                f"--config got {path}, which holds {name}, a question to a trained "
                "model, expected the settings of a training: take it out of the file"
            )
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
        if name not in (*FREE, *SEARCH)
    }
    try:
        config_class(**kept)
    except ValueError as problem:
        fail(f"--config got {path}, where {problem}: correct the file")
    return kept


def _content(path: Path) -> dict[str, Any]:
    """The JSON object in a file that the user names."""
    expected = "expected a config.json, or the folder of a run, which holds one"
    if not path.exists():
        fail(f"--config got {path}, and there is no such file: {expected}")
    if not path.is_file() or path.stat().st_size > LARGEST:
        fail(f"--config got {path}, which is no file of settings: {expected}")
    try:
        return read_json(path)
    except Damaged as problem:
        fail(f"--config can't use {path} ({problem}): {expected}")


def _refuse_unknown(
    path: Path, settings: dict, config_class: type[ExperimentConfig], recipe: str
) -> None:
    """Ends the program if the file has settings that the recipe lacks."""
    known = [field.name for field in dataclasses.fields(config_class)]
    strange = []
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            strange.append(f"{name} (did you mean {near[0]}?)" if near else name)
    if strange:
        fail(
            f"--config got {path}, with settings that {recipe} does not have: "
            f"{', '.join(strange)}; correct them in a copy of the file, or take them "
            "out"
        )
