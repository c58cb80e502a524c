"""Report on taggers: accuracy or span F1, baselines, and the mistakes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from cookbook.answers.classifiers import decoded_tags
from cookbook.data.batches import Batches
from cookbook.data.tagged.conll_files import Sentence
from cookbook.data.tagged.sentences import TaggedSentences, encode_tags
from cookbook.data.text.words import UNKNOWN
from cookbook.plots.figures import draw_curves
from cookbook.plots.mistakes import draw_confusion
from cookbook.reports.finish import Expected, Figures, Run, finish
from cookbook.reports.tagged.pictures import draw_path, draw_transitions
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from custom_layers.metrics import SpanF1

SHOWN = 20  # sentences with mistakes that are written down
PART = 256  # sentences whose spans are compared at once


def report_tagger(
    model: keras.Model,
    without_crf: keras.Model | None,
    data: TaggedSentences,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures a tagger on data.test, draws the pictures, and finishes the run.

    The figure is the span F1 of data whose tags mark spans, and else the accuracy.
    Beside it stands the figure of a plain method: each word gets the tag that it has
    most often in the training part.

    Args:
        model: gives potentials or scores of tags from the ids of words and characters.
        without_crf: the same network without its CRF, or None.

    Besides the pictures it writes mistakes.txt, test sentences with wrong tags.
    """
    config: RecipeConfig = run.config
    size = 4 * config.batch_size
    found = best_tags(model, data, size)
    figures = tagging_figures(found, data)
    figures |= baselines(without_crf, data, size)

    draw_curves(history, run)
    _, y = data.test
    is_word = y > 0
    true, answers = y[is_word], found[is_word]
    draw_confusion(true - 1, answers - 1, data.tags[1:], run)
    draw_path(model, data, found, run)
    draw_transitions(model, data, run)
    run.write("mistakes.txt", lambda path: _write_mistakes(path, data, found))
    return finish(model, data, history, run, figures, expected)


def best_tags(model: keras.Model, data: TaggedSentences, size: int) -> np.ndarray:
    """int32 (N, T): the tags that a model finds in data.test; 0 is padding.

    size: sentences that the model reads at once.
    """
    x, y = data.test
    found = np.zeros_like(y)
    batches = Batches(x, y, size, padded=True)
    batches.on_epoch_begin()  # before an epoch, a batch may have an idle column

    for i in range(len(batches)):
        (words, characters), _ = batches[i]
        B, T = words.shape
        # `predict` would compile the model for the shape of each batch.
        answers = model([words, characters], training=False)
        tags = decoded_tags(ops.convert_to_numpy(answers))
        start = i * size
        found[start : start + B, :T] = np.where(words == 0, 0, tags)
    return found


def tagging_figures(found: np.ndarray, data: TaggedSentences) -> Figures:
    """What the tags found in data.test are worth, the headline first."""
    (words, _), y = data.test
    is_word = y > 0
    is_right = found == y
    accuracy = _share(is_right[is_word])

    if data.has_spans:
        metric = _span_f1(found, data)
        counts = metric.right, metric.true, metric.predicted
        right, true, predicted = map(_number, counts)
        return {
            "test span F1": _number(metric.result()),
            "precision": right / max(predicted, 1),
            "recall": right / max(true, 1),
            "names in the test part": int(true),
            "accuracy of all tags": accuracy,
        }

    is_rare = words == UNKNOWN
    is_whole = (is_right | ~is_word).all(1)
    return {
        "test accuracy": accuracy,
        "accuracy of words that training has once or never": _share(is_right[is_rare]),
        "sentences without a mistake": _share(is_whole),
    }


def baselines(
    without_crf: keras.Model | None, data: TaggedSentences, size: int
) -> Figures:
    """The headline of the network without its CRF, if there is one, and of no network.

    size: sentences that the network reads at once.
    """
    name, usual = _headline(most_frequent_tags(data), data)
    figures: Figures = {}
    if without_crf is not None:
        found = best_tags(without_crf, data, size)
        _, value = _headline(found, data)
        figures[f"{name} without the CRF"] = value
    figures[f"{name} of the most frequent tags"] = usual
    return figures


def _headline(found: np.ndarray, data: TaggedSentences) -> tuple[str, float]:
    """(what is measured, its value) of the tags found in data.test."""
    figures = tagging_figures(found, data)
    name = next(iter(figures))
    return name.removeprefix("test "), figures[name]


def _share(is_right: np.ndarray) -> float:
    """The share of what is True; 0 of nothing."""
    return float(is_right.mean()) if is_right.size else 0.0


def _number(x) -> float:
    """The value of a variable or a tensor."""
    return float(ops.convert_to_numpy(x))


def _span_f1(found: np.ndarray, data: TaggedSentences) -> SpanF1:
    """The metric after all of data.test."""
    metric = SpanF1(data.tags)
    _, y = data.test
    for start in range(0, len(y), PART):
        rows = slice(start, start + PART)
        metric.update_state(y[rows], found[rows])
    return metric


def most_frequent_tags(data: TaggedSentences) -> np.ndarray:
    """int32 (N, T): the tag that each word of data.test has most often in training.

    A word that training lacks gets the tag that is most frequent among the words that
    training has once.
    """
    counts: defaultdict[str, Counter] = defaultdict(Counter)
    of_all: Counter = Counter()
    for words, tags in data.sentences["train"]:
        of_all.update(tags)
        for word, tag in zip(words, tags):
            counts[word][tag] += 1

    best = {}
    of_rare: Counter = Counter()
    for word, of_word in counts.items():
        best[word] = _most_common(of_word)
        if of_word.total() == 1:
            of_rare.update(of_word)

    usual = _most_common(of_rare or of_all)
    rows = []
    for words, _ in data.sentences["test"]:
        rows.append([best.get(word, usual) for word in words])
    _, y = data.test
    return encode_tags(rows, data.tags, y.shape[1])


def _most_common(counts: Counter) -> str:
    ((tag, _),) = counts.most_common(1)
    return tag


def _write_mistakes(path: Path, data: TaggedSentences, found: np.ndarray) -> None:
    """Writes the test sentences with the most mistakes, a word per line."""
    _, y = data.test
    is_word = y > 0
    is_wrong = (found != y) & is_word
    counts = is_wrong.sum(1)
    order = np.argsort(-counts, kind="stable")
    worst = order[:SHOWN]

    lines = [f"{is_wrong.sum()} of {is_word.sum()} words have a wrong tag"]
    for row in worst[counts[worst] > 0]:
        sentence = data.sentences["test"][row]
        lines.append("")
        lines += _lines_of(sentence, found[row], data.tags)
    text = "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8", errors="replace")


def _lines_of(sentence: Sentence, found: np.ndarray, tags: Sequence[str]) -> list[str]:
    """The sentence, then its words with wrong tags: what was said, what is true."""
    words, truth = sentence
    lines = [" ".join(words)]
    for word, true, number in zip(words, truth, found):
        said = tags[number]
        if said != true:
            lines.append(f"    {word}: said {said}, true {true}")
    return lines
