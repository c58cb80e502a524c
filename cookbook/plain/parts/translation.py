"""Texts that a plain script's networks write: the next characters, a translation."""

from typing import Any

import keras
import numpy as np
import sacrebleu
from keras import ops

from cookbook.plain.parts.reports import draw_curves, finish


def write_on(
    model: keras.Model,
    text: str,
    length: int,
    alphabet: list[str],
    context: int,
    seed: int,
    temperature: float = 0.8,
) -> str:
    """Continues the text by characters that are drawn one by one."""
    rng = np.random.default_rng(seed)
    ids = [alphabet.index(character) for character in text]
    for _ in range(length):
        window = np.array([ids[-context:]])
        logits = model.predict_on_batch(window)[0, -1] / temperature
        p = np.exp(logits - logits.max(), dtype="float64")
        ids.append(int(rng.choice(len(p), p=p / p.sum())))
    return "".join(alphabet[i] for i in ids)


def report_language_model(
    model: keras.Model, data: Any, history: dict, expected: dict, text: str
) -> dict:
    """The loss on the test text in nats per character, and what the model wrote."""
    loss = model.evaluate(*data.test, batch_size=100, verbose=0)
    draw_curves(history)
    print(f"\n{text}\n")
    return finish(data, {"test loss": loss}, expected)


def report_translation(
    model: keras.Model, data: Any, history: dict, expected: dict
) -> dict:
    """BLEU of the test sentences, translated by beam search."""
    sources, references = zip(*data.sentences["test"])
    order = np.argsort([len(text) for text in sources], kind="stable")
    answers = [""] * len(sources)
    (source, _), _ = data.test
    for rows in np.split(order, range(50, len(order), 50)):
        batch = source[rows, : (source[rows] != 0).sum(1).max()]
        for i, tokens in zip(rows, beam_search(model, batch, data.subwords.vocab_size)):
            answers[i] = data.subwords.decode(tokens)
    for texts in zip(sources[:3], references, answers):
        print(*texts, sep="\n  ")
    draw_curves(history)
    bleu = sacrebleu.corpus_bleu(answers, [references]).score
    return finish(data, {"test BLEU": bleu}, expected)


def beam_search(model: keras.Model, source: np.ndarray, start: int, W: int = 5) -> list:
    """The likeliest translation that is found by keeping the W best of each step."""
    B, end = len(source), start + 1
    source = np.repeat(source, W, 0)
    rows = np.full((B * W, 1), start)
    total = np.tile([0.0] + [-1e9] * (W - 1), (B, 1))  # log p; at first all are alike
    length = np.zeros((B, W))
    for _ in range(10 + 3 * source.shape[1] // 2):
        logits = model.predict_on_batch([source, rows])[:, -1]
        log_p = np.array(ops.log_softmax(logits)).reshape(B, W, -1)
        ended = (rows == end).any(1).reshape(B, W)
        log_p[ended] = -1e9
        log_p[ended, 0] = 0  # what has ended is padded
        length = length + ~ended
        scores = (total[..., None] + log_p) / ((5 + length[..., None]) / 6)
        best = np.argsort(-scores.reshape(B, -1))[:, :W]
        parent, token = best // log_p.shape[-1], best % log_p.shape[-1]
        total = np.take_along_axis((total[..., None] + log_p).reshape(B, -1), best, 1)
        length = np.take_along_axis(length, parent, 1)
        chosen = (W * np.arange(B)[:, None] + parent).ravel()
        rows = np.concatenate([rows[chosen], token.reshape(-1, 1)], 1)
    scores = total / ((5 + length) / 6)
    best = rows.reshape(B, W, -1)[np.arange(B), scores.argmax(1)]
    return [[t for t in row if 0 < t < start] for row in best.tolist()]


def report_sums(model: keras.Model, data: Any, history: dict, expected: dict) -> dict:
    """The share of test sums with the right answer, written digit by digit."""
    (question, before), truth = data.test
    written = before[:, :1]
    for _ in range(truth.shape[1]):
        logits = model.predict([question, written], 1000, verbose=0)
        written = np.concatenate([written, logits[:, -1:].argmax(-1)], 1)
    is_right = np.logical_or(written[:, 1:] == truth, truth == 0).all(1)
    draw_curves(history)
    return finish(data, {"test whole answers": is_right.mean()}, expected)
