"""Steps of exported models that write: they write what `predict` writes."""

import json
import types

import keras
import numpy as np
import pytest

from cookbook import load_run
from cookbook.config import TrainingConfig
from cookbook.exports.command import write_export
from cookbook.exports.converters.formats import FORMATS
from cookbook.exports.portable.networks import in_order, read_settings
from cookbook.exports.portable.writers import CharacterModel, TranslationModel
from cookbook.exports.signature import exported
from cookbook.exports.steps import largest_difference_of_steps, step_of
from cookbook.trained.description import write_description
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.generation import SPECIALS, Subwords
from custom_layers.layers import (
    GRU,
    LSTM,
    Dense,
    Embedding,
    TransformerDecoderBlock,
)
from exported import run_readme
from recipes import multi30k_attention, multi30k_transformer

LAYERS = {
    "transformer": [
        lambda: TransformerDecoderBlock(8, 2, max_wavelength=100),
        lambda: TransformerDecoderBlock(8, 2, max_wavelength=100),
    ],
    "lstm": [lambda: LSTM(6, return_sequences=True)] * 2,
    "gru": [lambda: GRU(6, return_sequences=True)],
}
TEXTS = ["", "abba\n" * 5]


@pytest.fixture
def written(request, tmp_path):
    """The run of a tiny language model with such layers."""
    keras.utils.set_random_seed(1)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Rescaling(9)(Embedding(5, 8)(tokens))
    for layer in LAYERS[request.param]:
        x = layer()(x)
    model = keras.Model(tokens, Dense(5, kernel_initializer="random_normal")(x))
    settings = {"alphabet": "\0ab\nc", "context": 8}
    return run_of(model, "language model", settings, tmp_path)


def run_of(model, kind, settings, folder):
    run = RunFolder.open("tiny", TrainingConfig(run_dir=folder / "runs"))
    model.save(run.path / "model.keras")
    run.write_json("metrics.json", {})
    write_description(run, Description(kind, "tiny", "dots", (), settings))
    return load_run(run.path)


TRANSLATORS = {
    "transformer": (multi30k_transformer, {"blocks": 1, "heads": 2}),
    "bahdanau": (multi30k_attention, {"attention": "bahdanau"}),
    "luong": (multi30k_attention, {"attention": "luong"}),
}
SENTENCES = ["ab", "", "fed cab", "a" * 9]  # of which translations may be longer


@pytest.fixture
def translator(request, tmp_path):
    """The run of a tiny model that translates, with random weights."""
    recipe, sizes = TRANSLATORS[request.param]
    words = Subwords([*SPECIALS, *"\N{LOWER ONE EIGHTH BLOCK}abcdef"], [])
    data = types.SimpleNamespace(subwords=words, train=(None, np.zeros((64, 3))))
    model = recipe.build(recipe.Config(width=8, batch_size=8, **sizes), data)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    model.optimizer.build(model.trainable_variables)
    settings = {"pieces": words.pieces, "merges": [], "languages": ["de", "en"]}
    return run_of(model, "translation", settings, tmp_path)


class KerasStep:
    """The step that would be exported, before any format holds it."""

    def __init__(self, step):
        self.step = step
        self.places = []

    def outputs(self, **arrays):
        if "index" not in arrays:  # the encoder
            return [np.asarray(x) for x in self.step.plain(arrays["source"])]
        self.places.append(arrays["index"].item())
        return [np.asarray(x) for x in self.step.plain([*arrays.values()])]


@pytest.mark.parametrize("written", LAYERS, indirect=True)
def test_a_step_writes_what_predict_writes_and_reads_each_token_once(written):
    step = step_of(exported(written.model, written.description))
    network = KerasStep(step)
    assert largest_difference_of_steps(step, network) < 1e-6
    settings = {**written.description.settings, "states": step.states}
    model = CharacterModel(None, settings, network)
    expected = written.predict(TEXTS, length=11, temperature=1e-6)
    assert model.predict(TEXTS, length=11, temperature=1e-6) == expected
    network.places.clear()
    model.predict(["abba"], length=8)  # one window of 8, then its second half
    assert network.places == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("written", ["lstm"], indirect=True)
def test_without_a_step_the_network_writes_the_same(written):
    def network(tokens):
        return written.model.predict_on_batch(tokens)

    model = CharacterModel(network, written.description.settings)
    expected = written.predict(TEXTS, length=11, temperature=1e-6)
    assert model.predict(TEXTS, length=11, temperature=1e-6) == expected


@pytest.mark.parametrize("written", ["gru"], indirect=True)
@pytest.mark.parametrize("what", ["logits", "states"])
def test_a_step_that_is_wrong_is_seen(written, what):
    step = step_of(exported(written.model, written.description))

    class Wrong(KerasStep):
        def outputs(self, **arrays):
            logits, *states = super().outputs(**arrays)
            if what == "logits":
                return [logits * 1.01, *states]
            return [logits, *(state * 0.9 for state in states)]

    assert largest_difference_of_steps(step, Wrong(step)) > 1e-3


@pytest.mark.parametrize("translator", TRANSLATORS, indirect=True)
def test_a_step_translates_as_predict_does_without_a_beam(translator):
    step = step_of(exported(translator.model, translator.description))
    networks = KerasStep(step), KerasStep(step.encoder)
    assert largest_difference_of_steps(step, *networks) < 1e-5
    settings = translator.description.settings
    expected = translator.predict(SENTENCES, beam_width=1)
    assert len({*expected}) > 2  # the source matters
    networks[0].places.clear()
    model = TranslationModel(None, settings, *networks)
    assert model.predict(SENTENCES) == expected
    assert networks[0].places[:4] == [0, 1, 2, 3]  # it reads each token once

    def network(source, target):
        return translator.model.predict_on_batch([source, target])

    assert TranslationModel(network, settings).predict(SENTENCES[:1]) == expected[:1]


@pytest.mark.parametrize("translator", ["bahdanau"], indirect=True)
def test_an_encoder_that_is_wrong_is_seen(translator):
    step = step_of(exported(translator.model, translator.description))

    class Wrong(KerasStep):
        def outputs(self, **arrays):
            return [
                x * 0.9 if x.dtype != bool else x for x in super().outputs(**arrays)
            ]

    wrong = KerasStep(step), Wrong(step.encoder)
    assert largest_difference_of_steps(step, *wrong) > 1e-3


@pytest.mark.parametrize("written", ["gru"], indirect=True)
def test_an_export_whose_step_differs_leaves_nothing(
    written, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        "cookbook.exports.command.largest_difference_of_steps", lambda *both: 0.1
    )
    network = exported(written.model, written.description)
    with pytest.raises(SystemExit):
        write_export(network, "savedmodel", tmp_path / "out")
    assert "saved_step is removed" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["runs"]


def test_outputs_have_the_order_of_their_numbers():
    names = [f"output_{i}" for i in range(12)]
    assert in_order({name: name for name in sorted(names)}) == names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "name"),
    [("transformer", "litert"), ("lstm", "onnx"), ("transformer", "savedmodel")],
    indirect=["written"],
)
def test_an_export_writes_with_its_step(written, name, tmp_path):
    network = exported(written.model, written.description)
    folder = tmp_path / "out"
    write_export(network, name, folder)
    read = FORMATS[name].network
    step = read(folder, FORMATS[name].step)
    model = CharacterModel(read(folder), read_settings(folder), step)
    expected = written.predict(TEXTS, length=11, temperature=1e-6)
    assert model.predict(TEXTS, length=11, temperature=1e-6) == expected
    assert "## One step" in (folder / "README.md").read_text(encoding="utf-8")
    assert f'"{FORMATS[name].step}")' in (folder / "use.py").read_text(encoding="utf-8")
    if name == "litert":
        assert run_readme(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("translator", "name"),
    [("transformer", "litert"), ("luong", "onnx")],
    indirect=["translator"],
)
def test_an_export_translates_with_its_step(translator, name, tmp_path):
    network = exported(translator.model, translator.description)
    folder = tmp_path / "out"
    write_export(network, name, folder)
    form = FORMATS[name]
    files = (form.file, form.step, form.encoder)
    networks = [form.network(folder, file) for file in files]
    model = TranslationModel(networks[0], read_settings(folder), *networks[1:])
    assert model.predict(SENTENCES) == translator.predict(SENTENCES, beam_width=1)
    assert f"`{form.encoder}` returns" in (folder / "README.md").read_text("utf-8")
    assert f'"{form.encoder}")' in (folder / "use.py").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("written", ["gru"], indirect=True)
def test_keras_holds_the_network_alone(written, tmp_path):
    network = exported(written.model, written.description)
    write_export(network, "keras", tmp_path / "out")
    content = json.loads((tmp_path / "out" / "model.json").read_text(encoding="utf-8"))
    assert "states" not in content
