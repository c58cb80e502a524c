"""Evaluation of classifiers: figures and pictures, without what explains a network."""

from collections.abc import Callable

import keras
import numpy as np

from cookbook.data.images import Images
from cookbook.data.text.reviews import Reviews
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import Expected, Run, finish
from cookbook.takeaway.standalone.data.padded_batches import Batches
from cookbook.takeaway.standalone.reports.pictures import (
    draw_confusion,
    draw_curves,
    draw_mistakes,
)


def report_classifier(
    model: keras.Model,
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    views: Callable | None = None,
) -> Run:
    """Measures the accuracy on data.test, and draws curves, confusion and mistakes.

    views: gives variants of the images, whose logits are averaged.
    """
    x, y = data.test
    variants = views(x) if views else [x]
    seen = [model.predict(images, batch_size=500, verbose=0) for images in variants]
    logits = np.mean(seen, 0, dtype="float64")
    probabilities = np.array(keras.ops.softmax(logits))
    answers = probabilities.argmax(-1)
    draw_curves(history, run)
    draw_confusion(y, answers, data.classes, run)
    draw_mistakes(x, y, probabilities, data.classes, run)
    figures = {"test accuracy": float(np.mean(answers == y))}
    return finish(model, data, history, run, figures, expected)


def report_reviews(
    model: keras.Model,
    data: Reviews,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    probe: np.ndarray | None = None,
) -> Run:
    """Measures the accuracy on data.test, and draws curves and confusion."""
    x, y = data.test
    batches = Batches(x, y, 4 * run.config.batch_size)
    answers = model.predict(batches, verbose=0).argmax(-1)
    draw_curves(history, run)
    draw_confusion(y, answers, data.classes, run)
    figures = {"test accuracy": float(np.mean(answers == y))}
    if probe is not None:
        is_right = probe.argmax(-1) == data.validation[1]
        figures["validation accuracy of linear probe"] = float(np.mean(is_right))
    return finish(model, data, history, run, figures, expected)
