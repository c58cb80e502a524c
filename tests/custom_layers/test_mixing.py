"""MixUp, CutMix and RandomErasing: their formulas, given the draws, and the draws."""

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops

from custom_layers.layers import CutMix, MixUp, RandomErasing
from custom_layers.layers.augmentation.base import _symmetric_beta
from mutation import mutated
from oracle import array, assert_close

ROOM = "custom_layers.layers.augmentation"
FILES = ["affine", "random_affine", "base", "mix_up"]  # each after what it imports
needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow"
)


def numpy(tree):
    return keras.tree.map_structure(ops.convert_to_numpy, tree)


def in_training(layer, inputs):
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    return numpy(layer(inputs, training=True))


def fixed(layer, *draws):
    """The layer with these draws in place of random ones."""
    draws = iter(draws)
    layer.uniform = lambda *shape: ops.convert_to_tensor(next(draws), "float32")
    return layer


def marked(B=7, H=6, W=5):
    """Images of which each has a value of its own, and its one-hot labels."""
    images = np.broadcast_to(np.arange(B)[:, None, None, None], (B, H, W, 2))
    return {"images": images.astype("float32"), "labels": np.eye(B, dtype="float32")}


def shares(images):
    """For each image, the share of its pixels that has each value 0 ... B - 1."""
    values = np.arange(len(images))
    return (images[..., :1] == values).mean(axis=(1, 2))


def numpy_beta(u, alpha):
    x = np.sqrt(1 - (1 - u[0]) ** (2 / (2 * alpha + 1))) * np.cos(2 * np.pi * u[1])
    odds = (1 + x) / (1 - x) * ((1 - u[2]) / (1 - u[3])) ** (1 / alpha)
    return odds / (1 + odds)


def error_of_mix_up(cls):
    """The largest difference to w x_i + (1 - w) x_j, also of labels and masks."""
    parts = {
        "images": array(4, 3, 2, 2),
        "labels": array(4, 3, seed=1),
        "segmentation_masks": array(4, 3, 2, 1, seed=2),
    }
    u = array(5, 4, seed=3, low=0.05, high=0.95)
    found = in_training(fixed(cls(alpha=0.7), u), parts)
    w, j = numpy_beta(u[:4], 0.7), np.argsort(u[4])
    errors = []
    for key, x in parts.items():
        v = w.reshape(-1, *[1] * (x.ndim - 1))
        errors.append(np.abs(found[key] - (v * x + (1 - v) * x[j])).max())
    return max(errors)


def numpy_span(length, size, u):
    start = u * (length - size)
    return [i for i in range(length) if start <= i + 0.5 < start + size]


def error_of_cut_mix(cls):
    """The largest difference to a rectangle of x_j in x_i, and to its pixels."""
    parts = marked() | {"segmentation_masks": marked()["images"][..., 0]}
    B, H, W, _ = parts["images"].shape
    u = array(7, B, seed=4, low=0.05, high=0.95)
    layer = fixed(cls((0.5, 1.0)), np.float32(0.3), u)
    found = in_training(layer, parts)
    v, j = numpy_beta(u[:4], 0.65 + 1e-6), np.argsort(u[6])
    images = parts["images"].copy()
    for i in range(B):
        rows = numpy_span(H, np.sqrt(1 - v[i]) * H, u[4, i])
        columns = numpy_span(W, np.sqrt(1 - v[i]) * W, u[5, i])
        images[i][np.ix_(rows, columns)] = parts["images"][j[i]][np.ix_(rows, columns)]
    return max(
        np.abs(found["images"] - images).max(),
        np.abs(found["segmentation_masks"] - images[..., 0]).max(),
        np.abs(found["labels"] - shares(images)).max(),
    )


def error_of_erasing(cls):
    """The largest difference to noise in a rectangle, where an image is erased."""
    images = array(6, 6, 5, 2, low=0, high=1)
    u = array(6, 6, seed=5, low=0, high=1)
    noise = array(6, 6, 5, 2, seed=6, low=0, high=1)
    layer = cls((0.2, 0.9), (0.1, 0.6), value_range=(-1, 3))
    found = in_training(fixed(layer, u, noise), images)
    expected = images.copy()
    for i in range(6):
        if u[4, i] < 0.2 + 0.7 * u[5, i]:
            rows = numpy_span(6, np.sqrt(0.1 + 0.5 * u[0, i]) * 6, u[2, i])
            columns = numpy_span(5, np.sqrt(0.1 + 0.5 * u[1, i]) * 5, u[3, i])
            place = np.ix_(rows, columns)
            expected[i][place] = -1 + 4 * noise[i][place]
    assert 0 < (expected != images).any(axis=(1, 2, 3)).sum() < 6
    return np.abs(found - expected).max()


FORMULAS = {
    "MixUp": ([], error_of_mix_up),
    "CutMix": (["cut_mix"], error_of_cut_mix),
    "RandomErasing": (["random_erasing"], error_of_erasing),
}
MUTANTS = [
    ("MixUp", "w * x + (1 - w) *", "(1 - w) * x + w *"),
    ("MixUp", "ops.take(x, j, axis=0)", "x"),
    ("MixUp", "self.alpha)\n        j", "1 / self.alpha)\n        j"),
    ("CutMix", "_mixed(part, j, w)", "_mixed(part, j, 1 - w)"),
    ("CutMix", "_mixed(part, j, w)", "_mixed(part, j, w + 0.02)"),
    ("CutMix", "side = ops.sqrt(1 - v)", "side = 1 - v"),
    ("CutMix", "side = ops.sqrt(1 - v)", "side = ops.sqrt(v)"),
    ("CutMix", 'width = side * ops.cast(W, "', 'width = side * ops.cast(H, "'),
    ("CutMix", "w = 1 - ops.mean(", "w = ops.mean("),
    ("CutMix", "u[4], u[5])", "u[4], u[4])"),
    ("RandomErasing", "ops.sqrt(t)", "ops.sqrt(s)"),
    ("RandomErasing", "ops.sqrt(s)", "s"),
    ("RandomErasing", "u[4] < p", "u[4] > p"),
    ("RandomErasing", "_between(self.value_range, noise)", "noise"),
    ("RandomErasing", "(is_chosen & is_in_it)", "is_in_it"),
]


@pytest.mark.parametrize("cls", [MixUp, CutMix, RandomErasing])
def test_given_the_draws_the_layer_is_its_formula(cls):
    _, error_of = FORMULAS[cls.__name__]
    assert error_of(cls) < 1e-5


@pytest.mark.one_backend
@pytest.mark.parametrize(("name", "right", "wrong"), MUTANTS)
def test_a_mistake_in_the_formula_is_found(name, right, wrong):
    files, error_of = FORMULAS[name]
    assert error_of(mutated(name, ROOM, [*FILES, *files], right, wrong)) > 1e-3


@needs_tensorflow
@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_keras_makes_the_same_of_the_same_draws(name):
    """Keras's CutMix takes a pixel for its corner, and areas for shares of pixels."""
    parts = {"images": array(4, 6, 5, 2), "labels": np.eye(4, dtype="float32")}
    u = array(7, 4, seed=3, low=0.05, high=0.95)
    theirs = getattr(keras.layers, name)()
    if name == "MixUp":
        layer = fixed(MixUp(alpha=0.7), u[:5])
        w, j = numpy_beta(u[:4], 0.7).astype("float32"), np.argsort(u[4])
        draws = {"mix_weight": w, "permutation_order": j}
    else:
        layer = fixed(CutMix((1, 1)), np.float32(0.5), u)
        v, j = numpy_beta(u[:4], 1), np.argsort(u[6])
        sides = np.sqrt(1 - v)[:, None] * [6, 5]
        start = u[[4, 5]].T * ([6, 5] - sides)
        corners = np.concatenate([start, start + sides], axis=1).astype("float32") - 0.5
        y0, x0, y1, x1 = map(ops.convert_to_tensor, corners.T)
        masks, w = theirs._generate_batch_mask((4, 6, 5, 2), (x0, x1, y0, y1))
        draws = {"batch_masks": masks, "mix_weight": w, "permutation_order": j}
    found = in_training(layer, parts)
    assert_close(found["images"], theirs.transform_images(parts["images"], draws))
    labels = numpy(theirs.transform_labels(parts["labels"], draws))
    tolerance = 1e-5 if name == "MixUp" else 1 / 5 + 1 / 6
    np.testing.assert_allclose(found["labels"], labels, atol=tolerance)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 3.0])
def test_weights_are_beta_distributed(alpha):
    u = array(4, 4000, seed=1, low=0, high=1)
    w = numpy(_symmetric_beta(ops.convert_to_tensor(u), alpha))
    quantiles = np.linspace(0.05, 0.45, 9)
    found = np.mean(w[:, None] < scipy.stats.beta(alpha, alpha).ppf(quantiles), axis=0)
    np.testing.assert_allclose(found, quantiles, atol=0.025)
    np.testing.assert_allclose(np.mean(w < 0.5), 0.5, atol=0.025)


def test_a_tiny_alpha_chooses_one_of_both():
    u = ops.convert_to_tensor(array(4, 500, low=0, high=1))
    w = numpy(_symmetric_beta(u, 1e-6))
    assert set(np.unique(w)) == {0, 1}
    assert 0.4 < w.mean() < 0.6


@pytest.mark.parametrize("layer", [MixUp(1.0, seed=3), CutMix((1, 1), seed=3)])
def test_labels_are_what_the_images_are_made_of(layer):
    """Each image is a mixture of at most two, half of it its own on average."""
    parts = marked(400, 5, 4)
    found = in_training(layer, parts)
    np.testing.assert_allclose(found["labels"].sum(axis=1), 1, atol=1e-5)
    values = found["labels"] @ np.arange(400)
    np.testing.assert_allclose(
        found["images"].mean(axis=(1, 2, 3)), values, rtol=1e-4, atol=1e-3
    )
    assert (found["labels"] > 0).sum(axis=1).max() == 2
    assert 0.4 < np.mean(np.diag(found["labels"])) < 0.6
    others = found["labels"] * (1 - np.eye(400))
    has_partner = others.any(axis=1)
    partners = others[has_partner].argmax(axis=1)
    assert has_partner.mean() > 0.8
    assert len(set(partners)) == len(partners), "an image is the partner of two"


def test_erasing_happens_with_its_probability_and_size():
    images = np.zeros((500, 20, 20, 1), "float32")
    layer = RandomErasing((0.3, 0.5), (0.1, 0.2), fill_value=9, value_range=(0, 5))
    found = in_training(layer, images)
    assert set(np.unique(found)) == {0, 5}, "fill_value is clipped to value_range"
    erased = np.mean(found > 0, axis=(1, 2, 3))
    assert 0.33 < np.mean(erased > 0) < 0.47
    sizes = erased[erased > 0]
    assert sizes.min() > 0.06
    assert sizes.max() < 0.26
    assert 0.13 < sizes.mean() < 0.17
    per_column = np.mean(found > 0, axis=(0, 1, 3))
    assert per_column[8:12].mean() > 2 * per_column[[0, -1]].mean()
    assert abs(per_column[0] - per_column[-1]) < 0.03, "the first ones are left out"


def test_noise_is_even_and_a_color_has_a_value_per_channel():
    images = np.full((20, 10, 10, 3), -1, "float32")
    noise = in_training(RandomErasing((1, 1), (1, 1), value_range=(0, 4)), images)
    np.testing.assert_allclose(
        np.quantile(noise, [0, 0.25, 0.5, 0.75, 1]), np.arange(5), atol=0.1
    )
    color = RandomErasing((1, 1), (1, 1), fill_value=(1, 2, 3))
    np.testing.assert_array_equal(in_training(color, images)[0, 4, 4], [1, 2, 3])
    with pytest.raises(ValueError, match="number for each channel"):
        in_training(color, images[..., :2])


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: MixUp(**options),
        lambda **options: CutMix(**options),
        lambda **options: RandomErasing((1, 1), **options),
    ],
)
def test_what_layers_that_mix_have_in_common(make):
    parts = marked()
    layer = make(seed=1)
    for training in (None, False):
        options = {} if training is None else {"training": training}
        for key, part in numpy(layer(dict(parts), **options)).items():
            np.testing.assert_array_equal(part, parts[key])
    given = {k: ops.convert_to_tensor(x) for k, x in parts.items()}
    before = dict(given)
    first = numpy(layer(given, training=True))
    assert all(given[key] is before[key] for key in before)
    np.testing.assert_array_equal(
        first["images"], in_training(make(seed=1), parts)["images"]
    )
    assert np.abs(in_training(layer, parts)["images"] - first["images"]).max() > 0
    transposed = np.moveaxis(parts["images"], 3, 1)
    y = in_training(make(seed=1, data_format="channels_first"), transposed)
    np.testing.assert_allclose(np.moveaxis(y, 1, 3), first["images"], atol=1e-5)
    empty = in_training(layer, {k: part[:0] for k, part in parts.items()})
    assert empty["images"].shape == (0, 6, 5, 2)
    with pytest.raises(ValueError, match=r"keys.*bounding_boxes"):
        layer({**parts, "bounding_boxes": parts["labels"]})
    with pytest.raises(ValueError, match=r"needs images .*images\.shape"):
        in_training(layer, np.zeros((2, 3), "float32"))


@pytest.mark.parametrize("cls", [MixUp, CutMix])
def test_a_single_image_has_no_partner(cls):
    parts = {"images": array(4, 5, 3), "labels": array(6)}
    for key, part in in_training(cls(), parts).items():
        assert_close(part, parts[key])


@pytest.mark.parametrize("cls", [MixUp, CutMix])
def test_labels_of_any_shape_are_mixed_and_class_numbers_refused(cls):
    images = array(4, 5, 5, 1)
    for labels in (array(4), array(4, 2, 3), np.eye(4, dtype="int64")):
        y = in_training(cls(seed=1), {"images": images, "labels": labels})["labels"]
        assert y.shape == labels.shape
        assert y.dtype == "float32"
    for labels in (np.arange(4), np.arange(4)[:, None]):
        with pytest.raises(ValueError, match="one-hot"):
            cls()({"images": images, "labels": labels})


def test_half_precision_keeps_exact_labels():
    parts = marked(6, 50, 50)
    layer = CutMix((1, 1), seed=2, dtype="mixed_bfloat16")
    y = layer({k: ops.convert_to_tensor(x) for k, x in parts.items()}, training=True)
    assert keras.backend.standardize_dtype(y["images"].dtype) == "bfloat16"
    images, labels = numpy(ops.cast(y["images"], "float32")), numpy(y["labels"])
    np.testing.assert_allclose(labels, shares(images), atol=1e-6)


@needs_tensorflow
@pytest.mark.parametrize("cls", [MixUp, CutMix, RandomErasing])
def test_pipelines_of_tensorflow_and_functional_models(cls):
    import tensorflow as tf

    parts = marked(6)
    layer = cls(seed=1)
    batches = tf.data.Dataset.from_tensor_slices(parts).batch(4)
    found = [*batches.map(lambda x: layer(x, training=True))]
    assert [len(y["images"]) for y in found] == [4, 2]
    assert found[0]["labels"].shape == (4, 6)
    inputs = {k: keras.Input(x.shape[1:], name=k) for k, x in parts.items()}
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(numpy(model(parts))["images"], parts["images"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixUp(0), "`alpha` .*positive.*alpha=0"),
        (lambda: MixUp("much"), "`alpha`"),
        (lambda: CutMix(1.5), r"`factor` .* in \[0, 1\].*factor=1.5"),
        (lambda: CutMix((0, 0.5, 1)), "`factor` .* pair"),
        (lambda: RandomErasing(scale=-0.1), "`scale`"),
        (lambda: RandomErasing(value_range=1), "`value_range` .*pair"),
        (lambda: RandomErasing(value_range=(1, 1)), "`value_range`"),
        (lambda: RandomErasing(fill_value="red"), "`fill_value`"),
        (lambda: RandomErasing(fill_value=""), "`fill_value`"),
        (lambda: RandomErasing(fill_value=()), "`fill_value`"),
        (lambda: RandomErasing(fill_value=float("nan")), "`fill_value`"),
        (lambda: RandomErasing(value_range=(0, float("nan"))), "`value_range`"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
