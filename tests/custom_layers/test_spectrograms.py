"""Spectrograms: Keras's layers, SciPy's transforms, formulas in NumPy."""

import keras
import numpy as np
import pytest
import scipy.signal
from keras import ops

from custom_layers.layers import MelSpectrogram, STFTSpectrogram
from custom_layers.layers.audio.windows import NAMES, _window_values
from mutation import mutated
from oracle import Case, array, assert_close, assert_same_layer

ROOM = "custom_layers.layers.audio"
needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow"
)
MODES = ["log", "magnitude", "psd", "real", "imag", "angle", "stft"]


@pytest.mark.parametrize("is_periodic", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_windows_are_those_of_scipy(name, is_periodic):
    for length in (1, 2, 7, 16):
        expected = scipy.signal.get_window(name, length, is_periodic)
        found = _window_values(name, length, is_periodic)
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    "arguments",
    [
        *({"mode": mode} for mode in MODES if mode != "angle"),
        {"mode": "stft", "expand_dims": True},
        {"mode": "psd", "padding": "same", "frame_step": 3, "expand_dims": True},
        {"window": None, "scaling": None},
        {"window": [1.0, 2.0, 3.0, 4.0, 3.0, 2.0], "scaling": "spectrum"},
    ],
    ids=str,
)
def test_kernels_of_keras_give_keras_spectrogram(arguments):
    """Values and gradients to the sound and to the kernels."""
    options = {"frame_length": 6, "fft_length": 8, "data_format": "channels_last"}
    x = array(2, 21, 2)
    assert_same_layer(Case("STFTSpectrogram", {**options, **arguments}, x, rtol=1e-4))


def test_an_angle_is_that_of_both_parts():
    x = array(2, 21, 2)
    parts = [STFTSpectrogram(mode, 6)(x) for mode in ("imag", "real", "angle")]
    imag, real, angle = map(ops.convert_to_numpy, parts)
    np.testing.assert_allclose(
        np.exp(1j * angle) * np.hypot(real, imag), real + 1j * imag, atol=1e-5
    )


@pytest.mark.parametrize("expand_dims", [True, False])
def test_layouts_agree(expand_dims):
    options = {"frame_length": 6, "expand_dims": expand_dims}
    x = array(2, 21, 3)
    last = STFTSpectrogram(**options, data_format="channels_last")(x)
    first = STFTSpectrogram(**options, data_format="channels_first")
    y = first(np.moveaxis(x, 2, 1))
    axes = (0, 2, 3, 1) if expand_dims else (0, 2, 1)
    assert_close(ops.transpose(y, axes), last)
    assert first.compute_output_shape((2, 3, 21)) == tuple(y.shape)


def error_of_stft(cls):
    """The largest difference to the power spectral density of SciPy."""
    x = array(2, 40, 1)
    errors = []
    for options in (
        {"frame_length": 16, "frame_step": 5, "fft_length": 32},
        {"frame_length": 8, "window": "tukey", "scaling": "spectrum"},
        {"frame_length": 9, "fft_length": 15, "window": "boxcar", "frame_step": 2},
        {"frame_length": 12, "periodic": True, "window": "blackman"},
    ):
        options = {"frame_step": 4, "fft_length": 16, "scaling": "density", **options}
        layer = cls(mode="psd", **options)
        length = layer.frame_length
        window = scipy.signal.get_window(layer.window, length, layer.periodic)
        *_, expected = scipy.signal.spectrogram(
            x[..., 0],
            window=window,
            nperseg=length,
            noverlap=length - options["frame_step"],
            nfft=options["fft_length"],
            scaling=options["scaling"],
            detrend=False,
            mode="psd",
        )
        found = ops.convert_to_numpy(layer(ops.convert_to_tensor(x)))
        difference = found - expected.transpose(0, 2, 1)
        errors.append(np.abs(difference).max() / np.abs(expected).max())
    return max(errors)


def test_a_spectrogram_is_that_of_scipy():
    """Also of an odd fft_length, of which Keras takes the even number below."""
    assert error_of_stft(STFTSpectrogram) < 1e-5


def numpy_mel(x, N, s, length, rate, bands, low, high, e, p, r, top):
    """Mel spectrograms of sounds (B, T), written from the formula."""
    w = np.zeros(N)
    before = (N - length) // 2
    w[before : before + length] = scipy.signal.get_window("hann", length)
    x = np.pad(x, [(0, 0), (N // 2, N // 2)], mode="reflect")
    starts = range(0, x.shape[1] - N + 1, s)
    X = np.fft.rfft(np.stack([x[:, i : i + N] * w for i in starts], axis=1))
    edges = np.linspace(*(1127 * np.log(1 + np.array([low, high]) / 700)), bands + 2)
    A = np.zeros((N // 2 + 1, bands))
    for k in range(1, N // 2 + 1):
        mel = 1127 * np.log(1 + k * rate / N / 700)
        for b in range(bands):
            left, middle, right = edges[b : b + 3]
            up, down = (mel - left) / (middle - left), (right - mel) / (right - middle)
            A[k, b] = max(0, min(up, down))
    S = np.abs(X) ** e @ A
    y = 10 * np.log10(np.maximum(S, p)) - 10 * np.log10(max(r, p))
    y = np.maximum(y, y.max(axis=(1, 2), keepdims=True) - top)
    return y.transpose(0, 2, 1)


def error_of_mel(cls):
    """The largest difference to the formula in NumPy, in decibels."""
    x = array(2, 100) * np.array([[1], [1e-4]], "float32")
    errors = []
    for N, length, e, r, top in ((32, 32, 2.0, 1.0, 30.0), (32, 21, 1.0, 3.0, 12.0)):
        powers = {"top_db": top, "mag_exp": e, "min_power": 1e-9, "ref_power": r}
        layer = cls(N, 10, length, "hann", 8000, 5, 100.0, 3500.0, **powers)
        expected = numpy_mel(x, N, 10, length, 8000, 5, 100, 3500, e, 1e-9, r, top)
        found = ops.convert_to_numpy(layer(ops.convert_to_tensor(x)))
        errors.append(np.abs(found - expected).max())
    return max(errors)


def test_a_mel_spectrogram_is_its_formula():
    assert error_of_mel(MelSpectrogram) < 1e-3


@needs_tensorflow
@pytest.mark.parametrize(
    "arguments",
    [{}, {"sequence_length": 20, "window": "hamming"}, {"power_to_db": False}],
)
def test_of_one_sound_keras_makes_the_same(arguments):
    options = {"fft_length": 32, "sequence_stride": 9, "num_mel_bins": 6, **arguments}
    x = ops.convert_to_tensor(array(1, 100))
    theirs = keras.layers.MelSpectrogram(**options)(x)
    assert_close(MelSpectrogram(**options)(x), theirs, 2e-4)
    ours = MelSpectrogram(**options)
    keys = keras.layers.MelSpectrogram(**options).get_config().keys()
    assert ours.get_config().keys() == keys


def test_a_sound_gets_the_same_answer_in_every_batch():
    x = array(2, 100) * np.array([[1], [1e-6]], "float32")
    layer = MelSpectrogram(32, 9, num_mel_bins=6)
    together = ops.convert_to_numpy(layer(x))
    for i in range(2):
        assert_close(together[i], layer(x[i]), 1e-4)
    deep = layer(np.stack([x, x], axis=1))
    assert_close(ops.convert_to_numpy(deep)[:, 1], together, 1e-4)


@needs_tensorflow
@pytest.mark.parametrize("mag_exp", [1.0, 2.0])
def test_silence_has_a_finite_gradient(mag_exp):
    """Keras's is NaN on JAX and torch if mag_exp is 1, through the root of 0."""
    import tensorflow as tf

    x = tf.zeros((1, 100))
    layer = MelSpectrogram(32, 9, num_mel_bins=6, mag_exp=mag_exp)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert np.isfinite(tape.gradient(y, x)).all()
    assert np.isfinite(y).all()


@pytest.mark.parametrize("stride", [7, 10])
def test_the_promised_number_of_frames_is_the_real_one(stride):
    for N, T in ((32, 99), (32, 100), (31, 99)):
        layer = MelSpectrogram(N, stride, num_mel_bins=3)
        assert layer.compute_output_shape((2, T)) == layer(array(2, T)).shape
    spectrogram = STFTSpectrogram(frame_length=stride, padding="same", frame_step=3)
    shape = spectrogram(array(2, 20, 1)).shape
    assert spectrogram.compute_output_shape((2, 20, 1)) == shape
    assert spectrogram.compute_output_shape((None, None, 1))[1] is None


def test_integers_become_floats():
    x = array(2, 100, dtype="int16", low=-99, high=99)
    mel = MelSpectrogram(32, 9, num_mel_bins=6)
    assert_close(mel(x), mel(x.astype("float32")))
    stft = STFTSpectrogram(frame_length=8)
    assert_close(stft(x[..., None]), stft(x[..., None].astype("float32")))


MUTANTS = [
    ("STFTSpectrogram", "-2 * np.pi * (t * k % self.N)", "-np.pi * (t * k % self.N)"),
    ("STFTSpectrogram", "np.sum(w**2)", "np.mean(w**2)"),
    ("STFTSpectrogram", "np.sum(np.abs(w))", "np.max(np.abs(w))"),
    ("STFTSpectrogram", "2 * k != self.N", "k < self.N // 2"),
    ("STFTSpectrogram", "(k > 0) &", ""),
    ("STFTSpectrogram", "square + ops.square(imag)", "square"),
    ("STFTSpectrogram", "strides=self.step", "strides=self.step + 1"),
    ("MelSpectrogram", "before = (N - length) // 2", "before = 0"),
    ("MelSpectrogram", 'mode="reflect"', 'mode="constant"'),
    ("MelSpectrogram", "A[0] = 0", "A[0] = 1"),
    ("MelSpectrogram", "hertz / 700.0", "hertz / 1000.0"),
    ("MelSpectrogram", "axis=(-1, -2), keepdims=True", "keepdims=True"),
    ("MelSpectrogram", "(self.mag_exp / 2)", "self.mag_exp"),
    ("MelSpectrogram", "y - 10 * np.log10(reference", "y + 10 * np.log10(reference"),
    ("MelSpectrogram", "edges[1:-1]) / width", "edges[:-2]) / width"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("name", "right", "wrong"), MUTANTS)
def test_a_mistake_in_the_formula_is_found(name, right, wrong):
    is_mel = name == "MelSpectrogram"
    file = "mel_spectrogram" if is_mel else "stft_spectrogram"
    error_of = error_of_mel if is_mel else error_of_stft
    try:
        error = error_of(mutated(name, ROOM, ["windows", file], right, wrong))
    except ValueError:
        return  # the shapes differ
    assert error > 1e-2


@needs_tensorflow
def test_pipelines_of_tensorflow_and_sounds_of_unknown_length():
    import tensorflow as tf

    layer = MelSpectrogram(32, 9, num_mel_bins=6)
    sounds = array(3, 100)
    batches = tf.data.Dataset.from_tensor_slices(sounds).batch(2)
    found = [*batches.map(layer)]
    assert_close(found[0], layer(sounds[:2]), 1e-4)
    inputs = keras.Input((None, 1))
    y = STFTSpectrogram(frame_length=8, trainable=False)(inputs)
    assert y.shape == (None, None, 5)
    model = keras.Model(inputs, y)
    for T in (20, 30):
        assert model(array(2, T, 1)).shape == (2, (T - 8) // 4 + 1, 5)
    assert not model.trainable_weights


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: STFTSpectrogram("power"), "`mode`"),
        (lambda: STFTSpectrogram(window="flat"), "`window` .*hann"),
        (lambda: STFTSpectrogram(window=[1.0, 2.0]), "256 values.* 2"),
        (lambda: STFTSpectrogram(frame_length=2), "0 everywhere"),
        (lambda: STFTSpectrogram(frame_length=8, frame_step=9), "frame_step=9"),
        (lambda: STFTSpectrogram(frame_step=0), "`frame_step`"),
        (lambda: STFTSpectrogram(fft_length=128), "fft_length=128"),
        (lambda: STFTSpectrogram(scaling="l2"), "`scaling`"),
        (lambda: STFTSpectrogram(padding="causal"), "`padding`"),
        (lambda: MelSpectrogram(256, sequence_length=512), "greater than or equal"),
        (lambda: MelSpectrogram(num_mel_bins=0), "`num_mel_bins`"),
        (lambda: MelSpectrogram(max_freq=9000.0), "sampling_rate / 2"),
        (lambda: MelSpectrogram(32)(array(1, 16)), "more than fft_length / 2 = 16"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
