"""Language models of characters: what the recipes report, and how text is written."""

import keras
import numpy as np

from cookbook.data.text.characters import decode, encode
from cookbook.plots.figures import draw_curves, draw_lines
from cookbook.reports.finish import finish
from custom_layers.generation import sample


def report_language_model(model, data, history, run, expected, text):
    """Losses in nats a character, the test set's once; pictures; `text` it wrote.

    After a search the model has learned from the validation part too: no loss of it.
    """
    held_out = "val_loss" in history[0]
    losses = {"test": _losses(model, *data.test).mean(axis=0)}
    if held_out:
        losses["validation"] = _losses(model, *data.validation).mean(axis=0)
    position = np.arange(1, len(losses["test"]) + 1)
    draw_curves(history, run)
    shown = "validation" if held_out else "test"
    draw_lines(
        {shown: (position, losses[shown])},
        "What a longer past is worth",
        "characters seen before the one to predict",
        "loss (nats a character)",
        run,
        "context.png",
        xscale="log",
    )
    run.write("sample.txt", lambda path: path.write_text(text, encoding="utf-8"))
    print(f"\n{text}\n")
    figures = {f"{part} loss": float(loss.mean()) for part, loss in losses.items()}
    return finish(model, data, history, run, figures, expected)


def _losses(model, x, y):
    """(N, T): -log of the probability given to each character."""
    losses = []
    for rows in np.array_split(np.arange(len(x)), -(-len(x) // 100)):
        log_p = keras.ops.log_softmax(model.predict_on_batch(x[rows]))
        losses.append(-np.take_along_axis(np.array(log_p), y[rows][..., None], -1))
    return np.concatenate(losses)[..., 0].astype("float64")


def write_on(decoder, text, length, alphabet, context, seed, temperature=0.8):
    """`text` continued by `length` characters, drawn one by one.

    decoder(prompt, length): (next_logits, state) as the functions of decoding.py want
    them, for prompts (1, P). The model was trained on windows of `context` characters:
    when one is full, its second half is the prompt of the next.
    """
    numbers = list(encode(text or "\n", alphabet))
    wanted = len(numbers) + length
    draw = keras.random.SeedGenerator(seed)
    while len(numbers) < wanted:
        prompt = np.array([numbers[-max(1, context // 2) :]])
        size = min(prompt.shape[1] + wanted - len(numbers), max(2, context))
        next_logits, state = decoder(prompt, size)
        row = sample(
            _known_only(next_logits),
            prompt,
            size,
            temperature=temperature,
            state=state,
            seed=draw,
        )
        numbers += np.array(row)[0, prompt.shape[1] :].tolist()
    return text + decode(numbers[wanted - length :], alphabet)


def _known_only(next_logits):
    """next_logits, but the number that stands for unknown characters never comes."""

    def known(tokens, index, state):
        logits, state = next_logits(tokens, index, state)
        is_unknown = keras.ops.arange(logits.shape[-1]) == 0
        return keras.ops.where(is_unknown, -1e9, logits), state

    return known
