"""Sentiment: the report on a classifier of texts, and its answer to a typed text."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from cookbook.data.batches import Batches
from cookbook.data.text.words import UNKNOWN, Vocabulary, split_words
from cookbook.errors import fail
from cookbook.plots.figures import BLUE, ORANGE, draw_curves, panel, save_figure
from cookbook.plots.mistakes import draw_confusion
from cookbook.reports.finish import finish
from cookbook.trained.load import load_trained
from custom_layers.explanation import influence

FOR_AND_AGAINST = LinearSegmentedColormap.from_list("", [ORANGE, "white", BLUE])


def report_reviews(model, data, history, run, expected):
    """Accuracy on data.test, pictures, mistakes.txt, reader.json, and `finish`.

    model: logits from word ids; expected: {data set: (accuracy, tolerance)}.
    """
    x, y = data.test
    batches = Batches(x, y, 4 * run.config.batch_size, padded=True)
    log_p = _log_softmax(model.predict(batches, verbose=0))
    answers = log_p.argmax(-1)
    draw_curves(history, run)
    draw_confusion(y, answers, data.classes, run)
    run.write("mistakes.txt", lambda path: _write_mistakes(path, data, log_p))
    far = np.abs((x != 0).sum(1) - 70) + (answers != y) * 1000
    _draw_review(model, data, far.argmin(), run)
    reader = {
        "words": data.vocabulary.words,
        "length": data.length,
        "classes": data.classes,
        "data": data.note,
    }
    run.write_json("reader.json", reader)
    accuracy = float(np.mean(answers == y))
    return finish(model, data, history, run, {"test accuracy": accuracy}, expected)


def _log_softmax(logits):
    z = logits.astype("float64") - logits.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def _write_mistakes(path, data, log_p, count=20):
    """The wrong answers that the model was surest of, with their texts."""
    y, answers = data.test[1], log_p.argmax(-1)
    wrong = np.flatnonzero(answers != y)
    worst = wrong[np.argsort(-log_p[wrong].max(1))][:count]
    lines = [f"The {len(worst)} most confident of {len(wrong)} mistakes"]
    for i in worst:
        said, true = data.classes[answers[i]], data.classes[y[i]]
        share = np.exp(log_p[i].max())
        lines += ["", f"said {said} ({share:.1%}), true {true}:", data.test_texts[i]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")


def _draw_review(model, data, row, run):
    """review.png: one test review, each word coloured by its influence."""
    ids, label = data.test[0][row], data.test[1][row]
    ids = ids[ids != 0]
    said = data.classes[label]
    speaks = influence(model, ids, label, UNKNOWN)
    lines, width = [[]], 0
    for word, value in zip(data.vocabulary.spell(ids), speaks):
        if width + len(word) > 80:
            lines, width = [*lines, []], 0
        lines[-1].append((width, word, value))
        width += len(word) + 1
    most = np.abs(speaks).max() or 1
    title = f"Words that make the model answer {said} to a test review"
    figure, axes = panel(title, "", "", size=(9, 0.28 * len(lines) + 1.6))
    axes.set(xlim=(0, 84), ylim=(len(lines) - 0.4, -0.6))
    axes.set_axis_off()
    style = {"family": "monospace", "fontsize": 9.5, "va": "center"}
    for i, line in enumerate(lines):
        for start, word, value in line:
            shade = FOR_AND_AGAINST(0.5 + 0.4 * value / most)
            box = {"facecolor": shade, "edgecolor": "none", "pad": 1}
            axes.text(start, i, word, bbox=box, **style)
    figure.colorbar(
        ScalarMappable(Normalize(-most / 0.8, most / 0.8), FOR_AND_AGAINST),
        ax=axes,
        orientation="horizontal",
        aspect=60,
        label=f"log-odds of {said} due to the word",
    )
    save_figure(figure, run, "review.png")


def answer(recipe, config):
    """Prints what the recipe's newest finished run says of the text config.predict."""
    words = split_words(config.predict)
    if not words:
        fail(
            f"--predict got {config.predict[:40]!a}, which holds no word: expected a "
            "text such as 'A film to remember.'"
        )
    model, reader = load_trained(recipe, config, "reader.json")
    vocabulary = Vocabulary(reader["words"])
    ids = vocabulary.encode(config.predict, reader["length"])[0]
    ids = ids[ids != 0]
    log_p = _log_softmax(model.predict(ids[None], verbose=0))[0]
    label = log_p.argmax()
    known = sum(i != UNKNOWN for i in vocabulary.ids(words))
    print(
        f"{reader['classes'][label]} ({np.exp(log_p[label]):.1%}) | {known} of "
        f"{len(words)} words known | learned from {reader['data']}"
    )
    speaks = influence(model, ids, label, UNKNOWN)
    strongest = np.argsort(-np.abs(speaks))[:5]
    pairs = zip(vocabulary.spell(ids[strongest]), speaks[strongest])
    print("log-odds due to", ", ".join(f"{word} {value:+.2f}" for word, value in pairs))
