"""Tuning: one search over a recipe's space; the answer is a Config."""

import dataclasses
import gc

import keras

from cookbook.training import seed_everything, train, write_table


def search(space, build, data, config, run, score="val_accuracy"):
    """The best Config of config.tune random trials, by a score on the validation part.

    space(hp): declares the hyperparameters, named as Config's fields, and returns a
    Config; build(config, data): the compiled model. Each trial trains for
    config.epochs on the training part, from the same seed. score: a column of the
    history, whose largest value counts, or of a loss or distance the smallest. The
    leaderboard is printed and written to tuning.csv.
    """
    import keras_tuner

    best = min if score.endswith(("loss", "distance")) else max

    def configure(hp):
        proposal = space(hp)
        chosen = {name: getattr(proposal, name) for name in hp.values}
        return dataclasses.replace(config, resume=False, **chosen)

    class Trial(keras_tuner.HyperModel):
        def build(self, hp):
            keras.backend.clear_session()
            seed_everything(config.seed)
            return build(configure(hp), data)

        def fit(self, hp, model, *args, **kwargs):
            history = train(model, data, configure(hp))
            return best(row[score] for row in history)

    gc.freeze()  # the tuner collects garbage over all imported modules at each trial
    tuner = keras_tuner.RandomSearch(
        Trial(),
        objective=keras_tuner.Objective(score, best.__name__),
        max_trials=config.tune,
        seed=config.seed + 1,  # keras-tuner takes 0 for no seed
        directory=run.path,
        project_name="tuning",
        overwrite=True,
    )
    tuner.search()
    _show_leaderboard(tuner.oracle.get_best_trials(config.tune), score, run)
    return dataclasses.replace(
        configure(tuner.get_best_hyperparameters()[0]), resume=config.resume
    )


def _show_leaderboard(trials, score, run):
    """Prints the trials, best first, as flags to copy, and writes tuning.csv."""
    print(f"\n{score:>12}  flags")
    for trial in trials:
        print(f"{trial.score:>12.4g}  {_flags(trial.hyperparameters.values)}")
    rows = [{score: t.score, **t.hyperparameters.values} for t in trials]
    run.write("tuning.csv", lambda path: write_table(path, rows))


def _flags(values):
    """The command-line flags that set these values."""
    return " ".join(
        f"--{name.replace('_', '-')} {value:.4g}"
        if isinstance(value, float)
        else f"--{name.replace('_', '-')} {value}"
        for name, value in values.items()
    )
