"""Texts that a plain script's networks write: the next characters, a translation."""

import numpy as np
import sacrebleu
from keras import ops

from cookbook.plain.parts.components import viterbi
from cookbook.plain.parts.reports import draw_curves
from cookbook.plain.parts.texts import Batches


def write_on(model, text: str, length: int, alphabet, context: int, seed: int) -> str:
    """Continues the text by characters that are drawn one by one."""
    rng = np.random.default_rng(seed)
    ids = [alphabet.index(character) for character in text]

    for _ in range(length):
        window = np.array([ids[-context:]])
        logits = model.predict_on_batch(window)
        logits = logits[0, -1].astype("float64") / 0.8  # less than 1: surer letters
        p = np.exp(logits - logits.max())
        p /= p.sum()
        chosen = rng.choice(len(p), p=p)
        ids.append(int(chosen))

    letters = [alphabet[i] for i in ids]
    return "".join(letters)


def report_language_model(model, data, history, text: str) -> dict[str, float]:
    """The loss on the test text in nats per character, and what the model wrote."""
    x, y = data.test
    loss = model.evaluate(x, y, batch_size=100, verbose=0)
    draw_curves(history)
    print(f"\n{text}\n\ntest loss: {loss:.4f}")

    return {"test loss": loss}


def report_translation(model, data, history) -> dict[str, float]:
    """BLEU of the test sentences, translated by beam search."""
    sources, references = zip(*data.sentences["test"])
    (tokens, _), _ = data.test
    lengths = (tokens != 0).sum(1)

    # Sentences of similar length, about 50 at once
    order = np.argsort(lengths)
    count = len(order) // 50 + 1
    answers = [""] * len(order)

    for rows in np.array_split(order, count):
        longest = lengths[rows].max()
        batch = tokens[rows, :longest]
        start = data.subwords.vocab_size
        found = beam_search(model, batch, start)

        for row, answer in zip(rows, found):
            answers[row] = data.subwords.decode(answer)

    # Three examples: the source, what a human wrote, and the network's answer
    for texts in zip(sources[:3], references, answers):
        print(*texts, sep="\n  ")

    draw_curves(history)
    score = sacrebleu.corpus_bleu(answers, [references])
    bleu = score.score
    print(f"test BLEU: {bleu:.1f}")

    return {"test BLEU": bleu}


def beam_search(model, source: np.ndarray, start: int, W: int = 5) -> list:
    """The likeliest translations that are found by keeping the W best of each step.

    start: the token before the first one; the next number is the token after the last.
    """
    B = len(source)
    source = np.repeat(source, W, axis=0)
    rows = np.full((B, W, 1), start)

    # Of each beam: how many tokens it has, and their log p
    length = np.zeros((B, W, 1))
    total = np.full((B, W, 1), -1e9)
    total[:, 0] = 0  # at first, one beam alone is possible

    most = 10 + 3 * source.shape[1] // 2
    for _ in range(most):
        is_end = rows == start + 1
        ended = is_end.any(-1, keepdims=True)
        length += ~ended
        log_p = total + log_p_of_next(model, source, rows, ended)

        # The W best of all ways to go on
        V = log_p.shape[-1]
        scores = log_p / length_penalty(length)
        scores = scores.reshape(B, W * V)
        order = np.argsort(-scores)
        best = order[:, :W, None]
        parent = best // V
        token = best % V  # that is added to it

        # Each of them goes on from its parent.
        log_p = log_p.reshape(B, W * V, 1)
        total = np.take_along_axis(log_p, best, axis=1)
        length = np.take_along_axis(length, parent, axis=1)
        rows = np.take_along_axis(rows, parent, axis=1)
        rows = np.concatenate([rows, token], axis=-1)

    # The best beam of each sentence
    scores = total / length_penalty(length)
    best = scores.argmax(1, keepdims=True)
    rows = np.take_along_axis(rows, best, axis=1)
    return [without_ends(row, start) for row in rows[:, 0]]


def without_ends(row: np.ndarray, start: int) -> list[int]:
    """The subwords of a row, without the tokens at both ends and the padding."""
    is_subword = (row > 0) & (row < start)

    return row[is_subword].tolist()


def log_p_of_next(model, source, rows, ended) -> np.ndarray:
    """log p of each token, (B, W, V), in the step that follows what is written."""
    B, W, T = rows.shape

    written = rows.reshape(B * W, T)
    logits = model.predict_on_batch([source, written])
    log_p = ops.log_softmax(logits[:, -1])
    log_p = np.array(log_p)
    log_p = log_p.reshape(B, W, -1)

    # What has ended is padded, at no cost.
    V = log_p.shape[-1]

    padding = np.full(V, -1e9)
    padding[0] = 0

    return np.where(ended, padding, log_p)


def length_penalty(length: np.ndarray) -> np.ndarray:
    """What keeps the search from preferring short translations."""
    return (5 + length) / 6


def report_sums(model, data, history) -> dict[str, float]:
    """The share of test sums with the right answer, written digit by digit."""
    x, truth = data.test
    question, before = x

    # Each step reads what the network has written, and adds the likeliest character.
    written = before[:, :1]

    for _ in range(truth.shape[1]):
        logits = model.predict([question, written], 1000, verbose=0)
        logits = logits[:, -1:]
        digits = logits.argmax(-1)
        written = np.concatenate([written, digits], axis=1)

    is_padding = truth == 0
    is_right = written[:, 1:] == truth
    is_whole = (is_right | is_padding).all(1)
    share = is_whole.mean()

    draw_curves(history)
    print(f"test whole answers: {share:.4f}")

    return {"test whole answers": share}


def report_tagger(model, other, data, history) -> dict[str, float]:
    """The share of the test words whose tag is right, with the CRF and without it."""
    figures = {"test accuracy": share_of_right_tags(model, data)}
    if other is not None:
        figures["without the CRF"] = share_of_right_tags(other, data)

    draw_curves(history)
    for name, value in figures.items():
        print(f"{name}: {value:.4f}")

    return figures


def share_of_right_tags(model, data) -> float:
    """How many of the test words get the right tag."""
    right = 0
    words = 0

    x, y = data.test
    batches = Batches(x, y, 100)
    for i in range(len(batches)):
        x, y = batches[i]
        scores = model([*x])
        if len(scores.shape) == 4:  # the potentials of a CRF
            found = viterbi(scores)
        else:
            found = ops.argmax(scores, -1)

        is_word = y != 0
        is_right = np.array(found) == y
        right += np.sum(is_right & is_word)
        words += np.sum(is_word)

    return right / words
