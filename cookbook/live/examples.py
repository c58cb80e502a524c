"""Ten inputs for each kind of live model, with the answers of `predict`."""

from typing import Any

import keras
import numpy as np

from cookbook.answers.classifiers import ImageClassifier, TextClassifier
from cookbook.answers.numbers import Generator
from cookbook.answers.writers import LanguageModel, Translator
from cookbook.data.images import load_images
from cookbook.data.text.characters import encode
from cookbook.data.text.words import UNKNOWN, split_words
from cookbook.live.evidence import feature_layer
from custom_layers.explanation import grad_cam, influence

COUNT = 10
REVIEWS = (
    "A charming film: the cast was great and I loved the ending.",
    "The plot was dull, the music was awful and I hated the script.",
    "Not half as bad as they say.",
    "It's the best film I have seen this year!",
    "I fell asleep twice. What a waste of time.",
    "The first hour is slow, but the last scene makes up for it.",
    "Good actors can not save this terrible story.",
    "My children laughed from beginning to end, and so did I.",
    "Is this supposed to be funny?",
    "Beautiful pictures, a fine score, and no idea what it is about.",
)
OPENINGS = (
    "ROMEO:",
    "JULIET:\nO ",
    "To be, or not to be",
    "KING RICHARD III:\nMy lord,",
    "First Citizen:\n",
    "The sun ",
    "What is thy name",
    "Good night, good ",
    "I love thee",
    "Enter ",
)
SENTENCES = (
    "Ein Hund läuft über die Wiese.",
    "Zwei Kinder spielen im Park.",
    "Eine Frau liest ein Buch.",
    "Ein Mann fährt mit dem Fahrrad.",
    "Drei Männer stehen vor einem Haus.",
    "Ein kleines Mädchen isst ein Eis.",
    "Eine Gruppe von Menschen sitzt am Strand.",
    "Ein Junge springt ins Wasser.",
    "Eine Katze schläft auf dem Sofa.",
    "Viele Leute gehen durch die Stadt.",
)


def image_examples(run: ImageClassifier) -> list[dict[str, Any]]:
    """Ten images of the test set, one of each class where there are ten."""
    name = run.description.data
    images, labels = load_images(name, name).test
    places = [int(np.argmax(labels == i)) for i in range(len(run.classes))]
    chosen = [*places, *range(COUNT)][:COUNT]
    probabilities = run.probabilities(images[chosen])
    found = []
    for i, shares in zip(chosen, probabilities):
        example = {
            "pixels": images[i].ravel().tolist(),
            "label": run.classes[labels[i]],
            "probabilities": shortened(shares),
        }
        if opened := feature_layer(run.model):
            x = images[i][None].astype("float32")
            heat = grad_cam(*opened, x, [int(shares.argmax())])
            example["heat"] = shortened(heat)
        found.append(example)
    return found


def review_examples(run: TextClassifier) -> list[dict[str, Any]]:
    """Ten short reviews, with the influence of each word on the answer."""
    found = []
    for text, shares in zip(REVIEWS, run.probabilities([*REVIEWS])):
        ids = run.vocabulary.ids(split_words(text))
        influences = influence(run.model, ids, int(shares.argmax()), UNKNOWN)
        found.append(
            {
                "text": text,
                "probabilities": shortened(shares),
                "influence": shortened(influences),
            }
        )
    return found


def opening_examples(run: LanguageModel) -> list[dict[str, Any]]:
    """Ten openings, with the logits of the character that follows."""
    alphabet = run.description.settings["alphabet"]
    found = []
    for text in OPENINGS:
        tokens = encode(text, alphabet)
        logits = run.model.predict_on_batch(tokens[None])[0, -1]
        found.append({"text": text, "logits": shortened(logits)})
    return found


def generator_examples(run: Generator) -> list[dict[str, Any]]:
    """Ten noise vectors and labels, with the images that the model makes of them."""
    seed = 0
    classes = run.classes or ("any",)
    names = [classes[i % len(classes)] for i in range(COUNT)]
    images = run.predict(names, seed=seed)
    latent = run.description.settings["latent"]
    noise = keras.random.normal((COUNT, latent), seed=seed)
    return [
        {
            "noise": shortened(row),
            "label": classes.index(name),
            "pixels": image.ravel().tolist(),
        }
        for row, name, image in zip(np.asarray(noise), names, images)
    ]


def sentence_examples(run: Translator) -> list[dict[str, Any]]:
    """Ten sentences, with their greedy translations."""
    answers = run.predict([*SENTENCES], beam_width=1)
    return [
        {"text": text, "translation": answer}
        for text, answer in zip(SENTENCES, answers)
    ]


def shortened(numbers: Any) -> list[float]:
    """Numbers with seven significant digits, as float32 holds them."""
    return [float(f"{number:.7g}") for number in np.ravel(numbers)]
