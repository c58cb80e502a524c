"""Metric learning: what belongs together shall lie together.

`Contrastive` is given pairs; the others take a batch of embeddings with their labels
and form the pairs or triplets in it.
"""

import keras
from keras import ops

from ..common.private_keras import set_mask
from .base import _Loss, _pair, _refuse_shapes, _tensor, _unit, _wide


def _is_same(y_true, y_pred, other=None):
    """(B, K) of whether a row's label is the column's; both `y_true` without other."""
    labels = _tensor(y_true, "y_true", "int32")
    if (
        len(y_pred.shape) != 2
        or len(labels.shape) > 2
        or labels.shape[1:]
        not in (
            (),
            (1,),
        )
    ):
        _refuse_shapes(labels, y_pred, "must have the shapes (B,) and (B, D)")
    rows = ops.reshape(labels, (-1, 1))
    columns = labels if other is None else _tensor(other, "ref_labels", "int32")
    return ops.equal(rows, ops.reshape(columns, (1, -1)))


def _off_diagonal(is_same):
    """is_same without each sample's being the same as itself."""
    rows, columns = ops.shape(is_same)
    return ops.logical_and(is_same, ops.logical_not(ops.eye(rows, columns, dtype=bool)))


def _distances(embeddings, metric):
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


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Contrastive(_Loss):
    """Draws the two of a like pair together, drives those of an unlike pair apart.

    loss = y_true * y_pred^2 + (1 - y_true) * max(0, margin - y_pred)^2

    Args:
        margin: distance beyond which an unlike pair is far enough, above 0.
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name, dtype: as in every loss.

    Shapes: y_true, 1 for like and 0 for unlike, and y_pred, the distances within the
        pairs (B, ...) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ or margin is not above 0.
    Keras has none; this is TensorFlow Addons' ContrastiveLoss. The paper halves it.

    >>> float(Contrastive()([1.0, 0.0], [0.5, 0.5]))
    0.25

    Paper: Hadsell, Chopra and LeCun, "Dimensionality reduction by learning an invariant
    mapping", 2006. https://doi.org/10.1109/CVPR.2006.100
    """

    def __init__(
        self,
        margin=1.0,
        reduction="sum_over_batch_size",
        name="contrastive",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        if margin <= 0:
            raise ValueError(f"`margin` must be above 0. Received: margin={margin}")
        self.margin = margin

    def call(self, y_true, y_pred):
        y_true, y_pred = _pair(y_true, y_pred)
        too_near = ops.maximum(self.margin - y_pred, 0)
        return y_true * ops.square(y_pred) + (1 - y_true) * ops.square(too_near)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


class _Triplet(_Loss):
    """The arguments that both ways to choose a triplet's negative have."""

    def __init__(self, margin, distance_metric, reduction, name, dtype):
        super().__init__(name, reduction, dtype)
        if distance_metric not in ("L2", "squared-L2", "angular"):
            raise ValueError(
                "`distance_metric` must be one of L2, squared-L2, angular. "
                f"Received: distance_metric={distance_metric!r}"
            )
        self.margin = margin
        self.distance_metric = distance_metric

    def get_config(self):
        return {
            **super().get_config(),
            "margin": self.margin,
            "distance_metric": self.distance_metric,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TripletSemiHard(_Triplet):
    """Each like pair against the nearest unlike sample that is farther than the pair.

    loss = mean over like pairs (a, p) of max(0, d(a, p) - d(a, n) + margin)
    n = the nearest unlike sample with d(a, n) > d(a, p), else the farthest unlike one

    Args:
        margin: by how much the unlike sample shall be farther.
        distance_metric: "L2", "squared-L2", or "angular", which is 1 - cosine.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings, best
        of length 1 -> scalar, or (B,) with reduction None: each anchor's share, scaled
        so that the mean over the batch is the mean over the pairs.
    Raises: ValueError for other shapes and an unknown metric.
    Keras has none; this is TensorFlow Addons' TripletSemiHardLoss.

    >>> float(TripletSemiHard()([0, 0, 1], [[0.0], [1.0], [3.0]]))
    0.0

    Paper: Schroff, Kalenichenko and Philbin, "FaceNet: a unified embedding for face
    recognition and clustering", 2015. https://arxiv.org/abs/1503.03832
    """

    def __init__(
        self,
        margin=1.0,
        distance_metric="L2",
        reduction="sum_over_batch_size",
        name="triplet_semi_hard",
        dtype=None,
    ):
        super().__init__(margin, distance_metric, reduction, name, dtype)

    def call(self, y_true, y_pred):
        y_pred = _tensor(y_pred, "y_pred")
        is_same = _is_same(y_true, y_pred)
        d = _distances(y_pred, self.distance_metric)
        to_positive, to_other = ops.expand_dims(d, 2), ops.expand_dims(d, 1)
        is_other = ops.expand_dims(ops.logical_not(is_same), 1)  # (B, 1, B): a, n
        is_farther = ops.logical_and(is_other, to_other > to_positive)  # a, p, n
        infinite = ops.full_like(to_other, float("inf"))
        nearest = ops.min(ops.where(is_farther, to_other, infinite), axis=2)
        farthest = ops.max(ops.where(is_other, to_other, -infinite), axis=2)
        d_other = ops.where(ops.isfinite(nearest), nearest, farthest)
        is_triplet = ops.logical_and(_off_diagonal(is_same), ops.isfinite(d_other))
        violation = ops.relu(d - d_other + self.margin)
        loss = ops.sum(ops.where(is_triplet, violation, ops.zeros_like(d)), axis=1)
        triplets = ops.sum(ops.cast(is_triplet, d.dtype))
        return ops.divide_no_nan(loss * ops.cast(ops.shape(d)[0], d.dtype), triplets)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TripletHard(_Triplet):
    """Each anchor's farthest like sample against its nearest unlike one ("batch hard").

    loss = max(0, margin + max over like p of d(a, p) - min over unlike n of d(a, n))
    soft: log(1 + exp(the same without margin))

    Args:
        margin: by how much the unlike sample shall be farther.
        soft: whether the corner is rounded; margin then has no effect.
        distance_metric: "L2", "squared-L2", or "angular", which is 1 - cosine.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings ->
        scalar, or (B,) with reduction None. An anchor without a like and an unlike
        sample counts nothing.
    Raises: ValueError for other shapes and an unknown metric.
    Keras has none; this is TensorFlow Addons' TripletHardLoss.

    >>> float(TripletHard()([0, 0, 1, 1], [[0.0], [1.0], [1.5], [2.5]]))
    1.0

    Paper: Hermans, Beyer and Leibe, "In defense of the triplet loss for person
    re-identification", 2017. https://arxiv.org/abs/1703.07737
    """

    def __init__(
        self,
        margin=1.0,
        soft=False,
        distance_metric="L2",
        reduction="sum_over_batch_size",
        name="triplet_hard",
        dtype=None,
    ):
        super().__init__(margin, distance_metric, reduction, name, dtype)
        self.soft = soft

    def call(self, y_true, y_pred):
        y_pred = _tensor(y_pred, "y_pred")
        is_same = _is_same(y_true, y_pred)
        d = _distances(y_pred, self.distance_metric)
        infinite = ops.full_like(d, float("inf"))
        farthest_like = ops.max(ops.where(_off_diagonal(is_same), d, -infinite), axis=1)
        nearest_unlike = ops.min(ops.where(is_same, infinite, d), axis=1)
        excess = farthest_like - nearest_unlike
        is_triplet = ops.isfinite(excess)
        excess = ops.where(is_triplet, excess, ops.zeros_like(excess))
        loss = ops.softplus(excess) if self.soft else ops.relu(excess + self.margin)
        loss = ops.where(is_triplet, loss, ops.zeros_like(loss))
        set_mask(loss, is_triplet)
        return loss

    def get_config(self):
        return {**super().get_config(), "soft": self.soft}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NPairs(_Loss):
    """Softmax over all others of the batch: the like one shall be the most similar.

    loss = log(sum(exp(s))) - mean over like columns of s,  s a row of y_pred

    Args: reduction, name, dtype: as in `Contrastive`.
    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, B), the similarities of
        anchors (rows) and positives (columns), such as anchors @ positives.T
        -> scalar, or (B,) with reduction None.
    Raises: ValueError for other shapes.
    Keras has none; this is TensorFlow Addons' NpairsLoss. The paper's penalty on the
    length of the embeddings is left to an activity regularizer.

    >>> round(float(NPairs()([0, 1], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931

    Paper: Sohn, "Improved deep metric learning with multi-class N-pair loss objective",
    2016. https://papers.nips.cc/paper/6200
    """

    def __init__(self, reduction="sum_over_batch_size", name="n_pairs", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        s = _tensor(y_pred, "y_pred")
        like = ops.cast(_is_same(y_true, s), s.dtype)
        like = like / ops.sum(like, axis=1, keepdims=True)
        return ops.logsumexp(s, axis=1) - ops.sum(like * s, axis=1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal=True,
    gamma=80,
    margin=0.4,
):
    """Circle loss of each row, against a reference set if one is given; see `Circle`.

    >>> loss = circle([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> [round(float(x), 4) for x in loss]
    [54.4, 0.0, 134.4]
    """
    y_pred = _tensor(y_pred, "y_pred")
    refs = y_pred if ref_embeddings is None else _tensor(ref_embeddings, "refs")
    is_same = _is_same(y_true, y_pred, ref_labels)
    is_like = _off_diagonal(is_same) if remove_diagonal else is_same
    s = ops.minimum(_wide(ops.matmul(y_pred, ops.transpose(refs))), 1)
    like = -gamma * ops.relu(1 + margin - s) * (s - 1 + margin)
    unlike = gamma * ops.relu(s + margin) * (s - margin)
    none = ops.full_like(s, -1e9)  # its exp is 0, and finite are its gradients
    like = ops.logsumexp(ops.where(is_like, like, none), axis=1)
    unlike = ops.logsumexp(ops.where(is_same, none, unlike), axis=1)
    loss = ops.cast(ops.softplus(like + unlike), y_pred.dtype)
    set_mask(loss, loss > 0)
    return loss


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Circle(_Loss):
    """All like against all unlike pairs of a row, each weighing what it still lacks.

    loss = log(1 + sum over like (exp(like)) * sum over unlike (exp(unlike)))
    like = -gamma * max(0, 1 + margin - s) * (s - 1 + margin)
    unlike = gamma * max(0, s + margin) * (s - margin)
    s = the cosines of the row's embedding and the others

    Args:
        gamma: scale of the exponents.
        margin: in [0, 1]; like pairs aim at s > 1 - margin, unlike at s < margin.
        remove_diagonal: whether a sample is no pair with itself.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings of
        length 1 -> scalar, or (B,) with reduction None. As in Keras, rows of loss 0
        are left out of the mean, and the weights have a gradient too.
    Raises: ValueError for other shapes.
    Differs from Keras: rows without a like pair have finite gradients.

    >>> round(float(Circle()([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 4)
    94.4

    Paper: Sun et al., "Circle loss: a unified perspective of pair similarity
    optimization", 2020. https://arxiv.org/abs/2002.10857
    """

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def call(self, y_true, y_pred):
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "margin": self.margin,
            "remove_diagonal": self.remove_diagonal,
        }
