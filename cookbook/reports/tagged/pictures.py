"""Pictures of a tagger: its path through a sentence, and which tag follows which."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.axes import Axes

from cookbook.data.tagged.sentences import TaggedSentences
from cookbook.plots.figures import ORANGE, panel, save_figure
from cookbook.training.run_folder import RunFolder

LENGTHS = range(8, 15)  # words of a sentence that fits a picture
LOOKED_AT = 256  # such sentences, among which one is chosen
LOWEST = -12.0  # scores that are lower, beside the best one, look alike
MISTAKE = 10  # a wrong tag counts against a sentence as so many mended ones for it
RING: dict[str, Any] = {
    "mfc": "none",
    "mec": "black",
    "mew": 1.5,
    "ms": 13,
}


def draw_path(
    model: keras.Model, data: TaggedSentences, found: np.ndarray, run: RunFolder
) -> None:
    """Draws path.png: the scores of a test sentence, and the tags that were chosen.

    A row is a tag, a column a word. The line is the tagging that was found; of a CRF it
    is the Viterbi path. A ring is the tag with the highest score of a word, where the
    line does not pass through it. If there is such a sentence, the line is right and
    some rings are wrong.

    model: has a layer named scores.
    found: (N, T), the tags that the model finds in data.test.
    """
    row, scores = _shown_sentence(model, data, found)
    words, truth = data.sentences["test"][row]
    T = len(words)
    names = data.tags[1:]  # without that of the padding

    scores = scores[:T, 1:]
    highest = scores.max(-1, keepdims=True)
    scores = scores - highest
    path = found[row, :T] - 1
    best = scores.argmax(-1)

    said = [names[i] for i in path]
    wrong = sum(a != b for a, b in zip(said, truth))
    title = "The best tag of each word"

    if _crf_of(model):
        differs = int(np.sum(path != best))
        title = f"The Viterbi path; where it differs from the highest score: {differs}"
    title += f"\n{wrong} of {T} tags are wrong"

    width = 2.2 + 0.62 * T
    height = 2.2 + 0.27 * len(names)
    size = width, height
    figure, axes = panel(title, "", "", size)

    shades = np.maximum(scores, LOWEST).T
    image = axes.imshow(shades, cmap="Blues", aspect="auto")
    _draw_line(axes, path, best)
    _name_ticks(axes, words, names)
    figure.colorbar(image, label="score, less the highest one of the word")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    save_figure(figure, run, "path.png")


def _crf_of(model: keras.Model) -> Any:
    """The CRF of a model; None if it has no layer of that name."""
    for layer in model.layers:
        if layer.name == "crf":
            return layer
    return None


def _draw_line(axes: Axes, path: np.ndarray, best: np.ndarray) -> None:
    """The path over the image, and rings at the highest scores beside it."""
    steps = np.arange(len(path))
    axes.plot(steps, path, "o-", color=ORANGE, lw=2, ms=6, label="chosen")

    apart = np.flatnonzero(path != best)
    if len(apart):
        rings = best[apart]
        axes.plot(apart, rings, "o", label="highest score of the word", **RING)


def _name_ticks(axes: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Writes a name beside each row of the image, and below each column."""
    across = range(len(columns))
    down = range(len(rows))

    axes.set_xticks(across, columns, rotation=90)
    axes.set_yticks(down, rows)


def _shown_sentence(
    model: keras.Model, data: TaggedSentences, found: np.ndarray
) -> tuple[int, np.ndarray]:
    """(row of a test sentence, its scores (T, N)) that show what a CRF is for."""
    (words, characters), y = data.test
    lengths = (y > 0).sum(1)
    fits = np.isin(lengths, LENGTHS)
    rows = np.flatnonzero(fits)[:LOOKED_AT]
    if not len(rows):
        rows = np.array([lengths.argmax()])

    T = lengths[rows].max()
    words = words[rows, :T]
    characters = characters[rows, :T]
    layer = model.get_layer("scores")
    scorer = keras.Model(model.inputs, layer.output)
    answers = scorer([words, characters], training=False)
    scores = ops.convert_to_numpy(answers)

    true = y[rows, :T]
    is_word = true > 0
    is_right = found[rows, :T] == true
    wrong = (is_word & ~is_right).sum(1)

    of_tags = scores[..., 1:]
    best = 1 + of_tags.argmax(-1)
    misses = best != true
    mended = (is_word & is_right & misses).sum(1)

    merit = mended - MISTAKE * wrong
    place = merit.argmax()
    row = int(rows[place])
    return row, scores[place]


def draw_transitions(model: keras.Model, data: TaggedSentences, run: RunFolder) -> None:
    """Draws transitions.png: how a CRF rates each tag behind each other one.

    A model without a layer named crf gets no picture.
    """
    crf = _crf_of(model)
    if crf is None:
        return

    A = ops.convert_to_numpy(crf.transition)
    A = A[1:, 1:]  # without the padding
    names = data.tags[1:]

    side = 2.5 + 0.32 * len(names)
    size = side + 1, side
    title = "The CRF's scores of neighbouring tags"
    figure, axes = panel(title, "tag", "tag of the word before", size)

    most = np.abs(A).max() or 1.0

    image = axes.imshow(A, cmap="RdBu", vmin=-most, vmax=most)
    _name_ticks(axes, names, names)
    figure.colorbar(image, label="score; blue pairs are likely", shrink=0.8)
    save_figure(figure, run, "transitions.png")
