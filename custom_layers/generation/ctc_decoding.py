"""What the outputs of a network trained with CTC spell, and when it says each label."""

from typing import Any, NamedTuple

import keras
from keras import ops

from ..common.checks import one_of, positive_integer
from ..losses.ctc import (
    _LOG_0,
    _check_rank,
    _frames,
    _shift,
    _with_blanks,
    _without_gaps,
)

_NOTHING = -1  # in place of a label, behind the last one


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any = None,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple:
    """Labels that a network trained with CTC has written, without repeats and blanks.

    greedy:       the likeliest class of each frame; its repeats count once, and blanks
                  go. The score is minus the sum of these logits.
    beam_search:  for a row of labels y, two sums over the alignments that spell it so
                  far: b, where the last frame is a blank, and n, where it is a label.
      b'(y)      = (b(y) + n(y)) p(blank)
      n'(y + k)  = n(y + k) p(k) + b(y) p(k), + n(y) p(k) if y does not end in k
      Each frame keeps the beam_width rows with the largest b + n. The score is
      log(b + n), for which many alignments may stand, each of them unlikely.

    Args:
        inputs: logits (B, T, C).
        sequence_lengths: number of frames of each sequence (B,); None means all T.
        strategy: "greedy" or "beam_search".
        beam_width: rows of labels that a beam search keeps.
        top_paths: rows that it returns, the likeliest first.
        merge_repeated: for "greedy": whether repeats without a blank between them are
            one label.
        mask_index: the blank; None means the last class.

    Returns: labels (1 or top_paths, B, T), int32, with -1 behind the last one; scores
    (B, 1 or top_paths).
    Raises: ValueError for another strategy, for logits that are not (B, T, C), for a
    mask_index that is no class, and for top_paths above beam_width.
    Differs from Keras: all frames count by default. It computes float64 in float64.

    >>> often = [[0.4, 0.6, 0.0], [0.4, 0.6, 0.0]]  # p of the blank, of 1 and of 2
    >>> rarely = [[0.6, 0.4, 0.0], [0.6, 0.4, 0.0]]
    >>> logits = keras.ops.log(keras.ops.array([often, rarely]) + 1e-9)
    >>> labels, _ = ctc_decode(logits)
    >>> labels[0].numpy().tolist()  # blanks are likelier in each of the two frames
    [[1, -1], [-1, -1]]
    >>> labels, scores = ctc_decode(logits, strategy="beam_search")
    >>> labels[0].numpy().tolist()  # but three alignments spell the label 1
    [[1, -1], [1, -1]]
    >>> print(keras.ops.exp(scores).numpy().round(2))
    [[0.84]
     [0.64]]

    Paper: Graves, Jaitly, "Towards end-to-end speech recognition with recurrent neural
    networks", 2014. https://proceedings.mlr.press/v32/graves14.html
    """
    one_of(strategy, ("greedy", "beam_search"), "strategy")
    W = positive_integer(beam_width, "beam_width")
    paths = positive_integer(top_paths, "top_paths")
    z = ops.convert_to_tensor(inputs)
    _check_rank(z, "inputs", "(B, T, C)")
    if keras.backend.standardize_dtype(z.dtype) != "float64":
        z = ops.cast(z, "float32")
    C = z.shape[-1]
    blank = C - 1 if mask_index is None else int(mask_index)
    if not 0 <= blank < C:
        raise ValueError(
            f"`mask_index` must be a class of the {C} in `inputs`. Received: "
            f"mask_index={mask_index}"
        )
    is_frame = _frames(z, sequence_lengths, None)
    if is_frame is None:
        is_frame = ops.ones(ops.shape(z)[:2], "bool")
    if strategy == "greedy":
        return _best_classes(z, is_frame, bool(merge_repeated), blank)
    if paths > W:
        raise ValueError(
            "`top_paths` must not be larger than `beam_width`. Received: "
            f"top_paths={top_paths}, beam_width={beam_width}"
        )
    return _best_labels(z, is_frame, W, paths, blank)


def _best_classes(z, is_frame, merge_repeated, blank):
    """The labels (1, B, T) and scores (B, 1) of greedy decoding."""
    best = ops.cast(ops.argmax(z, axis=-1), "int32")
    best = ops.where(is_frame, best, blank)
    is_label = ops.not_equal(best, blank)
    if merge_repeated:
        before = ops.pad(best, ((0, 0), (1, 0)), constant_values=blank)[:, :-1]
        is_label = ops.logical_and(is_label, ops.not_equal(best, before))

    # Labels first, each in its order
    T = best.shape[1]
    place = ops.arange(T)
    rank = ops.where(is_label, place, place + T)
    labels = ops.where(is_label, best, _NOTHING)
    labels = ops.take_along_axis(labels, ops.argsort(rank, axis=1), axis=1)
    highest = ops.max(z, axis=-1)
    score = ops.sum(ops.where(is_frame, highest, ops.zeros_like(highest)), axis=1)
    return labels[None], -score[:, None]


class _Rows(NamedTuple):
    """The W rows of labels that a beam keeps, for each of B sequences.

    labels: (B, W, T), padded with _NOTHING
    length: (B, W), number of labels
    b, n: (B, W), log of the probability of all alignments that spell the row and end in
        a blank (b) or in its last label (n)
    """

    labels: Any
    length: Any
    b: Any
    n: Any

    @property
    def total(self):
        return ops.logaddexp(self.b, self.n)

    @property
    def last(self):
        """(B, W): the last label, or _NOTHING."""
        last = ops.maximum(self.length - 1, 0)
        return ops.take_along_axis(self.labels, last[..., None], axis=2)[..., 0]


def _best_labels(z, is_frame, W, paths, blank):
    """The labels (paths, B, T) and scores (B, paths) of a beam search."""
    log_p = z - ops.logsumexp(z, axis=-1, keepdims=True)
    T = z.shape[1]
    nothing = ops.zeros_like(z[:, :1, 0], "int32")  # B, 1
    nothing = ops.tile(nothing, (1, W))
    nowhere = ops.cast(nothing, z.dtype) + _LOG_0
    labels = ops.tile(nothing[..., None], (1, 1, T)) + _NOTHING
    is_first = ops.arange(W) == 0  # at first, one row of no labels is possible
    b = ops.where(is_first, ops.zeros_like(nowhere), nowhere)

    def step(t, rows):
        after = _grown(_Rows(*rows), ops.take(log_p, t, axis=1), blank)
        is_now = ops.take(is_frame, t, axis=1)
        kept = []
        for new, old in zip(after, rows):
            shape = (-1, *[1] * (len(old.shape) - 1))
            kept.append(ops.where(ops.reshape(is_now, shape), new, old))
        return tuple(kept)

    rows = ops.fori_loop(0, T, step, (labels, nothing, b, nowhere))
    found = _Rows(*rows)
    score = found.total[:, :paths]
    is_possible = (score > _LOG_0 / 2)[..., None]
    best = ops.where(is_possible, found.labels[:, :paths], _NOTHING)
    return ops.transpose(best, (1, 0, 2)), score


def _grown(rows: _Rows, log_p, blank: int) -> tuple:
    """The W likeliest rows after one more frame, as labels, length, b and n.

    log_p: (B, C).
    """
    _, W, T = ops.shape(rows.labels)
    C = log_p.shape[-1]
    label = ops.arange(C)
    total, last = rows.total, rows.last

    # A row stays: the frame is a blank, or repeats the last label.
    p = ops.tile(log_p[:, None], (1, W, 1))  # B, W, C
    of_last = ops.take_along_axis(p, ops.maximum(last, 0)[..., None], axis=2)[..., 0]
    never = ops.full_like(total, _LOG_0)
    b = total + log_p[:, blank, None]
    n = ops.where(last >= 0, rows.n + of_last, never)

    # A row grows by a label; after the same one it needs a blank between them.
    is_repeat = last[..., None] == label
    grown = ops.where(is_repeat, rows.b[..., None], total[..., None]) + p
    grown = ops.where(label == blank, never[..., None], grown)

    # Where a row of the beam is what another one grows to, both are one row.
    becomes = _leads_to(rows, total)  # B, W, W
    reached = ops.take_along_axis(grown, ops.maximum(last, 0)[:, None, :], axis=2)
    reached = ops.where(becomes, reached, never[..., None])
    n = ops.logaddexp(n, ops.logsumexp(reached, axis=1))
    is_last = ops.cast(ops.one_hot(last, C), "int32")  # B, W, C
    is_known = ops.matmul(ops.cast(becomes, "int32"), is_last) > 0
    grown = ops.where(is_known, never[..., None], grown)

    # The best of the rows that stay, and of those that have grown
    stays = ops.logaddexp(b, n)
    everything = ops.concatenate([stays, ops.reshape(grown, (-1, W * C))], axis=1)
    _, best = ops.top_k(everything, W)
    best = ops.cast(best, "int32")
    has_grown = best >= W
    place = ops.maximum(best - W, 0)
    parent = ops.where(has_grown, place // C, best)
    new = ops.where(has_grown, place % C, _NOTHING)

    def of_parent(x):
        return ops.take_along_axis(x, parent, axis=1)

    length = of_parent(rows.length)
    labels = ops.take_along_axis(rows.labels, parent[..., None], axis=1)
    is_end = ops.arange(T) == length[..., None]
    is_new = ops.logical_and(is_end, has_grown[..., None])
    labels = ops.where(is_new, new[..., None], labels)
    length = length + ops.cast(has_grown, "int32")
    gained = ops.take_along_axis(everything, best, axis=1)
    b = ops.where(has_grown, never, of_parent(b))
    n = ops.where(has_grown, gained, of_parent(n))
    return labels, length, b, n


def _leads_to(rows: _Rows, total):
    """(B, W, W): whether row v of the beam is row w with one more label."""
    T = rows.labels.shape[2]
    is_last = ops.arange(T) == rows.length[..., None] - 1
    shortened = ops.where(is_last, _NOTHING, rows.labels)
    is_same = rows.labels[:, :, None] == shortened[:, None]  # B, W, W, T
    is_longer = rows.length[:, :, None] + 1 == rows.length[:, None]
    is_possible = (total > _LOG_0 / 2)[:, None]
    both = ops.logical_and(is_longer, is_possible)
    return ops.logical_and(ops.all(is_same, axis=-1), both)


def ctc_align(y_true: Any, y_pred: Any, input_lengths: Any = None) -> Any:
    """The likeliest alignment of labels with the frames: the class of each frame.

    alpha[t, s] = log p[t, s] + max(alpha[t-1, s], alpha[t-1, s-1], alpha[t-1, s-2])
    over the states s = blank, label 1, blank, label 2, ..., blank, with the last term
    only where s and s-2 are different labels. The way to the best end is followed back.

    Args:
        y_true: labels (B, N), with 0 or negative numbers as padding, as `CTC` takes
            them.
        y_pred: logits (B, T, C), whose class 0 is the blank.
        input_lengths: number of frames of each sequence (B,); None means all T.

    Returns: classes (B, T), int32; frames behind the length have the class 0.
    Raises: ValueError for other ranks. Labels that do not fit into the frames have no
    alignment, and the answer for them means nothing.

    >>> p = [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.3, 0.1, 0.6], [0.1, 0.0, 0.9]]
    >>> logits = keras.ops.log(keras.ops.array([p]) + 1e-9)
    >>> ctc_align([[1, 2]], logits).numpy().tolist()
    [[0, 1, 2, 2]]
    >>> ctc_align([[1, 1]], logits).numpy().tolist()  # with a blank between the labels
    [[1, 0, 1, 0]]

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """
    labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
    z = ops.convert_to_tensor(y_pred)
    _check_rank(labels, "y_true", "(B, N)")
    _check_rank(z, "y_pred", "(B, T, C)")
    labels, length = _without_gaps(labels, None)
    states = _with_blanks(labels)  # B, S
    S = states.shape[1]
    log_p = ops.log_softmax(ops.cast(z, "float32"), axis=-1)
    onehot = ops.one_hot(states, z.shape[-1], dtype="float32")
    emitted = ops.einsum("btc,bsc->tbs", log_p, onehot)
    is_frame = _frames(z, input_lengths, None)
    if is_frame is None:
        is_frame = ops.ones(ops.shape(z)[:2], "bool")

    alpha, steps = _best_ways(emitted, states, ops.transpose(is_frame))
    place = ops.arange(S)
    end = 2 * length[:, None]
    is_end = ops.logical_or(place == end, place == end - 1)
    last = ops.argmax(ops.where(is_end, alpha, ops.full_like(alpha, _LOG_0)), axis=1)

    def back(state, steps):
        taken = ops.take_along_axis(steps, state[:, None], axis=1)[:, 0]
        return state - taken, state

    last = ops.cast(last, "int32")
    steps = ops.cast(steps, "int32")
    _, path = ops.scan(back, last, steps, reverse=True)  # T, B
    classes = ops.take_along_axis(states, ops.transpose(path), axis=1)
    return ops.where(is_frame, classes, 0)


def _best_ways(emitted, states, is_frame):
    """(alpha (B, S) at the end, how many states each step has moved on, (T, B, S))."""
    place = ops.arange(states.shape[1])
    is_label = place % 2 == 1
    may_skip = ops.logical_and(is_label, ops.not_equal(states, _shift(states, 2, -1)))
    nowhere = ops.full_like(emitted[0], _LOG_0)
    # One state before the first frame, from which the first two can be reached
    alpha = ops.where(place == 0, ops.zeros_like(nowhere), nowhere)

    def step(alpha, now):
        emitted, is_frame = now
        skip = ops.where(may_skip, _shift(alpha, 2, _LOG_0), nowhere)
        ways = ops.stack([alpha, _shift(alpha, 1, _LOG_0), skip])  # 3, B, S
        moved = ops.cast(ops.argmax(ways, axis=0), alpha.dtype)
        is_frame = ops.expand_dims(is_frame, -1)
        alpha = ops.where(is_frame, ops.max(ways, axis=0) + emitted, alpha)
        # TensorFlow wants both of one type.
        return alpha, ops.where(is_frame, moved, ops.zeros_like(moved))

    return ops.scan(step, alpha, (emitted, is_frame))
