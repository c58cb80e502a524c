"""The demo as a page: asked by a program, and by a visitor with a browser."""

import contextlib
import importlib.util
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cookbook.config import TrainingConfig
from cookbook.data.images import Images
from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import Vocabulary
from cookbook.reports.finish import finish
from cookbook.training.run_folder import RunFolder
from small_classifiers import WORDS, image_model, text_model
from sources import ROOT

MARKUP = "<img src=x onerror=\"document.title='markup ran'\">"


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
