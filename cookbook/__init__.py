"""What all recipes share: command line, data, training, tuning, pictures, answers."""

from pathlib import Path

from cookbook.trained.trained_run import TrainedRun

__all__ = ["TrainedRun", "load_run"]


def load_run(run: str | Path, run_dir: str | Path = "runs") -> TrainedRun:
    """The finished run in a folder, or the newest one of a recipe, ready to answer.

        from cookbook import load_run

        run = load_run("imdb_rnn")
        run.predict(["A film to remember."])

    No code that a run folder may hold is run, so the folder may come from anyone.

    Args:
        run: a run folder, or the name of a recipe.
        run_dir: the folder of all runs, in which the runs of a recipe are.

    Raises:
        Mistake: if there is no such run, or if it is damaged.
    """
    from cookbook.quiet_import import import_keras_quietly
    from cookbook.runs.finished import find_run

    folder = find_run(run, Path(run_dir))  # a mistake is told before Keras is imported
    import_keras_quietly()  # here, so that `import cookbook` answers at once
    from cookbook.answers.load import load_folder

    return load_folder(folder)
