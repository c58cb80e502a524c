"""Evaluation of models that write: language models and translations."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from cookbook.answers.writers import translate
from cookbook.data.sources import DataSet
from cookbook.data.text.translation import Translations
from cookbook.reports.language_model import _losses
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import Expected, Run, finish
from cookbook.takeaway.standalone.reports.pictures import draw_curves, draw_lines


def report_language_model(
    model: keras.Model,
    data: DataSet,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    text: str,
) -> Run:
    """Measures the loss on data.test in nats per character, and prints `text`."""
    losses = _losses(model, *data.test).mean(axis=0)
    draw_curves(history, run)
    draw_lines(
        {"test": (np.arange(1, len(losses) + 1), losses)},
        "What a longer past is worth",
        "characters seen before the one to predict",
        "loss (nats per character)",
        run,
        "context.png",
        xscale="log",
    )
    print(f"\n{text}\n")
    return finish(
        model, data, history, run, {"test loss": float(losses.mean())}, expected
    )


def bleu(answers: Sequence[str], references: Sequence[str]) -> float:
    """BLEU from 0 to 100."""
    from sacrebleu.metrics import BLEU

    return float(BLEU().corpus_score(answers, [references]).score)


def report_translation(
    model: keras.Model,
    decoder: Callable,
    data: Translations,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures BLEU on data.test, and prints three translations.

    decoder: decoder(model) returns the decoder that `translate` wants.
    """
    sources, references = data.sentences["test"]
    answers = translate(decoder(model), sources, data.subwords)
    triples = [*zip(sources, references, answers)]
    for names in zip(("German", "reference", "model"), *triples[:3]):
        print(*names, sep="\n  ")
    draw_curves(history, run)
    figures = {"test BLEU": bleu(answers, references)}
    return finish(model, data, history, run, figures, expected)
