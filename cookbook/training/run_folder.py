"""The run folder: the files that a run leaves behind, each of them always whole."""

import atexit
import contextlib
import csv
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from cookbook.config import ExperimentConfig
from cookbook.errors import fail
from cookbook.processes import is_worker, wait_for_chief
from cookbook.runs.files import Damaged, read_json, storage_problem, write_whole
from cookbook.runs.finished import number_of, runs_in
from cookbook.runs.record import changed, code_of, versions
from cookbook.runs.stopping import stop_if_asked, uninterrupted

# Flags that change no result: a run may be resumed with other values of these.
FREE = ("run_dir", "run", "resume", "save_every", "chaos", "tensorboard")
LOCKS: dict[Path, Any] = {}  # for each folder, the open file that locks it
MADE: list[Path] = []  # the folders that this process has made
KEEP = "COOKBOOK_KEEP_SAVES"  # a variable that keeps the saves of finished runs
TRIES = 1000  # attempts to take a number before any other process does


class RunFolder:
    """The folder runs/<recipe>/<number>_<time>/ of one run.

    It holds config.json, history.csv, metrics.json, the model and the pictures. Every
    file is written under another name first and then moved to its place. So a run that
    is killed at any moment leaves only whole files. One process at a time uses a
    folder, or the chief and the workers of one search. metrics.json comes last: a run
    that has it is finished.
    """

    opened: ClassVar["RunFolder | None"] = None  # the last one, for messages about it

    def __init__(self, path: Path | str, config: ExperimentConfig):
        self.path = Path(path)
        self.recipe = self.path.parent.name
        self.config = config
        self.started = time.time()
        self.has_told = False  # that code or versions have changed

    @classmethod
    def open(cls, recipe: str, config: ExperimentConfig) -> "RunFolder":
        """A new folder, or with --resume the newest unfinished one of the recipe.

        --run chooses another one to resume. A worker of a search shares the folder of
        its chief.
        """
        stop_if_asked()
        if cls.opened:
            forget_names()
        name = Path(recipe).stem
        resume = getattr(config, "resume", False)
        chosen = getattr(config, "run", None)
        if chosen and not resume:
            fail(
                f"--run got {chosen}, which a training goes on with only after "
                "--resume: add that, or leave --run out"
            )
        if is_worker():
            wait_for_chief()
        if chosen:
            run = cls(_chosen(chosen), config)
        elif resume or is_worker():
            run = cls(_newest_unfinished(config.run_dir / name), config)
        else:
            run = cls(_new_folder(config.run_dir, name), config)
        run.recipe = name
        run.lock()
        if resume or is_worker():
            run._refuse_other_settings()
            run._tell_other_code()
        else:
            run.write_json("config.json", plain(config))
            run.write_json("code.json", {"recipe": name, **run._code()})
        RunFolder.opened = run
        return run

    def _refuse_other_settings(self) -> None:
        try:
            saved = read_json(self.path / "config.json")
        except Damaged as problem:
            fail(
                f"{self.path / 'config.json'} is damaged ({problem}): choose another "
                "run with --run, or start anew without --resume"
            )
        # A version of the cookbook without a flag did what the flag's default does.
        defaults = plain(type(self.config)())
        differences = difference({**defaults, **saved}, plain(self.config))
        if differences:
            fail(
                f"--resume found {self.path}, which was started with other settings "
                f"({differences}): give the same ones, or start without --resume"
            )

    def decide(self, best: ExperimentConfig) -> None:
        """Writes config.json anew: the settings that a search has chosen."""

    def _code(self) -> dict:
        return {**code_of(self.config), **versions()}

    def _tell_other_code(self) -> None:
        """Refuses the run of another recipe; announces code that has changed since."""
        with contextlib.suppress(Damaged):  # runs of earlier versions lack the file
            saved = read_json(self.path / "code.json")
            recipe = saved.pop("recipe", self.recipe)
            if recipe != self.recipe:
                fail(f"--run got {self.path}, a run of {recipe}, not of {self.recipe}")
            self.tell_changes(saved)

    def tell_changes(self, saved: dict) -> None:
        """Says once which code or versions differ from those that were saved."""
        differences = changed(saved, self._code())
        if differences and not self.has_told:
            print(
                f"{self.path} was begun with other code or versions ({differences}): "
                "its result may differ from that of a run that was not broken"
            )
            self.has_told = True

    def part(self, name: str) -> "RunFolder":
        """A folder inside this one, for another training that belongs to the run."""
        part = RunFolder(self.path / name, self.config)
        part.recipe = self.recipe
        part.has_told = self.has_told
        if part.path.is_symlink():
            fail(f"{part.path} is a symbolic link, expected a folder: remove the link")
        try:
            part.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(self._unwritable(name, error))
        return part

    def lock(self) -> None:
        """Ends this process if another one uses the folder; a kill frees the folder.

        Windows has no such locks: there the folder stays open to every process.
        """
        if self.path in LOCKS or is_worker():
            return
        try:
            import fcntl
        except ImportError:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
            file = os.fdopen(os.open(self.path / "lock", flags, 0o644), "w")
            atexit.register(file.close)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(
                f"another process is at work in {self.path}: let it end, or stop it "
                "first"
            )
        except OSError as error:
            fail(self._unwritable("lock", error))
        LOCKS[self.path] = file

    def write_json(self, name: str, content: Any) -> None:
        """Writes a file of JSON."""
        text = json.dumps(content, indent=2)
        self.write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write(self, name: str, save: Callable[[Path], Any]) -> None:
        """Writes the file `name` by calling save(path); it appears once it is whole."""
        try:
            write_whole(self.path / name, save)
        except Exception as error:
            if not isinstance(error, OSError) and storage_problem(error) is None:
                raise
            fail(self._unwritable(name, error))

    def _unwritable(self, name: str, error: Exception) -> str:
        if not self.path.is_dir():
            return (
                f"can't write {name}: the folder {self.path} has vanished during the "
                "run; start anew without --resume"
            )
        reason = storage_problem(error) or getattr(error, "strerror", None) or error
        return (
            f"can't write {name} in {self.path} ({reason}): what was saved before is "
            "whole; make room or allow writing there, then go on with --resume"
        )

    def complete(self, metrics: dict) -> None:
        """Writes metrics.json, which makes the run a finished one, and tidies up.

        What only a resumed run needs goes: the saves, the lock, temporary files.
        """
        with uninterrupted():
            self.write_json("metrics.json", metrics)
            for kind in ("step_*.save", "partial_*", "attempts.json"):
                for path in list(self.path.rglob(kind)):
                    if KEEP not in os.environ or path.suffix != ".save":
                        _remove(path)
            if self.path in LOCKS:
                LOCKS.pop(self.path).close()
                _remove(self.path / "lock")

    @property
    def is_finished(self) -> bool:
        """Whether the run has come to its end."""
        return (self.path / "metrics.json").exists()


@contextlib.contextmanager
def without_empty_folders() -> Iterator[None]:
    """Removes new run folders if a mistake of the user's ends the program inside.

    --resume would take such a folder for a run that can go on, and fail each time. A
    folder in which something was computed is kept, and so is one that is resumed.
    """
    before = len(MADE)
    try:
        yield
    except SystemExit as stop:
        if stop.code == 2:
            for path in MADE[before:]:
                _remove_empty(path)
        raise


def forget_names() -> None:
    """Lets Keras name layers as in a new process, since their names decide last bits.

    TensorFlow fuses operations by their names. So a second run in one process, as in a
    notebook, begins without the names that the first one has used up.
    """
    import keras

    policy = keras.config.dtype_policy()  # which the user may have set
    keras.backend.clear_session(free_memory=False)
    keras.config.set_dtype_policy(policy)


def _remove_empty(path: Path) -> None:
    """Removes a run folder that holds nothing but settings."""
    if (path / "metrics.json").exists():
        return
    found = [file for file in path.rglob("*") if file.is_file()]
    if all(file.suffix in ("", ".json") and file.parent == path for file in found):
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):  # other runs may be there
            path.parent.rmdir()
            path.parent.parent.rmdir()


def _remove(path: Path) -> None:
    """Deletes a file that nobody needs, if that is possible."""
    with contextlib.suppress(OSError):
        path.unlink()


def _new_folder(run_dir: Path, recipe: str) -> Path:
    """Makes a folder whose number is larger than that of any other run of the recipe.

    Of processes that want the same number at once, one gets it.
    """
    parent = run_dir / recipe
    with uninterrupted():
        for _ in range(TRIES):
            number = 1 + max(map(number_of, runs_in(parent)), default=0)
            path = parent / f"{number:04}_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if not parent.is_dir():
                    break
                continue
            except OSError as error:
                _refuse_run_dir(run_dir, error.strerror)
            if [number_of(other) for other in runs_in(parent)].count(number) == 1:
                MADE.append(path)
                return path
            path.rmdir()  # another process took the number in another second
    _refuse_run_dir(run_dir, "a file is in its place")


def _refuse_run_dir(run_dir: Path, reason: object) -> NoReturn:
    fail(
        f"--run-dir got {run_dir}, where no folder can be made ({reason}): choose a "
        "folder you may write to"
    )


def _chosen(path: Path) -> Path:
    """The folder that --run names, if it can be resumed."""
    if not (path / "config.json").is_file():
        fail(f"--run got {path}, expected the folder of a run, with a config.json")
    if (path / "metrics.json").exists():
        fail(
            f"--run got {path}, which is finished: its figures are in metrics.json; "
            "leave --resume out to start a new run"
        )
    return path


def _newest_unfinished(parent: Path) -> Path:
    """The newest run folder that can be resumed; damaged ones are passed over."""
    finished = None
    for path in reversed(runs_in(parent)):
        if (path / "metrics.json").exists():
            finished = finished or path
        elif (path / "config.json").exists():
            try:
                read_json(path / "config.json")
                return path
            except Damaged as problem:
                print(f"{path / 'config.json'} is damaged ({problem}): run passed over")
    end = f"; {finished} is finished" if finished else ""
    fail(f"--resume found no unfinished run in {parent}{end}: start one without it")


def difference(saved: dict, now: dict) -> str:
    """The settings that differ and change results, as `name: saved -> now`."""
    return ", ".join(
        f"{name}: {saved.get(name)} -> {now[name]}"
        for name in now
        if name not in FREE and saved.get(name) != now[name]
    )


def write_table(path: Path, rows: Sequence[dict]) -> None:
    """Writes dicts with the same keys as the rows of a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plain(config: ExperimentConfig) -> dict:
    """A Config as a dict of values that JSON can hold."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))
