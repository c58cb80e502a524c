"""Callbacks: the same epochs, learning rates and weights as Keras's, and where not."""

import keras
import numpy as np
import pytest

from custom_layers.callbacks import (
    AverageModelCheckpoint,
    EarlyStopping,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TimeStopping,
)
from custom_layers.optimizers import SWA, MovingAverage
from oracle import array

X = array(16, 3)
Y = array(16, 1, seed=1)


def network():
    """A small model with known weights."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def compiled(optimizer="sgd"):
    model = network()
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


class Script(keras.callbacks.Callback):
    """Reports the figures of a list, an epoch each, as val_loss and as val_score."""

    def __init__(self, figures):
        super().__init__()
        self.figures = figures

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = logs["val_score"] = self.figures[epoch]


def follow(callback, figures, optimizer="sgd"):
    """(history, weights) of a training whose figures are given."""
    model = compiled(optimizer)
    callback = [Script(figures), callback]
    history = model.fit(
        X, Y, batch_size=8, epochs=len(figures), verbose=0, callbacks=callback
    )
    return history.history, model.get_weights()


FIGURES = [5.0, 4.0, 3.9, 4.2, 4.1, 3.0, 3.5, 3.6, 3.7, 3.8]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"patience": 3, "restore_best_weights": True},
        {"patience": 2, "min_delta": 0.5, "restore_best_weights": True},
        {"patience": 2, "monitor": "val_score", "mode": "max"},
        {"patience": 3, "baseline": 3.2},
        {"patience": 3, "baseline": 1.0, "restore_best_weights": True},
        {"patience": 1, "start_from_epoch": 5, "restore_best_weights": True},
    ],
)
def test_early_stopping_ends_where_keras_ends(options):
    ours = EarlyStopping(**options)
    theirs = keras.callbacks.EarlyStopping(**options)
    history, weights = follow(ours, FIGURES)
    expected_history, expected_weights = follow(theirs, FIGURES)
    assert history["val_loss"] == expected_history["val_loss"]
    for value, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(value, expected)
    for name in ("stopped_epoch", "best_epoch", "best", "wait"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_a_first_epoch_of_nan_is_not_the_best_one():
    figures = [float("nan"), 3.0, 2.0, 2.5, 2.5, 2.5]
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    follow(stop, figures)
    assert (stop.best_epoch, stop.stopped_epoch, stop.best) == (2, 4, 2.0)
    theirs = keras.callbacks.EarlyStopping(patience=2)
    follow(theirs, figures)
    assert np.isnan(theirs.best)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "factor": 0.2, "min_lr": 1e-3},
        {"patience": 1, "min_delta": 0.3},
        {"patience": 2, "monitor": "val_score", "mode": "max"},
    ],
)
def test_the_learning_rate_falls_where_keras_lets_it_fall(options):
    history, _ = follow(ReduceLROnPlateau(**options), FIGURES)
    expected, _ = follow(keras.callbacks.ReduceLROnPlateau(**options), FIGURES)
    assert len(set(history["learning_rate"])) > 1
    np.testing.assert_allclose(history["learning_rate"], expected["learning_rate"])


def test_a_schedule_and_a_factor_of_one_are_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        follow(ReduceLROnPlateau(patience=1), FIGURES, keras.optimizers.SGD(decay))
    with pytest.raises(ValueError, match="`factor` must be below 1"):
        ReduceLROnPlateau(factor=1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience="two"), "`patience` .*patience=two"),
        (lambda: ReduceLROnPlateau(patience=-1), "`patience` .*at least 0"),
        (lambda: ReduceLROnPlateau(factor=-0.5), "`factor` .*factor=-0.5"),
        (lambda: TimeStopping("1 h"), "`seconds` .*seconds=1 h"),
        (lambda: TimeStopping(float("nan")), "`seconds` .*seconds=nan"),
    ],
)
def test_what_is_no_number_from_zero_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_model_without_optimizer_has_no_averages():
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="keeps no average"):
        plain.predict(np.ones((2, 1)), verbose=0, callbacks=[SwapEMAWeights()])


def test_auto_asks_the_metric_and_says_when_it_cannot_tell():
    stop = EarlyStopping("mae")
    compiled().fit(X, Y, epochs=1, verbose=0, callbacks=[stop])
    assert stop.direction() == "min"
    with pytest.raises(ValueError, match="Pass mode='max' or mode='min'"):
        follow(EarlyStopping("val_score"), FIGURES)
    with pytest.raises(ValueError, match="`mode`"):
        EarlyStopping(mode="best")


def test_a_figure_that_is_not_reported_is_named():
    stop = EarlyStopping("val_accuracy")
    with pytest.warns(UserWarning, match="watches 'val_accuracy'.*It reports: loss"):
        compiled().fit(X, Y, epochs=1, verbose=0, callbacks=[stop])


def test_time_stops_the_training_after_a_whole_epoch(capsys):
    limit = TimeStopping(seconds=1e-9, verbose=1)
    history = compiled().fit(X, Y, epochs=5, verbose=0, callbacks=[limit])
    assert len(history.epoch) == 1
    assert "Training ended after epoch 1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`seconds` must be above 0"):
        TimeStopping(seconds=0)


AVERAGING = {
    "ema": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    "moving": lambda: MovingAverage(keras.optimizers.SGD(0.1), average_decay=0.5),
    "swa": lambda: SWA(keras.optimizers.SGD(0.1), average_period=1),
}


def kernel_in(path):
    model = network()
    model.load_weights(path)
    return model.get_weights()[0]


@pytest.mark.parametrize("kind", AVERAGING)
@pytest.mark.parametrize("update_weights", [True, False])
def test_a_checkpoint_holds_the_average(kind, update_weights, tmp_path):
    path = str(tmp_path / "{epoch}.weights.h5")
    keeper = AverageModelCheckpoint(update_weights, path, save_weights_only=True)
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
    )
    model = compiled(AVERAGING[kind]())
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[note, keeper, note])
    before, after = seen[0], seen[1]
    saved = kernel_in(str(tmp_path / "1.weights.h5"))
    assert np.abs(saved - before).max() > 1e-4
    np.testing.assert_allclose(after, saved if update_weights else before, rtol=1e-6)


@pytest.mark.parametrize("kind", ["moving", "swa"])  # on JAX, Keras's ema cannot
def test_the_training_goes_on_from_the_average(kind, tmp_path):
    file = str(tmp_path / "average.weights.h5")
    keeper = AverageModelCheckpoint(True, file, save_weights_only=True)
    model = compiled(AVERAGING[kind]())
    for callback in (keeper, SwapEMAWeights(True)):
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])


def test_a_checkpoint_of_steps_holds_the_average_too(tmp_path):
    path = str(tmp_path / "step.weights.h5")
    keeper = AverageModelCheckpoint(False, path, save_weights_only=True, save_freq=2)
    model = compiled(AVERAGING["ema"]())
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[keeper])
    # Four steps: the last file was written after the fourth.
    np.testing.assert_allclose(kernel_in(path), model.get_weights()[0], rtol=1e-6)
    with pytest.raises(ValueError, match="keeps no average"):
        compiled().fit(X, Y, epochs=1, verbose=0, callbacks=[keeper])


@pytest.mark.parametrize("kind", AVERAGING)
def test_averages_are_judged_and_the_weights_come_back(kind):
    model = compiled(AVERAGING[kind]())
    for _ in range(3):  # and not `fit`, whose end leaves the average in the model
        model.train_on_batch(X, Y)
    weights = model.get_weights()
    plain = model.predict(X, verbose=0)
    averaged = model.predict(X, verbose=0, callbacks=[SwapEMAWeights()])
    assert np.abs(averaged - plain).max() > 1e-4
    for value, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(value, expected)
    loss = model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])[0]
    np.testing.assert_allclose(loss, np.mean((averaged - Y) ** 2), rtol=1e-5)


def test_swapping_on_epochs_leaves_the_averages_to_the_next_callback():
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
    )
    model = compiled(AVERAGING["ema"]())
    options = {"batch_size": 4, "epochs": 2, "verbose": 0}
    model.fit(X, Y, callbacks=[SwapEMAWeights(swap_on_epoch=True), note], **options)
    expected = seen.copy()
    np.testing.assert_array_equal(model.get_weights()[0], expected[-1])
    seen.clear()
    model = compiled(AVERAGING["ema"]())
    theirs = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    model.fit(X, Y, callbacks=[theirs, note], **options)
    np.testing.assert_allclose(expected, seen, rtol=1e-6)


@pytest.mark.one_backend
def test_the_averages_stay_where_a_later_callback_ends_the_training():
    seen = []

    def stop(epoch, logs):
        seen.append(model.get_weights()[0])
        model.stop_training = True

    model = compiled(AVERAGING["ema"]())
    last = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    swap = SwapEMAWeights(swap_on_epoch=True)
    model.fit(X, Y, batch_size=4, epochs=9, verbose=0, callbacks=[swap, last])
    np.testing.assert_array_equal(model.get_weights()[0], *seen)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras builds the optimizer early"
)
def test_there_are_no_averages_before_the_first_step():
    model = compiled(AVERAGING["ema"]())
    with pytest.raises(ValueError, match="train at least one step"):
        model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
