"""Training a Keras model for a number of gradient steps, and its test figures."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from cookbook.lab.digits import Part, shuffled
from cookbook.training.train import seed_everything, suit_backend
from custom_layers.optimizers import SWA, ScheduleFreeAdamW

TO_COMPILE = 20  # steps that compile a model's training step before it is timed
AT_ONCE = 1000  # examples that a model answers at once


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


def start_anew(model: keras.Model, fresh: keras.Model) -> None:
    """Gives a compiled model the weights and the optimizer's state of a fresh one.

    Both models were built and compiled alike. The first one keeps the program of its
    training step, which takes longer to compile than a small network to train.
    """
    pairs = [(model.weights, fresh.weights)]

    for each in (model, fresh):
        each.optimizer.build(each.trainable_variables)

    pairs.append((model.optimizer.variables, fresh.optimizer.variables))

    for variables, others in pairs:
        for variable, other in zip(variables, others, strict=True):
            variable.assign(keras.ops.copy(other.value))


def timed_steps(model: keras.Model, x, y, batch_size: int, **options: Any) -> float:
    """Takes a gradient step on each batch of the examples; returns seconds per step.

    These are seconds of the processor, so that other programs do not count. The first
    call for a compiled model also compiles its training step. options: of `fit`.
    """
    suit_backend(model)
    began = time.process_time()
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0, **options)

    return (time.process_time() - began) / -(-len(x) // batch_size)


def in_passes(part: Part, batch_size: int, steps: int, seed: int) -> Part:
    """(x, y) of so many steps, one after the other: every example once per pass."""
    x, y = part
    rows = shuffled(len(x), batch_size, steps, seed).ravel()

    return x[rows], y[rows]


def mixed(
    layer: keras.layers.Layer, x: np.ndarray, y: np.ndarray, batch_size: int
) -> list[np.ndarray]:
    """[images, labels] after a layer that mixes the examples of each batch."""
    batches = []

    for place in range(0, len(x), batch_size):
        rows = slice(place, place + batch_size)
        batch = layer({"images": x[rows], "labels": y[rows]}, training=True)
        batches.append([keras.ops.convert_to_numpy(part) for part in batch.values()])

    return [np.concatenate(parts) for parts in zip(*batches)]


def trainings(
    build: Callable[[], keras.Model],
    examples: Callable[[int], Part],
    config: Any,
) -> Iterator[tuple[keras.Model, float]]:
    """Trains a network once for each seed, with one compiled step for all of them.

    Args:
        build: makes a compiled network.
        examples: examples(seed) are the (x, y) of all steps, one after the other.
        config: a Config with the fields batch_size, seed (the first one) and repeats.

    Yields:
        (the trained model, seconds per step) after each training. The next one changes
        the same model.
    """
    size = config.batch_size
    model = build()
    x, y = examples(config.seed)
    few = TO_COMPILE * size
    timed_steps(model, x[:few], y[:few], size)

    for seed in range(config.seed, config.seed + config.repeats):
        x, y = examples(seed)
        seed_everything(seed)
        start_anew(model, build())
        yield model, timed_steps(model, x, y, size)


def averaged(model: keras.Model) -> Callable:
    """The model with the weights that its optimizer answers with: some keep a mean."""
    optimizer = model.optimizer
    weights = model.trainable_variables

    if isinstance(optimizer, ScheduleFreeAdamW):
        weights = [optimizer.average_of(w) for w in weights]
    if isinstance(optimizer, SWA) and optimizer.iterations > optimizer.start_averaging:
        weights = [average for _, average in optimizer.weights_and_slots()]

    def answer(x):
        outputs, _ = model.stateless_call(weights, model.non_trainable_variables, x)
        return outputs

    return answer


def accuracy_of(model: keras.Model, x, y) -> float:
    """Share of the examples x for which the largest output is that of the class y."""
    parts = np.array_split(x, -(-len(x) // AT_ONCE))
    answers = [keras.ops.convert_to_numpy(model(part)).argmax(-1) for part in parts]
    return float(np.mean(np.concatenate(answers) == y))


def loss_and_accuracy(
    model: Callable, x, y, loss: keras.losses.Loss
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


def losses_by_place(model: keras.Model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The cross-entropy (T,) at each place of texts, as the mean over the texts."""
    logits = model(x)
    losses = keras.ops.sparse_categorical_crossentropy(y, logits, from_logits=True)

    return keras.ops.convert_to_numpy(losses).mean(0)
