"""Finding the folders of runs, by recipe, number and name; Keras is not needed."""

import contextlib
import re
from pathlib import Path

from cookbook.errors import Mistake, harmless

NEEDED = ("metrics.json", "model.keras")  # files of a run that is finished
NUMBERED = re.compile(r"(\d+)_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
UNNUMBERED = re.compile(r"(\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)(?:_(\d+))?")
RECIPES = Path(__file__).resolve().parents[2] / "recipes"  # an installed copy has none


def runs_in(parent: Path) -> list[Path]:
    """The run folders of a recipe, from the oldest to the newest.

    Their numbers say which is newer, so that it doesn't matter how the clock was set.
    Folders from before runs were numbered come first.
    """
    with contextlib.suppress(OSError):
        return sorted((p for p in parent.iterdir() if p.is_dir()), key=_age)
    return []


def _age(path: Path) -> tuple:
    """What run folders are sorted by."""
    if found := UNNUMBERED.fullmatch(path.name):
        return 0, found[1], int(found[2] or 0)
    return number_of(path), path.name, 0


def number_of(path: Path) -> int:
    """The number of a run folder; 0 for a folder from before runs were numbered."""
    found = NUMBERED.fullmatch(path.name)
    return int(found[1]) if found else 0


def find_run(run: str | Path, run_dir: Path) -> Path:
    """The folder of a finished run; raises Mistake if there is none.

    run: a run folder, the folder of a recipe's runs, or the name or file of a recipe.
    run_dir: the folder of all runs.
    """
    folder = Path(run)
    if _is_finished(folder):
        return folder
    if is_of_recipe(folder):
        return newest_run(folder)
    if names_recipe(folder, run_dir) and not (folder / "config.json").exists():
        return newest_run(run_dir / folder.stem)
    found = f"there is no run and no recipe {folder}"
    if folder.exists():
        found = f"{folder} holds no finished run"
    raise Mistake(
        harmless(
            f"{found}: expected a folder with {' and '.join(NEEDED)}, or the name of a "
            "recipe"
        )
    )


def newest_run(parent: Path) -> Path:
    """The newest finished run of a recipe; raises Mistake if there is none.

    parent: the folder of the recipe's runs, such as runs/mnist_cnn.
    """
    for path in reversed(runs_in(parent)):
        if _is_finished(path):
            return path
    raise Mistake(
        harmless(
            f"{parent} holds no finished run, expected one to use: train first with "
            f"python recipes/{parent.name}.py, or give the --run-dir it was trained in"
        )
    )


def _is_finished(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NEEDED)


def is_of_recipe(folder: Path) -> bool:
    """Whether a folder, such as runs/mnist_cnn, holds run folders and is none."""
    return not (folder / "config.json").exists() and any(
        (path / "config.json").exists() for path in runs_in(folder)
    )


def names_recipe(path: Path, run_dir: Path) -> bool:
    """Whether this is the name or file of a recipe, or of a script that has runs."""
    if (len(path.parts) != 1 and path.suffix != ".py") or path.name == "..":
        return False
    is_known = (RECIPES / f"{path.stem}.py").is_file()
    return is_known or (run_dir / path.stem).is_dir()
