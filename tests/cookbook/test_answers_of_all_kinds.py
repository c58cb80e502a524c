"""The command predict for series, generators and models that write."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook import load_run
from cookbook.data.images import Images
from cookbook.data.sequences import Forecasts
from cookbook.errors import Mistake
from custom_layers.models import AdversarialModel, CycleGAN, NonSaturatingGAN
from small_runs import finished_run, part, predicted, run_command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """runs/ with a forecaster of two columns, a generator and a translator of images.

    The forecaster repeats the last row; its data have the means 10 and 20. The
    translator exchanges dark and bright, and makes all images dark on the way back.
    """
    folder = tmp_path_factory.mktemp("runs")
    series = keras.Input((3, 2))
    last = keras.layers.Flatten()(series)[:, -2:]
    model = keras.Model(series, keras.layers.Concatenate()([last, last]))
    data = Forecasts(
        name="d",
        asked="d",
        series=np.zeros((9, 2)),
        columns=("a", "b"),
        mean=(10.0, 20.0),
        scale=(2.0, 4.0),
        **part(np.zeros((4, 3, 2), "float32"), np.zeros((4, 4), "float32")),
    )
    finished_run("series", folder, model, data)

    noise, label = keras.Input((3,)), keras.Input((), dtype="int32")
    shade = keras.layers.Embedding(2, 1, name="shade")(label)
    shade = keras.layers.Activation("tanh")(shade)
    image = keras.layers.Reshape((2, 2, 1))(keras.layers.RepeatVector(4)(shade))
    generator = keras.Model([noise, label], image)
    generator.get_layer("shade").set_weights([np.array([[-9.0], [9.0]])])
    image, label = keras.Input((2, 2, 1)), keras.Input((), dtype="int32")
    score = keras.layers.Dense(1)(keras.layers.Flatten()(image))
    critic = keras.Model([image, label], score)
    model = AdversarialModel(generator, critic, NonSaturatingGAN())
    images = Images(
        name="d",
        asked="d",
        classes=("dark", "bright"),
        **part(np.zeros((2, 2, 2, 1), "float32"), np.array([0, 1])),
    )
    finished_run("pictures", folder, model, images)
    translator = CycleGAN(*[pointwise(-1, 0), pointwise(0, -1)] * 2)
    finished_run("translator", folder, translator, images)
    return folder


def pointwise(slope, start):
    """A network that makes start + slope * x of each pixel x."""
    layers = [keras.Input((2, 2, 1)), keras.layers.Conv2D(1, 1)]
    network = keras.Sequential(layers)
    network.set_weights([np.full((1, 1, 1, 1), slope), np.array([start])])
    return network


def test_a_series_is_forecast_in_its_own_units(folder):
    run = load_run("series", folder)
    series = np.array([[1, 2], [3, 4], [5, 6], [7.5, 8.5]])
    expected = [[[7.5, 8.5], [7.5, 8.5]]]
    np.testing.assert_allclose(run.predict([series]), expected, rtol=1e-6)
    series[2, 1] = np.nan
    with pytest.raises(ValueError, match="a number is missing in its last 3 rows"):
        run.predict([series])


def test_tables_of_series_are_read_by_the_names_of_their_columns(
    folder, monkeypatch, capsys, tmp_path
):
    tables = {
        "named.csv": "b,day,a\n" + "".join(f"{i},d{i},{-i}\n" for i in range(5)),
        "other.csv": "x;y\n" + "".join(f"{i};{2 * i}\n" for i in range(5)),
        "short.csv": "a,b\n1,2\n2,3\n",
        "one.csv": "a\n1\n2\n3\n4\n",
        "gap.csv": "a,b\n1,2\n3,4\n5,\n7,8\n",
        "words.csv": "a,b\nx,y\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    words = [tmp_path / name for name in tables]
    rows, err = predicted(monkeypatch, capsys, folder, "series", *words, status=2)
    named, other, short, one, gap, letters = rows
    names = ("a_1", "a_2", "b_1", "b_2")
    np.testing.assert_allclose([float(named[n]) for n in names], [-4, -4, 4, 4])
    assert other["error"] == (
        "its columns of numbers are 'x', 'y', but the model has learned 'a', 'b'"
    )
    assert "it has 2 values, expected at least 3" in short["error"]
    assert one["error"] == (
        "its columns of numbers are 'a', but the model has learned 'a', 'b'"
    )
    assert (float(gap["b_1"]), "straight lines" in err) == (8, True)
    assert letters["error"]
    assert "4 of 6 inputs have no answer" in err
    words = words[0], "--column", "a"
    (row,), _ = predicted(monkeypatch, capsys, folder, "series", *words, status=2)
    assert "--column got 'a', but the model needs 'a', 'b'" in row["error"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("abc", "predict got a text, expected a list of arrays"),
        (
            np.ones((20, 2)),
            r"the shape \(2,\), expected \(T, 2\): predict takes a list",
        ),
        ([1.0, 2.0], r"the shape \(\), expected \(T, 2\)"),
    ],
    ids=["text", "rows", "numbers"],
)
def test_a_series_that_stands_in_no_list_is_refused(inputs, message, folder):
    with pytest.raises(Mistake, match=message):
        load_run("series", folder).predict(inputs)


def test_a_forecast_has_six_digits_and_one_column_is_no_columns(folder):
    run = load_run("series", folder)
    fields = run.fields(np.array([[1 / 3, 2e6 / 3]] * 2))
    assert fields["a_1"] == 0.333333
    assert fields["b_2"] == 666667.0
    with pytest.raises(ValueError, match="it has 1 column of numbers"):
        run.read(np.ones((9, 1)))


def test_generated_images_go_into_one_picture(folder, monkeypatch, capsys, tmp_path):
    out = tmp_path / "samples.png"
    words = "pictures", "dark", "bright", "bright", "--out", out
    predicted(monkeypatch, capsys, folder, *words)
    pixels = np.asarray(Image.open(out))
    assert pixels.shape == (4, 4, 3)
    assert [pixels[y, x, 0] for y, x in ((0, 0), (0, 3), (3, 0))] == [0, 255, 255]
    samples = load_run("pictures", folder).predict(["bright", "dark"])
    assert samples.dtype == np.uint8
    assert samples[:, 0, 0, 0].tolist() == [255, 0]


def test_pictures_are_translated_into_one_picture(
    folder, monkeypatch, capsys, tmp_path
):
    files = [tmp_path / "dark.png", tmp_path / "bright.png"]
    for file, shade in zip(files, (10, 250)):
        Image.new("L", (9, 5), shade).save(file)
    out = tmp_path / "translated.png"
    predicted(monkeypatch, capsys, folder, "translator", *files, "--out", out)
    pixels = np.asarray(Image.open(out))
    assert pixels.shape == (2, 4, 3)
    assert [pixels[0, x, 0] for x in (0, 3)] == [245, 5]
    run = load_run("translator", folder)
    x = np.full((3, 2, 2, 1), 100, "uint8")
    assert set(run.predict(x).ravel()) == {155}
    assert set(run.predict(x, back=True).ravel()) == {0}
    _, err = predicted(monkeypatch, capsys, folder, "translator", files[0], status=2)
    assert "translator makes images: give --out FILE.png" in err


def test_a_run_that_only_says_that_it_translates_is_refused(tmp_path):
    network = pointwise(1, 0)
    network.save(tmp_path / "model.keras")
    (tmp_path / "metrics.json").write_text("{}")
    content = {"kind": "image translator", "recipe": "r", "data": "d", "classes": []}
    content |= {"shape": [2, 2, 1], "pixels": [-1, 1]}
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(Mistake, match="as its description says"):
        load_run(tmp_path)


def test_a_class_that_a_generator_lacks_is_one_line(folder, monkeypatch, capsys):
    words = "pictures", "grey", "--out", "a.png"
    _, err = predicted(monkeypatch, capsys, folder, *words, status=2)
    assert err == (
        "error: predict got 'grey': expected one of the classes dark, bright\n"
    )
    with pytest.raises(Mistake, match="got the class 'grey'"):
        load_run("pictures", folder).predict(["grey"])
    with pytest.raises(Mistake, match="got a text, expected a list of names"):
        load_run("pictures", folder).predict("dark")
    _, err = predicted(monkeypatch, capsys, folder, "pictures", "dark", status=2)
    assert "pictures makes images: give --out FILE.png" in err


def test_only_classifiers_are_evaluated(folder, monkeypatch, capsys):
    words = "evaluate", "series", "--data", "x"
    _, err = run_command(monkeypatch, capsys, folder, *words, status=2)
    (line,) = err.splitlines()
    assert "evaluate takes classifiers" in line
    assert line.endswith("forecast of series, learned from d")


def test_a_model_of_another_kind_than_its_description_says_is_one_line(tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    model = keras.Model(tokens, keras.layers.Embedding(5, 5)(tokens))
    model.save(tmp_path / "model.keras")
    (tmp_path / "metrics.json").write_text("{}")
    vocabulary = {"pieces": [*"abcde"], "merges": []}
    (tmp_path / "subwords.json").write_text(json.dumps(vocabulary))
    with pytest.raises(Mistake, match="is not a translation as its description says"):
        load_run(tmp_path)
