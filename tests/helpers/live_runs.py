"""Runs of each kind of live model, whose weights are random instead of trained."""

import types

import numpy as np

from cookbook.config import TrainingConfig
from cookbook.data.images import load_images
from cookbook.live import write
from cookbook.trained.description import write_description
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.generation import Subwords
from custom_layers.models import AdversarialModel, NonSaturatingGAN
from recipes import imdb_cnn, mnist_cgan, mnist_cnn, multi30k_attention, shakespeare_gpt

DIGITS = tuple("0123456789")
WORDS = ["the", "film", "it", "was", "great", "bad", "not", "good", "is", "!", "."]
ALPHABET = "\0\n !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def run_of(folder, recipe, kind, model, classes=(), data="digits", **settings):
    """The folder of a finished run with this model, whose weights are random."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        # Matrices are random as they are; biases and statistics are still 0 or 1.
        if weight.dtype == "float32" and len(weight.shape) == 1:
            noise = rng.uniform(0.02, 0.2, weight.shape)
            weight.assign(weight + noise.astype("float32"))
    if model.compiled:
        model.optimizer.build(model.trainable_variables)
    run = RunFolder.open(recipe, TrainingConfig(run_dir=folder))
    model.save(run.path / "model.keras")
    run.write_json("metrics.json", {"test accuracy": 0.5, "parameters": 7})
    write_description(run, Description(kind, recipe, data, classes, settings))
    return run.path


def rows(**facts):
    """Data of which `build` asks the length, and these facts."""
    return types.SimpleNamespace(train=(np.zeros((64, 8)), np.zeros((64, 8))), **facts)


def digits_run(folder):
    model = mnist_cnn.build(mnist_cnn.Config(), load_images("digits", "digits"))
    settings = {"shape": [28, 28, 1], "pixels": [0, 255]}
    return run_of(folder, "mnist_cnn", "image classifier", model, DIGITS, **settings)


def reviews_run(folder):
    config = imdb_cnn.Config(features=4, filters=4, buckets=64, counted=64)
    data = rows(vocabulary=["", "", *WORDS], classes=("neg", "pos"))
    texts = np.random.default_rng(0).integers(2, 13, (64, 8), "int32")
    data.train = texts, texts[:, 0] % 2
    model = imdb_cnn.build(config, data)
    settings = {"length": 40, "words": WORDS}
    return run_of(
        folder, "imdb_cnn", "text classifier", model, data.classes, **settings
    )


def text_run(folder):
    config = shakespeare_gpt.Config()
    model = shakespeare_gpt.build(config, rows(alphabet=ALPHABET))
    settings = {"alphabet": ALPHABET, "context": config.context}
    return run_of(folder, "shakespeare_gpt", "language model", model, **settings)


def generator_run(folder):
    shape = (28, 28, 1)
    networks = mnist_cgan.generator(shape, 10, 8, 4), mnist_cgan.critic(shape, 10, 4)
    model = AdversarialModel(*networks, loss=NonSaturatingGAN())
    settings = {"shape": [*shape], "pixels": [-1, 1], "latent": 8}
    return run_of(folder, "mnist_cgan", "image generator", model, DIGITS, **settings)


def translation_run(folder):
    subwords = Subwords.learn([*write.examples.SENTENCES, "A dog runs."], 120)
    config = multi30k_attention.Config(width=16)
    model = multi30k_attention.build(config, rows(subwords=subwords))
    settings = {
        "languages": ["German", "English"],
        "pieces": subwords.pieces,
        "merges": subwords.merges,
    }
    return run_of(folder, "multi30k_attention", "translation", model, **settings)


RUNS = {
    "draw_a_digit": digits_run,
    "type_a_review": reviews_run,
    "continue_a_text": text_run,
    "generate_digits": generator_run,
    "translate_a_sentence": translation_run,
}
