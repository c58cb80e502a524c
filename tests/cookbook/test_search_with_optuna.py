"""Searches with Optuna: studies, their numbers, several processes, pruning."""

import dataclasses
import itertools
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.search import FunctionTrials
from cookbook.tuning.strategies.engines import propose
from cookbook.tuning.strategies.tpe import StudySearch
from function_trials import (
    PROBLEM,
    Killed,
    Mortal,
    OutOfTime,
    Recording,
    scores,
    searched,
    trials_of,
    values,
)


def study_of(trials):
    import optuna

    journal = optuna.storages.journal.JournalFileBackend(
        str(trials.run.path / "study.log"),
        optuna.storages.journal.JournalFileOpenLock(str(trials.run.path / "study.log")),
    )
    storage = optuna.storages.JournalStorage(journal)
    return optuna.load_study(study_name=trials.run.recipe, storage=storage)


def test_the_study_numbers_trials_as_the_search_does(tmp_path):
    trials = searched(tmp_path / "r", "tpe", tune=5)
    study = study_of(trials)
    assert [t.params for t in study.trials] == [*values(trials).values()]
    assert [t.value for t in study.trials] == [r.score for r in trials.done.values()]
    curve = dict(enumerate(trials.done[3].scores, 1))
    assert study.trials[3].intermediate_values == curve


def test_a_trial_that_a_kill_has_left_running_goes_on_under_its_number(tmp_path):
    broken = trials_of(tmp_path / "r", "tpe", kind=Mortal, tune=8)
    with pytest.raises(Killed):
        propose(broken)
    left = study_of(broken).trials[6]
    assert left.state.name == "RUNNING"
    again = trials_of(tmp_path / "r", "tpe", kind=Recording, tune=8)
    propose(again)
    assert [number for number, _ in again.calls] == [0, 6, 7, 8]
    assert values(again)[6] == left.user_attrs["values"]
    assert len(study_of(again).trials) == 9
    assert all(trial.state.is_finished() for trial in study_of(again).trials)


def test_several_searches_share_a_study_and_its_number_of_trials(tmp_path):
    """As two machines do, which have a run folder each."""
    study = str(tmp_path / "study.log")
    first = trials_of(tmp_path / "a", "tpe", kind=OutOfTime, tune=9, study=study)
    propose(first)
    second = searched(tmp_path / "b", "tpe", tune=9, study=study)
    assert [*first.done] == [0, 1, 2, 3, 4]
    assert [*second.done] == [0, 5, 6, 7, 8, 9]
    collected = sorted((tmp_path / "b" / "trials").iterdir())
    assert [path.stem for path in collected] == ["1", "2", "3", "4"]


def test_optuna_stops_hopeless_trials_and_no_stop_early_does_not(tmp_path):
    stopped = {}
    for stop_early in (True, False):
        folder = tmp_path / str(stop_early)
        trials = searched(folder, "tpe", tune=20, epochs=8, stop_early=stop_early)
        stopped[stop_early] = [r for r in trials.done.values() if r.stopped]
    assert stopped[True]
    assert all(result.epochs < 8 for result in stopped[True])
    assert not stopped[False]


def slow_scores(config):
    for score in scores(config):
        time.sleep(0.03)
        yield score


def test_processes_that_share_a_study_run_each_trial_once(tmp_path):
    """Threads stand for the processes; each has a Trials and a study of its own."""
    problem = dataclasses.replace(PROBLEM, scores=slow_scores)
    workers = [trials_of(tmp_path / "r", "tpe", problem, tune=14) for _ in range(3)]

    def work(i):
        search = StudySearch(workers[i])
        search.place = f"worker_{i}"
        search.run_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    shares = [[number for number in worker.done if number] for worker in workers]
    assert sorted(itertools.chain(*shares)) == [*range(1, 15)]
    assert all(shares)
    found = {str(values(worker)[n]) for worker, ns in zip(workers, shares) for n in ns}
    assert len(found) == 14


def test_two_processes_may_tell_a_study_the_result_of_trial_0(tmp_path):
    """Both see it running, because it came after the study."""
    trials = trials_of(tmp_path / "r", "tpe", tune=2)
    result = trials.done.pop(0)
    searches = [StudySearch(trials), StudySearch(trials)]
    both = [search._again(search.study.get_trials()[0]) for search in searches]
    for search, trial in zip(searches, both):
        search._tell(search.study, trial, result)
    assert study_of(trials).trials[0].value == result.score


def test_a_study_may_be_a_database(tmp_path):
    study = f"sqlite:///{tmp_path / 'all.db'}"
    trials = searched(tmp_path / "r", "tpe", tune=3, study=study)
    assert [*trials.done] == [0, 1, 2, 3]
    assert (tmp_path / "all.db").stat().st_size > 0
    assert not (tmp_path / "r" / "study.log").exists()


class TwoObjectives(FunctionTrials):
    """A Trials with --tune-metric parameters."""

    second = "parameters"

    def run_or_recall(self, number, values, until=None, report=None):
        assert report is None
        result = super().run_or_recall(number, values, until)
        result.parameters = values["units"]
        return result


def test_tpe_searches_for_two_objectives(tmp_path):
    trials = searched(tmp_path / "r", "tpe", kind=TwoObjectives, tune=14)
    assert [*trials.done] == [*range(15)]
    assert trials.lines == ["with two objectives, tpe stops no trial early"]
    assert [t.values[1] for t in study_of(trials).trials] == [
        result.values["units"] for result in trials.done.values()
    ]


def test_without_optuna_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SystemExit) as stop:
        searched(tmp_path / "r", "tpe", tune=3)
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith(
        "error: --tuner tpe needs Optuna, which is not installed: pip"
    )
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("study", ["sqlite:////nowhere/at/all.db", "/nowhere/all.log"])
def test_a_study_that_cannot_be_opened_is_one_line(study, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        searched(tmp_path / "r", "tpe", tune=3, study=study)
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith(f"error: --study got {study}, which can't be opened")
    assert len(err.splitlines()) == 1
