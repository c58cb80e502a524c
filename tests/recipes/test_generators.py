"""Generators of images: kinds of image, with nothing between them."""

import numpy as np
from keras import ops

from recipes.mnist_gan import critic, generator_of_modes


def test_the_largest_of_the_first_numbers_chooses_the_kind_of_an_image():
    network = generator_of_modes((8, 8, 1), latent=6, filters=4, modes=3, hidden=32)
    noise = np.zeros((4, 6), "float32")
    noise[0, 1] = 1e-4
    noise[1, 1] = 2e-4  # the same kind
    noise[2, 2] = 1e-4  # another kind
    noise[3, 1], noise[3, 5] = 1e-4, 2e-4  # a later number chooses nothing
    images = ops.convert_to_numpy(network(noise))
    change = np.abs(images - images[0]).max(axis=(1, 2, 3))
    assert max(change[1], change[3]) < 1e-3 < 0.1 * change[2]


def test_hidden_units_let_a_critic_see_what_belongs_together():
    """Without them, and without the bend before, a score is a sum over places."""
    for hidden, is_sum in ((0, True), (8, False)):
        network = critic((8, 8, 1), filters=4, hidden=hidden)
        head = network.layers[4:]  # behind the last convolution and its activation
        parts = np.random.default_rng(0).normal(size=(2, 2, 2, 8)).astype("float32")
        parts[0, :, 0], parts[1, :, 1] = 0, 0  # one half of the places each

        def score(x, head=head):
            for layer in head:
                x = layer(x)
            return ops.convert_to_numpy(x)[:, 0]

        nothing = score(np.zeros((1, 2, 2, 8), "float32"))
        together = score(parts.sum(axis=0, keepdims=True))
        apart = score(parts).sum()
        assert np.allclose(together + nothing, apart, atol=1e-5) == is_sum
