"""Models that write: they continue texts, translate, add numbers and take dictation."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.answers.classifiers import Sounds, in_pieces, read_sounds
from cookbook.answers.decoders import (
    answer_sums,
    character_decoder,
    rounded_up,
    translation_decoder,
)
from cookbook.data.sounds.recordings import RATE, of_one_length, read_sound
from cookbook.data.text.characters import decode, encode
from cookbook.data.text.sums import encode_question, written
from cookbook.data.text.translation import pad
from cookbook.errors import Mistake, harmless
from cookbook.trained.trained_run import TrainedRun, refuse_single
from custom_layers.generation import (
    END,
    START,
    Subwords,
    beam_search,
    ctc_decode,
    sample,
)

UNKNOWN = 0  # the token of all characters that the alphabet lacks
LONGEST = 200  # subwords of a text that a user asks for


class Writer(TrainedRun):
    """A run whose model answers a text with a text."""

    takes = "texts"
    answer = "answer"  # the name of the column with the answers

    def fields(self, answer: str) -> dict[str, Any]:
        """The text of the answer."""
        return {self.answer: answer}

    def columns(self) -> list[str]:
        """The one column that holds the answers."""
        return [self.answer]


class LanguageModel(Writer):
    """A run whose model continues texts, character by character.

    run = load_run("shakespeare_gpt")
    run.predict(["ROMEO:"], length=300)
    """

    answer = "continuation"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        alphabet = self.description.settings["alphabet"]
        self.refuse_other_shape([None, len(alphabet)], "output_shape")
        self.decoder = character_decoder(self.model)

    def predict(
        self,
        inputs: Sequence[str],
        length: int = 500,
        temperature: float = 0.8,
        seed: int = 0,
    ) -> list[str]:
        """Each text with `length` more characters, which are drawn one by one.

        A higher temperature draws rarer characters more often.
        """
        refuse_single(inputs, "a list of texts")
        if length < 1:
            raise Mistake(f"length got {length}, expected at least 1")
        if not 0 < temperature < math.inf:
            raise Mistake(
                f"temperature got {temperature}, expected a number above 0: with a "
                "small one, such as 0.1, nearly always the likeliest character comes"
            )
        known = self.description.settings
        return [
            write_on(
                self.decoder,
                text,
                length,
                known["alphabet"],
                known["context"],
                seed,
                temperature,
            )
            for text in inputs
        ]

    def knows(self, value: str) -> bool:
        """Whether the model knows a character of the text, or there is none."""
        alphabet = self.description.settings["alphabet"]
        return not value or any(character in alphabet for character in value)


class Translator(Writer):
    """A run whose model translates sentences.

    run = load_run("multi30k_transformer")
    run.predict(["Ein Hund schläft."])
    """

    answer = "translation"
    reads_lines = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        settings = self.description.settings
        self.subwords = Subwords(settings["pieces"], settings["merges"])
        self.refuse_other_shape([None, len(self.subwords)], "output_shape")
        self.decoder = translation_decoder(self.model)

    def read(self, value: str) -> str:
        """The sentence, if its subwords are known and not too many."""
        tokens = self.subwords.encode_known(value)
        if len(tokens) > LONGEST:
            raise ValueError(
                f"the text has {len(tokens)} subwords, expected at most {LONGEST}: "
                "give one sentence"
            )
        if not tokens:
            raise ValueError(
                "it holds nothing that the vocabulary knows: expected a sentence in "
                f"{harmless(self.description.settings['languages'][0])}"
            )
        return value

    def predict(self, inputs: Sequence[str], beam_width: int = 5) -> list[str]:
        """The translation of each sentence, by beam search."""
        refuse_single(inputs, "a list of sentences")
        return translate(self.decoder, inputs, self.subwords, beam_width)


class Calculator(Writer):
    """A run whose model adds two numbers that are written as text.

    run = load_run("addition_seq2seq")
    run.predict(["12+345"])
    """

    answer = "sum"
    reads_lines = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.digits: int = self.description.settings["digits"]
        self.refuse_other_shape([None, 14], "output_shape")

    def read(self, value: str) -> str:
        """The question; raises ValueError if it is not a sum that the model can add."""
        encode_question(value, self.digits)
        return value

    def predict(self, inputs: Sequence[str]) -> list[str]:
        """The sums, as the model writes them."""
        refuse_single(inputs, "a list of sums")
        if not inputs:
            return []
        questions = [encode_question(text, self.digits) for text in inputs]
        rows = np.concatenate(questions)
        answers, _ = answer_sums(self.model, rows, self.digits + 2)
        return [written(row, is_answer=True) for row in answers]


class Transcriber(Writer):
    """A run whose model writes down the words that somebody says.

    run = load_run("digit_strings_ctc")
    run.predict(["my_number.wav"])
    """

    takes = "sounds"
    answer = "words"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        settings = self.description.settings
        self.samples: int = settings["samples"]
        self.refuse_other_shape([self.samples], "input_shape")
        frames = self.model.output_shape[1:-1]
        self.refuse_other_shape([*frames, 1 + len(self.classes)], "output_shape")

    def read(self, value: str | Path) -> np.ndarray:
        """The sound in a WAV file, if the model can listen to all of it."""
        sound = read_sound(value)
        self._refuse_long(sound)
        return sound

    def _refuse_long(self, sound: np.ndarray) -> None:
        if len(sound) > self.samples:
            raise ValueError(
                f"the sound lasts {len(sound) / RATE:.1f} s, expected at most "
                f"{self.samples / RATE:.1f}: cut it"
            )

    def predict(self, inputs: Sounds, beam_width: int = 10) -> list[str]:
        """The words of each sound, by beam search, with spaces between them."""
        sounds = read_sounds(inputs)
        for sound in sounds:
            self._refuse_long(sound)
        if not sounds:
            return []
        logits = in_pieces(self.model, of_one_length(sounds, self.samples))
        labels, _ = ctc_decode(logits, None, "beam_search", beam_width)
        best = keras.ops.convert_to_numpy(labels)[0]
        return [" ".join(self.classes[i - 1] for i in row if i > 0) for row in best]


def write_on(
    decoder: Callable,
    text: str,
    length: int,
    alphabet: str,
    context: int,
    seed: int,
    temperature: float = 0.8,
) -> str:
    """Continues `text` by `length` characters, drawn one by one.

    decoder: decoder(prompt, length) returns (next_logits, state) as
        custom_layers.generation wants them, for prompts of the shape (1, P).
    context: the number of characters in the windows that the model was trained on.
        When a window is full, its second half becomes the prompt of the next one.
    """
    tokens = list(encode(text or "\n", alphabet))
    wanted = len(tokens) + length
    draw = keras.random.SeedGenerator(seed)
    while len(tokens) < wanted:
        kept = max(1, context // 2)
        prompt = np.array([tokens[-kept:]])
        size = rounded_up(prompt.shape[1] + wanted - len(tokens))
        size = min(size, max(2, context))
        next_logits, state = decoder(prompt, size)
        row = sample(
            next_logits,
            prompt,
            size,
            temperature=temperature,
            suppress_tokens=[UNKNOWN],
            state=state,
            seed=draw,
        )
        drawn = np.array(row)[0, prompt.shape[1] :]
        tokens += drawn.tolist()
    return text + decode(tokens[wanted - length : wanted], alphabet)


def translate(
    decoder: Callable,
    sentences: Sequence[str],
    subwords: Subwords,
    beam_width: int = 5,
    length_penalty: float = 1.0,
) -> list[str]:
    """Translates sentences by beam search, in batches of similar length.

    decoder: decoder(source, length) returns (next_logits, state) as
        custom_layers.generation wants them, for sources (B, S) of subword tokens that
        are padded with 0.

    Characters that training never saw, such as an emoji, are left out. The translation
    of an empty sentence is empty.
    """
    rows = [subwords.encode_known(sentence) for sentence in sentences]
    answers = [""] * len(rows)
    for eighths, batch in _batches(rows):
        # Arrays of few sizes need few compiled programs.
        source = pad([[*rows[i], END] for i in batch], columns=8 * eighths + 1)
        length = 10 + 12 * eighths
        next_logits, state = decoder(source, length)
        tokens, _ = beam_search(
            next_logits,
            np.full((len(source), 1), START),
            length,
            beam_width=beam_width,
            length_penalty=length_penalty,
            end_token=END,
            state=state,
        )
        best_of_each = np.array(tokens)[:, 0, 1:]
        for i, best in zip(batch, best_of_each.tolist()):
            answers[i] = subwords.decode(best)
    return answers


def _batches(rows: Sequence, size: int = 50) -> Iterator[tuple[int, list[int]]]:
    """Yields (eighths, numbers): up to `size` numbers of rows of about one length.

    eighths: an eighth of that length, rounded up.

    The shortest rows come first. A row's eighths depend on its own length alone, so
    that a sentence is translated the same in every batch.
    """
    eighths = {i: -(-len(row) // 8) for i, row in enumerate(rows) if row}
    order = sorted(eighths, key=lambda i: len(rows[i]))
    for count, alike in itertools.groupby(order, key=lambda i: eighths[i]):
        group = list(alike)
        for start in range(0, len(group), size):
            yield count, group[start : start + size]
