"""What load_run's predict must give: the answers of the model itself, for each kind."""

import keras
import numpy as np
import pytest

from cookbook import load_run
from cookbook.data.sounds.recordings import as_loud_as_can_be
from cookbook.data.tagged.encoding import encode_words
from cookbook.data.text.sums import PAD, START, encode_question, written
from cookbook.exports.portable.classifiers import best_path
from custom_layers.generation import END, ctc_decode
from custom_layers.generation import START as FIRST

# Recipes whose models `predict` does not know.
WITHOUT_ANSWERS = ("style_transfer",)


def check_answers(folder):
    """Compares predict with the model in the folder; a run without one has no file."""
    if not (folder / "model.json").exists():
        assert folder.parent.name in WITHOUT_ANSWERS
        return
    run = load_run(folder)
    CHECKS[run.description.kind](run, keras.models.load_model(folder / "model.keras"))


def near(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def softmax(logits):
    return np.array(keras.ops.softmax(logits.astype("float64"), axis=-1))


def images(run, count=5):
    shape = count, *run.description.settings["shape"]
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


def as_learned(run, x):
    is_raw = run.description.settings["pixels"] == [0, 255]
    return x if is_raw else x.astype("float32") / 127.5 - 1


def check_image_classifier(run, model):
    x = images(run)
    expected = softmax(model.predict(as_learned(run, x), verbose=0))
    near(run.probabilities(x), expected)
    answers = run.predict(x)
    assert [a.label for a in answers] == [run.classes[i] for i in expected.argmax(-1)]
    near([a.probability for a in answers], expected.max(-1))


def sounds(run, count=3):
    lengths = np.linspace(2000, run.samples, count, dtype=int)
    rng = np.random.default_rng(0)
    return [as_loud_as_can_be(rng.normal(size=length)) for length in lengths]


def in_silence(run, found):
    x = np.zeros((len(found), run.samples), "float32")
    for row, sound in zip(x, found):
        row[: len(sound)] = sound
    return x


def check_sound_classifier(run, model):
    found = sounds(run)
    expected = softmax(model.predict(in_silence(run, found), verbose=0))
    near(run.probabilities(found), expected)
    answers = run.predict(found)
    assert [a.label for a in answers] == [run.classes[i] for i in expected.argmax(-1)]


def check_transcriber(run, model):
    found = sounds(run)
    logits = model.predict(in_silence(run, found), verbose=0)
    labels, _ = ctc_decode(logits)  # greedy, as a beam of one nearly is
    greedy = [[run.classes[i - 1] for i in row if i > 0] for row in labels[0].numpy()]
    for text, words in zip(run.predict(found), greedy):
        assert len(text.split()) <= len(words) + 2
        assert set(text.split()) <= set(run.classes)
    with pytest.raises(ValueError, match="the sound lasts"):
        run.predict([np.ones(run.samples + 1)])


def check_text_classifier(run, model):
    texts = ["The plot was great. I loved it!", "dull", "i hated the cast " * 40]
    expected = softmax(model.predict(run.ids(texts), verbose=0))
    near(run.probabilities(texts), expected)
    assert [name for name, _ in run.predict(texts)[1].top] == [
        run.classes[i] for i in np.argsort(-expected[1])
    ]


def check_tagger(run, model):
    text = "The doctors didn't watch it."
    words = ["The", "doctors", "did", "n't", "watch", "it", "."]
    x = encode_words([words, words[:2]], run.vocabulary, run.alphabet, run.letters)
    answers = model.predict([*x], verbose=0)
    ids = best_path(answers[0]) if answers.ndim == 4 else answers[0].argmax(-1)
    (found, shorter) = run.predict([text, "The doctors"])
    assert found.words == tuple(words)
    assert found.tags == tuple(run.tags[i] for i in ids)
    assert len(shorter.tags) == 2
    assert str(shorter) == f"The/{shorter.tags[0]} doctors/{shorter.tags[1]}"


def greedy(model, fixed, start, length, end=None):
    """The tokens after `start` that a model of whole sequences rates highest."""
    tokens = [*start]
    while len(tokens) < len(start) + length and tokens[-1] != end:
        inputs = [*fixed, np.array([tokens])]
        logits = model.predict(inputs if fixed else inputs[0], verbose=0)
        tokens.append(int(logits[0, -1].argmax()))
    return tokens[len(start) :]


def check_language_model(run, model):
    alphabet = run.description.settings["alphabet"]
    start = [alphabet.index(c) for c in "ROMEO:"]
    expected = "".join(alphabet[i] for i in greedy(model, [], start, 8))
    (text,) = run.predict(["ROMEO:"], length=8, temperature=1e-6)
    assert text == "ROMEO:" + expected


def check_translation(run, model):
    sentence = " ".join(piece.strip("▁") for piece in run.subwords.pieces[-3:])
    source = np.array([[*run.subwords.encode(sentence), END]])
    expected = greedy(model, [source], [FIRST], 20, END)
    (text,) = run.predict([sentence], beam_width=1)
    assert text == run.subwords.decode(expected)
    assert run.predict([sentence, ""])[1] == ""


def check_sums(run, model):
    question = encode_question("12+7", run.digits)
    tokens = greedy(model, [question], [START], run.digits + 2)
    assert run.predict(["3+4", "12+7"])[1] == written(tokens, is_answer=True)
    assert PAD not in tokens[:1]


def check_forecast(run, model):
    series = 5 + np.sin(np.arange(run.window + 7))
    x = (series[-run.window :] - run.mean) / run.scale
    expected = model.predict(x[None, :, None], verbose=0) * run.scale + run.mean
    near(run.predict([series]), expected)


def check_anomaly_score(run, model):
    x = images(run)
    near(run.predict(x), model.predict(as_learned(run, x), verbose=0))


def check_image_translator(run, model):
    x = images(run)
    for back in (False, True):
        found = run.predict(x, back=back) / 127.5 - 1
        expected = model.translate(as_learned(run, x), back=back)
        assert np.abs(found - expected).max() < 0.005


def check_generator(run, model):
    names = [*run.classes[:2]] or ["any", "any"]
    labels = [0, 1] if run.classes else None
    expected = model.sample(2, labels, seed=4)
    found = run.predict(names, seed=4)
    if run.makes_images:
        assert found.dtype == np.uint8
        found = found / 127.5 - 1
    assert np.abs(found - expected).max() < 0.005
    assert not np.array_equal(run.predict(names, seed=5), run.predict(names, seed=4))


CHECKS = {
    "image classifier": check_image_classifier,
    "sound classifier": check_sound_classifier,
    "transcriber": check_transcriber,
    "text classifier": check_text_classifier,
    "word-piece classifier": check_text_classifier,
    "tagger": check_tagger,
    "language model": check_language_model,
    "translation": check_translation,
    "sums": check_sums,
    "forecast": check_forecast,
    "anomaly score": check_anomaly_score,
    "image generator": check_generator,
    "image translator": check_image_translator,
    "point generator": check_generator,
}
