"""Classifiers of images, sounds, texts and words: classes, and how sure it is."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.data.files.pictures import read_picture
from cookbook.data.sounds.recordings import (
    RATE,
    as_loud_as_can_be,
    of_one_length,
    read_sound,
)
from cookbook.data.tagged.encoding import encode_words, split_sentence
from cookbook.data.text.words import UNKNOWN, Vocabulary, cut_and_pad, split_words
from cookbook.errors import Mistake
from cookbook.sentences.pieces import PieceVocabulary
from cookbook.trained.trained_run import TrainedRun, refuse_single
from custom_layers.layers import viterbi

TOP = 3  # classes that an answer names
BATCH = 256  # inputs that the model answers at once
Pictures = np.ndarray | Sequence[str | Path | np.ndarray]  # arrays, or files
Sounds = np.ndarray | Sequence[str | Path | np.ndarray]  # the same
SHORTEST = 16  # words; batches of texts have this length, or twice, four times, ...
MOST_WORDS = 1000  # of a sentence that is tagged


@dataclasses.dataclass(frozen=True)
class ClassAnswer:
    """The answer of a classifier to one input."""

    label: str  # the name of the most probable class
    probability: float  # of that class
    top: tuple[tuple[str, float], ...]  # (name, probability) of the first three


class Classifier(TrainedRun):
    """A run whose model sorts inputs into classes."""

    def predict(self, inputs: Any) -> list[ClassAnswer]:
        """The class of each input, with its probability, in the order of the inputs."""
        return self.named(self.probabilities(inputs))

    def probabilities(self, inputs: Any) -> np.ndarray:
        """(N, classes): the probability of each class for each input."""
        logits = self.logits(inputs).astype("float64")
        exp = np.exp(logits - logits.max(-1, keepdims=True))
        return exp / exp.sum(-1, keepdims=True)

    def logits(self, inputs: Any) -> np.ndarray:
        """(N, classes): what the model itself returns for raw inputs."""
        raise NotImplementedError

    def named(self, probabilities: np.ndarray) -> list[ClassAnswer]:
        """An answer for each row of probabilities."""
        answers = []
        for row in probabilities:
            best = np.argsort(-row, kind="stable")[:TOP]
            top = tuple((self.classes[i], float(row[i])) for i in best)
            label, probability = top[0]
            answers.append(ClassAnswer(label, probability, top))
        return answers

    def fields(self, answer: ClassAnswer) -> dict[str, Any]:
        """The class and its probability, then those of the next two classes."""
        values = []
        for name, probability in answer.top:
            values += [name, round(probability, 6)]
        return dict(zip(self.columns(), values))

    def columns(self) -> list[str]:
        """class, probability, class_2, probability_2, ..."""
        found = ["class", "probability"]
        for place in range(2, 1 + min(TOP, len(self.classes))):
            found += [f"class_{place}", f"probability_{place}"]
        return found


class ImageClassifier(Classifier):
    """A run whose model says what an image shows.

    run = load_run("mnist_cnn")
    run.predict(["seven.png"])
    run.predict(images)  # uint8 (N, 28, 28, 1), as they come from a data set
    """

    takes = "pictures"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.shape: tuple[int, int, int] = tuple(self.description.settings["shape"])
        self.refuse_other_shape(self.shape, "input_shape")
        self.refuse_other_shape([len(self.classes)], "output_shape")

    def read(self, value: str | Path) -> np.ndarray:
        """The picture in a file, cut and scaled."""
        return read_picture(Path(value), self.shape)

    def logits(self, inputs: Pictures) -> np.ndarray:
        """(N, classes): what the model returns for images, or files of images."""
        pixels = prepared_pixels(inputs, self.shape, self.description.settings)
        return in_pieces(self.model, pixels)


def in_pieces(model: Any, x: np.ndarray) -> np.ndarray:
    """What a model returns for an array, BATCH rows at a time.

    `predict_on_batch` compiles the model once for each shape; `predict` would do so
    again in many of its calls.
    """
    starts = range(0, len(x), BATCH)
    parts = [model.predict_on_batch(x[start : start + BATCH]) for start in starts]
    return np.concatenate(parts)


def prepared_pixels(
    inputs: Pictures,
    shape: tuple[int, int, int],
    settings: dict[str, Any],
) -> np.ndarray:
    """Images as a model takes them, (N, H, W, C).

    inputs: pixels from 0 to 255, (N, H, W, C), or (N, H, W) of grey images; or the
        paths of files, each of which is cut and scaled to the shape.
    shape: (H, W, C).
    settings: of the description; `pixels` is the range that the model takes.
    """
    refuse_single(inputs, "an array of images, or a list of arrays or paths")
    if isinstance(inputs, np.ndarray):
        images = _checked_pixels(inputs, shape, "(N, ")
    else:
        images = np.zeros((len(inputs), *shape), "uint8")
        for image, each in zip(images, inputs):
            if isinstance(each, np.ndarray):
                image[...] = _checked_pixels(each[None], shape, "(")[0]
            else:
                image[...] = read_picture(Path(each), shape)
    low, high = settings["pixels"]
    if (low, high) == (0, 255):
        return images
    return images.astype("float32") / (255 / (high - low)) + low


def _checked_pixels(
    images: np.ndarray, shape: tuple[int, int, int], first: str
) -> np.ndarray:
    """Images as uint8 (N, H, W, C); raises Mistake for another shape or other values.

    first: how the expected shape begins in the message.
    """
    got = images.shape if first == "(N, " else images.shape[1:]
    if images.shape[1:] == shape[:2] and shape[2] == 1:
        images = images[..., None]
    if images.shape[1:] != shape:
        raise Mistake(
            f"got images of the shape {got}, expected {first}"
            f"{', '.join(map(str, shape))}): give the paths of files to have "
            "pictures of any size cut and scaled"
        )
    expected = "expected whole numbers from 0 to 255, as uint8"
    if images.dtype.kind not in "iu":
        raise Mistake(
            f"got pixels of the type {images.dtype}, {expected}: "
            "multiply those from 0 to 1 by 255, and call astype('uint8')"
        )
    if images.size and (images.min() < 0 or images.max() > 255):
        raise Mistake(f"got pixels from {images.min()} to {images.max()}, {expected}")
    return images.astype("uint8")


class SoundClassifier(Classifier):
    """A run whose model says which word somebody says.

    run = load_run("spoken_digit_rnn")
    run.predict(["seven.wav"])
    """

    takes = "sounds"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.samples: int = self.description.settings["samples"]
        self.refuse_other_shape([self.samples], "input_shape")
        self.refuse_other_shape([len(self.classes)], "output_shape")

    def read(self, value: str | Path) -> np.ndarray:
        """The sound in a WAV file, at the rate that the model has learned."""
        return read_sound(value)

    def logits(self, inputs: Sounds) -> np.ndarray:
        """(N, classes): what the model returns for sounds, or for WAV files."""
        sounds = read_sounds(inputs)
        return in_pieces(self.model, of_one_length(sounds, self.samples))


def read_sounds(inputs: Sounds) -> list[np.ndarray]:
    """Sounds of any length, (samples,) each, of which some may be the paths of files.

    Raises: Mistake for anything else.
    """
    refuse_single(inputs, "a list of arrays or of the paths of WAV files")
    sounds = []
    for each in inputs:
        sound = read_sound(each) if isinstance(each, str | Path) else np.asarray(each)
        if sound.ndim != 1 or not len(sound):
            raise Mistake(
                f"got a sound of the shape {sound.shape}, expected (samples,), as the "
                f"{RATE} samples of a second"
            )
        sounds.append(as_loud_as_can_be(sound))
    return sounds


class TextClassifier(Classifier):
    """A run whose model judges texts.

    run = load_run("imdb_rnn")
    run.predict(["A film to remember.", "Not half as good as they say."])
    """

    takes = "texts"
    vocabulary_class: type[Vocabulary] = Vocabulary

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.vocabulary = self.vocabulary_class(self.description.settings["words"])
        self.length: int = self.description.settings["length"]
        self.refuse_other_shape([len(self.classes)], "output_shape")

    def read(self, value: str) -> str:
        """The text; one without any word has no answer."""
        if not isinstance(value, str):
            raise ValueError(f"it is no text but of the type {type(value).__name__}")
        if not split_words(value):
            raise ValueError("it holds no word")
        return value

    def ids(self, texts: Iterable[str]) -> np.ndarray:
        """int32 (N, length): the ids of the words of each text, padded with 0."""
        rows = [self.vocabulary.ids(self.vocabulary.split(text)) for text in texts]
        return cut_and_pad(rows, self.length)

    def known(self, text: str) -> tuple[int, int]:
        """How many words of a text the model knows, and how many there are."""
        ids = self.vocabulary.ids(self.vocabulary.split(text))
        return sum(number != UNKNOWN for number in ids), len(ids)

    def knows(self, value: str) -> bool:
        """Whether the model knows a word of the text, or there is none."""
        known, count = self.known(value)
        return known > 0 or not count

    def logits(self, inputs: Sequence[str]) -> np.ndarray:
        """(N, classes): what the model returns for texts."""
        refuse_single(inputs, "a list of texts")
        for text in inputs:
            try:
                self.read(text)
            except ValueError as problem:
                raise Mistake(f"got {text!r:.60}, but {problem}") from None
        ids = self.ids(inputs)
        lengths = (ids != 0).sum(1)
        order = np.argsort(lengths, kind="stable")
        logits = np.zeros((len(ids), len(self.classes)))
        for start in range(0, len(ids), BATCH):
            rows = order[start : start + BATCH]
            logits[rows] = self.model.predict_on_batch(
                ids[rows, : self._width(lengths[rows].max())]
            )
        return logits

    def _width(self, longest: int) -> int:
        """The length of a batch's rows: few different ones, each compiled once."""
        width = SHORTEST
        while width < longest:
            width *= 2
        return min(width, self.length)


class PieceClassifier(TextClassifier):
    """A run whose model judges texts by their word pieces.

    run = load_run("imdb_minilm")
    run.predict(["A film to remember.", "Not half as good as they say."])
    """

    vocabulary_class = PieceVocabulary


@dataclasses.dataclass(frozen=True)
class TaggedText:
    """The answer of a tagger to one sentence; as a text it reads "The/DET end/NOUN"."""

    words: tuple[str, ...]
    tags: tuple[str, ...]  # the tag of each word

    def __str__(self) -> str:
        return " ".join(f"{word}/{tag}" for word, tag in zip(self.words, self.tags))


class SentenceTagger(TrainedRun):
    """A run whose model gives each word of a sentence a tag.

    run = load_run("english_tagging_crf")
    print(*run.predict(["Time flies like an arrow."]))
    """

    takes = "texts"
    reads_lines = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        settings = self.description.settings
        self.tags: list[str] = settings["tags"]
        self.vocabulary = Vocabulary(settings["words"])
        self.alphabet = Vocabulary(settings["alphabet"])
        self.letters: int = settings["letters"]
        N = len(self.tags)
        shape = self.model.output_shape
        is_crf = isinstance(shape, tuple) and len(shape) == 4
        self.refuse_other_shape([None, N, N] if is_crf else [None, N], "output_shape")

    def read(self, value: str) -> str:
        """The sentence, if it holds words, and not too many."""
        if not isinstance(value, str):
            raise ValueError(f"it is no text but of the type {type(value).__name__}")
        count = len(split_sentence(value))
        if not count:
            raise ValueError("it holds no word")
        if count > MOST_WORDS:
            raise ValueError(f"it has {count} words, expected at most {MOST_WORDS}")
        return value

    def knows(self, value: str) -> bool:
        """Whether the model knows a character of the sentence, or there is none."""
        ids = self.alphabet.ids("".join(split_sentence(value)))
        return not ids or any(number != UNKNOWN for number in ids)

    def predict(self, inputs: Sequence[str]) -> list[TaggedText]:
        """The words of each sentence, with their tags."""
        refuse_single(inputs, "a list of sentences")
        return [self._tagged(split_sentence(self.read(text))) for text in inputs]

    def _tagged(self, sentence: list[str]) -> TaggedText:
        width = SHORTEST
        while width < len(sentence):  # few different ones, each compiled once
            width *= 2
        x = encode_words(
            [sentence], self.vocabulary, self.alphabet, self.letters, width
        )
        answers = self.model.predict_on_batch([*x])
        (ids,) = decoded_tags(answers)
        tags = tuple(self.tags[i] for i in ids[: len(sentence)])
        return TaggedText(tuple(sentence), tags)

    def fields(self, answer: TaggedText) -> dict[str, Any]:
        """The sentence with the tag behind each word."""
        return {"tags": str(answer)}

    def columns(self) -> list[str]:
        """The one column that holds the answers."""
        return ["tags"]


def decoded_tags(answers: np.ndarray) -> np.ndarray:
    """(B, T) tags: the best tagging of potentials, or the best tag of each word.

    answers: log potentials (B, T, N, N) of a CRF, or scores (B, T, N).
    """
    if answers.ndim == 4:
        return keras.ops.convert_to_numpy(viterbi(answers))
    return answers.argmax(-1)
