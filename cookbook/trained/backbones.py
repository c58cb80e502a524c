"""Backbones: the networks of keras.applications, with weights trained by others."""

import difflib
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import keras

from cookbook.data.sources import first_line, network_answers
from cookbook.errors import fail
from cookbook.trained.model_file import Refused, array_sizes


def load_backbone(
    name: str,
    weights: str,
    shape: tuple[int, ...],
    side: int,
) -> keras.Model:
    """A network of keras.applications without its top, which takes images as they are.

    name: the name of the network, such as MobileNetV2.
    weights: "imagenet", which Keras downloads once, or a file of weights that were
        saved from the same network.
    shape: (H, W, C) of the images, whose values go from 0 to 255.
    side: images with a shorter side are enlarged to this number of pixels.

    Grey images become RGB. If the network or its weights can't be had, one line says
    why and the program ends with status 2.
    """
    network = _network(name)
    _refuse_weights(name, weights)
    images = keras.Input(shape)
    x = keras.layers.Resizing(*(max(side, n) for n in shape[:2]))(images)
    if shape[2] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    x = sys.modules[network.__module__].preprocess_input(x)
    try:
        with warnings.catch_warnings():
            # Keras warns of images whose size differs from that of its training.
            warnings.simplefilter("ignore")
            return network(include_top=False, weights=weights, input_tensor=x)
    except Exception as error:  # whatever a download or a strange file can die of
        fail(f"--backbone {name} with --weights {weights}: {first_line(error)}")


def _refuse_weights(name: str, weights: str) -> None:
    """Ends the program if the weights can't be had or their file is damaged."""
    if weights == "imagenet":
        if not _fetched(name) and not network_answers():
            fail(
                f"--weights imagenet of {name} are not on this machine and the network "
                "does not answer: run once with a network, or give --weights FILE"
            )
    elif not Path(weights).is_file():
        fail(
            f"--weights got {weights!r}, which is not a file: expected imagenet or a "
            f"file that keras.applications.{name}(include_top=False).save_weights wrote"
        )
    else:
        try:
            array_sizes(weights)
        except Refused as problem:
            fail(f"--weights {weights} {problem}")


def _network(name: str) -> Any:
    """The function of keras.applications that makes the network."""
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


def _fetched(name: str) -> bool:
    """Whether the cache of Keras holds weights of this network."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    files = (home / "models").glob("*")
    return any(_letters(name) in _letters(file.name) for file in files)


def _letters(text: str) -> str:
    """The letters and digits of a name, in lower case: MobileNetV2 is mobilenetv2."""
    return re.sub("[^a-z0-9]", "", text.lower())
