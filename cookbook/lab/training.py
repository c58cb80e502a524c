"""Training a Keras model for a number of gradient steps, and its test figures."""

import keras
import numpy as np

from cookbook.training.train import suit_backend


def take_steps(
    model: keras.Model,
    x,
    y,
    steps: int,
    batch_size: int | None = None,
    seed: int = 0,
) -> None:
    """Takes `steps` gradient steps of a compiled model, each on a random batch.

    All steps together are a single epoch of `fit`: at an experiment's sizes most of the
    time would go into what Keras does between epochs.

    Args:
        model: a compiled model.
        x: inputs.
        y: targets, or a list with the targets of each output.
        steps: how many steps to take.
        batch_size: examples per step; without it each step sees all examples.
        seed: random seed of the batches.
    """
    if batch_size is None:
        batch_size = len(x)
        rows = np.tile(np.arange(len(x)), steps)
    else:
        rng = np.random.default_rng(seed)
        rows = rng.integers(len(x), size=steps * batch_size)

    x = x[rows]
    y = [part[rows] for part in y] if isinstance(y, list) else y[rows]
    suit_backend(model)
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)


def accuracy_of(model: keras.Model, x, y) -> float:
    """Share of the examples x for which the largest output is that of the class y."""
    answers = keras.ops.convert_to_numpy(model(x)).argmax(-1)
    return float(np.mean(answers == y))


def loss_and_accuracy(
    model: keras.Model, x, y, loss: keras.losses.Loss
) -> tuple[float, float]:
    """(loss of the model's logits without any penalty, share of right answers)

    Args:
        model: a model of logits.
        x: inputs.
        y: classes, (B,), or one-hot, (B, C), as the loss wants them.
        loss: a loss that is averaged over the examples.
    """
    logits = keras.ops.convert_to_numpy(model(x))
    classes = y if y.ndim == 1 else y.argmax(-1)
    is_right = logits.argmax(-1) == classes
    return float(loss(y, logits)), float(np.mean(is_right))
