"""Searches killed at random moments go on to the end, and lose and repeat no trial.

    pytest -m long tests/cookbook/test_killed_searches.py

takes a quarter of an hour, so that no other command runs these tests.
"""

import importlib.util
import random
import signal
from pathlib import Path

import pytest

from killed_searches import Search

pytestmark = [pytest.mark.slow, pytest.mark.long]

TRIALS = 8
WORKERS = ["--workers", "2"]
RAY = ["--on", "ray", "--workers", "2"]
# {strategy: whether its trials depend on the seed alone}
TUNERS = {
    "random": True,
    "grid": True,
    "bayesian": False,
    "hyperband": False,
    "tpe": False,
}
CASES = [(tuner, places) for tuner in TUNERS for places in (None, WORKERS)]
CASES += [("random", RAY)]


@pytest.fixture(autouse=True)
def on_demand(request):
    if request.config.getoption("markexpr") != "long":
        pytest.skip("takes a quarter of an hour: choose it by -m long")
    if not Path("/proc").exists():
        pytest.skip("finds processes in /proc")


@pytest.fixture(scope="module")
def unbroken(request, tmp_path_factory):
    """A function: the table of a search by one process that nobody kills."""
    tables = {}

    def table(tuner):
        if tuner not in tables:
            search = Search(tmp_path_factory.mktemp(tuner), flags_of(tuner))
            search.start()
            assert search.wait_for_end() == 0
            tables[tuner] = search.table
        return tables[tuner]

    return table


def flags_of(tuner):
    flags = ["--tune", str(TRIALS), "--tuner", tuner]
    # The median rule depends on which trials have ended before.
    return [*flags, "--no-stop-early"] if tuner != "hyperband" else flags


def attack(search, chance):
    """Kills a process of the search at a random moment; returns what was done."""
    targets = ["launcher"]
    if search.places == WORKERS:
        targets += ["TUNER_ID=chief", "TUNER_ID=worker_0", "TUNER_ID=worker_1"]
    elif search.places == RAY:
        targets += ["ray::trial"]
    target = chance.choice(targets)
    kind = signal.SIGKILL
    if target == "launcher":
        kind = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    search.pause(chance.uniform(0, 2))
    if kind == signal.SIGINT:
        search.interrupt()
    else:
        search.kill(target, kind)
    return f"{target} got {kind.name} after {len(search.results)} trials"


@pytest.mark.parametrize(
    ("tuner", "places"),
    CASES,
    ids=[" ".join([tuner, *(places or [])]) for tuner, places in CASES],
)
def test_a_search_killed_at_random_moments(tuner, places, tmp_path, unbroken):
    if tuner == "tpe":
        pytest.importorskip("optuna")
    if places == RAY and not importlib.util.find_spec("ray"):
        pytest.skip("needs Ray")
    chance = random.Random(f"{tuner} {places}")
    search = Search(tmp_path, flags_of(tuner), places)
    story = []
    while len(search.results) <= TRIALS and len(story) < 3:
        search.start()
        search.wait_for_trials(len(search.results) + chance.randint(1, 2))
        before = search.results
        story.append(attack(search, chance))
        # A search whose worker was killed goes on by itself.
        if "worker" not in story[-1] and "trial got" not in story[-1]:
            search.wait_for_end()
        else:
            search.wait_for_trials(len(search.results) + 1)
            search.kill("launcher", signal.SIGKILL)
            search.wait_for_end()
        assert_kept(before, search.results)
    before = search.results
    if not search.is_finished:
        search.start()
    assert search.wait_for_end() == 0, "\n".join([*story, search.output.read_text()])
    print("\n".join(story))

    assert_kept(before, search.results)
    assert list(search.results) == list(range(TRIALS + 1)), story
    assert all(result["problem"] is None for result in search.results.values())
    if tuner != "hyperband":  # which tells each part of a trial
        assert len(search.told) == len(set(search.told)), "a trial was repeated"
    if TUNERS[tuner]:
        assert search.table == unbroken(tuner)


def assert_kept(before, after):
    """Refuses that a result was lost or changed; Hyperband may have added epochs."""
    for number, result in before.items():
        assert after[number]["values"] == result["values"]
        epochs = result["epochs"]
        assert after[number]["scores"][:epochs] == result["scores"]
