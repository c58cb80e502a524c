"""Pictures of what a convolutional network looks at: filters, maps, Grad-CAM."""

from collections.abc import Sequence

import keras
import numpy as np
from matplotlib import colormaps

from cookbook.plots.figures import Folder
from cookbook.plots.mistakes import worst_mistakes
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
    opened = network_to_explain(model)
    if opened is None:
        return
    copy, layers = opened
    first = next(layer for layer in copy.layers if _is_convolution(layer))
    kernel = keras.ops.convert_to_numpy(first.kernel)
    draw_filters(kernel, run)
    first_class = classes[y[0]]
    draw_feature_maps(copy, layers, x[0], first_class, run)

    worst = worst_mistakes(y, probabilities, COLUMNS)
    if len(worst):
        said = probabilities.argmax(-1)[worst]
        true = y[worst]
        draw_grad_cam(copy, layers, x[worst], said, true, classes, run)


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


def draw_filters(kernel: np.ndarray, run: Folder, most: int = 64) -> None:
    """filters.png: the first layer's weights; each filter has a scale of its own."""
    filters = kernel[..., :most]
    filters = np.moveaxis(filters, -1, 0)  # F, H, W, C
    if filters.shape[-1] not in (1, 3):
        filters = filters.mean(-1, keepdims=True)
    # 0.5 stands for a weight of 0; each filter's largest weight becomes 0 or 1.
    largest = np.abs(filters).max((1, 2, 3), keepdims=True)
    scale = np.maximum(2 * largest, TINY)
    shades = 0.5 + filters / scale
    if shades.shape[-1] == 1:
        shades = _coloured(shades[..., 0], "PuOr")
        key = "purple > 0, orange < 0"
    else:
        key = "grey is 0"
    count = len(shades)
    starts = range(0, count, COLUMNS)
    rows = [shades[i : i + COLUMNS] for i in starts]
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
    outputs = {}  # the last layer of each resolution
    for layer in layers:
        resolution = layer.output.shape[1:3]
        outputs[resolution] = layer.output

    x = image[None]  # a batch of one
    look = keras.Model(model.inputs[0], [*outputs.values()])
    maps = look(x.astype("float32"))
    rows = [_colours(x)]
    labels = ["image"]
    for A in keras.tree.flatten(maps):
        A = keras.ops.convert_to_numpy(A)[0].astype("float32")
        rows.append(_strongest_channels(A))
        height, width, _ = A.shape
        labels.append(f"{height} x {width}")
    title = f"Strongest feature maps of an image of {name} (yellow is large)"
    draw_picture_table(rows, title, run, "feature_maps", labels=labels)


def _strongest_channels(A: np.ndarray) -> np.ndarray:
    """The channels with the largest values, as RGB (K, H, W, 3); A is (H, W, C)."""
    channels = np.moveaxis(A, -1, 0)  # C, H, W
    largest = channels.max((1, 2))
    strongest = np.argsort(-largest)[:COLUMNS]
    channels = channels[strongest]
    low = channels.min()
    contrast = max(channels.max() - low, TINY)
    return _coloured((channels - low) / contrast, "viridis")


def _coloured(shades: np.ndarray, name: str) -> np.ndarray:
    """Numbers from 0 to 1 as RGB, by matplotlib's colour map of this name."""
    return colormaps[name](shades)[..., :3]


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
    images = _colours(x)
    rows = [images]
    for answer in (said, true):
        heat = evidence_for(model, layers, x, answer.tolist())
        rows.append(with_heat(images, heat))
    columns = []
    for i, j in zip(said, true):
        answer = classes[i]
        truth = classes[j]
        columns.append(f"{answer}\nnot {truth}")
    title = "Grad-CAM of the surest mistakes: bright places spoke for the class"
    labels = ["image", "for the answer", "for the truth"]
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
    heat = keras.ops.image.resize(heat[..., None], x.shape[1:3])
    return keras.ops.convert_to_numpy(heat)[..., 0]


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


def _colours(images: np.ndarray) -> np.ndarray:
    """uint8 images of any channels as RGB from 0 to 1; one channel is ink on white."""
    images = images / 255.0
    if images.shape[-1] == 3:
        return images
    grey = 1 - images.mean(-1, keepdims=True)
    return np.repeat(grey, 3, axis=-1)
