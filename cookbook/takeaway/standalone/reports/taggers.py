"""Evaluation of taggers, without pictures of their inside."""

import keras
import numpy as np
from keras import ops

from cookbook.answers.classifiers import decoded_tags
from cookbook.data.tagged.sentences import TaggedSentences
from cookbook.reports.tagged.taggers import (
    _headline,
    most_frequent_tags,
    tagging_figures,
)
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import Expected, Run, finish
from cookbook.takeaway.standalone.data.padded_batches import Batches
from cookbook.takeaway.standalone.reports.pictures import draw_confusion, draw_curves


def report_tagger(
    model: keras.Model,
    without_crf: keras.Model | None,
    data: TaggedSentences,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures a tagger on data.test, and draws curves and confusion.

    The figures beside it are those of the same network without its CRF, and of the tag
    that each word has most often in the training part.
    """
    found = best_tags(model, data, 4 * run.config.batch_size)
    figures = tagging_figures(found, data)
    if without_crf is not None:
        other = best_tags(without_crf, data, 4 * run.config.batch_size)
        figures["without the CRF"] = _headline(other, data)
    figures["of the most frequent tags"] = _headline(most_frequent_tags(data), data)

    draw_curves(history, run)
    _, y = data.test
    is_word = y > 0
    draw_confusion(y[is_word] - 1, found[is_word] - 1, data.tags[1:], run)
    return finish(model, data, history, run, figures, expected)


def best_tags(model: keras.Model, data: TaggedSentences, size: int) -> np.ndarray:
    """int32 (N, T): the tags that a model finds in data.test; 0 is padding."""
    x, y = data.test
    found = np.zeros(y.shape, "int32")
    batches = Batches(x, y, size)
    batches.on_epoch_begin()
    for i in range(len(batches)):
        (words, characters), _ = batches[i]
        answers = ops.convert_to_numpy(model([words, characters], training=False))
        tags = decoded_tags(answers)
        rows = slice(i * size, i * size + len(words))
        found[rows, : words.shape[1]] = np.where(words == 0, 0, tags)
    return found
