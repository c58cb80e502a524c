"""Grad-CAM: which places of an image are evidence for a class."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from ..common.gradients import gradient


def grad_cam(
    model: keras.Model,
    layer: keras.layers.Layer,
    x,
    classes: Sequence[int] | np.ndarray,
) -> np.ndarray:
    """Grad-CAM: a map of the places in an image that are evidence for a class.

    a_k = mean over places of d logit[class] / d A_k
    heat = relu(sum over k of a_k * A_k)

    A_k are the feature maps of `layer`.

    Args:
        model: a functional or sequential model of images, whose first output is logits.
        layer: a layer of the model with the output (B, H, W, K), best one whose zeros
            mean that nothing was found, such as a ReLU.
        x: images (B, height, width, channels).
        classes: for each image, the class whose evidence is wanted.

    Returns: array (B, H, W) of numbers >= 0.

    >>> maps = keras.layers.Conv2D(1, 1, kernel_initializer="ones")
    >>> logits = keras.layers.GlobalAveragePooling2D()
    >>> model = keras.Sequential([keras.Input((1, 2, 1)), maps, logits])
    >>> x = keras.ops.array([[[[4.0], [0.0]]]])
    >>> grad_cam(model, maps, x, [0]).tolist()  # a = 1/2, A = [4, 0]
    [[[2.0, 0.0]]]

    Paper: Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, "Grad-CAM: visual
    explanations from deep networks via gradient-based localization", 2016.
    https://arxiv.org/abs/1610.02391
    """
    images = model.inputs[0]
    logits = model.outputs[0]
    stem = keras.Model(images, layer.output)
    # The images are an input of the head, too: a shortcut may lead around the layer.
    head = keras.Model([images, layer.output], logits)
    x = ops.convert_to_tensor(x, "float32")
    classes = ops.convert_to_tensor(classes, "int32")
    wanted = ops.expand_dims(classes, 1)  # B, 1

    def evidence(A):
        logits = head([x, A], training=False)
        logit = ops.take_along_axis(logits, wanted, axis=1)
        return ops.sum(logit)

    A = stem(x, training=False)  # B, H, W, K
    slope = gradient(evidence, A)
    a = ops.mean(slope, axis=(1, 2), keepdims=True)
    heat = ops.relu(ops.sum(a * A, axis=-1))
    return ops.convert_to_numpy(heat)
