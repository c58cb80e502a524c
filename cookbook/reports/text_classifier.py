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
from cookbook.plots.figures import Folder, draw_curves, draw_lines
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
FARTHEST = 8  # log-odds that the picture of the margins shows
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
        both = {"linear probe": probe, "LoRA": logits}
        for name, answers in both.items():
            is_right = answers.argmax(-1) == y
            figure = f"validation accuracy of {name}"
            figures[figure] = float(np.mean(is_right))
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
    probe = _margins(before, y)
    lora = _margins(after, y)
    title = (
        f"The linear probe judges {np.mean(probe > 0):.1%} of the validation texts "
        f"rightly, LoRA {np.mean(lora > 0):.1%}"
    )
    draw_lines(
        {"linear probe": _histogram(probe), "LoRA": _histogram(lora)},
        title,
        "log-odds of the right class against the likeliest other one",
        "share of the texts",
        run,
        "margins.svg",
    )


def _margins(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    """By how much the logit of the right class is above that of any other one."""
    classes = np.arange(logits.shape[1])
    is_right = classes == y[:, None]

    right = logits[is_right]
    others = np.where(is_right, -np.inf, logits)
    return right - others.max(1)


def _histogram(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(middles of the bins, share in each); what lies outside counts at the ends."""
    edges = np.linspace(-FARTHEST, FARTHEST, 41)
    inside = np.clip(margins, -FARTHEST, FARTHEST)
    counts, _ = np.histogram(inside, edges)
    half_a_bin = FARTHEST / 40

    middles = edges[:-1] + half_a_bin
    return middles, counts / len(margins)


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
