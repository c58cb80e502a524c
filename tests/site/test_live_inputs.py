"""Pages with a trained model prepare their inputs as Python does."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cookbook.data.text.words import Vocabulary, cut_and_pad, split_words
from cookbook.demo.pictures import drawn_pixels
from custom_layers.generation import Subwords
from playground import javascript, near

pytestmark = pytest.mark.one_backend

TEXTS = (
    "It's the BEST film, isn't it?",
    "Naïve <br /> café, 10/10!! don\u2019t miss it_all",
    "",
    "1,5 stars...  (no) 'quoted' rock'n'roll 日本語 x²",
    "<b>bold</b> a<b and c>d",
)
SENTENCES = ("low lower lowest.", "slow, slowest!  new 7", "øre ▁ ☃", "")


def drawing(seed):
    """Strokes as a field to draw on gives them: alpha of 280 x 280 pixels."""
    rng = np.random.default_rng(seed)
    ink = Image.new("L", (280, 280))
    points = [tuple(point) for point in rng.integers(30, 250, (4, 2)).tolist()]
    ImageDraw.Draw(ink).line(points, fill=255, width=int(rng.integers(8, 30)))
    return np.asarray(ink)


def test_a_drawing_becomes_the_pixels_that_the_demo_makes_of_it():
    inks = [drawing(seed) for seed in range(5)]
    spot = np.zeros((280, 280), "uint8")
    spot[3:9, 270:279] = 255
    spot[5:8, 270:273] = 90
    inks += [spot, np.ascontiguousarray(inks[0][100:130])]
    found = javascript(
        """
        const { placed } = await load("digits");
        const result = given.inks.map((ink) => placed(ink).map((row) => [...row]));
    """,
        inks=[ink.tolist() for ink in inks],
    )
    for ink, pixels in zip(inks, found):
        layer = np.zeros((*ink.shape, 4), "uint8")
        layer[..., 3] = ink
        expected = drawn_pixels({"layers": [layer]}, True, (28, 28, 1))
        # Some releases of Pillow resize tall images in another order, and round so.
        rows, columns = map(np.ptp, ink.nonzero())
        near(pixels, expected[..., 0], 20 if rows > 1.9 * columns else 0)


def test_nothing_drawn_is_nothing_to_ask():
    result = javascript("""
        const { placed } = await load("digits");
        const result = placed([[0, 0], [0, 0]]);
    """)
    assert result is None


def test_reviews_are_split_numbered_and_cut_as_in_python():
    words = ["the", "film", "it's", "!", "best"]
    found = javascript(
        """
        const { cut, splitWords, vocabulary } = await load("texts");
        const idsOf = vocabulary(given.words);
        const result = {
          split: given.texts.map(splitWords),
          ids: given.texts.map((text) => idsOf(splitWords(text))),
          cut: cut([...Array(23).keys()].map((i) => i + 1), 9),
        };
    """,
        texts=TEXTS,
        words=words,
    )
    assert found["split"] == [split_words(text) for text in TEXTS]
    vocabulary = Vocabulary(words)
    assert found["ids"] == [vocabulary.ids(split_words(text)) for text in TEXTS]
    (expected,) = cut_and_pad([range(1, 24)], 9)
    assert found["cut"] == expected.tolist()


def test_sentences_become_the_subwords_of_python():
    subwords = Subwords.learn(["low lower lowest. new", "low slow, slowest! 7"], 40)
    found = javascript(
        """
        const { subwords } = await load("texts");
        const codec = subwords(given);
        const tokens = given.sentences.map((text) => codec.tokens(text));
        const result = { tokens, texts: tokens.map((row) => codec.text(row)) };
    """,
        pieces=subwords.pieces,
        merges=subwords.merges,
        sentences=SENTENCES,
    )
    expected = [subwords.encode_known(sentence) for sentence in SENTENCES]
    assert found["tokens"] == expected
    assert found["texts"] == [subwords.decode(row) for row in expected]


def test_influences_are_differences_of_log_odds():
    logits = [[1.0, -0.5], [0.2, 0.1], [2.0, -3.0], [40.0, -2.0]]
    found = javascript(
        """
        const { influences } = await load("texts");
        const result = influences(given.logits, 0);
    """,
        logits=logits,
    )
    odds = np.diff(np.array(logits)[:, ::-1], axis=1)[:, 0]  # of two classes
    near(found, odds[0] - odds[1:])


def test_characters_are_drawn_by_their_probabilities():
    found = javascript(
        """
        const { drawn, softmax } = await load("texts");
        const { uniforms } = await load("random");
        const uniform = uniforms(3);
        const counts = [0, 0, 0, 0];
        for (let i = 0; i < 20000; i += 1) {
          counts[drawn(given.logits, 0.5, uniform)] += 1;
        }
        const result = { counts, cold: drawn(given.logits, 1e-6, uniform) };
    """,
        logits=[9.0, 0.3, -0.2, 0.6],
    )
    p = np.exp(np.array([0.3, -0.2, 0.6]) / 0.5)
    shares = np.array(found["counts"]) / 20000
    near(shares, [0, *(p / p.sum())], 0.015)  # four deviations; token 0 never comes
    assert found["cold"] == 3
