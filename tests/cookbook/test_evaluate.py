"""The command evaluate: figures as they are defined, classes matched by name."""

import json

import numpy as np
import pytest
from PIL import Image

from cookbook.answers.evaluate import Evaluation
from small_runs import ODD_NAME, run_command, two_classifiers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """runs/ with a classifier of images and one of texts."""
    folder = tmp_path_factory.mktemp("runs")
    two_classifiers(folder)
    return folder


def test_figures_of_labelled_texts_are_those_of_their_definitions(
    folder, monkeypatch, capsys, tmp_path
):
    """Three of four are right: two of two pos, one of two neg."""
    texts = [("good", "pos"), ("good good", "pos"), ("bad", "neg"), ("good bad", "neg")]
    table = tmp_path / "t.csv"
    table.write_text("words,label\n" + "".join(f"{a} {a},{b}\n" for a, b in texts[:3]))
    with table.open("a") as file:
        file.write("good good bad,neg\n")
    out = tmp_path / "figures.json"
    text, _ = run_command(
        monkeypatch, capsys, folder, "evaluate", "texts", "--data", table, "--out", out
    )
    assert "accuracy 0.7500 (3 of 4)" in text
    found = json.loads(out.read_text())
    assert found["accuracy"] == 0.75
    assert found["confusion"] == [[1, 1], [0, 2]]
    pos = found["classes"]["pos"]
    assert (pos["precision"], pos["recall"]) == (pytest.approx(2 / 3), 1)
    assert pos["f1"] == pytest.approx(0.8)
    assert pos["examples"] == 2
    rows = found["reliability"]
    assert sum(row["answers"] for row in rows) == 4
    gaps = [r["answers"] * abs(r["accuracy"] - r["mean probability"]) for r in rows]
    assert found["expected calibration error"] == pytest.approx(sum(gaps) / 4)


def test_a_classifier_as_sure_as_it_is_right_is_calibrated():
    sure = np.array([0.6] * 10 + [0.9] * 10)
    y = np.array([0] * 6 + [1] * 4 + [0] * 9 + [1])
    evaluation = Evaluation(("a", "b"), y, np.stack([sure, 1 - sure], -1))
    assert evaluation.calibration_error() == pytest.approx(0)
    wrong = Evaluation(("a", "b"), 1 - y, np.stack([sure, 1 - sure], -1))
    assert wrong.calibration_error() == pytest.approx(0.5 * 0.2 + 0.5 * 0.8)


def test_a_folder_of_pictures_is_matched_by_the_names_of_its_classes(
    folder, monkeypatch, capsys, tmp_path
):
    for name, value in (("cat/a.png", 0), ("cat/b.png", 255), (f"{ODD_NAME}/c.png", 1)):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 7), value).save(path)
    (tmp_path / "data" / "cat" / "broken.png").write_bytes(b"x")
    words = "pictures", "--data", tmp_path / "data"
    out, err = run_command(monkeypatch, capsys, folder, "evaluate", *words)
    assert "accuracy 0.3333 (1 of 3)" in out
    assert "1 of 4 examples could not be read" in err
    (tmp_path / "data" / "cat").rename(tmp_path / "data" / "dog")
    _, err = run_command(monkeypatch, capsys, folder, "evaluate", *words, status=2)
    (line,) = err.splitlines()
    assert "has the class 'dog', which" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["texts", "--data", "no.csv"], "there is no such file or folder"),
        (["texts", "--data", "./docs/lessons"], "lessons holds"),
        (["pictures", "--data", "digits"], "has the class '0', which"),
        (["nowhere", "--data", "digits"], "there is no run and no recipe nowhere"),
    ],
)
def test_a_mistake_in_evaluate_is_one_line(words, message, folder, monkeypatch, capsys):
    _, err = run_command(monkeypatch, capsys, folder, "evaluate", *words, status=2)
    (line,) = err.splitlines()
    assert message in line
