"""Film reviews, good or bad: counts of words and pairs, and a convolution on vectors.

    python recipes/imdb_cnn.py
    python recipes/imdb_cnn.py --predict "not half as bad as they say"    (once trained)

Two networks judge a review, and the mean of their scores decides. One counts: which
words and word pairs does the review hold, and in how many good and bad reviews of the
training set do these stand (naive Bayes, whose weights are then trained: NB-SVM)? The
other one reads: at each position it adds up the vector of the word and that of its
pair with the next word, which a hash finds; a convolution reads three positions at a
time; the mean and the maximum over the review give the scores. Each learns on its own.

Expected: 91.1 % test accuracy on IMDB after 76 s of processor time. The second network
alone reaches about 90 %; fastText with word pairs reaches 90.6 %, and NB-SVM 91.2 %.

Papers: Wang, Manning, "Baselines and bigrams: simple, good sentiment and topic
classification", 2012, https://aclanthology.org/P12-2018; Kim, "Convolutional neural
networks for sentence classification", 2014, https://arxiv.org/abs/1408.5882; Joulin,
Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text classification", 2016,
https://arxiv.org/abs/1607.01759
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a step

import keras
from keras import ops

from cookbook.config import (
    BatchSize,
    Between,
    Count,
    Filters,
    Portion,
    Rate,
    Size,
    TextClassConfig,
)
from cookbook.data.batches import training_steps
from cookbook.data.text.reviews import Reviews, load_reviews
from cookbook.reports.finish import Run
from cookbook.reports.text_classifier import answer, report_reviews
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.initializers import Constant
from custom_layers.layers import (
    BigramEmbedding,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    NaiveBayesNgrams,
    SpatialDropout1D,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import WarmupCosine

EXPECTED = {"imdb_reviews": (0.911, 0.003)}


@dataclass(frozen=True)
class Config(TextClassConfig):
    epochs: Count = 5  # passes over the training set
    features: Size = 16  # length of the vector of a word or a word pair
    filters: Filters = 64  # filters of the convolution
    width: Size = 3  # words that the convolution reads at a time
    words: Count = 30_000  # size of the vocabulary
    buckets: Count = 2**17  # vectors that all word pairs share
    # rows for counts of words and word pairs; 1 counts none
    counted: Annotated[int, Between(1, 2**26)] = 2**20
    length: Size = 400  # words of a review that are read
    word_dropout: Portion = 0.1  # share of the words left out in training
    dropout: Portion = 0.3  # share of the features set to zero in training
    batch_size: BatchSize = 64  # reviews per step
    learning_rate: Rate = 2e-3  # highest learning rate, at the end of the warm-up
    predict: str | None = None  # do not train: judge this text with the newest run

    in_quick = {
        "buckets": 8192,
        "counted": 16384,
        "batch_size": 16,
        "learning_rate": 5e-3,
    }


def space(hp) -> Config:
    return Config(
        features=hp.Choice("features", [8, 16, 32]),
        filters=hp.Choice("filters", [32, 64, 128]),
        width=hp.Choice("width", [2, 3, 4]),
        word_dropout=hp.Float("word_dropout", 0.0, 0.4, step=0.1),
        dropout=hp.Float("dropout", 0.2, 0.6, step=0.1),
        learning_rate=hp.Float("learning_rate", 3e-4, 5e-3, sampling="log"),
    )


def from_vectors(ids, words: int, classes: int, config: Config):
    """Scores of the classes from vectors of words and pairs, and a convolution."""
    D = config.features
    is_word = ops.not_equal(ids, 0)  # T; the id 0 is padding
    x = Embedding(words, D)(ids) + BigramEmbedding(config.buckets, D)(ids)  # T, D
    x = x * ops.cast(ops.expand_dims(is_word, -1), x.dtype)  # padding becomes 0
    x = Dropout(config.word_dropout, noise_shape=(None, None, 1))(x)
    x = SpatialDropout1D(config.dropout)(x)
    convolution = Conv1D(
        config.filters, config.width, padding="same", activation="relu"
    )
    x = ops.concatenate([x, convolution(x)], -1)  # T, D + filters
    mean = GlobalAveragePooling1D()(x, mask=is_word)
    maximum = GlobalMaxPooling1D()(x, mask=is_word)
    summary = ops.concatenate([mean, maximum], -1)  # 2 (D + filters)
    summary = Dropout(config.dropout)(summary)
    return Dense(classes, dtype="float32")(summary)


def from_counts(ids, data: Reviews, config: Config):
    """Scores of the classes from the words and pairs that speak for each (NB-SVM)."""
    naive_bayes = NaiveBayesNgrams(
        config.counted,
        len(data.classes),
        max_ngram=2,
        min_count=10,
        kernel_initializer=Constant(0.1),  # naive Bayes is too sure of itself
        dtype="float32",
    )
    naive_bayes.adapt(*data.train)
    return naive_bayes(ids)


def build(config: Config, data: Reviews) -> keras.Model:
    words = len(data.vocabulary)
    classes = len(data.classes)
    ids = keras.Input((None,), dtype="int32")  # T
    x = from_vectors(ids, words, classes, config)
    y = from_counts(ids, data, config)
    # In training, a coin decides for each review which of the two judges it alone:
    # otherwise the counts, which learn faster, would leave x nothing to learn.
    coin = Dropout(0.5, noise_shape=(None, 1), dtype="float32")
    share = coin(0.5 * ops.ones_like(y))  # 0 or 1 in training, else 0.5
    model = keras.Model(ids, share * y + (1 - share) * x)
    steps = training_steps(config, len(data.train[0]))
    model.compile(
        optimizer=Adam(WarmupCosine(config.learning_rate, steps)),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=4,
        jit_compile=False,  # XLA would compile a program for each length
    )
    return model


def main(config: Config) -> Run | None:
    if config.predict is not None:
        answer("imdb_cnn", config)
        return None
    data = load_reviews(
        config.data,
        "imdb_reviews",
        config.words,
        config.length,
        config.quick,
        config.columns,
    )
    run = RunFolder.open("imdb_cnn", config)
    if config.tune:
        config = search(space, build, data, config, run)
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report_reviews(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
