"""What a convolutional network looks at: filters, feature maps, Grad-CAM."""

import keras
import numpy as np
from matplotlib import colormaps

from cookbook.plots.figures import panel, save_figure
from custom_layers.explanation import grad_cam

SMALLEST = 3  # pixels on a side that a feature map needs to show where something is
CELL = 96  # pixels on a side of each small picture in a table of them
COLUMNS = 8


def explain_network(model, x, y, probabilities, classes, run):
    """filters.png, feature_maps.png, grad_cam.png; nothing without convolutions.

    model: Sequential or Functional, logits from images; x, y: test images and labels,
    of which the first gives the feature maps and the surest mistakes the Grad-CAM.
    """
    is_graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    if not is_graph or not any(map(_is_convolution, model.layers)):
        return
    copy = keras.models.clone_model(model)  # a layer of two models has two outputs
    copy.set_weights(model.get_weights())
    layers = _feature_layers(copy)
    draw_filters(next(filter(_is_convolution, copy.layers)).kernel.numpy(), run)
    draw_feature_maps(copy, layers, x[0], classes[y[0]], run)
    answers, confidence = probabilities.argmax(-1), probabilities.max(-1)
    wrong = np.flatnonzero(answers != y)
    worst = wrong[np.argsort(-confidence[wrong])][:COLUMNS]
    if len(worst):
        said, true = answers[worst], y[worst]
        draw_grad_cam(copy, layers, x[worst], said, true, classes, run)


def draw_filters(kernel, run, most=64):
    """filters.png: the first layer's weights; each filter has a scale of its own."""
    kernel = np.moveaxis(kernel[..., :most], -1, 0)  # F, H, W, C
    if kernel.shape[-1] not in (1, 3):
        kernel = kernel.mean(-1, keepdims=True)
    largest = np.abs(kernel).max((1, 2, 3), keepdims=True)
    shades = 0.5 + kernel / np.maximum(2 * largest, 1e-12)
    if shades.shape[-1] == 1:
        shades = colormaps["PuOr"](shades[..., 0])[..., :3]
    count = len(shades)
    rows = [shades[i : i + COLUMNS] for i in range(0, count, COLUMNS)]
    key = "grey is 0" if kernel.shape[-1] == 3 else "purple > 0, orange < 0"
    _draw_table(rows, f"The first layer's {count} filters ({key})", run, "filters")


def draw_feature_maps(model, layers, image, name, run):
    """feature_maps.png: of one image, the strongest channels at every resolution."""
    last = {layer.output.shape[1:3]: layer for layer in layers}
    outputs = [layer.output for layer in last.values()]
    maps = keras.Model(model.inputs[0], outputs)(image[None].astype("float32"))
    rows = [_colours(image[None])]
    for A in keras.tree.flatten(maps):
        A = np.moveaxis(np.array(A, "float32")[0], -1, 0)  # C, H, W
        A = A[np.argsort(-A.max((1, 2)))][:COLUMNS]
        low, high = A.min(), A.max()
        rows.append(colormaps["viridis"]((A - low) / max(high - low, 1e-12))[..., :3])
    sides = [f"{row.shape[1]} x {row.shape[2]}" for row in rows]
    title = f"Strongest feature maps of an image of {name} (yellow is large)"
    _draw_table(rows, title, run, "feature_maps", labels=["image", *sides[1:]])


def draw_grad_cam(model, layers, x, said, true, classes, run):
    """grad_cam.png: what spoke for the wrong answer, what for the true one."""
    layer = next((e for e in layers[::-1] if min(e.output.shape[1:3]) >= SMALLEST), 0)
    rows = [_colours(x)]
    for answer in (said, true):
        heat = grad_cam(model, layer or layers[-1], x, answer)
        heat = heat / np.maximum(heat.max((1, 2), keepdims=True), 1e-12)
        heat = keras.ops.image.resize(heat[..., None], x.shape[1:3])[..., 0]
        warm = colormaps["inferno"](np.array(heat))[..., :3]
        rows.append(0.35 * rows[0].mean(-1, keepdims=True) + 0.65 * warm)
    columns = [f"{classes[i]}\nnot {classes[j]}" for i, j in zip(said, true)]
    title = "Grad-CAM of the surest mistakes: bright places spoke for the class"
    labels = ["image", "for the answer", "for the truth"]
    _draw_table(rows, title, run, "grad_cam", labels=labels, columns=columns)


def _feature_layers(model):
    """Layers that make feature maps (B, H, W, C), from the first convolution on.

    A convolution that others normalize and cut off is not one: its zero means nothing.
    """
    start = next(i for i, layer in enumerate(model.layers) if _is_convolution(layer))
    maps = [layer for layer in model.layers[start:] if len(layer.output.shape) == 4]
    return [layer for layer in maps if not _is_linear(layer)] or maps


def _is_linear(layer):
    activation = getattr(layer, "activation", keras.activations.linear)
    x = keras.ops.full((1, 1), -1.0)
    return _is_convolution(layer) and float(activation(x)[0, 0]) == -1


def _is_convolution(layer):
    return len(getattr(getattr(layer, "kernel", None), "shape", ())) == 4


def _colours(images):
    """uint8 images of any channels as RGB from 0 to 1; one channel is ink on white."""
    images = images / 255.0
    if images.shape[-1] == 3:
        return images
    return np.repeat(1 - images.mean(-1, keepdims=True), 3, -1)


def _draw_table(rows, title, run, name, labels=(), columns=()):
    """name.png: rows of RGB pictures, (N, H, W, 3) each, in cells of one size."""
    step = CELL + 4
    across = COLUMNS
    table = np.ones((step * len(rows), step * across, 3))
    for i, row in enumerate(rows):
        down, right = (np.arange(CELL) * n // CELL for n in row.shape[1:3])
        for j, picture in enumerate(row):
            cell = picture[down][:, right]
            table[step * i :, step * j :][:CELL, :CELL] = cell
    figure, axes = panel(title, "", "", (0.9 * across + 1.5, 0.9 * len(rows) + 0.9))
    axes.imshow(table)
    centres = CELL / 2 + step * np.arange(max(len(rows), across))
    axes.set_yticks(centres[: len(labels)], labels)
    axes.set_xticks(centres[: len(columns)], columns, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save_figure(figure, run, f"{name}.png")
