"""Weights of sentence encoders of BERT's form, put into layers of ours."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from cookbook.sentences.pieces import PieceVocabulary

# {layer in a block: its name in a file of BERT}
IN_A_BLOCK = {
    "self_attention._query_dense": "attention.self.query",
    "self_attention._key_dense": "attention.self.key",
    "self_attention._value_dense": "attention.self.value",
    "self_attention._output_dense": "attention.output.dense",
    "self_attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}


@dataclasses.dataclass(frozen=True)
class Bert:
    """An encoder of BERT's form: its pieces, its sizes, and its trained weights."""

    name: str
    vocabulary: PieceVocabulary
    blocks: int
    heads: int  # of the attention in each block
    hidden: int  # units inside the feed-forward network of each block
    arrays: Mapping[str, np.ndarray]  # {name in BERT's files: weights}

    @property
    def positions(self) -> int:
        """The largest number of pieces that the encoder can read at once."""
        return self.arrays["embeddings.position_embeddings.weight"].shape[0]

    @property
    def features(self) -> int:
        """The length of a vector."""
        return self.arrays["embeddings.position_embeddings.weight"].shape[1]


def fill(network: keras.Model, bert: Bert) -> None:
    """Puts the trained weights into a network.

    network: its layers "embedding" and "embedding_norm" are those before the blocks,
        which are called "block_0", "block_1", ...;
        it may lack the upper ones.

    BERT adds a vector that says whether a piece is of the first or of a second text.
    There is no second text, so the positions take up the vector of the first.
    """
    tables = "embeddings.{}_embeddings.weight"
    pieces, positions, texts = (
        bert.arrays[tables.format(name)] for name in ("word", "position", "token_type")
    )
    network.get_layer("embedding").set_weights([pieces, positions + texts[0]])
    norm = network.get_layer("embedding_norm")
    _fill_layer(norm, bert.arrays, "embeddings.LayerNorm")
    names = {layer.name for layer in network.layers}
    for i, (path, name) in itertools.product(range(bert.blocks), IN_A_BLOCK.items()):
        if f"block_{i}" in names:
            layer: Any = network.get_layer(f"block_{i}")
            for part in path.split("."):
                layer = getattr(layer, part)
            _fill_layer(layer, bert.arrays, f"encoder.layer.{i}.{name}")


def _fill_layer(layer: Any, arrays: Mapping[str, np.ndarray], name: str) -> None:
    """The kernel and the bias, or the scale and the offset, of one layer.

    A kernel of BERT's files is (outputs, inputs), and ours may split one of them into
    heads.
    """
    given = arrays[f"{name}.weight"].T, arrays[f"{name}.bias"]
    shapes = [weight.shape for weight in layer.weights]
    layer.set_weights([array.reshape(s) for array, s in zip(given, shapes)])
