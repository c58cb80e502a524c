"""Padding never counts in a loss or a metric, whatever the padding holds.

Each loss is trained behind a mask, as `Model.evaluate` and `Model.fit` run it, and must
give the loss of what is not masked.
"""

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers.common.private_keras import set_mask
from custom_layers.layers import CRF, Embedding
from custom_layers.losses import (
    CTC,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Circle,
    CRFLoss,
    Dice,
    MeanSquaredError,
    NPairs,
    TokenCrossentropy,
    TripletSemiHard,
    ctc,
)
from custom_layers.metrics import token_accuracy, whole_answers
from loss_cases import AsLayer, data
from making import make
from oracle import array, assert_close, run_layer

# Losses by what they compare: (kind of y_true, kind of y_pred)
STEPS = {  # of sequences (B, T, C) with a mask (B, T)
    "ArcFace": ("labels", "share"),
    "BinaryCrossentropy": ("binary", "share"),
    "BinaryFocalCrossentropy": ("binary", "share"),
    "CategoricalCrossentropy": ("onehot", "logits"),
    "CategoricalFocalCrossentropy": ("onehot", "distribution"),
    "CategoricalGeneralizedCrossEntropy": ("labels", "distribution"),
    "CategoricalHinge": ("onehot", "real"),
    "Contrastive": ("binary", "positive"),
    "CosineSimilarity": ("real", "real"),
    "Dice": ("binary", "share"),
    "FocalTversky": ("binary", "share"),
    "GIoU": ("real", "real"),
    "Hinge": ("sign", "real"),
    "Huber": ("real", "real"),
    "KLDivergence": ("distribution", "distribution"),
    "LogCosh": ("real", "real"),
    "LovaszHinge": ("binary", "real"),
    "LovaszSoftmax": ("labels", "distribution"),
    "MeanAbsoluteError": ("real", "real"),
    "MeanAbsolutePercentageError": ("positive", "real"),
    "MeanSquaredError": ("real", "real"),
    "MeanSquaredLogarithmicError": ("positive", "positive"),
    "Poisson": ("positive", "positive"),
    "Quantile": ("real", "real"),
    "RootMeanSquaredError": ("real", "real"),
    "SequenceLoss": ("labels", "logits"),
    "SparseCategoricalCrossentropy": ("labels", "distribution"),
    "SparsemaxLoss": ("onehot", "real"),
    "SquaredHinge": ("binary", "real"),
    "TokenCrossentropy": ("labels", "logits"),
    "Tversky": ("binary", "share"),
    "WeightedKappa": ("onehot", "distribution"),
}
SAMPLES = {  # of samples (B, D) with a mask (B,)
    "Circle": "unit",
    "InfoNCE": "real",
    "LiftedStruct": "real",
    "NPairs": "real",
    "NPairsMultilabel": "real",
    "NTXent": "real",
    "SupervisedContrastive": "real",
    "TripletHard": "real",
    "TripletSemiHard": "real",
}
SEQUENCES = {"CTC", "CRFLoss"}  # one loss for each sequence; see below
GAN = {name for name in examples.LOSSES if name.endswith("GAN")}
JAX = keras.backend.backend() == "jax"

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]], bool)


class Carrier(keras.layers.Layer):
    """Returns x without its last feature, which says what the mask hides."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True
        self.built = True

    def call(self, x):
        return x[..., :-1]

    def compute_mask(self, x, mask=None):
        return x[..., -1] > 0

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] - 1)


def evaluated(loss, y_true, y_pred, mask, **compiled):
    """The loss that `Model.evaluate` finds where the output y_pred carries the mask."""
    x = np.concatenate([y_pred, mask[..., None]], -1).astype("float32")
    model = keras.Sequential([keras.Input(x.shape[1:]), Carrier()])
    model.compile("sgd", loss, jit_compile=JAX, **compiled)
    return model.evaluate(x, y_true, batch_size=len(x), verbose=0)


def loss_of(name):
    if name in ("Dice", "CosineSimilarity", "SparseCategoricalCrossentropy"):
        options = {"ignore_class": 3} if name.startswith("Sparse") else {}
        return type(make(name))(**options)
    return make(name)


def shape_of(name):
    """The shape of y_pred for a loss of STEPS or SAMPLES."""
    if name in SAMPLES:
        return (8, 2, 4) if name in ("InfoNCE", "NTXent") else (8, 8)
    return (4, 4, 4) if name == "GIoU" else (4, 4, 5)


def targets_of(name, labels):
    """y_true of a loss of SAMPLES, from the labels (B,)."""
    return np.eye(4)[labels] if name == "NPairsMultilabel" else labels


def spoilt(values, mask):
    """values with nonsense where the mask is False."""
    values = np.array(values)
    is_float = np.issubdtype(values.dtype, np.floating)
    values[~mask] = np.nan if is_float else -7
    return values


def test_every_loss_stands_in_a_table():
    assert set(STEPS) | set(SAMPLES) | SEQUENCES | GAN == set(examples.LOSSES)


@pytest.mark.parametrize("name", STEPS)
def test_masked_steps_do_not_count(name):
    true, pred = STEPS[name]
    shape = shape_of(name)
    y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2)
    y_pred = y_pred.astype("float32")
    alone_true, alone_pred = y_true[MASK][None], y_pred[MASK][None]
    wanted = float(loss_of(name)(alone_true, alone_pred))
    found = evaluated(loss_of(name), spoilt(y_true, MASK), spoilt(y_pred, MASK), MASK)
    assert found == pytest.approx(wanted, rel=2e-5)


@pytest.mark.parametrize("name", SAMPLES)
def test_masked_samples_are_in_no_pair(name):
    mask = np.array([1, 1, 0, 1, 1, 0, 1, 1], bool)
    y_true = targets_of(name, np.array([0, 1, 0, 1, 0, 1, 2, 2]))
    y_pred = data(SAMPLES[name], shape_of(name), seed=2).astype("float32")
    alone = y_pred[mask]
    if name.startswith("NPairs"):
        alone = alone[:, mask]
    wanted = float(make(name)(y_true[mask], alone))
    y_true, y_pred = spoilt(y_true, mask), spoilt(y_pred, mask)
    if y_pred.ndim == 3:  # of pairs, whose mask has no axis for the two
        found = float(AsLayer(make(name), y_true, mask=mask)(y_pred))
    else:
        found = evaluated(make(name), y_true, y_pred, mask)
    assert found == pytest.approx(wanted, rel=2e-5)


@pytest.mark.parametrize("name", [*STEPS, *SAMPLES])
def test_nonsense_at_masked_places_reaches_no_gradient(name):
    is_pair = name in SAMPLES
    mask = np.tile(MASK[:, 0], 2) if is_pair else MASK
    true, pred = ("labels", SAMPLES[name]) if is_pair else STEPS[name]
    shape = shape_of(name)
    y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2)
    if is_pair:
        y_true = targets_of(name, data("labels", (8, 4), seed=1))
    y_true, y_pred = (spoilt(y, mask) for y in (y_true, y_pred.astype("float32")))
    layer = AsLayer(loss_of(name), y_true, mask=mask)
    slope = run_layer(layer, y_pred)["gradient to input 0"]
    assert np.all(np.isfinite(slope))
    assert np.all(slope[~mask] == 0)


def ctc_model(steps, layers=None):
    layers = layers or [
        keras.layers.Masking(),
        keras.layers.LSTM(8, return_sequences=True),
        keras.layers.Dense(6),
    ]
    return keras.Sequential([keras.Input((steps, 4)), *layers])


@pytest.mark.parametrize("label", [0, -1])
def test_ctc_behind_masking_is_that_of_the_sequence_alone(label):
    x = array(4, 12, 4)
    x[:, 8:] = 0
    y = np.full((4, 5), label)
    y[:, :3] = array(4, 3, low=1, high=6, dtype="int32")
    model = ctc_model(12)
    model.compile("sgd", CTC(), jit_compile=JAX)
    padded = model.evaluate(x, y, batch_size=4, verbose=0)
    short = ctc_model(8, model.layers)
    alone = CTC()(y[:, :3], ops.convert_to_numpy(short(x[:, :8])))
    assert padded == pytest.approx(float(alone), rel=1e-5)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    "labels", [[2, 4, 0], [2, 4, -1], [-1, 2, 4], [2, -1, 4], [2, 4, -7]], ids=str
)
def test_ctc_finds_the_labels_wherever_padding_stands(labels):
    z = np.random.default_rng(0).normal(size=(1, 10, 6)).astype("float32")
    assert float(CTC()(np.array([labels]), z)) == pytest.approx(15.1, abs=0.05)


def test_ctc_with_lengths_and_masks_has_the_gradient_of_the_part():
    y, z = np.array([[1, 2, 3], [2, 2, 0]]), array(2, 7, 5)
    mask = np.array([[1, 1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 1, 1, 1]], bool)
    padded = run_layer(AsLayer(CTC("sum"), y, mask=mask), spoilt(z, mask))
    parts = [
        run_layer(AsLayer(CTC("sum"), y[i : i + 1]), z[i, mask[i]][None])
        for i in (0, 1)
    ]
    total = sum(part["output 0"] for part in parts)
    assert padded["output 0"] == pytest.approx(total, rel=1e-5)
    slope = padded["gradient to input 0"]
    for i, part in enumerate(parts):
        assert_close(slope[i, mask[i]], part["gradient to input 0"][0], 1e-5)
    assert np.all(slope[~mask] == 0)
    by_length = ctc(y[:1], spoilt(z, mask)[:1], input_lengths=[5])
    assert_close(by_length, ctc(y[:1], z[:1, :5]), 1e-5)
    assert_close(ctc([[1, 2, 3]], z[:1], label_lengths=[2]), ctc([[1, 2]], z[:1]), 1e-6)


def test_ctc_does_not_take_a_label_beyond_the_classes_for_certain():
    losses = ctc(np.array([[1, 6], [1, 2]]), array(2, 5, 6))
    assert np.isnan(float(losses[0]))
    assert np.isfinite(float(losses[1]))


@pytest.mark.parametrize("label", [0, -1, 4, 9])
def test_crf_labels_at_masked_steps_do_not_count(label):
    x = np.random.default_rng(0).normal(size=(1, 6, 5)).astype("float32")
    mask = np.array([[True, True, True, False, False, False]])
    psi = CRF()(x, mask=mask)
    y = np.array([[1, 2, 3, label, label, label]])
    loss = ops.convert_to_numpy(CRFLoss()(y, psi))
    assert loss == pytest.approx(4.28, abs=0.005)


def test_crf_labels_that_are_no_tags_give_nan():
    losses = CRFLoss(reduction=None)([[1, -1], [0, 3], [0, 2]], CRF()(array(3, 2, 3)))
    np.testing.assert_array_equal(np.isnan(ops.convert_to_numpy(losses)), [1, 1, 0])


@pytest.mark.parametrize("mask_zero", [False, True])
def test_token_crossentropy_trains_behind_an_embedding(mask_zero):
    """Keras weighed the losses (B, T) with the mask a second time."""
    tokens = np.array([[3, 1, 2, 0], [4, 2, 0, 0]])
    model = keras.Sequential(
        [keras.Input((4,)), Embedding(5, 3, mask_zero=mask_zero), keras.layers.Dense(5)]
    )
    metrics = [token_accuracy]
    model.compile("sgd", TokenCrossentropy(), metrics=metrics, jit_compile=JAX)
    wanted = TokenCrossentropy()(tokens, ops.convert_to_numpy(model(tokens)))
    wanted = float(wanted)
    found = model.fit(tokens, tokens, verbose=0).history["loss"][0]
    assert found == pytest.approx(wanted, rel=1e-5)


def test_metrics_of_tokens_behind_a_mask():
    y = np.array([[1, 2, 3, 4], [1, 2, 2, 2], [1, 1, 1, 1], [3, 0, 1, 2]])
    right = y.copy()
    right[0, 3] = 0  # one of the seven tokens that count is wrong, in one row of three
    y_pred = np.eye(5)[right]
    loss, metrics = TokenCrossentropy(), [token_accuracy, whole_answers]
    y = spoilt(y, MASK)
    _, accuracy, whole = evaluated(loss, y, y_pred, MASK, metrics=metrics)
    assert accuracy == pytest.approx(1 - 1 / 8)
    assert whole == pytest.approx(2 / 3)


def test_one_value_per_step_may_lack_its_axis():
    """y_true (B, T) beside y_pred (B, T, 1): the loss has the shape of the mask."""
    y, p = data("binary", (4, 4)), data("share", (4, 4), seed=2)
    wanted = float(BinaryCrossentropy()(y[MASK][:, None], p[MASK][:, None]))
    found = evaluated(BinaryCrossentropy(), spoilt(y, MASK), p[..., None], MASK)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_the_logits_behind_a_masked_softmax_are_found():
    z = np.array([[[0.0, 200.0], [3.0, 1.0]]], "float32")
    mask = np.array([[True, False]])
    inputs = keras.Input((2, 3))
    outputs = keras.layers.Activation("softmax")(Carrier()(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", CategoricalCrossentropy(), jit_compile=JAX)
    x = np.concatenate([z, mask[..., None]], -1)
    found = model.evaluate(x, np.array([[[1.0, 0.0], [np.nan, 0.0]]]), verbose=0)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    assert found == pytest.approx(200.0 if on_tensorflow else found)
    assert np.isfinite(found)


def test_refuses_a_mask_that_does_not_fit_the_loss():
    y = ops.convert_to_tensor(array(4, 4, 5))
    set_mask(y, ops.convert_to_tensor(MASK))
    with pytest.raises(ValueError, match="cannot leave out the padding"):
        BinaryCrossentropy(axis=1)(np.ones((4, 4, 5)), y)
    vectors = ops.convert_to_tensor(array(4, 4))
    set_mask(vectors, ops.convert_to_tensor(MASK))
    with pytest.raises(ValueError, match=r"mask of shape \(B,\)"):
        TripletSemiHard()([0, 1, 0, 1], vectors)


@pytest.mark.parametrize(
    "weight", [array(4, low=0, high=2), array(4, 4, low=0, high=2)]
)
def test_weights_of_samples_and_of_steps_beside_a_mask(weight):
    y, p = array(4, 4, 5), array(4, 4, 5, seed=1)
    tensor = ops.convert_to_tensor(p)
    set_mask(tensor, ops.convert_to_tensor(MASK))
    found = float(MeanSquaredError()(y, tensor, weight))
    losses = np.mean((y - p) ** 2, -1) * (
        weight if weight.ndim == 2 else weight[:, None]
    )
    assert found == pytest.approx(losses[MASK].mean(), rel=1e-5)


@pytest.mark.parametrize("name", sorted(examples.LOSSES.keys() - GAN))
def test_a_batch_without_samples_costs_nothing(name):
    of_classes = [(0,), (0, 4)]
    y_true, y_pred = {
        "CTC": [(0, 2), (0, 5, 4)],
        "CRFLoss": [(0, 5), (0, 5, 3, 3)],
        "SequenceLoss": [(0, 5), (0, 5, 4)],
        "TokenCrossentropy": [(0, 5), (0, 5, 4)],
        "SparseCategoricalCrossentropy": of_classes,
        "CategoricalGeneralizedCrossEntropy": of_classes,
        **dict.fromkeys(SAMPLES, of_classes),
        **dict.fromkeys(("ArcFace", "LovaszSoftmax"), of_classes),
    }.get(name, [(0, 4), (0, 4)])
    loss = make(name)(np.zeros(y_true, "int32"), np.zeros(y_pred, "float32"))
    assert loss.shape == ()
    assert float(loss) == 0


LARGE = 2**24


@pytest.mark.parametrize(
    "loss", [Circle(), NPairs(), TripletSemiHard()], ids=lambda x: type(x).__name__
)
@pytest.mark.parametrize("base", [LARGE, 2**40])
def test_labels_are_compared_as_integers(loss, base):
    if base > 2**31 and JAX:
        pytest.skip("JAX has integers of 32 bits")
    y_pred = data("unit", (6, 6), seed=3).astype("float32")
    labels = np.array([0, 1, 0, 1, 2, 2])
    wanted = float(loss(labels, y_pred))
    assert float(loss(labels + base, y_pred)) == pytest.approx(wanted, rel=1e-6)


def test_labels_of_a_large_vocabulary_survive_half_precision():
    """float16 holds no odd integer above 2048."""
    z = np.zeros((1, 1, 3000), "float16")
    z[0, 0, 2049] = 10
    found = float(TokenCrossentropy(dtype="float16")([[2049]], z))
    assert found == pytest.approx(np.log1p(2999 * np.exp(-10.0)), rel=1e-2)


def test_dice_of_a_masked_image_is_that_of_the_rest():
    y, p = data("binary", (2, 3, 3, 1)), data("share", (2, 3, 3, 1), seed=1)
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    tensor = ops.convert_to_tensor(spoilt(p.astype("float32"), mask))
    set_mask(tensor, ops.convert_to_tensor(mask))
    found = Dice(axis=(1, 2, 3), reduction=None)(spoilt(y, mask), tensor)
    for i in range(2):
        both = 2 * np.sum((y * p)[i, mask[i]])
        sizes = np.sum((y + p)[i, mask[i]])
        assert float(found[i]) == pytest.approx(1 - both / sizes, rel=1e-5)
