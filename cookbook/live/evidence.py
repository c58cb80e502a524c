"""Networks that say, with their logits, where an image speaks for each class."""

import keras
from keras import ops

from cookbook.exports.steps import FunctionModel
from cookbook.plots.explain import _last_with_room, network_to_explain
from custom_layers.layers import ReLU


def feature_layer(model: keras.Model) -> tuple[keras.Model, keras.Layer] | None:
    """(copy of a model, its layer that Grad-CAM looks at); None without convolutions.

    A model that is not a row of layers has none here, since there may be ways around
    the layer.
    """
    opened = network_to_explain(model)
    if opened is None or not isinstance(model, keras.Sequential):
        return None
    copy, layers = opened
    return copy, _last_with_room(layers)


def with_evidence(model: keras.Model) -> FunctionModel | None:
    """A network from one image to [logits, Grad-CAM (classes, height, width)].

    It is None for a model without a `feature_layer`. Grad-CAM needs the slope of each
    logit for each feature map. No format holds gradients, so the slopes are carried
    forward: what follows the feature maps is affine, or a ReLU, which lets the slopes
    of positive inputs pass. The caller compares the result with `grad_cam`.
    """
    found = feature_layer(model)
    if found is None:
        return None
    copy, last = found
    images = copy.inputs[0]
    stem = keras.Model(images, last.output)
    place = copy.layers.index(last)
    head = copy.layers[place + 1 :]
    _, height, width, maps = last.output.shape
    places = height * width

    def run(pixels):
        A = stem(pixels, training=False)  # 1, H, W, K
        x = A
        # t[k]: what becomes of 1 in all places of feature map k
        t = ops.eye(maps)
        t = ops.expand_dims(t, (1, 2))
        t = ops.tile(t, (1, height, width, 1))  # K, H, W, K
        for layer in head:
            t = _slopes(layer, x, t)
            x = layer(x, training=False)
        a = t / places  # K, classes
        rows = ops.reshape(A, (places, maps))
        heat = ops.relu(ops.matmul(rows, a))  # H W, classes
        by_class = ops.transpose(heat)
        heat = ops.reshape(by_class, (-1, height, width))
        return [x, heat]

    return FunctionModel(run, copy)


def _slopes(layer, x, t):
    """What a layer makes of slopes t, where its own input is x."""
    if isinstance(layer, ReLU):
        is_passed = ops.cast(x > 0, t.dtype)
        return t * is_passed
    zeros = ops.zeros_like(t[:1])
    constant = layer(zeros, training=False)  # the same for each k
    return layer(t, training=False) - constant
