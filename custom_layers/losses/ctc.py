"""Connectionist temporal classification: labels in order, but at unknown times."""

import keras
from keras import ops

from ..common.types import DType
from .base import _Loss, _tensor, _wide

# The logarithm of probability 0. It is far below `common.checks.minus_infinity`,
# because it stands among sums of log-probabilities over all steps: at logits of 1e4, a
# possible alignment of 1e5 steps reaches -1e9, and it must not pass for impossible.
_LOG_0 = -1e30


@keras.saving.register_keras_serializable(package="keras_cookbook")
def ctc(y_true, y_pred):
    """-log of the probability of all alignments of the labels, as in `CTC`.

    >>> round(float(ctc([[1]], [[[0.0, 0.0]]])[0]), 4)
    0.6931
    """
    labels = _tensor(y_true, "y_true", "int32")
    y_pred = _tensor(y_pred, "y_pred")
    _check_rank(labels, "y_true", "(B, N)")
    _check_rank(y_pred, "y_pred", "(B, T, C)")
    states = _with_blanks(labels)
    z = _wide(y_pred)
    log_p = z - ops.logsumexp(z, axis=-1, keepdims=True)
    onehot = ops.one_hot(states, z.shape[-1], dtype=z.dtype)
    emitted = ops.einsum("btc,bsc->tbs", log_p, onehot)
    length = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=1)
    return ops.cast(_alignment_loss(emitted, states, length), y_pred.dtype)


def _check_rank(x, name: str, axes: str) -> None:
    if len(x.shape) != axes.count(",") + 1:
        raise ValueError(
            f"Argument `{name}` must have the shape {axes}. "
            f"Received: {name}.shape={tuple(x.shape)}"
        )


def _with_blanks(labels):
    """(B, S), S = 2 N + 1: blank, label, blank, ..., label, blank."""
    blanks = ops.zeros_like(labels)
    pairs = ops.stack([blanks, labels], axis=2)  # B, N, 2
    states = ops.reshape(pairs, (-1, 2 * labels.shape[1]))
    return ops.pad(states, ((0, 0), (0, 1)))


def _alignment_loss(emitted, states, length):
    """-log of the probability of all alignments.

    Args:
        emitted: (T, B, S), log(p) of each state at each time.
        states: (B, S), the class of each state.
        length: (B,), the number of labels.

    The gradient is written by hand: it is minus the probability that an alignment is
    in that state at that time.
    """
    last = 2 * length

    @ops.custom_gradient
    def loss_of(emitted):
        alpha = _forward(emitted, states, ops.zeros_like(last))
        log_total = _log_total(alpha[-1], last)

        def gradient(*args, upstream=None):
            upstream = args[-1] if upstream is None else upstream
            # The backward pass is the forward pass over the reversed sequence.
            reversed_start = states.shape[1] - 1 - last
            back = _forward(
                ops.flip(emitted, (0, 2)), ops.flip(states, 1), reversed_start
            )
            beta = ops.flip(back, (0, 2))
            through = alpha + beta - emitted  # beta and alpha both count `emitted`
            chance = ops.exp(through - ops.expand_dims(log_total, 1))
            is_possible = ops.cast(log_total > _LOG_0 / 2, chance.dtype)
            return -chance * ops.expand_dims(upstream * is_possible, 1)

        return -log_total, gradient

    return loss_of(emitted)


def _forward(emitted, states, start):
    """alpha (T, B, S): log of the summed probability of all ways to a state by a time.

    A way begins in the state `start` or the one after it. From step to step it stays,
    moves on by one state, or skips the blank between two labels that differ.
    """
    is_label = ops.arange(states.shape[1]) % 2 == 1
    may_skip = ops.logical_and(is_label, ops.not_equal(states, _shift(states, 2, -1)))
    nowhere = ops.full_like(emitted[0], _LOG_0)
    alpha = ops.where(ops.one_hot(start, states.shape[1], dtype="bool"), 0, nowhere)

    def step(alpha, emitted):
        stay = alpha
        move = _shift(alpha, 1, _LOG_0)
        skip = ops.where(may_skip, _shift(alpha, 2, _LOG_0), nowhere)
        alpha = ops.logsumexp(ops.stack([stay, move, skip]), axis=0) + emitted
        return alpha, alpha

    return ops.scan(step, alpha, emitted)[1]


def _shift(x, places: int, fill: float):
    """x moved to the right along its last axis, with `fill` at its left."""
    return ops.pad(x, ((0, 0), (places, 0)), constant_values=fill)[:, :-places]


def _log_total(alpha, last):
    """(B,): log-probability of ending in the last label or in the blank after it."""
    behind = ops.expand_dims(last, 1) - ops.arange(alpha.shape[1])
    is_end = ops.logical_or(ops.equal(behind, 0), ops.equal(behind, 1))
    return ops.logsumexp(ops.where(is_end, alpha, ops.full_like(alpha, _LOG_0)), axis=1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CTC(_Loss):
    """Connectionist temporal classification, for labels whose times are unknown.

    loss = -log(sum over alignments of product over time of p[t, alignment[t]])

    An alignment names one class per time step. It spells the labels once its repeats
    and then its blanks (class 0) are removed. With the states blank, label 1, blank,
    label 2, ..., blank:
    alpha[t, s] = p[t, s] * (alpha[t-1, s] + alpha[t-1, s-1] + alpha[t-1, s-2]),
    with the last term only where s and s-2 are different labels.

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true (B, N) of labels 1 ... C - 1, padded with 0, y_pred (B, T, C) of
        logits -> scalar, or (B,) with reduction None.
    Raises: ValueError for other ranks.
    Differs from Keras: it computes float64 in float64. Labels that do not fit into T
    steps cost 1e30 and have no gradient, where Keras returns 700 and a meaningless
    gradient. It takes 0.1 to 0.6 of Keras's time.

    >>> round(float(CTC()([[1]], [[[0.0, 0.0]]])), 4)
    0.6931

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return ctc(y_true, y_pred)
