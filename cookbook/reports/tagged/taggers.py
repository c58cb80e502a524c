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
    found = best_tags(model, data, 4 * config.batch_size)
    figures = tagging_figures(found, data)
    headline = next(iter(figures)).removeprefix("test ")
    if without_crf is not None:
        other = best_tags(without_crf, data, 4 * config.batch_size)
        figures[f"{headline} without the CRF"] = _headline(other, data)
    usual = _headline(most_frequent_tags(data), data)
    figures[f"{headline} of the most frequent tags"] = usual

    draw_curves(history, run)
    _, y = data.test
    is_word = y > 0
    draw_confusion(y[is_word] - 1, found[is_word] - 1, data.tags[1:], run)
    draw_path(model, data, found, run)
    draw_transitions(model, data, run)
    run.write("mistakes.txt", lambda path: _write_mistakes(path, data, found))
    return finish(model, data, history, run, figures, expected)


def best_tags(model: keras.Model, data: TaggedSentences, size: int) -> np.ndarray:
    """int32 (N, T): the tags that a model finds in data.test; 0 is padding.

    size: sentences that the model reads at once.
    """
    x, y = data.test
    found = np.zeros(y.shape, "int32")
    batches = Batches(x, y, size, padded=True)
    batches.on_epoch_begin()  # before an epoch, a batch may have an idle column
    for i in range(len(batches)):
        (words, characters), _ = batches[i]
        # `predict` would compile the model for the shape of each batch.
        answers = ops.convert_to_numpy(model([words, characters], training=False))
        tags = decoded_tags(answers)
        rows = slice(i * size, i * size + len(words))
        found[rows, : words.shape[1]] = np.where(words == 0, 0, tags)
    return found


def tagging_figures(found: np.ndarray, data: TaggedSentences) -> Figures:
    """What the tags found in data.test are worth, the headline first."""
    (words, _), y = data.test
    is_word = y > 0
    is_right = found == y
    is_rare = words == UNKNOWN
    if data.has_spans:
        metric = _span_f1(found, data)
        counts = metric.right, metric.true, metric.predicted
        right, true, predicted = (float(ops.convert_to_numpy(n)) for n in counts)
        figures = {
            "test span F1": float(metric.result()),
            "precision": right / max(predicted, 1),
            "recall": right / max(true, 1),
            "names in the test part": int(true),
            "accuracy of all tags": _share(is_right[is_word]),
        }
    else:
        is_whole = (is_right | ~is_word).all(1)
        figures = {
            "test accuracy": _share(is_right[is_word]),
            "accuracy of words that training has once or never": _share(
                is_right[is_rare]
            ),
            "sentences without a mistake": _share(is_whole),
        }
    return figures


def _share(is_right: np.ndarray) -> float:
    """The share of what is True; 0 of nothing."""
    return float(is_right.mean()) if is_right.size else 0.0


def _headline(found: np.ndarray, data: TaggedSentences) -> float:
    return next(iter(tagging_figures(found, data).values()))


def _span_f1(found: np.ndarray, data: TaggedSentences) -> SpanF1:
    """The metric after all of data.test, in parts, as it compares steps in pairs."""
    metric = SpanF1(data.tags)
    _, y = data.test
    for start in range(0, len(y), 256):
        rows = slice(start, start + 256)
        metric.update_state(y[rows], found[rows])
    return metric


def most_frequent_tags(data: TaggedSentences) -> np.ndarray:
    """int32 (N, T): the tag that each word of data.test has most often in training.

    A word that training lacks gets the tag that is most frequent among the words that
    training has once.
    """
    counts: defaultdict[str, Counter] = defaultdict(Counter)
    for words, tags in data.sentences["train"]:
        for word, tag in zip(words, tags):
            counts[word][tag] += 1
    of_rare: Counter = Counter()
    for each in counts.values():
        if each.total() == 1:
            of_rare.update(each)
    ((usual, _),) = (of_rare or sum(counts.values(), Counter())).most_common(1)

    best = {word: each.most_common(1)[0][0] for word, each in counts.items()}
    sentences = data.sentences["test"]
    rows = [[best.get(word, usual) for word in words] for words, _ in sentences]
    _, y = data.test
    return encode_tags(rows, data.tags, y.shape[1])


def _write_mistakes(path: Path, data: TaggedSentences, found: np.ndarray) -> None:
    """Writes the test sentences with the most mistakes, a word per line."""
    _, y = data.test
    is_wrong = (found != y) & (y > 0)
    counts = is_wrong.sum(1)
    worst = np.argsort(-counts, kind="stable")[:SHOWN]
    lines = [f"{is_wrong.sum()} of {(y > 0).sum()} words have a wrong tag"]
    for row in worst[counts[worst] > 0]:
        lines += ["", *_lines_of(data.sentences["test"][row], found[row], data.tags)]
    text = "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8", errors="replace")


def _lines_of(sentence: Sentence, found: np.ndarray, tags: Sequence[str]) -> list[str]:
    """The sentence, then its words with wrong tags: what was said, what is true."""
    words, truth = sentence
    lines = [" ".join(words)]
    for word, true, tag in zip(words, truth, found):
        if tags[tag] != true:
            lines.append(f"    {word}: said {tags[tag]}, true {true}")
    return lines
