"""The operations of RandAugment and AugMix as one program, against the plain ones."""

import keras
import numpy as np
import pytest

from custom_layers.layers import AugMix, RandAugment
from custom_layers.layers.augmentation import policy
from oracle import array

pytestmark = [
    pytest.mark.slow,  # it compiles
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="XLA within TensorFlow"
    ),
]


def answer_and_gradient(cls, images, is_batch_known):
    """(y, the gradient of mean(y^2), the function that computed both)."""
    import tensorflow as tf

    layer = cls(seed=1)
    spec = tf.TensorSpec((len(images) if is_batch_known else None, *images.shape[1:]))

    @tf.function(input_signature=[spec], autograph=False)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y**2) / 255
        return y, tape.gradient(loss, x)

    y, gradient = step(tf.constant(images))
    return y.numpy(), gradient.numpy(), step


def programs_in(step):
    """How many functions that XLA compiles the graph of the step calls."""
    operations = step.get_concrete_function().graph.get_operations()
    return sum(
        "PartitionedCall" in operation.type and operation.get_attr("_XlaMustCompile")
        for operation in operations
        if "_XlaMustCompile" in operation.node_def.attr
    )


@pytest.mark.parametrize(
    ("cls", "is_batch_known"), [(RandAugment, False), (AugMix, True)]
)
def test_the_program_is_the_plain_formula(cls, is_batch_known, monkeypatch):
    images = array(24, 16, 16, 3, low=0, high=255)
    y, gradient, step = answer_and_gradient(cls, images, is_batch_known)
    assert programs_in(step) >= 2
    monkeypatch.setattr(policy, "can_fuse", lambda *arguments: False)
    plain_y, plain_gradient, _ = answer_and_gradient(cls, images, is_batch_known)
    assert np.abs(plain_y - images).max() > 10
    # A level may fall on the other side of a threshold by rounding.
    assert np.mean(np.abs(y - plain_y) > 0.01) < 1e-3
    assert np.mean(np.abs(gradient - plain_gradient) > 1e-3) < 1e-2


@pytest.mark.parametrize("size", [8, None])
def test_small_images_and_those_of_unknown_size_take_the_plain_formula(size):
    import tensorflow as tf

    layer = RandAugment(seed=1)

    @tf.function(input_signature=[tf.TensorSpec((2, size, size, 3))], autograph=False)
    def step(x):
        return layer(x, training=True)

    assert step(tf.constant(array(2, 8, 8, 3, low=0, high=255))).shape == (2, 8, 8, 3)
    assert programs_in(step) == 0
