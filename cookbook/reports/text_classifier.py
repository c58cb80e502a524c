"""Report on a classifier of texts, such as reviews, and its answer to a typed text."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.answers.load import run_to_ask
from cookbook.data.batches import Batches
from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import UNKNOWN, split_words
from cookbook.errors import fail
from cookbook.plots.figures import (
    BLUE,
    ORANGE,
    Folder,
    draw_curves,
    panel,
    save_figure,
)
from cookbook.plots.mistakes import draw_confusion
from cookbook.reports.finish import (
    Expected,
    Run,
    finish,
    predicting_step_by_step,
)
from cookbook.reports.review_picture import draw_review
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from custom_layers.explanation import influence

MISTAKES = 20  # that are written down
BATCH = 128  # texts that are judged at once
WORDS_SHOWN = 70  # the review that is drawn has about as many


def report_reviews(
    model: keras.Model,
    data: Reviews,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    probe: np.ndarray | None = None,
) -> Run:
    """Measures the accuracy on data.test, draws the pictures, and finishes the run.

    model: gives logits from the ids of words.
    probe: the logits of a linear probe for the texts of data.validation, which are
        compared with those of `model`; None without one.

    Besides the pictures it writes mistakes.txt, the mistakes with their texts.
    """
    x, y = data.test
    config: RecipeConfig = run.config
    batches = Batches(x, y, 4 * config.batch_size, padded=True)
    with predicting_step_by_step(model):
        logits = model.predict(batches, verbose=0)
    log_p = _log_softmax(logits)
    answers = log_p.argmax(-1)
    is_right = answers == y

    draw_curves(history, run)
    draw_confusion(y, answers, data.classes, run)
    run.write("mistakes.txt", lambda path: _write_mistakes(path, data, log_p))
    draw_review(model, data, _typical_review(x, is_right), run)

    figures = {"test accuracy": float(np.mean(is_right))}
    if probe is not None:
        x, y = data.validation
        with predicting_step_by_step(model):
            logits = model.predict(Batches(x, y, BATCH, padded=True), verbose=0)
        for name, answers in {"linear probe": probe, "LoRA": logits}.items():
            is_right = answers.argmax(-1) == y
            figures[f"validation accuracy of {name}"] = float(np.mean(is_right))
        draw_margins(probe, logits, y, run)
    return finish(model, data, history, run, figures, expected)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    largest = logits.max(-1, keepdims=True)
    z = logits.astype("float64") - largest
    total = np.exp(z).sum(-1, keepdims=True)
    return z - np.log(total)


def _typical_review(x: np.ndarray, is_right: np.ndarray) -> int:
    """The row of a review of about WORDS_SHOWN words that is answered rightly."""
    lengths = (x != 0).sum(1)
    distance = np.abs(lengths - WORDS_SHOWN)
    distance[~is_right] += 1000
    return int(distance.argmin())


def draw_margins(
    before: np.ndarray, after: np.ndarray, y: np.ndarray, run: Folder
) -> None:
    """Draws margins.svg: how sure a linear probe and LoRA are of the right answer.

    before, after: logits (N, classes) of both, for texts of the classes y.
    """
    shares = {}
    margins = {}
    for name, logits in {"linear probe": before, "LoRA": after}.items():
        log_p = _log_softmax(logits)
        is_true = np.eye(logits.shape[1], dtype=bool)[y]
        others = log_p[~is_true].reshape(len(y), -1)
        margins[name] = log_p[is_true] - others.max(1)
        shares[name] = np.mean(log_p.argmax(-1) == y)

    title = (
        f"The linear probe judges {shares['linear probe']:.1%} of the validation "
        f"texts rightly, LoRA {shares['LoRA']:.1%}"
    )
    xlabel = "log-odds of the right class against the likeliest other one"
    figure, axes = panel(title, xlabel, "share of the texts")
    edges = np.linspace(-8, 8, 65)
    for (name, values), colour in zip(margins.items(), (ORANGE, BLUE)):
        weights = np.full(len(values), 1 / len(values))
        inside = np.clip(values, -8, 8)
        axes.hist(inside, edges, weights=weights, color=colour, alpha=0.3)
        axes.hist(
            inside,
            edges,
            weights=weights,
            histtype="step",
            color=colour,
            linestyle="--" if name == "linear probe" else "-",
            label=name,
        )
    axes.axvline(0, color="black", linewidth=1)
    axes.text(-0.2, axes.get_ylim()[1], "wrong", ha="right", va="top")
    axes.text(0.2, axes.get_ylim()[1], "right", va="top")
    axes.legend(loc="center left")
    save_figure(figure, run, "margins.svg")


def _write_mistakes(
    path: Path,
    data: Reviews,
    log_p: np.ndarray,
) -> None:
    """Writes the wrong answers that the model was surest of, with their texts."""
    _, y = data.test
    answers = log_p.argmax(-1)
    wrong = np.flatnonzero(answers != y)
    confidence = log_p.max(1)
    order = np.argsort(-confidence[wrong])
    worst = wrong[order][:MISTAKES]

    lines = [f"The {len(worst)} most confident of {len(wrong)} mistakes"]
    for i in worst:
        said = data.classes[answers[i]]
        true = data.classes[y[i]]
        probability = np.exp(log_p[i].max())
        lines.append("")
        lines.append(f"said {said} ({probability:.1%}), true {true}:")
        lines.append(data.test_texts[i])
    lines.append("")
    text = "\n".join(lines)
    path.write_text(text, encoding="utf-8", errors="replace")


def answer(recipe: str, config: RecipeConfig, kind: str = "text classifier") -> None:
    """Prints what the newest finished run of a recipe says of the text config.predict.

    Below the answer it prints the words that influenced it most.
    """
    text = config.predict
    if not split_words(text):
        fail(
            f"--predict got {text[:40]!a}, which holds no word: expected a text such "
            "as 'A film to remember.'"
        )

    run: Any = run_to_ask(recipe, config, kind)
    (said,) = run.predict([text])
    known, count = run.known(text)
    print(
        f"{said.label} ({said.probability:.1%}) | {known} of {count} words known | "
        f"learned from {run.description.data}"
    )

    (ids,) = run.ids([text])
    ids = ids[ids != 0]
    label = run.classes.index(said.label)
    influences = influence(run.model, ids, label, UNKNOWN)

    size = np.abs(influences)
    order = np.argsort(-size)
    strongest = order[:5]
    spelled = run.vocabulary.spell(ids[strongest])
    pairs = []
    for word, value in zip(spelled, influences[strongest]):
        pair = f"{word} {value:+.2f}"
        pairs.append(pair)

    print("log-odds due to", ", ".join(pairs))
