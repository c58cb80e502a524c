"""Results: runs are collected, averaged over seeds, and shown in two tables."""

import json

import pytest

import cookbook.pages.results
import cookbook.pages.tries
from cookbook.pages.results import best_table, collect, full_table, write_tables

ROWS = {
    "mnist_cnn": {"task": "digits", "well known": "99.19 %"},
    "ring_gan": {"task": "a ring", "well known": "6.3"},
    "imdb_rnn --cell gru": {"task": "reviews", "well known": "86 %"},
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    docs = tmp_path / "docs"
    docs.mkdir()
    best = ["ring_gan", "imdb_rnn --cell gru"]
    kept = {"rows": ROWS, "best": best, "runs": []}
    (docs / "results.json").write_text(json.dumps(kept))
    for page in (tmp_path / "README.md", docs / "results.md"):
        page.write_text(
            "above\n<!-- results -->\nold\n<!-- end of results -->\nbelow\n"
        )
    monkeypatch.setattr(cookbook.pages.results, "ROOT", tmp_path)
    monkeypatch.setattr(cookbook.pages.results, "KEPT", docs / "results.json")
    monkeypatch.setattr(cookbook.pages.tries, "TRIES", docs / "tries.json")
    return tmp_path


def finished(root, command, name="test accuracy", value=0.5, **others):
    """A run folder whose metrics.json says this."""
    folder = root / f"run{len(list(root.glob('run*')))}"
    folder.mkdir()
    metrics = {name: value, "data": "mnist", "cpu_seconds": 400.0, "seed": 0}
    metrics.update(machine="a machine", command=f"python recipes/{command}")
    metrics.update(others)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_seeds_are_averaged_into_one_row(root):
    values = {0: 0.99, 1: 0.98, 2: 0.97}
    for seed, value in values.items():
        flag = f" --seed {seed}" if seed else ""
        collect([finished(root, f"mnist_cnn.py{flag}", value=value, seed=seed)])
    (row,) = [line for line in full_table().splitlines() if "mnist_cnn" in line]
    assert "test accuracy 98.00 % (99.00, 98.00, 97.00)" in row
    assert "| digits |" in row
    assert "| 99.19 % | 7 min |" in row
    assert "a machine" in full_table()


def test_a_row_of_the_results_is_no_thing_to_try(root):
    tries = {"imdb_rnn --cell gru": {"try": "Take a GRU"}}
    (root / "docs" / "tries.json").write_text(json.dumps(tries))
    collect([finished(root, "imdb_rnn.py --cell gru")])
    assert json.loads((root / "docs" / "tries.json").read_text()) == tries
    assert "test accuracy 50.00 %" in full_table()


def test_times_are_of_processors_alone(root):
    options = {"machine": "a machine + a GPU", "cpu_seconds": 5.0}
    collect([finished(root, "mnist_cnn.py --seed 1", seed=1, **options)])
    assert "| 99.19 % |  |" in full_table()
    collect([finished(root, "mnist_cnn.py")])
    assert "| 99.19 % | 7 min |" in full_table()
    assert "a machine; a machine + a GPU" in full_table()


def test_a_command_run_again_replaces_its_figure(root):
    for value in (0.9, 0.8):
        collect([finished(root, "mnist_cnn.py", value=value)])
    assert "80.00 %" in full_table()
    assert "90.00 %" not in full_table()


def test_flags_have_a_row_of_their_own_and_rows_keep_their_order(root):
    collect([finished(root, "imdb_rnn.py --cell gru --seed 1")])
    collect([finished(root, "ring_gan.py", "modes", 8.0)])
    lines = full_table().splitlines()
    links = "[ring_gan](../recipes/ring_gan.py) ([notebook](notebooks/ring_gan.ipynb))"
    assert f"{links} | a ring | modes 8 |" in lines[3]
    assert "[imdb_rnn](../recipes/imdb_rnn.py) `--cell gru`" in lines[4]


def test_what_was_not_measured_says_so(root):
    collect([finished(root, "mnist_cnn.py")])
    assert (
        "([notebook](notebooks/ring_gan.ipynb)) | a ring | not yet | 6.3 |  |"
        in full_table()
    )


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_a_page_is_renewed_between_its_marks_only(root, page):
    collect([finished(root, "ring_gan.py", "modes", 8.0)])
    write_tables()
    text = (root / page).read_text()
    assert text.startswith("above\n<!-- results -->\n| recipe |")
    assert text.endswith("<!-- end of results -->\nbelow\n")
    assert "old" not in text


def test_the_readme_shows_the_best_rows_without_seeds(root):
    for seed, value in ((0, 7.0), (1, 8.0)):
        command = f"ring_gan.py --seed {seed}"
        collect([finished(root, command, "modes", value, seed=seed)])
    rows = best_table().splitlines()[2:]
    assert rows == [
        "| [ring_gan](recipes/ring_gan.py) | a ring | modes 7.5 | 6.3 |",
        "| [imdb_rnn](recipes/imdb_rnn.py) `--cell gru` | reviews | not yet | 86 % |",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root / "nowhere", "holds no metrics.json"),
        (lambda root: finished(root, "mnist_cnn.py", data="digits, NOT mnist"), "NOT"),
        (lambda root: finished(root, "mnist_cnn.py --epochs 1"), "add its task"),
    ],
)
def test_what_is_no_result_is_refused_in_one_line(root, make, message, capsys):
    before = (root / "docs" / "results.json").read_text()
    with pytest.raises(SystemExit) as stop:
        collect([make(root)])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert (root / "docs" / "results.json").read_text() == before


def found_in_the_lab(root, holds=True, quick=False, flags=""):
    """A run folder of a recipe of the lab."""
    folder = root / "xor_from_scratch" / "0001"
    folder.mkdir(parents=True)
    texts = "It gives 4 of the 4 answers right (at least 4)", "It is off (3; at most 5)"
    claims = [{"text": text, "holds": holds} for text in texts]
    metrics = {
        "claims": claims,
        "command": f"python recipes/xor_from_scratch.py{flags}",
        "settings": {"quick": quick},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_claims_of_the_lab_are_kept_without_their_bounds(root):
    before = (root / "docs" / "results.json").read_text()
    collect([found_in_the_lab(root)])
    kept = json.loads((root / "docs" / "lab.json").read_text())
    sentences = ["It gives 4 of the 4 answers right", "It is off (3)"]
    assert kept == {"xor_from_scratch": sentences}
    assert json.loads((root / "docs" / "results.json").read_text()) == json.loads(
        before
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quick": True}, "without --quick"),
        ({"holds": False}, "does not hold: It gives"),
        ({"flags": " --hidden 9"}, "has settings of its own"),
    ],
)
def test_claims_that_are_no_result_are_refused(root, settings, message, capsys):
    with pytest.raises(SystemExit) as stop:
        collect([found_in_the_lab(root, **settings)])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (root / "docs" / "lab.json").exists()
