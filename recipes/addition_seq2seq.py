"""Addition learned from examples, character by character: "12+345" gives "357".

    python recipes/addition_seq2seq.py
    python recipes/addition_seq2seq.py --attention none
    python recipes/addition_seq2seq.py --ask 12+345    (once trained)

A GRU reads the question. A second GRU writes the digits of the answer from the right,
as one adds on paper, and looks back at the question through attention. Expected:
all answers to the test questions are right, after 150 s of processor time.

Papers: Sutskever, Vinyals, Le, "Sequence to sequence learning with neural networks",
2014, https://arxiv.org/abs/1409.3215; Luong, Pham, Manning, "Effective approaches to
attention-based neural machine translation", 2015, https://arxiv.org/abs/1508.04025
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from keras import ops

from cookbook.answers.decoders import answer_sums
from cookbook.answers.load import print_answer
from cookbook.config import BatchSize, Between, Count, Rate, Size, TrainingConfig
from cookbook.data.batches import training_steps
from cookbook.data.text.sums import ALPHABET, Sums, load_sums, written
from cookbook.plots.figures import draw_attention, draw_curves
from cookbook.reports.finish import Run, finish
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    GRU,
    AttentionDecoder,
    AttentionDecoderCell,
    Dense,
    Embedding,
    GRUCell,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.metrics import whole_answers
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"sums": (1.0, 0.005)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 10  # passes over the training set
    attention: Literal["bahdanau", "luong", "none"] = "luong"  # kind of attention
    # digits of the longest number that is added
    digits: Annotated[int, Between(1, 18)] = 3
    examples: Count = 100_000  # sums in the training set
    units: Size = 128  # units of each GRU
    batch_size: BatchSize = 128  # sums per step
    learning_rate: Rate = 1e-2  # highest learning rate, at the end of the warm-up
    ask: str | None = None  # do not train: answer this sum with the newest run

    in_quick = {
        "digits": 2,
        "examples": 2_000,
        "units": 64,
        "batch_size": 32,
        "learning_rate": 0.02,
    }


def space(hp) -> Config:
    return Config(
        attention=hp.Choice("attention", ["bahdanau", "luong"]),
        units=hp.Int("units", 64, 192, step=64),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def build(config: Config, data: Sums) -> keras.Model:
    embedding = Embedding(len(ALPHABET), 32, name="embedding")
    question = keras.Input((None,), dtype="int32", name="question")
    mask = ops.not_equal(question, 0)
    encoder = GRU(config.units, return_sequences=True, name="encoder")
    memory = encoder(embedding(question), mask=mask)  # B, S, units
    state = memory[:, -1]  # the mask keeps it as it was after the last character
    before = keras.Input((None,), dtype="int32", name="before")
    x = embedding(before)  # B, T, 32
    if config.attention == "none":
        decoder = GRU(config.units, return_sequences=True, name="decoder")
        x = decoder(x, initial_state=state)
    else:
        cell = AttentionDecoderCell(GRUCell(config.units), config.attention)
        decoder = AttentionDecoder(cell, return_sequences=True, name="decoder")
        x = decoder(x, memory, initial_state=[state], memory_mask=mask)
    logits = Dense(len(ALPHABET), name="logits", dtype="float32")(x)  # B, T, characters
    model = keras.Model([question, before], logits)
    steps = training_steps(config, len(data.train[1]), least=20)
    model.compile(
        optimizer=Adam(OneCycle(config.learning_rate, steps), global_clipnorm=1.0),
        loss=SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
        metrics=[whole_answers],
        jit_compile=False,
    )
    return model


def draw_where_it_looks(question, answers, attention, run: RunFolder) -> None:
    """attention.png: the attention of six test sums with long numbers."""
    lengths = np.count_nonzero(question, axis=1)
    shown = np.argsort(-lengths, kind="stable")[:6]
    draw_attention(
        [attention[:, i] for i in shown],
        [written(answers[i]) for i in shown],
        [written(question[i]) for i in shown],
        "Where the decoder looks as it writes the sum from the right",
        run,
    )


def report(model: keras.Model, data: Sums, history: list[dict], run: RunFolder) -> Run:
    """The share of test sums with the right answer, the pictures, and `finish`."""
    (question, _), truth = data.test
    answers, attention = answer_sums(model, question, truth.shape[1])
    is_right = (answers == truth).all(axis=1)
    draw_curves(history, run)
    if len(attention):
        draw_where_it_looks(question, answers, attention, run)
    figures = {"test whole answers": float(is_right.mean())}
    return finish(model, data, history, run, figures, EXPECTED)


def main(config: Config) -> Run | None:
    if config.ask is not None:
        print_answer("addition_seq2seq", config, "sums")
        return None
    data = load_sums(
        config.data, config.digits, config.examples, config.quick, config.seed
    )
    run = RunFolder.open("addition_seq2seq", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_whole_answers")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report(model, data, history, run)


if __name__ == "__main__":
    launch(main, Config)
