"""A tagger with random weights, for tests of what is made of it."""

import keras

from oracle import array
from recipes import english_tagging_crf


def untrained_tagger(data, **settings):
    """The recipe's network with random weights, of which those of the CRF are large."""
    keras.utils.set_random_seed(0)
    sizes = {"units": 8, "features": 6, "filters": 5, "letters": 6, **settings}
    model = english_tagging_crf.build(english_tagging_crf.Config(**sizes), data)
    for layer in model.layers:
        if layer.name == "crf":
            weights = [array(*w.shape, seed=i) for i, w in enumerate(layer.weights)]
            layer.set_weights(weights)
    return model
