"""Strings of spoken digits, written down by an LSTM that learns with CTC.

    python recipes/digit_strings_ctc.py
    python recipes/digit_strings_ctc.py --beam-width 1

Three to seven recordings of one speaker follow each other with pauses of 20 to 300 ms,
in noise that is 15 to 40 dB below them. The labels say which digits a string holds, and
not when they are said: connectionist temporal classification (CTC) sums over all times.
A bidirectional LSTM rates the ten digits and a blank every 64 ms, and a beam search
finds the likeliest string. A plain method stands beside it: cut the sound where it is
silent, and name the pieces by logistic regression. Expected: all of the 1,000 test
strings are right, after 220 s of processor time; of the plain method, 21 % are.

Papers: Graves, Fernandez, Gomez, Schmidhuber, "Connectionist temporal classification",
2006, https://doi.org/10.1145/1143844.1143891; Graves, Jaitly, "Towards end-to-end
speech recognition with recurrent neural networks", 2014,
https://proceedings.mlr.press/v32/graves14.html
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras
import numpy as np

from cookbook.config import (
    BatchSize,
    Between,
    Count,
    Filters,
    Portion,
    Rate,
    Repeats,
    Size,
    TrainingConfig,
)
from cookbook.data.batches import training_steps
from cookbook.data.sounds.digit_strings import Strings, load_strings
from cookbook.plots.figures import draw_curves
from cookbook.reports.finish import Run, finish
from cookbook.reports.sounds.pictures import draw_alignments
from cookbook.reports.sounds.stretches import named_pieces
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.generation import ctc_align, ctc_decode
from custom_layers.initializers import HeNormal
from custom_layers.layers import (
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    MaxPooling2D,
    MelSpectrogram,
    RandomErasing,
    ReLU,
)
from custom_layers.losses import CTC
from custom_layers.metrics import edit_distance, label_error_rate
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import WarmupCosine

BANDS = 40  # of pitches
HOP = 128  # samples from one frame of a spectrogram to the next
EXPECTED = {"spoken_digit": (1.0, 0.01)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 10  # passes over the training set
    strings: Count = 4_000  # strings in the training set
    longest: Annotated[int, Between(1, 20)] = 7  # digits of the longest string
    filters: Filters = 16  # filters of convolution 1; the next have 2 and 3 times that
    units: Size = 96  # units of the LSTM, in each direction
    dropout: Portion = 0.3  # share of the features set to zero in training
    beam_width: Repeats = 10  # strings that the beam search keeps at each step
    batch_size: BatchSize = 32  # strings per step
    learning_rate: Rate = 4e-3  # highest learning rate, at the end of the warm-up

    in_quick = {
        "epochs": 7,
        "strings": 400,
        "longest": 3,
        "filters": 12,
        "units": 48,
        "batch_size": 8,
    }


def space(hp) -> Config:
    return Config(
        filters=hp.Choice("filters", [12, 16, 24]),
        units=hp.Choice("units", [64, 96, 128]),
        dropout=hp.Float("dropout", 0.1, 0.5, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 8e-3, sampling="log"),
    )


def spectrogram(data: Strings) -> list:
    """Layers without weights: how loud each band is, -1 for silence, up to 2."""
    return [
        keras.Input((data.samples,)),
        MelSpectrogram(  # BANDS, T; in decibels
            2 * HOP,
            HOP,
            sampling_rate=data.rate,
            num_mel_bins=BANDS,
            top_db=1000.0,  # out of reach: min_power is the floor
            min_power=0.01,
        ),
        keras.layers.Rescaling(1 / 20),
    ]


def convolution(filters: int, pool: tuple[int, int]) -> list:
    return [
        Conv2D(
            filters, 3, padding="same", use_bias=False, kernel_initializer=HeNormal()
        ),
        BatchNormalization(momentum=0.9),
        ReLU(),
        MaxPooling2D(pool),
    ]


def build(config: Config, data: Strings) -> keras.Model:
    C = config.filters
    model = keras.Sequential(
        [
            *spectrogram(data),
            keras.layers.Reshape((BANDS, -1, 1)),
            RandomErasing(scale=(0.01, 0.15), fill_value=-1.0, value_range=(-1, 2)),
            *convolution(C, (2, 2)),
            *convolution(2 * C, (2, 2)),
            *convolution(3 * C, (2, 1)),  # BANDS / 8, T / 4, 3 C
            keras.layers.Permute((2, 1, 3)),
            keras.layers.Reshape((-1, BANDS // 8 * 3 * C)),
            Dropout(config.dropout),
            Bidirectional(LSTM(config.units, return_sequences=True)),
            Dropout(config.dropout),
            Dense(1 + len(data.classes), dtype="float32"),  # the blank comes first
        ]
    )
    steps = training_steps(config, len(data.train[1]))
    model.compile(
        optimizer=Adam(WarmupCosine(config.learning_rate, steps), global_clipnorm=1.0),
        loss=CTC(),
        metrics=[label_error_rate],
        jit_compile=False,
    )
    return model


def answers_of(network: keras.Model, sounds) -> np.ndarray:
    """What a network makes of sounds, 50 of them at a time."""
    starts = range(0, len(sounds), 50)
    parts = [network.predict_on_batch(sounds[i : i + 50]) for i in starts]
    return np.concatenate(parts)


def report(
    config: Config,
    model: keras.Model,
    data: Strings,
    history: list[dict],
    run: RunFolder,
) -> Run:
    """The share of test strings that are right, the pictures, and `finish`."""
    x, y = data.test
    logits = answers_of(model, x)  # N, T / 4, labels
    length = np.full(len(y), logits.shape[1])
    beam, _ = ctc_decode(logits, length, "beam_search", config.beam_width)
    greedy, _ = ctc_decode(logits, length)
    see = keras.Sequential(spectrogram(data))
    plain = named_pieces(
        answers_of(see, data.train[0][:500]),
        data.spans["train"] // HOP,
        data.train[1],
        answers_of(see, x),
    )
    answers = {"beam search": beam[0], "greedy": greedy[0], "cut at silence": plain}
    errors = {name: np.array(edit_distance(y, a)) for name, a in answers.items()}

    figures = {
        f"test whole strings, {name}": float(np.mean(wrong == 0))
        for name, wrong in errors.items()
    }
    figures["test digits wrong, beam search"] = float(
        errors["beam search"].sum() / (y > 0).sum()
    )

    draw_curves(history, run)
    seconds = data.samples / data.rate
    heard = np.array(ctc_align(y[:4], logits[:4]))
    spans = data.spans["test"][:4] / data.rate
    pictures = answers_of(see, x[:4])
    draw_alignments(pictures, heard, spans, data.classes, seconds, run)
    return finish(model, data, history, run, figures, EXPECTED)


def main(config: Config) -> Run:
    data = load_strings(
        config.data, config.strings, config.longest, config.quick, config.seed
    )
    run = RunFolder.open("digit_strings_ctc", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report(config, model, data, history, run)


if __name__ == "__main__":
    launch(main, Config)
