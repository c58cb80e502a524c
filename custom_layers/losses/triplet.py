"""Triplet losses: an anchor is nearer to a sample of its class than to one of another.

Both losses take a batch of embeddings with their labels and form the triplets in it.
"""

import keras
from keras import ops

from ..common.checks import one_of, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _tensor, _unit
from .labels import _classes_of_pairs, _off_diagonal, _shares_of_anchors


def _distances(embeddings, metric: str):
    """(B, B) of distances; the slope of a distance of 0 is 0."""
    if metric == "angular":
        embeddings = _unit(embeddings, -1)
        return 1 - ops.matmul(embeddings, ops.transpose(embeddings))
    difference = ops.expand_dims(embeddings, 1) - ops.expand_dims(embeddings, 0)
    square = ops.sum(ops.square(difference), axis=-1)
    if metric == "squared-L2":
        return square
    is_zero = ops.equal(square, 0)
    root = ops.sqrt(ops.where(is_zero, ops.ones_like(square), square))
    return ops.where(is_zero, ops.zeros_like(square), root)


class _Triplet(_Loss):
    """The arguments that both ways to choose a triplet share."""

    uses_mask = True

    def __init__(
        self,
        margin: float,
        distance_metric: str,
        reduction: str | None,
        name: str,
        dtype: DType,
    ) -> None:
        super().__init__(name, reduction, dtype)
        metrics = ("L2", "squared-L2", "angular")
        self.margin = python_number(margin)
        self.distance_metric = one_of(distance_metric, metrics, "distance_metric")

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "margin": self.margin,
            "distance_metric": self.distance_metric,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TripletSemiHard(_Triplet):
    """Triplet loss with semi-hard negatives: not nearer than the positive, but near.

    loss = mean over pairs (a, p) of one class of max(0, d(a, p) - d(a, n) + margin)
    n = the nearest sample of another class with d(a, n) > d(a, p); if there is none,
        the farthest sample of another class

    Args:
        margin: by how much the negative n must be farther than the positive p.
        distance_metric: "L2", "squared-L2", or "angular", which is 1 - cosine.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings,
        preferably of length 1 -> scalar, or (B,) with reduction None: each anchor's
        share, scaled so that the mean over the batch is the mean over the pairs. Masked
        samples are left out.
    Raises: ValueError for other shapes and for an unknown distance metric.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons'
    TripletSemiHardLoss.

    >>> float(TripletSemiHard()([0, 0, 1], [[0.0], [1.0], [3.0]]))
    0.0

    Paper: Schroff, Kalenichenko and Philbin, "FaceNet: a unified embedding for face
    recognition and clustering", 2015. https://arxiv.org/abs/1503.03832
    """

    def __init__(
        self,
        margin: float = 1.0,
        distance_metric: str = "L2",
        reduction: str | None = "sum_over_batch_size",
        name: str = "triplet_semi_hard",
        dtype: DType = None,
    ) -> None:
        super().__init__(margin, distance_metric, reduction, name, dtype)

    def call(self, y_true, y_pred, mask=None):
        y_pred = _tensor(y_pred, "y_pred")
        is_same, is_other = _classes_of_pairs(y_true, y_pred, mask)
        d = _distances(y_pred, self.distance_metric)
        d_other = _semi_hard(d, is_other)
        is_triplet = ops.logical_and(_off_diagonal(is_same), ops.isfinite(d_other))
        violation = ops.relu(d - d_other + self.margin)
        loss = _shares_of_anchors(violation, is_triplet, mask)
        set_mask(loss, mask)
        return loss


def _semi_hard(d, is_other):
    """(B, B): d(a, n) of the negative n that goes with the pair of row a, column p."""
    to_positive, to_other = ops.expand_dims(d, 2), ops.expand_dims(d, 1)
    is_other = ops.expand_dims(is_other, 1)  # (B, 1, B): a, n
    is_farther = ops.logical_and(is_other, to_other > to_positive)  # a, p, n
    infinite = ops.full_like(to_other, float("inf"))
    nearest = ops.min(ops.where(is_farther, to_other, infinite), axis=2)
    farthest = ops.max(ops.where(is_other, to_other, -infinite), axis=2)
    return ops.where(ops.isfinite(nearest), nearest, farthest)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TripletHard(_Triplet):
    """Triplet loss with each anchor's hardest positive and negative ("batch hard").

    excess = max over p of d(a, p) - min over n of d(a, n)
    loss = max(0, margin + excess), or log(1 + exp(excess)) if soft

    The positives p have the class of the anchor a, the negatives n have another.

    Args:
        margin: by how much the negative must be farther than the positive.
        soft: whether the loss is smooth; the margin then has no effect.
        distance_metric: "L2", "squared-L2", or "angular", which is 1 - cosine.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings ->
        scalar, or (B,) with reduction None. An anchor that lacks a positive or a
        negative is left out of the mean, and so are masked samples.
    Raises: ValueError for other shapes and for an unknown distance metric.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons'
    TripletHardLoss.

    >>> float(TripletHard()([0, 0, 1, 1], [[0.0], [1.0], [1.5], [2.5]]))
    1.0

    Paper: Hermans, Beyer and Leibe, "In defense of the triplet loss for person
    re-identification", 2017. https://arxiv.org/abs/1703.07737
    """

    def __init__(
        self,
        margin: float = 1.0,
        soft: bool = False,
        distance_metric: str = "L2",
        reduction: str | None = "sum_over_batch_size",
        name: str = "triplet_hard",
        dtype: DType = None,
    ) -> None:
        super().__init__(margin, distance_metric, reduction, name, dtype)
        self.soft = python_number(soft)

    def call(self, y_true, y_pred, mask=None):
        y_pred = _tensor(y_pred, "y_pred")
        is_same, is_other = _classes_of_pairs(y_true, y_pred, mask)
        d = _distances(y_pred, self.distance_metric)
        infinite = ops.full_like(d, float("inf"))
        farthest_like = ops.max(ops.where(_off_diagonal(is_same), d, -infinite), axis=1)
        nearest_unlike = ops.min(ops.where(is_other, d, infinite), axis=1)
        excess = farthest_like - nearest_unlike
        is_triplet = ops.isfinite(excess)
        excess = ops.where(is_triplet, excess, ops.zeros_like(excess))
        loss = ops.softplus(excess) if self.soft else ops.relu(excess + self.margin)
        loss = ops.where(is_triplet, loss, ops.zeros_like(loss))
        set_mask(loss, is_triplet)
        return loss

    def get_config(self) -> Config:
        return {**super().get_config(), "soft": self.soft}
