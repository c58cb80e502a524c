"""Adversarial training: losses, penalty, the alternating step, its state."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import Conv2D, Dense, LeakyReLU
from custom_layers.models import (
    AdversarialModel,
    GradientPenalty,
    HingeGAN,
    LeastSquaresGAN,
    MinimaxGAN,
    NonSaturatingGAN,
    WassersteinGAN,
)
from oracle import array
from small_gans import model, networks, numbers

# Costs of a score s, from the papers: real, generated, fooling.
FORMULAS = {
    NonSaturatingGAN: (
        lambda s: np.log(1 + np.exp(-s)),
        lambda s: np.log(1 + np.exp(s)),
        lambda s: np.log(1 + np.exp(-s)),
    ),
    MinimaxGAN: (
        lambda s: -np.log(1 / (1 + np.exp(-s))),
        lambda s: -np.log(1 - 1 / (1 + np.exp(-s))),
        lambda s: np.log(1 - 1 / (1 + np.exp(-s))),
    ),
    LeastSquaresGAN: (lambda s: (s - 1) ** 2, lambda s: s**2, lambda s: (s - 1) ** 2),
    HingeGAN: (
        lambda s: np.maximum(0, 1 - s),
        lambda s: np.maximum(0, 1 + s),
        lambda s: -s,
    ),
    WassersteinGAN: (lambda s: -s, lambda s: s, lambda s: -s),
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_loss_is_its_papers_formula(kind):
    s = array(7, 1) * 2
    real, generated, fooling = (f(s.astype("float64")) for f in FORMULAS[kind])
    loss = kind(reduction=None)
    close = {"rtol": 1e-5, "atol": 1e-6}
    ones, zeros = np.ones((7, 1), "float32"), np.zeros((7, 1), "float32")
    np.testing.assert_allclose(
        *map(ops.convert_to_numpy, (loss(ones, s), real[:, 0])), **close
    )
    np.testing.assert_allclose(
        *map(ops.convert_to_numpy, (loss(zeros, s), generated[:, 0])), **close
    )
    np.testing.assert_allclose(float(loss.generator(s)), fooling.mean(), **close)


@pytest.mark.parametrize("kind", [NonSaturatingGAN, MinimaxGAN])
def test_a_critic_that_is_certain_gives_finite_losses(kind):
    for label, score in ((1.0, -1e4), (0.0, 1e4)):
        value = float(kind()([[label]], [[score]]))
        assert value == pytest.approx(1e4)


def test_a_loss_refuses_labels_of_another_rank():
    with pytest.raises(ValueError, match="must have the same shape"):
        HingeGAN()([1.0, 0.0], [[1.0], [2.0]])


def test_the_penalty_is_that_of_the_formula():
    """D(x) = |x|^2 has the gradient 2x."""
    real, generated = array(6, 3), array(6, 3, seed=1)

    def square(x):
        return ops.sum(ops.square(x), axis=-1, keepdims=True)

    def norm(x):
        return 2 * np.linalg.norm(x, axis=1)

    inputs = ops.convert_to_tensor(real), ops.convert_to_tensor(generated)
    r1 = GradientPenalty(0.5, target=0, at="real")(square, *inputs, seed=0)
    r1 = ops.convert_to_numpy(r1)
    assert float(r1) == pytest.approx(0.5 * np.mean(norm(real) ** 2), rel=1e-5)
    both = GradientPenalty(2.0, target=1, at="both")(square, *inputs, seed=0)
    both = ops.convert_to_numpy(both)
    wanted = sum(2 * np.mean((norm(x) - 1) ** 2) for x in (real, generated))
    assert float(both) == pytest.approx(wanted, rel=1e-5)


def places(count=4000, channels=3):
    """Where the penalty between zeros and ones looks: (count, channels) of e."""
    seen = []

    def critic(x):
        seen.append(x)
        return ops.sum(x, axis=-1, keepdims=True)

    ones = ops.ones((count, channels))
    GradientPenalty()(critic, ones, 0 * ones, seed=3)
    return ops.convert_to_numpy(keras.ops.stop_gradient(seen[0]))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="sees tracers")
def test_the_penalty_draws_its_weight_uniformly_and_once_per_sample():
    e = places()
    assert (e == e[:, :1]).all(), "a sample's parts have weights of their own"
    e = np.sort(e[:, 0])
    assert len(np.unique(e)) > 3900, "samples share a weight"
    assert e[0] >= 0
    assert e[-1] < 1
    gap = np.abs(e - (np.arange(4000) + 0.5) / 4000).max()  # Kolmogorov-Smirnov
    assert gap < 1.63 / np.sqrt(4000), "not uniform"


@pytest.mark.parametrize("arguments", [{"weight": -1}, {"target": -1}, {"at": "fake"}])
def test_the_penalty_refuses_what_it_does_not_know(arguments):
    with pytest.raises(ValueError, match="Received"):
        GradientPenalty(**arguments)


def test_the_penaltys_slope_to_our_layers_weights_is_that_to_keras_layers():
    """The gradient of a gradient, through layers with closed-form gradients."""
    gradients = []
    for ours in (True, False):
        keras.utils.set_random_seed(0)
        kinds = keras.layers
        conv, dense, leaky = (
            (Conv2D, Dense, LeakyReLU)
            if ours
            else (kinds.Conv2D, kinds.Dense, kinds.LeakyReLU)
        )
        critic = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                conv(4, 3, 2, "same"),
                leaky(0.2),
                keras.layers.Flatten(),
                dense(1),
            ]
        )
        generator = keras.Sequential(
            [keras.Input((2,)), dense(36), keras.layers.Reshape((6, 6, 1))]
        )
        gan = AdversarialModel(generator, critic, WassersteinGAN(), GradientPenalty())
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0))
        generator.set_weights([0 * w for w in generator.get_weights()])  # z is random
        starts = [array(*w.shape) for w in critic.get_weights()]
        critic.set_weights(starts)
        gan.penalty.at = "real"
        gan.fit(array(8, 6, 6, 1), batch_size=8, verbose=0)
        gradients.append([a - b for a, b in zip(critic.get_weights(), starts)])
    for ours, theirs in zip(*gradients):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)


TORCH = keras.backend.backend() == "torch"
OPTIONS = {
    "plain": {},
    "minimax": {"loss": MinimaxGAN()},
    # It goes in circles: from the random numbers of torch it needs more steps.
    "least squares": {"loss": LeastSquaresGAN(), "rate": 0.01 if TORCH else 0.005},
    "hinge, packed": {"loss": HingeGAN(), "pack": 2},
    "wasserstein": {
        "loss": WassersteinGAN(),
        "penalty": GradientPenalty(1.0),
        "critic_steps": 3,
    },
    "conditional": {"conditional": True, "penalty": GradientPenalty(0.1, 0, "both")},
}


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in OPTIONS
            if name != "plain"
        ),
    ],
)
def test_samples_move_to_the_data(name):
    gan = model(**OPTIONS[name])
    y = np.arange(60) % 4
    x = array(60, 2) * 0.3 + np.array([3, -2], "float32")
    before = gan.sample(200, np.arange(200) % 4, seed=0).mean(0)
    epochs = 90 if TORCH and name == "least squares" else 60
    history = gan.fit(x, y, batch_size=30, epochs=epochs, verbose=0).history
    after = gan.sample(200, np.arange(200) % 4, seed=0).mean(0)
    target = np.array([3, -2])
    assert np.linalg.norm(after - target) < 0.7 * np.linalg.norm(before - target)
    assert np.isfinite([*history.values()]).all()


def test_without_a_compiler_the_conditional_kind_learns_too():
    """Uncompiled, JAX passes NumPy arrays to the step, and networks expect tensors."""
    gan = model(conditional=True, jit_compile=False)
    x, y = array(24, 2), np.arange(24) % 4
    history = gan.fit(x, y, batch_size=12, validation_data=(x, y), verbose=0).history
    assert np.isfinite([*history.values()]).all()


def test_each_player_has_its_own_steps():
    gan = model(loss=WassersteinGAN(), critic_steps=3)
    gan.fit(array(24, 2), batch_size=12, epochs=2, verbose=0)
    generator, critic = gan.optimizers
    assert int(generator.iterations) == 4
    assert int(critic.iterations) == 12


@pytest.mark.parametrize("player", ["generator", "critic"])
def test_a_player_is_moved_by_its_own_optimizer_only(player):
    gan = model()
    other = {"generator": "critic", "critic": "generator"}[player]
    getattr(gan.optimizer, other).learning_rate = 0.0
    before = {
        name: numbers(getattr(gan, name).trainable_variables)
        for name in (player, other)
    }
    gan.fit(array(12, 2), batch_size=6, verbose=0)
    for name, moves in ((player, True), (other, False)):
        after = numbers(getattr(gan, name).trainable_variables)
        same = all((a == b).all() for a, b in zip(before[name], after))
        assert same != moves


def test_a_packed_critic_sees_samples_side_by_side():
    gan = model(pack=2)
    x = np.arange(10, dtype="float32").reshape(5, 2)
    packed = ops.convert_to_numpy(gan._packed(ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(packed, [[0, 1, 2, 3], [4, 5, 6, 7]])


def test_the_critic_steps_share_the_batch_without_overlap():
    gan = model(critic_steps=3)
    seen = []
    gan._critic_step = lambda real, labels: seen.append(ops.convert_to_numpy(real))
    gan._generator_step = lambda count, labels: None
    x = ops.convert_to_tensor(np.arange(12, dtype="float32").reshape(6, 2))
    gan._train((x,))
    np.testing.assert_array_equal(np.sort(np.concatenate(seen), axis=0), x)
    assert [len(part) for part in seen] == [2, 2, 2]


def test_same_seed_same_samples():
    gan = model()
    np.testing.assert_array_equal(gan.sample(5, seed=1), gan.sample(5, seed=1))
    assert (gan.sample(5, seed=1) != gan.sample(5, seed=2)).any()
    np.testing.assert_allclose(
        gan.sample(5, seed=1)[:2], gan.sample(2, seed=1), rtol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wasserstein", "conditional"])
def test_training_goes_on_from_a_file_bit_for_bit(name, tmp_path):
    """The file holds the states of both optimizers; Keras leaves out random seeds."""
    x, y = array(24, 2), np.arange(24) % 4
    gan = model(**OPTIONS[name])
    gan.fit(x, y, batch_size=12, shuffle=False, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    for ours, theirs in zip(gan.variables, again.variables, strict=True):
        if "seed_generator" in ours.path:
            theirs.assign(np.array(ours))  # a copy: JAX's steps eat their inputs
    for part in (gan, again):
        keras.utils.set_random_seed(1)  # Dropout on torch draws from the global seed
        part.fit(x, y, batch_size=12, shuffle=False, verbose=0)
    pairs = ((m.variables, m.optimizer.variables) for m in (gan, again))
    for ours, theirs in zip(*(numbers([*a, *b]) for a, b in pairs), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert int(again.optimizers[1].iterations) == int(gan.optimizers[1].iterations)


def test_scores_see_real_and_generated_samples_in_validation_only():
    class Distance(keras.metrics.Mean):
        def update_state(self, real, generated):
            super().update_state(ops.mean(real) - ops.mean(generated))

    gan = model()
    gan.scores = [Distance("distance")]
    x = array(24, 2)
    history = gan.fit(x, batch_size=12, verbose=0, validation_data=(x + 100, None))
    assert "distance" not in history.history
    assert history.history["val_distance"][0] == pytest.approx(100, abs=5)


def norm_critic():
    return keras.Sequential(
        [keras.Input((2,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda: {"critic_steps": 0}, "critic_steps=0"),
        (lambda: {"pack": 2}, r"samples of shape \(4,\)"),
        (lambda: {"critic": networks(True)[1]}, "1 and 2"),
        (
            lambda: dict(zip(("generator", "critic"), networks(True)), pack=2),
            "2 and 2, pack=2",
        ),
        (
            lambda: {"critic": norm_critic(), "penalty": GradientPenalty()},
            "take LayerNormalization",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, message):
    generator, critic = networks()
    parts = {"generator": generator, "critic": critic, "loss": HingeGAN()}
    with pytest.raises(ValueError, match=message):
        AdversarialModel(**{**parts, **arguments()})
