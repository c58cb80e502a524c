"""Addition: sums that are right, parts that share none, decoding as trained."""

import types

import numpy as np
import pytest

from cookbook.answers.decoders import answer_sums
from cookbook.answers.writers import Calculator
from cookbook.data.text.sums import (
    ALPHABET,
    END,
    START,
    encode_question,
    load_sums,
    written,
)
from cookbook.trained.trained_run import Description
from recipes import addition_seq2seq


def test_every_answer_is_the_sum_written_from_the_right():
    data = load_sums("auto", digits=3, count=300)
    for (question, before), answer in (data.train, data.validation, data.test):
        for i in range(0, len(answer), 97):
            a, b = map(int, written(question[i]).split("+"))
            assert written(answer[i], is_answer=True) == str(a + b)
            assert written(answer[i]) == str(a + b)[::-1]
            n = np.count_nonzero(answer[i])
            assert answer[i, n - 1] == END
            assert before[i].tolist()[:n] == [START, *answer[i, : n - 1]]


def test_no_sum_nor_its_mirror_image_is_in_two_parts():
    data = load_sums("auto", digits=2, count=2_000, quick=True)
    parts = []
    for (question, _), _ in (data.train, data.validation, data.test):
        rows = [written(row).split("+") for row in question]
        parts.append({tuple(sorted(map(int, row))) for row in rows})
    assert [len(part) for part in parts] == [2_000, 100, 100]
    assert len(parts[0] | parts[1] | parts[2]) == 2_200


def test_the_sums_are_a_function_of_the_seed():
    first, again, other = (
        load_sums("auto", 2, 50, True, seed).train[1] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_sums_than_there_are_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        load_sums("auto", digits=2, count=50_000, quick=True)
    assert stop.value.code == 2
    assert "--examples got 50000" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "12", "1+", "1+2+3", "1-2", "1234+1", "\u0661+2"])
def test_what_is_no_sum_is_one_line(text, capsys, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="not a sum of two numbers of at most 3"):
        encode_question(text, digits=3)
    stub = types.SimpleNamespace(output_shape=(None, None, 14))
    settings = Description("sums", "r", "data", (), {"digits": 3})
    monkeypatch.setattr(
        "cookbook.answers.load.run_to_ask",
        lambda *_: Calculator(tmp_path, settings, stub),
    )
    with pytest.raises(SystemExit) as stop:
        addition_seq2seq.main(addition_seq2seq.Config(ask=text))
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"error: --ask got {text!r}, but it is not a sum")


def test_a_typed_sum_is_read_with_or_without_spaces():
    assert written(encode_question(" 12 + 7", 3)[0]) == "12+7"


@pytest.fixture(params=["luong", "bahdanau", "none"])
def model(request):
    config = addition_seq2seq.Config(
        attention=request.param, units=8, batch_size=8, epochs=1
    )
    stub = types.SimpleNamespace(train=(None, np.zeros((64, 5))))
    net = addition_seq2seq.build(config, stub)
    rng = np.random.default_rng(2)
    net.set_weights([rng.normal(0, 0.7, w.shape) for w in net.get_weights()])
    return net


def questions():
    return np.concatenate([encode_question(q, 3) for q in ("1+2", "12+345", "999+1")])


def test_the_answer_is_what_training_rates_highest(model):
    """Decoding shares weights and code with training: the same greedy choice."""
    answers, looked = answer_sums(model, questions(), 5)
    before = np.concatenate([np.full((3, 1), START), answers[:, :-1]], axis=1)
    best = np.argmax(model([questions(), before.astype("int32")]), axis=-1)
    there = np.cumprod(before != END, axis=1).astype(bool)  # padding behind an end
    np.testing.assert_array_equal(answers[there], best[there])
    if len(looked):
        np.testing.assert_allclose(looked.sum(-1), 1, rtol=1e-5)


def test_padding_of_the_question_changes_no_prediction(model):
    before = np.array([[START, 3, 4]] * 3, "int32")
    wider = np.pad(questions(), [(0, 0), (0, 4)])
    expected = model([questions(), before])
    np.testing.assert_allclose(model([wider, before]), expected, rtol=1e-4, atol=1e-4)


def test_there_is_a_number_for_each_character():
    assert ALPHABET[START] == "<"
    assert ALPHABET[END] == ">"
    assert len(set(ALPHABET)) == len(ALPHABET)
