"""Report on a variational autoencoder: its likelihood, and what its latent space holds.

Images have pixels from -1 to 1.
"""

import dataclasses

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from cookbook.data.images import Images, centre
from cookbook.plots.figures import Folder, draw_curves, save_figure
from cookbook.plots.gallery import ACROSS, draw_motion, draw_tiles
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.reports.latent.projection import draw_projection
from cookbook.training.run_folder import RunFolder
from custom_layers.models import VariationalAutoencoder

ACTIVE = 0.01  # variance, over the images, of the mean of a latent number that is used
SHOWN = 2000  # images whose latent vectors are drawn
REACH = 2.0  # standard deviations that the walk goes in each direction


def binarized(data: Images) -> Images:
    """The image set with pixels -1 and 1 in validation and test, drawn once.

    A grey pixel becomes 1 with the probability that its value tells: 0 for -1 and 1 for
    1. The training images stay grey, because each step of training draws them anew.
    """
    parts = centre(data)
    for seed, name in enumerate(("validation", "test")):
        x, y = parts[name]
        chance = np.random.default_rng(seed).random(x.shape, dtype="float32")
        is_white = 2 * chance - 1 < x
        parts[name] = np.where(is_white, 1, -1).astype("float32"), y
    return dataclasses.replace(
        data,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
    )


def report_autoencoder(
    model: VariationalAutoencoder,
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    samples: int,
) -> Run:
    """Estimates the likelihood of the test images, draws, and finishes the run.

    samples: importance samples per image.
    """
    x, y = data.test
    print(f"Estimating the likelihood of {len(x)} images, {samples} samples each")
    log_p = model.log_likelihood(x, samples, seed=run.config.seed)
    bounds = model.log_likelihood(x, 1, seed=run.config.seed)
    means = latent_means(model, x)
    figures: Figures = {
        "test log likelihood": float(np.mean(log_p, dtype="float64")),
        "its lower bound": float(np.mean(bounds, dtype="float64")),
        "of independent pixels": independent_pixels(data.train[0], x),
        "active latent numbers": int(np.sum(means.var(0) > ACTIVE)),
    }
    print_figures(figures)

    draw_curves(history, run)
    draw_motion(run)
    draw_reconstructions(model, x, run)
    draw_interpolations(model, means, y, run)
    draw_plane(model, means, y, data, run)
    return finish(model, data, history, run, figures, expected)


def latent_means(model: VariationalAutoencoder, x: np.ndarray) -> np.ndarray:
    """The mean of the latent vector of each image, (N, L)."""
    parts = []
    for start in range(0, len(x), 500):
        mean, _ = model.encode(x[start : start + 500])
        parts.append(ops.convert_to_numpy(mean))
    return np.concatenate(parts)


def independent_pixels(train: np.ndarray, test: np.ndarray) -> float:
    """The mean log likelihood of test images if each pixel had a chance of its own.

    The chance is the mean of the training images. One more image of each kind is added,
    white and black, so that no pixel is impossible.
    """
    count = len(train)
    pixels = train.reshape(count, -1)
    total = np.sum(pixels, axis=0, dtype="float64")
    white = (total + count) / 2
    chance = (white + 1) / (count + 2)

    is_white = test.reshape(len(test), -1) > 0
    log_p = np.where(is_white, np.log(chance), np.log1p(-chance))
    of_images = log_p.sum(-1)
    return float(of_images.mean())


def draw_reconstructions(
    model: VariationalAutoencoder, x: np.ndarray, run: Folder
) -> None:
    """reconstructions.png: rows of test images, each above what becomes of it."""
    images = x[: 5 * ACROSS]
    rebuilt = model.generator(latent_means(model, images))
    rows = []
    for start in range(0, len(images), ACROSS):
        row = slice(start, start + ACROSS)
        rows += [images[row], ops.convert_to_numpy(rebuilt[row])]
    sheet = np.concatenate(rows)
    title = "Test images, and below each its reconstruction"
    _draw_sheet(sheet, title, run, "reconstructions.png")


def draw_interpolations(
    model: VariationalAutoencoder, means: np.ndarray, y: np.ndarray, run: Folder
) -> None:
    """interpolations.png: straight ways through latent space from class to class."""
    first = [means[y == label][0] for label in np.unique(y)]
    starts = np.stack(first)

    ends = np.roll(starts, -1, axis=0)
    shares = np.linspace(0, 1, ACROSS)[:, None]
    ways = []
    for start, end in zip(starts, ends):
        way = start + shares * (end - start)
        ways.append(way)
    images = _images(model, np.concatenate(ways))
    title = "From an image of each class to one of the next"
    _draw_sheet(images, title, run, "interpolations.png")


def draw_plane(
    model: VariationalAutoencoder,
    means: np.ndarray,
    y: np.ndarray,
    data: Images,
    run: Folder,
) -> None:
    """latent.png and walk.png: the plane of the largest variance of latent vectors.

    The first shows where test images lie in it, the second what lies at a grid of
    points, up to REACH standard deviations from the middle.
    """
    middle = means.mean(0)
    centred = means - middle
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    scales = scales[:2] / np.sqrt(len(means))  # standard deviations
    axes = axes[:2]
    points = centred @ axes.T / scales
    draw_projection(
        points[:SHOWN],
        y[:SHOWN],
        data.classes,
        "Latent vectors of test images, in the plane of their largest variance",
        ("first axis (standard deviations)", "second axis"),
        run,
        "latent.png",
    )
    steps = np.linspace(-REACH, REACH, ACROSS)
    across, up = np.meshgrid(steps, steps[::-1])
    places = np.stack([across.ravel(), up.ravel()], axis=1)
    grid = middle + (places * scales) @ axes
    title = f"The same plane, from {-REACH:g} to {REACH:g} standard deviations"
    _draw_sheet(_images(model, grid), title, run, "walk.png")


def _images(model: VariationalAutoencoder, z: np.ndarray) -> np.ndarray:
    """What the model makes of latent vectors."""
    return ops.convert_to_numpy(model.generator(z.astype("float32")))


def _draw_sheet(images: np.ndarray, title: str, run: Folder, name: str) -> None:
    """NAME: images as tiles, ACROSS in each row."""
    rows = len(images) // ACROSS
    figure = Figure(figsize=(6, 0.6 * rows + 0.4), layout="constrained")
    axes = figure.subplots()
    draw_tiles(axes, images)
    axes.set_title(title)
    save_figure(figure, run, name)
