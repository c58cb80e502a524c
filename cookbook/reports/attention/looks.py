"""Pictures of where a vision transformer looks: the shares of its tokens."""

import keras
import numpy as np

from cookbook.data.images import Images
from cookbook.plots.explain import coloured_images, with_heat
from cookbook.plots.figures import Folder
from cookbook.plots.picture_table import COLUMNS, draw_picture_table
from custom_layers.layers import SequencePooling, TransformerEncoderBlock

TINY = 1e-12  # keeps a picture without any contrast from dividing by 0


def draw_looks(model: keras.Model, data: Images, run: Folder) -> None:
    """attention.png: the places of validation images that a network looks at.

    The first row below the images shows the shares of the pooling. Each further row
    is a head of the last block of attention: how much attention all tokens pay to each
    place, on average, weighted by their shares. A mixer has no such rows.

    model: a functional model with a SequencePooling over square grids of tokens.
    """
    x, y = data.validation
    labels = y.argmax(-1) if y.ndim > 1 else y
    _, first = np.unique(labels, return_index=True)
    x = x[first[:COLUMNS]]
    shares, heads = looks(model, x)
    images = coloured_images(x)
    rows = [images]
    names = ["image", "pooling"]
    for i, heat in enumerate([shares, *np.moveaxis(heads, 1, 0)]):
        rows.append(with_heat(images, _enlarged(heat, x.shape[1:3])))
        if i:
            names.append(f"head {i}")
    title = "Where the network looks: bright places count for more in its answer"
    columns = [data.classes[label] for label in labels[first[:COLUMNS]]]
    draw_picture_table(rows, title, run, "attention", labels=names, columns=columns)


def looks(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shares (N, T) of the pooling, attention (N, heads, T) of the last block).

    The attention is averaged over the queries, weighted by the shares. Without a block
    of attention there are 0 heads.
    """
    pooling = next(a for a in model.layers if isinstance(a, SequencePooling))
    blocks = [a for a in model.layers if isinstance(a, TransformerEncoderBlock)]
    inputs = [layer.input for layer in (pooling, *blocks[-1:])]
    tokens, *before = keras.Model(model.inputs[0], inputs)(x, training=False)
    shares = pooling.shares(tokens)  # N, T
    if not blocks:
        return keras.ops.convert_to_numpy(shares), np.zeros((len(x), 0, 0))
    block = blocks[-1]
    query = block.self_attention_norm(before[0])
    _, P = block.self_attention(query, query, return_attention_scores=True)
    P = keras.ops.cast(P, "float32")
    heads = keras.ops.einsum("nt,nhts->nhs", shares, P)
    return keras.ops.convert_to_numpy(shares), keras.ops.convert_to_numpy(heads)


def _enlarged(shares: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Shares (N, T) of a square grid as maps (N, H, W), the largest share being 1."""
    side = int(len(shares[0]) ** 0.5)
    heat = shares.reshape(-1, side, side, 1)
    heat = heat / np.maximum(heat.max((1, 2, 3), keepdims=True), TINY)
    large = keras.ops.image.resize(heat.astype("float32"), size)
    return keras.ops.convert_to_numpy(large)[..., 0]
