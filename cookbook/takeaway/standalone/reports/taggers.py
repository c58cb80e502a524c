"""Evaluation of taggers, without pictures of their inside."""

import keras
import numpy as np
from keras import ops

from cookbook.answers.classifiers import decoded_tags
from cookbook.data.tagged.sentences import TaggedSentences
from cookbook.reports.tagged.taggers import baselines, tagging_figures
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
    size = 4 * run.config.batch_size
    found = best_tags(model, data, size)
    figures = tagging_figures(found, data)
    figures |= baselines(without_crf, data, size)

    draw_curves(history, run)
    _, y = data.test
    is_word = y > 0
    true, answers = y[is_word], found[is_word]
    draw_confusion(true - 1, answers - 1, data.tags[1:], run)
    return finish(model, data, history, run, figures, expected)


def best_tags(model: keras.Model, data: TaggedSentences, size: int) -> np.ndarray:
    """int32 (N, T): the tags that a model finds in data.test; 0 is padding."""
    x, y = data.test
    found = np.zeros_like(y)
    batches = Batches(x, y, size)
    batches.on_epoch_begin()

    for i in range(len(batches)):
        (words, characters), _ = batches[i]
        B, T = words.shape
        answers = model([words, characters], training=False)
        tags = decoded_tags(ops.convert_to_numpy(answers))
        start = i * size
        found[start : start + B, :T] = np.where(words == 0, 0, tags)
    return found
