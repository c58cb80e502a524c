"""CycleGAN: its losses, its step, what training learns, its state."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.models import CycleGAN, GradientPenalty, NonSaturatingGAN
from model_formulas import ERRORS, NETWORKS, cycle_gan, translated, weights_of
from oracle import array
from small_gans import numbers

X, Y = array(24, 2), 3 + array(24, 2, seed=1)


def compiled(rate=0.01, eager=True, **options):
    model = cycle_gan(CycleGAN, **options)
    adams = [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)]
    jit_compile = False if eager else "auto"
    model.compile(*adams, run_eagerly=eager, jit_compile=jit_compile)
    return model


def linear(rate=0.02, **options):
    """A model that can shift points to any place."""
    keras.utils.set_random_seed(0)
    networks = []
    for outputs in (2, 2, 1, 1):
        x = keras.Input((2,))
        hidden = keras.layers.Dense(8, activation="relu")(x) if outputs == 1 else x
        networks.append(keras.Model(x, keras.layers.Dense(outputs)(hidden)))
    model = CycleGAN(*networks, **options)
    model.compile(*[keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)])
    return model


def test_losses_and_steps_are_those_of_the_formulas():
    assert ERRORS["CycleGAN"](CycleGAN) < 1e-4


@pytest.mark.slow
def test_translations_move_to_the_other_kind_and_back():
    model = linear(cycle=1.0, identity=0.0, penalty=GradientPenalty(0.1, 0, "real"))
    x = 0.5 * array(200, 2)
    y = 0.5 * array(200, 2, seed=1) + np.array([2, -1], "float32")
    history = model.fit(x, y, batch_size=50, epochs=60, verbose=0).history
    there = model.translate(x).mean(0) - y.mean(0)
    back = model.translate(y, back=True).mean(0) - x.mean(0)
    assert np.linalg.norm(there) < 0.7
    assert np.linalg.norm(back) < 0.7
    again = model.translate(model.translate(x), back=True)
    assert np.abs(again - x).mean() < 0.25
    assert np.isfinite([*history.values()]).all()


def test_which_x_comes_with_which_y_does_not_matter():
    rows = np.random.default_rng(0).permutation(len(Y))
    weights = []
    for y in (Y, Y[rows]):
        model = compiled()
        model.train_on_batch(X, y)
        weights.append(model.get_weights())
    for one, other in zip(*weights):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("left_out", ["cycle", "identity"])
def test_a_loss_of_weight_0_is_left_out(left_out):
    model = compiled(**{left_out: 0})
    found = model.train_on_batch(X, Y, return_dict=True)
    losses = {"critic_loss", "generator_loss", "cycle_loss", "identity_loss"}
    assert set(found) == losses - {f"{left_out}_loss"}


def test_translations_are_those_of_the_two_generators():
    model = compiled()
    weights = weights_of(model)
    there, back = model.translate(X), model.translate(Y, back=True)
    np.testing.assert_allclose(there, translated(weights["generator"], X), rtol=1e-5)
    np.testing.assert_allclose(back, translated(weights["inverse"], Y), rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), there, rtol=1e-5)


def test_each_side_is_moved_by_its_own_optimizer_only():
    for frozen, side in enumerate((NETWORKS[:2], NETWORKS[2:])):
        model = compiled()
        model.optimizers[frozen].learning_rate = 0.0
        before = weights_of(model)
        model.train_on_batch(X, Y)
        for name, arrays in weights_of(model).items():
            same = all((a == b).all() for a, b in zip(before[name], arrays))
            assert same == (name in side), name


def test_a_critic_may_score_places():
    """Scores of patches have more axes; each counts equally."""
    image = (4, 4, 1)

    def network():
        return keras.Sequential(
            [keras.Input(image), keras.layers.Conv2D(1, 3, padding="same")]
        )

    model = CycleGAN(*[network() for _ in range(4)], loss=NonSaturatingGAN())
    model.compile("sgd", "sgd", run_eagerly=True)
    x, y = array(6, *image), array(6, *image, seed=1)
    found = model.test_on_batch(x, y, return_dict=True)
    scores = numbers([model.critic_y(y), model.critic_y(model.generator(x))])
    scores += numbers([model.critic_x(x), model.critic_x(model.inverse(y))])
    signs = -1, 1, -1, 1  # of scores of real images and of translations
    costs = [np.log1p(np.exp(sign * s)).mean() for sign, s in zip(signs, scores)]
    assert found["critic_loss"] == pytest.approx(sum(costs), rel=1e-4)
    assert np.isfinite(model.train_on_batch(x, y)).all()


def test_scores_see_y_and_what_x_became_in_validation_only():
    class Distance(keras.metrics.Mean):
        def update_state(self, real, generated):
            super().update_state(ops.mean(real) - ops.mean(generated))

    model = compiled()
    model.scores = [Distance("distance")]
    history = model.fit(X, Y, verbose=0, validation_data=(X, Y + 100)).history
    assert "distance" not in history
    assert history["val_distance"][0] == pytest.approx(103, abs=5)


@pytest.mark.slow
def test_training_goes_on_from_a_file_bit_for_bit(tmp_path):
    model = compiled(eager=False)
    model.fit(X, Y, batch_size=12, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert (again.cycle, again.identity, again.penalty.weight) == (3.0, 2.0, 0.25)
    for part in (model, again):
        part.fit(X, Y, batch_size=12, shuffle=False, verbose=0)
    pairs = ([*m.weights, *m.optimizer.variables] for m in (model, again))
    for ours, theirs in zip(*map(numbers, pairs), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(model.translate(X), again.translate(X))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_it_trains_in_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = compiled()
        history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite([*history.values()]).all()
    scaling = [
        isinstance(o, keras.optimizers.LossScaleOptimizer) for o in model.optimizers
    ]
    assert scaling == [policy == "mixed_float16"] * 2


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frozen_network_keeps_its_weights_and_the_others_learn(name):
    model = cycle_gan(CycleGAN)
    getattr(model, name).trainable = False
    model.compile("adam", "adam", run_eagerly=True)
    before = weights_of(model)
    model.train_on_batch(X, Y)
    for other, arrays in weights_of(model).items():
        same = all((a == b).all() for a, b in zip(before[other], arrays))
        assert same == (other == name)


def network(inputs=2, outputs=2, *layers):
    first = keras.Input((inputs,))
    return keras.Sequential([first, *layers, keras.layers.Dense(outputs)])


def four(**others):
    """The four networks, some of them others."""
    networks = {name: network() for name in NETWORKS} | others
    return [networks[name] for name in NETWORKS]


REFUSALS = {
    "no inputs": (lambda: four(inverse=keras.Sequential()), {}, "The inverse must be"),
    "other translations": (
        lambda: four(generator=network(2, 3)),
        {},
        r"a generator that makes \(3,\)",
    ),
    "another critic": (
        lambda: four(critic_y=network(3, 1)),
        {},
        r"critics that take \(2,\) and \(3,\)",
    ),
    "two shapes": (
        lambda: [network(2, 3), network(3, 2), network(2, 1), network(3, 1)],
        {},
        "Take identity=0",
    ),
    "shared statistics": (
        lambda: four(critic_x=network(2, 1, keras.layers.BatchNormalization())),
        {"penalty": GradientPenalty()},
        "take LayerNormalization",
    ),
    "negative": (four, {"cycle": -1}, "cycle"),
    "negative identity": (four, {"identity": -0.5}, "identity"),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(name):
    parts, options, message = REFUSALS[name]
    with pytest.raises(ValueError, match=message):
        CycleGAN(*parts(), **options)


@pytest.mark.one_backend
def test_kinds_of_two_shapes_need_no_identity_loss():
    networks = [network(2, 3), network(3, 2), network(2, 1), network(3, 1)]
    model = CycleGAN(*networks, identity=np.float32(0))
    model.compile("sgd", "sgd", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(X, array(24, 3))).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": X}, "Received: no y"),
        ({"x": X, "y": Y, "sample_weight": np.ones(24)}, "Received: weights"),
    ],
)
def test_a_step_refuses_other_data(data, message):
    with pytest.raises(ValueError, match=message):
        compiled().train_on_batch(**data)


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="writes a SavedModel"
)
def test_an_exported_model_translates(tmp_path):
    import tensorflow as tf

    model = compiled()
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    served = loaded.serve(X)  # which needs the loaded object to live
    np.testing.assert_allclose(served, model.translate(X), rtol=1e-5, atol=1e-6)
