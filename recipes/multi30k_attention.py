"""German captions translated into English by GRUs with attention: 3.1 million weights.

    python recipes/multi30k_attention.py
    python recipes/multi30k_attention.py --attention luong
    python recipes/multi30k_attention.py --translate "Ein Hund."    (once trained)

A bidirectional GRU reads the German subwords; a second GRU writes the English ones and
looks back through attention. One table of vectors serves both languages and the output.
Expected: 37.8 BLEU on test_2016 in 21 minutes of processor time; bentrevett's
well-known tutorial has 28.3.
Papers: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align
and translate", 2015, https://arxiv.org/abs/1409.0473; Elliott et al., "Multi30K:
multilingual English-German image descriptions", 2016, https://arxiv.org/abs/1605.00459;
Post, "A call for clarity in reporting BLEU scores", 2018,
https://arxiv.org/abs/1804.08771
"""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__, onednn=True)  # a tenth off a step's time

import keras
from keras import ops

from cookbook.config import Count, Rate, Share, TrainingConfig
from cookbook.data.text.translation import load_translations
from cookbook.reports.translation import (
    draw_alignment,
    report_translation,
    translate_one,
)
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.generation import compiled
from custom_layers.initializers import RandomNormal
from custom_layers.layers import (
    GRU,
    AttentionDecoder,
    AttentionDecoderCell,
    Bidirectional,
    Dense,
    Dropout,
    GRUCell,
)
from custom_layers.losses import TokenCrossentropy
from custom_layers.metrics import token_accuracy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"multi30k": (37.8, 1.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 6  # passes over the training pairs
    attention: Literal["bahdanau", "luong"] = "bahdanau"  # by whom
    vocabulary: Count = 4000  # subwords, of both languages together
    width: Count = 256  # units of each GRU, features of a subword
    dropout: Share = 0.3  # of embeddings, memory and outputs
    smoothing: Share = 0.1  # of the targets
    batch_size: Count = 128  # pairs a step
    learning_rate: Rate = 3e-3  # peak, after the warm-up
    translate: str | None = None  # do not train: translate this by a finished run


def space(hp):
    return Config(
        attention=hp.Choice("attention", ["bahdanau", "luong"]),
        width=hp.Int("width", 128, 384, step=64),
        dropout=hp.Float("dropout", 0.1, 0.4, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def build(config, data):
    drop = Dropout(config.dropout)
    embedding = keras.layers.ReversibleEmbedding(  # one table for all three places
        len(data.subwords),
        config.width,
        embeddings_initializer=RandomNormal(stddev=config.width**-0.5),
        name="embedding",
    )
    scale = keras.layers.Rescaling(config.width**0.5, name="scale")
    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, 0)
    encoder = Bidirectional(GRU(config.width, return_sequences=True), name="memory")
    memory = encoder(drop(scale(embedding(source))), mask=mask)  # B, S, 2 width
    backward_end = memory[:, 0, config.width :]
    state = Dense(config.width, "tanh", name="state")(backward_end)
    target = keras.Input((None,), dtype="int32", name="target")
    cell = AttentionDecoderCell(GRUCell(config.width), config.attention)
    outputs = AttentionDecoder(cell, return_sequences=True, name="decoder")(
        drop(scale(embedding(target))), memory, initial_state=[state], memory_mask=mask
    )
    logits = embedding(drop(outputs), reverse=True)  # B, T, subwords
    model = keras.Model([source, target], logits)
    steps = max(20, config.epochs * (len(data.train[1]) // config.batch_size))
    model.compile(
        optimizer=Adam(
            OneCycle(config.learning_rate, steps, pct_start=0.2),
            beta_2=0.98,
            global_clipnorm=1.0,
        ),
        loss=TokenCrossentropy(config.smoothing),
        metrics=[token_accuracy],
        jit_compile=False,
    )
    return model


def decoder(model):
    """model, token by token: a function from (source, length) to what a search wants.

    The cell is the trained one; the memory it reads goes along with its state.
    """
    parts = model.get_layer("memory").output, model.get_layer("state").output
    encoder = keras.Model(model.inputs[0], parts)
    embedding, scale = model.get_layer("embedding"), model.get_layer("scale")
    cell = model.get_layer("decoder").cell

    @compiled
    def next_logits(tokens, index, state):
        x = scale(embedding(ops.take(tokens, index, axis=1)))  # B, width
        with cell.attend_to(state["memory"], state["mask"]):
            a, states = cell(x, state["states"])
        return embedding(a, reverse=True), {**state, "states": states}

    def start(source, length):
        source = ops.convert_to_tensor(source)
        memory, h = encoder(source, training=False)
        states = [h, *cell.get_initial_state(source.shape[0])[1:]]
        mask = ops.not_equal(source, 0)
        return next_logits, {"memory": memory, "mask": mask, "states": states}

    return start


def main(config):
    if config.translate is not None:
        translate_one("multi30k_attention", config, decoder)
        return
    if config.quick:
        small = {"width": 48, "batch_size": 16, "vocabulary": 300}
        config = dataclasses.replace(config, **small)
    data = load_translations(
        config.data, "multi30k", config.vocabulary, longest=40, quick=config.quick
    )
    run = RunFolder.open("multi30k_attention", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_token_accuracy")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    draw_alignment(model, decoder, data, run)
    return report_translation(model, decoder, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
