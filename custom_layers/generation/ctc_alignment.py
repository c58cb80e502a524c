"""When a network trained with CTC says each label."""

from typing import Any

from keras import ops

from ..losses.ctc import (
    _LOG_0,
    _check_rank,
    _frames,
    _shift,
    _with_blanks,
    _without_gaps,
)


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
    >>> logits = ops.log(ops.array([p]) + 1e-9)
    >>> ctc_align([[1, 2]], logits).numpy().tolist()
    [[0, 1, 2, 2]]
    >>> ctc_align([[1, 1]], logits).numpy().tolist()  # with a blank between the labels
    [[1, 0, 1, 0]]

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """
    labels = ops.convert_to_tensor(y_true)
    labels = ops.cast(labels, "int32")
    z = ops.convert_to_tensor(y_pred)
    _check_rank(labels, "y_true", "(B, N)")
    _check_rank(z, "y_pred", "(B, T, C)")

    labels, length = _without_gaps(labels, None)
    states = _with_blanks(labels)  # B, S
    C = z.shape[-1]
    log_p = ops.log_softmax(ops.cast(z, "float32"), axis=-1)
    onehot = ops.one_hot(states, C, dtype="float32")
    emitted = ops.einsum("btc,bsc->tbs", log_p, onehot)

    is_frame = _frames(z, input_lengths, None)
    if is_frame is None:
        is_frame = ops.ones(ops.shape(z)[:2], "bool")

    alpha, steps = _best_ways(emitted, states, ops.transpose(is_frame))
    path = _way_back(alpha, steps, length)  # T, B
    path = ops.transpose(path)
    classes = ops.take_along_axis(states, path, axis=1)
    return ops.where(is_frame, classes, 0)


def _way_back(alpha, steps, length):
    """(T, B): the states of the best way, from its end back to its begin."""
    S = alpha.shape[1]
    place = ops.arange(S)
    end = 2 * length[:, None]
    is_end = ops.logical_or(
        place == end,
        place == end - 1,
    )
    never = ops.full_like(alpha, _LOG_0)
    at_end = ops.where(is_end, alpha, never)
    last = ops.argmax(at_end, axis=1)

    def back(state, steps):
        taken = ops.take_along_axis(
            steps,
            state[:, None],
            axis=1,
        )
        return state - taken[:, 0], state

    last = ops.cast(last, "int32")
    steps = ops.cast(steps, "int32")
    _, path = ops.scan(back, last, steps, reverse=True)
    return path


def _best_ways(emitted, states, is_frame):
    """(alpha (B, S) at the end, how many states each step has moved on, (T, B, S))."""
    S = states.shape[1]
    place = ops.arange(S)

    is_label = place % 2 == 1
    is_other = ops.not_equal(states, _shift(states, 2, -1))
    may_skip = ops.logical_and(is_label, is_other)

    # One state before the first frame, from which the first two can be reached
    nowhere = ops.full_like(emitted[0], _LOG_0)
    start = ops.zeros_like(nowhere)
    alpha = ops.where(place == 0, start, nowhere)

    def step(alpha, now):
        emitted, is_frame = now
        is_frame = ops.expand_dims(is_frame, -1)

        move = _shift(alpha, 1, _LOG_0)
        skip = _shift(alpha, 2, _LOG_0)
        skip = ops.where(may_skip, skip, nowhere)
        ways = ops.stack([alpha, move, skip])  # 3, B, S

        best = ops.max(ways, axis=0) + emitted
        moved = ops.argmax(ways, axis=0)
        moved = ops.cast(moved, alpha.dtype)  # TensorFlow wants one type for both
        stays = ops.zeros_like(moved)

        alpha = ops.where(is_frame, best, alpha)
        return alpha, ops.where(is_frame, moved, stays)

    return ops.scan(step, alpha, (emitted, is_frame))
