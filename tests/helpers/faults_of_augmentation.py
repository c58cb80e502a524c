"""Faults of Keras's layers that vary images or analyze sounds, measured here."""

import warnings

import keras
import numpy as np
from keras import ops

from known_faults import fault, gradient, is_finite
from oracle import array


@fault("MixUp", "", [4], "a shape of (4, 4)")
def mix_up_of_one_number_per_image(lib):
    """Labels (B,) become (B, B): each is mixed by the weights of all images."""
    parts = {"images": array(4, 2, 2, 1), "labels": array(4)}
    return list(lib.layers.MixUp(seed=1)(parts, training=True)["labels"].shape)


@fault("CutMix", "", True, "wrong by up to 0.4 in images of 4 x 4")
def share_of_pixels_in_the_labels(lib):
    """Labels are mixed by another share than that of the pixels that are pasted."""
    numbers = np.arange(16, dtype="float32")
    images = np.ones((16, 4, 4, 1), "float32") * numbers[:, None, None, None]
    parts = {"images": images, "labels": numbers[:, None]}
    mixed = lib.layers.CutMix(seed=1)(parts, training=True)
    brightness = ops.mean(mixed["images"], axis=(1, 2, 3))
    error = ops.convert_to_numpy(mixed["labels"][:, 0] - brightness)
    return bool(np.abs(error).max() < 1e-4)


@fault("RandomErasing", "", [True, True], "never")
def erasing_reaches_the_border(lib):
    """The first row and the first column of an image are never erased."""
    layer = lib.layers.RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0, seed=1)
    erased = layer(np.ones((64, 8, 8, 1), "float32"), training=True)
    erased = ops.convert_to_numpy(erased) == 0
    return [bool(erased[:, 0].any()), bool(erased[:, :, 0].any())]


@fault(
    "AugMix", "", True, "the same in all steps on TensorFlow", wrong_on=("tensorflow",)
)
def operations_of_a_compiled_step(lib):
    """A compiled step applies the operations that were drawn when it was compiled."""
    layer = lib.layers.AugMix(num_chains=1, chain_depth=1, all_ops=False, seed=1)
    image = np.full((1, 6, 6, 3), 40.0, "float32")
    image[:, :, 3:] = 200.0
    step = _compiled(lambda: layer(image, training=True))
    kinds = set()
    for _ in range(20):
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Tensor.T is deprecated"
            )  # Keras on torch
            y = ops.convert_to_numpy(step())
        halves = y[:, :, :3], y[:, :, 3:]
        # Operations on colors leave each half even, others do not.
        kinds.add(all(np.ptp(half, axis=(1, 2)).max() < 1e-3 for half in halves))
    return len(kinds) == 2


def _compiled(function):
    """The function, as a graph where the backend is TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)


@fault("AugMix", "", True, "other operations")
def augmentation_from_one_seed(lib):
    """The seed does not repeat the operations, which Python's `random` chooses."""
    image = array(1, 6, 6, 3, low=0, high=255)
    found = []
    for _ in range(6):
        layer = lib.layers.AugMix(num_chains=1, chain_depth=1, seed=1)
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Tensor.T is deprecated"
            )  # Keras on torch
            found.append(ops.convert_to_numpy(layer(image, training=True)))
    return all(np.allclose(found[0], other, atol=1e-3) for other in found)


SOUNDS = {"fft_length": 32, "sequence_stride": 9, "num_mel_bins": 6}


@fault("MelSpectrogram", "", True, "another answer")
def a_quiet_sound_beside_a_loud_one(lib):
    """What a sound becomes depends on the other sounds of its batch."""
    sounds = array(2, 100) * np.array([[1], [1e-6]], "float32")
    layer = lib.layers.MelSpectrogram(**SOUNDS)
    together = ops.convert_to_numpy(layer(sounds))[1]
    alone = ops.convert_to_numpy(layer(sounds[1:]))[0]
    return bool(np.allclose(together, alone, atol=1e-2))


@fault("MelSpectrogram", "", True, "NaN on JAX and torch", ("jax", "torch"))
def gradient_of_a_magnitude_at_silence(lib):
    """With mag_exp=1 the gradient at silence is NaN."""
    layer = lib.layers.MelSpectrogram(**SOUNDS, mag_exp=1.0)
    return is_finite(gradient(layer, np.zeros((1, 100), "float32")))


@fault("STFTSpectrogram", "", [0.0, 2.5, 0.0], "that of N - 1")
def transform_of_an_odd_length(lib):
    """With an odd fft_length N the spectrum is that of the length N - 1."""
    t = np.arange(5, dtype="float32")
    wave = np.cos(2 * np.pi * t / 5).astype("float32")
    options = {"frame_length": 5, "frame_step": 5, "fft_length": 5, "window": None}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*recommended to be a power of two")  # Keras
        layer = lib.layers.STFTSpectrogram("real", **options)
    return layer(wave[None, :, None])[0, 0]


@fault("STFTSpectrogram", "", "bfloat16", "an error")
def spectrogram_in_bfloat16(lib):
    """The dtype bfloat16 is refused."""
    layer = lib.layers.STFTSpectrogram("real", 16, dtype="bfloat16")
    return keras.backend.standardize_dtype(layer(array(1, 40, 1)).dtype)
