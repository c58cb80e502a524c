"""Pictures of what a convolutional network looks at: filters, maps, Grad-CAM."""

from collections.abc import Sequence

import keras
import numpy as np
from matplotlib import colormaps

from cookbook.plots.figures import Folder
from cookbook.plots.mistakes import telling_answers
from cookbook.plots.picture_table import COLUMNS, draw_picture_table
from custom_layers.explanation import grad_cam

SMALLEST = 3  # pixels per side that a feature map needs to show where something is
TINY = 1e-12  # keeps a picture without any contrast from dividing by 0


def explain_network(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    run: Folder,
) -> None:
    """filters.png, feature_maps.png and grad_cam.png of a network with convolutions.

    Filters and feature maps answer to the first image, Grad-CAM explains the surest
    mistakes and the least sure right answers. A network without convolutions gives no
    picture.

    Args:
        model: a Sequential or functional model from images to logits.
        x: test images.
        y: their labels.
        probabilities: what the model predicts for them.
        classes: name of each label.
        run: the folder that the pictures go into.
    """
    opened = network_to_explain(model)
    if opened is None:
        return
    copy, layers = opened
    first = x[:1]
    name = classes[y[0]]
    draw_filters(copy, first, name, run)
    draw_feature_maps(copy, layers, first, name, run)

    wrong, right = telling_answers(y, probabilities, COLUMNS)
    chosen = np.concatenate([wrong, right])
    answers = probabilities[chosen].argsort(-1)
    true = y[chosen]
    draw_grad_cam(
        copy,
        layers,
        x[chosen],
        answers,
        true,
        classes,
        run,
    )


def network_to_explain(
    model: keras.Model,
) -> tuple[keras.Model, list[keras.Layer]] | None:
    """(copy of a model, its layers that make feature maps); None without convolutions.

    A layer that two models share has two outputs, and those of a copy have one.
    """
    if not _is_graph(model) or not any(map(_is_convolution, model.layers)):
        return None
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy, _feature_layers(copy)


def _is_graph(model: keras.Model) -> bool:
    """Whether the model is Sequential or functional."""
    return isinstance(model, keras.Sequential) or hasattr(model, "operations")


def draw_filters(
    model: keras.Model, x: np.ndarray, name: str, run: Folder, most: int = 32
) -> None:
    """filters.png: the first layer's filters, and below each what it finds in an image.

    Each filter has a scale of its own, and so has what it finds. Of more than `most`
    filters, those are drawn that find most.

    Args:
        model: a copy that `network_to_explain` made.
        x: the image, (1, H, W, C).
        name: what it shows.
        run: the folder that the picture goes into.
        most: filters that the picture has room for.
    """
    layer = next(layer for layer in model.layers if _is_convolution(layer))
    filters = keras.ops.convert_to_numpy(layer.kernel)
    filters = np.moveaxis(filters, -1, 0)  # F, H, W, C
    found = found_by_filters(model, layer, x)  # F, H, W

    strength = np.abs(found).max((1, 2))
    order = np.argsort(-strength, kind="stable")
    chosen = np.sort(order[:most])
    weights = _signed_shades(filters[chosen])
    found = found[chosen]
    answers = _signed_shades(found[..., None])
    rows, labels = [], []
    count = len(chosen)
    for start in range(0, count, COLUMNS):
        part = slice(start, start + COLUMNS)
        rows.append(weights[part])
        rows.append(answers[part])
        labels += ["filter", "finds"]

    said = f"{count}"
    if count < len(filters):
        said = f"{count} of {len(filters)}"
    title = f"What {said} filters find in an image of {name} (purple > 0, orange < 0)"
    draw_picture_table(rows, title, run, "filters", labels=labels)


def found_by_filters(
    model: keras.Model, layer: keras.Layer, x: np.ndarray
) -> np.ndarray:
    """The sums of each filter of a layer over an image, (F, H, W), without the bias.

    A layer that has other channels than its filters, as one with groups has, is asked
    for its own answers instead.
    """
    look = keras.Model(model.inputs[0], [layer.input, layer.output])
    before, after = look(x.astype("float32"))
    kernel = layer.kernel
    *_, inputs, count = kernel.shape
    *_, before_channels = before.shape
    *_, after_channels = after.shape
    channels = before_channels, after_channels
    if channels == (inputs, count):
        kernel = keras.ops.cast(kernel, before.dtype)
        after = keras.ops.conv(before, kernel, padding="same")
    found = keras.ops.convert_to_numpy(after)
    found = found[0].astype("float32")
    found = np.moveaxis(found, -1, 0)  # F, H, W
    return found[:count]


def _signed_shades(A: np.ndarray) -> np.ndarray:
    """Arrays (N, H, W, C) as RGB: purple above 0, orange below, or colours around grey.

    Each of the N has a scale of its own: its largest number becomes 0 or 1.
    """
    if A.shape[-1] not in (1, 3):
        A = A.mean(-1, keepdims=True)
    largest = np.abs(A).max((1, 2, 3), keepdims=True)
    shades = 0.5 + A / np.maximum(2 * largest, TINY)
    if shades.shape[-1] == 3:
        return shades
    return _coloured(shades[..., 0], "PuOr")


def draw_feature_maps(
    model: keras.Model,
    layers: Sequence[keras.Layer],
    x: np.ndarray,
    name: str,
    run: Folder,
) -> None:
    """feature_maps.png: where the strongest channels of each resolution answer.

    Maps of fewer than SMALLEST pixels per side say nothing about places. They are left
    out unless there are no others.

    Args:
        model, layers: what `network_to_explain` returns.
        x: the image, (1, H, W, C).
        name: what it shows.
        run: the folder that the picture goes into.
    """
    outputs = {}  # the last layer of each resolution
    for layer in layers:
        resolution = layer.output.shape[1:3]
        outputs[resolution] = layer.output
    large = {}
    for resolution, output in outputs.items():
        if min(resolution) >= SMALLEST:
            large[resolution] = output
    shown = large or outputs

    look = keras.Model(model.inputs[0], [*shown.values()])
    maps = look(x.astype("float32"))
    image = coloured_images(x)
    rows, labels = [], []
    for A in keras.tree.flatten(maps):
        A = keras.ops.convert_to_numpy(A)
        A = A[0].astype("float32")
        strongest = _strongest_channels(A)
        heat = _enlarged(strongest, x.shape[1:3])
        rows.append(with_heat(image, heat))
        height, width, _ = A.shape
        labels.append(f"{height} x {width}")
    title = f"Where the strongest channels answer to an image of {name}, layer by layer"
    draw_picture_table(rows, title, run, "feature_maps", labels=labels)


def _strongest_channels(A: np.ndarray) -> np.ndarray:
    """The channels with the largest values, (K, H, W) from 0 to 1; A is (H, W, C)."""
    channels = np.moveaxis(A, -1, 0)  # C, H, W
    largest = channels.max((1, 2))
    strongest = np.argsort(-largest)[:COLUMNS]
    channels = channels[strongest]
    low = channels.min()
    contrast = max(channels.max() - low, TINY)
    return (channels - low) / contrast


def _coloured(shades: np.ndarray, name: str) -> np.ndarray:
    """Numbers from 0 to 1 as RGB, by matplotlib's colour map of this name."""
    return colormaps[name](shades)[..., :3]


def draw_grad_cam(
    model: keras.Model,
    layers: Sequence[keras.Layer],
    x: np.ndarray,
    answers: np.ndarray,
    true: np.ndarray,
    classes: Sequence[str],
    run: Folder,
) -> None:
    """grad_cam.png: the places that spoke for the answer, and for its rival.

    The rival is the truth where the answer is wrong, and else the second guess.

    Args:
        model, layers: what `network_to_explain` returns.
        x: images, (N, H, W, C).
        answers: all classes for each image, the most probable one last.
        true: the labels.
        classes: name of each label.
        run: the folder that the picture goes into.
    """
    said = answers[:, -1]
    second = answers[:, -2]
    is_right = said == true
    rivals = np.where(is_right, second, true)
    images = coloured_images(x)
    rows = [images]
    for answer in (said, rivals):
        heat = evidence_for(model, layers, x, answer.tolist())
        rows.append(with_heat(images, heat))
    columns = []
    for i, j, right in zip(said, rivals, is_right):
        judged = "right, not" if right else "wrong, it is"
        answer = classes[i]
        rival = classes[j]
        text = f"{answer}\n{judged}\n{rival}"
        columns.append(text)
    title = "Grad-CAM: bright places spoke for the answer, or for its rival"
    labels = ["image", "for the answer", "for the rival"]
    draw_picture_table(rows, title, run, "grad_cam", labels=labels, columns=columns)


def evidence_for(
    model: keras.Model, layers: Sequence[keras.Layer], x, classes: Sequence[int]
) -> np.ndarray:
    """(N, H, W) from 0 to 1: how much each place of images x speaks for their classes.

    model, layers: what `network_to_explain` returns.
    """
    heat = grad_cam(model, _last_with_room(layers), x, classes)
    # As bright as possible, and as large as the images.
    hottest = heat.max((1, 2), keepdims=True)
    heat = heat / np.maximum(hottest, TINY)
    return _enlarged(heat, x.shape[1:3])


def _enlarged(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps (N, h, w) with as many pixels as an image, (N, H, W), without steps."""
    large = keras.ops.image.resize(heat[..., None], size)
    return keras.ops.convert_to_numpy(large)[..., 0]


def with_heat(images: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """RGB images from 0 to 1 in grey, with the heat (N, H, W) as warm colours."""
    grey = images.mean(-1, keepdims=True)
    return 0.35 * grey + 0.65 * _coloured(heat, "inferno")


def _last_with_room(layers: Sequence[keras.Layer]) -> keras.Layer:
    """The last layer with feature maps of SMALLEST pixels per side, or the last one."""
    for layer in reversed(layers):
        height, width = layer.output.shape[1:3]
        if min(height, width) >= SMALLEST:
            return layer
    return layers[-1]


def _feature_layers(model: keras.Model) -> list[keras.Layer]:
    """Layers that make feature maps (B, H, W, C), from the first convolution on.

    A convolution without an activation is left out if possible: a normalization and an
    activation follow it, and its own values mean little before them.
    """
    maps: list[keras.Layer] = []
    for layer in model.layers:
        has_begun = maps or _is_convolution(layer)
        if has_begun and len(layer.output.shape) == 4:
            maps.append(layer)
    active = [layer for layer in maps if not _is_linear(layer)]
    return active or maps


def _is_linear(layer: keras.Layer) -> bool:
    """Whether the layer is a convolution that leaves -1 as it is."""
    if not _is_convolution(layer):
        return False
    activation = getattr(layer, "activation", keras.activations.linear)
    x = np.full((1, 1), -1.0, "float32")
    y = keras.ops.convert_to_numpy(activation(x))
    return bool(y[0, 0] == -1)


def _is_convolution(layer: keras.Layer) -> bool:
    kernel = getattr(layer, "kernel", None)
    return len(getattr(kernel, "shape", ())) == 4


def coloured_images(images: np.ndarray) -> np.ndarray:
    """uint8 images of any channels as RGB from 0 to 1; one channel is ink on white."""
    images = images / 255.0
    if images.shape[-1] == 3:
        return images
    grey = 1 - images.mean(-1, keepdims=True)
    return np.repeat(grey, 3, axis=-1)
