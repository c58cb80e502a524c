"""Description of a run's model, in model.json: what it takes and what it answers.

`describe` makes it from the data that the model has learned, and `read_description`
reads it back. A run folder may come from anyone, so all that is read is checked.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.data.images import Images
from cookbook.data.sequences import Forecasts
from cookbook.data.sounds.digit_strings import Strings
from cookbook.data.sounds.spoken_words import Sounds
from cookbook.data.tagged.sentences import TaggedSentences
from cookbook.data.text.characters import Characters
from cookbook.data.text.reviews import Reviews
from cookbook.data.text.sums import Sums
from cookbook.data.text.translation import Translations
from cookbook.errors import Mistake, harmless
from cookbook.sentences.reviews import PieceReviews
from cookbook.trained.fields import checked, damaged, read_content
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.models import (
    AdversarialModel,
    CycleGAN,
    DiffusionModel,
    VariationalAutoencoder,
)

GENERATORS = AdversarialModel, DiffusionModel, VariationalAutoencoder
FILE = "model.json"
VOCABULARY = "vocabulary.json"  # apart, because it may be long
COMMON = ("kind", "recipe", "data", "classes")


@dataclasses.dataclass(frozen=True)
class ModelKind:
    """A kind of model: what it takes and returns, and the settings that it needs."""

    input: str  # of the model itself, in words
    output: str
    settings: tuple[str, ...]  # fields in model.json
    vocabulary: tuple[str, ...] = ()  # fields in vocabulary.json


IMAGES = "pixels, float32 or uint8 (N, H, W, C), in the range that `pixels` gives"
LOGITS = "logits (N, classes): their softmax gives the probabilities of `classes`"
SOUNDS = (
    "sounds of one length, float32 (N, `samples`), `rate` samples per second: the "
    "loudest sample is 1 or -1, and zeros follow a shorter sound"
)
NOISE = "numbers of a standard normal distribution, float32 (N, `latent`)"
KINDS = {
    "image classifier": ModelKind(IMAGES, LOGITS, ("shape", "pixels")),
    "sound classifier": ModelKind(SOUNDS, LOGITS, ("samples", "rate")),
    "text classifier": ModelKind(
        "ids of words, int32 (N, at most `length`): 0 pads the end of a row, 1 is an "
        "unknown word, 2 the first of `words`",
        LOGITS,
        ("length",),
        ("words",),
    ),
    "word-piece classifier": ModelKind(
        "ids of word pieces, int32 (N, at most `length`), from [CLS] to [SEP]: 0 pads "
        "the end of a row, 1 is an unknown word, 2 the first of `words`",
        LOGITS,
        ("length",),
        ("words",),
    ),
    "tagger": ModelKind(
        "[ids of words, ids of their characters], int32 (N, T) and (N, T, `letters`): "
        "0 pads the end of a row or of a word, 1 is an unknown one, 2 the first of "
        "`words`, which are in lower case, or of `alphabet`",
        "log potentials (N, T, tags, tags): the score of each of `tags` behind each "
        "other one, of which the Viterbi algorithm finds the best path; or, without a "
        "CRF, scores (N, T, tags)",
        ("tags", "letters", "alphabet"),
        ("words",),
    ),
    "language model": ModelKind(
        "tokens, int32 (N, T): the places of characters in `alphabet`",
        "logits (N, T, alphabet) of the next character at each place",
        ("alphabet", "context"),
    ),
    "translation": ModelKind(
        "[source, translation so far], int32 (N, S) and (N, T): tokens are places in "
        "`pieces`",
        "logits (N, T, pieces) of the next subword at each place",
        ("languages",),
        ("pieces", "merges"),
    ),
    "sums": ModelKind(
        "[question, answer so far], int32 (N, S) and (N, T): tokens are places in "
        "' 0123456789<>+', and an answer is written from its last digit to its first",
        "logits (N, T, 14) of the next character at each place",
        ("digits",),
    ),
    "forecast": ModelKind(
        "the last `window` values of each column, less `mean`, divided by `scale`: "
        "float32 (N, window, columns)",
        "the next `horizon` rows of columns, one row after the other, likewise less "
        "`mean` and divided by `scale`: float32 (N, horizon * columns)",
        ("window", "horizon", "columns", "mean", "scale"),
    ),
    "transcriber": ModelKind(
        SOUNDS,
        "logits (N, frames, 1 + classes): 0 is the blank of CTC, 1 the first class",
        ("samples", "rate"),
    ),
    "image generator": ModelKind(
        f"{NOISE}; where there are `classes`, also labels, int32 (N,)",
        "images, float32 (N, H, W, C), in the range that `pixels` gives",
        ("shape", "pixels", "latent"),
    ),
    "image translator": ModelKind(
        IMAGES,
        "images of the other kind, float32 (N, H, W, C), in the same range",
        ("shape", "pixels"),
    ),
    "point generator": ModelKind(
        NOISE, "points, float32 (N, coordinates)", ("shape", "latent")
    ),
    "anomaly score": ModelKind(
        IMAGES,
        "scores (N,): the larger, the less an image resembles those of training",
        ("shape", "pixels", "odd"),
    ),
}


def describe(model: keras.Model, data: Any, recipe: str) -> Description | None:
    """The description of a model that has learned `data`.

    It is None for a model that answers nothing, such as the picture of a style
    transfer.
    """
    found = _settings(model, data)
    if found is None:
        return None
    kind, settings = found
    is_conditional = getattr(model, "conditional", False)
    has_classes = "classifier" in kind or kind == "transcriber" or is_conditional
    classes = tuple(map(harmless, data.classes)) if has_classes else ()
    return Description(kind, recipe, data.note, classes, settings)


def _settings(model: keras.Model, data: Any) -> tuple[str, dict[str, Any]] | None:
    """(kind, settings) of a model, by the data that it has learned."""
    if isinstance(model, GENERATORS):
        return _of_generator(model, data)
    if isinstance(model, CycleGAN):
        return "image translator", _of_images(data)
    if isinstance(data, Images):
        settings = _of_images(data)
        if hasattr(data, "odd"):
            return "anomaly score", {**settings, "odd": harmless(data.odd)}
        return "image classifier", settings
    for kind, (data_class, settings_of) in OTHERS.items():
        if isinstance(data, data_class):
            return kind, settings_of(data)
    return None


def _of_images(data: Images) -> dict[str, Any]:
    """The shape and the range of images: from 0 to 255, or centred at 0."""
    is_raw = data.train[0].dtype == np.uint8
    return {"shape": [*data.shape], "pixels": [0, 255] if is_raw else [-1, 1]}


def _of_generator(model: Any, data: Any) -> tuple[str, dict[str, Any]]:
    latent = {"latent": model.latent_dim}
    if isinstance(data, Images):
        return "image generator", {**_of_images(data), **latent}
    return "point generator", {"shape": [*data.train[0].shape[1:]], **latent}


def _of_forecasts(data: Forecasts) -> dict[str, Any]:
    x, y = data.train
    return {
        "window": x.shape[1],
        "horizon": y.shape[1] // x.shape[2],
        "columns": [*data.columns],
        "mean": [*data.mean],
        "scale": [*data.scale],
    }


def _of_sounds(data: Sounds | Strings) -> dict[str, Any]:
    return {"samples": data.samples, "rate": data.rate}


def _of_texts(data: Reviews) -> dict[str, Any]:
    return {"length": data.length, "words": data.vocabulary.words}


OTHERS: dict[str, tuple[type, Callable[[Any], dict[str, Any]]]] = {
    "word-piece classifier": (PieceReviews, _of_texts),  # which are Reviews too
    "text classifier": (Reviews, _of_texts),
    "sound classifier": (Sounds, _of_sounds),
    "transcriber": (Strings, _of_sounds),
    "tagger": (
        TaggedSentences,
        lambda data: {
            "tags": [*map(harmless, data.tags)],
            "letters": data.letters,
            "alphabet": "".join(data.alphabet.words),
            "words": data.vocabulary.words,
        },
    ),
    "language model": (
        Characters,
        lambda data: {
            "alphabet": data.alphabet,
            "context": data.train[0].shape[1],
        },
    ),
    "translation": (
        Translations,
        lambda data: {
            "languages": [*data.languages],
            "pieces": data.subwords.pieces,
            "merges": data.subwords.merges,
        },
    ),
    "sums": (Sums, lambda data: {"digits": data.digits}),
    "forecast": (Forecasts, _of_forecasts),
}


def write_description(run: RunFolder, description: Description) -> None:
    """Writes model.json and, if there is a vocabulary, vocabulary.json."""
    kind = KINDS[description.kind]
    content: dict[str, Any] = {name: getattr(description, name) for name in COMMON}
    content |= {name: description.settings[name] for name in kind.settings}
    if kind.vocabulary:
        words = {name: description.settings[name] for name in kind.vocabulary}
        run.write_json(VOCABULARY, words)
        content["vocabulary"] = VOCABULARY
    run.write_json(FILE, {**content, "input": kind.input, "output": kind.output})


def read_description(folder: Path) -> Description:
    """The description in a run folder; raises Mistake if it is damaged or missing."""
    path = folder / FILE
    if not path.exists():
        return _of_earlier_version(folder)
    content = _object(path)
    common = checked(path, content, COMMON)
    kind = KINDS.get(common["kind"])
    if kind is None:
        raise damaged(path, f"{common['kind'][:50]!r} is no kind of model")
    settings = checked(path, content, kind.settings)
    if kind.vocabulary:
        path = folder / VOCABULARY
        settings |= checked(path, _object(path), kind.vocabulary)
    return Description(
        kind=common["kind"],
        recipe=harmless(common["recipe"]),
        data=harmless(common["data"]),
        classes=tuple(map(harmless, common["classes"])),
        settings=settings,
    )


def _object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; raises Mistake if it holds something else."""
    content = read_content(path)
    if not isinstance(content, dict):
        raise damaged(path, "it does not hold a JSON object")
    return content


# {file that earlier versions wrote instead: (kind of its model, fields in the file)}
EARLIER: dict[str, tuple[str, tuple[str, ...]]] = {
    "reader.json": ("text classifier", ("classes", "data", "length", "words")),
    "subwords.json": ("translation", ("pieces", "merges")),
    "alphabet.json": ("language model", ("alphabet", "context")),
    "digits.json": ("sums", ("digits",)),
}


def _of_earlier_version(folder: Path) -> Description:
    """The description of a run that an earlier version of the cookbook has made."""
    for name, (kind, fields) in EARLIER.items():
        path = folder / name
        if path.exists():
            content = read_content(path)
            if name == "digits.json":  # it held the bare number
                content = {"digits": content}
            if not isinstance(content, dict):
                raise damaged(path, "it does not hold a JSON object")
            settings = checked(path, content, fields)
            if kind == "translation":
                settings["languages"] = ["German", "English"]
            classes = tuple(map(harmless, settings.pop("classes", ())))
            data = harmless(settings.pop("data", "data of an earlier version"))
            recipe = harmless(folder.resolve().parent.name)
            return Description(kind, recipe, data, classes, settings)
    raise Mistake(
        harmless(
            f"{folder} holds no {FILE}, expected the folder of a finished run: an "
            "earlier version of the cookbook made it, or its recipe leaves no model "
            "that answers; train again, or use another run"
        )
    )
