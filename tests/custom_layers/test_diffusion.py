"""Diffusion models: levels of noise, the loss, and the way from noise to samples."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.models import DiffusionModel
from custom_layers.models.diffusion.process import _Process
from custom_layers.models.diffusion.sampling import _Sampling
from diffusion_formulas import CLASSES, ERRORS, T, denoiser, kept_variance
from oracle import array

JAX = keras.backend.backend() == "jax"
MEAN, DEVIATION = 0.5, 0.4  # of the values of the normal distribution
LEVELS = 150  # of noise, in the models that know it


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("_Process", _Process),
        ("DiffusionModel", DiffusionModel),
        ("_Sampling", _Sampling),
    ],
)
def test_noise_loss_and_steps_are_those_of_the_papers(name, cls):
    assert ERRORS[name](cls) < 1e-4


@pytest.mark.one_backend
def test_the_linear_schedule_of_1000_levels_is_that_of_ddpm():
    beta = np.linspace(1e-4, 0.02, 1000)
    process = _Process(1000, "linear", "noise", None)
    np.testing.assert_allclose(process.a[1:] ** 2, np.cumprod(1 - beta), rtol=1e-4)
    np.testing.assert_allclose(kept_variance("linear", 1000)[1:], np.cumprod(1 - beta))


class BestDenoiser(keras.layers.Layer):
    """The expectation of what is asked, where samples have a normal distribution.

    E[x_0 | x_t] = m + S^2 a / (a^2 S^2 + b^2) (x_t - a m), with the mean m of the label
    """

    def __init__(self, process, means):
        super().__init__()
        self.process = process
        self.means = np.array(means, "float32")

    def call(self, inputs):
        x_t, t, *labels = inputs
        a, b = self.process._shares(t, x_t)
        m = self.means[0]
        if labels:
            m = ops.take(ops.convert_to_tensor(self.means), labels[0])[:, None]
        variance = DEVIATION**2
        x_0 = m + variance * a / (a**2 * variance + b**2) * (x_t - a * m)
        e = (x_t - a * x_0) / b
        return e if self.process.prediction == "noise" else a * e - b * x_0

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def of_normal_samples(means=(MEAN,), prediction="velocity", **options):
    """A model that knows the distribution of its samples, of 8 values each."""
    inputs = [keras.Input((8,)), keras.Input((), dtype="int32")]
    classes = None
    if len(means) > 1:
        inputs.append(keras.Input((), dtype="int32"))
        classes = len(means) - 1
    process = _Process(LEVELS, "cosine", prediction, None)
    network = keras.Model(inputs, BestDenoiser(process, means)(inputs))
    arguments = {"timesteps": LEVELS, "prediction": prediction, **options}
    return DiffusionModel(network, classes, **arguments)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("prediction", ["velocity", "noise"])
def test_samples_have_the_distribution_that_the_denoiser_knows(prediction, eta):
    model = of_normal_samples(prediction=prediction)
    x = model.sample(500, seed=1, steps=LEVELS, eta=eta)
    assert abs(x.mean() - MEAN) < 4 * DEVIATION / np.sqrt(x.size)
    assert abs(x.std() / DEVIATION - 1) < 0.05


def test_samples_have_the_class_that_is_asked_for_and_guidance_goes_beyond():
    model = of_normal_samples(means=(-1.0, 1.0, 0.0), sampling_steps=30)
    labels = np.repeat([0, 1], 100)
    plain = model.sample(200, labels, seed=1)
    guided = model.sample(200, labels, seed=1, guidance=1.0)
    assert plain[:100].mean() == pytest.approx(-1, abs=0.06)
    assert plain[100:].mean() == pytest.approx(1, abs=0.06)
    assert guided[:100].mean() < -1.2
    assert guided[100:].mean() > 1.2


def test_the_best_denoiser_has_a_smaller_loss_than_any_other_mean():
    x = MEAN + DEVIATION * np.random.default_rng(0).standard_normal((4000, 8))
    losses = []
    for mean in (MEAN - 0.2, MEAN, MEAN + 0.2):
        model = of_normal_samples(means=(mean,))
        model.seed = keras.random.SeedGenerator(1)
        inputs, target = model._noisy((x,), training=True)
        losses.append(float(model.compute_loss(inputs, target, model(inputs))))
    assert losses[1] == min(losses)


def small(**options):
    arguments = {"classes": CLASSES, "timesteps": T, "sampling_steps": 4, **options}
    return DiffusionModel(denoiser(arguments["classes"]), **arguments)


def compiled(**options):
    model = small(**options)
    model.compile(keras.optimizers.Adam(0.01), jit_compile=JAX)
    return model


def test_the_generator_makes_the_same_samples():
    model = small(guidance=0.5, value_range=(-1, 1))
    noise, labels = array(6, 3), np.arange(6, dtype="int32") % CLASSES
    by_steps = model.path(noise, labels)[-1]
    at_once = model.generator.predict([noise, labels], verbose=0)
    np.testing.assert_allclose(at_once, by_steps, rtol=1e-4, atol=1e-5)
    assert np.abs(at_once).max() <= 1


def test_without_classes_labels_are_ignored():
    model = compiled(classes=None)
    model.fit(array(8, 3), np.zeros(8), verbose=0)
    assert model.sample(3, seed=1).shape == (3, 3)
    noise = array(2, 3)
    by_steps = model.path(noise)[-1]
    at_once = model.generator.predict(noise, verbose=0)
    np.testing.assert_allclose(at_once, by_steps, rtol=1e-4, atol=1e-5)


def test_samples_come_from_the_seed():
    model = small()
    labels = np.array([0, 1])
    first, again, other = (model.sample(2, labels, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    random, again = (model.sample(2, labels, seed=1, eta=1.0) for _ in range(2))
    np.testing.assert_array_equal(random, again)
    assert not np.array_equal(random, first)
    assert model.sample(0, labels[:0]).shape == (0, 3)


def test_a_path_begins_with_the_noise_and_has_an_entry_for_each_step():
    model = small()
    noise = array(2, 3)
    way = model.path(noise, np.array([0, 1]))
    assert len(way) == 5
    np.testing.assert_array_equal(way[0], noise)
    assert len(model.path(noise, np.array([0, 1]), steps=100)) == T + 1


def test_timesteps_are_spread_evenly_and_each_occurs():
    model = small()
    counts = np.zeros(T + 1)
    for _ in range(20):
        t = numbers(model._drawn_timesteps(2 * T))
        found = np.bincount(t, minlength=T + 1)
        assert found[0] == 0
        assert found[1:].max() <= 3
        counts += found
    assert counts[1:].min() > 20


def test_a_share_of_the_labels_is_hidden_in_training_only():
    model = small(unlabelled=0.25)
    labels = np.zeros(4000, "int32")
    x = np.zeros((4000, 3), "float32")
    hidden, shown = (
        numbers(model._noisy((x, labels), training)[0][2]) for training in (True, False)
    )
    assert {*hidden.tolist()} == {0, CLASSES}
    assert abs((hidden == CLASSES).mean() - 0.25) < 0.03
    assert (shown == 0).all()


def test_classes_are_learned_with_their_labels():
    with pytest.raises(ValueError, match=r"as in fit\(x, labels\)"):
        compiled().fit(array(4, 3), verbose=0)


@pytest.mark.slow
def test_training_learns_the_classes_and_evaluate_says_so():
    model = compiled(unlabelled=0.1, value_range=(-2, 2), sampling_steps=12)
    model.compile(keras.optimizers.Adam(0.02), jit_compile=JAX)
    labels = np.arange(256) % CLASSES
    x = np.where(labels == 0, -1.0, 1.0)[:, None] * np.ones(3, "float32")
    before = model.evaluate(x, labels, verbose=0)
    model.fit(x, labels, batch_size=64, epochs=60, verbose=0)
    assert model.evaluate(x, labels, verbose=0) < before / 2
    made = model.sample(100, labels[:100], seed=1)
    assert np.mean((made.mean(-1) > 0) == (labels[:100] == 1)) > 0.95


@pytest.mark.slow
def test_a_saved_model_goes_on(tmp_path):
    model = compiled(guidance=0.5)
    labels = np.arange(8) % CLASSES
    model.fit(array(8, 3), labels, verbose=0)
    model.guidance = 0.25
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.guidance == 0.25
    np.testing.assert_array_equal(
        again.sample(8, labels, seed=1), model.sample(8, labels, seed=1)
    )
    again.fit(array(8, 3), labels, verbose=0)


@pytest.mark.slow
def test_a_saved_generator_makes_the_same_samples(tmp_path):
    network = small(guidance=0.5).generator
    network.save(tmp_path / "generator.keras")
    again = keras.models.load_model(tmp_path / "generator.keras", safe_mode=True)
    inputs = [array(3, 3), np.array([0, 1, 1], "int32")]
    np.testing.assert_array_equal(
        again.predict(inputs, verbose=0), network.predict(inputs, verbose=0)
    )


@pytest.mark.slow
def test_half_precision_gives_finite_losses():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled()
        labels = np.arange(8) % CLASSES
        losses = [model.evaluate(array(8, 3), labels, verbose=0)]
        losses += model.fit(array(8, 3), labels, epochs=2, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(losses).all()


def network(inputs=3, outputs=3, parts=3):
    noisy = keras.Input((inputs,))
    numbers = [keras.Input((), dtype="int32") for _ in range(parts - 1)]
    return keras.Model([noisy, *numbers], keras.layers.Dense(outputs)(noisy))


REFUSALS = [
    (keras.Sequential, {}, "The denoiser must be a functional model"),
    (network, {}, "`classes` must be the number of classes"),
    (lambda: network(parts=2), {"classes": 2}, "`classes` must be the number"),
    (lambda: network(outputs=4), {"classes": 2}, r"the shape of samples, \(3,\)"),
    (network, {"classes": 2, "timesteps": 0}, "argument `timesteps`"),
    (network, {"classes": 2, "schedule": "sine"}, "`schedule` argument must be"),
    (network, {"classes": 2, "prediction": "x"}, "`prediction` argument must be"),
    (network, {"classes": 2, "unlabelled": 1.5}, "`unlabelled` argument must be"),
    (network, {"classes": 2, "guidance": -1}, "`guidance` argument must be"),
    (network, {"classes": 2, "sampling_steps": 0}, "argument `sampling_steps`"),
    (network, {"classes": 2, "value_range": (1, 1)}, "`value_range` must be two"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("make", "options", "message"), REFUSALS)
def test_refuses(make, options, message):
    with pytest.raises(ValueError, match=message):
        DiffusionModel(make(), **options)


@pytest.mark.one_backend
def test_sampling_needs_a_label_for_each_sample():
    for labels in (None, np.array([0])):
        with pytest.raises(ValueError, match="a class for each of 2 samples"):
            small().sample(2, labels)


@pytest.mark.one_backend
def test_sampling_refuses_an_eta_above_1():
    with pytest.raises(ValueError, match="`eta` argument must be a number from 0 to 1"):
        small().sample(1, np.array([0]), eta=1.5)


@pytest.mark.one_backend
def test_numbers_of_numpy_are_numbers():
    model = small(guidance=np.float32(0.5), value_range=np.array([0.0, 2.0]))
    assert model.get_config()["value_range"] == [0.0, 2.0]
    assert type(model.get_config()["guidance"]) is float
