"""Uses of exported models: the class that answers, and lines that show how."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Usage:
    """How an exported model of one kind is used.

    Attributes:
        module: the module of `portable` that holds its class.
        name: of that class.
        example: Python that uses it, for the README.
        explanation: what the example takes, and what it gives.
        network: more lines, which call the network itself.
    """

    module: str
    name: str
    example: str
    explanation: str
    network: str = ""

    @property
    def packages(self) -> list[str]:
        """What it needs to read its inputs or to write its outputs."""
        found = []
        if ".png" in self.example:
            found.append("pillow")
        if ".wav" in self.example:
            found.append("scipy")
        return found


CLASSES = """\
from use import load

(answer,) = load().predict([{}])
for name, probability in answer:
    print(f"{{probability:6.1%}}  {{name}}")
"""
TEXTS = """\
from use import load

model = load()
for answer in model.predict({}):
    print(answer)
"""
USES = {
    "image classifier": Usage(
        "classifiers",
        "ImageModel",
        CLASSES.format('"picture.png"'),
        "`picture.png` is a picture of yours, of any size: it is cut and scaled as it "
        "was in training. The answer names the three most probable classes. "
        "`predict` takes any number of files.",
    ),
    "sound classifier": Usage(
        "sounds",
        "SoundModel",
        CLASSES.format('"sound.wav"'),
        "`sound.wav` is a recording of yours, of any length and rate: what is too long "
        "is cut to its loudest part. The answer names the three most probable classes. "
        "`predict` takes any number of files.",
    ),
    "transcriber": Usage(
        "sounds",
        "SpeechModel",
        TEXTS.format('["sound.wav"]'),
        "`sound.wav` is a recording of yours, at any rate. `predict` takes any number "
        "of files, and gives the words of each. It takes the likeliest label of each "
        "frame; the cookbook's own `predict` searches with a beam.",
    ),
    "text classifier": Usage(
        "classifiers",
        "TextModel",
        CLASSES.format('"A film to remember."'),
        "`predict` takes any number of texts, and names the classes of each, the most "
        "probable one first.",
    ),
    "word-piece classifier": Usage(
        "classifiers",
        "PieceModel",
        CLASSES.format('"A film to remember."'),
        "`predict` takes any number of texts, and names the classes of each, the most "
        "probable one first.",
    ),
    "tagger": Usage(
        "classifiers",
        "TaggerModel",
        """\
from use import load

(answer,) = load().predict(["Time flies like an arrow."])
for word, tag in answer:
    print(f"{word:12}{tag}")
""",
        "`predict` takes any number of sentences, and gives the words of each with "
        "their tags.",
    ),
    "anomaly score": Usage(
        "classifiers",
        "AnomalyModel",
        """\
from use import load

model = load()
(score,) = model.predict(["picture.png"])
print(score)
""",
        "`picture.png` is a picture of yours, of any size: it is cut and scaled as it "
        "was in training. The larger the score, the less the picture resembles those "
        "of training.",
    ),
    "language model": Usage(
        "writers",
        "CharacterModel",
        TEXTS.format('["The "], length=200'),
        "`predict` continues each text by `length` characters. A higher `temperature` "
        "(0.8 by default) draws rarer characters more often; another `seed` draws "
        "others.",
        """\
import numpy as np

tokens = [max(0, model.alphabet.find(c)) for c in "The "]  # 0 is an unknown one
for _ in range(20):
    row = np.array([tokens[-model.context :]], "int32")
    logits = model.network(tokens=row)[0, -1]
    tokens.append(int(logits.argmax()))
print("".join(model.alphabet[token] for token in tokens))
""",
    ),
    "translation": Usage(
        "writers",
        "TranslationModel",
        TEXTS.format('["Ein Hund."]'),
        "`predict` takes sentences in the language that the model has learned to read. "
        "It writes the most probable subword at each step; the cookbook's own "
        "`predict` searches with a beam, and translates a little better.",
        """\
import numpy as np

source = np.array([[*model.tokens("Ein Hund."), 3]], "int32")  # 3 ends a sentence
target = [2]  # which begins one
while target[-1] != 3 and len(target) < 20:
    row = np.array([target], "int32")
    logits = model.network(source=source, target=row)[0, -1]
    target.append(int(logits.argmax()))
print([model.pieces[token] for token in target])
""",
    ),
    "sums": Usage(
        "writers",
        "SumModel",
        TEXTS.format('["12+34"]'),
        "`predict` takes sums of two numbers, and answers as the model writes.",
    ),
    "forecast": Usage(
        "numbers",
        "SeriesModel",
        """\
import numpy as np
from use import load

model = load()
series = np.sin(np.arange({rows}))[:, None] * model.scale + model.mean
print(model.predict([series]))
""",
        "`series` stands for yours: an array with a row for each point in time and a "
        "column for each of `columns` in model.json, in the units of training. "
        "The answer holds the values that follow it.",
    ),
    "image translator": Usage(
        "numbers",
        "PictureTranslator",
        """\
from PIL import Image
from use import load

images = load().predict(["picture.png"])
Image.fromarray(images[0]).save("translated.png")
""",
        "`picture.png` is a picture of yours, of any size: it is cut and scaled as it "
        "was in training.",
    ),
    "point generator": Usage(
        "numbers",
        "PointGenerator",
        """\
from use import load

points = load().predict(count=1000, seed=0)
print(points)
""",
        "Another seed makes other points.",
    ),
    "image generator": Usage(
        "numbers",
        "ImageGenerator",
        """\
from PIL import Image
from use import load

images = load().predict(count=16, seed=0)
Image.fromarray(images[0]).save("made.png")
""",
        "Another seed makes other pictures. A model that has classes takes one of them "
        'as well, as in `predict(16, label="7")`.',
    ),
}
