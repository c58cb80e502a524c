"""Digits as vectors that are near for one digit and far apart for two.

    python recipes/mnist_metric_learning.py
    python recipes/mnist_metric_learning.py --loss triplet

A network learns from pairs of images of one digit. Its embeddings, vectors of length 1,
answer two questions about digits: whether two images show the same one (verification),
and, after the network has seen only the digits 0 to 4, which of the digits 5 to 9 an
image shows, given a single example of each (one-shot recognition). For the second
question it also learns images of 0 to 4 that are turned by 90, 180 and 270 degrees, as
classes of their own: five classes alone would teach it little about other digits.

The threshold of verification is chosen on validation images. Expected on MNIST within
four minutes: 99.6 % of the pairs of test images are verified rightly. By the cosine of
their pixels it would be 70.0 %, and the Keras example mnist_siamese reaches 97.2 %.

Papers: contrastive: Hadsell, Chopra, LeCun, 2006,
https://doi.org/10.1109/CVPR.2006.100; triplet: Schroff, Kalenichenko, Philbin, 2015,
https://arxiv.org/abs/1503.03832; n_pairs: Sohn, 2016,
https://papers.nips.cc/paper/6200; info_nce: van den Oord, Li, Vinyals, 2018,
https://arxiv.org/abs/1807.03748; circle: Sun et al., "Circle loss: a unified
perspective of pair similarity optimization", 2020. https://arxiv.org/abs/2002.10857
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras
from keras import ops

from cookbook.config import BatchSize, Count, Filters, ImageConfig, Rate, Share, Size
from cookbook.data.batches import for_few, training_steps
from cookbook.data.images import Images, load_images
from cookbook.reports.finish import Run
from cookbook.reports.latent.metric_learning import (
    in_pairs,
    report_embeddings,
    with_turned,
)
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    Dense,
    GlobalAveragePooling2D,
    RandomAffine,
    UnitNormalization,
)
from custom_layers.losses import Circle, Contrastive, InfoNCE, NPairs, TripletSemiHard
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import WarmupCosine
from recipes.mnist_cnn import block

EXPECTED = {"mnist": (0.9964, 0.001)}
TEMPERATURE = 0.1  # cosines are divided by it before a softmax
LOSSES = {
    "contrastive": Contrastive(margin=1.0),
    "triplet": TripletSemiHard(margin=0.5, distance_metric="squared-L2"),
    "n_pairs": NPairs(),
    "circle": Circle(gamma=64, margin=0.25),
    "info_nce": InfoNCE(TEMPERATURE),
}


@dataclass(frozen=True)
class Config(ImageConfig):
    epochs: Count = 6  # passes over the training set
    # passes over the first half of the classes and their turned images, before that
    first_epochs: Count = 1
    # what training minimizes: how far embeddings are from where they should be
    loss: Literal["contrastive", "triplet", "n_pairs", "circle", "info_nce"] = "n_pairs"
    filters: Filters = 16  # filters in block 1; the next have 2, 3 and 6 times as many
    embedding: Size = 32  # length of an embedding
    shift: Share = 2 / 28  # in training, images shift by up to this share of a side
    turn: Share = 10 / 360  # in training, images turn by up to this share of a circle
    batch_size: BatchSize = 128  # pairs of images per step
    learning_rate: Rate = 1e-2  # highest learning rate, at the end of the warm-up


def space(hp) -> Config:
    return Config(
        filters=hp.Choice("filters", [8, 12, 16]),
        embedding=hp.Choice("embedding", [16, 32, 64]),
        learning_rate=hp.Float("learning_rate", 1e-3, 3e-2, sampling="log"),
    )


def distance_loss(name: str) -> Callable:
    """The loss of labels (B,) and of the embeddings of their pairs (B, 2, D)."""
    loss = LOSSES[name]

    def of_pairs(labels, pairs):
        a, b = pairs[:, 0], pairs[:, 1]
        cosines = ops.matmul(a, ops.transpose(b))  # of every a with every b
        if name == "info_nce":
            return loss(labels, pairs)
        if name == "n_pairs":
            return loss(labels, cosines / TEMPERATURE)
        if name == "contrastive":
            is_same = ops.equal(ops.expand_dims(labels, 1), labels)
            distances = ops.sqrt(ops.maximum(2 - 2 * cosines, 1e-6))
            return loss(ops.cast(is_same, "float32"), distances)
        return loss(ops.concatenate([labels, labels]), ops.concatenate([a, b]))

    return of_pairs


def accuracy(labels, pairs):
    """Whether the nearest second image of other pairs has the label of the first."""
    cosines = ops.matmul(pairs[:, 0], ops.transpose(pairs[:, 1]))
    own = ops.eye(*ops.shape(cosines))
    nearest = ops.argmax(cosines - 3 * own, axis=1)
    return ops.cast(ops.equal(ops.take(labels, nearest), labels), "float32")


def embedding(config: Config, shape: tuple[int, ...]) -> keras.Model:
    """A network that maps images to vectors of length 1."""
    n = config.filters
    layers = [
        keras.Input(shape),  # 28, 28, 1
        keras.layers.Rescaling(1 / 255),
        RandomAffine(
            config.shift, config.shift, rotation=config.turn, fill_mode="constant"
        ),
        *block(n, pool=True),  # 13, 13, n
        *block(2 * n, pool=False),  # 11, 11, 2n
        *block(3 * n, pool=True),  # 4, 4, 3n
        *block(6 * n, pool=False),  # 2, 2, 6n
        GlobalAveragePooling2D(),
        Dense(config.embedding, dtype="float32"),
        UnitNormalization(dtype="float32"),
    ]
    return keras.Sequential(layers, name="embedding")


def build(config: Config, data: Images) -> keras.Model:
    _, *shape = data.shape  # of a pair of images: 2, 28, 28, 1
    pairs = keras.Input(data.shape)
    images = ops.reshape(pairs, (-1, *shape))  # 2B, 28, 28, 1
    vectors = embedding(config, tuple(shape))(images)  # 2B, D
    model = keras.Model(pairs, ops.reshape(vectors, (-1, 2, config.embedding)))
    steps = training_steps(config, len(data.train[0]))
    model.compile(
        optimizer=Adam(
            WarmupCosine(config.learning_rate, steps, warmup=0.2), beta_2=0.99
        ),
        loss=distance_loss(config.loss),
        metrics=[accuracy],
        steps_per_execution=10,
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )
    return model


def main(config: Config) -> Run:
    data = load_images(
        config.data, "mnist", config.quick, config.image_size, smallest=22, fewest=4
    )
    all_pairs = in_pairs(data)
    config = for_few(config, len(all_pairs.train[0]))
    run = RunFolder.open("mnist_metric_learning", config)
    if config.tune:
        config = search(space, build, all_pairs, config, run)

    half = len(data.classes) // 2
    print(f"A network learns the first {half} classes and their turned images")
    first_pairs = in_pairs(with_turned(data.only(0, half)))
    first_config = replace(config, epochs=config.first_epochs)
    seed_everything(config.seed)
    first = build(first_config, first_pairs)
    train(first, first_pairs, first_config, run.part("first_classes"))

    print("Another network learns all classes")
    seed_everything(config.seed)
    model = build(config, all_pairs)
    history = train(model, all_pairs, config, run)
    embed, embed_first = (each.get_layer("embedding") for each in (model, first))
    return report_embeddings(embed, embed_first, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
