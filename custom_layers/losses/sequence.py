"""Sequence losses: the labels are known, but not the moments at which they come."""

import keras
from keras import ops

from .base import _Loss, _tensor, _wide

_LOG_0 = -1e30


def _shift(x, places, fill):
    """x moved to the right along its last axis."""
    return ops.pad(x, ((0, 0), (places, 0)), constant_values=fill)[:, :-places]


def _log_ways(emitted, states, start):
    """(T, B, S): log of the summed probability of all ways into each state by then.

    A way stays, comes from the state before, or skips the blank between two labels
    that differ.
    """
    is_label = ops.arange(states.shape[1]) % 2 == 1
    may_skip = ops.logical_and(is_label, ops.not_equal(states, _shift(states, 2, -1)))
    nowhere = ops.full_like(emitted[0], _LOG_0)
    alpha = ops.where(ops.one_hot(start, states.shape[1], dtype="bool"), 0, nowhere)

    def body(alpha, emitted):
        skip = ops.where(may_skip, _shift(alpha, 2, _LOG_0), nowhere)
        ways = ops.stack([alpha, _shift(alpha, 1, _LOG_0), skip])
        alpha = ops.logsumexp(ways, axis=0) + emitted
        return alpha, alpha

    return ops.scan(body, alpha, emitted)[1]


def _alignment_loss(emitted, states, length):
    """-log of the probability of all alignments, from log(p) of the states (T, B, S).

    Its gradient is minus the probability that an alignment is in the state then.
    """
    last = 2 * length

    @ops.custom_gradient
    def loss_of(emitted):
        alpha = _log_ways(emitted, states, ops.zeros_like(last))
        behind = ops.expand_dims(last, 1) - ops.arange(states.shape[1])
        is_end = ops.logical_or(ops.equal(behind, 0), ops.equal(behind, 1))
        ends = ops.where(is_end, alpha[-1], ops.full_like(alpha[-1], _LOG_0))
        log_total = ops.logsumexp(ends, axis=1)

        def gradient(*args, upstream=None):
            upstream = args[-1] if upstream is None else upstream
            back = ops.flip(emitted, (0, 2)), ops.flip(states, 1)
            beta = _log_ways(*back, states.shape[1] - 1 - last)
            beta = ops.flip(beta, (0, 2))
            chance = ops.exp(alpha + beta - emitted - ops.expand_dims(log_total, 1))
            is_possible = ops.cast(log_total > _LOG_0 / 2, chance.dtype)
            return -chance * ops.expand_dims(upstream * is_possible, 1)

        return -log_total, gradient

    return loss_of(emitted)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def ctc(y_true, y_pred):
    """-log of the probability of all alignments of the labels, as in `CTC`.

    >>> round(float(ctc([[1]], [[[0.0, 0.0]]])[0]), 4)
    0.6931
    """
    labels = _tensor(y_true, "y_true", "int32")
    y_pred = _tensor(y_pred, "y_pred")
    for name, x, axes in ("y_true", labels, "(B, N)"), ("y_pred", y_pred, "(B, T, C)"):
        if len(x.shape) != axes.count(",") + 1:
            raise ValueError(
                f"Argument `{name}` must have the shape {axes}. "
                f"Received: {name}.shape={tuple(x.shape)}"
            )
    blanks = ops.zeros_like(labels)
    states = ops.reshape(ops.stack([blanks, labels], axis=2), (-1, 2 * labels.shape[1]))
    states = ops.pad(states, ((0, 0), (0, 1)))  # blank, label, blank, ..., blank
    z = _wide(y_pred)
    log_p = z - ops.logsumexp(z, axis=-1, keepdims=True)
    onehot = ops.one_hot(states, z.shape[-1], dtype=z.dtype)
    emitted = ops.einsum("btc,bsc->tbs", log_p, onehot)
    length = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=1)
    return ops.cast(_alignment_loss(emitted, states, length), y_pred.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CTC(_Loss):
    """Surprise at a label sequence, whatever the moments at which its labels come.

    loss = -log(sum over alignments of product over time of p[t, alignment[t]])
    An alignment spells the labels once repeats, then blanks (class 0) are removed.
    With the states blank, label 1, blank, label 2, ..., blank:
    alpha[t, s] = p[t, s] * (alpha[t-1, s] + alpha[t-1, s-1] + alpha[t-1, s-2]), the
    last term only where s and s-2 are different labels

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name, dtype: as in every loss.

    Shapes: y_true (B, N) of labels 1 ... C - 1, padded with 0, y_pred (B, T, C) of
        logits -> scalar, or (B,) with reduction None.
    Raises: ValueError for other ranks.
    Differs from Keras: float64 is computed in float64; labels that do not fit into T
    cost 1e30 and have no gradient, where Keras gives 700 and a meaningless one. It
    takes 0.1 to 0.6 of Keras's time.

    >>> round(float(CTC()([[1]], [[[0.0, 0.0]]])), 4)
    0.6931

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return ctc(y_true, y_pred)
