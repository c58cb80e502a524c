"""Pictures of a tagger: its path through a sentence, and which tag follows which."""

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
    scores = scores[:T, 1:]  # without the padding's tag
    scores = scores - scores.max(-1, keepdims=True)
    path = found[row, :T] - 1
    best = scores.argmax(-1)

    size = 2.2 + 0.62 * T, 1.8 + 0.27 * len(data.tags)
    differs = int(np.sum(path != best))
    wrong = int(np.sum(np.array(data.tags[1:])[path] != truth))
    is_crf = any(layer.name == "crf" for layer in model.layers)
    title = "The best tag of each word"
    if is_crf:
        title = f"The Viterbi path; where it differs from the highest score: {differs}"
    title += f"\n{wrong} of {T} tags are wrong"
    figure, axes = panel(title, "", "", size)
    image = axes.imshow(
        np.maximum(scores, LOWEST).T, cmap="Blues", aspect="auto", vmin=LOWEST
    )
    _draw_line(axes, path, best)
    axes.set_xticks(range(T), words, rotation=90)
    axes.set_yticks(range(len(data.tags) - 1), data.tags[1:])
    figure.colorbar(image, label="score, less the highest one of the word")
    save_figure(figure, run, "path.png")


def _draw_line(axes: Axes, path: np.ndarray, best: np.ndarray) -> None:
    """The path over the image, and rings at the highest scores beside it."""
    steps = np.arange(len(path))
    axes.plot(steps, path, "o-", color=ORANGE, lw=2, ms=6, label="chosen")
    apart = path != best
    if apart.any():
        ring: dict[str, Any] = {"mfc": "none", "mec": "black", "mew": 1.5, "ms": 13}
        axes.plot(steps[apart], best[apart], "o", label="highest score", **ring)
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _shown_sentence(
    model: keras.Model, data: TaggedSentences, found: np.ndarray
) -> tuple[int, np.ndarray]:
    """(row of a test sentence, its scores (T, N)) that show what a CRF is for."""
    (words, characters), y = data.test
    lengths = (y > 0).sum(1)
    rows = np.flatnonzero(np.isin(lengths, LENGTHS))[:LOOKED_AT]
    if not len(rows):
        rows = np.array([lengths.argmax()])
    T = lengths[rows].max()
    scorer = keras.Model(model.inputs, model.get_layer("scores").output)
    x = [words[rows, :T], characters[rows, :T]]
    scores = ops.convert_to_numpy(scorer(x, training=False))
    is_word = y[rows, :T] > 0
    chosen, true = found[rows, :T], y[rows, :T]
    best = 1 + scores[..., 1:].argmax(-1)
    is_mended = ((chosen == true) & (best != true) & is_word).sum(1)
    wrong = ((chosen != true) & is_word).sum(1)
    place = int(np.argmax(is_mended - 10 * wrong))
    return int(rows[place]), scores[place]


def draw_transitions(model: keras.Model, data: TaggedSentences, run: RunFolder) -> None:
    """Draws transitions.png: how a CRF rates each tag behind each other one.

    A model without a layer named crf gets no picture.
    """
    layers = {layer.name: layer for layer in model.layers}
    if "crf" not in layers:
        return
    A = ops.convert_to_numpy(layers["crf"].transition)[1:, 1:]  # without the padding
    most = np.abs(A).max() or 1.0
    names = data.tags[1:]
    side = 2.5 + 0.32 * len(names)
    title = "The CRF's scores of neighbouring tags"
    figure, axes = panel(title, "tag", "tag of the word before", (side + 1, side))
    image = axes.imshow(A, cmap="RdBu", vmin=-most, vmax=most)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    figure.colorbar(image, label="score; blue pairs are likely", shrink=0.8)
    save_figure(figure, run, "transitions.png")
