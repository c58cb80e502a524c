"""Losses of embeddings in a plain script, each a function that makes the loss."""

from collections.abc import Callable

from keras import ops


def same(labels):
    """Whether two samples have one label, for all pairs of a batch."""
    return ops.equal(ops.expand_dims(labels, 1), labels)


def Contrastive(margin: float) -> Callable:
    """Pulls similar pairs together, and pushes others apart up to the margin."""

    def loss(is_same, distance):
        too_near = ops.relu(margin - distance)
        of_same = is_same * distance**2
        of_others = (1 - is_same) * too_near**2
        return ops.mean(of_same + of_others)

    return loss


def TripletSemiHard(margin: float, distance_metric: str) -> Callable:
    """An anchor is nearer to a sample of its class than to one of another."""

    def loss(labels, z):
        is_same = same(labels)
        apart = z[:, None] - z
        d = ops.sum(ops.square(apart), -1)
        positive, negative = d[:, :, None], d[:, None]

        # The nearest negative that is farther than the positive, or the farthest one
        is_farther = ~is_same[:, None] & (negative > positive)
        nearest = ops.min(ops.where(is_farther, negative, float("inf")), 2)
        farthest = ops.max(ops.where(is_same, 0.0, d), 1, keepdims=True)
        d_negative = ops.where(ops.isfinite(nearest), nearest, farthest)

        is_pair = is_same & ~ops.eye(*ops.shape(d), dtype="bool")
        cost = ops.where(is_pair, ops.relu(d - d_negative + margin), 0.0)
        return ops.sum(cost) / ops.sum(ops.cast(is_pair, "float32"))

    return loss


def NPairs() -> Callable:
    """Each row must find the columns with its label, by a softmax."""

    def loss(labels, s):
        like = ops.cast(same(labels), "float32")
        like = like / ops.sum(like, 1, keepdims=True)
        found = ops.sum(like * s, 1)
        return ops.mean(ops.logsumexp(s, 1) - found)

    return loss


def Circle(gamma: float, margin: float) -> Callable:
    """Each pair weighs as much as its similarity is far from its goal."""

    def loss(labels, z):
        s = z @ ops.transpose(z)
        is_same = same(labels)
        is_like = is_same & ~ops.eye(*ops.shape(s), dtype="bool")

        weight = gamma * ops.relu(1 + margin - s)
        like = weight * (1 - margin - s)
        weight = gamma * ops.relu(s + margin)
        unlike = weight * (s - margin)

        like = ops.logsumexp(ops.where(is_like, like, -1e9), 1)
        unlike = ops.logsumexp(ops.where(is_same, -1e9, unlike), 1)
        return ops.mean(ops.softplus(like + unlike))

    return loss


def InfoNCE(temperature: float) -> Callable:
    """Each first vector must find its partner among the second ones."""

    def loss(labels, pairs):
        a, b = pairs[:, 0], pairs[:, 1]
        s = a @ ops.transpose(b) / temperature
        own = ops.sum(a * b, 1) / temperature
        return ops.mean(ops.logsumexp(s, 1) - own)

    return loss
