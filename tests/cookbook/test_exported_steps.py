"""Steps of exported language models: they write what `predict` writes."""

import json

import keras
import numpy as np
import pytest

from cookbook import load_run
from cookbook.config import TrainingConfig
from cookbook.exports.command import write_export
from cookbook.exports.formats import FORMATS
from cookbook.exports.portable.networks import in_order, read_settings
from cookbook.exports.portable.writers import CharacterModel
from cookbook.exports.signature import exported
from cookbook.exports.steps import largest_difference_of_steps, step_of
from cookbook.trained.description import write_description
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import (
    GRU,
    LSTM,
    Dense,
    Embedding,
    TransformerDecoderBlock,
)
from exported import run_readme

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
    run = RunFolder.open("tiny", TrainingConfig(run_dir=tmp_path / "runs"))
    model.save(run.path / "model.keras")
    run.write_json("metrics.json", {})
    settings = {"alphabet": "\0ab\nc", "context": 8}
    description = Description("language model", "tiny", "dots", (), settings)
    write_description(run, description)
    return load_run(run.path)


class KerasStep:
    """The step that would be exported, before any format holds it."""

    def __init__(self, step):
        self.step = step
        self.places = []

    def outputs(self, **arrays):
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
@pytest.mark.parametrize("written", ["gru"], indirect=True)
def test_keras_holds_the_network_alone(written, tmp_path):
    network = exported(written.model, written.description)
    write_export(network, "keras", tmp_path / "out")
    content = json.loads((tmp_path / "out" / "model.json").read_text(encoding="utf-8"))
    assert "states" not in content
