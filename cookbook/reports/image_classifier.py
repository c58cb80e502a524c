"""Report on a classifier of images: accuracy, confusion, mistakes, explanations."""

from collections.abc import Callable

import keras
import numpy as np

from cookbook.data.images import Images
from cookbook.plots.explain import explain_network
from cookbook.plots.figures import draw_curves
from cookbook.plots.mistakes import draw_confusion, draw_mistakes
from cookbook.reports.finish import (
    Expected,
    Run,
    finish,
    predicting_step_by_step,
)
from cookbook.training.run_folder import RunFolder

SMALL = 32 * 32  # pixels of an image of which 500 make a batch


def report_classifier(
    model: keras.Model,
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    views: Callable | None = None,
) -> Run:
    """Measures the accuracy on data.test, draws the pictures, and finishes the run.

    model: gives logits from images.
    views: views(images) returns a list of variants of the images, themselves first.
        The answer is then that of the mean of the variants' logits. Without it the
        model sees each image once.
    """
    x, y = data.test
    variants = views(x) if views else [x]
    size = images_per_batch(x.shape)
    with predicting_step_by_step(model):
        seen = [
            model.predict(images, batch_size=size, verbose=0) for images in variants
        ]
    probabilities = _softmax(np.mean(seen, 0, dtype="float64"))
    predictions = probabilities.argmax(-1)

    draw_curves(history, run)
    draw_confusion(y, predictions, data.classes, run)
    draw_mistakes(x, y, probabilities, data.classes, run)
    explain_network(model, x, y, probabilities, data.classes, run)

    figures = {"test accuracy": float(np.mean(predictions == y))}
    if views:
        of_first = seen[0].argmax(-1)
        figures["test accuracy, one view"] = float(np.mean(of_first == y))
    return finish(model, data, history, run, figures, expected)


def images_per_batch(shape: tuple[int, ...]) -> int:
    """How many images of a part (N, H, W, C) a network looks at in one step.

    Of large ones it is fewer, because their features would fill the memory.
    """
    _, height, width, _ = shape
    return max(1, min(500, 500 * SMALL // (height * width)))


def _softmax(logits: np.ndarray) -> np.ndarray:
    largest = logits.max(-1, keepdims=True)
    exp = np.exp(logits - largest)
    return exp / exp.sum(-1, keepdims=True)
