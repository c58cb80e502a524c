"""Texts that a plain script's networks write: the next characters, a translation."""

import numpy as np
import sacrebleu
from keras import ops

from cookbook.plain.parts.reports import draw_curves, finish


def write_on(model, text: str, length: int, alphabet, context: int, seed: int) -> str:
    """Continues the text by characters that are drawn one by one."""
    rng = np.random.default_rng(seed)
    ids = [alphabet.index(character) for character in text]
    for _ in range(length):
        window = np.array([ids[-context:]])
        logits = model.predict_on_batch(window)[0, -1]
        p = np.exp((logits - logits.max()) / 0.8, dtype="float64")
        p /= p.sum()
        chosen = rng.choice(len(p), p=p)
        ids.append(int(chosen))

    return "".join(alphabet[i] for i in ids)


def report_language_model(model, data, history, expected: dict, text: str) -> dict:
    """The loss on the test text in nats per character, and what the model wrote."""
    loss = model.evaluate(*data.test, batch_size=100, verbose=0)
    draw_curves(history)
    print(f"\n{text}\n")
    return finish(data, {"test loss": loss}, expected)


def report_translation(model, data, history, expected: dict) -> dict:
    """BLEU of the test sentences, translated by beam search."""
    sources, references = zip(*data.sentences["test"])
    (tokens, _), _ = data.test
    lengths = (tokens != 0).sum(1)
    order = np.argsort(lengths)

    answers = [""] * len(order)
    for rows in np.array_split(order, -(-len(order) // 50)):
        batch = tokens[rows, : lengths[rows].max()]
        found = beam_search(model, batch, data.subwords.vocab_size)
        for row, answer in zip(rows, found):
            answers[row] = data.subwords.decode(answer)

    for texts in zip(sources[:3], references, answers):
        print(*texts, sep="\n  ")
    draw_curves(history)
    bleu = sacrebleu.corpus_bleu(answers, [references])
    return finish(data, {"test BLEU": bleu.score}, expected)


def beam_search(model, source: np.ndarray, start: int, W: int = 5) -> list:
    """The likeliest translations that are found by keeping the W best of each step.

    start: the token before the first one; the next number is the token after the last.
    """
    B = len(source)
    source = np.repeat(source, W, axis=0)
    rows = np.full((B, W, 1), start)
    length = np.zeros((B, W, 1))
    total = np.full((B, W, 1), -1e9)  # log p; at first, one beam alone is possible
    total[:, 0] = 0

    for _ in range(10 + 3 * source.shape[1] // 2):
        written = rows.reshape(B * W, -1)
        logits = model.predict_on_batch([source, written])
        log_p = np.array(ops.log_softmax(logits[:, -1])).reshape(B, W, -1)
        V = log_p.shape[-1]

        # What has ended is padded, at no cost.
        ended = (rows == start + 1).any(-1, keepdims=True)
        is_padding = np.arange(V) == 0
        log_p = np.where(ended, np.where(is_padding, 0, -1e9), log_p)
        length += ~ended

        # The W best of all ways to go on
        log_p += total
        scores = log_p / length_penalty(length)
        best = np.argsort(-scores.reshape(B, -1))[:, :W, None]
        parent = best // V
        token = best % V

        total = np.take_along_axis(log_p.reshape(B, -1, 1), best, axis=1)
        length = np.take_along_axis(length, parent, axis=1)
        rows = np.take_along_axis(rows, parent, axis=1)
        rows = np.concatenate([rows, token], axis=-1)

    scores = total / length_penalty(length)
    best = scores.argmax(1)
    rows = np.take_along_axis(rows, best[:, None], axis=1)
    return [[token for token in row if 0 < token < start] for row in rows[:, 0]]


def length_penalty(length: np.ndarray) -> np.ndarray:
    return (5 + length) / 6


def report_sums(model, data, history, expected: dict) -> dict:
    """The share of test sums with the right answer, written digit by digit."""
    (question, before), truth = data.test
    written = before[:, :1]
    for _ in range(truth.shape[1]):
        logits = model.predict([question, written], 1000, verbose=0)
        digits = logits[:, -1:].argmax(-1)
        written = np.concatenate([written, digits], axis=1)

    is_right = (written[:, 1:] == truth) | (truth == 0)
    share = is_right.all(1).mean()
    draw_curves(history)
    return finish(data, {"test whole answers": share}, expected)
