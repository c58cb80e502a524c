"""What the outputs of a network trained with CTC spell."""

from typing import Any, NamedTuple

import keras
from keras import ops

from ..common.checks import one_of, positive_integer
from ..losses.ctc import (
    _LOG_0,
    _check_rank,
    _frames,
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
    dtype = keras.backend.standardize_dtype(z.dtype)
    if dtype != "float64":
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
    best = ops.argmax(z, axis=-1)
    best = ops.cast(best, "int32")
    best = ops.where(is_frame, best, blank)

    is_label = ops.not_equal(best, blank)
    if merge_repeated:
        before = ops.pad(
            best,
            ((0, 0), (1, 0)),
            constant_values=blank,
        )
        is_new = ops.not_equal(best, before[:, :-1])
        is_label = ops.logical_and(is_label, is_new)

    # Labels first, each in its order
    T = best.shape[1]
    place = ops.arange(T)
    rank = ops.where(is_label, place, place + T)
    order = ops.argsort(rank, axis=1)
    labels = ops.where(is_label, best, _NOTHING)
    labels = ops.take_along_axis(labels, order, axis=1)

    highest = ops.max(z, axis=-1)
    highest = ops.where(is_frame, highest, ops.zeros_like(highest))
    score = -ops.sum(highest, axis=1)
    return labels[None], score[:, None]


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
    def is_possible(self):
        """(B, W): whether any alignment spells the row."""
        return self.total > _LOG_0 / 2

    @property
    def last(self):
        """(B, W): the last label, or _NOTHING."""
        place = ops.maximum(self.length - 1, 0)
        last = ops.take_along_axis(
            self.labels,
            place[..., None],
            axis=2,
        )
        return last[..., 0]


def _best_labels(z, is_frame, W, paths, blank):
    """The labels (paths, B, T) and scores (B, paths) of a beam search."""
    log_p = z - ops.logsumexp(z, axis=-1, keepdims=True)

    def step(t, rows):
        frame = ops.take(log_p, t, axis=1)
        is_now = ops.take(is_frame, t, axis=1)

        after = _grown(_Rows(*rows), frame, blank)

        kept = []
        for new, old in zip(after, rows):
            others = len(old.shape) - 1
            condition = ops.reshape(is_now, (-1, *[1] * others))
            kept.append(ops.where(condition, new, old))
        return tuple(kept)

    T = z.shape[1]
    start = tuple(_first_rows(z, W))
    rows = ops.fori_loop(0, T, step, start)
    found = _Rows(*rows)

    is_possible = found.is_possible[..., None]
    best = ops.where(is_possible, found.labels, _NOTHING)
    best = ops.transpose(best[:, :paths], (1, 0, 2))
    return best, found.total[:, :paths]


def _first_rows(z, W: int) -> _Rows:
    """W rows without labels. They are alike, so only the first of them is possible."""
    T = z.shape[1]
    zeros = ops.zeros_like(z[:, :1, 0])  # B, 1
    zeros = ops.tile(zeros, (1, W))
    nowhere = zeros + _LOG_0
    is_first = ops.arange(W) == 0

    length = ops.cast(zeros, "int32")
    labels = ops.tile(length[..., None], (1, 1, T))
    return _Rows(
        labels + _NOTHING,
        length,
        b=ops.where(is_first, zeros, nowhere),
        n=nowhere,
    )


def _grown(rows: _Rows, log_p, blank: int) -> _Rows:
    """The W likeliest rows after one more frame, whose log p is (B, C)."""
    W = rows.length.shape[1]
    C = log_p.shape[-1]

    b, n = _staying(rows, log_p, blank)
    longer = _growing(rows, log_p, blank)
    n, longer = _merged(rows, n, longer)

    # The best of the rows that stay, and of those that have grown
    stays = ops.logaddexp(b, n)
    grows = ops.reshape(longer, (-1, W * C))
    everything = ops.concatenate([stays, grows], axis=1)
    total, best = ops.top_k(everything, W)
    best = ops.cast(best, "int32")

    has_grown = best >= W
    place = ops.maximum(best - W, 0)
    parent = ops.where(has_grown, place // C, best)
    label = ops.where(has_grown, place % C, _NOTHING)

    def of_parent(x):
        return ops.take_along_axis(x, parent, axis=1)

    never = ops.full_like(b, _LOG_0)
    length = of_parent(rows.length)
    return _Rows(
        labels=_with_labels(rows.labels, parent, length, label),
        length=length + ops.cast(has_grown, "int32"),
        b=ops.where(has_grown, never, of_parent(b)),
        n=ops.where(has_grown, total, of_parent(n)),
    )


def _staying(rows: _Rows, log_p, blank: int):
    """(b, n) of rows that stay: the frame is a blank, or repeats the last label."""
    last = rows.last
    p = _for_each_row(log_p, last)
    of_last = ops.take_along_axis(
        p,
        ops.maximum(last, 0)[..., None],
        axis=2,
    )

    b = rows.total + log_p[:, blank, None]
    n = rows.n + of_last[..., 0]
    never = ops.full_like(n, _LOG_0)
    return b, ops.where(last >= 0, n, never)


def _growing(rows: _Rows, log_p, blank: int):
    """(B, W, C): log p of each row with each label more.

    After the same label, a blank must have come between both.
    """
    label = ops.arange(log_p.shape[-1])
    is_repeat = rows.last[..., None] == label
    before = ops.where(
        is_repeat,
        rows.b[..., None],
        rows.total[..., None],
    )

    longer = before + _for_each_row(log_p, rows.last)
    never = ops.full_like(longer, _LOG_0)
    return ops.where(label == blank, never, longer)


def _merged(rows: _Rows, n, longer):
    """(n, longer), where a row that another one grows to has what both had."""
    becomes = _leads_to(rows)  # B, W, W
    last = ops.maximum(rows.last, 0)
    reached = ops.take_along_axis(
        longer,
        last[:, None, :],
        axis=2,
    )
    never = ops.full_like(reached, _LOG_0)
    reached = ops.where(becomes, reached, never)
    n = ops.logaddexp(n, ops.logsumexp(reached, axis=1))

    C = longer.shape[-1]
    is_last = ops.one_hot(rows.last, C)
    is_known = ops.matmul(
        ops.cast(becomes, is_last.dtype),
        is_last,
    )
    never = ops.full_like(longer, _LOG_0)
    return n, ops.where(is_known > 0, never, longer)


def _leads_to(rows: _Rows):
    """(B, W, W): whether row v of the beam is row w with one more label."""
    T = rows.labels.shape[2]
    end = rows.length[..., None] - 1
    is_last = ops.arange(T) == end
    shortened = ops.where(is_last, _NOTHING, rows.labels)

    w = rows.labels[:, :, None]
    v = shortened[:, None]
    is_same = ops.all(w == v, axis=-1)

    length = rows.length[:, None]
    is_longer = rows.length[:, :, None] + 1 == length
    is_possible = rows.is_possible[:, None]

    both = ops.logical_and(is_longer, is_possible)
    return ops.logical_and(is_same, both)


def _with_labels(labels, parent, length, label):
    """The rows of the parents, with a label more behind the others, if there is one."""
    labels = ops.take_along_axis(
        labels,
        parent[..., None],
        axis=1,
    )
    T = labels.shape[2]
    label = label[..., None]

    is_end = ops.arange(T) == length[..., None]
    is_new = ops.logical_and(is_end, label >= 0)
    return ops.where(is_new, label, labels)


def _for_each_row(log_p, row):
    """log_p (B, C) as (B, W, C)."""
    W = row.shape[1]
    return ops.tile(log_p[:, None], (1, W, 1))
