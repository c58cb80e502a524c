"""The demo: its pages' answers without Gradio, its refusals."""

import ast
import importlib.metadata
import importlib.util
import socket
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook.__main__ import main
from cookbook.answers.classifiers import ImageClassifier, TextClassifier
from cookbook.answers.numbers import (
    AnomalyDetector,
    Forecaster,
    Generator,
    ImageTranslator,
)
from cookbook.answers.writers import Calculator, LanguageModel, Translator
from cookbook.demo.command import demo_command, free_port
from cookbook.demo.frame import enlarged
from cookbook.demo.pages import PAGES, page_of
from cookbook.demo.pictures import (
    classified,
    drawn_pixels,
    scored,
    there_and_back,
    uploaded_pixels,
)
from cookbook.demo.samples import EACH, new_images, new_points
from cookbook.demo.series import example_table, forecast
from cookbook.demo.texts import read_and_judged, read_words
from cookbook.demo.writers import attends, continued, translated, written_answer
from cookbook.errors import Mistake
from cookbook.plots.explain import network_to_explain
from cookbook.trained.description import KINDS
from cookbook.trained.trained_run import Description
from custom_layers.generation import SPECIALS
from custom_layers.layers import Conv2D, Dense, Embedding, GlobalAveragePooling2D
from custom_layers.models import CycleGAN
from recipes import addition_seq2seq, multi30k_attention, multi30k_transformer
from small_classifiers import WORDS, image_model, text_model
from sources import ROOT


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


def test_a_photo_in_colour_gets_its_class_and_grad_cam(tmp_path):
    keras.utils.set_random_seed(0)
    layers = [Conv2D(2, 3, activation="relu"), GlobalAveragePooling2D(), Dense(2)]
    model = keras.Sequential([keras.Input((16, 16, 3)), *layers])
    red, blue = [0.0, 1.0], [1.0, 0.0]  # of each channel: what a filter looks at
    kernel = np.zeros((3, 3, 3, 2))
    kernel[..., 0, :], kernel[..., 2, :] = red, blue
    model.layers[0].set_weights([kernel, np.zeros(2)])
    model.layers[-1].set_weights([np.eye(2) / 1000, np.zeros(2)])
    settings = {"shape": [16, 16, 3], "pixels": [0, 255]}
    names = ("blue", "red")
    run = run_of(ImageClassifier, "image classifier", model, settings, names)
    photo = np.zeros((40, 60, 3), "uint8")
    photo[5:20, 15:30] = [255, 0, 0]  # at the top left of the part that is seen
    Image.fromarray(photo).save(tmp_path / "photo.png")
    pixels = uploaded_pixels(tmp_path / "photo.png", False, run)
    top, seen, reason = classified(run, network_to_explain(run.model), pixels)
    assert [*top] == ["red", "blue"]
    assert seen.shape == reason.shape == (336, 336, 3)
    np.testing.assert_array_equal(seen[80, 80], [255, 0, 0])
    assert reason[80, 80].sum() > reason[300, 300].sum() + 100


def test_an_image_gets_its_score_of_anomaly():
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.ops.mean(image, (1, 2, 3)))
    settings = {"shape": [28, 28, 1], "pixels": [0, 255], "odd": "7"}
    run = run_of(AnomalyDetector, "anomaly score", model, settings)
    score, seen = scored(run, np.full((28, 28, 1), 50, "uint8"))
    assert score == pytest.approx(50)
    assert (seen == 50).all()


def test_an_image_is_translated_there_and_back():
    networks = []
    for slope in (-1.0, 0.5, 1.0, 1.0):
        image = keras.Input((28, 28, 1))
        networks.append(keras.Model(image, slope * image))
    settings = {"shape": [28, 28, 1], "pixels": [-1, 1]}
    run = run_of(ImageTranslator, "image translator", CycleGAN(*networks), settings)
    there, again, seen = there_and_back(run, np.full((28, 28, 1), 255, "uint8"))
    assert [int(picture[0, 0, 0]) for picture in (there, again, seen)] == [0, 64, 255]


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
    top, words, note = read_and_judged(text_run(), "A good film <b>!")
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
    assert "It reads 8 of them" in read_and_judged(run, text)[2]


def test_a_text_without_a_word_has_no_answer():
    with pytest.raises(ValueError, match="it holds no word"):
        read_and_judged(text_run(), "<br>")


def language_model():
    """A run whose model writes a after b and b after a."""
    tokens = keras.Input((None,), dtype="int32")
    embedding = Embedding(3, 3)
    model = keras.Model(tokens, embedding(tokens))
    embedding.set_weights([np.array([[0, 0, 0], [0, 0, 99], [0, 99, 0]])])
    settings = {"alphabet": "\0ab", "context": 8}
    return run_of(LanguageModel, "language model", model, settings)


def test_a_text_goes_on_at_the_length_that_sliders_send():
    assert continued(language_model(), "ab", 12.0, 0.8) == "ab" + "ab" * 6
    with pytest.raises(ValueError, match="5001 characters, expected at most 5000"):
        continued(language_model(), "a" * 5001, 12.0, 0.8)


def translator(recipe, **sizes):
    pieces = [*SPECIALS, *"\N{LOWER ONE EIGHTH BLOCK}abc"]
    data = SimpleNamespace(subwords=pieces, train=(None, np.zeros((64, 3))))
    model = recipe.build(recipe.Config(width=8, **sizes), data)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    settings = {"pieces": pieces, "merges": [], "languages": ["de", "en"]}
    return run_of(Translator, "translation", model, settings)


def test_a_translation_comes_with_where_the_model_looked():
    run = translator(multi30k_attention)
    assert attends(run)
    text, figure = translated(run, "ab ba")
    assert text == run.predict(["ab ba"])[0] == written_answer(run, "ab ba")
    (axes,) = figure.axes
    read = [label.get_text() for label in axes.get_xticklabels()]
    assert read == ["", "a", "b", "", "b", "a", "end"]
    assert axes.get_yticklabels()[-1].get_text() == "end"
    (image,) = axes.images
    shares = np.asarray(image.get_array())
    assert shares.shape == (len(axes.get_yticks()), len(read))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="nothing that the vocabulary knows"):
        translated(run, "xyz")


def test_a_transformer_translates_without_a_figure():
    run = translator(multi30k_transformer, blocks=1, heads=2)
    assert not attends(run)
    assert written_answer(run, "ab") == run.predict(["ab"])[0]


def test_a_sum_is_answered_and_other_texts_are_refused():
    data = SimpleNamespace(train=(None, np.zeros((64, 3))), digits=3)
    model = addition_seq2seq.build(addition_seq2seq.Config(), data)
    run = run_of(Calculator, "sums", model, {"digits": 3})
    assert written_answer(run, " 12+3 ") == run.predict(["12+3"])[0]
    with pytest.raises(ValueError, match="it is not a sum of two numbers"):
        written_answer(run, "12-3")


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
    [
        ("$x\n1\n2\n", "expected at least 4"),
        ("x\n1\n2\n", r"are 'x', but the model has learned '\$x'"),
        ("x\na\nb\n", "no column of numbers"),
    ],
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
    keras_first = Mock(side_effect=ModuleNotFoundError("Keras is imported first"))
    monkeypatch.setattr("cookbook.quiet_import.import_keras_quietly", keras_first)
    line = refusal(capsys, demo_command, arguments)
    assert "there is no run and no recipe no_run" in line
