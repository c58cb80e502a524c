"""`--one-of N` runs one of N parts of the tests, and N days run each test once."""

import importlib.util
import types

from sources import ROOT


def items_left(monkeypatch, day, parts, count):
    """The tests that are left of `count`, and those that are reported as left out."""
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "tests/conftest.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    monkeypatch.setenv("DAY_OF_TESTS", str(day))
    others = []
    hook = types.SimpleNamespace(
        pytest_deselected=lambda items: others.extend(items),
    )
    config = types.SimpleNamespace(getoption={"one_of": parts}.get, hook=hook)
    items = [
        types.SimpleNamespace(number=i, get_closest_marker=lambda name: None)
        for i in range(count)
    ]
    hooks.pytest_collection_modifyitems(config, items)
    return [x.number for x in items], [x.number for x in others]


def test_each_test_runs_on_one_of_three_days(monkeypatch):
    found = []
    for day in (739_950, 739_951, 739_952):
        left, others = items_left(monkeypatch, day, 3, 100)
        assert sorted(left + others) == [*range(100)]
        assert len(left) in (33, 34)
        found += left
    assert sorted(found) == [*range(100)]


def test_all_run_without_parts(monkeypatch):
    assert items_left(monkeypatch, 739_950, 1, 10) == ([*range(10)], [])
