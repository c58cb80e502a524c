"""The report of a diffusion model: the guidance it chooses, and its pictures."""

import keras
import numpy as np
import pytest

from cookbook.data.images import load_images
from cookbook.plain.parts.latent import diffusion as plain
from cookbook.reports.generated import diffusion
from cookbook.reports.generated.diffusion import ASKED, DISTANCE, best, compared
from cookbook.reports.generated.sample_quality import as_judge
from custom_layers.models import DiffusionModel

SHAPE = (4, 4, 1)


class Folder:
    """A folder that notes the names of the pictures written to it."""

    def __init__(self, path):
        self.path = path

    def write(self, name, save):
        save(self.path / name)


def scores(distance, asked):
    return {DISTANCE: distance, ASKED: asked}


def test_the_guidance_of_the_smallest_distance_is_chosen_if_it_shows_what_is_asked():
    found = {0.0: scores(0.2, 0.97), 0.5: scores(0.3, 0.99), 1.0: scores(0.4, 0.999)}
    assert best(found) == 0.5
    found[0.0] = scores(0.2, 0.985)
    assert best(found) == 0.0


def test_if_no_guidance_shows_it_often_enough_the_one_that_does_most_often_is_chosen():
    found = {0.0: scores(0.2, 0.5), 0.5: scores(0.3, 0.9), 1.0: scores(0.1, 0.8)}
    assert best(found) == 0.5


def model():
    """A diffusion model of small images in 3 classes, which has learned nothing."""
    noisy = keras.Input(SHAPE)
    timestep, label = (keras.Input((), dtype="int32") for _ in range(2))
    shift = keras.layers.Embedding(4, 16)(label)
    shift = keras.layers.Reshape(SHAPE)(shift)
    output = keras.layers.Add()([noisy, shift])
    network = keras.Model([noisy, timestep, label], output)
    return DiffusionModel(network, 3, 9, value_range=(-1, 1), sampling_steps=3)


def test_pictures_are_drawn_for_any_number_of_classes(tmp_path):
    found = {0.0: scores(0.2, 0.97), 0.5: scores(0.3, 0.99)}
    net, folder = model(), Folder(tmp_path)
    diffusion.draw_guidance(found, 0.5, folder)
    diffusion.draw_scales(net, found, folder)
    diffusion.draw_denoising(net, folder)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["guidance.png", "path.png", "scales.png"]


@pytest.mark.slow
def test_guidances_are_compared_on_validation_images_in_their_order(monkeypatch):
    monkeypatch.setattr(diffusion, "COMPARED", 40)
    data = load_images("digits", "mnist")
    asked = {}

    class Copying:
        """A model whose images depend on the guidance: real ones, or grey ones."""

        def sample(self, count, labels, seed, guidance):
            asked[guidance] = count, labels
            x = data.validation[0][:count].astype("float32") / 127.5 - 1
            return x if guidance == 0.5 else 0 * x

    class Judged:
        validation = data.validation[0].astype("f") / 127.5 - 1, data.validation[1]
        layers = keras.layers.Flatten(), keras.layers.Dense(10)
        judge = as_judge(
            keras.Sequential([keras.Input(data.shape), *layers]), data.shape
        )

    found = compared(Copying(), Judged(), (0.5, 0.0, 0.5), seed=0)
    assert [*found] == [0.0, 0.5]
    assert abs(found[0.5][DISTANCE]) < 1e-5 * found[0.0][DISTANCE]
    np.testing.assert_array_equal(asked[0.5][1], data.validation[1][:40])


def test_the_plain_scripts_model_makes_the_steps_of_ours():
    """Both by the same network, which the last levels of noise hardly concern."""
    keras.utils.set_random_seed(0)
    ours = model()
    keras.utils.set_random_seed(0)
    short = plain.DiffusionModel(ours.denoiser, 3, 9, 0.1, (-1, 1), 3)
    keras.utils.set_random_seed(1)
    labels = np.array([0, 1, 2])
    images = short.sample(labels, guidance=0.5)
    keras.utils.set_random_seed(1)
    noise = np.array(keras.random.normal((3, *SHAPE)))
    expected = ours.path(noise, labels, guidance=0.5)[-1]
    np.testing.assert_allclose(images, expected, atol=0.02)
