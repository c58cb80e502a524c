"""Networks of keras.applications for a script."""

import sys

import keras

from cookbook.takeaway.standalone.base.settings import fail


def load_backbone(
    name: str, weights: str, shape: tuple[int, ...], side: int
) -> keras.Model:
    """A network of keras.applications without its top, which takes images as they are.

    weights: "imagenet", which Keras downloads once, or a file of weights.
    side: images with a shorter side are enlarged to this number of pixels.
    """
    network = getattr(keras.applications, name, None)

    if network is None:
        fail(f"--backbone got {name!r}, expected own or one of keras.applications")
    images = keras.Input(shape)
    x = keras.layers.Resizing(*(max(side, n) for n in shape[:2]))(images)

    if shape[2] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    x = sys.modules[network.__module__].preprocess_input(x)
    return network(include_top=False, weights=weights, input_tensor=x)
