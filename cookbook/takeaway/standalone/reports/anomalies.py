"""Evaluation of anomaly detection and of style transfer."""

from collections.abc import Callable

import keras
from sklearn.metrics import roc_auc_score, roc_curve

from cookbook.reports.generated.anomaly_detection import OddImages
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import (
    Expected,
    Figures,
    Run,
    finish,
    print_figures,
)
from cookbook.takeaway.standalone.reports.pictures import draw_curves, draw_lines


def report_anomalies(
    model: keras.Model,
    scores: dict[str, Callable],
    rebuild: Callable,
    data: OddImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures the ROC AUC of each score on data.test, and draws the ROC curves.

    scores: {name: function}, the recipe's own first. A function takes images and
        returns a number for each, the larger the more anomalous the image looks.
    """
    x, y = data.test
    curves: dict = {"chance": ([0, 1], [0, 1])}
    figures: Figures = {}
    for name, score in scores.items():
        values = score(x)
        false_alarms, hits, _ = roc_curve(y, values)
        curves[name] = false_alarms, hits
        figures[f"ROC AUC, {name}" if figures else "ROC AUC"] = roc_auc_score(y, values)
    print_figures(figures)
    title = f"Test images of class {data.odd}, never learned, among the others"
    draw_lines(curves, title, "false alarms", "found", run, "roc.png")
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)
