"""Backbones: the networks of keras.applications, with weights that are at hand."""

import difflib
import os
import re
import sys
import warnings
from pathlib import Path

import keras

from cookbook.data.sources import first_line, network_answers
from cookbook.errors import fail


def load_backbone(name, weights, shape, side):
    """The network `name` of keras.applications without its top, from raw images.

    weights: "imagenet", downloaded once by Keras, or a file of weights saved from the
    same network; shape: (H, W, C) of the images, values 0 to 255; they are enlarged to
    at least `side`, and grey becomes RGB. What can't be had is one line and status 2.
    """
    network = _network(name)
    if weights == "imagenet":
        if not _fetched(name) and not network_answers():
            fail(
                f"--weights imagenet of {name} are not on this machine and the network "
                "does not answer: run once with a network, or give --weights FILE"
            )
    elif not Path(weights).is_file():
        fail(
            f"--weights got {weights!r}, which is no file: expected imagenet or a file "
            f"that keras.applications.{name}(include_top=False).save_weights wrote"
        )
    images = keras.Input(shape)
    x = keras.layers.Resizing(*(max(side, n) for n in shape[:2]))(images)
    if shape[2] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    x = sys.modules[network.__module__].preprocess_input(x)
    try:
        with warnings.catch_warnings():  # of a side other than that of the weights
            warnings.simplefilter("ignore")
            return network(include_top=False, weights=weights, input_tensor=x)
    except Exception as error:  # whatever a download or a strange file can die of
        fail(f"--backbone {name} with --weights {weights}: {first_line(error)}")


def _network(name):
    known = {
        key: value
        for key, value in vars(keras.applications).items()
        if callable(value) and key[0].isupper()
    }
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        fail(
            f"--backbone got {name!r}, expected own or a network of keras.applications"
            f", such as {' or '.join(near or ['MobileNetV2'])}"
        )
    return known[name]


def _fetched(name):
    """Whether Keras's cache has a file of this network's weights."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    files = (home / "models").glob("*")
    return any(_letters(name) in _letters(file.name) for file in files)


def _letters(text):
    return re.sub("[^a-z0-9]", "", text.lower())
