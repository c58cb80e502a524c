"""Connectionist temporal classification: labels in order, but at unknown times."""

import keras
from keras import ops

from ..common.types import DType
from .base import _differ, _Loss, _tensor, _wide

# The logarithm of probability 0. It is far below `common.checks.minus_infinity`,
# because it stands among sums of log-probabilities over all steps: at logits of 1e4, a
# possible alignment of 1e5 steps reaches -1e9, and it must not pass for impossible.
_LOG_0 = -1e30


@keras.saving.register_keras_serializable(package="keras_cookbook")
def ctc(y_true, y_pred, input_lengths=None, label_lengths=None, mask=None):
    """-log of the probability of all alignments of the labels, as in `CTC`.

    Args:
        y_true, y_pred: labels (B, N) and logits (B, T, C).
        input_lengths: number of frames of each sequence (B,); None means all T.
        label_lengths: number of labels of each sequence (B,); without it, negative
            labels anywhere and zeros behind the last label are padding.
        mask: True for the frames that count, (B, T), as the output of a layer carries
            it. Frames that are masked or behind the length may hold anything.

    Returns: (B,).

    >>> round(float(ctc([[1]], [[[0.0, 0.0]]])[0]), 4)
    0.6931
    >>> padded = [[[0.0, 0.0], [5.0, 1.0]]]
    >>> round(float(ctc([[1, -1]], padded, input_lengths=[1])[0]), 4)
    0.6931
    """
    labels = _tensor(y_true, "y_true", "int32")
    y_pred = _tensor(y_pred, "y_pred")
    _check_rank(labels, "y_true", "(B, N)")
    _check_rank(y_pred, "y_pred", "(B, T, C)")
    z = _wide(y_pred)
    C = z.shape[-1]

    is_frame = _frames(z, input_lengths, mask)
    if is_frame is not None:
        is_kept = ops.expand_dims(is_frame, -1)
        z = ops.where(is_kept, z, ops.zeros_like(z))
        is_frame = ops.transpose(is_frame)  # T, B

    labels, length = _without_gaps(labels, label_lengths)
    is_class = labels < C
    is_known = ops.all(is_class, axis=1)
    labels = ops.where(is_class, labels, 0)

    states = _with_blanks(labels)
    log_p = z - ops.logsumexp(z, axis=-1, keepdims=True)
    onehot = ops.one_hot(states, C, dtype=z.dtype)
    emitted = ops.einsum("btc,bsc->tbs", log_p, onehot)
    loss = _alignment_loss(emitted, states, length, is_frame)
    loss = ops.where(is_known, loss, float("nan"))
    return ops.cast(loss, y_pred.dtype)


def _frames(z, lengths, mask):
    """(B, T): whether a frame counts; None if all frames do."""
    if mask is not None:
        mask = ops.cast(mask, "bool")
        if _differ(mask.shape, z.shape[:2]):
            raise ValueError(
                "Argument `mask` must have the shape (B, T). Received: "
                f"mask.shape={tuple(mask.shape)}, y_pred.shape={tuple(z.shape)}"
            )
    if lengths is None:
        return mask
    T = z.shape[1]
    is_inside = ops.arange(T) < _column(lengths)
    if mask is None:
        return is_inside
    return ops.logical_and(is_inside, mask)


def _column(lengths):
    """Lengths (B,) as integers (B, 1)."""
    lengths = ops.reshape(lengths, (-1, 1))
    return ops.cast(lengths, "int32")


def _without_gaps(labels, lengths):
    """(labels, length): the labels moved to the left, 0 behind them, and how many."""
    N = labels.shape[1]
    place = ops.arange(N)
    is_inside = labels >= 0
    if lengths is not None:
        is_inside = ops.logical_and(is_inside, place < _column(lengths))
    labels = ops.where(is_inside, labels, 0)
    length = ops.sum(ops.cast(labels > 0, "int32"), axis=1)

    rank = ops.where(is_inside, place, place + N)  # labels first, each in its order
    order = ops.argsort(rank, axis=1)
    labels = ops.take_along_axis(labels, order, axis=1)
    return labels, length


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


def _alignment_loss(emitted, states, length, is_frame=None):
    """-log of the probability of all alignments.

    Args:
        emitted: (T, B, S), log(p) of each state at each time.
        states: (B, S), the class of each state.
        length: (B,), the number of labels.
        is_frame: (T, B), whether a time counts; None if all do.

    The gradient is written by hand: it is minus the probability that an alignment is
    in that state at that time.
    """
    last = 2 * length

    @ops.custom_gradient
    def loss_of(emitted):
        alpha = _forward(emitted, states, ops.zeros_like(last), is_frame)
        log_total = _log_total(alpha[-1], last)

        def gradient(*args, upstream=None):
            upstream = args[-1] if upstream is None else upstream
            # The backward pass is the forward pass over the reversed sequence.
            reversed_start = states.shape[1] - 1 - last
            reversed_frames = None
            if is_frame is not None:
                reversed_frames = ops.flip(is_frame, 0)
            back = _forward(
                ops.flip(emitted, (0, 2)),
                ops.flip(states, 1),
                reversed_start,
                reversed_frames,
            )
            beta = ops.flip(back, (0, 2))
            through = alpha + beta - emitted  # beta and alpha both count `emitted`
            chance = ops.exp(through - ops.expand_dims(log_total, 1))
            if is_frame is not None:
                is_here = ops.expand_dims(is_frame, -1)
                chance = ops.where(is_here, chance, ops.zeros_like(chance))
            is_possible = ops.cast(log_total > _LOG_0 / 2, chance.dtype)
            return -chance * ops.expand_dims(upstream * is_possible, 1)

        return -log_total, gradient

    return loss_of(emitted)


def _forward(emitted, states, start, is_frame=None):
    """alpha (T, B, S): log of the summed probability of all ways to a state by a time.

    A way begins in the state `start` or the one after it. From step to step it stays,
    moves on by one state, or skips the blank between two labels that differ. At a time
    that does not count, it waits.
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

    def step_or_wait(alpha, now):
        emitted, is_frame = now
        moved, _ = step(alpha, emitted)
        is_frame = ops.expand_dims(is_frame, -1)
        alpha = ops.where(is_frame, moved, alpha)
        return alpha, alpha

    if is_frame is None:
        _, alphas = ops.scan(step, alpha, emitted)
    else:
        _, alphas = ops.scan(step_or_wait, alpha, (emitted, is_frame))
    return alphas


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

    Shapes: y_true (B, N) of labels 1 ... C - 1, padded at the end with 0, or anywhere
        with negative numbers, y_pred (B, T, C) of logits -> scalar, or (B,) with
        reduction None. The frames that count are those of the mask that y_pred carries,
        for instance behind a `keras.layers.Masking`; `ctc` also takes lengths.
    Raises: ValueError for other ranks.
    Differs from Keras: masked frames and labels of -1 do not count. A label of C or
    more gives NaN. A certain answer costs 0, where Keras's loss on JAX is slightly
    negative. It computes float64 in float64. Labels that do not fit into the frames
    cost 1e30 and have no gradient, where Keras returns 700 and a meaningless gradient.
    It takes 0.1 to 0.6 of Keras's time.

    >>> round(float(CTC()([[1]], [[[0.0, 0.0]]])), 4)
    0.6931

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """

    uses_mask = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred, mask=None):
        return ctc(y_true, y_pred, mask=mask)
