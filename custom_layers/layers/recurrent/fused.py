"""The loops of LSTM, GRU and SimpleRNN, with gradients written by hand, for speed.

The product x W has no part in the loop: one large product makes it for all steps. So is
the gradient of U one large product, after the loop. XLA compiles what is left, the loop
over the steps and the loop back. Time is the first axis there, so that a step reads and
writes one piece of memory.

The batch is cut in halves, because two halves keep two processor cores busy without
waiting for each other, whereas one step is too short to be shared by two cores.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ...common.fused import program_of

FEWEST_UNITS = 32  # below, compiling (0.5 s) costs more than short trainings gain
FEWEST_ROWS = 16  # of half a batch: below, its products keep no core busy
SHORTEST_ROOM = 16  # steps that a program has room for, where T varies


class _Formula(NamedTuple):
    """The step of a cell and its gradient.

    step(x_W, h_U, b, states) -> (new states, saved), where the first state is h, h_U is
        the product of h_tm1 and U, and `saved` is a list of what the slope needs.
    slope(saved, states, new states, d_new) -> (d_zs, d_states), where d_new are the
        gradients of the new states and d_zs = [d_x_W, d_h_U], or [d_x_W] where both are
        the same. d_states leaves out what reaches h_tm1 through h_U.
    saved: the number of tensors in `saved`, each of which is (B, U).
    halves: whether cutting the batch in halves pays. XLA gives a product to both cores,
        but what follows it to one: much in a cell with gates, and little in others.
    """

    step: Callable
    slope: Callable
    saved: int
    halves: bool = True


def _lstm_step(x_W, h_U, b, states):
    import tensorflow as tf

    _, c_tm1 = states
    z = x_W + h_U + b
    z_i, z_f, z_g, z_o = tf.split(z, 4, axis=-1)
    i = tf.sigmoid(z_i)
    f = tf.sigmoid(z_f)
    g = tf.tanh(z_g)
    o = tf.sigmoid(z_o)
    c = f * c_tm1 + i * g
    h = o * tf.tanh(c)
    return [h, c], [i, f, g, o]


def _lstm_slope(saved, states, new_states, d_new):
    import tensorflow as tf

    i, f, g, o = saved
    _, c_tm1 = states
    _, c = new_states
    d_h, d_c = d_new
    tanh_c = tf.tanh(c)
    d_c += d_h * o * (1 - tanh_c * tanh_c)
    d_i = d_c * g * i * (1 - i)
    d_f = d_c * c_tm1 * f * (1 - f)
    d_g = d_c * i * (1 - g * g)
    d_o = d_h * tanh_c * o * (1 - o)
    d_z = tf.concat([d_i, d_f, d_g, d_o], axis=-1)
    return [d_z], [tf.zeros_like(d_h), d_c * f]


def _gru_step(x_W, h_U, b, states):
    import tensorflow as tf

    (h_tm1,) = states
    of_x = x_W + b[0]
    of_h = h_U + b[1]
    x_z, x_r, x_n = tf.split(of_x, 3, axis=-1)
    h_z, h_r, h_n = tf.split(of_h, 3, axis=-1)
    z = tf.sigmoid(x_z + h_z)
    r = tf.sigmoid(x_r + h_r)
    n = tf.tanh(x_n + r * h_n)
    h = z * h_tm1 + (1 - z) * n
    return [h], [z, r, n, h_n]


def _gru_slope(saved, states, new_states, d_new):
    import tensorflow as tf

    z, r, n, h_n = saved
    (h_tm1,) = states
    (d_h,) = d_new
    d_z = d_h * (h_tm1 - n) * z * (1 - z)
    d_n = d_h * (1 - z) * (1 - n * n)
    d_r = d_n * h_n * r * (1 - r)
    d_x_W = tf.concat([d_z, d_r, d_n], axis=-1)
    d_h_U = tf.concat([d_z, d_r, d_n * r], axis=-1)
    return [d_x_W, d_h_U], [d_h * z]


def _simple_step(x_W, h_U, b, states):
    import tensorflow as tf

    h = tf.tanh(x_W + h_U + b)
    return [h], []


def _simple_slope(saved, states, new_states, d_new):
    import tensorflow as tf

    (h,) = new_states
    (d_h,) = d_new
    d_x_W = d_h * (1 - h * h)
    return [d_x_W], [tf.zeros_like(d_h)]


_FORMULA_OF_GRU = _Formula(_gru_step, _gru_slope, saved=4)
_FORMULA_OF_SIMPLE_RNN = _Formula(_simple_step, _simple_slope, saved=0, halves=False)
_FORMULA_OF_LSTM = _Formula(_lstm_step, _lstm_slope, saved=4)


def _run_fused(
    formula: _Formula,
    inputs: list,
    weights: tuple,
    states: list,
    mask: Any,
    return_sequences: bool,
) -> tuple:
    """(the last states; every h (B, T, U), or None without `return_sequences`).

    Args:
        formula: the step of the cell and its gradient.
        inputs: x (B, T, D) in the order in which it is read, or one x for each gate
            if each has a dropout mask of its own.
        weights: W, U and b.
        states: the initial states, each (B, U).
        mask: booleans (B, T), or None.
        return_sequences: whether every h is wanted.
    """
    import tensorflow as tf

    weights = tuple(tf.convert_to_tensor(w) for w in weights)  # variables are read once
    rows = inputs[0].shape[0]
    is_small = rows is not None and rows < 2 * FEWEST_ROWS
    parts = 1 if is_small or not formula.halves else 2
    rows = rows or tf.shape(inputs[0])[0]
    results = []
    for part in range(parts):
        first = rows * part // parts
        end = rows * (part + 1) // parts
        x = [_rows(x, first, end) for x in inputs]
        starts = [_rows(state, first, end) for state in states]
        seen = None if mask is None else _rows(mask, first, end)
        result = _run(
            formula,
            x,
            weights,
            starts,
            seen,
            return_sequences,
        )
        results.append([tensor[: end - first] for tensor in result])

    joined = [tf.concat(pieces, axis=0) for pieces in zip(*results)]
    last_states = joined[: len(states)]
    return last_states, joined[-1] if return_sequences else None


def _rows(tensor, first, end):
    """tensor[first:end], with a row of zeros where it may have none.

    XLA refuses to write a row of no numbers, as of the first half of a single row.
    """
    import tensorflow as tf

    piece = tensor[first:end]
    if isinstance(end, int):
        return piece
    missing = tf.maximum(1 - (end - first), 0)
    unchanged = [(0, 0)] * (len(piece.shape) - 1)
    padded = tf.pad(piece, [(0, missing), *unchanged])
    padded.set_shape(piece.shape)
    return padded


def _run(formula, inputs, weights, states, mask, return_sequences):
    """[*last states], followed by every h (B, T, U) if it is wanted."""
    import tensorflow as tf

    W, U, b = weights
    x = inputs[0]
    steps = x.shape[1] or tf.shape(x)[1]
    x_W = _with_room(_products(inputs, W), steps)
    seen = []
    if mask is not None:
        column = tf.transpose(mask)[:, :, tf.newaxis]  # T, B, 1
        seen = [_with_room(column, steps)]

    loop = _loop(formula, steps, seen, return_sequences)
    outputs = list(loop(x_W, U, b, *states))
    last_states = outputs[: len(states)]
    if not return_sequences:
        return last_states
    hs = outputs[-1][:steps]
    return [*last_states, tf.transpose(hs, (1, 0, 2))]


def _products(inputs, W):
    """x W (T, B, G U), made by one product, or by one per gate."""
    import tensorflow as tf

    products = []
    kernels = tf.split(W, len(inputs), axis=-1)
    for x, kernel in zip(inputs, kernels):
        x = tf.transpose(x, (1, 0, 2))  # T, B, D
        steps, rows, _ = tf.unstack(tf.shape(x))
        z = tf.matmul(_flat(x), kernel)
        width = kernel.shape[1]
        products.append(tf.reshape(z, (steps, rows, width)))
    if len(products) == 1:
        return products[0]
    return tf.concat(products, axis=-1)


def _with_room(tensor, steps):
    """The tensor (T, ...), with zeros at its end where T varies: see `_room_for`."""
    import tensorflow as tf

    if isinstance(steps, int):
        return tensor
    missing = _room_for(steps) - steps
    return tf.pad(tensor, [(0, missing), (0, 0), (0, 0)])


def _room_for(steps):
    """The least of 16, 20, 24, 28, 32, 40, 48, ... that is not below `steps`.

    A program has room for so many steps and takes as many as there are. So lengths that
    differ from batch to batch make few programs.
    """
    import tensorflow as tf

    steps = tf.maximum(steps, SHORTEST_ROOM)
    below = tf.cast(steps - 1, tf.float32)
    octave = tf.math.log(below) / tf.math.log(2.0)
    octave = tf.cast(tf.floor(octave), tf.int32)
    quarter = tf.bitwise.left_shift(1, octave - 2)
    return (steps + quarter - 1) // quarter * quarter


def _loop(formula, steps, seen, return_sequences):
    """loop(x_W, U, b, *states) -> (*last states, every h if it is wanted)."""
    import tensorflow as tf

    forward = _program(_forward, formula, seen, steps)
    backward = _program(_backward, formula, seen, steps)

    @tf.custom_gradient
    def loop(x_W, U, b, *states):
        tables, saved = forward(x_W, U, b, list(states))
        last = [table[steps] for table in tables]
        hs = [tables[0][1:]] if return_sequences else []

        def gradient(*upstream):
            d_last = list(upstream[: len(states)])
            d_hs = list(upstream[len(states) :])
            d_zs, d_states = backward(U, b, tables, saved, d_hs, d_last)

            h_tm1 = _flat(tables[0][:-1])
            d_U = tf.matmul(h_tm1, _flat(d_zs[-1]), transpose_a=True)
            d_b = tf.stack([_sum_of_rows(_flat(d)) for d in d_zs])
            d_b = tf.reshape(d_b, b.shape)
            return d_zs[0], d_U, d_b, *d_states

        return (*last, *hs), gradient

    return loop


def _program(function, formula, seen, steps):
    """function(*inputs, seen, steps, formula), compiled by XLA.

    Its own gradient, which a second derivative takes, is that of TensorFlow.
    """
    import tensorflow as tf

    program = program_of(function, formula=formula)
    steps = tf.convert_to_tensor(steps)

    @tf.custom_gradient
    def run(*inputs):
        def gradient(*upstream):
            sources = tf.nest.flatten(inputs)
            with tf.GradientTape() as tape:
                tape.watch(sources)
                outputs = function(*inputs, seen, steps, formula)
            return tape.gradient(tf.nest.flatten(outputs), sources, list(upstream))

        constants = tf.nest.map_structure(tf.stop_gradient, inputs)
        return program(*constants, seen, steps), gradient

    return run


def _flat(table):
    """The table (T, B, U) as a matrix (T B, U)."""
    import tensorflow as tf

    return tf.reshape(table, (-1, table.shape[2]))


def _sum_of_rows(matrix):
    """The sum over the first axis, three times as fast as `reduce_sum`."""
    import tensorflow as tf

    return tf.raw_ops.BiasAddGrad(out_backprop=matrix)


def _forward(x_W, U, b, states, seen, steps, formula):
    """Tables of all states (T + 1, B, U), the initial ones first, and of `saved`."""
    import tensorflow as tf

    room, rows, _ = tf.unstack(tf.shape(x_W))
    below = [(0, room), (0, 0), (0, 0)]
    tables = [tf.pad(s[tf.newaxis], below) for s in states]
    units = U.shape[0]
    saved = [tf.zeros((room, rows, units)) for _ in range(formula.saved)]

    def body(t, states, tables, saved):
        h_U = tf.matmul(states[0], U)
        new_states, new_saved = formula.step(x_W[t], h_U, b, states)
        if seen:
            is_seen = seen[0][t]
            pairs = zip(new_states, states)
            new_states = [tf.where(is_seen, new, old) for new, old in pairs]

        pairs = zip(tables, new_states)
        tables = [_with_row(table, t + 1, row) for table, row in pairs]
        pairs = zip(saved, new_saved)
        saved = [_with_row(table, t, row) for table, row in pairs]
        return t + 1, new_states, tables, saved

    start = (tf.constant(0), states, tables, saved)
    _, _, tables, saved = tf.while_loop(
        lambda t, *_: t < steps, body, start, maximum_iterations=room
    )
    return tables, saved


def _backward(U, b, tables, saved, d_hs, d_last, seen, steps, formula):
    """The tables of d_zs and the gradients of the initial states.

    The loop runs from the last step to the first. It carries d_states, the gradients of
    the states after the step, and the slope of the cell takes them to before it.
    """
    import tensorflow as tf

    size, rows, _ = tf.unstack(tf.shape(tables[0]))
    room = size - 1
    U_T = tf.transpose(U)  # once, and not at every step
    sums = len(b.shape)  # a row of b for d_x_W and one for d_h_U, or one for both
    width = U.shape[1]
    d_tables = [tf.zeros((room, rows, width)) for _ in range(sums)]

    def body(k, d_states, d_tables):
        t = steps - 1 - k
        d_h, *others = d_states
        if d_hs:
            d_h = d_h + d_hs[0][t]
        d_new = [d_h, *others]

        saved_t = [table[t] for table in saved]
        states = [table[t] for table in tables]
        new_states = [table[t + 1] for table in tables]
        d_zs, d_states = formula.slope(saved_t, states, new_states, d_new)
        if seen:
            is_seen = seen[0][t]
            d_zs = [tf.where(is_seen, d_z, 0.0) for d_z in d_zs]
            pairs = zip(d_states, d_new)
            d_states = [tf.where(is_seen, new, same) for new, same in pairs]
        d_states[0] += tf.matmul(d_zs[-1], U_T)

        pairs = zip(d_tables, d_zs)
        d_tables = [_with_row(table, t, d_z) for table, d_z in pairs]
        return k + 1, d_states, d_tables

    start = (tf.constant(0), d_last, d_tables)
    _, d_states, d_tables = tf.while_loop(
        lambda k, *_: k < steps, body, start, maximum_iterations=room
    )
    return d_tables, d_states


def _with_row(table, t, row):
    """The table (T, B, U), with `row` (B, U) as its row t."""
    import tensorflow as tf

    return tf.tensor_scatter_nd_update(table, [[t]], row[tf.newaxis])
