"""Generated series and tasks: the equation is solved, the parts are honest."""

import numpy as np
import pytest

from cookbook.command_line import parse
from cookbook.data.sequences import (
    adding_problem,
    copy_task,
    load_series,
    mackey_glass,
)
from recipes.long_memory import Config, main
from recipes.mackey_glass_rnn import free_run, linear_autoregression


def test_the_series_follows_the_exact_solution_of_the_first_delay():
    """Until tau the delayed value is 1.2, and the equation a linear one."""
    t = np.arange(1, 18)
    level = 0.2 * 1.2 / (1 + 1.2**10) / 0.1
    exact = level + (1.2 - level) * np.exp(-0.1 * t)
    np.testing.assert_allclose(mackey_glass(17, settle=0), exact, rtol=1e-9)


def test_the_series_does_not_depend_on_the_size_of_the_steps():
    coarse, fine = (mackey_glass(200, settle=0, substeps=n) for n in (10, 40))
    np.testing.assert_allclose(coarse, fine, atol=2e-4)


def test_the_series_stays_in_its_bounds_and_never_repeats():
    x = mackey_glass(3000)
    assert 0.2 < x.min() < 0.5
    assert 1.2 < x.max() < 1.4
    ends = np.lib.stride_tricks.sliding_window_view(x, 50)
    assert np.abs(ends[:-500] - ends[-1]).max(1).min() > 1e-3


def test_parts_follow_each_other_and_share_no_value():
    data = load_series("auto", window=20, horizon=5)
    assert [len(x) for x, _ in (data.train, data.validation, data.test)] == [
        size - 24 for size in (3000, 1000, 2000)
    ]
    start = 0
    for (x, y), size in zip((data.train, data.validation, data.test), (3, 1, 2)):
        part = data.series[start : start + 1000 * size, 0]
        np.testing.assert_allclose(x[0, :, 0], part[:20], rtol=1e-6)
        np.testing.assert_allclose(y[0], part[20:25], rtol=1e-6)
        np.testing.assert_allclose(x[-1, :, 0], part[-25:-5], rtol=1e-6)
        np.testing.assert_allclose(y[-1], part[-5:], rtol=1e-6)
        start += 1000 * size
    np.testing.assert_allclose(data.series[:3000].mean(), 0, atol=1e-9)
    np.testing.assert_allclose(data.series[:3000].std(), 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mnist", 20, 5), "--data got 'mnist', expected mackey_glass"),
        (("auto", 490, 15), "expected at most 500 in sum"),
    ],
)
def test_what_the_series_can_not_give_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        load_series(*arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_the_sum_to_learn_is_that_of_two_marked_numbers():
    x, y = adding_problem(500, 9, np.random.default_rng(0))
    assert (x[:, :4, 1].sum(1) == 1).all()
    assert (x[:, 4:, 1].sum(1) == 1).all()
    for row, total in zip(x, y):
        assert row[row[:, 1] == 1, 0].sum() == pytest.approx(total[0])
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, abs=0.02)


def test_the_symbols_to_copy_stand_before_the_blanks_and_the_sign_behind_them():
    x, y = copy_task(50, 7, np.random.default_rng(0), symbols=3, kinds=4)
    assert x.shape == (50, 3 + 7 + 3, 6)
    kinds = x.argmax(-1)
    assert (x.sum(-1) == 1).all()
    np.testing.assert_array_equal(kinds[:, :3], y)
    assert (kinds[:, 3:10] == 4).all()
    assert (kinds[:, 10:] == 5).all()
    assert set(y.ravel()) == {0, 1, 2, 3}


@pytest.mark.parametrize("lengths", [["1", "5"], ["0"], ["-3"]])
def test_sequences_too_short_for_two_numbers_are_refused(lengths, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(parse(Config, ["--run-dir", str(tmp_path), "--lengths", *lengths]))
    assert stop.value.code == 2
    assert "--lengths got" in capsys.readouterr().err


def test_linear_autoregression_forecasts_a_wave_exactly_and_running_free():
    wave = 3 + np.sin(np.arange(300) / 5)
    views = np.lib.stride_tricks.sliding_window_view(wave, 14)
    x, y = views[:200, :10, None], views[:200, 10:]
    forecast = linear_autoregression(x, y)
    np.testing.assert_allclose(forecast(x), y, atol=1e-8)
    found = free_run(forecast, wave[:10, None], 101)
    np.testing.assert_allclose(found[:, 0], wave[10:111], atol=1e-5)
