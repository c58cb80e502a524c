"""Early stopping: when a training should end, what patience costs, which weights count.

    python recipes/early_stopping.py
    python recipes/early_stopping.py --examples 100 --patience 20

How many epochs are enough? A network learns 200 digits, of which a fifth have a wrong
label, and its loss on validation digits falls and rises again. The callback
EarlyStopping ends the training there. It is compared with trainings of a fixed length,
with more and less patience, and with labels that are all right.
Expected, in a minute: early stopping takes a fifth of 100 epochs and gains 14 points
of accuracy; the best weights lead the last ones by 3 points. Two common beliefs did not
hold here: patience gains nothing (one epoch is enough), and where no label is wrong,
training on and on costs no accuracy.
Paper: Prechelt, "Early stopping - but when?", 1998.
https://doi.org/10.1007/3-540-49430-8_3
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Between, Count, ExperimentConfig, Rate, Repeats, Share, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import Part, mislabel, small_digits
from cookbook.lab.pictures import draw_panels
from cookbook.lab.training import loss_and_accuracy
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, suit_backend
from custom_layers.callbacks import EarlyStopping
from custom_layers.layers import Dense
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD

LOSS = SparseCategoricalCrossentropy(from_logits=True)
PATIENCES = (1, 2, 3, 5, 10, 15, 20, 30)  # epochs without a lower validation loss


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Annotated[int, Between(20, 500)] = 200  # digits to learn
    # share of them, and of the validation digits, that gets a wrong label
    wrong: Share = 0.2
    units: Size = 128  # units in each of two hidden layers
    epochs: Count = 100  # passes over the digits, unless the training ends early
    patience: Count = 10  # epochs without a lower validation loss before the end
    learning_rate: Rate = 0.02  # step size of gradient descent with momentum 0.9
    # trainings with different seeds, which are averaged
    repeats: Repeats = 3

    in_quick = {"epochs": 40, "repeats": 1}


@dataclass(frozen=True)
class Curves:
    """What a training has reached after each of its epochs."""

    learned: np.ndarray  # loss of the digits that it learns, wrong labels included
    validation: np.ndarray  # loss of the validation digits
    test: np.ndarray  # loss of the test digits, whose labels are all right
    accuracy: np.ndarray  # share of the test digits that it tells


def split(config: Config, wrong: float, seed: int) -> list[Part]:
    """(x, y) to learn, 200 digits to validate, and all others to test."""
    x, y = (np.concatenate(parts) for parts in zip(*small_digits(seed)))
    cuts = config.examples, config.examples + 200
    learned, validation, test = np.split(y, cuts)

    rng = np.random.default_rng(seed)

    labels = mislabel(learned, wrong, rng), mislabel(validation, wrong, rng), test

    return list(zip(np.split(x, cuts), labels))


def build(config: Config) -> keras.Model:
    model = keras.Sequential([keras.Input((64,))])

    for _ in range(2):
        model.add(Dense(config.units, "relu"))

    model.add(Dense(10))
    optimizer = SGD(config.learning_rate, momentum=0.9)
    model.compile(optimizer, LOSS, steps_per_execution=10, jit_compile=False)
    suit_backend(model)

    return model


def train(config: Config, wrong: float, seed: int, *callbacks) -> Curves:
    """The curves of one training; the last entry of `test` is that of its weights."""
    learned, validation, test = split(config, wrong, seed)
    seed_everything(seed)
    model = build(config)
    figures = []

    def measure(epoch=None, logs=None):
        figures.append(loss_and_accuracy(model, *test, LOSS))

    history = model.fit(
        *learned,
        batch_size=20,
        epochs=config.epochs,
        validation_data=validation,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=measure), *callbacks],
        verbose=0,
    ).history

    measure()
    losses = np.array(history["loss"]), np.array(history["val_loss"])

    return Curves(*losses, *np.transpose(figures))


def end(losses: np.ndarray, patience: int) -> list[int]:
    """[last, best]: the epochs, counted from 0, that EarlyStopping would choose."""
    stop = EarlyStopping(patience=patience, mode="min")
    stop.set_model(SimpleNamespace(stop_training=False))
    stop.on_train_begin()

    for epoch, loss in enumerate(losses):
        stop.on_epoch_end(epoch, {"val_loss": loss})
        if stop.model.stop_training:
            break

    return [epoch, int(losses[: epoch + 1].argmin())]


def at_ends(found: list[Curves], figure: str, patience: int) -> np.ndarray:
    """The mean of a figure (with the last weights, with the best ones)."""
    ends = [end(curves.validation, patience) for curves in found]

    return np.mean([getattr(c, figure)[e] for c, e in zip(found, ends)], 0)


def draw_curves(headings: dict[str, Curves], config: Config, run: RunFolder) -> None:
    panels = {}

    for heading, curves in headings.items():
        last, best = end(curves.validation, config.patience)
        epochs = np.arange(len(curves.learned)) + 1
        panels[heading] = {
            "training": (epochs, curves.learned),
            "validation": (epochs, curves.validation),
            "test": (epochs, curves.test[:-1]),
            "best weights": ([best + 1, best + 1], [0, 2]),
            "end of the training": ([last + 1, last + 1], [0, 2]),
        }

    title = "Wrong labels are learned by heart after what is true: stop in between"
    draw_panels(panels, title, "epoch", "loss", run, "curves.png", ylim=(0, 2.5))


def draw_patience(found: list[Curves], run: RunFolder) -> None:
    last, best = np.transpose([at_ends(found, "accuracy", p) for p in PATIENCES])
    full = np.mean([curves.accuracy[-1] for curves in found])

    lines = {
        "weights of the best epoch": (PATIENCES, 100 * best),
        "weights of the last epoch": (PATIENCES, 100 * last),
        "all epochs": (PATIENCES, np.full(len(PATIENCES), 100 * full)),
    }

    title = "Where the best weights are restored, patience costs time alone"
    labels = "patience (epochs without a lower loss)", "test accuracy (%)"
    draw_lines(lines, title, *labels, run, "patience.png")


def claims_of_stopping(noisy: list[Curves], clean: list[Curves], config: Config):
    """What holds for early stopping in comparison with all epochs."""
    wait = config.patience

    ends = np.array([end(curves.validation, wait) for curves in noisy])
    last, best = at_ends(noisy, "accuracy", wait)
    _, least = at_ends(noisy, "validation", wait)
    rise = np.mean([curves.validation[-1] for curves in noisy]) / least

    taken = (ends[:, 0] + 1).mean() / config.epochs
    full, full_clean = (np.mean([c.accuracy[-1] for c in x]) for x in (noisy, clean))
    most = np.mean([curves.accuracy.max() for curves in noisy])
    hasty = at_ends(noisy, "accuracy", 1)[1]
    gain_clean = at_ends(clean, "accuracy", wait)[1] - full_clean

    return [
        Claim("Validation loss ends {} times as high as it was", rise, at_least=1.3),
        Claim("Early stopping takes {percent} of the epochs", taken, at_most=0.6),
        Claim("Early stopping gains {points} of accuracy", best - full, at_least=0.03),
        Claim("The best weights lead the last by {points}", best - last, at_least=0),
        Claim("A patience of 1 costs {points}", best - hasty, at_most=0.02),
        Claim("The best epoch of all is {points} better", most - best, at_most=0.03),
        Claim("Where no label is wrong, it gains {points}", gain_clean, at_most=0.01),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("early_stopping", config)
    seeds = range(config.seed, config.seed + config.repeats)
    noisy = [train(config, config.wrong, seed) for seed in seeds]
    clean = [train(config, 0, seed) for seed in seeds]
    wrong = f"{config.wrong:.0%} wrong labels"
    draw_curves({wrong: noisy[0], "no wrong labels": clean[0]}, config, run)
    draw_patience(noisy, run)

    # The first training once more, which the callback really ends
    stop = EarlyStopping(patience=config.patience, restore_best_weights=True)
    ended = train(config, config.wrong, config.seed, stop)
    _, best = end(noisy[0].validation, config.patience)
    gap = abs(ended.test[-1] - noisy[0].test[best])
    text = "The callback restores the weights of the best epoch, within {}"
    claims = claims_of_stopping(noisy, clean, config)

    return conclude(run, [*claims, Claim(text, gap, at_most=1e-6)])


if __name__ == "__main__":
    launch(main, Config)
