"""Shakespeare, character by character, with LSTM or GRU layers.

    python recipes/shakespeare_rnn.py --cell lstm
    python recipes/shakespeare_rnn.py --write "ROMEO:"    (once trained)

Recurrent layers read a window of text and predict at each character the next one;
text is drawn one character at a time, the layers' states going along. Expected: a test
loss of 1.64 (validation 1.55) in 7 minutes of processor time; LSTM layers had 1.74
(validation 1.67).
Papers: Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness; Graves, "Generating sequences
with recurrent neural networks", 2013, https://arxiv.org/abs/1308.0850
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__, onednn=True)  # a sixth off a step's time

import keras
from keras import ops

from cookbook.config import Count, Rate, Share, TrainingConfig
from cookbook.data.text.characters import load_characters
from cookbook.reports.language_model import report_language_model, write_on
from cookbook.trained.load import load_trained
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.generation import compiled
from custom_layers.layers import GRU, LSTM, Dense, Dropout, Embedding
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"tiny_shakespeare": (1.637, 0.03)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    cell: Literal["lstm", "gru"] = "gru"  # kind of the recurrent layers
    epochs: Count = 3  # passes over the windows: two over the text each
    context: Count = 128  # characters in a window
    layers: Count = 2  # recurrent layers
    units: Count = 256  # of each layer
    dropout: Share = 0.1  # of what the layers put out
    batch_size: Count = 64  # windows a step
    learning_rate: Rate = 4e-3  # peak, after the warm-up
    write: str | None = None  # do not train: go on from this text with a finished run


def space(hp):
    return Config(
        cell=hp.Choice("cell", ["lstm", "gru"]),
        units=hp.Choice("units", [128, 192, 256]),
        dropout=hp.Float("dropout", 0.0, 0.3, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def build(config, data):
    layer = {"lstm": LSTM, "gru": GRU}[config.cell]
    tokens = keras.Input((None,), dtype="int32")
    x = Embedding(len(data.alphabet), 64)(tokens)  # B, T, 64
    for _ in range(config.layers):
        x = layer(config.units, return_sequences=True)(x)  # B, T, units
        x = Dropout(config.dropout)(x)
    logits = Dense(len(data.alphabet))(x)  # B, T, alphabet
    model = keras.Model(tokens, logits)
    steps = max(20, config.epochs * (len(data.train[0]) // config.batch_size))
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


def decoder(model):
    """model, token by token: a function from (prompt, length) to what `sample` wants.

    The cells are the trained ones; their states carry all that was read.
    """
    recurrent = [x for x in model.layers if isinstance(x, (LSTM, GRU))]

    @compiled
    def next_logits(tokens, index, states):
        x, new = ops.convert_to_tensor(tokens)[:, index], []  # B
        for layer in model.layers[1:]:
            if layer in recurrent:
                x, state = layer.cell(x, states[len(new)])
                new.append(state)
            else:
                x = layer(x)
        return x, new  # (B, alphabet), states

    def start(prompt, length):
        states = [x.cell.get_initial_state(len(prompt)) for x in recurrent]
        states = [x if isinstance(x, list) else [x] for x in states]
        for index in range(prompt.shape[1] - 1):  # all but its last token
            _, states = next_logits(prompt, index, states)
        return next_logits, states

    return start


def main(config):
    if config.write is not None:
        model, known = load_trained("shakespeare_rnn", config, "alphabet.json")
        print(write_on(decoder(model), config.write, 500, **known, seed=config.seed))
        return
    if config.quick:
        small = {"units": 64, "layers": 1, "context": 32, "batch_size": 8}
        config = dataclasses.replace(config, **small)
    data = load_characters(
        config.data, "tiny_shakespeare", config.context, config.quick
    )
    run = RunFolder.open("shakespeare_rnn", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    known = {"alphabet": data.alphabet, "context": config.context}
    run.write_json("alphabet.json", known)
    length = 100 if config.quick else 500
    text = write_on(decoder(model), "ROMEO:", length, **known, seed=config.seed)
    return report_language_model(model, data, history, run, EXPECTED, text)


if __name__ == "__main__":
    launch(main, Config)
