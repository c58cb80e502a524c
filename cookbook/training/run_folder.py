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

from cookbook.config import ExperimentConfig, ResumingOptions, TrainingConfig
from cookbook.errors import Mistake, fail
from cookbook.processes import is_worker, wait_for_chief
from cookbook.runs.files import Damaged, read_json, storage_problem, write_whole
from cookbook.runs.finished import number_of, runs_in
from cookbook.runs.precision import choose_precision
from cookbook.runs.record import changed, code_of, versions
from cookbook.runs.resumed import (
    chosen_run,
    newest_run_to_resume,
    refuse_other_settings,
)
from cookbook.runs.searches import (
    FILE,
    METRICS,
    begun,
    find_search,
    goal_of,
    is_finished,
    is_search,
    prolonged,
    read_search,
)
from cookbook.runs.settings import CONFIG, difference, plain, without_search
from cookbook.runs.stopping import stop_if_asked, uninterrupted

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
        self.board: Path | None = None  # of a trial: where its logs for TensorBoard go

    @classmethod
    def open(cls, recipe: str, config: ExperimentConfig) -> "RunFolder":
        """A new folder, or with --resume the newest unfinished one of the recipe.

        A search that was asked for more trials than it had is unfinished again. --run
        chooses another folder to resume. A worker of a search shares the folder of its
        chief.
        """
        stop_if_asked()
        choose_precision(config)
        if cls.opened:
            forget_names()
        name = Path(recipe).stem
        resume, chosen = False, None
        if isinstance(config, ResumingOptions):
            resume, chosen = config.resume, config.run
        if chosen and not resume:
            fail(
                f"--run got {chosen}, which a training goes on with only after "
                "--resume: add that, or leave --run out"
            )
        if is_worker():
            wait_for_chief()
        goes_on = resume or is_worker()
        if chosen:
            path = chosen_run(chosen, config)
        elif goes_on:
            path = newest_run_to_resume(config.run_dir / name, config)
        else:
            _refuse_source(config, name)
            path = _new_folder(config.run_dir, name)
        run = cls(path, config)
        run.recipe = name
        run.lock()
        if goes_on:
            refuse_other_settings(path, config)
            run._tell_other_code()
        run._note_search()
        if not goes_on:
            run._write_settings()
            run.write_json("code.json", {"recipe": name, **run._code()})
        RunFolder.opened = run
        return run

    def _write_settings(self) -> None:
        self.write_json(CONFIG, {"recipe": self.recipe, **plain(self.config)})

    def _note_search(self) -> None:
        """Writes into search.json what is asked of the search, if that is news.

        It makes a finished run unfinished, whose model and figures stay in place.
        """
        if not is_search(self.config) or is_worker():
            return
        before = self.search
        if before is None:
            self.write_json(FILE, begun(self.config))
            return
        now = prolonged(self.path, before, self.config)
        if difference(before["settings"], now["settings"]):
            self.write_json(FILE, now)

    def note_in_search(self, **facts: Any) -> None:
        """Writes facts into search.json, such as its score; workers leave it alone."""
        search = self.search
        if search and {**search, **facts} != search and not is_worker():
            self.write_json(FILE, {**search, **facts})

    def decide(self, best: TrainingConfig) -> None:
        """Goes on with the settings that the search has chosen: `best` without search.

        They become those of config.json, at once or, if the run has a model already,
        when the next one replaces it. The saves of a training with an earlier choice
        are deleted. The next model is built as in a process that has not searched.
        """
        self.config = dataclasses.replace(without_search(best), resume=False, run=None)
        search = self.search or begun(best)
        chosen = plain(self.config)
        if difference(search.get("best", {}), chosen):
            for save in self.path.rglob("step_*.save"):
                if "best" in search and "tuning" not in save.parts:
                    _remove(save)
            self.write_json(FILE, {**search, "best": chosen})
        if not self.has_results:
            self._write_settings()
        forget_names()

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
        search = self.search
        with uninterrupted():
            if search:
                self._write_settings()
                metrics = {**metrics, "search": goal_of(search)}
            self.write_json(METRICS, metrics)
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
        return is_finished(self.path)

    @property
    def search(self) -> dict[str, Any] | None:
        """What is asked of the run's search; None for a run without one."""
        with contextlib.suppress(Damaged):  # then it is written anew
            return read_search(self.path)
        return None

    @property
    def has_results(self) -> bool:
        """Whether a model and its figures are there, be they those of before."""
        return (self.path / METRICS).exists()


@contextlib.contextmanager
def without_empty_folders() -> Iterator[None]:
    """Removes new run folders if a mistake of the user's ends the program inside.

    --resume would take such a folder for a run that can go on, and fail each time. A
    folder in which something was computed is kept, and so is one that is resumed.
    """
    before = len(MADE)
    try:
        yield
    except (SystemExit, Mistake) as stop:
        if getattr(stop, "code", 2) == 2:
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
    if (path / METRICS).exists():
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


def _refuse_source(config: ExperimentConfig, recipe: str) -> None:
    """Ends the program if --from names no search, before a folder is made."""
    source = getattr(config, "from_", None)
    if source and is_search(config):
        find_search(source, config.run_dir, recipe)


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


def write_table(path: Path, rows: Sequence[dict]) -> None:
    """Writes dicts with the same keys as the rows of a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
