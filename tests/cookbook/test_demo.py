"""The demo: its pages' answers without Gradio, its refusals, and it in a browser."""

import ast
import contextlib
import importlib.metadata
import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook.__main__ import main
from cookbook.answers.classifiers import ImageClassifier, TextClassifier
from cookbook.answers.numbers import Forecaster, Generator
from cookbook.config import TrainingConfig
from cookbook.data.images import Images
from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import Vocabulary
from cookbook.demo.command import demo_command, free_port
from cookbook.demo.frame import enlarged
from cookbook.demo.pages import PAGES, page_of
from cookbook.demo.pictures import classified, drawn_pixels, uploaded_pixels
from cookbook.demo.samples import EACH, new_images, new_points
from cookbook.demo.series import example_table, forecast
from cookbook.demo.texts import judged, read_words
from cookbook.errors import Mistake
from cookbook.plots.explain import network_to_explain
from cookbook.reports.finish import finish
from cookbook.trained.description import KINDS
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import (
    Conv2D,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
)
from sources import ROOT

WORDS = ["good", "bad", "film"]
MARKUP = "<img src=x onerror=\"document.title='markup ran'\">"


def text_model():
    """Counts good words (class 1) against bad ones (class 0)."""
    ids = keras.Input((None,), dtype="int32")
    is_word = keras.ops.not_equal(ids, 0)
    mean = GlobalAveragePooling1D()(Embedding(5, 2)(ids), mask=is_word)
    model = keras.Model(ids, mean)
    model.set_weights([np.array([[0, 0], [0, 0], [-1, 1], [1, -1], [0, 0]]) * 9.0])
    return model


def image_model():
    """Bright images are of class 1."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(2, 3, activation="relu", kernel_initializer="ones"),
            GlobalAveragePooling2D(),
            Dense(2),
        ]
    )
    model.layers[-1].set_weights([np.array([[0, 0.01]] * 2), np.array([0, -1])])
    return model


def run_of(run_class, kind, model, settings, classes=()):
    description = Description(kind, "a_recipe", "some data", classes, settings)
    return run_class(Path("a_run"), description, model)


def text_run(length=8):
    settings = {"length": length, "words": WORDS}
    model = text_model()
    return run_of(TextClassifier, "text classifier", model, settings, ("neg", "pos"))


def image_run(model):
    settings = {"shape": [28, 28, 1], "pixels": [0, 255]}
    return run_of(ImageClassifier, "image classifier", model, settings, ("dim", "lit"))


def refusal(capsys, call, *arguments):
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_every_kind_of_model_has_a_page():
    assert set(PAGES) == set(KINDS)


def test_a_kind_without_a_page_is_one_line():
    run = text_run()
    run.description = Description("horoscope", "r", "d", (), {})
    with pytest.raises(Mistake, match="the demo has no page: use python -m cookbook"):
        page_of(run)


def test_gradio_is_imported_where_a_page_is_built():
    for path in (ROOT / "cookbook" / "demo").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "gradio" not in ast.unparse(node), path


def drawing(rows, columns, colour=0):
    layer = np.zeros((280, 280, 4), "uint8")
    layer[rows, columns] = [colour, colour, colour, 255]
    return {"layers": [layer], "background": None, "composite": None}


@pytest.mark.parametrize("colour", [0, 255])
def test_a_drawing_is_placed_as_mnist_places_its_digits(colour):
    """20 of 28 pixels high, the centre of mass in the middle, white on black."""
    strokes = drawing(slice(10, 110), slice(200, 220), colour)  # at the edge, small
    pixels = drawn_pixels(strokes, True, (28, 28, 1))
    assert pixels.shape == (28, 28, 1)
    assert pixels.dtype == np.uint8
    rows, columns, _ = np.nonzero(pixels)
    assert (rows.min(), rows.max()) == (4, 23)
    assert (columns.min(), columns.max()) == (12, 15)
    assert pixels.max() == 255
    dark = drawn_pixels(strokes, False, (28, 28, 1))
    np.testing.assert_array_equal(dark, 255 - pixels)


@pytest.mark.parametrize("nothing", [None, {"layers": []}, drawing(0, slice(0, 0))])
def test_an_empty_field_has_no_answer(nothing):
    with pytest.raises(ValueError, match="nothing is drawn"):
        drawn_pixels(nothing, True, (28, 28, 1))


def test_a_drawing_gets_its_class_and_grad_cam():
    run = image_run(image_model())
    pixels = drawn_pixels(drawing(slice(50, 200), slice(50, 200)), True, run.shape)
    top, seen, reason = classified(run, network_to_explain(run.model), pixels)
    assert [*top] == ["lit", "dim"]
    assert sum(top.values()) == pytest.approx(1)
    assert seen.shape == reason.shape == (336, 336, 3)
    assert reason[168, 168, 0] > reason[5, 5, 0] + 100  # warm where the strokes are


def test_a_network_without_convolutions_gets_no_grad_cam():
    flat = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    run = image_run(keras.Sequential(flat))
    opened = network_to_explain(run.model)
    *_, reason = classified(run, opened, np.zeros((28, 28, 1), "uint8"))
    assert reason is None


def test_an_uploaded_picture_is_read_as_predict_reads_it(tmp_path):
    run = image_run(image_model())
    path = tmp_path / "photo.png"
    Image.new("RGB", (90, 60), (200, 200, 200)).save(path)
    pixels = uploaded_pixels(str(path), False, run)
    np.testing.assert_array_equal(pixels, run.read(path))
    np.testing.assert_array_equal(uploaded_pixels(path, True, run), 255 - pixels)
    path.write_text("no picture")
    for wrong, message in ((path, "can't be read"), (None, "no picture is chosen")):
        with pytest.raises(ValueError, match=message):
            uploaded_pixels(wrong, False, run)


def test_a_text_gets_its_class_and_the_influence_of_each_word():
    top, words, note = judged(text_run(), "A good film <b>!")
    assert [*top] == ["pos", "neg"]
    values = {word: value for word, value in words if value is not None}
    assert [*values] == ["a", "good", "film", "!"]
    assert values["good"] == 1
    assert max(abs(v) for word, v in values.items() if word != "good") < 0.5
    assert note.startswith("The model knows 2 of these ")


def test_of_a_long_text_the_words_that_the_model_reads_are_shown():
    run = text_run(length=8)
    text = " ".join(f"w{i}" for i in range(20))
    words, ids = read_words(run, text)
    assert words == ["w0", "w1", *(f"w{i}" for i in range(14, 20))]
    assert len(ids) == 8
    assert "It reads 8 of them" in judged(run, text)[2]


def test_a_text_without_a_word_has_no_answer():
    with pytest.raises(ValueError, match="it holds no word"):
        judged(text_run(), "<br>")


def forecaster(data="mackey_glass"):
    series = keras.Input((4, 1))
    model = keras.Model(series, keras.ops.mean(series, 1))  # the mean of the window
    settings = {"window": 4, "horizon": 1, "columns": ["$x"], "mean": [1], "scale": [2]}
    run = run_of(Forecaster, "forecast", model, settings)
    run.description = Description("forecast", "r", data, (), settings)
    return run


def test_a_table_gets_a_forecast_with_a_figure(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("day,$x\n" + "".join(f"d{i},{i}\n" for i in range(10)))
    figure, values = forecast(forecaster(), str(path))
    assert values == "$x_1: 7.5"
    (axes,) = figure.axes
    past, future = axes.lines
    assert [*past.get_ydata()] == [*range(10)]
    assert [*past.get_xdata()][-1] == 0
    assert [*future.get_xydata().ravel()] == [0, 9, 1, 7.5]
    figure.draw_without_rendering()  # a name with $ is no formula


@pytest.mark.parametrize(
    ("text", "message"),
    [("x\n1\n2\n", "expected at least 4"), ("x\na\nb\n", "no column of numbers")],
)
def test_a_table_without_a_forecast_says_why(text, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        forecast(forecaster(), str(path))
    with pytest.raises(ValueError, match="no table is chosen"):
        forecast(forecaster(), None)


def test_a_model_of_the_generated_series_has_a_table_to_try(tmp_path):
    path = example_table(forecaster(), tmp_path)
    _, values = forecast(forecaster(), str(path))
    assert values.startswith("$x_1: ")
    assert example_table(forecaster("sales.csv"), tmp_path) is None


def test_a_generator_draws_each_class_in_turn_and_other_images_each_time():
    asked = []

    def sample(count, labels, seed):
        asked.append((count, None if labels is None else [*labels], seed))
        return np.zeros((count, 2) if labels is None else (count, 8, 8, 1))

    model = SimpleNamespace(sample=sample)
    settings = {"shape": [8, 8, 1], "pixels": [-1, 1], "latent": 2}
    run = run_of(Generator, "image generator", model, settings, ("a", "b"))
    assert new_images(run, EACH, 3.0).shape == (336, 336, 3)  # 2 x 2
    new_images(run, "b", 2)
    assert [labels for _, labels, _ in asked] == [[0, 1, 0], [1, 1]]
    assert asked[0][2] != asked[1][2]
    points = run_of(Generator, "point generator", model, {"shape": [2], "latent": 2})
    (axes,) = new_points(points, 5).axes
    assert axes.get_title() == "5 new points"


def test_small_pictures_are_enlarged_pixel_by_pixel():
    image = np.array([[[0.0], [1.0]]])
    large = enlarged(image)
    assert large.shape == (168, 336, 3)
    assert (large[:, :168] == 0).all()
    assert (large[:, 168:] == 255).all()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "demo needs gradio, which is not installed: pip install gradio"),
        ("5.49.1", "version 6 of gradio, but 5.49.1 is installed: pip install"),
    ],
)
def test_without_gradio_one_line_says_what_to_install(
    version, message, monkeypatch, capsys
):
    def installed(name):
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)
    monkeypatch.setattr("sys.argv", ["cookbook", "demo", "a_run"])
    assert message in refusal(capsys, main)


def test_a_port_in_use_and_an_unknown_host_are_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refusal(capsys, free_port, "127.0.0.1", port)
    assert f"127.0.0.1:{port}" in line
    assert "give another --port" in line
    assert "--port got 70000" in refusal(capsys, free_port, "127.0.0.1", 70000)
    assert "--host got 'no host'" in refusal(capsys, free_port, "no host", 0)
    assert free_port("127.0.0.1", 0) > 1023


def test_an_unknown_run_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cookbook.demo.command.refuse_without_gradio", lambda: None)
    monkeypatch.setattr("cookbook.demo.command.listen", lambda: None)
    monkeypatch.setattr("os.environ", {})
    arguments = SimpleNamespace(
        run="no_run", run_dir=tmp_path, port=0, host="127.0.0.1"
    )
    assert "holds no finished run" in refusal(capsys, demo_command, arguments)


def needs(*packages):
    """A marker that skips a test where one of the packages is missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed")


@contextlib.contextmanager
def served(folder):
    """The address of the page of a run; at the end Ctrl-C must close it quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cookbook", "demo", str(folder), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert "http://127.0.0.1:" in line, line + process.stderr.read()
        yield line.split()[4]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, "", "")
    finally:
        process.kill()
        process.communicate()


def finished_run(recipe, folder, model, data):
    run = RunFolder.open(recipe, TrainingConfig(run_dir=folder))
    return finish(model, data, [], run, {"accuracy": 1.0}, {}).folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Run folders of a text and of an image classifier, with markup as a class."""
    folder = tmp_path_factory.mktemp("runs")
    y = np.array([0, 1])

    def parts(x):
        return dict.fromkeys(("train", "validation", "test"), (x, y))

    texts = Reviews(
        name=MARKUP,
        asked="d",
        classes=("neg", MARKUP),
        vocabulary=Vocabulary(WORDS),
        test_texts=[],
        **parts(np.ones((2, 30), "int32")),
    )
    images = Images(
        name="d",
        asked="d",
        classes=("dim", "lit"),
        **parts(np.zeros((2, 28, 28, 1), "uint8")),
    )
    return {
        "texts": finished_run("texts", folder, text_model(), texts),
        "images": finished_run("images", folder, image_model(), images),
    }


@pytest.mark.slow
@needs("gradio", "gradio_client")
def test_a_program_asks_the_page_and_mistakes_are_lines(folders, tmp_path):
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError

    with served(folders["texts"]) as address:
        client = Client(address, verbose=False, download_files=tmp_path)
        classes, words, note = client.predict("a good film", api_name="/judge")
        assert classes["label"] == MARKUP
        assert {"token": "good", "class_or_confidence": 1.0} in words
        assert note == "The model knows 2 of these 3 words."
        with pytest.raises(AppError, match="No answer: it holds no word"):
            client.predict("<br>", api_name="/judge")

    picture = tmp_path / "lit.png"
    Image.new("L", (50, 50), 255).save(picture)
    with served(folders["images"]) as address:
        client = Client(address, verbose=False, download_files=tmp_path)
        answer = client.predict(handle_file(picture), False, api_name="/upload")
        assert answer[0]["label"] == "lit"


@pytest.fixture(scope="module")
def browser():
    """Chromium, the system's own or the one that playwright installed."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed")
    from playwright.sync_api import Error, sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    software = ["--no-sandbox", "--use-angle=swiftshader"]  # works without a GPU
    with sync_playwright() as play:
        try:
            chromium = play.chromium.launch(executable_path=path, args=software)
        except Error as problem:
            pytest.skip(f"there is no Chromium to start: {str(problem)[:200]}")
        yield chromium
        chromium.close()


@contextlib.contextmanager
def visited(browser, address, width=1200):
    """The page in a browser; it may ask nobody else, and must fit the width."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address, wait_until="networkidle")
    yield page
    outside = [u for u in requests if not u.startswith((address, "data:", "blob:"))]
    assert not outside
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == "Keras Cookbook"  # no markup has run
    page.close()


@pytest.mark.slow
@needs("gradio")
def test_a_visitor_types_a_review(folders, browser):
    with served(folders["texts"]) as address, visited(browser, address, 400) as page:
        page.locator("textarea").first.fill(f"a good film {MARKUP}")
        page.get_by_role("button", name="Ask the model").click()
        page.locator(".textspan, .text", has_text="good").first.wait_for()
        assert page.locator("h2", has_text=MARKUP).count() == 1
        assert page.locator("img[src=x]").count() == 0


@pytest.mark.slow
@needs("gradio")
def test_a_visitor_draws_a_digit(folders, browser):
    with served(folders["images"]) as address, visited(browser, address) as page:
        page.locator("button[aria-label='Brush'].selected, canvas").last.wait_for()
        page.wait_for_timeout(1500)  # the brush is chosen
        box = page.locator("canvas").last.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x - 50, y - 50)
        page.mouse.down()
        page.mouse.move(x + 50, y + 50, steps=20)
        page.mouse.up()
        page.wait_for_timeout(500)
        page.get_by_role("button", name="Ask the model").first.click()
        page.locator("h2", has_text="lit").or_(
            page.locator("h2", has_text="dim")
        ).first.wait_for()
        assert page.locator("img").count() == 2  # what the model sees, and why
