"""Report on translation: beam search over texts, BLEU, and where the decoder looks."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np

from cookbook.data.text.translation import Translations, pad
from cookbook.errors import fail
from cookbook.plots.figures import draw_attention, draw_curves, draw_lines
from cookbook.reports.finish import Expected, Run, finish
from cookbook.trained.load import load_trained
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from custom_layers.generation import END, SPACE, START, Subwords, beam_search

LONGEST = 200  # subwords of a text that a user asks for


def translate(
    decoder: Callable,
    sentences: Sequence[str],
    subwords: Subwords,
    beam_width: int = 5,
    length_penalty: float = 1.0,
) -> list[str]:
    """Translates sentences by beam search, in batches of similar length.

    decoder: decoder(source, length) returns (next_logits, state) as
        custom_layers.generation wants them, for sources (B, S) of subword tokens that
        are padded with 0.

    Characters that training never saw, such as an emoji, are left out. The translation
    of an empty sentence is empty.
    """
    rows = [subwords.encode_known(sentence) for sentence in sentences]
    answers = [""] * len(rows)
    for length, batch in _batches(rows):
        source = pad([[*rows[i], END] for i in batch])
        next_logits, state = decoder(source, length)
        tokens, _ = beam_search(
            next_logits,
            np.full((len(source), 1), START),
            length,
            beam_width=beam_width,
            length_penalty=length_penalty,
            end_token=END,
            state=state,
        )
        best_of_each = np.array(tokens)[:, 0, 1:]
        for i, best in zip(batch, best_of_each.tolist()):
            answers[i] = subwords.decode(best)
    return answers


def _batches(rows: Sequence, size: int = 50) -> Iterator[tuple[int, list[int]]]:
    """Yields (limit, rows): the length of a translation, and up to `size` row numbers.

    The shortest rows come first. The limit depends on a row's own length alone, so
    that a sentence is translated the same in every batch.
    """
    limits = {}
    for i, row in enumerate(rows):
        if row:
            eighths = -(-len(row) // 8)
            limits[i] = 10 + 12 * eighths
    order = sorted(limits, key=lambda i: len(rows[i]))
    for limit, same_limit in itertools.groupby(order, key=lambda i: limits[i]):
        group = list(same_limit)
        for start in range(0, len(group), size):
            yield limit, group[start : start + size]


def translate_one(
    recipe: str,
    config: RecipeConfig,
    decoder: Callable,
) -> None:
    """Prints the translation of config.translate, by the recipe's newest finished run.

    decoder: decoder(model) returns the decoder that `translate` wants.
    """
    model, vocabulary = load_trained(recipe, config, "subwords.json")
    subwords = Subwords(**vocabulary)
    tokens = subwords.encode_known(config.translate)
    if len(tokens) > LONGEST:
        fail(
            f"--translate got a text of {len(tokens)} subwords, expected at most "
            f"{LONGEST}: give one sentence"
        )
    if not tokens:
        fail(
            f"--translate got {config.translate!r}, which holds nothing that the "
            "vocabulary knows: expected a German sentence"
        )
    (answer,) = translate(decoder(model), [config.translate], subwords)
    print(answer)


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

    It also writes translations.txt, all test sentences with reference and translation,
    and subwords.json, the vocabulary.
    """
    sources, references = data.sentences["test"]
    vocabulary = {"pieces": data.subwords.pieces, "merges": data.subwords.merges}
    run.write_json("subwords.json", vocabulary)
    answers = translate(decoder(model), sources, data.subwords)
    score, signature = bleu(answers, references)

    triples = list(zip(sources, references, answers))
    text = "\n\n".join("\n".join(triple) for triple in triples)
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
    order = np.argsort(np.abs(lengths - 9), kind="stable")
    shown = order[:4]  # neither long nor short
    longest = lengths[shown].max()
    source = source[shown][:, :longest]
    before, target = before[shown], target[shown]

    layers = {layer.name: layer for layer in model.layers}
    cell = layers["decoder"].cell
    maps = []
    next_logits, state = decoder(model)(source, before.shape[1])
    for index in range(np.count_nonzero(target, axis=1).max()):
        tokens = before[:, index]
        x = layers["scale"](layers["embedding"](tokens))
        with cell.attend_to(state["memory"], state["mask"]):
            maps.append(cell.attention_weights(x, state["states"]))
        _, state = next_logits(before, index, state)

    shares = np.array(maps).swapaxes(0, 1)
    written = _labels(target, data.subwords)
    read = _labels(source, data.subwords)
    title = "Where the decoder looks as it writes"
    draw_attention(shares, written, read, title, run)


def _labels(rows: Sequence, subwords: Subwords) -> list[list[str]]:
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
