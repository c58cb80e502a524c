"""German captions translated into English by GRUs with attention, 3.1 million weights.

    python recipes/multi30k_attention.py
    python recipes/multi30k_attention.py --attention luong
    python recipes/multi30k_attention.py --translate "Ein Hund."    (once trained)

A bidirectional GRU reads the German subwords. A second GRU writes the English subwords
and looks back at the German ones through attention. The embeddings of both languages
and the output layer share their weights. Expected: 37.8 BLEU on test_2016 after 21
minutes of processor time. The well-known tutorial of bentrevett reaches 28.3.

Papers: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align
and translate", 2015, https://arxiv.org/abs/1409.0473; Elliott et al., "Multi30K:
multilingual English-German image descriptions", 2016, https://arxiv.org/abs/1605.00459;
Post, "A call for clarity in reporting BLEU scores", 2018,
https://arxiv.org/abs/1804.08771
"""

from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN saves a tenth of the time of a step

import keras
from keras import ops

from cookbook.answers.decoders import translator_with_states
from cookbook.answers.load import print_answer
from cookbook.config import BatchSize, Count, Portion, Rate, Size, TrainingConfig
from cookbook.data.batches import training_steps
from cookbook.data.text.translation import Translations, load_translations
from cookbook.reports.finish import Run
from cookbook.reports.translation import draw_alignment, report_translation
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.initializers import RandomNormal
from custom_layers.layers import (
    GRU,
    AttentionDecoder,
    AttentionDecoderCell,
    Bidirectional,
    Dense,
    Dropout,
    GRUCell,
    ReversibleEmbedding,
)
from custom_layers.losses import TokenCrossentropy
from custom_layers.metrics import token_accuracy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"multi30k": (37.8, 1.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 6  # passes over the training set
    attention: Literal["bahdanau", "luong"] = "bahdanau"  # kind of attention
    vocabulary: Count = 4000  # subwords in the vocabulary of both languages together
    width: Size = 256  # units of each GRU, and length of a subword's vector
    dropout: Portion = 0.3  # share of embeddings and outputs set to zero in training
    smoothing: Portion = 0.1  # share of each target spread over all subwords
    batch_size: BatchSize = 128  # pairs of sentences per step
    learning_rate: Rate = 3e-3  # highest learning rate, at the end of the warm-up
    translate: str | None = None  # do not train: translate this with the newest run

    in_quick = {"width": 48, "batch_size": 16, "vocabulary": 300}


def space(hp) -> Config:
    return Config(
        attention=hp.Choice("attention", ["bahdanau", "luong"]),
        width=hp.Int("width", 128, 384, step=64),
        dropout=hp.Float("dropout", 0.1, 0.4, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def build(config: Config, data: Translations) -> keras.Model:
    dropout = Dropout(config.dropout)
    embedding = ReversibleEmbedding(  # source, target and output share it
        len(data.subwords),
        config.width,
        embeddings_initializer=RandomNormal(stddev=config.width**-0.5),
        reverse_dtype="float32",
        name="embedding",
    )
    scale = keras.layers.Rescaling(config.width**0.5, name="scale")
    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, 0)
    encoder = Bidirectional(GRU(config.width, return_sequences=True), name="memory")
    x = dropout(scale(embedding(source)))  # B, S, width
    memory = encoder(x, mask=mask)  # B, S, 2 width
    last_backward = memory[:, 0, config.width :]
    state = Dense(config.width, "tanh", name="state")(last_backward)
    target = keras.Input((None,), dtype="int32", name="target")
    cell = AttentionDecoderCell(GRUCell(config.width), config.attention)
    attention_decoder = AttentionDecoder(cell, return_sequences=True, name="decoder")
    y = dropout(scale(embedding(target)))  # B, T, width
    y = attention_decoder(y, memory, initial_state=[state], memory_mask=mask)
    logits = embedding(dropout(y), reverse=True)  # B, T, subwords
    model = keras.Model([source, target], logits)
    steps = training_steps(config, len(data.train[1]), least=20)
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


def main(config: Config) -> Run | None:
    if config.translate is not None:
        print_answer("multi30k_attention", config, "translation")
        return None
    data = load_translations(
        config.data, "multi30k", config.vocabulary, longest=40, quick=config.quick
    )
    run = RunFolder.open("multi30k_attention", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_token_accuracy")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    draw_alignment(model, translator_with_states, data, run)
    return report_translation(
        model, translator_with_states, data, history, run, EXPECTED
    )


if __name__ == "__main__":
    launch(main, Config)
