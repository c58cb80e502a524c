"""Translation: the loss that leaves padding out, beam search over texts, BLEU."""

import itertools

import numpy as np

from cookbook.data.text.translation import pad
from cookbook.errors import fail
from cookbook.plots.figures import draw_attention, draw_curves, draw_lines
from cookbook.reports.finish import finish
from cookbook.trained.load import load_trained
from custom_layers.generation import END, SPACE, START, Subwords, beam_search

LONGEST = 200  # subwords of a text that a user asks for


def translate(decoder, sentences, subwords, beam_width=5, length_penalty=1.0):
    """Sentences translated by beam search, in batches of like length.

    decoder(source, length): (next_logits, state) as the functions of decoding.py want
    them, for sources (B, S), numbers of subwords padded with 0. What training never
    saw, such as an emoji, is left out; of nothing the translation is nothing.
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
        for i, best in zip(batch, np.array(tokens)[:, 0, 1:].tolist()):
            answers[i] = subwords.decode(best)
    return answers


def _batches(rows, size=50):
    """(longest translation, numbers of up to `size` rows), shortest first.

    How long a translation may get depends on its own row alone.
    """
    limits = {i: 10 + 12 * -(-len(row) // 8) for i, row in enumerate(rows) if row}
    order = sorted(limits, key=lambda i: len(rows[i]))
    for length, group in itertools.groupby(order, key=limits.get):
        group = [*group]
        for start in range(0, len(group), size):
            yield length, group[start : start + size]


def translate_one(recipe, config, decoder):
    """Prints config.translate in the other language, by the recipe's finished run."""
    model, vocabulary = load_trained(recipe, config, "subwords.json")
    subwords = Subwords(**vocabulary)
    numbers = subwords.encode_known(config.translate)
    if len(numbers) > LONGEST:
        fail(
            f"--translate got a text of {len(numbers)} subwords, expected at most "
            f"{LONGEST}: give one sentence"
        )
    if not numbers:
        fail(
            f"--translate got {config.translate!r}, which holds nothing that the "
            "vocabulary knows: expected a German sentence"
        )
    (answer,) = translate(decoder(model), [config.translate], subwords)
    print(answer)


def bleu(answers, references):
    """(BLEU from 0 to 100, the signature that tells how it was counted)."""
    from sacrebleu.metrics import BLEU

    metric = BLEU()
    score = metric.corpus_score(answers, [references]).score
    return float(score), str(metric.get_signature())


def report_translation(model, decoder, data, history, run, expected):
    """BLEU on data.test, pictures, the translations, and `finish`."""
    sources, references = data.sentences["test"]
    vocabulary = {"pieces": data.subwords.pieces, "merges": data.subwords.merges}
    run.write_json("subwords.json", vocabulary)
    answers = translate(decoder(model), sources, data.subwords)
    score, signature = bleu(answers, references)
    triples = [*zip(sources, references, answers)]
    text = "\n\n".join("\n".join(triple) for triple in triples)
    run.write("translations.txt", lambda path: path.write_text(text, "utf-8"))
    for names in zip(("German", "reference", "model"), *triples[:3]):
        print(*names, sep="\n  ")
    draw_curves(history, run)
    _draw_bleu_by_length(triples, run)
    figures = {"test BLEU": score, "signature": signature}
    return finish(model, data, history, run, figures, expected)


def draw_alignment(model, decoder, data, run):
    """attention.png: where a recurrent decoder looks as it is fed four references.

    model: has layers named embedding, scale, and decoder, whose cell attends.
    """
    (source, before), target = data.test
    lengths = np.count_nonzero(source, axis=1)
    shown = np.argsort(np.abs(lengths - 9), kind="stable")[:4]  # neither long nor short
    source = source[shown][:, : lengths[shown].max()]
    before, target = before[shown], target[shown]
    layers = {layer.name: layer for layer in model.layers}
    cell, maps = layers["decoder"].cell, []
    next_logits, state = decoder(model)(source, before.shape[1])
    for index in range(np.count_nonzero(target, axis=1).max()):
        x = layers["scale"](layers["embedding"](before[:, index]))
        with cell.attend_to(state["memory"], state["mask"]):
            maps.append(cell.attention_weights(x, state["states"]))
        _, state = next_logits(before, index, state)
    labels = [_labels(rows, data.subwords) for rows in (target, source)]
    title = "Where the decoder looks as it writes"
    draw_attention(np.array(maps).swapaxes(0, 1), *labels, title, run)


def _labels(rows, subwords):
    """The pieces of each row, as a picture shows them."""
    shown = [piece.replace(SPACE, "") for piece in subwords.pieces]
    shown[END] = "end"
    return [[shown[n] for n in row if n != 0] for row in rows]


def _draw_bleu_by_length(triples, run):
    """bleu_by_length.png: a point for each fifth of the test set, by source length."""
    triples = sorted(triples, key=lambda triple: len(triple[0].split()))
    lengths, scores = [], []
    for rows in np.array_split(np.arange(len(triples)), 5):
        sources, references, answers = zip(*(triples[i] for i in rows))
        lengths.append(np.mean([len(source.split()) for source in sources]))
        scores.append(bleu(answers, references)[0])
    draw_lines(
        {"a fifth of the test set each": (lengths, scores)},
        "Translation quality by length",
        "words in the German sentence (mean)",
        "BLEU",
        run,
        "bleu_by_length.png",
        ylim=(0, 102),
    )
