"""Report on translation: BLEU, and where the decoder looks."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from cookbook.answers.decoders import attention_to_source
from cookbook.answers.writers import translate
from cookbook.data.text.translation import Translations
from cookbook.plots.figures import draw_attention, draw_curves, draw_lines
from cookbook.reports.finish import Expected, Run, finish
from cookbook.training.run_folder import RunFolder
from custom_layers.generation import END, SPACE, Subwords


def bleu(answers: Sequence[str], references: Sequence[str]) -> tuple[float, str]:
    """BLEU from 0 to 100, and the signature that says how it was computed."""
    from sacrebleu.metrics import BLEU

    metric = BLEU()
    score = metric.corpus_score(answers, [references]).score
    return float(score), str(metric.get_signature())


def report_translation(
    model: keras.Model,
    decoder: Callable,
    data: Translations,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures BLEU on data.test, draws the pictures, and finishes the run.

    decoder: decoder(model) returns the decoder that `translate` wants.

    It also writes translations.txt, all test sentences with reference and translation.
    """
    sources, references = data.sentences["test"]
    answers = translate(decoder(model), sources, data.subwords)
    score, signature = bleu(answers, references)

    triples = list(zip(sources, references, answers))
    blocks = ["\n".join(triple) for triple in triples]
    text = "\n\n".join(blocks)
    run.write("translations.txt", lambda path: path.write_text(text, "utf-8"))
    for names in zip((data.languages[0], "reference", "model"), *triples[:3]):
        print(*names, sep="\n  ")

    draw_curves(history, run)
    _draw_bleu_by_length(triples, data.languages[0], run)

    figures = {"test BLEU": score, "signature": signature}
    return finish(model, data, history, run, figures, expected)


def draw_alignment(
    model: keras.Model,
    decoder: Callable,
    data: Translations,
    run: RunFolder,
) -> None:
    """Draws attention.png: where a recurrent decoder looks, for four test sentences.

    The decoder is fed the reference translation.

    model: has layers named embedding, scale and decoder, whose cell attends.
    decoder: decoder(model) returns the decoder that `translate` wants.
    """
    (source, before), target = data.test
    lengths = np.count_nonzero(source, axis=1)
    distance = np.abs(lengths - 9)  # from sentences neither long nor short
    order = np.argsort(distance, kind="stable")
    shown = order[:4]
    longest = lengths[shown].max()
    source = source[shown][:, :longest]
    before, target = before[shown], target[shown]

    steps = np.count_nonzero(target, axis=1).max()
    shares = attention_to_source(model, decoder, source, before[:, :steps])
    written = shown_pieces(target, data.subwords)
    read = shown_pieces(source, data.subwords)
    title = "Where the decoder looks as it writes"
    draw_attention(shares, written, read, title, run)


def shown_pieces(rows: Sequence, subwords: Subwords) -> list[list[str]]:
    """The subwords of each row, as a picture shows them."""
    shown = [piece.replace(SPACE, "") for piece in subwords.pieces]
    shown[END] = "end"
    return [[shown[token] for token in row if token != 0] for row in rows]


def _draw_bleu_by_length(
    triples: Sequence[tuple], language: str, run: RunFolder
) -> None:
    """Draws bleu_by_length.png: a point for each fifth of the test set.

    triples: (source, reference, translation) of each sentence.
    """
    triples = sorted(triples, key=lambda triple: len(triple[0].split()))
    lengths = []
    scores = []
    for rows in np.array_split(np.arange(len(triples)), 5):
        sources, references, answers = zip(*(triples[i] for i in rows))
        words = [len(source.split()) for source in sources]
        lengths.append(np.mean(words))
        score, _ = bleu(answers, references)
        scores.append(score)
    draw_lines(
        {"a fifth of the test set each": (lengths, scores)},
        "Translation quality by length",
        f"words in the {language} sentence (mean)",
        "BLEU",
        run,
        "bleu_by_length.png",
        ylim=(0, 102),
    )
