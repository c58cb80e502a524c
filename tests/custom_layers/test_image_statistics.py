"""Statistics of images: Gram matrix, neighbouring pixels, colours, principal axes."""

import keras
import numpy as np

from custom_layers.generation import colour_transfer
from custom_layers.losses import gram_matrix, pixel_differences
from custom_layers.metrics import principal_subspace_distance
from oracle import array


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_the_gram_matrix_is_the_mean_over_places_of_products_of_features():
    F = array(2, 3, 4, 5)
    wanted = np.zeros((2, 5, 5))
    for b, i, j in np.ndindex(2, 3, 4):
        wanted[b] += np.outer(F[b, i, j], F[b, i, j]) / 12
    np.testing.assert_allclose(numbers(gram_matrix(F)), wanted, rtol=1e-5, atol=1e-6)


def test_where_features_are_does_not_change_the_gram_matrix():
    F = array(1, 4, 4, 3)
    moved = np.roll(F, (1, 2), (1, 2))
    before, after = numbers(gram_matrix(F)), numbers(gram_matrix(moved))
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)


def test_differences_are_those_of_neighbours_down_and_across():
    picture = np.array([[1.0, 4.0], [6.0, 13.0]], "float32")[None, :, :, None]
    assert numbers(pixel_differences(picture)).tolist() == [[5, 9, 3, 7]]


def test_differences_of_an_oblong_picture_are_those_of_numpy():
    x = array(2, 3, 5, 2)
    down, across = np.diff(x, axis=1), np.diff(x, axis=2)
    wanted = np.concatenate([down.reshape(2, -1), across.reshape(2, -1)], 1)
    np.testing.assert_allclose(numbers(pixel_differences(x)), wanted, atol=1e-6)


def test_transferred_colours_have_the_mean_and_covariance_of_the_style():
    rng = np.random.default_rng(0)
    mix = np.array([[0.05, 0.02, 0], [0, 0.04, 0.01], [0, 0, 0.03]])
    content = 0.5 + 0.1 * rng.normal(size=(40, 30, 3)).clip(-2, 2)
    style = 0.4 + rng.normal(size=(40, 30, 3)).clip(-2, 2) @ mix
    moved = colour_transfer(content, style).reshape(-1, 3)
    np.testing.assert_allclose(moved.mean(0), style.mean((0, 1)), atol=1e-3)
    wanted = np.cov(style.reshape(-1, 3).T)
    np.testing.assert_allclose(np.cov(moved.T), wanted, atol=1e-4)


def test_a_picture_of_one_colour_has_colours_to_transfer_too():
    grey = np.full((4, 4, 3), 0.5)
    assert np.isfinite(colour_transfer(grey, array(4, 4, 3, low=0, high=1))).all()
    np.testing.assert_allclose(colour_transfer(grey, grey), grey, atol=1e-6)


def test_the_subspace_distance_is_what_leaves_the_plane_of_the_examples():
    """Examples vary in the first two of four pixels, around (3, 3, 3, 3)."""
    x = np.full((50, 2, 2, 1), 3.0)
    x[:, 0, :, 0] += array(50, 2)
    distance = principal_subspace_distance(x, 2)
    probe = np.full((2, 2, 2, 1), 3.0)
    probe[0, 0] += 7  # within the plane
    probe[1, 1, 0] += 2
    np.testing.assert_allclose(distance(probe), [0, 2**2 / 4], atol=1e-9)


def test_the_subspace_distance_agrees_with_scikit_learn_s_pca():
    from sklearn.decomposition import PCA

    x, probe = array(60, 3, 3, 1), array(5, 3, 3, 1, seed=1)
    pca = PCA(4).fit(x.reshape(60, 9))
    flat = probe.reshape(5, 9)
    apart = flat - pca.inverse_transform(pca.transform(flat))
    wanted = np.mean(np.square(apart), axis=1)
    distance = principal_subspace_distance(x, 4)
    np.testing.assert_allclose(distance(probe), wanted, rtol=1e-4)
