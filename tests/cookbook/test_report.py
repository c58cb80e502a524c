"""Report and pictures: the last line, metrics.json, and files that can be seen."""

import ast
import dataclasses
import json

import keras
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from cookbook.command_line import parse
from cookbook.config import Count, TrainingConfig
from cookbook.data.images import Images, load_images
from cookbook.pages.catalogue import ROOT
from cookbook.plots import mistakes
from cookbook.plots.figures import save_figure
from cookbook.plots.mistakes import draw_mistakes
from cookbook.reports.finish import Run
from cookbook.reports.image_classifier import report_classifier
from cookbook.reports.machine import machine
from cookbook.training.run_folder import RunFolder
from oracle import array
from recipes import mnist_mlp, xor_from_scratch


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 2  # passes


class Oracle(keras.Model):
    """Answers the brightest column of the image, which is its label."""

    def call(self, x):
        return 10.0 * keras.ops.cast(x[:, 0, :, 0], "float32")


def images(wrong=3):
    y = np.arange(30) % 4
    x = np.zeros((30, 4, 4, 1), "uint8")
    x[np.arange(30), :, y] = 1
    labels = y.copy()
    labels[:wrong] = (labels[:wrong] + 1) % 4
    empty = (x[:0], y[:0])
    return Images(
        name="mnist",
        asked="mnist",
        train=empty,
        validation=empty,
        test=(x, labels),
        classes=tuple("abcd"),
    )


HISTORY = [
    {"epoch": i + 1, "loss": 1 / (i + 1), "val_loss": 1.1 / (i + 1), "seconds": 1.0}
    for i in range(2)
]


def report(tmp_path, capsys, config, expected, data=None):
    run = RunFolder.open("r", config)
    model = Oracle()
    model.compile()
    report_classifier(model, data or images(), HISTORY, run, expected)
    metrics = json.loads((run.path / "metrics.json").read_text())
    return metrics, capsys.readouterr().out.strip().splitlines()[-1], run.path


def test_last_line_gives_got_and_expected(tmp_path, capsys):
    config = Config(run_dir=tmp_path)
    metrics, line, path = report(tmp_path, capsys, config, {"mnist": (0.9, 0.01)})
    assert metrics["test accuracy"] == 0.9
    assert line.startswith(
        "test accuracy 0.9000 (expected 0.9000 +- 0.0100) | data: mnist | 2 epochs | "
    )
    assert line.endswith(f" | report: {path / 'report.html'}")


def test_other_settings_and_other_data_promise_nothing(tmp_path, capsys):
    config = Config(run_dir=tmp_path, epochs=3)
    _, line, _ = report(tmp_path, capsys, config, {"mnist": (0.9, 0.01)})
    assert "no value to compare with" in line
    config = Config(run_dir=tmp_path)
    data = dataclasses.replace(images(), name="digits")
    metrics, line, _ = report(tmp_path, capsys, config, {"mnist": (0.9, 0.01)}, data)
    assert "no value to compare with" in line
    assert "digits, NOT mnist" in line
    assert metrics["data"] == "digits, NOT mnist"


def test_pictures_are_drawn_and_not_blank(tmp_path, capsys):
    config = Config(run_dir=tmp_path)
    _, _, path = report(tmp_path, capsys, config, {})
    for name in ("curves.png", "confusion.png", "mistakes.png"):
        assert imread(path / name).std() > 0.02


def test_a_small_confusion_matrix_has_room_for_its_title(tmp_path, monkeypatch):
    """Also a name that the font lacks is drawn, without a warning."""
    shown = []

    def save(figure, run, name):
        save_figure(figure, run, name)
        shown.append(figure)

    monkeypatch.setattr(mistakes, "save_figure", save)
    labels = np.arange(12_500) % 2
    for wrong, title in ((1, "1 mistake\n"), (12_500, "12500 mistakes\n")):
        answers = np.where(np.arange(12_500) < wrong, 1 - labels, labels)
        run = RunFolder.open("r", Config(run_dir=tmp_path))
        mistakes.draw_confusion(labels, answers, ("negative", "狗"), run)
        figure = shown.pop()
        (text,) = [axes.title for axes in figure.axes if axes.get_title()]
        assert text.get_text().startswith(title)
        box = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_no_mistakes_is_a_picture_too(tmp_path):
    run = RunFolder.open("r", Config(run_dir=tmp_path))
    x, y = array(5, 4, 4, 1, low=0, high=9, dtype="uint8"), np.arange(5)
    draw_mistakes(x, y, np.eye(5), tuple("abcde"), run)
    assert (run.path / "mistakes.png").exists()


@pytest.mark.parametrize("recipe", [mnist_mlp, xor_from_scratch])
def test_main_returns_a_run_with_the_figures_of_metrics_json(recipe, tmp_path):
    config = parse(recipe.Config, ["--quick", "--run-dir", str(tmp_path)])
    run = recipe.main(config)
    (folder,) = tmp_path.glob("*/*/")
    assert isinstance(run, Run)
    assert run.folder == folder
    metrics = json.loads((folder / "metrics.json").read_text())
    for claim in metrics.get("claims", []):  # of the lab
        metrics[claim["text"]] = claim["measured"]
    assert run.figures
    for name, value in run.figures.items():
        assert metrics[name] == value
    if recipe is mnist_mlp:
        x, y = load_images("digits", "mnist").test
        accuracy = np.mean(run.model.predict(x, verbose=0).argmax(-1) == y)
        assert accuracy == pytest.approx(run.figures["test accuracy"])
        assert [row["epoch"] for row in run.history] == [*range(1, 21)]
    else:
        assert run.model is None


def test_every_report_returns_the_run():
    found = []
    for path in (ROOT / "cookbook" / "reports").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            name = getattr(node, "name", "")
            if name == "finish" or name.startswith("report_"):
                found.append(name)
                assert ast.unparse(node.returns) == "Run", name
                assert ast.unparse(node.body[-1]).startswith("return "), name
    assert len(found) == 15


def test_the_machine_is_named_where_linux_says_nothing_of_it(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)

    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert machine().endswith(", 1 core")
