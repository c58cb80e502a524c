"""Random affine transforms: formula, Keras's five layers, chance, the compiled step."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import RandomAffine
from custom_layers.layers.augmentation import affine
from mutation import mutated
from oracle import array, assert_close

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow"
)
FILL_MODES = ["constant", "nearest", "reflect", "wrap"]
MODES = [*itertools.product(FILL_MODES, ["bilinear", "nearest"])]
FORWARD = {  # place among n, for each place of an axis that goes on for ever
    "nearest": lambda i, n: min(max(i, 0), n - 1),
    "reflect": lambda i, n: [*range(n), *reversed(range(n))][i % (2 * n)],
    "wrap": lambda i, n: i % n,
}


def numpy_transform(images, matrices, interpolation, fill_mode, fill_value):
    """output[b, y, x] = images[b, y', x'], where (x', y', 1) = M (x, y, 1)."""
    _, H, W, _ = images.shape

    def pixel(b, x, y):
        is_inside = 0 <= x < W and 0 <= y < H
        if fill_mode == "constant" and not is_inside:
            return fill_value
        place = FORWARD.get(fill_mode, FORWARD["nearest"])
        return images[b, place(y, H), place(x, W)]

    output = np.zeros_like(images)
    for b, y, x in np.ndindex(images.shape[:3]):
        p, q, _ = matrices[b] @ [x, y, 1]
        if interpolation == "nearest":
            output[b, y, x] = pixel(b, int(np.floor(p + 0.5)), int(np.floor(q + 0.5)))
            continue
        i, j = int(np.floor(p)), int(np.floor(q))
        for dx, dy in itertools.product((0, 1), repeat=2):
            weight = (1 - abs(p - i - dx)) * (1 - abs(q - j - dy))
            output[b, y, x] += weight * pixel(b, i + dx, j + dy)
    return output


def matrices_of(count):
    """Matrices that turn, stretch and shift: some far outside of small images."""
    near = np.tile(np.eye(3), (count, 1, 1))
    near[:, :2] += array(count, 2, 3) * [0.3, 0.3, 4]
    return near.astype("float32")


def error_of(transform):
    """The largest difference between the transform and its formula in NumPy."""
    images, matrices = array(4, 5, 7, 2), matrices_of(4)
    differences = []
    for fill_mode, interpolation in MODES:
        options = interpolation, fill_mode, 0.5
        y = transform(ops.convert_to_tensor(images), ops.array(matrices), *options)
        expected = numpy_transform(images, matrices, *options)
        differences.append(np.abs(ops.convert_to_numpy(y) - expected).max())
    return max(differences)


def test_every_mode_is_the_formula():
    assert error_of(affine.affine_transform) < 1e-4


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("M[:, i, 0] * x + M[:, i, 1] * y", "M[:, i, 1] * x + M[:, i, 0] * y"),
        ("+ row * W +", "+ row * H +"),
        ("[:, None, None] * (H * W)", "[:, None, None] * 0"),
        ("ops.floor(x + 0.5)", "ops.floor(x)"),
        ("(1 - v) * upper + v * lower", "v * upper + (1 - v) * lower"),
        ("(1 - u) * pixel(left, bottom)", "(1 - u) * pixel(left, top)"),
        ("2 * n - 1 - place", "2 * n - 2 - place"),
        ("place - n * ops.floor(place / n)", "place - last * ops.floor(place / last)"),
        ("is_in_row & is_in_column", "is_in_row"),
    ],
)
def test_a_mistake_in_the_formula_is_found(right, wrong):
    room = "custom_layers.layers.augmentation"
    assert error_of(mutated("affine_transform", room, ["affine"], right, wrong)) > 0.01


@needs_tensorflow
@pytest.mark.parametrize(("fill_mode", "interpolation"), MODES[:-2])  # not "wrap"
def test_keras_transforms_alike(fill_mode, interpolation):
    images, matrices = array(4, 9, 12, 3), matrices_of(4)
    options = interpolation, fill_mode, 0.5
    eight = matrices.reshape(4, 9)[:, :8]
    theirs = keras.ops.image.affine_transform(images, eight, *options)
    assert_close(affine.affine_transform(images, matrices, *options), theirs)


def turned(layer, images):
    return ops.convert_to_numpy(layer(images, training=True))


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        (
            "RandomTranslation",
            {"height_factor": (0.2, 0.2), "width_factor": (-0.3, -0.3)},
            {"height_translation": (0.2, 0.2), "width_translation": (-0.3, -0.3)},
        ),
        ("RandomRotation", {"factor": (0.07, 0.07)}, {"rotation": (0.07, 0.07)}),
        ("RandomZoom", {"height_factor": (0.3, 0.3)}, {"height_zoom": (0.3, 0.3)}),
        (
            "RandomZoom",
            {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)},
            {"height_zoom": (0.3, 0.3), "width_zoom": (-0.2, -0.2)},
        ),
        (
            "RandomShear",
            {"x_factor": (0.3, 0.3), "y_factor": (0.1, 0.1)},
            {"x_shear": (0.3, 0.3), "y_shear": (0.1, 0.1)},
        ),
        ("RandomFlip", {"mode": "horizontal"}, {"flip": "horizontal"}),
        ("RandomFlip", {"mode": "vertical"}, {"flip": "vertical"}),
    ],
)
def test_one_transform_is_that_of_keras_own_layer(name, theirs, ours):
    """Flips and the sign of a shear are chance: an image is one of Keras's two."""
    image = array(1, 9, 12, 3)
    images = np.repeat(image, 20, axis=0)
    layer = getattr(keras.layers, name)(**theirs, seed=1)
    variants = np.unique(turned(layer, images).round(4), axis=0)
    assert len(variants) == (2 if name in ("RandomShear", "RandomFlip") else 1)
    found = turned(RandomAffine(**ours, seed=2), images)
    for variant in variants:
        nearest = np.abs(found - variant).max(axis=(1, 2, 3)) < 2e-4
        assert nearest.any()
        found = found[~nearest]
    assert not len(found), "an image that Keras's layer never makes"


@needs_tensorflow
def test_one_layer_does_what_a_sequence_of_keras_layers_does():
    """Whole pixels and quarter turns, which need no interpolation, of a small thing."""
    images = np.zeros((3, 24, 24, 1), "float32")
    images[:, 11:14, 10:14] = array(3, 3, 4, 1)
    L = keras.layers
    sequence = [
        L.RandomTranslation((0.125, 0.125), (-1 / 12, -1 / 12), "constant"),
        L.RandomRotation((0.25, 0.25), "constant"),
        L.RandomZoom((-0.5, -0.5), (0.0, 0.0), "constant", "nearest"),
    ]
    y = images
    for layer in sequence:
        y = layer(y, training=True)
    one = RandomAffine(
        height_translation=(0.125, 0.125),
        width_translation=(-1 / 12, -1 / 12),
        rotation=(0.25, 0.25),
        height_zoom=(-0.5, -0.5),
        width_zoom=(0.0, 0.0),
        fill_mode="constant",
        interpolation="nearest",
    )
    assert_close(turned(one, images), y, 1e-4)


def numbers_drawn(**arguments):
    """The entries of 4,000 random matrices for images of 9 x 9 pixels, by name."""
    layer = RandomAffine(**arguments, seed=3)
    matrices = ops.convert_to_numpy(layer._random_matrices(4000, 9, 9))
    entries = matrices[:, :2].reshape(-1, 6).T
    return dict(zip(("a", "b", "x", "c", "d", "y"), entries))


def fills(values, low, high):
    """Whether the values fill this interval evenly."""
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return np.allclose(quantiles, np.linspace(low, high, 5), atol=0.03 * (high - low))


def test_factors_are_drawn_evenly_between_their_bounds():
    shifts = numbers_drawn(height_translation=(0.1, 0.3), width_translation=0.2)
    assert fills(-shifts["y"] / 9, 0.1, 0.3)
    assert fills(-shifts["x"] / 9, -0.2, 0.2)
    turns = numbers_drawn(rotation=0.1)
    assert fills(np.arctan2(turns["c"], turns["a"]) / (2 * np.pi), -0.1, 0.1)
    zooms = numbers_drawn(height_zoom=(-0.2, 0.1), width_zoom=0.3)
    assert fills(zooms["d"], 0.8, 1.1)
    assert fills(zooms["a"], 0.7, 1.3)
    alike = numbers_drawn(height_zoom=0.2)
    np.testing.assert_array_equal(alike["a"], alike["d"])
    shears = numbers_drawn(x_shear=0.2, y_shear=(0.1, 0.3))
    assert fills(shears["b"], -0.2, 0.2)
    assert fills(np.abs(shears["c"]), 0.1, 0.3)


def test_flips_decide_for_each_direction_by_themselves():
    flips = numbers_drawn(flip="horizontal_and_vertical")
    pairs = np.stack([flips["a"], flips["d"]], axis=1)
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    assert kinds.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    assert np.all(np.abs(counts - 1000) < 120)


def test_images_are_left_alone_outside_of_training():
    images = array(2, 6, 6, 1)
    layer = RandomAffine(0.3, 0.3, 0.2)
    for y in (layer(images), layer(images, training=False)):
        np.testing.assert_array_equal(ops.convert_to_numpy(y), images)
    unchanged = RandomAffine()(images, training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(unchanged), images)
    assert np.abs(turned(layer, images) - images).max() > 0.1


def test_a_seed_repeats_the_transforms_and_calls_differ():
    images = np.repeat(array(1, 6, 6, 1), 3, axis=0)
    layers = [RandomAffine(0.3, 0.3, 0.2, seed=5) for _ in range(2)]
    first, again = (turned(layer, images) for layer in layers)
    np.testing.assert_array_equal(first, again)
    assert np.abs(turned(layers[0], images) - first).max() > 0.1
    assert np.abs(first[0] - first[1]).max() > 0.1, "one transform for all images"


def test_layouts_agree():
    images = array(2, 6, 8, 3)
    expected = turned(RandomAffine(0.3, 0.3, 0.2, 0.1, seed=5), images)
    options = {"seed": 5, "data_format": "channels_first"}
    y = turned(RandomAffine(0.3, 0.3, 0.2, 0.1, **options), np.moveaxis(images, 3, 1))
    assert_close(np.moveaxis(y, 1, 3), expected)
    one = turned(RandomAffine(0.3, 0.3, 0.2, 0.1, seed=7), images[:1])
    assert_close(turned(RandomAffine(0.3, 0.3, 0.2, 0.1, seed=7), images[0]), one[0])


def test_bytes_become_floats():
    images = array(2, 6, 8, 3, dtype="uint8", low=0, high=255)
    y = turned(RandomAffine(0.3, 0.3, seed=5), images)
    expected = turned(RandomAffine(0.3, 0.3, seed=5), images.astype("float32"))
    assert y.dtype == "float32"
    assert_close(y, expected)


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize("jit_compile", [None, True])
def test_the_compiled_transform_is_the_plain_one(jit_compile):
    """Values and gradients, also in a batch of another size."""
    import tensorflow as tf

    options = {"fill_mode": "constant", "fill_value": 0.5}
    upstream = tf.constant(array(4, 12, 10, 3, seed=1))

    def step(transform, images, matrices):
        with tf.GradientTape() as tape:
            tape.watch(images)
            y = transform(images, matrices, **options)
        return y, tape.gradient(y, images, upstream[: tf.shape(images)[0]])

    signature = [tf.TensorSpec((None, 12, 10, 3)), tf.TensorSpec((None, 3, 3))]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def compiled_step(images, matrices):
        return step(affine._fast_affine_transform, images, matrices)

    for count in (4, 3):
        inputs = tf.constant(array(count, 12, 10, 3)), tf.constant(matrices_of(count))
        plain = step(affine.affine_transform, *inputs)
        for fast, slow in zip(compiled_step(*inputs), plain):
            assert_close(fast, slow, 1e-5)
    operations = compiled_step.get_concrete_function().graph.get_operations()
    assert any("PartitionedCall" in operation.type for operation in operations)


@pytest.mark.slow
@needs_tensorflow
def test_keras_pipelines_and_bfloat16_can_use_it():
    import tensorflow as tf

    layer = RandomAffine(0.3, 0.3, seed=5)
    images = array(6, 12, 12, 1)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(4)
    found = [*batches.map(lambda x: layer(x, training=True))]
    assert [len(x) for x in found] == [4, 2]
    half = RandomAffine(0.3, 0.3, seed=5, dtype="mixed_bfloat16")
    y = tf.function(lambda x: half(x, training=True))(tf.constant(images[:4]))
    assert_close(ops.cast(y, "float32"), found[0], 0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": 1.5}, r"`rotation` .* in \[-1, 1\].*rotation=1.5"),
        ({"x_shear": (0, 0.1, 0.2)}, "`x_shear` .* pair"),
        ({"rotation": "a little"}, "`rotation` .*rotation=a little"),
        ({"rotation": (0.1, None)}, "`rotation` .*number"),
        ({"flip": "both"}, "`flip` .*horizontal_and_vertical"),
        ({"fill_mode": "edge"}, "`fill_mode`"),
        ({"interpolation": "cubic"}, "`interpolation`"),
        ({"fill_value": "a"}, "`fill_value` .*finite number.*fill_value='a'"),
        ({"fill_value": None}, "`fill_value`"),
        ({"fill_value": float("nan")}, "`fill_value`"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomAffine(**arguments)


@pytest.mark.parametrize("shape", [(6, 8), (1, 2, 6, 8, 3)])
def test_inputs_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"needs images .*inputs\.shape"):
        turned(RandomAffine(0.3), array(*shape))
