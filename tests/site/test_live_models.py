"""Models of runs, exported for pages, answer in a browser as `predict` does."""

import functools
import http.server
import json
import re
import shutil
import threading
import types

import keras
import numpy as np
import pytest

from cookbook import load_run
from cookbook.config import TrainingConfig
from cookbook.data.images import load_images
from cookbook.exports.portable.networks import OnnxNetwork
from cookbook.live import tables, write
from cookbook.live.evidence import feature_layer, with_evidence
from cookbook.live.write import PAGES, write_live_model, write_live_models
from cookbook.trained.description import write_description
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.explanation import grad_cam
from custom_layers.generation import Subwords
from custom_layers.layers import Dense
from custom_layers.models import AdversarialModel, NonSaturatingGAN
from playground import PLAYGROUNDS
from recipes import imdb_cnn, mnist_cgan, mnist_cnn, multi30k_attention, shakespeare_gpt
from sources import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.one_backend]

MODULES = ROOT / "docs" / "site" / "node_modules"
DIGITS = tuple("0123456789")
WORDS = ["the", "film", "it", "was", "great", "bad", "not", "good", "is", "!", "."]
ALPHABET = "\0\n !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
COUNT = 10


def run_of(folder, recipe, kind, model, classes=(), data="digits", **settings):
    """The folder of a finished run with this model, whose weights are random."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype == "float32":
            noise = rng.uniform(0.02, 0.2, weight.shape)
            weight.assign(weight + noise.astype("float32"))
    if model.compiled:
        model.optimizer.build(model.trainable_variables)
    run = RunFolder.open(recipe, TrainingConfig(run_dir=folder))
    model.save(run.path / "model.keras")
    run.write_json("metrics.json", {"test accuracy": 0.5, "parameters": 7})
    write_description(run, Description(kind, recipe, data, classes, settings))
    return run.path


def rows(**facts):
    """Data of which `build` asks the length, and these facts."""
    return types.SimpleNamespace(train=(np.zeros((64, 8)), np.zeros((64, 8))), **facts)


def digits_run(folder):
    model = mnist_cnn.build(
        mnist_cnn.Config(filters=4), load_images("digits", "digits")
    )
    settings = {"shape": [28, 28, 1], "pixels": [0, 255]}
    return run_of(folder, "mnist_cnn", "image classifier", model, DIGITS, **settings)


def reviews_run(folder):
    config = imdb_cnn.Config(features=4, filters=4, buckets=64)
    data = rows(vocabulary=["", "", *WORDS], classes=("neg", "pos"))
    model = imdb_cnn.build(config, data)
    settings = {"length": 40, "words": WORDS}
    return run_of(
        folder, "imdb_cnn", "text classifier", model, data.classes, **settings
    )


def text_run(folder):
    config = shakespeare_gpt.Config(width=32, blocks=2, heads=4, context=32)
    model = shakespeare_gpt.build(config, rows(alphabet=ALPHABET))
    settings = {"alphabet": ALPHABET, "context": 32}
    return run_of(folder, "shakespeare_gpt", "language model", model, **settings)


def generator_run(folder):
    shape = (28, 28, 1)
    networks = mnist_cgan.generator(shape, 10, 8, 4), mnist_cgan.critic(shape, 10, 4)
    model = AdversarialModel(*networks, loss=NonSaturatingGAN())
    settings = {"shape": [*shape], "pixels": [-1, 1], "latent": 8}
    return run_of(folder, "mnist_cgan", "image generator", model, DIGITS, **settings)


def translation_run(folder):
    subwords = Subwords.learn([*write.examples.SENTENCES, "A dog runs."], 120)
    config = multi30k_attention.Config(width=16)
    model = multi30k_attention.build(config, rows(subwords=subwords))
    settings = {
        "languages": ["German", "English"],
        "pieces": subwords.pieces,
        "merges": subwords.merges,
    }
    return run_of(folder, "multi30k_attention", "translation", model, **settings)


RUNS = {
    "draw_a_digit": digits_run,
    "type_a_review": reviews_run,
    "continue_a_text": text_run,
    "generate_digits": generator_run,
    "translate_a_sentence": translation_run,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{page: run folder}"""
    folder = tmp_path_factory.mktemp("runs")
    return {page: make(folder) for page, make in RUNS.items()}


@pytest.fixture(scope="module")
def site(runs, tmp_path_factory):
    """A folder with the playgrounds, models of all kinds, and a bare page for each."""
    if not (MODULES / "onnxruntime-web").is_dir():
        pytest.skip("onnxruntime-web is missing: npm ci in docs/site")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PLAYGROUNDS, folder / "playgrounds")
    write_live_models(runs.values(), folder / "playgrounds" / "models")
    runtime = shutil.ignore_patterns("*.map", "*webgpu*", "*jsep*", "*asyncify*")
    dist = MODULES / "onnxruntime-web" / "dist"
    shutil.copytree(dist, folder / "assets" / "onnxruntime", ignore=runtime)
    for page in PLAYGROUNDS.glob("*.md"):
        elements = re.findall(r"^<.*>$", page.read_text("utf-8"), re.MULTILINE)
        text = f"<!doctype html><meta charset='utf-8'><body>{''.join(elements)}</body>"
        (folder / "playgrounds" / f"{page.stem}.html").write_text(text, "utf-8")
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path):
        """The type of a file, of which some systems do not know modules and wasm."""
        known = {".mjs": "text/javascript", ".wasm": "application/wasm"}
        return known.get(path[path.rfind(".") :]) or super().guess_type(path)

    def log_message(self, *arguments):
        """Says nothing about each request."""


@pytest.fixture(scope="module")
def open_page(site, browser):
    """open_page(name): a page in headless Chromium, which fails at an error."""
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def opened(name):
        page = browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        address = f"http://127.0.0.1:{server.server_address[1]}"
        page.goto(f"{address}/playgrounds/{name}.html")
        page.get_by_text("Load the model").click()
        page.wait_for_function(f"window.liveModels?.{name}", timeout=60_000)
        return page

    with server:
        yield opened
        server.shutdown()


def asked(page, code):
    """What a function of the page answers to each of its ten examples."""
    return page.evaluate(f"""async () => {{
        const live = Object.values(window.liveModels)[0];
        const found = [];
        for (const example of live.examples) found.push(await ({code})(live, example));
        return found;
    }}""")


def examples_of(site, page):
    file = site / "playgrounds" / "models" / page / "examples.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    assert len(found) == COUNT
    return found


def near(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_a_drawn_digit_is_answered_as_predict_does(site, open_page):
    found = asked(
        open_page("draw_a_digit"),
        """async (live, { pixels, probabilities }) => {
            const answer = await live.classify(pixels);
            const best = probabilities.indexOf(Math.max(...probabilities));
            const size = answer.rows * answer.columns;
            return {
                probabilities: answer.probabilities,
                heat: Array.from(answer.heat.slice(best * size, (best + 1) * size)),
            };
        }""",
    )
    for answer, example in zip(found, examples_of(site, "draw_a_digit")):
        near(answer["probabilities"], example["probabilities"], 1e-5)
        near(answer["heat"], example["heat"], 1e-4 * max(example["heat"]))


def test_a_review_and_its_words_are_judged_as_in_python(site, open_page):
    found = asked(
        open_page("type_a_review"),
        """async (live, { text, probabilities }) => {
            const answer = await live.judge(text);
            const best = probabilities.indexOf(Math.max(...probabilities));
            return { ...answer, influence: await live.influenceOf(answer, best) };
        }""",
    )
    for answer, example in zip(found, examples_of(site, "type_a_review")):
        near(answer["probabilities"], example["probabilities"], 1e-5)
        near(answer["influence"], example["influence"], 1e-4)


def test_a_text_is_read_as_in_python(site, open_page):
    page = open_page("continue_a_text")
    found = asked(page, "(live, { text }) => live.logitsAfter(text)")
    for logits, example in zip(found, examples_of(site, "continue_a_text")):
        near(logits, example["logits"], 1e-4 * np.abs(example["logits"]).max())
    text = page.evaluate("""async () => {
        const { continued } = window.liveModels.continue_a_text;
        let text = "";
        for await (const { character } of continued("ROMEO:", 0.8)) {
            text += character;
            if (text.length === 70) break;  // beyond two windows
        }
        return text;
    }""")
    assert len(text) == 70
    assert set(text) <= set(ALPHABET[1:])


def test_generated_images_are_those_of_python(site, open_page):
    found = asked(
        open_page("generate_digits"),
        """async (live, { noise, label }) => {
            const [image] = await live.generate([noise], [label]);
            return Array.from(image);
        }""",
    )
    for pixels, example in zip(found, examples_of(site, "generate_digits")):
        near(pixels, example["pixels"], 1)  # of 255: rounding may differ by one


def test_a_sentence_is_translated_as_by_greedy_predict(site, open_page):
    page = open_page("translate_a_sentence")
    found = asked(page, "(live, { text }) => live.translate(text)")
    expected = examples_of(site, "translate_a_sentence")
    assert found == [example["translation"] for example in expected]


def test_evidence_is_grad_cam_of_every_class(runs):
    model = load_run(runs["draw_a_digit"]).model
    x = load_images("digits", "digits").test[0][:1].astype("float32")
    logits, heat = with_evidence(model)(x)
    near(logits, model(x), 1e-5)
    for label in range(10):
        expected = grad_cam(*feature_layer(model), x, [label])[0]
        near(heat[label], expected, 1e-5 * max(1, expected.max()))


def test_a_network_without_convolutions_has_no_evidence():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), Dense(2)])
    assert with_evidence(model) is None


def test_large_tables_are_stored_in_eight_bits(runs, tmp_path, monkeypatch):
    write_live_model(runs["type_a_review"], tmp_path)
    folder = tmp_path / "type_a_review"
    ids = {"ids": np.random.default_rng(0).integers(1, 13, (5, 30), "int32")}
    exact = OnnxNetwork(folder)(**ids)
    size = (folder / "model.onnx").stat().st_size
    monkeypatch.setattr(tables, "LARGE", 60)
    tables.shrink_tables(folder / "model.onnx")
    assert (folder / "model.onnx").stat().st_size < size
    difference = np.abs(OnnxNetwork(folder)(**ids) - exact).max()
    assert 0 < difference < 0.01


def test_pages_are_listed_with_what_is_known_of_their_models(site):
    file = site / "playgrounds" / "models" / "index.json"
    index = json.loads(file.read_text(encoding="utf-8"))
    assert set(index) == set(RUNS) == {page.name for page in PAGES.values()}
    digits = index["draw_a_digit"]
    assert digits["recipe"] == "mnist_cnn"
    assert digits["measured"] == {"test accuracy": 0.5}
    assert digits["files"]["model.onnx"] > 1000


def test_a_run_without_a_page_is_refused(tmp_path, capfd):
    model = keras.Sequential([keras.Input((3, 1)), keras.layers.Flatten(), Dense(2)])
    series = {
        "window": 3,
        "horizon": 2,
        "columns": ["a"],
        "mean": [0.0],
        "scale": [1.0],
    }
    run = run_of(tmp_path / "runs", "series", "forecast", model, **series)
    with pytest.raises(SystemExit) as stop:
        write_live_models([run], tmp_path / "models")
    assert stop.value.code == 2
    assert "kind forecast, expected one that has a page" in capfd.readouterr().err
