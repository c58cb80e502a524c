"""Decoding against exhaustive search, and its properties."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.generation import beam_search, compiled, greedy_search, sample
from oracle import array, assert_close

V, END = 5, 4
TABLE = array(V, V, V) * 1.5  # logits of the next token after two known ones


def bigrams(tokens, index, state):
    """Rates the next token by the last two tokens."""
    tokens = ops.convert_to_numpy(tokens)
    before = tokens[:, max(index - 1, 0)]
    return ops.convert_to_tensor(TABLE[before, tokens[:, index]]), state


def recurrent(tokens, index, state):
    """Rates the next token by all tokens so far, which only the state holds."""
    seen = 0.5 * state + ops.one_hot(tokens[:, index], V)
    return ops.matmul(seen, TABLE[0] + TABLE[1]), seen


def log_p(row, known):
    """(log p, number) of the tokens after the known ones, up to the end token."""
    total, n = 0.0, 0
    for i in range(known, len(row)):
        logits = TABLE[row[max(i - 2, 0)], row[i - 1]].astype("float64")
        total += logits[row[i]] - np.log(np.exp(logits).sum())
        n += 1
        if row[i] == END:
            break
    return total, n


def every_row(prompt, length):
    """All rows that begin with the prompt, padded with 0 after the end token."""
    rows = set()
    for rest in itertools.product(range(V), repeat=length - len(prompt)):
        if END in rest:
            stop = rest.index(END) + 1
            rest = (*rest[:stop], *[0] * (len(rest) - stop))
        rows.add((*prompt, *rest))
    return sorted(rows)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
def test_beam_search_of_full_width_is_exhaustive_search(penalty):
    prompts = [[1, 2], [3, 0]]
    tokens, scores = beam_search(
        bigrams, prompts, 5, beam_width=150, end_token=END, length_penalty=penalty
    )
    for prompt, rows, found in zip(prompts, tokens, scores):
        by_score = []
        for row in every_row(prompt, 5):
            total, n = log_p(row, 2)
            by_score.append((total / ((5 + n) / 6) ** penalty, row))
        by_score.sort(reverse=True)
        best = by_score[: len(found)]
        found = ops.convert_to_numpy(found)
        assert_close(found[: len(best)], np.array([s for s, _ in best], "float32"))
        assert tuple(ops.convert_to_numpy(rows)[0]) == best[0][1]


@pytest.mark.parametrize("width", [2, 3])
def test_a_beam_keeps_the_best_continuations(width):
    """It agrees with a plain beam search over Python lists."""
    beams = [((1, 2), 0.0)]
    for _ in range(4):
        grown = []
        for row, _ in beams:
            if END in row[2:]:
                grown.append((row, log_p(row, 2)[0]))
                continue
            grown += [((*row, v), log_p((*row, v), 2)[0]) for v in range(V)]
        beams = sorted(grown, key=lambda pair: -pair[1])[:width]
    tokens, scores = beam_search(bigrams, [[1, 2]], 6, beam_width=width, end_token=END)
    rows = [(*row, *[0] * (6 - len(row))) for row, _ in beams]
    assert [tuple(row) for row in ops.convert_to_numpy(tokens)[0]] == rows
    assert_close(scores[0], np.array([s for _, s in beams], "float32"))


@pytest.mark.parametrize("function", [bigrams, recurrent])
def test_greedy_is_a_beam_of_one_and_the_limit_of_temperature_0(function):
    prompt, state = [[1, 2], [3, 0], [2, 2]], ops.zeros((3, V))
    options = {"end_token": END, "state": state}
    greedy = ops.convert_to_numpy(greedy_search(function, prompt, 9, **options))
    beam, _ = beam_search(function, prompt, 9, beam_width=1, **options)
    cold = sample(function, prompt, 9, temperature=1e-4, seed=1, **options)
    only = sample(function, prompt, 9, top_k=1, seed=1, **options)
    nucleus = sample(function, prompt, 9, top_p=1e-6, seed=1, **options)
    for other in (beam[:, 0], cold, only, nucleus):
        np.testing.assert_array_equal(ops.convert_to_numpy(other), greedy)


def test_a_beams_state_follows_its_tokens():
    """After a step, the state of a row is that of the tokens which it now holds."""

    def checked(tokens, index, state):
        expected = ops.zeros((tokens.shape[0], V))
        for i in range(1, index):
            expected = 0.5 * expected + ops.one_hot(tokens[:, i], V)
        assert_close(state, expected)
        return recurrent(tokens, index, state)

    prompt = [[1, 2], [3, 0]]
    beam_search(checked, prompt, 7, beam_width=3, state=ops.zeros((2, V)))


def test_rows_of_a_batch_do_not_see_each_other():
    prompt = np.array([[1, 2], [3, 0], [2, 2]])
    together, scores = beam_search(bigrams, prompt, 7, beam_width=3, end_token=END)
    for i in range(3):
        alone, score = beam_search(
            bigrams, prompt[i : i + 1], 7, beam_width=3, end_token=END
        )
        np.testing.assert_array_equal(
            ops.convert_to_numpy(together)[i], ops.convert_to_numpy(alone)[0]
        )
        assert_close(scores[i], score[0])


def always(logits):
    return lambda tokens, index, state: (
        ops.tile(ops.convert_to_tensor(logits)[None], (tokens.shape[0], 1)),
        state,
    )


LOGITS = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32"))


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 1}, [1]),
        ({"top_k": 3}, [1, 3, 4]),
        ({"top_k": 9}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.3}, [1]),
        ({"top_p": 0.6}, [1, 3]),
        ({"top_p": 0.7}, [1, 3, 4]),
        ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
        ({"top_k": 2, "top_p": 0.6}, [1]),  # 0.4 of 0.65 is more than 0.6
        ({"top_k": 3, "temperature": 0.5, "top_p": 0.7}, [1, 3]),
    ],
)
def test_only_allowed_tokens_are_drawn_and_all_of_them(options, allowed):
    prompt = np.zeros((400, 1), int)
    tokens = sample(always(LOGITS), prompt, 6, seed=3, **options)
    drawn = ops.convert_to_numpy(tokens)[:, 1:]
    assert np.unique(drawn).tolist() == allowed


def test_equal_logits_do_not_widen_top_k():
    tokens = sample(always([1.0] * 5), np.zeros((200, 1), int), 4, top_k=2, seed=1)
    assert len(np.unique(ops.convert_to_numpy(tokens)[:, 1:])) == 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_softmax_of_logits_over_temperature(temperature):
    tokens = sample(
        always(LOGITS), np.zeros((4000, 1), int), 6, temperature=temperature, seed=5
    )
    drawn = ops.convert_to_numpy(tokens)[:, 1:]
    p = np.exp(LOGITS / temperature)
    found = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    np.testing.assert_allclose(found, p / p.sum(), atol=0.01)


def test_a_seed_repeats_a_sample():
    prompt = [[1, 2]] * 4
    one, same, other = (
        ops.convert_to_numpy(sample(bigrams, prompt, 20, seed=s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def counted(function):
    def call(*arguments):
        call.count += 1
        return function(*arguments)

    call.count = 0
    return call


def chain(tokens, index, state):
    """1 -> 2 -> 3 -> END, and 0 -> 1."""
    return 9.0 * ops.one_hot(ops.minimum(tokens[:, index] + 1, END), V), state


@pytest.mark.parametrize("search", [greedy_search, sample, beam_search])
def test_after_the_end_token_come_padding_and_no_calls(search):
    function = counted(chain)
    options = {} if search is not sample else {"temperature": 0.01}
    tokens = search(function, [[1], [3]], 9, end_token=END, pad_token=-1, **options)
    tokens = tokens[0][:, 0] if search is beam_search else tokens
    expected = [[1, 2, 3, 4, -1, -1, -1, -1, -1], [3, 4, -1, -1, -1, -1, -1, -1, -1]]
    if search is not beam_search:  # other beams may go on
        assert function.count == 3
    np.testing.assert_array_equal(ops.convert_to_numpy(tokens), expected)


def test_a_length_penalty_prefers_long_rows():
    def coin(tokens, index, state):
        logits = np.log(np.array([1e-9, 0.55, 1e-9, 1e-9, 0.45], "float32"))
        return always(logits)(tokens, index, state)

    options = {"beam_width": 8, "end_token": END}
    short, _ = beam_search(coin, [[1]], 5, **options)
    long, _ = beam_search(coin, [[1]], 5, length_penalty=5.0, **options)
    assert ops.convert_to_numpy(short)[0, 0].tolist() == [1, 4, 0, 0, 0]
    assert ops.convert_to_numpy(long)[0, 0].tolist() == [1, 1, 1, 1, 1]


def test_a_prompt_of_full_length_comes_back():
    for search in (greedy_search, sample):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(search(bigrams, [[1, 2]], 2)), [[1, 2]]
        )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sample(bigrams, [[1]], 3, temperature=0), "`temperature`.*positive"),
        (lambda: sample(bigrams, [[1]], 3, temperature="1"), "`temperature`.*got 1"),
        (lambda: sample(bigrams, [[1]], 3, temperature=np.nan), "`temperature`.*nan"),
        (lambda: sample(bigrams, [[1]], 3, top_k=0), "`top_k`.*positive integer"),
        (lambda: sample(bigrams, [[1]], 3, top_k=2.5), "`top_k`.*positive integer"),
        (lambda: beam_search(bigrams, [[1]], 3, beam_width=1.5), "`beam_width`"),
        (lambda: beam_search(bigrams, [[1]], 3, length_penalty=np.nan), "finite"),
        (lambda: greedy_search(bigrams, [[1, 2], [1]], 3), "`prompt`.*of one length"),
        (lambda: greedy_search(bigrams, [], 3), r"`prompt`.*\(B, P > 0\)"),
        (lambda: greedy_search(bigrams, [[], []], 3), r"`prompt`.*\(B, P > 0\)"),
        (lambda: greedy_search(bigrams, [[1.5]], 3), "`prompt`.*integers"),
        (lambda: greedy_search(bigrams, [[1]], 3.0), "`length`.*an integer"),
        (lambda: sample(bigrams, [[1]], 3, top_p=1.5), r"`top_p`.*in \(0, 1\]"),
        (lambda: beam_search(bigrams, [[1]], 3, beam_width=0), "`beam_width`"),
        (lambda: greedy_search(bigrams, [1, 2], 3), "`prompt`.*got"),
        (lambda: greedy_search(bigrams, [[1, 2]], 1), "`length`.*at least 2"),
    ],
)
def test_refuses(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_compiled_function_gives_the_same_tokens_from_one_program():
    calls = []

    def successor(tokens, index, state):
        calls.append(index)
        token = ops.take(tokens, index, axis=1)
        return ops.one_hot((token + 1) % V, V), state

    prompt, length = [[1], [3]], 6
    plain = greedy_search(successor, prompt, length)
    assert len(calls) == length - 1
    calls.clear()
    fast = greedy_search(compiled(successor), prompt, length)
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (plain, fast)))
    if keras.backend.backend() == "tensorflow":
        assert len(calls) == 1  # Python runs once, to make the program


def test_a_seed_generator_goes_on_where_it_was():
    seed = keras.random.SeedGenerator(1)
    one, two = (
        ops.convert_to_numpy(sample(bigrams, [[1, 2]] * 4, 20, seed=seed))
        for _ in range(2)
    )
    assert not np.array_equal(one, two)


LOG_P = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32")) - 20


@pytest.mark.parametrize("temperature", [1e-3, 1e-8, 1e-45, np.float32(1e-9)])
@pytest.mark.parametrize("more", [{}, {"top_p": 0.9}, {"top_k": 3, "top_p": 0.9}])
def test_a_temperature_near_zero_is_greedy_search(temperature, more):
    """Far below 0, divided logits fall below any score of a token that is left out."""
    prompt = np.zeros((50, 1), int)
    tokens = sample(always(LOG_P), prompt, 5, temperature=temperature, seed=1, **more)
    desired = greedy_search(always(LOG_P), prompt, 5)
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (tokens, desired)))


@pytest.mark.parametrize("search", [greedy_search, sample, beam_search])
def test_prompts_of_any_kind_and_numbers_of_numpy(search):
    options = {
        greedy_search: {},
        sample: {"seed": np.int64(1), "top_k": np.int32(1), "top_p": np.float32(0.5)},
        beam_search: {"beam_width": np.int64(1)},
    }[search]
    rows = [np.array([1, 2]), np.array([3, 0])]
    found = [
        keras.tree.flatten(search(chain, prompt, np.int64(5), **options))[0]
        for prompt in (rows, np.stack(rows), [ops.convert_to_tensor(r) for r in rows])
    ]
    for tokens in found:
        tokens = np.reshape(ops.convert_to_numpy(tokens), (2, 5))
        np.testing.assert_array_equal(tokens, [[1, 2, 3, 4, 4], [3, 0, 1, 2, 3]])


@pytest.mark.parametrize("search", [greedy_search, sample, beam_search])
def test_no_prompts_give_no_rows(search):
    tokens = search(chain, np.zeros((0, 2), int), 4, end_token=END)
    assert keras.tree.flatten(tokens)[0].shape[0] == 0
