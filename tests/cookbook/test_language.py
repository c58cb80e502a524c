"""Language models of characters: honest windows, writing with the trained layers."""

import types
from pathlib import Path

import keras
import numpy as np
import pytest

from cookbook.answers.decoders import character_decoder
from cookbook.answers.writers import LanguageModel, write_on
from cookbook.data.text.characters import UNKNOWN, encode, load_characters
from cookbook.errors import Mistake
from cookbook.trained.trained_run import Description
from custom_layers.generation import compiled
from recipes import shakespeare_gpt, shakespeare_rnn

SIZES = {
    "gpt": (shakespeare_gpt, {"width": 8, "blocks": 2, "heads": 2}),
    "lstm": (shakespeare_rnn, {"units": 8, "cell": "lstm"}),
    "gru": (shakespeare_rnn, {"units": 8, "cell": "gru"}),
    "mingru": (shakespeare_rnn, {"units": 8, "cell": "mingru"}),
    **{
        f"gpt, {positions}": (
            shakespeare_gpt,
            {
                **{"width": 8, "heads": 2, "positions": positions},
                **{"feed_forward": gate, "normalization": "rms", "key_value_heads": 1},
            },
        )
        for positions, gate in [
            *[("rotary", "swiglu"), ("alibi", "geglu")],
            *[("relative", "swiglu"), ("none", "relu")],
        ]
    },
}
KINDS = [  # of which those that take seconds more are slow
    pytest.param(kind, marks=pytest.mark.slow) if "gpt," in kind else kind
    for kind in SIZES
]
DATA = types.SimpleNamespace(alphabet="\0abcde", train=(np.zeros((320, 8)),))


def recipe_and_model(kind):
    recipe, sizes = SIZES[kind]
    model = recipe.build(recipe.Config(batch_size=8, **sizes), DATA)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return recipe, model


def test_the_target_is_the_text_one_character_later():
    data = load_characters("small_talk", "small_talk", 32)
    for x, y in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
        assert x.shape == y.shape
        assert x.shape[1] == 32


def test_validation_predicts_every_character_once():
    data = load_characters("small_talk", "small_talk", 32)
    x, y = data.validation
    np.testing.assert_array_equal(x[1:, 0], y[:-1, -1])


def test_the_alphabet_is_that_of_the_training_text_alone(monkeypatch):
    texts = {"train": "abab" * 20, "validation": "abcb" * 20, "test": "abdb" * 20}
    monkeypatch.setattr("cookbook.data.text.characters._small_talk", lambda: texts)
    data = load_characters("small_talk", "small_talk", 8)
    assert data.alphabet == UNKNOWN + "ab"
    assert set(np.unique(data.test[0])) == {0, 1, 2}


def test_a_context_longer_than_the_text_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        load_characters("small_talk", "small_talk", 100_000)
    assert stop.value.code == 2
    assert "--context got 100000" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", [1, 4])
def test_step_by_step_gives_the_logits_of_training(kind, prompt):
    """The same weights and code; and so no character sees one behind it."""
    _, model = recipe_and_model(kind)
    tokens = np.random.default_rng(1).integers(1, 6, size=(1, 10)).astype("int32")
    expected = np.array(model(tokens))
    next_logits, state = character_decoder(model)(tokens[:, :prompt], 10)
    for index in range(prompt - 1, 10):
        logits, state = next_logits(tokens, index, state)
        np.testing.assert_allclose(logits, expected[:, index], rtol=2e-4, atol=2e-4)


def test_one_program_serves_all_places():
    traced = []

    @compiled
    def next_logits(tokens, index, state):
        traced.append(index)
        return keras.ops.take(tokens, index, axis=1), state + 1

    tokens, state = np.arange(6)[None], np.zeros(1)
    for index in range(6):
        logits, state = next_logits(tokens, index, state)
        assert (int(logits[0]), int(state[0])) == (index, index + 1)
    assert len(traced) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_writing_goes_on_from_any_text_by_seed(kind):
    _, model = recipe_and_model(kind)
    decoder = character_decoder(model)

    def write(text, seed=0):
        return write_on(decoder, text, 20, DATA.alphabet, context=8, seed=seed)

    for text in ("", "a", "abcdeabcdeabcde", "é😀\x07"):
        written = write(text)
        assert written.startswith(text)
        assert len(written) == len(text) + 20
        assert UNKNOWN not in written
    assert write("a") == write("a")
    assert write("a") != write("a", seed=1)


@pytest.fixture(scope="module")
def run():
    """A language model that answers as `load_run` gives it."""
    settings = {"alphabet": DATA.alphabet, "context": 8}
    description = Description("language model", "r", "d", (), settings)
    return LanguageModel(Path("a_run"), description, recipe_and_model("gru")[1])


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ("abc", {}, "got a text, expected a list of texts"),
        (["a"], {"length": -1}, "length got -1, expected at least 1"),
        (["a"], {"temperature": 0}, "temperature got 0, expected a number above 0"),
        (["a"], {"temperature": float("nan")}, "temperature got nan"),
    ],
)
def test_a_language_model_refuses_what_it_cannot_continue(
    inputs, options, message, run
):
    with pytest.raises(Mistake, match=message):
        run.predict(inputs, **options)


def test_a_language_model_says_whether_it_knows_a_character(run):
    assert [run.knows(text) for text in ("", "\xdfa", "\xdf\xdf")] == [
        True,
        True,
        False,
    ]


def test_what_was_read_of_unknown_characters_is_number_0():
    assert encode("aé", "\0a").tolist() == [1, 0]


def test_the_loss_of_an_untrained_model_is_that_of_guessing():
    from cookbook.reports.language_model import _losses

    _, model = recipe_and_model("gpt")
    model.set_weights([0 * w for w in model.get_weights()])
    x = np.ones((3, 8), "int32")
    assert np.allclose(_losses(model, x, x), np.log(6))
