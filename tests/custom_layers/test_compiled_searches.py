"""Searches whose loop is one program find what the loop of Python finds."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.generation import beam_search, compiled, greedy_search, sample
from custom_layers.layers import Dense
from oracle import array, assert_close

V, END = 5, 4
TABLE = array(V, V) * 2
SEARCHES = {
    "greedy": (greedy_search, {}),
    "greedy with an end": (greedy_search, {"end_token": END, "pad_token": -1}),
    "sample": (sample, {"seed": 3, "temperature": 0.7}),
    "sample of few": (
        sample,
        {"seed": 3, "top_k": 4, "top_p": 0.9, "suppress_tokens": [1]},
    ),
    "beams": (beam_search, {"beam_width": 3}),
    "beams with an end": (
        beam_search,
        {"beam_width": 3, "end_token": END, "length_penalty": 1.0},
    ),
}
is_tensorflow = keras.backend.backend() == "tensorflow"


def read_so_far(tokens, index, state):
    """Rates the next token by all tokens so far, which only the state holds.

    The last two tokens move on from place to place, and "bias" stays as it is.
    """
    newest = ops.take(tokens, index, axis=1)
    seen = 0.5 * state["seen"] + ops.one_hot(newest, V)
    logits = ops.matmul(seen, TABLE) + state["bias"]
    logits += ops.one_hot((state["last"][0] + 1) % V, V)
    last = [state["last"][1], newest]
    return logits, {**state, "seen": seen, "last": last}


def first_state(rows):
    nothing = ops.zeros((rows,), "int32")
    bias = ops.convert_to_tensor(array(rows, V, seed=1))
    return {
        "seen": ops.zeros((rows, V)),
        "bias": bias,
        "last": [nothing, nothing],
        "none": None,
    }


def counted(function):
    def call(*arguments):
        call.count += 1
        return function(*arguments)

    call.count = 0
    return call


def assert_same(found, expected):
    for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(expected)):
        assert_close(one, other)


@pytest.mark.parametrize("name", SEARCHES)
def test_one_program_finds_the_same_rows_for_prompts_of_any_length(name):
    search, options = SEARCHES[name]
    function = counted(read_so_far)
    fast = compiled(function, any_size=True)
    for prompt, length in (([[1], [3]], 9), ([[1, 2]] * 3, 7), ([[2, 0, 1]], 3)):
        state = first_state(len(prompt))
        expected = search(read_so_far, prompt, length, state=state, **options)
        found = search(fast, prompt, length, state=state, **options)
        assert_same(found, expected)
    if is_tensorflow:
        assert function.count == 1


@pytest.mark.parametrize("search", [greedy_search, beam_search])
def test_a_state_that_grows_or_begins_as_none_is_searched_step_by_step(search):
    def grows(tokens, index, state):
        newest = ops.take(tokens, index, axis=1)[:, None]
        state = newest if state is None else ops.concatenate([state, newest], axis=1)
        rates = ops.take(ops.convert_to_tensor(TABLE), state, axis=0)  # B T V
        return ops.mean(rates, axis=1), state

    expected = search(grows, [[1, 2], [3, 0]], 6)
    assert_same(search(compiled(grows), [[1, 2], [3, 0]], 6), expected)


def test_a_compiled_sample_goes_on_with_a_generator():
    plain, fast = (keras.random.SeedGenerator(1) for _ in range(2))
    function = compiled(read_so_far)
    for _ in range(2):
        options = {"state": first_state(2)}
        expected = sample(read_so_far, [[1], [2]], 9, seed=plain, **options)
        found = sample(function, [[1], [2]], 9, seed=fast, **options)
        assert_same(found, expected)


@pytest.mark.parametrize("wrap", [compiled, lambda function: function])
def test_suppressed_tokens_are_never_drawn(wrap):
    options = {"suppress_tokens": [0, np.int64(3)], "temperature": 9.0, "seed": 0}
    prompt, state = np.full((50, 1), 2), first_state(50)
    tokens = sample(wrap(read_so_far), prompt, 9, state=state, **options)
    drawn = ops.convert_to_numpy(tokens)[:, 1:]
    assert np.unique(drawn).tolist() == [1, 2, 4]


def test_a_program_uses_the_weights_as_they_are():
    layer = Dense(V)
    layer.build((None, V))

    @compiled
    def next_logits(tokens, index, state):
        return layer(ops.one_hot(ops.take(tokens, index, axis=1), V)), state

    for step in (1, 2):
        successor = np.roll(np.eye(V), step, axis=1)
        layer.set_weights([successor, np.zeros(V)])
        tokens = ops.convert_to_numpy(greedy_search(next_logits, [[0]], 4))
        assert tokens.tolist() == [[step * i % V for i in range(4)]]
        logits, _ = next_logits([[0]], 0, None)
        assert int(ops.argmax(logits)) == step


@pytest.mark.skipif(not is_tensorflow, reason="the steps are counted by TensorFlow")
@pytest.mark.parametrize("search", [greedy_search, beam_search])
def test_a_program_ends_when_all_rows_have_ended(search):
    import tensorflow as tf

    steps = []

    def noted(index):
        steps.append(index)
        return index

    @compiled
    def chain(tokens, index, state):
        """1 -> 2 -> 3 -> END, END -> 0."""
        newest = ops.take(tokens, tf.numpy_function(noted, [index], "int32"), axis=1)
        newest = ops.reshape(newest, (-1,))  # a function of NumPy tells no shape
        return 99.0 * ops.one_hot(ops.minimum(newest + 1, END), V), state

    search(chain, [[1], [3]], 9, end_token=END)
    assert steps == ([0, 1, 2] if search is greedy_search else list(range(len(steps))))
    assert len(steps) < 8
