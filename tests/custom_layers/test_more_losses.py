"""Losses that Keras lacks: the papers' formulas, published numbers, properties."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.activations import sparsemax
from custom_layers.losses import (
    ArcFace,
    FocalTversky,
    GIoU,
    InfoNCE,
    LiftedStruct,
    LovaszHinge,
    LovaszSoftmax,
    NPairsMultilabel,
    NTXent,
    SparsemaxLoss,
    SupervisedContrastive,
    Tversky,
    WeightedKappa,
)
from loss_cases import data
from loss_formulas import BOXES, LABELS, OTHERS, ROWS, error_of_row
from oracle import array, components


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({row[1]})")
def test_value_and_gradient_are_those_of_the_paper(row):
    assert error_of_row(components()[row[0]], row) < 1e-4


def test_the_numbers_that_addons_documents():
    giou = GIoU(reduction=None)(BOXES[:2], OTHERS[:2])
    np.testing.assert_allclose(giou, [1.075, 1.9333333], rtol=1e-6)
    y_true = np.eye(4)[[2, 1, 0, 3]]
    y_pred = [
        [0.1, 0.2, 0.6, 0.1],
        [0.1, 0.5, 0.3, 0.1],
        [0.8, 0.05, 0.05, 0.1],
        [0.01, 0.09, 0.1, 0.8],
    ]
    kappa = WeightedKappa(4)(y_true, np.array(y_pred))
    assert float(kappa) == pytest.approx(-1.1611925, abs=1e-6)


def test_boxes_that_do_not_meet_cost_more_the_farther_they_are_apart():
    here = np.array([[0.0, 0.0, 1.0, 1.0]])
    near, far = (float(GIoU()(here, here + step)) for step in (2.0, 20.0))
    assert 1 < near < far < 2
    assert float(GIoU()(here, here)) == 0
    assert float(GIoU("iou")(here, here + 2.0)) == 1


def test_weighted_kappa_of_a_guess_is_near_zero_and_of_the_truth_its_least():
    y_true = data("onehot", (2000, 3), seed=1)
    guess = np.ones((2000, 3)) / 3
    assert float(WeightedKappa()(y_true, guess)) == pytest.approx(0, abs=1e-3)
    least = np.log(1e-6)
    assert float(WeightedKappa()(y_true, y_true)) == pytest.approx(least, rel=1e-4)


def test_the_sparsemax_loss_is_zero_where_the_truth_leads_by_one():
    y_true = np.array([[0.0, 1.0, 0.0]])
    for scores in ([3.0, 4.0, 2.0], [9999.0, 10000.0, 0.0]):
        assert float(SparsemaxLoss()(y_true, np.array([scores]))) == 0
    z = array(4, 5)
    q = ops.convert_to_numpy(sparsemax(z))
    assert float(SparsemaxLoss()(q, z)) == pytest.approx(0, abs=1e-6)


def test_nt_xent_is_supervised_contrastive_with_a_class_for_each_image():
    views = array(5, 2, 3)
    labels = np.repeat(np.arange(5), 2)
    of_labels = SupervisedContrastive(0.5)(labels, views.reshape(10, 3))
    assert float(NTXent(0.5)(np.zeros(5), views)) == pytest.approx(
        float(of_labels), rel=1e-5
    )


def test_arc_face_without_a_margin_is_a_softmax():
    cosines = data("share", (6, 4), seed=2)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    wanted = float(plain(LABELS, 8.0 * cosines))
    found = ArcFace(margin=0.0, scale=8.0)(LABELS, cosines)
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    assert float(ArcFace(0.3, 8.0)(LABELS, cosines)) > wanted


def test_focal_tversky_with_gamma_one_is_tversky():
    y_true, y_pred = data("binary", (3, 7)), data("share", (3, 7), seed=1)
    found = FocalTversky(0.7, 0.3, gamma=1.0)(y_true, y_pred)
    wanted = Tversky(0.7, 0.3)(y_true, y_pred)
    assert float(found) == pytest.approx(float(wanted), rel=1e-6)


def test_the_lovasz_losses_of_certain_answers_are_one_minus_iou():
    """An extension of a set function has its values at the corners of the cube."""
    y_true = np.array([[0, 0, 1, 1, 2, 2, 2]])
    answer = np.array([[0, 1, 1, 1, 2, 0, 2]])
    ious = [1 / 3, 2 / 3, 2 / 3]
    found = LovaszSoftmax()(y_true, np.eye(3)[answer])
    assert float(found) == pytest.approx(1 - np.mean(ious), rel=1e-5)
    # A margin of 2 on the wrong side, as the hinge counts it, is twice an error of 1.
    y_true, answer = y_true == 1, answer == 1
    found = LovaszHinge()(y_true.astype("int32"), np.where(answer, 1.0, -1.0))
    assert float(found) == pytest.approx(2 * (1 - 2 / 3), rel=1e-5)


def test_samples_without_a_label_or_alone_in_their_class_are_left_out():
    s, x = array(3, 3), array(3, 4)
    each = NPairsMultilabel(None)([[1, 0], [0, 0], [1, 1]], s)
    mean = NPairsMultilabel()([[1, 0], [0, 0], [1, 1]], s)
    assert float(mean) == pytest.approx(float(each[0] + each[2]) / 2, rel=1e-5)
    each = SupervisedContrastive(reduction=None)([0, 1, 0], x)
    mean = SupervisedContrastive()([0, 1, 0], x)
    assert float(mean) == pytest.approx(float(each[0] + each[2]) / 2, rel=1e-5)
    assert float(LiftedStruct()([0, 0, 0], x)) == 0  # no other class


REFUSALS = [
    (lambda: GIoU("ciou"), "`mode` argument must be 'giou' or 'iou'"),
    (lambda: GIoU()(np.ones((2, 3)), np.ones((2, 3))), r"shape \(B, ..., 4\)"),
    (lambda: WeightedKappa(weightage="cubic"), "`weightage` argument must be"),
    (lambda: WeightedKappa(epsilon=0), "`epsilon` must be above 0"),
    (lambda: WeightedKappa(3)(np.eye(2), np.eye(2)), "must have 3 classes"),
    (lambda: InfoNCE(0), "`temperature` must be above 0"),
    (lambda: NTXent()(np.ones(4), np.ones((4, 3))), r"\(B, 2, D\)"),
    (lambda: SupervisedContrastive(-1), "`temperature` must be above 0"),
    (lambda: ArcFace(margin=4), "`margin` must be an angle"),
    (lambda: ArcFace(scale=0), "`scale` must be above 0"),
    (lambda: ArcFace()(np.ones((2, 3)), np.ones((2, 3))), r"\(B, ..., C\)"),
    (lambda: FocalTversky(gamma=0), "`gamma` must be above 0"),
    (lambda: LovaszSoftmax("some"), "`classes` argument must be"),
    (lambda: LovaszSoftmax()(np.ones((2, 3)), np.ones((2, 3))), r"\(B, ..., C\)"),
    (lambda: NPairsMultilabel()(np.ones(3), np.ones((3, 3))), r"\(B, L\)"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("refused", "message"), REFUSALS)
def test_refuses(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()
