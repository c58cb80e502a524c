"""Pictures of what a convolutional network looks at: filters, maps, Grad-CAM."""

from collections.abc import Sequence

import keras
import numpy as np
from matplotlib import colormaps

from cookbook.plots.figures import Folder
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

    The first image gives the feature maps, the most confident mistakes the Grad-CAM. A
    network without convolutions gives no picture.

    Args:
        model: a Sequential or functional model from images to logits.
        x: test images.
        y: their labels.
        probabilities: what the model predicts for them.
        classes: name of each label.
        run: the folder that the pictures go into.
    """
    is_graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    if not is_graph or not any(map(_is_convolution, model.layers)):
        return
    copy = keras.models.clone_model(model)  # a layer of two models has two outputs
    copy.set_weights(model.get_weights())
    layers = _feature_layers(copy)
    first = next(filter(_is_convolution, copy.layers))
    draw_filters(keras.ops.convert_to_numpy(first.kernel), run)
    draw_feature_maps(copy, layers, x[0], classes[y[0]], run)
    answers = probabilities.argmax(-1)
    confidence = probabilities.max(-1)
    wrong = np.flatnonzero(answers != y)
    worst = wrong[np.argsort(-confidence[wrong])][:COLUMNS]
    if len(worst):
        draw_grad_cam(copy, layers, x[worst], answers[worst], y[worst], classes, run)


def draw_filters(kernel: np.ndarray, run: Folder, most: int = 64) -> None:
    """filters.png: the first layer's weights; each filter has a scale of its own."""
    filters = np.moveaxis(kernel[..., :most], -1, 0)  # F, H, W, C
    if filters.shape[-1] not in (1, 3):
        filters = filters.mean(-1, keepdims=True)
    largest = np.abs(filters).max((1, 2, 3), keepdims=True)
    shades = 0.5 + filters / np.maximum(2 * largest, TINY)
    if shades.shape[-1] == 1:
        shades = colormaps["PuOr"](shades[..., 0])[..., :3]
        key = "purple > 0, orange < 0"
    else:
        key = "grey is 0"
    count = len(shades)
    rows = [shades[i : i + COLUMNS] for i in range(0, count, COLUMNS)]
    title = f"The first layer's {count} filters ({key})"
    draw_picture_table(rows, title, run, "filters")


def draw_feature_maps(
    model: keras.Model,
    layers: Sequence[keras.Layer],
    image: np.ndarray,
    name: str,
    run: Folder,
) -> None:
    """feature_maps.png: the strongest channels of one image at every resolution."""
    last = {layer.output.shape[1:3]: layer for layer in layers}
    outputs = [layer.output for layer in last.values()]
    maps = keras.Model(model.inputs[0], outputs)(image[None].astype("float32"))
    rows = [_colours(image[None])]
    labels = ["image"]
    for A in keras.tree.flatten(maps):
        row = _strongest_channels(np.array(A, "float32")[0])
        rows.append(row)
        labels.append(f"{row.shape[1]} x {row.shape[2]}")
    title = f"Strongest feature maps of an image of {name} (yellow is large)"
    draw_picture_table(rows, title, run, "feature_maps", labels=labels)


def _strongest_channels(A: np.ndarray) -> np.ndarray:
    """The channels with the largest values, as RGB (K, H, W, 3); A is (H, W, C)."""
    channels = np.moveaxis(A, -1, 0)  # C, H, W
    strongest = np.argsort(-channels.max((1, 2)))[:COLUMNS]
    channels = channels[strongest]
    low, high = channels.min(), channels.max()
    shades = (channels - low) / max(high - low, TINY)
    return colormaps["viridis"](shades)[..., :3]


def draw_grad_cam(
    model: keras.Model,
    layers: Sequence[keras.Layer],
    x: np.ndarray,
    said: np.ndarray,
    true: np.ndarray,
    classes: Sequence[str],
    run: Folder,
) -> None:
    """grad_cam.png: the places that spoke for the wrong class, and for the true one.

    x are images, `said` the model's answers and `true` the labels.
    """
    layer = _last_with_room(layers)
    images = _colours(x)
    rows = [images]
    for answer in (said, true):
        heat = grad_cam(model, layer, x, answer)
        heat = heat / np.maximum(heat.max((1, 2), keepdims=True), TINY)
        heat = keras.ops.image.resize(heat[..., None], x.shape[1:3])[..., 0]
        warm = colormaps["inferno"](np.array(heat))[..., :3]
        grey = images.mean(-1, keepdims=True)
        rows.append(0.35 * grey + 0.65 * warm)
    columns = [f"{classes[i]}\nnot {classes[j]}" for i, j in zip(said, true)]
    title = "Grad-CAM of the surest mistakes: bright places spoke for the class"
    labels = ["image", "for the answer", "for the truth"]
    draw_picture_table(rows, title, run, "grad_cam", labels=labels, columns=columns)


def _last_with_room(layers: Sequence[keras.Layer]) -> keras.Layer:
    """The last layer with feature maps of SMALLEST pixels per side, or the last one."""
    for layer in reversed(layers):
        if min(layer.output.shape[1:3]) >= SMALLEST:
            return layer
    return layers[-1]


def _feature_layers(model: keras.Model) -> list[keras.Layer]:
    """Layers that make feature maps (B, H, W, C), from the first convolution on.

    A convolution without an activation is left out if possible: a normalization and an
    activation follow it, and its own values mean little before them.
    """
    start = next(i for i, layer in enumerate(model.layers) if _is_convolution(layer))
    maps = [layer for layer in model.layers[start:] if len(layer.output.shape) == 4]
    return [layer for layer in maps if not _is_linear(layer)] or maps


def _is_linear(layer: keras.Layer) -> bool:
    """Whether the layer is a convolution that leaves -1 as it is."""
    if not _is_convolution(layer):
        return False
    activation = getattr(layer, "activation", keras.activations.linear)
    x = keras.ops.full((1, 1), -1.0)
    return float(activation(x)[0, 0]) == -1


def _is_convolution(layer: keras.Layer) -> bool:
    kernel = getattr(layer, "kernel", None)
    return len(getattr(kernel, "shape", ())) == 4


def _colours(images: np.ndarray) -> np.ndarray:
    """uint8 images of any channels as RGB from 0 to 1; one channel is ink on white."""
    images = images / 255.0
    if images.shape[-1] == 3:
        return images
    grey = 1 - images.mean(-1, keepdims=True)
    return np.repeat(grey, 3, axis=-1)
