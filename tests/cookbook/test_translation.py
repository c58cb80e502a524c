"""Translation: padding never counts, masks at their places, decoding as trained."""

import os
import types

import numpy as np
import pytest

from cookbook.answers.decoders import translation_decoder
from cookbook.answers.load import print_answer
from cookbook.answers.writers import Translator, translate
from cookbook.data.text.translation import load_translations, pad
from cookbook.reports.translation import bleu
from cookbook.trained.trained_run import Description
from custom_layers.generation import END, SPECIALS, START, Subwords
from custom_layers.losses import TokenCrossentropy
from recipes import multi30k_attention, multi30k_transformer

SIZES = {
    "transformer": (multi30k_transformer, {"blocks": 2, "heads": 2}),
    "bahdanau": (multi30k_attention, {"attention": "bahdanau"}),
    "luong": (multi30k_attention, {"attention": "luong"}),
}
WORDS = Subwords([*SPECIALS, *"▁abcdef"], [])
DATA = types.SimpleNamespace(subwords=WORDS, train=(None, np.zeros((64, 3))))


@pytest.fixture(scope="module", params=SIZES)
def translator(request):
    """(recipe, model with random weights)."""
    recipe, sizes = SIZES[request.param]
    model = recipe.build(recipe.Config(width=8, batch_size=8, **sizes), DATA)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return recipe, model


def tokens(*shape):
    rng = np.random.default_rng(len(shape) + shape[-1])
    return rng.integers(len(SPECIALS), len(WORDS), size=shape).astype("int32")


def padded(x, columns):
    return np.pad(x, [(0, 0), (0, columns)])


def assert_near(x, y):
    np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("columns", [1, 7])
def test_padding_of_the_source_never_changes_a_prediction(translator, columns):
    _, model = translator
    source, target = tokens(3, 5), tokens(3, 4)
    expected = model([source, target])
    assert_near(model([padded(source, columns), target]), expected)


def test_rows_of_other_lengths_change_no_row(translator):
    """The attention to the source is under the source's mask, not the target's."""
    _, model = translator
    sources, targets = [tokens(1, 3), tokens(1, 6)], [tokens(1, 7), tokens(1, 2)]
    together = model([pad([s[0] for s in sources]), pad([t[0] for t in targets])])
    for i, (source, target) in enumerate(zip(sources, targets)):
        expected = model([source, target])[0]
        assert_near(together[i, : target.shape[1]], expected)


def test_no_prediction_sees_the_target_behind_it(translator):
    _, model = translator
    source, target = tokens(2, 5), tokens(2, 6)
    changed = target.copy()
    changed[:, 3:] = START
    before, after = model([source, target]), model([source, changed])
    assert_near(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3:] - after[:, 3:]).max() > 1e-2


def test_step_by_step_gives_the_logits_of_training(translator):
    _, model = translator
    source, target = tokens(2, 5), tokens(2, 6)
    source[1, 3:] = 0
    expected = model([source, target])
    next_logits, state = translation_decoder(model)(source, 6)
    for index in range(6):
        logits, state = next_logits(target, index, state)
        assert_near(logits, expected[:, index])


def test_a_batch_is_translated_as_each_sentence_alone(translator):
    _, model = translator
    sentences = ["a b c d e f", "f", "", "b a", "😀", "c c c a"]
    decoder = translation_decoder(model)
    together = translate(decoder, sentences, WORDS)
    alone = [translate(decoder, [s], WORDS)[0] for s in sentences]
    assert together == alone
    assert together[2] == together[4] == ""


def test_padding_is_not_counted_in_the_loss():
    rng = np.random.default_rng(0)
    y, z = np.array([[1, 2, 3], [4, 0, 0]]), rng.normal(size=(2, 3, 5))
    for e in (0.0, 0.1):
        log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
        surprise = [
            -(1 - e) * log_p[i, t, y[i, t]] - e * log_p[i, t].mean()
            for i, t in zip(*np.nonzero(y))
        ]
        loss = TokenCrossentropy(e)
        np.testing.assert_allclose(loss(y, z), np.mean(surprise), rtol=1e-5)
        wider = padded(y, 4), np.pad(z, [(0, 0), (0, 4), (0, 0)])
        np.testing.assert_allclose(loss(*wider), np.mean(surprise), rtol=1e-5)
        kept = TokenCrossentropy.from_config(loss.get_config())
        np.testing.assert_allclose(kept(y, z), loss(y, z))


def test_a_batch_of_padding_alone_has_loss_0():
    assert float(TokenCrossentropy()(np.zeros((2, 3)), np.ones((2, 3, 5)))) == 0


def test_the_vocabulary_is_learned_from_the_training_part_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    texts = {
        part: [[f"ein {word} hund"] * 3, [f"a {word} dog"] * 3]
        for part, word in (("train", "xx"), ("validation", "yy"), ("test", "zz"))
    }
    module = "cookbook.data.text.translation._toy_captions"
    monkeypatch.setattr(module, lambda: texts)
    for _ in ("learned", "from the cache"):
        data = load_translations("toy_captions", "multi30k", 60, 40)
        characters = {c for piece in data.subwords.pieces[4:] for c in piece}
        assert "x" in characters
        assert not {"y", "z"} & characters
    assert len(list(tmp_path.glob("cookbook/*.json"))) == 1


def test_no_test_sentence_is_in_the_training_part():
    data = load_translations("toy_captions", "multi30k", 300, 40)
    parts = [set(zip(*data.sentences[p])) for p in ("train", "validation", "test")]
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts))


def test_source_and_target_end_and_what_is_before_the_target_starts():
    data = load_translations("toy_captions", "multi30k", 300, 40)
    (source, before), target = data.train
    for row in (source[0], target[0]):
        assert row[np.count_nonzero(row) - 1] == END
    assert before[0, 0] == START
    length = np.count_nonzero(target[0])
    np.testing.assert_array_equal(before[0, 1:length], target[0, : length - 1])
    sentence = data.sentences["train"][1][0]
    assert data.subwords.decode(target[0]) == sentence


def test_bleu_is_100_for_the_references_and_names_its_signature():
    lines = ["A dog runs in the park.", "Two men sit at the beach."]
    score, signature = bleu(lines, lines)
    assert score == pytest.approx(100)
    assert "tok:13a" in signature
    assert bleu(["x"] * 2, lines)[0] < 5


def test_a_damaged_cache_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    first = load_translations("toy_captions", "multi30k", 200, 40)
    (file,) = tmp_path.glob("cookbook/*.json")
    file.write_text("{")
    again = load_translations("toy_captions", "multi30k", 200, 40)
    assert again.subwords.pieces == first.subwords.pieces
    np.testing.assert_array_equal(again.train[1], first.train[1])
    assert os.stat(file).st_size > 10


@pytest.mark.parametrize("recipe", [multi30k_transformer, multi30k_attention])
def test_translating_without_a_finished_run_is_one_line(recipe, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        recipe.main(recipe.Config(run_dir=tmp_path, translate="ein Hund"))
    assert stop.value.code == 2
    assert "holds no finished run" in capsys.readouterr().err


def test_sentences_that_a_user_may_type(translator, tmp_path, monkeypatch, capsys):
    recipe, model = translator
    settings = {
        "languages": ["German", "English"],
        "pieces": WORDS.pieces,
        "merges": WORDS.merges,
    }
    description = Description("translation", "recipe", "data", (), settings)
    run = Translator(tmp_path, description, model)
    monkeypatch.setattr("cookbook.answers.load.run_to_ask", lambda *_: run)

    def say(text):
        config = recipe.Config(translate=text)
        print_answer("recipe", config, "translation")
        return capsys.readouterr().out

    for text in ("a", "a 😀 b", "a\x07b", "zzz a"):
        assert say(text).endswith("\n")
    for text in ("", "   ", "😀", "zzz", "a " * 5_000):
        with pytest.raises(SystemExit) as stop:
            say(text)
        assert stop.value.code == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
