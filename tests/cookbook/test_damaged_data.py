"""Data sets that are damaged, empty, odd or too large: one line and exit status 2."""

import json
import os
import shutil
import types

import numpy as np
import pytest

import prepared
from cookbook.data import images, sources
from cookbook.data.images import load_images


@pytest.fixture(scope="module")
def prepared_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    exec(prepared.SCRIPT.format(folder=str(folder)), {})
    return folder


DAMAGES = {
    "dataset_info.json cut": ("dataset_info.json", lambda b: b[: len(b) // 2]),
    "dataset_info.json empty": ("dataset_info.json", lambda b: b""),
    "dataset_info.json no text": ("dataset_info.json", lambda b: bytes(range(256))),
    "dataset_info.json a list": ("dataset_info.json", lambda b: b"[]"),
    "dataset_info.json a number": ("dataset_info.json", lambda b: b"3"),
    "dataset_info.json a folder": ("dataset_info.json", None),
    "training part cut": ("mnist-train*", lambda b: b[: len(b) // 2]),
    "training part empty": ("mnist-train*", lambda b: b""),
    "test part cut": ("mnist-test*", lambda b: b[:-1]),
    "test part a folder": ("mnist-test*", None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_line(
    damage, prepared_folder, tmp_path, monkeypatch, capsys
):
    copy = shutil.copytree(prepared_folder, tmp_path / "copy")
    pattern, change = DAMAGES[damage]
    (file,) = copy.glob(f"mnist/*/{pattern}")
    content = file.read_bytes()
    file.unlink()
    if change:
        file.write_bytes(change(content))
    else:
        file.mkdir()
    line = refused(copy, monkeypatch, capsys)
    assert "data set 'mnist' in " in line
    assert "can't be read (" in line
    assert "delete that folder" in line


def refused(folder, monkeypatch, capsys, name="mnist", load=load_images, **settings):
    """The one line with which the set in `folder` is refused, without a network."""
    import tensorflow_datasets as tfds

    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(folder))
    monkeypatch.setattr(sources, "network_answers", lambda: False)
    with pytest.raises(SystemExit) as stop:
        load(name, "mnist", **settings)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line.removeprefix("error: ")


def edited(folder, target, edit):
    """A copy of a prepared mnist whose dataset_info.json is edited as JSON."""
    copy = shutil.copytree(folder, target)
    (file,) = copy.glob("mnist/*/dataset_info.json")
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))
    return copy


def test_a_missing_or_an_empty_part_is_one_line(
    prepared_folder, tmp_path, monkeypatch, capsys
):
    def rename(info):
        info["splits"][0]["name"] = "everything"

    def empty(info):
        info["splits"][0]["shardLengths"] = ["0"]

    copy = edited(prepared_folder, tmp_path / "renamed", rename)
    line = refused(copy, monkeypatch, capsys)
    assert "has no part named train, only everything, test" in line
    copy = edited(prepared_folder, tmp_path / "empty", empty)
    assert "part train of data set 'mnist' is empty" in refused(
        copy, monkeypatch, capsys
    )


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        ([0], 10, "too few examples (1 for training, 0 for validation"),
        ([], 10, "too few examples (0 for training"),
        ([0] * 30, 1, "has 1 class, expected at least 2"),
        ([0, 1] * 15, 2, "has 2 classes, expected at least 4"),
        ([0, -1] * 15, 10, "has the label -1 in its train part"),
        ([0, 10] * 15, 10, "has the label 10 in its train part, expected"),
    ],
)
def test_too_few_examples_or_classes_and_wrong_labels_are_one_line(
    labels, classes, expected, prepared_folder, monkeypatch, capsys
):
    def part(count):
        return np.zeros((count, 28, 28, 1), "uint8")

    x, y = part(len(labels)), np.array(labels, "int64")
    found = (x, y), (part(2), np.zeros(2, "int64")), tuple(map(str, range(classes)))
    monkeypatch.setattr(images, "_prepared", lambda name: found)
    fewest = 4 if classes == 2 else 2
    line = refused(prepared_folder, monkeypatch, capsys, fewest=fewest)
    assert expected in line
    assert line.endswith("such as mnist or fashion_mnist or cifar10")


@pytest.mark.parametrize(
    ("shape", "dtype", "settings", "expected"),
    [
        ((28, 28, 4), "uint8", {}, "images of 4 channels"),
        ((28, 28, 1), "uint16", {}, "images of 1 channels of uint16"),
        ((28, None, 3), "uint8", {}, "images of varying size"),
        ((20, 20, 3), "uint8", {"smallest": 22}, "at least 22 x 22"),
        ((30, 28, 3), "uint8", {"multiple": 4}, "multiples of 4"),
    ],
)
def test_images_of_an_odd_shape_are_one_line(
    shape, dtype, settings, expected, prepared_folder, monkeypatch, capsys
):
    import tensorflow_datasets as tfds

    image = tfds.features.Image(shape=shape, dtype=getattr(np, dtype))
    features = {"image": image, "label": tfds.features.ClassLabel(num_classes=10)}
    info = types.SimpleNamespace(features=tfds.features.FeaturesDict(features))
    builder = types.SimpleNamespace(info=info)
    monkeypatch.setattr(sources, "_builder", lambda *_: builder)
    assert expected in refused(prepared_folder, monkeypatch, capsys, **settings)


@pytest.mark.parametrize("kind", ["file", "unreadable", "missing"])
def test_a_data_folder_that_can_t_be_used_is_one_line(
    kind, tmp_path, monkeypatch, capsys
):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("")
    elif kind == "unreadable":
        place.mkdir()
        monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(place))
    line = refused(place, monkeypatch, capsys)
    expected = {
        "file": f"TFDS_DATA_DIR is '{place}', which is not a folder",
        "unreadable": f"TFDS_DATA_DIR is '{place}', which can't be read",
        "missing": "is not prepared in ",
    }
    assert expected[kind] in line


def test_a_set_larger_than_the_memory_is_one_line(prepared_folder, monkeypatch, capsys):
    import tensorflow_datasets as tfds

    def exhaust(*_, **__):
        raise MemoryError

    monkeypatch.setattr(tfds, "load", exhaust)
    line = refused(prepared_folder, monkeypatch, capsys)
    assert line == "data set 'mnist' does not fit into memory: choose a smaller one"
