"""RandAugment and AugMix: each operation, the choice among them, and the mixture."""

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops
from PIL import Image, ImageEnhance, ImageOps

from custom_layers.layers import AugMix, RandAugment
from custom_layers.layers.augmentation import policy
from custom_layers.layers.augmentation.policy import OPERATIONS
from mutation import mutated
from oracle import array, assert_close

ROOM = "custom_layers.layers.augmentation"
FILES = ["affine", "random_affine", "base", "colors", "policy"]
needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="about TensorFlow"
)
COUNT = len(OPERATIONS)
OPERATE = policy._operate
if keras.backend.backend() == "jax":
    import jax

    OPERATE = jax.jit(OPERATE)  # as a whole, which compiles faster than each operation


def photos(B=2, H=9, W=8, C=3):
    """Images of whole numbers, whose channels use few levels, some more often."""
    x = array(B, H, W, C, low=0, high=1) ** np.linspace(1, 3, C)
    return (x * 200 + 20).round().astype("float32")


def operated(name, strength, sign=1, images=None):
    x = photos() if images is None else images
    return operated_each([name] * len(x), strength, sign, x)


def operated_each(names, strength, sign, images, operate=OPERATE):
    """The images, each after an operation of its own, in a batch of one size."""
    count = len(images)
    places = np.arange(COUNT) % count
    chosen = np.array([OPERATIONS.index(name) for name in names], "int32")
    numbers = (np.zeros(count, "float32") + np.float32(n) for n in (strength, sign))
    inputs = (images, chosen, *numbers)
    inputs = (ops.convert_to_tensor(x[places]) for x in inputs)
    return ops.convert_to_numpy(operate(*inputs))[:count]


def numpy_equalize(image):
    """y = 255 (F(x) - F_0) / (n - F_0), F counting the values up to x, by channel."""
    x = np.asarray(image).reshape(-1, 3).astype("float32")
    F = (x[:, None] >= x[None]).sum(axis=1)
    F_0 = F.min(axis=0)
    return np.round(255 * (F - F_0) / (len(x) - F_0)).reshape(np.shape(image))


def of_pillow(name, strength, sign, images):
    """What the papers' authors computed with, for images of whole numbers."""
    e = 1 + 0.9 * strength * sign
    kept = 8 - round(4 * strength)
    operation = {
        "posterize": lambda x: ImageOps.posterize(x, kept),
        "solarize": lambda x: ImageOps.solarize(x, round(256 * (1 - strength))),
        "auto_contrast": ImageOps.autocontrast,
        "equalize": numpy_equalize,
        "brightness": lambda x: ImageEnhance.Brightness(x).enhance(e),
        "color": lambda x: ImageEnhance.Color(x).enhance(e),
        "contrast": lambda x: ImageEnhance.Contrast(x).enhance(e),
        "sharpness": lambda x: ImageEnhance.Sharpness(x).enhance(e),
    }[name]
    changed = [operation(Image.fromarray(x)) for x in images.astype("uint8")]
    return np.stack([np.asarray(x, "float32") for x in changed])


COLORS = [
    ("posterize", 0.75, 1, 0),
    ("solarize", 0.5, 1, 0),
    ("auto_contrast", 1, 1, 1),
    ("equalize", 1, 1, 1),
    ("brightness", 0.5, 1, 1),
    ("brightness", 0.8, -1, 1),
    ("color", 0.5, 1, 2),  # its grays are whole numbers
    ("color", 0.8, -1, 2),
    ("contrast", 0.5, 1, 2),
    ("contrast", 0.8, -1, 2),
    ("sharpness", 0.5, 1, 2),
    ("sharpness", 0.8, -1, 2),
]


def error_of(operate):
    """The largest difference to the library of the papers, beyond its rounding."""
    names, strengths, signs, _ = zip(*COLORS)
    images = photos(1).repeat(len(COLORS), axis=0)
    images = images * np.linspace(0.7, 1, len(COLORS)).reshape(-1, 1, 1, 1)
    images = images.round().astype("float32")
    found = operated_each(names, strengths, signs, images, operate)
    errors = [
        np.abs(y[None] - of_pillow(*row[:3], x[None])).max() - row[3]
        for x, y, row in zip(images, found, COLORS)
    ]
    return max(errors)


def test_colors_change_as_in_the_library_that_the_papers_used():
    assert error_of(OPERATE) <= 0


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "layer", "draw"),
    [
        ("auto_contrast", "AutoContrast", lambda s: None),
        ("equalize", "Equalization", lambda s: None),
        ("posterize", "RandomPosterization", lambda s: {"shift_factor": 4 * s}),
        (
            "solarize",
            "Solarization",
            lambda s: {"additions": 0.0, "thresholds": 256 * (1 - s)},
        ),
        ("color", "RandomColorDegeneration", lambda s: {"factor": 0.9 * s}),
    ],
)
def test_colors_change_as_in_keras_own_layers(name, layer, draw):
    """One image at a time, and where the layer of Keras can do it: losing color."""
    arguments = {"RandomPosterization": (4,), "RandomColorDegeneration": (0.5,)}
    theirs = getattr(keras.layers, layer)(*arguments.get(layer, ()))
    image = photos(1)
    transformation = draw(0.5)
    if name == "posterize":
        transformation["shift_factor"] = np.uint8([transformation["shift_factor"]])
    expected = theirs.transform_images(ops.convert_to_tensor(image), transformation)
    assert_close(operated(name, 0.5, -1, image), expected, 1e-3)


@needs_tensorflow
@pytest.mark.parametrize(
    ("name", "layer", "arguments"),
    [
        ("translate_x", "RandomTranslation", (0.0, (0.225, 0.225))),
        ("translate_y", "RandomTranslation", ((0.225, 0.225), 0.0)),
        ("rotate", "RandomRotation", ((1 / 24, 1 / 24),)),
    ],
)
def test_images_move_as_in_keras_own_layers(name, layer, arguments):
    theirs = getattr(keras.layers, layer)(*arguments)
    expected = theirs(photos(), training=True)
    assert_close(operated(name, 0.5), expected, 1e-3)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", ["shear_x", "shear_y"])
def test_a_shear_slants_by_its_rows_or_columns(name):
    images = np.zeros((1, 21, 21, 1), "float32")
    line = (slice(None), slice(None), 10) if name == "shear_x" else np.s_[:, 10]
    images[line] = 1
    y = operated(name, 1.0, 1, images)[0, :, :, 0]
    y = y if name == "shear_x" else y.T
    place = (y * np.arange(21)).sum(axis=1) / y.sum(axis=1)
    np.testing.assert_allclose(place, 10 - 0.3 * np.arange(21), atol=1e-3)


def test_each_image_gets_its_own_operation_and_identity_changes_nothing():
    images = photos(COUNT)
    together = operated_each(OPERATIONS, 0.5, 1, images)
    assert together.min() >= 0
    assert together.max() <= 255
    changed = np.abs(together - images).max(axis=(1, 2, 3))
    is_same = np.array(OPERATIONS) == "identity"
    assert changed[is_same] == 0
    assert np.all(changed[~is_same] > 1)
    backwards = operated_each(OPERATIONS[::-1], 0.5, 1, images[::-1])
    assert_close(backwards[::-1], together, 1e-4)


@pytest.mark.one_backend
@pytest.mark.parametrize("shape", [(9, 8, 1), (2, 1, 4)])
def test_images_without_three_channels_and_flat_ones_stay_finite(shape):
    for images in (photos(COUNT, *shape), np.full((COUNT, *shape), 7, "float32")):
        y = operated_each(OPERATIONS, 0.5, 1, images)
        assert y.shape == images.shape
        assert np.isfinite(y).all()
    for name in ("auto_contrast", "equalize"):
        assert np.all(y[OPERATIONS.index(name)] == 7)


def test_an_equalization_does_not_depend_on_the_rest_of_the_batch():
    images = photos(3) * np.array([0.2, 0.6, 1], "float32")[:, None, None, None]
    together = operated("equalize", 0.5, 1, images)
    for i in range(3):
        alone = operated("equalize", 0.5, 1, images[i : i + 1])
        np.testing.assert_array_equal(together[i : i + 1], alone)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("file", "name", "right", "wrong"),
    [
        ("policy", "_operate", "LEVELS * (1 - strength)", "LEVELS * strength**2"),
        ("policy", "_operate", "bits = 8 - ops", "bits = 4 + ops"),
        ("policy", "_operate", "1 + ENHANCEMENT * strength", "ENHANCEMENT * strength"),
        (
            "policy",
            "_operate",
            '"color": ops.broadcast_to(_gray',
            '"color": (lambda a, b: x)(_gray',
        ),
        ("policy", "_operate", '"sharpness": _smooth(x)', '"sharpness": x'),
        (
            "policy",
            "_operate",
            "ops.broadcast_to(_mean_gray(x)",
            "ops.broadcast_to(_gray(x)",
        ),
        ("colors", "_posterize", "2.0**lost", "2.0**bits"),
        ("colors", "_solarize", "x < _per_image", "x <= 9 + _per_image"),
        ("colors", "_auto_contrast", "(x - low) * scale", "x * scale"),
        ("colors", "_equalize", "table * LEVELS + ", ""),
        ("colors", "_equalize", "F - F_0", "F"),
        ("colors", "_smooth", "4 * inner) / 13", "inner) / 10"),
        ("colors", "_gray", "RED * red", "RED * blue"),
        ("colors", "_mean_gray", "axis=(1, 2)", "axis=(0, 1, 2)"),
        ("colors", "_blend", "e * (x - degenerate)", "e * x"),
    ],
)
def test_a_mistake_in_an_operation_is_found(file, name, right, wrong, monkeypatch):
    if file == "policy":
        operate = mutated(name, ROOM, FILES, right, wrong)
    else:
        change = mutated(name, ROOM, FILES[:4], right, wrong)
        monkeypatch.setitem(vars(policy), name, change)
        operate = policy._operate
    assert error_of(operate) > 1


def test_every_operation_is_chosen_as_often_and_in_both_directions():
    layer = RandAugment(num_ops=1, factor=(0.5, 1), seed=1)
    seen = []

    def record(x, chosen, strength, sign, interpolation):
        seen.extend(map(ops.convert_to_numpy, (chosen, strength, sign)))
        return x

    with pytest.MonkeyPatch.context() as patch:
        path = "custom_layers.layers.augmentation.rand_augment._fast_operate"
        patch.setattr(path, record)
        layer(np.zeros((4200, 1, 1, 3), "float32"), training=True)
    chosen, strength, sign = seen
    kinds, counts = np.unique(chosen, return_counts=True)
    assert kinds.tolist() == [*range(COUNT)]
    assert np.all(np.abs(counts - 300) < 80)
    np.testing.assert_allclose(
        np.quantile(strength, [0, 0.5, 1]), [0.5, 0.75, 1], atol=0.02
    )
    assert set(sign) == {-1, 1}
    assert 0.45 < np.mean(sign > 0) < 0.55


def test_operations_follow_one_another():
    """o_2(o_1(x)), with the draws given."""
    layer = RandAugment(num_ops=2, factor=(0.5, 0.5))
    names = ["solarize", "rotate"]
    places = [(OPERATIONS.index(name) + 0.5) / COUNT for name in names]
    draws = iter([np.repeat([[p], [0.3], [0.9]], 2, axis=1) for p in places])
    layer.uniform = lambda *shape: ops.convert_to_tensor(next(draws), "float32")
    expected = photos()
    for name in names:
        expected = operated(name, 0.5, 1, expected)
    assert_close(layer(photos(), training=True), expected)


def test_a_mixture_is_that_of_its_chains():
    """m x + (1 - m) sum w_k chain_k(x), with chains of one rotation or solarization."""
    layer = AugMix(num_chains=2, chain_depth=1, factor=(0.5, 0.5), alpha=1.0, seed=4)
    weights = np.array([[0.3, 0.7], [0.9, 0.1]], "float32")
    names = ["rotate", "solarize"]
    places = [(OPERATIONS.index(name) - 0.5) / (COUNT - 1) for name in names]
    draws = [np.full(2, 0.5), np.repeat([[places[0]], [0.3], [0.9]], 2, axis=1)]
    draws += [np.full(2, 0.5), np.repeat([[places[1]], [0.3], [0.9]], 2, axis=1)]
    u = array(4, 2, low=0.1, high=0.9)
    given = iter([*draws, u])
    layer._dirichlet = lambda B: ops.convert_to_tensor(weights)
    layer.uniform = lambda *shape: ops.convert_to_tensor(next(given), "float32")
    x = photos()
    radius = np.sqrt(1 - (1 - u[0]) ** (2 / 3)) * np.cos(2 * np.pi * u[1])
    odds = (1 + radius) / (1 - radius) * (1 - u[2]) / (1 - u[3])
    m = (odds / (1 + odds))[:, None, None, None]
    w = weights.T[:, :, None, None, None]
    chains = [operated(name, 0.5, 1, x) for name in names]
    expected = m * x + (1 - m) * (w[0] * chains[0] + w[1] * chains[1])
    assert_close(layer(x, training=True), expected, 1e-4)


def test_chains_have_every_length_up_to_their_depth():
    layer = AugMix(chain_depth=3, all_ops=False, seed=2)
    seen = []

    def record(x, chosen, strength, sign, interpolation):
        seen.append(ops.convert_to_numpy(chosen))
        return x

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("custom_layers.layers.augmentation.aug_mix._fast_operate", record)
        layer._chain(ops.zeros((3000, 1, 1, 3)), 3000)
    chosen = np.stack(seen)
    lengths = (chosen > 0).sum(axis=0)
    counts = np.bincount(lengths, minlength=4)
    assert np.all(np.abs(counts - [0, 1000, 1000, 1000]) < 120)
    assert set(np.unique(chosen[0])) == {*range(1, 10)}, "operations that all_ops adds"


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_weights_of_chains_are_dirichlet_distributed(alpha):
    layer = AugMix(num_chains=3, alpha=alpha, seed=1)
    w = ops.convert_to_numpy(layer._dirichlet(4000))
    np.testing.assert_allclose(w.sum(axis=1), 1, atol=1e-5)
    quantiles = np.linspace(0.1, 0.9, 9)
    beta = scipy.stats.beta(alpha, 2 * alpha)  # of each weight by itself
    for k in range(3):
        found = np.mean(w[:, k, None] < beta.ppf(quantiles), axis=0)
        np.testing.assert_allclose(found, quantiles, atol=0.03)


LAYERS = [
    lambda **options: RandAugment(**options),
    lambda **options: AugMix(num_chains=2, chain_depth=2, **options),
]


@pytest.mark.one_backend
@pytest.mark.parametrize("make", LAYERS)
def test_what_both_layers_have_in_common(make):
    images, labels = photos(4), np.arange(4)
    layer = make(seed=1)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(images)), images)
    y = layer({"images": images, "labels": labels}, training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(y["labels"]), labels)
    first = ops.convert_to_numpy(y["images"])
    assert np.abs(first - images).max() > 1
    again = ops.convert_to_numpy(make(seed=1)(images, training=True))
    np.testing.assert_array_equal(again, first)
    moved = np.moveaxis(images, 3, 1)
    turned = make(seed=1, data_format="channels_first")(moved, training=True)
    assert_close(np.moveaxis(ops.convert_to_numpy(turned), 1, 3), first, 1e-4)
    unit = make(seed=1, value_range=(-1, 1))(images / 127.5 - 1, training=True)
    unit = ops.convert_to_numpy(unit)
    # A level may fall below a threshold by rounding.
    assert np.mean(np.abs((unit + 1) * 127.5 - first) > 0.1) < 0.05
    assert np.abs(unit).max() <= 1 + 1e-5
    one = make(seed=1)(images[0], training=True)
    batch_of_one = make(seed=1)(images[:1], training=True)
    assert_close(one, ops.convert_to_numpy(batch_of_one)[0])
    bytes_ = make(seed=1)(images.astype("uint8"), training=True)
    assert_close(bytes_, first, 1e-4)
    with pytest.raises(ValueError, match=r"keys.*segmentation_masks"):
        layer({"images": images, "segmentation_masks": labels})


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.parametrize("make", LAYERS)
def test_pipelines_of_tensorflow_change_each_batch_anew(make):
    import tensorflow as tf

    layer = make(seed=1)
    image = photos(1, 12, 12)
    batches = tf.data.Dataset.from_tensor_slices(np.repeat(image, 12, axis=0)).batch(5)
    found = [*batches.map(lambda x: layer(x, training=True))]
    assert [len(y) for y in found] == [5, 5, 2]
    kinds = {x.numpy().tobytes() for y in found for x in y}
    assert len(kinds) > 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandAugment(num_ops=-1), "`num_ops`"),
        (lambda: RandAugment(num_ops=1.5), "`num_ops`"),
        (lambda: RandAugment(factor=2), r"`factor` .*\[0, 1\]"),
        (lambda: RandAugment(value_range=(3, 3)), "`value_range`"),
        (lambda: RandAugment(interpolation="cubic"), "`interpolation`"),
        (lambda: AugMix(num_chains=0), "`num_chains`"),
        (lambda: AugMix(chain_depth=0), "`chain_depth`"),
        (lambda: AugMix(alpha=0), "`alpha` .*positive"),
        (lambda: AugMix(all_ops="no"), "`all_ops`"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
