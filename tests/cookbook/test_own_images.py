"""Folders of pictures as data: each awkward one gives arrays, or one clear line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cookbook.data.batches import Batches, balanced_weights
from cookbook.data.files import image_folder, reading
from cookbook.data.files.given import names_files
from cookbook.data.files.pictures import picture_files
from cookbook.data.images import load_images
from cookbook.plots.data_card import write_card
from pictures_of_noise import put
from recipes import mnist_mlp


def folder_of(root, counts, mode="RGB"):
    """A folder with so many pictures of each class."""
    seed = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            seed += 1
            put(root / name / f"{i}.png", seed, mode)
    return root


def loaded(root, **options):
    return load_images(str(root), "mnist", **options)


def refused(root, capsys, **options):
    """The one line with which the program ends."""
    with pytest.raises(SystemExit) as stop:
        loaded(root, **options)
    assert stop.value.code == 2
    errors = [x for x in capsys.readouterr().err.splitlines() if "error" in x]
    assert len(errors) == 1, errors
    return errors[0]


# Folders


def test_sub_folders_are_classes_and_parts_are_stratified(tmp_path, capsys):
    root = folder_of(tmp_path / "my photos", {"rote Äpfel": 60, "10 b": 24, "9 b": 36})
    data = loaded(root)
    assert data.classes == ("9 b", "10 b", "rote Äpfel")
    counts = data.card.counts
    assert counts["test"] == {"rote Äpfel": 10, "9 b": 6, "10 b": 4}
    assert counts["validation"] == {"rote Äpfel": 4, "9 b": 2, "10 b": 2}
    assert data.shape == (28, 28, 3)
    for x, y in (data.train, data.validation, data.test):
        assert len(x) == len(y)
        assert set(y) == {0, 1, 2}
    assert "pictures: 92 train, 20 test, 8 validation" in capsys.readouterr().out
    again, other = loaded(root), loaded(root, seed=1)
    np.testing.assert_array_equal(again.train[0], data.train[0])
    np.testing.assert_array_equal(other.test[0], data.test[0])
    assert (other.validation[0] != data.validation[0]).any()


def test_every_picture_keeps_its_label(tmp_path):
    for k, name in enumerate(("red", "green", "blue")):
        for i in range(8):
            pixels = np.full((9, 9, 3), i, "uint8")
            pixels[..., k] = 200
            path = tmp_path / name / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    data = loaded(tmp_path)
    for x, y in (data.train, data.validation, data.test):
        strongest = x.mean((1, 2)).argmax(-1)
        names = np.array(["red", "green", "blue"])[strongest]
        assert [data.classes[label] for label in y] == names.tolist()


def test_folders_of_parts_are_respected(tmp_path):
    for part, count in {"train": 5, "val": 2, "test": 3}.items():
        folder_of(tmp_path / part, {"a": count, "b": count})
    data = loaded(tmp_path)
    counts = {part: sum(each.values()) for part, each in data.card.counts.items()}
    assert counts == {"train": 10, "validation": 4, "test": 6}


def test_a_class_may_be_called_train(tmp_path):
    data = loaded(folder_of(tmp_path, {"car": 6, "train": 6}))
    assert data.classes == ("car", "train")


def test_a_class_holds_the_pictures_in_folders_inside_it(tmp_path):
    folder_of(tmp_path / "cats", {"2019": 4, "2020": 4})
    folder_of(tmp_path / "dogs", {"a/b/c": 5})
    data = loaded(tmp_path)
    assert data.classes == ("cats", "dogs")
    assert sum(map(len, (data.train[1], data.validation[1], data.test[1]))) == 13


def test_grey_pictures_stay_grey_and_one_in_colour_makes_all_so(tmp_path):
    folder_of(tmp_path, {"a": 4, "b": 4}, mode="L")
    put(tmp_path / "b" / "grey.png", 50, "L")
    with Image.open(tmp_path / "b" / "grey.png") as picture:
        picture.convert("RGB").save(tmp_path / "b" / "the same in RGB.png")
    assert loaded(tmp_path).shape == (28, 28, 1)
    put(tmp_path / "a" / "c.png", 51)
    assert loaded(tmp_path).shape == (28, 28, 3)


def test_pictures_of_mixed_sizes_become_squares_of_the_size_that_is_asked(tmp_path):
    for i in range(8):
        put(tmp_path / "ab"[i % 2] / f"{i}.png", i, size=(5 + 9 * i, 60 - 7 * i))
    assert loaded(tmp_path, size=24).shape == (24, 24, 3)


def test_broken_files_are_named_counted_and_skipped(tmp_path, capsys):
    folder_of(tmp_path, {"a": 6, "b": 6})
    for name in ("a/empty.png", "b/text.jpg"):
        (tmp_path / name).write_bytes(b"" if "empty" in name else b"hello")
    (tmp_path / "a" / ".hidden.png").write_bytes(b"junk")
    (tmp_path / "a" / "notes.txt").write_text("junk")
    data = loaded(tmp_path)
    assert sum(map(len, (data.train[1], data.validation[1], data.test[1]))) == 12
    errors = capsys.readouterr().err
    assert "broken files are left out: 2" in errors
    assert "empty.png" in errors
    assert "text.jpg" in errors
    assert len(data.card.broken) == 2


def test_copies_stay_in_one_part_and_those_across_parts_are_told(tmp_path, capsys):
    folder_of(tmp_path / "photos", {"a": 20, "b": 20})
    for i in range(20):
        content = (tmp_path / f"photos/a/{i}.png").read_bytes()
        (tmp_path / f"photos/a/copy {i}.png").write_bytes(content)
    data = loaded(tmp_path / "photos")
    rows = {
        part: {row.tobytes() for row in getattr(data, part)[0]}
        for part in ("train", "validation", "test")
    }
    assert not rows["train"] & (rows["test"] | rows["validation"])
    assert "copies of others, in the same part: 20" in capsys.readouterr().err

    folder_of(tmp_path / "parts/train", {"a": 5, "b": 5})
    folder_of(tmp_path / "parts/test", {"a": 5, "b": 5})
    loaded(tmp_path / "parts")
    errors = capsys.readouterr().err
    # A pair of the training part went to the validation part.
    assert "pictures of the test part that are also in the training part: 8" in errors


def test_imbalance_is_told_and_can_be_evened_out(tmp_path, capsys):
    loaded(folder_of(tmp_path, {"many": 30, "few": 6}))
    assert "--class-weight balanced" in capsys.readouterr().err
    y = np.array([0] * 6 + [1] * 2)
    assert balanced_weights(y) == pytest.approx({0: 8 / 12, 1: 2.0})
    assert balanced_weights(np.eye(3)[y]) == pytest.approx({0: 8 / 12, 1: 2.0})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "no sub-folders with pictures"),
        ({"only": 6}, "has one class, 'only', expected at least 2"),
        ({"a": 1, "b": 1}, "too few pictures"),
        ({"photos/a": 4, "photos/b": 4}, "if the sub-folders of that one are"),
        ({"train/a": 4, "train/b": 4, "test/c": 4}, "has the class 'c'"),
        ({"train/a": 4, "val/a": 4, "valid/a": 4}, "are both the part validation"),
    ],
    ids=["empty", "one class", "two images", "wrapped", "new class", "two parts"],
)
def test_a_folder_that_can_not_teach_is_refused_with_one_line(
    counts, message, tmp_path, capsys
):
    folder_of(tmp_path, counts)
    assert message in refused(tmp_path, capsys)


def test_a_file_and_a_missing_path_are_refused_with_one_line(tmp_path, capsys):
    put(tmp_path / "a.png", 0)
    assert "expected a folder" in refused(tmp_path / "a.png", capsys)
    assert "no such file or folder" in refused(tmp_path / "nothing", capsys)
    assert "--image-size got 9" in refused(tmp_path, capsys, size=9, smallest=22)
    assert "a multiple of 4" in refused(tmp_path, capsys, size=30, multiple=4)


def test_a_folder_of_broken_pictures_is_refused_with_one_line(tmp_path, capsys):
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(5):
            (tmp_path / name / f"{i}.png").write_bytes(b"hello")
    assert "could not be read" in refused(tmp_path, capsys)


def test_a_path_wins_against_the_name_of_a_data_set_and_says_so(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert not names_files("mnist")
    assert not names_files("imagenet_resized/8x8")
    folder_of(tmp_path / "mnist", {"a": 4, "b": 4})
    assert names_files("mnist")
    data = load_images("mnist", "mnist")
    assert data.name == "./mnist"  # which no expected figure belongs to
    assert "not the data set of that name" in capsys.readouterr().err
    for path in ("./nothing", "~/nothing", "nothing/", "reviews.csv", "a.txt,b.txt"):
        assert names_files(path), path


def test_names_that_only_a_disk_allows(tmp_path):
    root = tmp_path / "日本 [x] {y} %s \n 'quoted'"
    folder_of(root, {"ü\u0301 ☃": 4, "-dash": 4})
    data = loaded(root)
    assert set(data.classes) == {"ü\u0301 ☃", "-dash"}
    assert len(picture_files(root)) == 8


# Streams


def test_a_stream_gives_the_rows_that_an_array_holds(tmp_path, monkeypatch):
    root = folder_of(tmp_path, {"a": 20, "b": 20})
    (root / "a" / "broken.png").write_bytes(b"hello")
    whole = loaded(root)
    monkeypatch.setattr(image_folder, "IN_MEMORY", 1000)
    stream, y = loaded(root).train
    assert isinstance(stream, reading.Stream)
    x = whole.train[0]
    assert (stream.shape, stream.ndim, stream.dtype) == (x.shape, x.ndim, x.dtype)
    for rows in (slice(None), slice(2, 9, 3), [5, 1, 1], x[:, 0, 0, 0] > 99, -1):
        np.testing.assert_array_equal(stream[rows], x[rows])
    both = [Batches(part, y, 4, seed=3) for part in (stream, x)]
    for batches in both:
        batches.start_epoch(2, first=1)
    for i in range(len(both[0])):
        for ours, theirs in zip(both[0][i], both[1][i]):
            np.testing.assert_array_equal(ours, theirs)


def test_what_needs_a_whole_stream_is_refused_with_one_line(
    tmp_path, monkeypatch, capsys
):
    root = folder_of(tmp_path, {"a": 20, "b": 20})
    monkeypatch.setattr(image_folder, "IN_MEMORY", 1000)
    stream, _ = loaded(root).train
    monkeypatch.setattr(reading, "IN_MEMORY", 10_000)
    for use in (lambda: stream.astype("float32"), lambda: np.concatenate([stream])):
        with pytest.raises(SystemExit):
            use()
        assert "give a smaller --image-size" in capsys.readouterr().err


# The card, and a run


class Folder:
    def __init__(self, path):
        self.path = path

    def write(self, name, save):
        save(self.path / name)


def test_the_card_holds_counts_and_notes_and_draws_examples(tmp_path, capsys):
    root = folder_of(tmp_path / "photos", {"a": 10, "b ü": 40})
    (root / "empty").mkdir()
    (root / "stray.png").write_bytes((root / "a/0.png").read_bytes())
    write_card(loaded(root), Folder(tmp_path))
    card = json.loads((tmp_path / "data_card.json").read_text())
    assert card["source"] == str(root)
    assert sum(card["counts"]["train"].values()) == 37
    assert any("differ in size" in note for note in card["notes"])
    said = capsys.readouterr().err
    for sentence in (
        "pictures outside of any class are left out: 1, such as stray.png",
        "sub-folders without pictures are no classes: empty",
    ):
        assert said.count(sentence) == card["notes"].count(sentence) == 1
    with Image.open(tmp_path / "data.png") as picture:
        assert picture.width > 300


@pytest.mark.slow
def test_a_recipe_learns_the_same_from_a_stream_as_from_arrays(tmp_path, monkeypatch):
    """Red and blue squares are told apart, though the blue ones are rare."""
    monkeypatch.chdir(tmp_path)
    for k, (name, count) in enumerate({"red": 60, "blue": 20}.items()):
        for i in range(count):
            noise = np.random.default_rng([k, i]).integers(0, 99, (9, 9, 3), "uint8")
            noise[..., 2 * k] += 150
            path = Path("photos", name, f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).save(path)
    config = mnist_mlp.Config(
        data="photos",
        epochs=3,
        batch_size=8,
        units=16,
        image_size=12,
        class_weight="balanced",
    )
    kinds, weights = [], []
    for bound in (reading.IN_MEMORY, 1000):
        monkeypatch.setattr(image_folder, "IN_MEMORY", bound)
        kinds.append(type(load_images("photos", "mnist", size=12).train[0]))
        run = mnist_mlp.main(config)
        assert run.figures["test accuracy"] == 1
        metrics = json.loads((run.folder / "metrics.json").read_text())
        assert metrics["data"] == "./photos"
        assert (run.folder / "data_card.json").exists()
        weights.append(metrics["weights"])
    assert kinds == [np.ndarray, reading.Stream]
    assert weights[0] == weights[1]
    unweighted = mnist_mlp.main(replace(config, class_weight="none"))
    metrics = json.loads((unweighted.folder / "metrics.json").read_text())
    assert metrics["weights"] != weights[0]
