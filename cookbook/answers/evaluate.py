"""The command `evaluate`: how good a classifier is on new labelled data."""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from cookbook import load_run
from cookbook.answers.classifiers import (
    Classifier,
    ImageClassifier,
    SoundClassifier,
)
from cookbook.answers.inputs import attempt
from cookbook.answers.predict import opened_output, refuse_output, shown_progress
from cookbook.data.files.folders import Labelled, find_parts
from cookbook.data.files.given import names_files, path_given
from cookbook.data.files.pictures import cut_to_shape, picture_files
from cookbook.data.images import IMAGES, load_images
from cookbook.data.sounds.recordings import KIND, load_recordings, recording_files
from cookbook.data.text.labelled_files import found_parts
from cookbook.data.text.reviews import REVIEWS, load_reviews
from cookbook.errors import Mistake, fail, harmless, note

BINS = 10  # of equal width, into which answers are sorted by their probability
SHOWN = 20  # classes up to which the confusion is printed


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Figures of a classifier on labelled data; `as_dict` is what --out writes."""

    classes: tuple[str, ...]
    y: np.ndarray  # (N,): the true classes
    probabilities: np.ndarray  # (N, classes): the model's answers

    @property
    def answers(self) -> np.ndarray:
        """(N,): the most probable class of each example."""
        return self.probabilities.argmax(-1)

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(np.mean(self.answers == self.y))

    def confusion(self) -> np.ndarray:
        """(classes, classes): true class by row, answered class by column."""
        from sklearn.metrics import confusion_matrix

        labels = np.arange(len(self.classes))
        return confusion_matrix(self.y, self.answers, labels=labels)

    def per_class(self) -> dict[str, dict[str, float]]:
        """{class: precision, recall, F1 and number of examples}."""
        from sklearn.metrics import precision_recall_fscore_support

        labels = np.arange(len(self.classes))
        columns = precision_recall_fscore_support(
            self.y, self.answers, labels=labels, zero_division=0
        )
        found = {}
        for label, row in zip(self.classes, np.transpose(columns).tolist()):
            precision, recall, f1, examples = row
            found[label] = {
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "examples": examples,
            }
        return found

    def reliability(self) -> list[dict[str, float]]:
        """For answers of similar probability: how many, how sure, how often right."""
        confidence = self.probabilities.max(-1)
        is_right = self.answers == self.y
        bins = (confidence * BINS).astype(int)
        bins = np.minimum(bins, BINS - 1)  # probability 1 belongs to the last one
        table = []
        for i in np.unique(bins):
            rows = bins == i
            table.append(
                {
                    "from": i / BINS,
                    "to": (i + 1) / BINS,
                    "answers": int(rows.sum()),
                    "mean probability": float(confidence[rows].mean()),
                    "accuracy": float(is_right[rows].mean()),
                }
            )
        return table

    def calibration_error(self) -> float:
        """Expected calibration error: how far probabilities are from accuracies.

        Paper: Guo et al., "On calibration of modern neural networks", 2017.
        https://arxiv.org/abs/1706.04599
        """
        total = 0.0
        for row in self.reliability():
            gap = abs(row["accuracy"] - row["mean probability"])
            total += row["answers"] * gap
        return total / len(self.y)

    def as_dict(self) -> dict[str, Any]:
        """All figures as JSON can hold them."""
        return {
            "examples": len(self.y),
            "accuracy": self.accuracy,
            "expected calibration error": self.calibration_error(),
            "classes": self.per_class(),
            "confusion": self.confusion().tolist(),
            "reliability": self.reliability(),
        }


def evaluate_command(arguments: argparse.Namespace) -> None:
    """Prints the figures of a run on labelled data, and writes them with --out."""
    if arguments.out:
        refuse_output(arguments.out)
    try:
        run = load_run(arguments.run, arguments.run_dir)
    except Mistake as problem:
        fail(str(problem))
    if not isinstance(run, Classifier):
        fail(f"evaluate takes classifiers, and {run.folder} holds: {run.description}")
    columns = arguments.text_column, arguments.label_column
    examples = labelled_examples(run, arguments.data, columns)
    y = _numbers(run, examples.labels, arguments.data)
    evaluation, broken = evaluated(run, examples.items, y)
    print(described(evaluation))
    for reason in broken[:3]:
        note(f"left out: {reason}")
    if broken:
        note(f"{len(broken)} of {len(y)} examples could not be read")
    if arguments.out:
        content = {
            "run": str(run.folder),
            "data": arguments.data,
            **evaluation.as_dict(),
            "left out": broken,
        }
        with opened_output(arguments.out) as file:
            json.dump(content, file, indent=2)
        print(f"all figures are in {harmless(str(arguments.out))}")


def labelled_examples(
    run: Classifier, data: str, columns: tuple[str | None, str | None]
) -> Labelled:
    """The test part of labelled data; where they have no parts, all of them.

    data: a path as the recipes' --data takes it, or the name of a data set.
    """
    if isinstance(run, ImageClassifier):
        if not names_files(data):
            return _images_by_name(run, data)
        path = path_given(data, IMAGES.known, IMAGES.files)
        parts = find_parts(path, picture_files, "pictures")
    elif isinstance(run, SoundClassifier):
        return _sounds(data)
    else:
        if not names_files(data):
            return _texts_by_name(data)
        path = path_given(data, REVIEWS.known, REVIEWS.files)
        parts, _ = found_parts(path, columns)
    return parts["test"] if "test" in parts else parts["train"]


def _images_by_name(run: ImageClassifier, name: str) -> Labelled:
    """The test part of an image set, scaled to the shape that the model takes."""
    data = load_images(name, name, fewest=1)
    x, y = data.test
    items = [*x]
    if data.shape != run.shape:
        pictures = [Image.fromarray(image.squeeze()) for image in x]
        items = [cut_to_shape(picture, run.shape) for picture in pictures]
    return Labelled(items, [data.classes[i] for i in y])


def _sounds(data: str) -> Labelled:
    """The test part of a set of recordings, or all WAV files in a folder."""
    if names_files(data):
        files = recording_files(path_given(data, KIND.known, KIND.files))
        words = [path.name.split("_")[0] for path in files]
        return Labelled([*files], words)
    recordings = load_recordings(data).parts["test"]
    sounds = [each.sound for each in recordings]
    return Labelled([*sounds], [each.word for each in recordings])


def _texts_by_name(name: str) -> Labelled:
    """The test part of a labelled text set."""
    data = load_reviews(name, name, words=2, length=1)
    _, y = data.test
    return Labelled(data.test_texts, [data.classes[i] for i in y])


def _numbers(run: Classifier, labels: list[str], data: str) -> np.ndarray:
    """(N,): the place of each label among the classes that the model knows."""
    places = {name: i for i, name in enumerate(run.classes)}
    names = {label: harmless(label) for label in set(labels)}
    unknown = sorted(name for name in names.values() if name not in places)
    if unknown:
        known = ", ".join(run.classes)
        fail(
            f"{data} has the class {unknown[0]!r}, which {run.folder} has not learned: "
            f"expected {known if len(known) < 200 else known[:200] + ' ...'}"
        )
    return np.array([places[names[label]] for label in labels])


def evaluated(
    run: Classifier, items: list, y: np.ndarray, size: int = 512
) -> tuple[Evaluation, list[str]]:
    """The answers to labelled examples, and what is wrong with those left out."""
    probabilities = []
    kept = []
    broken = []
    with shown_progress(items) as advance:
        for start in range(0, len(items), size):
            values = []
            for i, item in enumerate(items[start : start + size], start):
                value, error = item, None
                if not isinstance(item, np.ndarray):
                    value, error = attempt(partial(run.read, item))
                if error:
                    broken.append(error)
                else:
                    values.append(value)
                    kept.append(i)
            if values:
                probabilities.append(run.probabilities(values))
            advance(size)
    if not kept:
        fail(f"no example could be read: {broken[0] if broken else 'there is none'}")
    return Evaluation(run.classes, y[kept], np.concatenate(probabilities)), broken


def described(evaluation: Evaluation) -> str:
    """The figures as tables of text."""
    right = int((evaluation.answers == evaluation.y).sum())
    lines = [
        f"accuracy {evaluation.accuracy:.4f} ({right} of {len(evaluation.y)})",
        "",
        *_lines_of_classes(evaluation),
        "",
        f"expected calibration error {evaluation.calibration_error():.4f}",
        "probability     answers  mean probability  accuracy",
    ]
    for row in evaluation.reliability():
        between = f"{row['from']:.1f} to {row['to']:.1f}"
        lines.append(
            f"{between:13}"
            f"{row['answers']:10}"
            f"{row['mean probability']:18.4f}"
            f"{row['accuracy']:10.4f}"
        )
    return "\n".join(lines)


def _lines_of_classes(evaluation: Evaluation) -> Iterator[str]:
    """Yields the lines on each class and, if there are few, on their confusion."""
    names = evaluation.classes
    width = max(8, *map(len, names)) + 2
    yield f"{'class':<{width}}precision  recall      F1  examples"
    for name, row in evaluation.per_class().items():
        yield (
            f"{name:<{width}}"
            f"{row['precision']:9.4f}"
            f"{row['recall']:8.4f}"
            f"{row['f1']:8.4f}"
            f"{row['examples']:10.0f}"
        )
    if len(names) > SHOWN:
        return
    yield ""
    yield "confusion: a row per true class, a column per answer"
    for name, counts in zip(names, evaluation.confusion()):
        numbers = [f"{count:7}" for count in counts]
        yield f"{name:<{width}}{''.join(numbers)}"
