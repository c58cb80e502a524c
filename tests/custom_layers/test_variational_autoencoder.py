"""The variational autoencoder: its bounds, its likelihood, and what it makes."""

import keras
import numpy as np
import pytest

from custom_layers.models import VariationalAutoencoder
from model_formulas import (
    ERRORS,
    HIGH,
    LOW,
    autoencoder,
    binary,
    log_normal,
    log_p_of,
    probabilities,
)
from oracle import array

JAX = keras.backend.backend() == "jax"


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


def compiled(rate=0.02, **options):
    model = autoencoder(VariationalAutoencoder, **options)
    model.compile(keras.optimizers.Adam(rate), jit_compile=JAX)
    return model


def test_bounds_and_loss_are_those_of_the_densities():
    assert ERRORS["VariationalAutoencoder"](VariationalAutoencoder) < 1e-4


def wide(model):
    """The model with an encoder whose q(z | x) has not much less variance than p(z)."""
    model.encoder.set_weights([0.1 * w for w in model.encoder.get_weights()])
    return model


def exact_log_p(model, x):
    """log p(x), integrated over a grid of latent vectors of one number."""
    z = np.linspace(-8, 8, 4001)[:, None, None]
    density = np.exp(log_p_of(model, x, z) + log_normal(z))
    return np.log(density.sum(0) * (z[1] - z[0]).item())


def test_the_likelihood_is_the_integral_over_the_latent_space():
    model = wide(autoencoder(VariationalAutoencoder, latent=1))
    x = binary(5)
    found = model.log_likelihood(x, samples=20_000, seed=1)
    np.testing.assert_allclose(found, exact_log_p(model, x), atol=0.03)


def test_bounds_rise_with_the_samples_and_stay_below_the_likelihood():
    model = wide(autoencoder(VariationalAutoencoder, latent=1))
    x = np.repeat(binary(1), 4000, axis=0)
    means = [numbers(model.bound(x, k, seed=k)).mean() for k in (1, 2, 10)]
    assert means == sorted(means)
    assert means[-1] < exact_log_p(model, x[:1]).item() + 0.01


def test_a_likelihood_is_the_same_for_the_same_seed_and_of_no_samples_empty():
    model = autoencoder(VariationalAutoencoder)
    x = binary(3)
    first, again = (model.log_likelihood(x, 5, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert model.log_likelihood(x[:0], 5).shape == (0,)


def test_training_draws_values_between_the_two_with_their_probability():
    model = autoencoder(VariationalAutoencoder)
    x = np.full((20_000, 3), LOW + 0.3 * (HIGH - LOW), "float32")
    drawn = numbers(model._drawn(x))
    assert set(np.unique(drawn)) == {LOW, HIGH}
    deviation = np.sqrt(0.3 * 0.7 / drawn.size)
    assert abs((drawn == HIGH).mean() - 0.3) < 4 * deviation


def test_reconstructions_are_made_from_the_mean():
    model = compiled()
    x = binary(4)
    mean, _ = model.encode(x)
    expected = LOW + (HIGH - LOW) * probabilities(model, numbers(mean))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4)


def test_samples_come_from_the_seed_and_have_no_labels():
    model = compiled()
    first, again, other = (model.sample(4, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (4, 3)
    assert not np.array_equal(first, other)
    assert LOW < first.min() < first.max() < HIGH
    with pytest.raises(ValueError, match="knows no labels"):
        model.sample(1, [0])


def test_a_sample_of_weight_0_does_not_count():
    model = autoencoder(VariationalAutoencoder)
    x, weight = binary(2), np.array([1.0, 0.0], "float32")
    model.seed = keras.random.SeedGenerator(1)
    both = numbers(model.bound(x, 1))
    model.seed = keras.random.SeedGenerator(1)
    loss = model.compute_loss(x, sample_weight=weight, training=False)
    assert float(loss) == pytest.approx(-both[0] / 2, rel=1e-5)


@pytest.mark.slow
def test_training_learns_which_values_go_together_and_evaluate_says_so():
    """Two of eight samples occur, so that log p cannot exceed log 1/2."""
    model = compiled(0.1, latent=1)
    x = np.array([[LOW, LOW, HIGH], [HIGH, HIGH, LOW]], "float32")
    x = np.repeat(x, 64, axis=0)
    before = model.evaluate(x, verbose=0)
    model.fit(x, np.zeros(len(x)), batch_size=32, epochs=30, verbose=0)
    assert model.evaluate(x, verbose=0) < before / 2
    assert -1.5 < model.log_likelihood(x, 100, seed=1).mean() < np.log(0.5) + 0.01


@pytest.mark.slow
def test_a_saved_model_goes_on(tmp_path):
    model = compiled(samples=2, beta=0.5)
    model.fit(binary(8), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again.sample(3, seed=1), model.sample(3, seed=1))
    assert (again.beta, again.samples, again.value_range) == (0.5, 2, (LOW, HIGH))
    again.fit(binary(8), verbose=0)


@pytest.mark.slow
def test_half_precision_gives_finite_losses():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = compiled()
        losses = [model.evaluate(binary(8), verbose=0)]
        losses += model.fit(binary(8), epochs=2, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(losses).all()


def network(inputs, outputs):
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)])


REFUSALS = [
    (lambda: (network(3, 5), network(2, 3)), {}, "which is 4 numbers"),
    (lambda: (network(3, 4), network(2, 5)), {}, r"in the shape of samples, \(3,\)"),
    (lambda: (keras.Sequential(), network(2, 3)), {}, "The encoder must be a model"),
    (lambda: (network(3, 4), network(2, 3)), {"beta": -1}, "`beta` argument must be"),
    (lambda: (network(3, 4), network(2, 3)), {"samples": 0}, "argument `samples`"),
    (
        lambda: (network(3, 4), network(2, 3)),
        {"value_range": (1, 1)},
        "`value_range` must be two numbers",
    ),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("parts", "options", "message"), REFUSALS)
def test_refuses(parts, options, message):
    with pytest.raises(ValueError, match=message):
        VariationalAutoencoder(*parts(), **options)


@pytest.mark.one_backend
def test_numbers_of_numpy_are_numbers():
    options = {"beta": np.float32(0.5), "samples": np.int64(2)}
    model = VariationalAutoencoder(
        network(3, 4), network(2, 3), value_range=np.array([0.0, 2.0]), **options
    )
    assert model.value_range == (0.0, 2.0)
    x = array(2, 3)
    assert numbers(model(x)).shape == (2, 3)
