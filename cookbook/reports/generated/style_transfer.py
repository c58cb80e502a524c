"""Style: where a network sees content and style, how near a picture comes to them."""

import math

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from cookbook.data.pictures import tinted
from cookbook.plots.figures import draw_lines, save_figure
from cookbook.plots.gallery import draw_motion
from cookbook.reports.finish import finish
from cookbook.trained.backbones import load_backbone
from cookbook.trained.load import kept_network
from cookbook.training.train import seed_everything

FALL = "style loss falls by a factor of"
SMALLEST_MAP = 4  # pixels a side of a feature map that still has a texture


def feature_networks(config, images, shape, recipe):
    """{name: network for pictures of `shape`}, those whose features are compared.

    recipe: the module of a classifier, whose network learns the images. Without images
    it is the network of keras.applications that config.backbone names.
    """
    if images is None:
        name = config.backbone
        return {name: load_backbone(name, config.weights, shape, side=1)}
    learned = kept_network(recipe, tinted(images), config, config.network_epochs)
    seed_everything(config.seed)
    random = resized(learned, shape, learned=False)
    return {"own": resized(learned, shape), "random": random}


def feature_layers(network):
    """(content layer, style layers) of a convolutional network.

    Style: the first activation at each resolution, up to five. Content: the activation
    after the last style layer but one. In VGG19 these are the layers of the paper.
    """
    active = [layer for layer in network.layers if _is_activation(layer)]
    first = {}
    for layer in active:
        first.setdefault(layer.output.shape[1:3], layer)
    style = list(first.values())[:5]
    return active[active.index(style[-2]) + 1], style


def _is_activation(layer):
    shape = getattr(layer, "output", keras.KerasTensor(())).shape
    if len(shape) != 4 or min(shape[1:3]) < SMALLEST_MAP:
        return False
    function = getattr(layer, "activation", None)
    return "ReLU" in type(layer).__name__ or (
        function not in (None, keras.activations.linear)
    )


def resized(network, shape, learned=True):
    """The network for pictures of another shape; its weights, or new random ones.

    Without the random changes of its images, which Keras makes in every fit.
    """

    def copied(layer):
        if type(layer).__name__.startswith("Random"):
            return keras.layers.Identity(name=layer.name)
        return type(layer).from_config(layer.get_config())

    images = keras.Input(shape)
    copy = keras.models.clone_model(network, images, clone_function=copied)
    if learned:
        copy.set_weights(network.get_weights())
    return copy


def pixel_differences(picture):
    """What neighbouring pixels differ by, down and across, as one row."""
    down = picture[:, 1:] - picture[:, :-1]
    across = picture[:, :, 1:] - picture[:, :, :-1]
    rows = (ops.reshape(d, (-1, math.prod(d.shape[1:]))) for d in (down, across))
    return ops.concatenate(list(rows), -1)


def pixels_of(model, name="picture"):
    """The picture that a model's layer `name` makes of the number 1, in 256 steps."""
    layers = keras.Model(model.inputs[0], model.get_layer(name).output)
    picture = ops.convert_to_numpy(layers(np.ones((1, 1), "float32")))[0]
    return np.round(255 * picture).astype("uint8")


class PictureAfterEpoch(keras.callbacks.Callback):
    """picture_001.png, ...: the picture after each epoch."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch, logs=None):
        _write(pixels_of(self.model), self.run, f"picture_{epoch + 1:03d}.png")


def recoloured(content, style):
    """The content's pixels, moved and mixed to the style's mean and covariance.

    c' = S C^-1 (c - mean) + mean of the style,   S, C the Cholesky factors of both
    """
    c, s = content.reshape(-1, 3), style.reshape(-1, 3)
    C, S = (np.linalg.cholesky(np.cov(p.T) + 1e-6 * np.eye(3)) for p in (c, s))
    moved = (c - c.mean(0)) @ (S @ np.linalg.inv(C)).T + s.mean(0)
    return np.clip(moved, 0, 1).reshape(content.shape).astype("float32")


def measure(statistics, picture, pair):
    """How near `picture` is to the pair, as `statistics`, a network's, show it.

    style loss: mean over Gram matrices of |G - A|^2 / |A|^2, with A the style's
    content distance: |F - P| / |P|, with P the content's features; content
    correlation: Pearson's, of F and P
    """

    def seen(x):
        return [ops.convert_to_numpy(v) for v in statistics(x[None])]

    F, *G = seen(picture)
    P, A = seen(pair.content)[0], seen(pair.style)[1:]
    apart = [np.sum((g - a) ** 2) / np.sum(a**2) for g, a in zip(G, A)]
    return {
        "style loss": float(np.mean(apart)),
        "content distance": float(np.linalg.norm(F - P) / np.linalg.norm(P)),
        "content correlation": float(np.corrcoef(F.ravel(), P.ravel())[0, 1]),
    }


def report_style(model, data, history, judges, run, expected):
    """What was reached, beside the start and beside other colours; `finish`.

    judges: {name: statistics model}; that which was followed is config.backbone's.
    """
    result = pixels_of(model)
    pictures = {
        "start": data.content,
        "recoloured": recoloured(data.content, data.style),
        "style": data.style,
        "result": result.astype("float32") / 255,
    }
    found = {}
    for judge, statistics in judges.items():
        table = {k: measure(statistics, p, data) for k, p in pictures.items()}
        falls = table["start"]["style loss"] / table["result"]["style loss"]
        found[judge] = {FALL: falls, **table}
        for name, row in table.items():
            cells = ", ".join(f"{key} {value:.4g}" for key, value in row.items())
            print(f"{judge} features, {name:<11}{cells}")
    name = run.config.backbone
    figures = {
        FALL: found[name][FALL],
        "content correlation": found[name]["result"]["content correlation"],
        "features": found,
    }
    _write(result, run, "result.png")
    _draw_three(data, result, run)
    draw_terms(history, run)
    draw_motion(run, ("picture",))
    return finish(model, data, history, run, figures, expected)


def draw_terms(history, run):
    """curves.png: the loss's terms by epoch, each as a relative error."""
    epochs = [row["epoch"] for row in history]
    names = [key for key in history[0] if key.endswith("_loss")]
    names.sort(key=lambda name: (not name.startswith("content"), name))
    lines = {
        name.removesuffix("_loss").replace("_", " "): (
            epochs,
            [h[name] for h in history],
        )
        for name in names
    }
    title = "Terms of the loss: relative error of content and styles, roughness"
    draw_lines(lines, title, "epoch", "loss", run, "curves.png", yscale="log")


def _draw_three(data, result, run):
    """side_by_side.png: content, style, result."""
    height, width = result.shape[:2]
    parts = {"content": data.content, "style": data.style, "result": result}
    figure = Figure(figsize=(12, 4 * height / width + 0.5), layout="constrained")
    for axes, (name, picture) in zip(figure.subplots(1, 3), parts.items()):
        axes.imshow(picture)
        axes.set_title(name)
        axes.set_axis_off()
    save_figure(figure, run, "side_by_side.png")


def _write(picture, run, name):
    run.write(
        name, lambda path: keras.utils.save_img(path, picture, None, "png", scale=False)
    )
