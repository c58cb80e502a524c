"""Report on a classifier of images: accuracy, confusion, mistakes, explanations."""

import numpy as np

from cookbook.plots.explain import explain_network
from cookbook.plots.figures import draw_curves
from cookbook.plots.mistakes import draw_confusion, draw_mistakes
from cookbook.reports.finish import finish


def report_classifier(model, data, history, run, expected, views=None):
    """Accuracy on data.test, the pictures, and `finish`.

    model: logits from images; expected: {data set: (accuracy, tolerance)}.
    views(images): a list of variants of them, themselves first; an answer is that of
    the mean of their logits. Without it the images are seen once.
    """
    x, y = data.test
    variants = views(x) if views else [x]
    seen = [model.predict(v, batch_size=500, verbose=0) for v in variants]
    logits = np.mean(seen, 0, dtype="float64")
    exp = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = exp / exp.sum(-1, keepdims=True)
    predictions = probabilities.argmax(-1)
    draw_curves(history, run)
    draw_confusion(y, predictions, data.classes, run)
    draw_mistakes(x, y, probabilities, data.classes, run)
    explain_network(model, x, y, probabilities, data.classes, run)
    accuracy = float(np.mean(predictions == y))
    figures = {"test accuracy": accuracy}
    if views:
        figures["test accuracy, one view"] = float(np.mean(seen[0].argmax(-1) == y))
    return finish(model, data, history, run, figures, expected)
