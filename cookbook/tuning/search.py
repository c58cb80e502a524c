"""Tuning: a search that survives kills and can be repeated; it answers a Config."""

import dataclasses
import gc
import json
import os
import shutil
import sys
import time

import keras
import numpy as np

from cookbook.config import flags
from cookbook.data.sources import first_line
from cookbook.errors import fail
from cookbook.processes import is_worker, role
from cookbook.training.board import log_settings
from cookbook.training.checkpoint import Saves
from cookbook.training.run_folder import write_table
from cookbook.training.train import NotFinite, fit, seed_everything
from cookbook.tuning.search_plots import draw_parallel, draw_scores

ATTEMPTS = 5  # kills of a trial at the same step after which it counts as failed


def search(space, build, data, config, run, score="val_accuracy"):
    """The best Config of config.tune trials, by a score on the validation part.

    space(hp): declares the hyperparameters, named as Config's fields, and returns a
    Config; build(config, data): the compiled model. Each trial trains for
    config.epochs (Hyperband: part of them) on the training part, from the same seed.
    score: a column of the history, whose largest value counts, or of a loss or a
    distance the smallest. Finished trials stand in trials/: a search that was killed
    proposes the same trials again, takes from there what is known, and goes on. In a
    worker's process (workers.py) it ends with the worker's last trial.
    The Config returned learns from training and validation part; its flags are printed.
    """
    gc.freeze()  # what is imported need not be searched for garbage at each trial
    trials = _Trials(space, build, data, config, run, score)
    try:
        _tuner(trials).search()
    except KeyboardInterrupt:
        if not is_worker():
            print(
                f"\ninterrupted after {len(trials.done)} whole trials; they are in "
                f"{run.path}; the same command with --resume goes on"
            )
        raise SystemExit(130) from None
    if is_worker():
        raise SystemExit  # the chief goes on
    ranked = trials.ranked()
    if not ranked or ranked[0]["score"] is None:
        reason = ranked[0]["problem"] if ranked else "the space proposes none"
        fail(f"none of the {len(ranked)} trials gave a {score}: {reason}")
    shutil.rmtree(run.path / "tuning", ignore_errors=True)
    best = dataclasses.replace(
        trials.configure(ranked[0]["values"]),
        resume=config.resume,
        with_validation=data.validation is not None,
    )
    _show(ranked, score, best, run)
    return best


def _tuner(trials):
    """keras-tuner's search of config.tuner's kind, whose trials `trials` runs."""
    import keras_tuner
    from keras_tuner.engine.base_tuner import BaseTuner

    class Search(BaseTuner):
        def _try_run_and_update_trial(self, trial):
            """Without keras-tuner's own, which prints a traceback for a failure."""
            known = trials.run_or_recall(trial.trial_id, trial.hyperparameters.values)
            trial.status = "FAILED"
            if known["score"] is not None:
                self.oracle.update_trial(trial.trial_id, {trials.score: known["score"]})
                trial.status = "COMPLETED"

    config = trials.config
    settings = {
        "objective": keras_tuner.Objective(trials.score, trials.better.__name__),
        "seed": config.seed + 1,  # keras-tuner takes 0 for no seed
        "max_consecutive_failed_trials": config.tune + 1,  # a failed trial is a result
    }
    if config.tuner == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(
            max_epochs=config.epochs, hyperband_iterations=config.tune, **settings
        )
        oracle.max_trials = config.tune
    else:
        kind = {
            "random": keras_tuner.oracles.RandomSearchOracle,
            "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
            "grid": keras_tuner.oracles.GridSearchOracle,
        }[config.tuner]
        oracle = kind(max_trials=config.tune, **settings)
    oracle.verbose = 0  # `trials` shows the progress
    return Search(
        oracle,
        trials.space,  # keras-tuner calls it to find the hyperparameters
        directory=trials.run.path / "tuning",
        project_name=role() or "oracle",
        overwrite=True,  # trials/ is what a search goes on from
    )


class _Trials:
    """Runs trials, each once: what is done is remembered in trials/."""

    def __init__(self, space, build, data, config, run, score):
        self.space, self.build, self.data = space, build, data
        self.config, self.run, self.score = config, run, score
        self.better = min if score.endswith(("loss", "distance")) else max

    @property
    def done(self):
        """{name: entry} of the trials that ended, in this process or another one."""
        files = sorted((self.run.path / "trials").glob("[0-9]*.json"))
        return {file.stem: json.loads(file.read_text()) for file in files}

    def run_or_recall(self, name, values):
        """The trial's entry: its values, score or problem, epochs, steps, seconds."""
        values = {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in values.items()
        }
        folder = self._folder(name, values)
        if name in self.done:
            return self.done[name]
        entry = {"trial": name, "values": values, "score": None, "problem": None}
        entry.update(epochs=0, steps=0)
        try:
            self._train(entry, folder)
        except Exception as error:  # whatever a trial can die of is its result
            kind = "" if isinstance(error, NotFinite) else f"{type(error).__name__}: "
            entry["problem"] = kind + first_line(error)
        entry["seconds"] = round(time.time() - folder.started, 1)
        self._remember(entry, folder)
        return entry

    def _folder(self, name, values):
        """The trial's folder; what stands there of other values is refused.

        But a new chief may have got its workers' scores in another order, and then
        proposes other trials than the one that was killed: those start anew.
        """
        entry = self.run.path / "trials" / f"{name}.json"
        folder = self.run.part(f"tuning/trial_{name}")
        begun = folder.path / "values.json"
        saved = values
        if entry.exists():
            saved = json.loads(entry.read_text())["values"]
        elif begun.exists():
            saved = json.loads(begun.read_text())
        if saved != values:
            if role() is None:
                fail(
                    f"trial {name} in {self.run.path} has other values than this "
                    "search proposes: the recipe's space has changed since; undo "
                    "that, or start anew without --resume"
                )
            entry.unlink(missing_ok=True)
            shutil.rmtree(folder.path)
            folder = self.run.part(f"tuning/trial_{name}")
        folder.write_json("values.json", values)
        return folder

    def configure(self, values):
        """The Config of a trial's values."""
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        proposal = self.space(hp)
        chosen = {key: getattr(proposal, key) for key in values if "/" not in key}
        return dataclasses.replace(self.config, **chosen)

    def _train(self, entry, folder):
        values = entry["values"]
        config = dataclasses.replace(
            self.configure(values), with_validation=False, tensorboard=False
        )
        _count_attempt(folder)
        parent = values.get("tuner/trial_id")
        if parent is not None and not Saves(folder).paths():
            newest = Saves(self.run.part(f"tuning/trial_{parent}")).paths()[0]
            folder.write(newest.name, lambda path: shutil.copy(newest, path))
        keras.backend.clear_session()
        seed_everything(config.seed)
        model = self.build(config, self.data)
        until = values.get("tuner/epochs", config.epochs)
        rows = fit(model, self.data, config, folder, (), until)
        if self.score not in rows[0]:
            fail(f"a search needs the column {self.score}, got {', '.join(rows[0])}")
        entry["score"] = self.better(row[self.score] for row in rows)
        entry["epochs"] = len(rows)
        entry["steps"] = int(Saves(folder).paths()[0].stem.split("_")[1])

    def _remember(self, entry, folder):
        """Writes the entry and prints a line; of the saves Hyperband needs one."""
        self.run.part("trials").write_json(f"{entry['trial']}.json", entry)
        done = self.done
        kept = 1 if self.config.tuner == "hyperband" else 0
        for path in Saves(folder).paths()[kept:]:
            path.unlink()
        best = self.ranked()[0]
        got = "failed" if entry["score"] is None else f"{entry['score']:.4g}"
        if entry["problem"]:
            got += f" ({entry['problem']})"
        elif best["trial"] != entry["trial"]:
            got += f" (best {best['score']:.4g})"
        if self.config.tensorboard and entry["score"] is not None:
            where = self.run.path / "tensorboard" / f"trial_{entry['trial']}"
            log_settings(where, entry["values"], {self.score: entry["score"]})
        spent = [known["seconds"] for known in done.values()]
        shown = [(k, v) for k, v in entry["values"].items() if "/" not in k]
        begun = (self.run.path / "tuning").glob("trial_*")
        at_once = 1 + sum(path.name[6:] not in done for path in begun)
        left = np.mean(spent) * (self.config.tune - len(spent)) / at_once
        print(
            f"trial {len(spent)} of {self.config.tune}: {self.score} {got} | "
            f"{entry['seconds']:.0f} s | about {_duration(left)} left | "
            + ", ".join(f"{key} {_cell(value)}" for key, value in shown),
            flush=True,
        )

    def ranked(self):
        """The entries, best first, the failed last."""

        def key(entry):
            if entry["score"] is None:
                return 1, 0, 0
            sign = -1 if self.better is max else 1
            return 0, sign * entry["score"], -entry["epochs"]

        return sorted(self.done.values(), key=key)


def _count_attempt(folder):
    """Raises once a trial was killed ATTEMPTS times at the same step."""
    path = folder.path / "attempts.json"
    saves = Saves(folder).paths()
    at = saves[0].name if saves else "its start"
    before = json.loads(path.read_text()) if path.exists() else {}
    count = before.get("count", 0) if before.get("at") == at else 0
    if count >= ATTEMPTS:
        raise RuntimeError(
            f"killed {count} times after {at}, perhaps for its use of memory"
        )
    folder.write_json("attempts.json", {"at": at, "count": count + 1})


def _duration(seconds):
    """Seconds, minutes or hours, as a reader wants them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _show(ranked, score, best, run):
    """Prints the trials, best first; writes tuning.csv and two pictures."""
    names = [key for key in ranked[0]["values"] if "/" not in key]
    names += [
        key
        for entry in ranked[1:]
        for key in entry["values"]
        if "/" not in key and key not in names
    ]
    rows = [
        {
            score: "" if entry["score"] is None else entry["score"],
            **{name: entry["values"].get(name, "") for name in names},
            "epochs_done": entry["epochs"],
            "trial": entry["trial"],
            "problem": entry["problem"] or "",
        }
        for entry in ranked
    ]
    run.write("tuning.csv", lambda path: write_table(path, rows))
    width = [
        max(len(_cell(row[key])) for row in [*rows, {key: key}]) for key in rows[0]
    ]
    for row in [{key: key for key in rows[0]}, *rows]:
        cells = (_cell(value).rjust(w) for value, w in zip(row.values(), width))
        print("  ".join(cells).rstrip())
    measured = [row for row in rows if row[score] != ""]
    draw_parallel(measured, names, score, run)
    draw_scores(measured, names, score, run)
    recipe = os.path.relpath(sys.modules[type(best).__module__].__file__)
    print(
        f"best: python {recipe} "
        f"{flags(dataclasses.replace(best, tune=0, resume=False))}"
    )


def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
