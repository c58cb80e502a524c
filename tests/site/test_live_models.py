"""Models of runs, exported for pages, answer in a browser as `predict` does."""

import json

import keras
import numpy as np
import onnx
import pytest

from cookbook import load_run
from cookbook.data.images import load_images
from cookbook.exports.portable.networks import OnnxNetwork
from cookbook.live import tables
from cookbook.live.evidence import feature_layer, with_evidence
from cookbook.live.write import PAGES, write_live_model, write_live_models
from custom_layers.explanation import grad_cam
from custom_layers.layers import Dense
from live_runs import ALPHABET, RUNS, run_of
from site_visits import AXE, PHONE, RULES, WIDTHS, new_page, violations

pytestmark = [pytest.mark.slow, pytest.mark.one_backend]

COUNT = 10
LOADED = "Load the model"
# Milliseconds that an answer may take: an image, and a character of a text
LONGEST = {"draw_a_digit": 50, "continue_a_text": 40}
# For each of them, what makes the function that is timed
TIMED = {
    "draw_a_digit": "(live) => (i) => live.classify(live.examples[i % 10].pixels)",
    "continue_a_text": """(live) => {
        const writer = live.continued("ROMEO:", 0.8);
        return () => writer.next();
    }""",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{page: run folder}"""
    folder = tmp_path_factory.mktemp("runs")
    return {page: make(folder) for page, make in RUNS.items()}


@pytest.fixture(scope="module")
def models(built, runs):
    """The folder of the built site with a live model on each of its pages."""
    folder = built[0] / "playgrounds" / "models"
    write_live_models(runs.values(), folder)
    return folder


@pytest.fixture
def open_page(models, address, browser):
    """open_page(name): a page whose model is loaded, which fails at an error."""
    opened = []

    def open_one(name, **options):
        page = new_page(browser, **options)
        opened.append(page)
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(f"{address}/playgrounds/{name}.html")
        page.get_by_text(LOADED).click()
        page.wait_for_function(f"window.liveModels?.{name}")
        return page

    yield open_one
    for page in opened:
        page.close()


def asked(page, code):
    """What a function of the page answers to each of its ten examples."""
    return page.evaluate(f"""async () => {{
        const live = Object.values(window.liveModels)[0];
        const found = [];
        for (const example of live.examples) found.push(await ({code})(live, example));
        return found;
    }}""")


def examples_of(models, page):
    file = models / page / "examples.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    assert len(found) == COUNT
    return found


def near(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_a_drawn_digit_is_answered_as_predict_does(models, open_page):
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
    for answer, example in zip(found, examples_of(models, "draw_a_digit")):
        near(answer["probabilities"], example["probabilities"], 1e-5)
        near(answer["heat"], example["heat"], 1e-4 * max(example["heat"]))


def test_a_review_and_its_words_are_judged_as_in_python(models, open_page):
    found = asked(
        open_page("type_a_review"),
        """async (live, { text, probabilities }) => {
            const answer = await live.judge(text);
            const best = probabilities.indexOf(Math.max(...probabilities));
            return { ...answer, influence: await live.influenceOf(answer, best) };
        }""",
    )
    for answer, example in zip(found, examples_of(models, "type_a_review")):
        near(answer["probabilities"], example["probabilities"], 1e-5)
        near(answer["influence"], example["influence"], 1e-4)


def test_a_text_is_read_as_in_python(models, open_page):
    page = open_page("continue_a_text")
    found = asked(page, "(live, { text }) => live.logitsAfter(text)")
    for logits, example in zip(found, examples_of(models, "continue_a_text")):
        near(logits, example["logits"], 1e-4 * np.abs(example["logits"]).max())
    text = page.evaluate("""async () => {
        const { continued } = window.liveModels.continue_a_text;
        let text = "";
        for await (const { character } of continued("ROMEO:", 0.8)) {
            text += character;
            if (text.length === 140) break;  // beyond two windows
        }
        return text;
    }""")
    assert len(text) == 140
    assert set(text) <= set(ALPHABET[1:])


def test_generated_images_are_those_of_python(models, open_page):
    found = asked(
        open_page("generate_digits"),
        """async (live, { noise, label }) => {
            const [image] = await live.generate([noise], [label]);
            return Array.from(image);
        }""",
    )
    for pixels, example in zip(found, examples_of(models, "generate_digits")):
        near(pixels, example["pixels"], 1)  # of 255: rounding may differ by one


def test_a_sentence_is_translated_as_by_greedy_predict(models, open_page):
    page = open_page("translate_a_sentence")
    found = asked(page, "(live, { text }) => live.translate(text)")
    expected = examples_of(models, "translate_a_sentence")
    assert found == [example["translation"] for example in expected]


@pytest.mark.parametrize("name", LONGEST)
def test_an_answer_comes_soon(open_page, name):
    """The quickest of several answers, since other programs may hold up some."""
    milliseconds = open_page(name).evaluate(f"""async () => {{
        const live = Object.values(window.liveModels)[0];
        const ask = ({TIMED[name]})(live);
        const found = [];
        for (let i = 0; i < 20; i += 1) {{
            const begun = performance.now();
            await ask(i);
            found.push(performance.now() - begun);
        }}
        return Math.min(...found);
    }}""")
    assert milliseconds <= LONGEST[name]


@pytest.mark.parametrize("name", RUNS)
def test_a_page_whose_model_answers_can_be_used_by_everybody(open_page, name):
    """On a phone it does not scroll sideways, and axe-core finds nothing."""
    page = open_page(name, viewport=PHONE)
    messages = []
    page.on("console", lambda m: messages.append(m.text) if m.type == "error" else 0)
    page.wait_for_load_state("networkidle")
    wide, width = page.evaluate(WIDTHS)
    assert wide <= width
    page.add_script_tag(path=AXE)
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)  # until colours have changed
        assert not violations(page.evaluate(f"axe.run({rules})"), scheme)
    assert not messages


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
    names = {each.name for each in onnx.load(folder / "model.onnx").graph.initializer}
    merged = [name for name in names if name.endswith("_table_whole")]
    assert len(merged) == 1  # naive Bayes: the ratios and their weights


def test_pages_are_listed_with_what_is_known_of_their_models(models):
    file = models / "index.json"
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
