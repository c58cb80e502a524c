"""The page of a run: complete, self-contained, and harmless whatever it shows."""

import dataclasses
import html.parser
import json

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook import load_run
from cookbook.config import TrainingConfig
from cookbook.data.images import Images
from cookbook.lab.claims import Claim, conclude
from cookbook.reports.finish import finish
from cookbook.reports.page import EXAMPLES, LARGEST
from cookbook.trained.description import KINDS
from cookbook.training.run_folder import RunFolder

HOSTILE = '<script>alert("a")</script>'
WITHOUT_END = {"meta", "img", "br"}


class Page(html.parser.HTMLParser):
    """Reads a page: its text, its links, and whether every tag is closed."""

    def __init__(self, path):
        super().__init__()
        self.open = []
        self.tags = []
        self.sources = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [v for k, v in attributes if k in ("src", "href")]
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = TrainingConfig(run_dir=tmp_path_factory.mktemp("runs"))
    folder = RunFolder.open("recipe", config)
    Image.new("L", (9, 7)).save(folder.path / "curves.png")
    noise = np.random.default_rng(0).integers(0, 256, (1300, 1300, 3), "uint8")
    Image.fromarray(noise).save(folder.path / "a<b.png")
    (folder.path / "part").mkdir()
    Image.new("L", (9, 7)).save(folder.path / "part" / "motion.gif")
    (folder.path / "mistakes.txt").write_text(f"said a\n{HOSTILE}\n" * 50)
    broken = ["a.png: it is empty"]
    notes = ["odd", f"broken files are left out: 1 ({broken[0]})"]
    counts = {"train": {HOSTILE: 3, "b": 4}}
    card = {"counts": counts, "notes": notes, "broken": broken}
    (folder.path / "data_card.json").write_text(json.dumps(card))
    x, y = np.zeros((2, 4, 4, 1), "uint8"), np.array([0, 1])
    part = {"train": (x, y), "validation": (x, y), "test": (x, y)}
    data = Images(name="d", asked="d", classes=("cat", HOSTILE), **part)
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    figures = {"test accuracy": 0.98765, HOSTILE: [1, 2]}
    expected = {"d": (0.98, 0.01)}
    return finish(keras.Sequential(layers), data, [], folder, figures, expected)


def test_the_page_shows_figures_settings_card_texts_and_commands(run):
    page = Page(run.folder / "report.html")
    assert not page.open
    for part in (
        "0.9877",
        "expected 0.9800",
        "learned from d",
        f"python -m cookbook predict {run.folder}",
        f"python -m cookbook evaluate {run.folder}",
        f"python -m cookbook demo {run.folder}",
        f"python -m cookbook export {run.folder} --format",
        f"python recipes/recipe.py --config {run.folder / 'config.json'}",
        "load_run(",
        "examples: train",
        "odd",
        "40 more lines in mistakes.txt",
        HOSTILE,  # as text
    ):
        assert part in page.text, part
    assert page.text.count("a.png: it is empty") == 1
    assert "save_every" not in page.text  # it changes no result
    assert "script" not in page.tags


def test_the_page_holds_its_pictures_and_only_links_to_very_large_ones(run):
    sources = Page(run.folder / "report.html").sources
    assert [source[:15] for source in sources] == [
        "data:image/png;",  # the curves come first
        "a%3Cb.png",
        "data:image/gif;",
    ]
    assert (run.folder / "a<b.png").stat().st_size > LARGEST


def test_the_last_line_of_a_run_names_the_page(tmp_path, capsys):
    folder = RunFolder.open("lab", TrainingConfig(run_dir=tmp_path))
    found = conclude(folder, [Claim("One is {}", 1.0, at_least=1.0)])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(f" report: {found.folder / 'report.html'}")
    page = Page(found.folder / "report.html")
    assert "One is 1 (at least 1)holds" in page.text
    assert not page.open


def test_the_last_lines_of_a_search_name_the_command_that_trains_again(
    tmp_path, capsys
):
    config = TrainingConfig(run_dir=tmp_path, tune=2)
    folder = RunFolder.open("recipe", config)
    folder.decide(dataclasses.replace(config, epochs=7))
    x, y = np.zeros((2, 4, 4, 1), "uint8"), np.array([0, 1])
    part = {"train": (x, y), "validation": (x, y), "test": (x, y)}
    data = Images(name="d", asked="d", classes=("a", "b"), **part)
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    run = finish(keras.Sequential(layers), data, [], folder, {"accuracy": 1.0}, {})
    again, last = capsys.readouterr().out.splitlines()[-2:]
    command = f"python recipes/recipe.py --config {run.folder / 'config.json'}"
    assert again.endswith(command)
    assert " report: " in last
    page = Page(run.folder / "report.html")
    assert "epochs7" in page.text
    assert "tuner" not in page.text, "config.json does not say how the search was done"
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["command"] == "python recipes/recipe.py --epochs 7"
    assert load_run(run.folder).predict(x[..., 0]) is not None


def test_every_kind_of_model_has_example_commands():
    assert set(EXAMPLES) == set(KINDS)
