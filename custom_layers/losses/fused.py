"""Cross-entropy over many classes in a step on TensorFlow: two programs by XLA.

One computes the loss from logits z, the other its gradient p - t. Neither stores the
probabilities p = softmax(z) of all classes, nor the truth t that integer labels stand
for. With m = max(z), log(p) = (z - m) - log_sum, where log_sum = log(sum(exp(z - m))).
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from ..common.fused import can_fuse, fused

# Fewer classes take no longer without a program, and to compile one takes 0.2 seconds.
FUSED_CLASSES = 512
# XLA sums rows of at most this length with the whole width of the processor.
PIECE_LENGTH = 2048


def _fuses_crossentropy(z: Any, axis: int = -1) -> bool:
    """Whether to fuse a cross-entropy of logits z with their classes along `axis`."""
    classes = z.shape[axis]
    is_last = axis in (-1, len(z.shape) - 1)
    return (
        is_last
        and classes is not None
        and classes >= FUSED_CLASSES
        and can_fuse(True, z)
    )


def _surprise_of_labels(z, labels, smoothing: float = 0.0):
    """-sum(t * log(p)) of logits z (..., C) and integer labels (...), smoothed to t."""
    piece = fused(_from_labels, _from_labels_gradient, smoothing=smoothing)
    flat = ops.reshape(z, (-1, z.shape[-1])), ops.reshape(labels, (-1,))
    (loss,) = piece(*flat)
    return ops.reshape(loss, ops.shape(z)[:-1])


def _from_labels(z, labels, smoothing: float) -> tuple:
    import tensorflow as tf

    m, log_sum = _log_sum(z)
    of_label = tf.gather(z, labels, batch_dims=1)[:, None] - m
    loss = log_sum - (1 - smoothing) * of_label
    if smoothing:
        mean = _sum_of_classes(lambda z: z, z) / z.shape[-1]
        loss = loss - smoothing * (mean - m)
    return (loss[:, 0],), (m, log_sum)


def _from_labels_gradient(inputs, saved, upstream, smoothing: float) -> tuple:
    """dz = dloss * (p - t)."""
    import tensorflow as tf

    z, labels = inputs
    m, log_sum = saved
    p = tf.exp(z - m - log_sum)
    t = (1 - smoothing) * tf.one_hot(labels, z.shape[-1]) + smoothing / z.shape[-1]
    return (p - t) * upstream[0][:, None], None


def _surprise_of_shares(z, t):
    """-sum(t * log(p)) of logits z (..., C) and shares t (..., C) of the classes."""
    import tensorflow as tf

    piece = fused(_from_shares, _from_shares_gradient)
    flat = [ops.reshape(x, (-1, z.shape[-1])) for x in (z, tf.stop_gradient(t))]
    loss, log_total = piece(*flat)
    shape = ops.shape(z)[:-1]
    log_total = ops.reshape(log_total, (*shape, 1))

    @tf.custom_gradient
    def with_gradient_to_t(loss, t):
        # It stands outside of the program, for hardly any step computes it.
        return loss, lambda dloss: (dloss, dloss[..., None] * (log_total - z))

    return with_gradient_to_t(ops.reshape(loss, shape), t)


def _from_shares(z, t) -> tuple:
    m, log_sum = _log_sum(z)
    loss = _sum_of_classes(
        lambda z, t, m, log_sum: t * (log_sum - (z - m)), z, t, m, log_sum
    )
    total = _sum_of_classes(lambda t: t, t)
    return (loss[:, 0], m + log_sum), (m, log_sum, total)


def _from_shares_gradient(inputs, saved, upstream) -> tuple:
    """dz = dloss * (p * sum(t) - t)."""
    import tensorflow as tf

    z, t = inputs
    m, log_sum, total = saved
    p = tf.exp(z - m - log_sum)
    return (p * total - t) * upstream[0][:, None], None


def _log_sum(z) -> tuple:
    """(m, log_sum), each (N, 1), of logits z (N, C)."""
    import tensorflow as tf

    m = tf.reduce_max(z, -1, keepdims=True)
    return m, tf.math.log(_sum_of_classes(lambda z, m: tf.exp(z - m), z, m))


def _sum_of_classes(function: Callable, *tensors: Any):
    """The sum (N, 1) of function(*tensors), whose tensors are (N, C) or (N, 1).

    It cuts each row into pieces of equal length, if its length can be divided so.
    """
    import tensorflow as tf

    classes = tensors[0].shape[-1]
    lengths = range(PIECE_LENGTH, PIECE_LENGTH // 8, -1)
    length = next((n for n in lengths if classes % n == 0), classes)
    pieces = classes // length
    cut = [
        tf.repeat(x, pieces, axis=0)
        if x.shape[-1] == 1
        else tf.reshape(x, (-1, length))
        for x in tensors
    ]
    sums = function(*cut) @ tf.ones((length, 1))
    return tf.reduce_sum(tf.reshape(sums, (-1, pieces)), -1, keepdims=True)
