"""Style transfer: its formulas, its layers, its pictures, what it refuses."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook.command_line import parse
from cookbook.data.images import load_images
from cookbook.data.pictures import load_pair, tinted
from cookbook.reports.generated.style_transfer import (
    feature_layers,
    measure,
    pixels_of,
    resized,
)
from cookbook.trained import backbones
from cookbook.trained import load as trained
from cookbook.trained.load import kept_network
from custom_layers.losses import pixel_differences
from recipes import mnist_cnn, style_transfer
from recipes.style_transfer import Config, build, content_and_style, targets_of

pytestmark = pytest.mark.slow  # trains networks


def test_the_layers_in_vgg19_are_those_of_the_paper():
    network = keras.applications.VGG19(
        include_top=False, weights=None, input_shape=(64, 64, 3)
    )
    content, style = feature_layers(network)
    assert content.name == "block4_conv2"
    assert [layer.name for layer in style] == [f"block{i}_conv1" for i in range(1, 6)]


@pytest.fixture
def pair():
    return load_pair("china", "flower", 80, "random")


@pytest.fixture
def look(pair):
    data = tinted(load_images("digits", "digits"))
    network = mnist_cnn.build(mnist_cnn.Config(filters=4), data)
    return content_and_style(resized(network, pair.content.shape))


def test_a_network_for_another_size_has_the_same_features():
    data = tinted(load_images("digits", "digits"))
    network = mnist_cnn.build(mnist_cnn.Config(filters=4), data)
    other = resized(network, (40, 28, 3))
    x = data.train[0][:4]
    tall = np.concatenate([x, x], 1)[:, :40]
    first = [
        next(e for e in model.layers if type(e).__name__ == "MaxPooling2D")
        for model in (network, other)
    ]
    small, large = (
        keras.Model(model.inputs[0], layer.output)
        for model, layer in zip((network, other), first)
    )
    wanted = np.array(small(x.astype("float32"), training=False))
    got = np.array(large(tall.astype("float32"), training=True))  # but no random change
    np.testing.assert_allclose(got[:, :12], wanted[:, :12], atol=1e-5)


def test_the_picture_starts_as_the_content_and_only_its_pixels_learn(pair, look):
    aimed = pair.towards(targets_of(look, pair), steps=3)
    model = build(Config(steps=3), aimed, look)
    (pixels,) = model.trainable_variables
    assert pixels.shape == (1, pair.content.size)
    apart = pixels_of(model) / 255 - pair.content
    assert np.abs(apart).max() < 0.013  # 0.01 from black and white, 1 / 510 rounded
    before = [w.copy() for w in look.get_weights()]
    first, *_, last = (
        model.fit(*aimed.train, batch_size=1, verbose=0).history["loss"][0]
        for _ in range(5)
    )
    assert last < first
    for old, new in zip(before, look.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_the_loss_is_the_sum_of_relative_errors_in_the_docstring(pair, look):
    aimed = pair.towards(targets_of(look, pair), steps=1)
    config = Config(content_weight=2, style_weight=3, smoothness=5)
    model = build(config, aimed, look)
    x, y = aimed.train
    got = model.evaluate(x, y, batch_size=1, verbose=0, return_dict=True)
    layers = keras.Model(model.inputs[0], model.get_layer("picture").output)
    F, *G = map(np.array, look(layers(x)))
    P = np.array(look(pair.content[None])[0])
    A = [np.array(v) for v in look(pair.style[None])[1:]]
    content = np.sum((F - P) ** 2) / np.sum(P**2)
    style = np.mean([np.sum((g - a) ** 2) / np.sum(a**2) for g, a in zip(G, A)])
    rough = np.mean(np.array(pixel_differences(np.array(layers(x)))) ** 2)
    assert got["loss"] == pytest.approx(2 * content + 3 * style + 5 * rough, rel=1e-4)


def test_the_content_has_its_content_and_the_style_its_style(pair, look):
    of_content = measure(look, pair.content, pair)
    assert of_content["content distance"] == 0
    assert of_content["content correlation"] == pytest.approx(1)
    assert of_content["style loss"] > 0.01
    of_style = measure(look, pair.style, pair)
    assert of_style["style loss"] == 0
    assert of_style["content distance"] > 0.1


def refusal(capsys, call, *arguments):
    """The one line in which a call refuses."""
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def save(path, width, height, **more):
    Image.fromarray(np.zeros((height, width, 3), "uint8")).save(path, **more)
    return str(path)


def test_pictures_that_can_not_be_used_are_refused_in_one_line(tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    whole = (tmp_path / save(tmp_path / "whole.png", 300, 300)).read_bytes()
    half = tmp_path / "half.png"
    half.write_bytes(whole[: len(whole) // 2])
    for bad in (tmp_path / "missing.png", tmp_path, text, half):
        for flags in ((str(bad), "flower"), ("china", str(bad))):
            line = refusal(capsys, load_pair, *flags, 64, "x")
            assert "which is no readable picture" in line
            assert str(bad) in line
            assert ("--content", "--style")[flags[0] == "china"] in line
    small = save(tmp_path / "small.png", 200, 40)
    assert "200 x 40 pixels" in refusal(capsys, load_pair, "china", small, 64, "x")
    oblong = save(tmp_path / "oblong.png", 500, 50)
    line = refusal(capsys, load_pair, oblong, "flower", 100, "x")
    assert "100 x 10 at --size 100, expected at least 48 a side" in line


def test_the_style_fills_the_contents_frame_undistorted(tmp_path):
    half = np.zeros((100, 400, 3), "uint8")
    half[:, 200:] = 255
    Image.fromarray(half).save(tmp_path / "style.png")
    content = save(tmp_path / "content.png", 80, 120)
    pair = load_pair(content, str(tmp_path / "style.png"), 90, "x")
    assert pair.content.shape == pair.style.shape == (90, 60, 3)
    assert pair.style[:, :25].max() == 0
    assert pair.style[:, 35:].min() == 1


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    turned = save(tmp_path / "turned.jpg", 120, 80, exif=exif)
    assert load_pair(turned, "flower", 90, "x").content.shape == (90, 60, 3)


def test_tinted_images_keep_their_shapes_in_two_colours():
    images = load_images("digits", "digits")
    colour = tinted(images)
    assert colour.shape == (28, 28, 3)
    for name in ("train", "validation", "test"):
        (grey, y), (x, same) = getattr(images, name), getattr(colour, name)
        assert y is same
        ground = x[:, :1, :1]
        np.testing.assert_array_equal((x != ground).any(-1) & (grey[..., 0] == 0), 0)
    assert len(np.unique(colour.train[0][:, 0, 0], axis=0)) > 1000
    assert tinted(colour) is colour


def test_a_kept_network_learns_once(tmp_path, monkeypatch):
    calls = []

    def learn(network, *_):
        calls.append(network)
        network.optimizer.build(network.trainable_variables)

    monkeypatch.setattr(trained, "train", learn)
    images = load_images("digits", "digits")
    config = Config(run_dir=tmp_path)
    networks, next_names = [], []
    for _ in "12":
        keras.backend.clear_session(free_memory=False)  # as a process begins
        networks.append(kept_network(mnist_cnn, images, config, 1))
        next_names.append([keras.layers.Dense(1).name, keras.Input((1,)).name])
    assert len(calls) == 1
    for network in networks:
        for one, two in zip(calls[0].get_weights(), network.get_weights()):
            np.testing.assert_array_equal(one, two)
    # What is built next has the same names, and so TensorFlow the same last bits.
    assert next_names[0] == next_names[1]


def transfer(folder, *arguments):
    """(metrics, run folder) of the recipe with --quick, cut to two epochs."""
    flags = ["--quick", "--run-dir", str(folder), "--epochs", "2", "--steps", "2"]
    style_transfer.main(parse(Config, [*flags, *arguments]))
    (path,) = folder.glob("style_transfer/*/")
    return json.loads((path / "metrics.json").read_text()), path


@pytest.mark.slow
def test_a_backbone_with_a_file_of_weights_and_pictures_of_the_user(tmp_path):
    shape = 96, 64, 3
    file = str(tmp_path / "own.weights.h5")
    keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=shape
    ).save_weights(file)
    content = tmp_path / "content.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, shape, "uint8")).save(content)
    flags = ["--backbone", "MobileNetV2", "--weights", file, "--content", str(content)]
    metrics, path = transfer(tmp_path, *flags)
    assert metrics["data"] == "MobileNetV2"
    assert list(metrics["features"]) == ["MobileNetV2"]
    with Image.open(path / "result.png") as result:
        assert result.size == (64, 96)
    for name in ("side_by_side.png", "training.gif", "curves.png", "picture_002.png"):
        assert (path / name).stat().st_size > 0
    load = f"keras.models.load_model({str(path / 'model.keras')!r})"
    code = f"import custom_layers, keras; {load}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_weights_that_can_not_be_had_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(backbones, "network_answers", lambda: False)
    line = refusal(capsys, transfer, tmp_path, "--backbone", "VGG19")
    assert "--weights imagenet of VGG19 are not on this machine" in line
