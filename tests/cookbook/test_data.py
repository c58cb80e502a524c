"""Data: honest splits, the stand-in said loudly, and refusals in one line."""

import importlib
import subprocess
import threading
import time

import numpy as np
import pytest

import forks
import prepared
from cookbook.command_line import parse
from cookbook.data import sources
from cookbook.data.images import Images, load_images

LOAD = """
from cookbook.data import images, sources
sources.network_answers = lambda: False
data = images.load_images({name!r}, default="mnist", quick={quick})
print(data.note, len(data.train[0]), len(data.validation[0]), len(data.test[0]))
"""


def run(folder, name="auto", quick=False, script=LOAD):
    """(exit status, stdout, stderr) of a process whose TFDS data lie in `folder`."""
    code = script.format(name=name, quick=quick, folder=str(folder))
    done = forks.run(code, environment={"TFDS_DATA_DIR": str(folder)})
    return done.returncode, done.stdout.strip(), done.stderr


def last_line(text):
    return text.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def prepared_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    status, _, errors = run(folder, script=prepared.SCRIPT)
    assert status == 0, errors
    return folder


def test_validation_is_cut_from_train_by_seed_and_test_never_moves():
    first, again, other = (load_images("digits", "mnist", seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.validation[0], again.validation[0])
    assert not np.array_equal(first.validation[0], other.validation[0])
    np.testing.assert_array_equal(first.test[0], other.test[0])
    parts = [first.train, first.validation, first.test]
    assert sum(len(x) for x, _ in parts) == 1797
    seen = [{image.tobytes() for image in x} for x, _ in parts]
    assert not seen[0] & seen[1]
    assert not seen[2] & (seen[0] | seen[1])


def test_images_are_uint8_with_a_channel_axis():
    data = load_images("digits", "mnist")
    assert data.shape == (28, 28, 1)
    assert data.train[0].dtype == np.uint8
    assert data.train[0].max() == 255
    assert data.classes == tuple("0123456789")


def test_prepared_data_are_used(prepared_folder):
    assert run(prepared_folder)[:2] == (0, "mnist 110 10 20")


SHAPES = """
from cookbook.data.images import load_images
data = load_images({name!r}, default="mnist")
print(data.shape, len(data.classes), data.classes[3], len(data.test[0]))
"""


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    status, _, errors = run(folder, script=prepared.OTHERS)
    assert status == 0, errors
    return folder


@pytest.mark.slow
def test_shape_and_classes_come_from_the_set_s_own_description(other_folder):
    out = run(other_folder, name="cifar100", script=SHAPES)[:2]
    assert out == (0, "(32, 32, 3) 100 3 20")


@pytest.mark.slow
def test_a_set_without_a_test_part_gives_up_a_share_of_train(other_folder):
    out = run(other_folder, name="eurosat", script=SHAPES)[:2]
    assert out == (0, "(64, 64, 3) 10 Highway 20")
    assert run(other_folder, name="eurosat")[1] == "eurosat 92 8 20"


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["mnist_cnn", "cifar10_resnet"])
def test_a_recipe_learns_from_any_image_set(recipe, other_folder, tmp_path):
    script = (
        "from cookbook.command_line import parse\n"
        f"from recipes.{recipe} import Config, main\n"
        "main(parse(Config, {arguments}))"
    )
    arguments = ["--data", "cifar100", "--epochs", "1", "--run-dir", str(tmp_path)]
    arguments += ["--batch-size", "16"]
    status, out, errors = run(
        other_folder, script=script.replace("{arguments}", repr(arguments))
    )
    assert status == 0, errors
    assert " | data: cifar100 | 1 epoch | " in last_line(out)
    assert list(tmp_path.glob("*/*/grad_cam.png"))


def test_images_of_varying_size_are_refused(tmp_path):
    status, _, errors = run(tmp_path, name="tf_flowers")
    assert status == 2
    assert "has images of varying size" in last_line(errors)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mnist_cnn", "cifar10_resnet", "mnist_gan"])
def test_images_too_small_for_a_network_are_refused(name, tmp_path, capsys):
    recipe = importlib.import_module(f"recipes.{name}")
    flags = ["--data", "imagenet_resized/8x8", "--run-dir", str(tmp_path)]
    with pytest.raises(SystemExit) as stop:
        recipe.main(parse(recipe.Config, flags))
    assert stop.value.code == 2
    message = last_line(capsys.readouterr().err)
    assert "has images of 8 x 8 pixels: choose a set of at least" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mnist_cnn", "cifar10_resnet"])
def test_images_refused_as_too_small_are_those_that_no_network_takes(name, monkeypatch):
    recipe = importlib.import_module(f"recipes.{name}")
    asked = []

    def record(*_, smallest, **__):
        asked.append(smallest)
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "load_images", record)
    with pytest.raises(KeyboardInterrupt):
        recipe.main(recipe.Config())

    def build(side):
        part = np.ones((8, side, side, 3), "uint8"), np.arange(8)
        parts = {"train": part, "validation": part, "test": part}
        kind = {"name": "x", "asked": "x", "classes": tuple("01234567")}
        return recipe.build(recipe.Config(filters=2), Images(**parts, **kind))

    (smallest,) = asked
    assert build(smallest).output_shape == (None, 8)
    with pytest.raises(ValueError, match=r"output size|negative"):
        build(smallest - 1)


def test_some_classes_alone_are_numbered_from_zero():
    data = load_images("digits", "mnist")
    half = data.only(5, 10)
    assert half.classes == tuple("56789")
    for name in ("train", "validation", "test"):
        (x, y), (all_x, all_y) = getattr(half, name), getattr(data, name)
        np.testing.assert_array_equal(x, all_x[all_y >= 5])
        np.testing.assert_array_equal(y + 5, all_y[all_y >= 5])


def test_a_few_of_each_class_are_drawn_by_seed_and_leave_the_test_part():
    data = load_images("digits", "mnist")
    first, again, other = (data.few(5, seed=s) for s in (1, 1, 2))
    for name in ("train", "validation"):
        (x, y), (all_x, _) = getattr(first, name), getattr(data, name)
        np.testing.assert_array_equal(np.bincount(y), 5)
        known = {image.tobytes() for image in all_x}
        assert len({image.tobytes() for image in x} & known) == len(x)
    np.testing.assert_array_equal(first.train[0], again.train[0])
    seen = [{image.tobytes() for image in part.train[0]} for part in (first, other)]
    assert seen[0] != seen[1], "other images, not only another order"
    assert len(set(first.train[1][:10])) > 3, "classes are mixed"
    np.testing.assert_array_equal(first.test[0], data.test[0])
    assert len(data.few(10**6).train[0]) == len(data.train[0])


def test_one_hot_rows_name_the_same_classes_and_leave_the_test_part():
    data = load_images("digits", "mnist")
    rows = data.one_hot()
    for name in ("train", "validation"):
        y = getattr(rows, name)[1]
        assert y.shape[1] == 10
        assert (y.sum(1) == 1).all()
        np.testing.assert_array_equal(y.argmax(1), getattr(data, name)[1])
    np.testing.assert_array_equal(rows.test[1], data.test[1])


def test_quick_uses_the_stand_in_without_a_warning(prepared_folder):
    status, out, errors = run(prepared_folder, quick=True)
    assert (status, out) == (0, "digits 1317 120 360")
    assert "instead" not in errors


def test_auto_falls_back_on_the_stand_in_and_says_so(tmp_path):
    status, out, errors = run(tmp_path)
    assert (status, out) == (0, "digits, NOT mnist 1317 120 360")
    assert "Using the embedded digits instead" in errors
    assert not list(tmp_path.iterdir()), "TFDS left folders behind"


def test_a_named_data_set_is_never_replaced(tmp_path):
    status, out, errors = run(tmp_path, name="mnist")
    assert (status, out) == (2, "")
    assert "set TFDS_DATA_DIR" in last_line(errors)


def test_a_half_prepared_folder_counts_as_not_prepared(tmp_path):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    (tmp_path / "mnist" / "3.0.1" / "mnist-train.tfrecord-00000-of-00001").touch()
    status, out, errors = run(tmp_path, name="mnist")
    assert (status, out) == (2, "")
    assert "error: " in last_line(errors)
    assert "Traceback" not in errors


def test_an_unknown_name_gets_a_suggestion(tmp_path):
    status, _, errors = run(tmp_path, name="mnits")
    assert status == 2
    assert "did you mean mnist" in last_line(errors)


def test_a_set_without_labelled_images_is_refused(tmp_path):
    status, _, errors = run(tmp_path, name="imdb_reviews")
    assert status == 2
    assert "has no labelled images" in last_line(errors)


def test_corrupted_records_are_one_line(prepared_folder, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", prepared_folder, copy], check=True)
    prepared.corrupt(copy)
    status, out, errors = run(copy)
    assert (status, out) == (2, "")
    assert "can't be read" in last_line(errors)
    assert "delete that folder" in last_line(errors)
    assert "Traceback" not in errors


def test_a_hanging_name_server_costs_two_seconds(monkeypatch):
    asked, answered = threading.Event(), threading.Event()

    def hang(*_):
        asked.set()
        answered.wait(10)
        raise OSError("no answer")

    monkeypatch.setattr(sources.socket, "create_connection", hang)
    start = time.time()
    assert not sources.network_answers()
    assert time.time() - start < 3
    assert asked.is_set()
    answered.set()


def test_a_closed_port_is_no_network(monkeypatch):
    monkeypatch.setattr(sources, "TFDS_HOST", "127.0.0.1")
    assert not sources.network_answers()


MULTI30K = """
import gzip, sys
from pathlib import Path
from cookbook.data import sources
from cookbook.data.text.translation import load_translations
sources.network_answers = lambda: False
folder = Path({folder!r})
manual = folder / "downloads" / "manual" / "multi30k"
manual.mkdir(parents=True)
for file, count in ("train", 30), ("val", 6), ("test_2016_flickr", 4):
    for language in ("de", "en", "fr"):
        text = "".join(f"{{file}} {{language}} satz {{i}}.\\n" for i in range(count))
        (manual / f"{{file}}.{{language}}.gz").write_bytes(gzip.compress(text.encode()))
for path in (folder, folder / "downloads", manual):
    path.chmod(0o555)
data = load_translations({name!r}, "multi30k", 60, 40)
again = load_translations({name!r}, "multi30k", 60, 40)
sizes = [len(target) for _, target in (data.train, data.validation, data.test)]
print(data.note, sizes, sorted(path.name for path in folder.iterdir()))
print(sorted(data.sentences["test"][0])[0], "|", sorted(again.sentences["test"][1])[0])
"""


@pytest.mark.slow
def test_multi30k_is_prepared_from_files_in_a_folder_that_stays_as_it_is(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    status, out, errors = run(tmp_path / "data", script=MULTI30K)
    assert status == 0, errors
    assert out.splitlines()[-2:] == [
        "multi30k [30, 6, 4] ['downloads']",
        "test_2016_flickr de satz 0. | test_2016_flickr en satz 0.",
    ]


def test_multi30k_without_its_files_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    script = """
from cookbook.data import sources
from cookbook.data.text.translation import load_translations
sources.network_answers = lambda: False
load_translations("multi30k", "multi30k", 60, 40)
"""
    status, out, errors = run(tmp_path / "data", script=script)
    assert (status, out) == (2, "")
    assert "set TFDS_DATA_DIR" in last_line(errors)
