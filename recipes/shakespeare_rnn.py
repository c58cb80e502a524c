"""Shakespeare, character by character, with LSTM, GRU or minGRU layers.

    python recipes/shakespeare_rnn.py --cell lstm
    python recipes/shakespeare_rnn.py --write "ROMEO:"    (once trained)

Recurrent layers read a window of text and predict the next character at each position.
New text is drawn one character at a time, while the states of the layers are kept.
Expected with GRU layers: a loss of 1.64 nats per character on the test text (1.55 on
validation text) after 196 s of processor time. LSTM layers reach 1.74 (1.67).

Papers: Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness; Graves, "Generating sequences
with recurrent neural networks", 2013, https://arxiv.org/abs/1308.0850
"""

from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN saves a sixth of the time of a step

import keras

from cookbook.answers.decoders import decoder_with_states
from cookbook.answers.load import print_answer
from cookbook.answers.writers import write_on
from cookbook.config import BatchSize, Count, Depth, Portion, Rate, Size, TrainingConfig
from cookbook.data.batches import training_steps
from cookbook.data.text.characters import Characters, load_characters
from cookbook.reports.finish import Run
from cookbook.reports.language_model import report_language_model
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import GRU, LSTM, Dense, Dropout, Embedding, MinGRU
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

CELLS = {"lstm": LSTM, "gru": GRU, "mingru": MinGRU}
EXPECTED = {"tiny_shakespeare": (1.637, 0.03)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    cell: Literal["lstm", "gru", "mingru"] = "gru"  # kind of the recurrent layers
    epochs: Count = 3  # passes over the windows; each pass reads the text twice
    context: Size = 128  # characters in a window
    layers: Depth = 2  # recurrent layers
    units: Size = 256  # units of each recurrent layer
    dropout: Portion = 0.1  # share of each layer's outputs set to zero in training
    batch_size: BatchSize = 64  # windows per step
    learning_rate: Rate = 4e-3  # highest learning rate, at the end of the warm-up
    write: str | None = None  # do not train: continue this text with the newest run

    in_quick = {"units": 64, "layers": 1, "context": 32, "batch_size": 8}


def space(hp) -> Config:
    return Config(
        cell=hp.Choice("cell", ["lstm", "gru"]),
        units=hp.Choice("units", [128, 192, 256]),
        dropout=hp.Float("dropout", 0.0, 0.3, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def build(config: Config, data: Characters) -> keras.Model:
    layer = CELLS[config.cell]
    tokens = keras.Input((None,), dtype="int32")
    x = Embedding(len(data.alphabet), 64)(tokens)  # B, T, 64
    for _ in range(config.layers):
        x = layer(config.units, return_sequences=True)(x)  # B, T, units
        x = Dropout(config.dropout)(x)
    logits = Dense(len(data.alphabet), dtype="float32")(x)  # B, T, alphabet
    model = keras.Model(tokens, logits)
    steps = training_steps(config, len(data.train[0]), least=20)
    model.compile(
        optimizer=Adam(
            OneCycle(config.learning_rate, steps, pct_start=0.1),
            beta_2=0.99,
            global_clipnorm=1.0,
        ),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def main(config: Config) -> Run | None:
    if config.write is not None:
        print_answer("shakespeare_rnn", config, "language model", seed=config.seed)
        return None
    data = load_characters(
        config.data, "tiny_shakespeare", config.context, config.quick
    )
    run = RunFolder.open("shakespeare_rnn", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    text = write_on(
        decoder_with_states(model),
        data.opening,
        100 if config.quick else 500,
        data.alphabet,
        config.context,
        config.seed,
    )
    return report_language_model(model, data, history, run, EXPECTED, text)


if __name__ == "__main__":
    launch(main, Config)
