"""Report on language models of characters."""

import keras
import numpy as np

from cookbook.data.sources import DataSet
from cookbook.plots.figures import draw_curves, draw_lines
from cookbook.reports.finish import Expected, Run, finish
from cookbook.training.run_folder import RunFolder


def report_language_model(
    model: keras.Model,
    data: DataSet,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    text: str,
) -> Run:
    """Measures the losses in nats per character, draws them, and finishes the run.

    text: what the model has written; it is printed and kept in sample.txt.

    The loss on the test set is measured once, here. After a search the model has
    learned from the validation part too, and that part's loss is left out.
    """
    held_out = "val_loss" in history[0]
    losses = {"test": _losses(model, *data.test).mean(axis=0)}
    if held_out:
        losses["validation"] = _losses(model, *data.validation).mean(axis=0)

    draw_curves(history, run)
    shown = "validation" if held_out else "test"
    position = np.arange(1, len(losses["test"]) + 1)
    draw_lines(
        {shown: (position, losses[shown])},
        "What a longer past is worth",
        "characters seen before the one to predict",
        "loss (nats per character)",
        run,
        "context.png",
        xscale="log",
    )
    run.write("sample.txt", lambda path: path.write_text(text, encoding="utf-8"))
    print(f"\n{text}\n")

    figures = {f"{part} loss": float(loss.mean()) for part, loss in losses.items()}
    return finish(model, data, history, run, figures, expected)


def _losses(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
) -> np.ndarray:
    """-log of the probability that the model gives to each character, (N, T)."""
    losses = []
    batches = -(-len(x) // 100)
    for rows in np.array_split(np.arange(len(x)), batches):
        logits = model.predict_on_batch(x[rows])
        log_p = np.array(keras.ops.log_softmax(logits))
        true = y[rows][..., None]
        losses.append(-np.take_along_axis(log_p, true, -1))
    return np.concatenate(losses)[..., 0].astype("float64")
