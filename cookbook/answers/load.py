"""Finished runs, loaded so that they answer."""

from pathlib import Path
from typing import Any

from cookbook.answers.classifiers import (
    ImageClassifier,
    PieceClassifier,
    SentenceTagger,
    SoundClassifier,
    TextClassifier,
)
from cookbook.answers.numbers import (
    AnomalyDetector,
    Forecaster,
    Generator,
    ImageTranslator,
)
from cookbook.answers.writers import (
    Calculator,
    LanguageModel,
    Transcriber,
    Translator,
)
from cookbook.config import ExperimentConfig, flag_name, question_of
from cookbook.data.augmentation import without_augmentation
from cookbook.errors import Mistake, fail, harmless
from cookbook.runs.finished import find_run, newest_run
from cookbook.trained.description import read_description
from cookbook.trained.safe_loading import load_safely
from cookbook.trained.trained_run import TrainedRun

# {kind of a model: the class of its runs}
CLASSES: dict[str, type[TrainedRun]] = {
    "image classifier": ImageClassifier,
    "sound classifier": SoundClassifier,
    "text classifier": TextClassifier,
    "word-piece classifier": PieceClassifier,
    "tagger": SentenceTagger,
    "language model": LanguageModel,
    "translation": Translator,
    "sums": Calculator,
    "transcriber": Transcriber,
    "forecast": Forecaster,
    "anomaly score": AnomalyDetector,
    "image generator": Generator,
    "image translator": ImageTranslator,
    "point generator": Generator,
}


def load_folder(folder: Path) -> TrainedRun:
    """The finished run in a folder; raises Mistake if it is damaged."""
    description = read_description(folder)
    model = without_augmentation(load_safely(folder / "model.keras"))
    try:
        return CLASSES[description.kind](folder, description, model)
    except ValueError as error:  # a layer that the description promises is missing
        raise Mistake(
            harmless(
                f"{folder} holds a model that is not a {description.kind} as its "
                f"description says ({error}): use another run"
            )
        ) from None


def run_to_ask(recipe: str, config: ExperimentConfig, kind: str) -> TrainedRun:
    """The run that a question on a recipe's command line is about.

    It is the run that --run names, or else the recipe's newest in --run-dir. A mistake
    ends the program with one line.
    """
    chosen = getattr(config, "run", None)
    try:
        parent = config.run_dir / recipe
        folder = find_run(chosen, config.run_dir) if chosen else newest_run(parent)
        run = load_folder(folder)
    except Mistake as problem:
        fail(str(problem))
    if run.description.kind != kind:
        fail(f"{run.folder} holds {run.description}; expected a run of kind {kind}")
    return run


def print_answer(
    recipe: str, config: ExperimentConfig, kind: str, **options: Any
) -> None:
    """Prints the answer to the text that a question on the command line gives.

    options: of the `predict` of this kind of run.
    """
    run = run_to_ask(recipe, config, kind)
    flag = question_of(config) or ""
    text = getattr(config, flag)
    try:
        question = run.read(text)
    except ValueError as problem:
        fail(f"{flag_name(flag)} got {text[:40]!r}, but {problem}")
    (answer,) = run.predict([question], **options)
    print(answer)
