"""Formats of exports: what converters lack is added, or named in one line."""

import inspect
import types

import keras
import numpy as np
import pytest

import custom_layers.activations
from cookbook.exports.converters.formats import NotPossible, read_network, write_network

onnxruntime = pytest.importorskip("onnxruntime")


def network_with(answers, x):
    """What `write_network` takes, of a model from x to answers."""
    specs = [keras.InputSpec("float32", x.shape, name="x")]
    return types.SimpleNamespace(plain=keras.Model(x, answers), specs=lambda: specs)


@pytest.mark.slow
@pytest.mark.parametrize("home", [keras.activations, custom_layers.activations])
def test_every_activation_becomes_onnx(home, tmp_path):
    others = ["deserialize", "get", "serialize"]  # functions of Keras beside them
    activations = {
        name: activation
        for name, activation in inspect.getmembers(home, inspect.isroutine)
        if name not in others
    }
    activations["threshold"] = lambda x: home.threshold(x, -2.0, 0.5)
    x = keras.Input((6,))
    answers = {name: keras.layers.Activation(f)(x) for name, f in activations.items()}
    network = network_with(answers, x)
    write_network(network, "onnx", tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(0, 3, (50, 6)).astype("float32")
    expected = network.plain.predict_on_batch(x)
    for name, answer in zip(sorted(answers), session.run(None, {"x": x}), strict=True):
        np.testing.assert_allclose(answer, expected[name], 1e-5, 1e-6, err_msg=name)


@pytest.mark.slow
def test_a_constant_that_would_become_an_input_of_onnx_is_refused(tmp_path):
    x = keras.Input((6,))
    network = network_with(x * keras.ops.convert_to_tensor(2.0), x)
    with pytest.raises(NotPossible, match="take the constant"):
        write_network(network, "onnx", tmp_path / "model.onnx")


@pytest.mark.slow
def test_a_file_that_its_runtime_refuses_is_named(tmp_path):
    x = keras.Input((4, 4, 3))
    larger = keras.layers.Conv2DTranspose(1, 3, strides=3, output_padding=1)(x)
    write_network(network_with(larger, x), "onnx", tmp_path / "model.onnx")
    with pytest.raises(NotPossible, match="its runtime refuses the file"):
        read_network("onnx", tmp_path)
