"""Report on language models of characters, and how they continue a text."""

from collections.abc import Callable

import keras
import numpy as np

from cookbook.data.sources import DataSet
from cookbook.data.text.characters import decode, encode
from cookbook.plots.figures import draw_curves, draw_lines
from cookbook.reports.finish import Expected, Run, finish
from cookbook.training.run_folder import RunFolder
from custom_layers.generation import sample

UNKNOWN = 0  # the token of all characters that the alphabet lacks


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


def write_on(
    decoder: Callable,
    text: str,
    length: int,
    alphabet: str,
    context: int,
    seed: int,
    temperature: float = 0.8,
) -> str:
    """Continues `text` by `length` characters, drawn one by one.

    decoder: decoder(prompt, length) returns (next_logits, state) as
        custom_layers.generation wants them, for prompts of the shape (1, P).
    context: the number of characters in the windows that the model was trained on.
        When a window is full, its second half becomes the prompt of the next one.
    """
    tokens = list(encode(text or "\n", alphabet))
    wanted = len(tokens) + length
    draw = keras.random.SeedGenerator(seed)
    while len(tokens) < wanted:
        kept = max(1, context // 2)
        prompt = np.array([tokens[-kept:]])
        size = prompt.shape[1] + wanted - len(tokens)
        size = min(size, max(2, context))
        next_logits, state = decoder(prompt, size)
        row = sample(
            _without_unknown(next_logits),
            prompt,
            size,
            temperature=temperature,
            state=state,
            seed=draw,
        )
        drawn = np.array(row)[0, prompt.shape[1] :]
        tokens += drawn.tolist()
    return text + decode(tokens[wanted - length :], alphabet)


def _without_unknown(next_logits: Callable) -> Callable:
    """The function next_logits, changed so that UNKNOWN is never drawn."""

    def known(tokens, index, state):
        logits, state = next_logits(tokens, index, state)
        is_unknown = keras.ops.arange(logits.shape[-1]) == UNKNOWN
        return keras.ops.where(is_unknown, -1e9, logits), state

    return known
