"""LSTM and GRU by cuDNN, which processors lack: here others do what it documents.

What is tested is all that Keras and we put around the kernel: the order of the gates
and the layout of the biases, masks, directions, states and dropout. In place of the
kernel stand torch's own kernel for processors, the reference that JAX has for it, and
for TensorFlow the formulas, which unpack the parameters as cuDNN does.
"""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import GRU, LSTM
from custom_layers.layers.recurrent import gpu
from oracle import array, assert_close

BACKEND = keras.backend.backend()
X = array(3, 5, 4)
PADDED = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
RAGGED = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
LAYERS = [LSTM] if BACKEND == "jax" else [LSTM, GRU]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cudnn_in_numpy(x, h, c, params, mode, lengths):
    """The LSTM or GRU of cuDNN's documentation: rows x, matrices (units, width)."""
    gates = {"lstm": 4, "gru": 3}[mode]
    units, width = h.shape[-1], x.shape[-1]
    sizes = [units * width] * gates + [units * units] * gates + [units] * 2 * gates
    pieces = np.split(params, np.cumsum(sizes)[:-1])
    W = [p.reshape(units, width) for p in pieces[:gates]]
    R = [p.reshape(units, units) for p in pieces[gates : 2 * gates]]
    b_W, b_R = pieces[2 * gates : 3 * gates], pieces[3 * gates :]
    y = np.zeros((*x.shape[:2], units), "float32")
    for row, steps in enumerate(lengths):
        for t in range(steps):
            x_W = [w @ x[row, t] + b for w, b in zip(W, b_W)]
            h_R = [r @ h[row] + b for r, b in zip(R, b_R)]
            if mode == "lstm":
                i, f, g, o = (a + b for a, b in zip(x_W, h_R))
                c[row] = sigmoid(f) * c[row] + sigmoid(i) * np.tanh(g)
                h[row] = sigmoid(o) * np.tanh(c[row])
            else:
                r, i = (sigmoid(a + b) for a, b in zip(x_W[:2], h_R[:2]))
                new = np.tanh(x_W[2] + r * h_R[2])
                h[row] = (1 - i) * new + i * h[row]
            y[row, t] = h[row]
    return y, h, c


def cudnn_for_tensorflow(monkeypatch):
    import tensorflow as tf

    rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")

    def kernel(input, input_h, input_c, params, rnn_mode, sequence_lengths, **ignored):
        h = input_h[:, 0].numpy()
        c = input_c[:, 0].numpy() if rnn_mode == "lstm" else None
        lengths = sequence_lengths.numpy()
        y, h, c = cudnn_in_numpy(input.numpy(), h, c, params.numpy(), rnn_mode, lengths)
        c = None if c is None else c[:, None]
        return (
            *(None if a is None else tf.constant(a) for a in (y, h[:, None], c)),
            0,
            0,
        )

    build = {"is_cuda_build": True, "is_rocm_build": False}
    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: build)
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", kernel)


def cudnn_for_torch(monkeypatch):
    rnn = importlib.import_module("keras.src.backend.torch.rnn")

    def kernel(layer, sequences, mask):
        run = {"lstm": rnn._cudnn_lstm, "gru": rnn._cudnn_gru}[layer.kernel_on_gpu]
        unused = ("activation", "recurrent_activation", "go_backwards", "unroll")

        def run_on_this_processor(x, *states_and_mask, **options):
            options = {k: v for k, v in options.items() if k not in unused}
            weights = [
                ops.convert_to_tensor(options.pop(name))
                for name in ("kernel", "recurrent_kernel", "bias")
            ]
            *states, _ = states_and_mask
            return run(x, *states, *weights, **options, device=x.device)

        return None if mask is not None else run_on_this_processor

    monkeypatch.setattr(gpu, "gpu_kernel", kernel)


def cudnn_for_jax(monkeypatch):
    import jax.experimental.rnn as experimental

    rnn = importlib.import_module("keras.src.backend.jax.rnn")

    def kernel(x, h, c, weights, lengths, **options):
        W, R, b_W, b_R = experimental.unpack_lstm_weights(
            weights,
            options["input_size"],
            options["hidden_size"],
            options["num_layers"],
            options["bidirectional"],
        )
        return experimental.lstm_ref(
            x,
            h,
            c,
            W,
            R,
            b_W,
            b_R,
            lengths,
            input_size=options["input_size"],
            hidden_size=options["hidden_size"],
            num_layers=options["num_layers"],
            dropout=options["dropout"],
            bidirectional=options["bidirectional"],
        )

    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(experimental, "lstm", kernel)


@pytest.fixture
def cudnn(monkeypatch):
    make = {
        "tensorflow": cudnn_for_tensorflow,
        "torch": cudnn_for_torch,
        "jax": cudnn_for_jax,
    }
    make[BACKEND](monkeypatch)


def outputs(cls, use_cudnn, kwargs, call):
    keras.utils.set_random_seed(5)
    layer = cls(2, use_cudnn=use_cudnn, return_state=True, seed=1, **kwargs)
    layer.build(X.shape)
    for w in layer.trainable_weights:
        w.assign(array(*w.shape, seed=7))
    return layer(X, **call)


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize(
    ("kwargs", "call"),
    [
        ({}, {}),
        ({"return_sequences": True}, {}),
        ({"return_sequences": True, "go_backwards": True}, {}),
        ({"return_sequences": True}, {"initial_state": True}),
        ({"dropout": 0.5}, {"training": True}),
    ],
    ids=str,
)
def test_cudnn_returns_what_the_loop_returns(cls, kwargs, call, cudnn):
    if "initial_state" in call:
        states = [array(3, 2, seed=4), array(3, 2, seed=5)]
        call = {"initial_state": states[: 2 if cls is LSTM else 1]}
    desired = outputs(cls, False, kwargs, call)
    for actual, wanted in zip(outputs(cls, True, kwargs, call), desired, strict=True):
        assert_close(actual, wanted, 1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only there it reads masks")
@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("mask", [PADDED, RAGGED], ids=["padded", "ragged"])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
def test_masks_return_what_the_loop_returns(
    cls, mask, go_backwards, zero_output_for_mask, cudnn
):
    kwargs = {
        "return_sequences": True,
        "go_backwards": go_backwards,
        "zero_output_for_mask": zero_output_for_mask,
    }
    call = {"mask": mask}
    desired = outputs(cls, False, kwargs, call)
    for actual, wanted in zip(outputs(cls, "auto", kwargs, call), desired, strict=True):
        assert_close(actual, wanted, 1e-5)


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize(
    "kwargs",
    [
        {"recurrent_dropout": 0.5},
        {"activation": "relu"},
        {"use_bias": False},
        {"unroll": True},
    ],
    ids=str,
)
def test_true_is_an_error_where_cudnn_cannot_run(cls, kwargs, cudnn):
    if BACKEND == "torch" and "recurrent_dropout" not in kwargs:
        pytest.skip("the processor's kernel is taken without asking")
    outputs(cls, "auto", kwargs, {"training": True})
    with pytest.raises(ValueError, match="cuDNN is not supported"):
        outputs(cls, True, kwargs, {"training": True})


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_without_a_gpu_auto_takes_the_loop_and_true_is_an_error(cls):
    outputs(cls, "auto", {}, {})
    with pytest.raises(ValueError, match="cuDNN is not supported"):
        outputs(cls, True, {}, {})
