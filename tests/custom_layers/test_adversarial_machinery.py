"""Adversarial training in Keras's machinery: precision, callbacks, files."""

import keras
import numpy as np
import pytest

from custom_layers.models import (
    AdversarialModel,
    GradientPenalty,
    HingeGAN,
    WassersteinGAN,
)
from custom_layers.optimizers import SGD, SWA
from oracle import array
from small_gans import model, networks, numbers

IS_TORCH = keras.backend.backend() == "torch"
X, Y = array(20, 2), np.arange(20) % 4


def gan(first=None, second=None, conditional=False, **options):
    """A small GAN whose steps are not compiled, which saves seconds."""
    made = AdversarialModel(*networks(conditional), HingeGAN())
    optimizers = first or keras.optimizers.Adam(0.01), second or "adam"
    made.compile(*optimizers, **{"run_eagerly": True, **options})
    return made


def assert_finite(trained, history):
    assert np.isfinite([*history.history.values()]).all()
    assert all(np.isfinite(w).all() for w in trained.get_weights())


# Batches.

PARTS = {
    "critic steps": {"critic_steps": 5},
    "packs": {"critic_steps": 2, "pack": 3},
    "labels": {"critic_steps": 3, "conditional": True},
}


@pytest.mark.parametrize(
    "name",
    [
        "critic steps",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("packs", "labels")),
    ],
)
def test_a_batch_of_any_size_gives_finite_losses(name):
    options = {"loss": WassersteinGAN(), "penalty": GradientPenalty(), **PARTS[name]}
    trained = model(**options, run_eagerly=True)
    for size in (1, 2, 4, 7):
        losses = trained.train_on_batch(X[:size], Y[:size])
        assert np.isfinite(losses).all()
        assert np.isfinite(trained.test_on_batch(X[:size], Y[:size])).all()
    assert all(np.isfinite(w).all() for w in trained.get_weights())


@pytest.mark.slow
def test_a_compiled_step_takes_a_small_last_batch():
    trained = model(loss=WassersteinGAN(), penalty=GradientPenalty(), critic_steps=5)
    history = trained.fit(X, batch_size=16, verbose=0)
    assert_finite(trained, history)
    generator, critic = trained.optimizers
    assert (int(generator.iterations), int(critic.iterations)) == (2, 10)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_batch_is_dealt_out_to_all_critic_steps(size):
    """Every sample is seen; none twice, unless there are fewer samples than needed."""
    trained, seen = model(pack=2, critic_steps=3), []
    trained._critic_step = lambda real, labels: seen.append(numbers([real])[0])
    trained._generator_step = lambda count, labels: None
    x = np.arange(2 * size, dtype="float32").reshape(size, 2)
    trained._train((x,))
    assert [len(part) >= 2 for part in seen] == [True] * 3
    rows = [tuple(row) for part in seen for row in part]
    assert set(rows) == {tuple(row) for row in x}
    assert len(rows) == max(size, 6)


# Precision.


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_it_trains_in_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    trained = model(penalty=GradientPenalty(0.1), critic_steps=2, run_eagerly=True)
    history = trained.fit(X, batch_size=10, validation_data=(X, None), verbose=0)
    assert_finite(trained, history)
    assert all(int(o.iterations) > 0 for o in trained.optimizers)
    scaling = [
        isinstance(o, keras.optimizers.LossScaleOptimizer) for o in trained.optimizers
    ]
    assert scaling == [policy == "mixed_float16"] * 2


@pytest.mark.slow
def test_a_compiled_step_in_float16_goes_on_from_a_file(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    trained = model()
    assert_finite(trained, trained.fit(X, batch_size=10, verbose=0))
    trained.save(tmp_path / "gan.keras")
    keras.config.set_dtype_policy("float32")
    again = keras.models.load_model(tmp_path / "gan.keras")
    pairs = zip(trained.optimizer.variables, again.optimizer.variables, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(*numbers([ours, theirs]))
    assert_finite(again, again.fit(X, batch_size=10, verbose=0))


def test_a_step_that_is_not_finite_is_left_out_in_float16():
    keras.config.set_dtype_policy("mixed_float16")
    trained = model(run_eagerly=True)
    before = numbers(trained.critic.trainable_variables)
    trained.train_on_batch(X * np.nan)
    for old, new in zip(before, numbers(trained.critic.trainable_variables)):
        np.testing.assert_array_equal(old, new)
    generator, critic = trained.optimizers
    assert (int(generator.iterations), int(critic.iterations)) == (1, 0)
    assert float(critic.dynamic_scale) == 0.5 * critic.initial_scale


def test_a_scaled_loss_gives_the_gradients_of_the_loss():
    weights = []
    for scale in (None, 8.0):
        keras.utils.set_random_seed(0)
        trained = gan(
            SGD(0.1, loss_scale_factor=scale),
            keras.optimizers.SGD(0.1, loss_scale_factor=scale),
        )
        trained.train_on_batch(X)
        weights.append(trained.get_weights())
    for plain, scaled in zip(*weights):
        np.testing.assert_allclose(plain, scaled, rtol=1e-6)


# Learning rates.


def rates(trained):
    return [float(numbers([o.learning_rate])[0]) for o in trained.optimizers]


def test_both_players_follow_a_learning_rate_scheduler():
    trained = gan(keras.optimizers.Adam(0.5), keras.optimizers.Adam(0.5))
    set_rate = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.25)
    history = trained.fit(X, verbose=0, callbacks=[set_rate]).history
    assert rates(trained) == [0.25, 0.25]
    assert history["learning_rate"] == [0.25]


def test_both_players_follow_a_plateau_in_their_ratio():
    trained = gan(keras.optimizers.Adam(0.5), keras.optimizers.Adam(0.125))
    plateau = keras.callbacks.ReduceLROnPlateau(
        "critic_loss", 0.5, patience=1, mode="min", min_delta=1e9
    )
    history = trained.fit(X, epochs=3, verbose=0, callbacks=[plateau]).history
    assert rates(trained) == [0.125, 0.03125]
    assert history["learning_rate"] == [0.5, 0.5, 0.25]  # as Keras, before it falls


def test_a_warm_up_from_zero_keeps_the_ratio():
    trained = gan(keras.optimizers.Adam(0.5), keras.optimizers.Adam(0.125))
    for rate in (0.0, 0.0, 0.25):
        trained.optimizer.learning_rate = rate
    assert rates(trained) == [0.25, 0.0625]


def test_a_callback_may_not_set_the_rate_of_a_schedule():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    for pair in ((SGD(schedule), SGD(0.1)), (SGD(0.1), SGD(schedule))):
        trained = gan(*pair)
        with pytest.raises(TypeError, match="not settable"):
            trained.optimizer.learning_rate = 0.5
        assert 0.1 in [round(rate, 6) for rate in rates(trained)]


# Compile.


def test_optimizers_may_be_names_configurations_and_keywords():
    config = keras.optimizers.serialize(keras.optimizers.RMSprop(0.25))
    trained = gan("adam", config)
    assert [type(o).__name__ for o in trained.optimizers] == ["Adam", "RMSprop"]
    assert rates(trained)[1] == 0.25
    trained.compile(critic_optimizer="sgd", generator_optimizer=config)
    assert [type(o).__name__ for o in trained.optimizers] == ["RMSprop", "SGD"]
    assert np.isfinite(trained.train_on_batch(X)).all()


@pytest.mark.slow
def test_compile_again_with_the_same_optimizers_and_after_loading(tmp_path):
    trained = gan()
    trained.train_on_batch(X)
    trained.compile(*trained.optimizers, run_eagerly=True)
    trained.train_on_batch(X)
    assert [int(o.iterations) for o in trained.optimizers] == [2, 2]
    trained.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    again.compile("adam", "adam", run_eagerly=True)
    assert np.isfinite(again.train_on_batch(X)).all()


REFUSALS = {
    "one object": (
        lambda: gan(*[keras.optimizers.Adam()] * 2),
        "create two optimizers",
    ),
    "unknown name": (lambda: gan("adamm"), "adamm"),
    "no labels": (lambda: gan(conditional=True).train_on_batch(X), "no labels"),
    "weights": (
        lambda: gan().train_on_batch(X, Y, sample_weight=np.ones(20)),
        "samples equally",
    ),
    "class weights": (
        lambda: gan().fit(X, Y, class_weight={0: 1, 1: 1, 2: 1, 3: 2}, verbose=0),
        "samples equally",
    ),
    "no inputs": (
        lambda: AdversarialModel(
            keras.Sequential([keras.layers.Dense(2)]), networks()[1], HingeGAN()
        ),
        "keras.Input",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refuses(name):
    act, message = REFUSALS[name]
    with pytest.raises(ValueError, match=message):
        act()


def test_compile_refuses_a_loss():
    with pytest.raises(TypeError, match="loss"):
        gan(loss="mse")


# What optimizers and layers may do.


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"gradient_accumulation_steps": 2},
        {"clipnorm": 0.1},
        {"global_clipnorm": 0.1},
        {"use_ema": True},
    ],
    ids=str,
)
def test_options_of_optimizers_work_for_both_players(options):
    trained = gan(SGD(0.1, **options), keras.optimizers.SGD(0.1, **options))
    assert_finite(trained, trained.fit(X, batch_size=10, verbose=0))
    steps = 2 // options.get("gradient_accumulation_steps", 1)
    assert [int(o.iterations) for o in trained.optimizers] == [steps, steps]


@pytest.mark.slow
def test_averages_replace_the_weights_at_the_end_of_fit():
    averaging = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    trained = gan(SWA(SGD(0.1), average_period=1), averaging)
    trained.fit(X, batch_size=5, verbose=0)
    generator, critic = trained.optimizers
    for weight, (_, average) in zip(
        trained.generator.trainable_variables, generator.weights_and_slots()
    ):
        np.testing.assert_array_equal(*numbers([weight, average]))
    averages = [v for v in critic.variables if v.name.endswith("average")]
    pairs = zip(trained.critic.trainable_variables, averages, strict=True)
    for weight, average in pairs:
        np.testing.assert_array_equal(*numbers([weight, average]))


def frozen_before(part):
    made = AdversarialModel(*networks(), HingeGAN())
    getattr(made, part).trainable = False
    made.compile("adam", "adam", run_eagerly=True)
    return made


def frozen_after(part):
    made = gan()
    made.train_on_batch(X)
    getattr(made, part).trainable = False
    return made


@pytest.mark.parametrize("part", ["generator", "critic"])
@pytest.mark.parametrize("make", [frozen_before, frozen_after])
def test_a_frozen_player_keeps_its_weights_and_the_other_one_learns(make, part):
    trained = make(part)
    other = {"generator": "critic", "critic": "generator"}[part]
    watched = {
        name: getattr(trained, name).layers[1].weights[:1] for name in (part, other)
    }
    before = {name: numbers(weights)[0] for name, weights in watched.items()}
    assert np.isfinite(trained.train_on_batch(X)).all()
    changed = {
        name: (before[name] != numbers(weights)[0]).any()
        for name, weights in watched.items()
    }
    assert changed == {part: False, other: True}


@pytest.mark.slow
def test_batches_one_by_one_answer_with_both_losses():
    trained = gan(conditional=True)
    names = {"critic_loss", "generator_loss"}
    assert len(trained.train_on_batch(X, Y)) == len(trained.test_on_batch(X, Y)) == 2
    assert set(trained.train_on_batch(X, Y, return_dict=True)) == names
    assert set(trained.evaluate(X, Y, verbose=0, return_dict=True)) == names


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"steps_per_execution": 2}, {"jit_compile": True}])
def test_compiled_steps_train(options):
    made = AdversarialModel(*networks(), HingeGAN(), critic_steps=2)
    made.compile("adam", "adam", **options)
    if IS_TORCH and "steps_per_execution" in options:
        with pytest.raises(ValueError, match="must be 1 with the PyTorch"):
            made.fit(X, verbose=0)
    elif not IS_TORCH:
        assert_finite(made, made.fit(X, batch_size=10, verbose=0))


# Files.


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="writes a SavedModel"
)
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("trained", [False, True])
def test_an_exported_model_maps_latent_vectors_to_samples(
    conditional, trained, tmp_path
):
    import tensorflow as tf

    made = gan(conditional=conditional)
    if trained:
        made.train_on_batch(X, Y)
    made.export(tmp_path / "exported", verbose=False)
    z = array(7, 3)
    inputs = [z, np.arange(7, dtype="int32") % 4] if conditional else z
    expected = made.predict(inputs, verbose=0)
    loaded = tf.saved_model.load(tmp_path / "exported")
    served = loaded.serve(keras.tree.map_structure(tf.constant, inputs))
    np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-6)
    made.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.predict(inputs, verbose=0), expected)
