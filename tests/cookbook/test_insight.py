"""What a search shows of itself, on searches whose scores are made up."""

import csv
import dataclasses
import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from cookbook.command_line import parse
from cookbook.reports.page import search_section
from cookbook.tuning.insight import table
from cookbook.tuning.insight.importance import POOR, importance_of
from cookbook.tuning.insight.outcome import Outcome
from cookbook.tuning.insight.pareto import front_of
from cookbook.tuning.insight.scales import ASIDE, scale_of
from cookbook.tuning.insight.verdict import gain_of, noise_of
from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.trials.results import Confirmed, TrialResult
from made_up_search import SPACE, Config, Folder, Space, Trials, results

PICTURES = ("parallel", "scores", "progress", "importance", "pareto")


def outcome(found, confirmed=(), **settings):
    return Outcome.of(Trials(found, None, **settings), confirmed)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    """Tables in one block, however wide the terminal of the tests is."""
    monkeypatch.setenv("COLUMNS", "200")


def measured_importance(score, count=40, noise=0.0, seed=0):
    return importance_of(outcome(results(count, score, noise, seed, all_whole=True)))


# Importance


def test_importance_finds_what_decides_the_score_and_nothing_else():
    found = measured_importance(lambda v: math.log10(v["learning_rate"]) + v["dropout"])
    assert found.is_trusted
    assert list(found.values)[:2] == ["learning_rate", "dropout"]
    assert found.values["learning_rate"] > 0.7
    assert sum(found.values.values()) == pytest.approx(1)
    for name in ("units", "optimizer", "nesterov"):
        assert found.values[name] < 0.06, name
    assert found.noise < 0.06
    assert "learning_rate 9" in found.text or "learning_rate 8" in found.text


def test_importance_finds_a_category_in_the_middle():
    found = measured_importance(lambda v: v["optimizer"] == "sgd")
    assert found.is_trusted
    assert found.values["optimizer"] > 0.95


def test_what_is_inactive_gets_no_importance_of_what_it_depends_on():
    found = measured_importance(lambda v: v["optimizer"] == "sgd", 80)
    assert found.values["nesterov"] < 0.02


def test_a_conditional_hyperparameter_has_its_importance():
    found = measured_importance(lambda v: v.get("nesterov", 0.5), 80)
    assert next(iter(found.values)) == "nesterov"
    assert found.values["nesterov"] > 0.5


@pytest.mark.parametrize("seed", range(2))
def test_pure_noise_is_called_noise(seed):
    found = measured_importance(lambda v: 0.9, noise=0.1, seed=seed)
    assert found.skill < POOR
    assert not found.is_trusted
    assert "do not show it" in found.text


def test_one_diverged_trial_does_not_hide_all_others():
    found = results(40, lambda v: math.log10(v["learning_rate"]), all_whole=True)
    found[7].score = -1e9
    known = importance_of(outcome(found))
    assert known.is_trusted
    assert known.values["learning_rate"] > 0.9


@pytest.mark.parametrize(
    ("count", "score", "says"),
    [
        (6, lambda v: v["dropout"], "takes 8 trials"),
        (20, lambda v: 0.9, "since all trials are alike"),
    ],
)
def test_without_enough_to_learn_from_a_line_says_so(count, score, says):
    found = measured_importance(score, count)
    assert says in found.text
    assert found.skill is None


def test_trials_of_hyperband_are_compared_at_the_epoch_that_all_have_reached():
    """Otherwise the length of a training would be taken for a gift of its settings."""
    random = np.random.default_rng(0)
    found = []
    for number in range(40):
        rate, units = 10 ** random.uniform(-4, -1), int(random.integers(16, 512))
        values = {"learning_rate": rate, "units": units}
        scores = [math.log10(rate)] + [9.0 + units] * (2 * (number % 2))
        trial = TrialResult(number, values, max(scores), scores, epochs=len(scores))
        found.append(trial)
    config = Config(tuner="hyperband")
    known = importance_of(outcome(found, config=config)).values
    assert known["learning_rate"] > 0.95


# Scales


def test_an_axis_is_logarithmic_exactly_where_the_space_is():
    log = Dimension("a", "float", low=1e-4, high=1e-2, is_log=True)
    linear = Dimension("a", "float", low=1e-4, high=1e-2)
    assert scale_of(log, []).place(1e-3) == pytest.approx(0.5)
    assert scale_of(linear, []).place(0.00505) == pytest.approx(0.5)
    texts = [text for _, text in scale_of(log, []).ticks]
    assert {"0.0001", "0.001", "0.01"} <= set(texts)


def test_an_axis_spans_the_space_and_the_defaults_outside_it():
    scale = scale_of(Dimension("a", "int", low=10, high=20), [15, 30])
    assert (scale.place(10), scale.place(20), scale.place(30)) == (0, 0.5, 1)


@pytest.mark.parametrize("values", [("b", "a"), (False, True), (8, 16, 32)])
def test_categories_lie_equally_far_from_each_other_in_their_order(values):
    scale = scale_of(Dimension("a", "choice", values), list(values))
    places = [scale.place(value) for value in values]
    assert np.diff(places) == pytest.approx(1 / len(values))
    assert [text for _, text in scale.ticks] == [str(value) for value in values]


def test_what_has_no_place_on_an_axis_is_named_below_it():
    log = Dimension("a", "float", low=1e-4, high=1e-2, is_log=True)
    scale = scale_of(log, [1e-3, None, 0.0])
    assert scale.place(None) == scale.place(0.0) == ASIDE < 0
    assert (ASIDE, "0, inactive") in scale.ticks


# Gain


def with_best(best, defaults, **settings):
    found = [TrialResult(0, {}, defaults), TrialResult(3, {}, best)]
    return outcome(found, **settings)


@pytest.mark.parametrize(
    ("column", "best", "difference"),
    [("val_accuracy", 0.93, 0.03), ("val_loss", 0.8, 0.1)],
)
def test_the_gain_of_one_training_each_says_that_it_may_be_chance(
    column, best, difference
):
    found = gain_of(with_best(best, 0.9, score=column), ())
    assert found.difference == pytest.approx(difference)
    assert f"better by {difference:.2g}" in found.text
    assert "--confirm 3" in found.text


def test_defaults_that_nothing_beats_and_defaults_that_failed():
    assert "no trial has a better val_accuracy" in gain_of(with_best(0.8, 0.9), ()).text
    failed = [TrialResult(0, {}, problem="no room"), TrialResult(1, {}, 0.5)]
    assert "(no room)" in gain_of(outcome(failed), ()).text


def test_a_gain_in_the_mean_is_compared_with_the_noise_of_the_seeds():
    """Deviations 1 and 2: a mean of three has the variance (1 + 4) / 2 / 3."""
    best, defaults = Confirmed(3, [9.0, 10.0, 11.0]), Confirmed(0, [2.0, 4.0, 6.0])
    noise = 2 * math.sqrt(2 * 2.5 / 3)
    assert noise_of([best, defaults]) == pytest.approx(noise)
    found = gain_of(with_best(10.0, 4.0), [best, defaults])
    assert found.difference == pytest.approx(6)
    assert "better by 6, which is more than chance" in found.text
    assert f"up to {noise:.2g}" in found.text


@pytest.mark.parametrize(
    ("number", "says"),
    [(3, "nothing better than the defaults beyond the seeds' noise"), (0, "best mean")],
)
def test_a_gain_within_the_noise_is_called_none(number, says):
    best = Confirmed(number, [0.5, 0.7, 0.9])
    other = Confirmed(3 - number, [0.4, 0.6, 0.8])
    assert says in gain_of(with_best(0.9, 0.8), [best, other]).text


def test_the_settings_with_the_best_mean_are_the_best_trial():
    found = results(20)
    second = sorted(found, key=lambda one: one.score or 0)[-2]
    confirmed = [Confirmed(second.number, [0.9] * 3), Confirmed(0, [0.8] * 3)]
    assert outcome(found, confirmed).best is second


# Pareto front


@pytest.mark.parametrize("column", ["val_accuracy", "val_loss"])
def test_the_front_holds_what_no_other_whole_trial_beats_in_both(column):
    found = results(60, score=lambda v: round(v["dropout"], 1), noise=0.0)
    found[17].parameters = 1  # a trial that was stopped: it is not compared
    shown = outcome(found, score=column, second="parameters")
    whole = [one for one in found if one.score is not None and one.stopped is None]
    sign = 1 if column == "val_accuracy" else -1

    def is_beaten(one):
        return any(
            sign * other.score >= sign * one.score
            and other.parameters <= one.parameters
            and (other.score, other.parameters) != (one.score, one.parameters)
            for other in whole
        )

    front = front_of(shown)
    expected = {(one.score, one.parameters) for one in whole if not is_beaten(one)}
    assert {(one.score, one.parameters) for one in front} == expected
    assert len(front) == len(expected)
    assert front == sorted(front, key=lambda one: one.parameters)


# The table, the files and the pictures


@pytest.fixture
def without_pictures(monkeypatch):
    monkeypatch.setattr(table, "_draw", lambda *_: None)


def shown(count, path, capsys, confirmed=(), found=None, **settings):
    trials = Trials(found or results(count), Folder(path), **settings)
    best = Config(learning_rate=0.003, units=64, tune=count, resume=True)
    table.show_search(trials, confirmed, best)
    return capsys.readouterr().out.splitlines()


def rows_of(path):
    with (path / "tuning.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_search_prints_its_trials_best_first_and_draws_them(tmp_path, capsys):
    lines = shown(20, tmp_path, capsys, second="parameters")
    head, *rows = lines[:22]
    assert head.split()[:3] == ["trial", "val_accuracy", "parameters"]
    scores = [row["val_accuracy"] for row in rows_of(tmp_path)]
    numbers = [float(score) for score in scores if score]
    assert numbers == sorted(numbers, reverse=True)
    assert scores[-2:] == ["", ""]  # failed
    assert [line.split()[0] for line in rows].count("defaults") == 1
    assert any(line.strip().startswith("13 failed") for line in rows)
    assert "failed (the loss became nan in epoch 1): trial 4, 13" in lines
    assert any(line.startswith("nothing beats these in both") for line in lines)
    for name in PICTURES:
        assert imread(tmp_path / f"tuning_{name}.png").std() > 0.02, name
    printed = parse(Config, lines[-1].split(".py ")[1].split())
    assert printed == Config(learning_rate=0.003, units=64)


@pytest.mark.usefixtures("without_pictures")
def test_the_table_for_spreadsheets_has_all_trials_and_empty_cells(tmp_path, capsys):
    shown(9, tmp_path, capsys)
    by_number = {int(row["trial"]): row for row in rows_of(tmp_path)}
    assert sorted(by_number) == list(range(10))
    for trial in results(9):
        row = by_number[trial.number]
        assert row["nesterov"] == str(trial.values.get("nesterov", ""))
        assert row["epochs_done"] == str(trial.epochs)
        assert row["seconds"] == str(trial.seconds)
        assert row["problem"] == (trial.problem or "")


@pytest.mark.usefixtures("without_pictures")
def test_of_a_long_table_the_best_and_the_defaults_are_printed(tmp_path, capsys):
    lines = shown(60, tmp_path, capsys)
    assert lines[21].split()[0] == "defaults"
    assert lines[22] == f"40 other trials are in {tmp_path / 'tuning.csv'}"
    assert len(rows_of(tmp_path)) == 61


@pytest.mark.usefixtures("without_pictures")
def test_a_table_fits_into_a_narrow_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = shown(6, tmp_path, capsys)
    rows = lines[: next(i for i, one in enumerate(lines) if one.startswith("failed"))]
    assert max(map(len, rows)) <= 60
    heads = [line for line in rows if line.split()[:1] == ["trial"]]
    assert len(heads) == 2


@pytest.mark.usefixtures("without_pictures")
def test_confirmed_settings_are_printed_with_each_seed(tmp_path, capsys):
    confirmed = [Confirmed(2, [0.95, 0.94, 0.96]), Confirmed(0, [0.87, 0.88, 0.89])]
    seven = Config(seed=7)
    lines = shown(6, tmp_path, capsys, confirmed, config=seven)
    (head,) = [line.split() for line in lines if line.startswith(" setting")]
    assert head[-6:] == ["seed", "8", "seed", "9", "seed", "10"]
    (row,) = [line.split() for line in lines if line.startswith(" trial 2  ")]
    assert row[2:] == ["0.95", "0.01", "0.95", "0.94", "0.96"]
    assert "which is more than chance" in lines[-2]


STRANGE = {
    "one trial and no space": ([TrialResult(0, {}, 0.5, [0.5], epochs=1)], ()),
    "equal scores": (
        [TrialResult(i, {"units": 32}, 0.5, [0.5], epochs=1) for i in range(12)],
        SPACE[1:2],
    ),
    "the defaults failed": (
        [TrialResult(i, {"dropout": 0.1}, 0.5 if i else None) for i in range(3)],
        SPACE[2:3],
    ),
    "a loss that diverged": (
        [TrialResult(i, {"units": 16 + i}, 10.0**i, epochs=1) for i in range(9)],
        SPACE[1:2],
    ),
    "a rate of zero and long words": (
        [
            TrialResult(i, {"a": word, "learning_rate": i / 1e3}, i / 9, epochs=1)
            for i, word in enumerate(f"{letter}{'x' * 40}" for letter in "abcdefgh")
        ],
        (Dimension("a", "choice", ("y", "z")), SPACE[0]),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", STRANGE)
def test_strange_searches_are_shown_too(case, tmp_path, capsys):
    found, space = STRANGE[case]
    score = "val_loss" if "loss" in case else "val_accuracy"
    settings = {"space": Space(space), "score": score, "second": "seconds"}
    lines = shown(3, tmp_path, capsys, found=found, **settings)
    assert lines[-1].startswith("best: python ")
    assert (tmp_path / "tuning_progress.png").exists()


# The report


def test_the_report_shows_the_search(tmp_path, capsys):
    words = ("<b>", "sgd")
    space = Space((Dimension("optimizer", "choice", words), SPACE[2]))
    found = [
        TrialResult(i, {"optimizer": words[i % 2], "dropout": i / 50}, i / 30, epochs=1)
        for i in range(24)
    ]
    config = Config(tuner="bayesian")
    shown(23, tmp_path, capsys, found=found, space=space, config=config)
    page = search_section(tmp_path)
    for part in (
        "23 trials of the strategy bayesian",
        "The best trial, 23, has a val_accuracy of 0.7667",
        "<td>defaults</td>",
        "Importance for val_accuracy: dropout",
        "&lt;b&gt;",
    ):
        assert part in page, part
    assert "<b>" not in page
    assert page.count("<tr>") == 1 + 10 + 1
    assert page.count("<img") == 4
    summary = json.loads((tmp_path / "tuning.json").read_text())
    assert summary["best"] == dataclasses.asdict(found[23])
    assert summary["importance"]["values"]["dropout"] > 0.8


def test_the_report_of_a_run_without_a_search_has_no_such_section(tmp_path):
    assert search_section(tmp_path) == ""
