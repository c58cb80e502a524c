"""Pictures of where a vision transformer looks: the shares of its tokens."""

from typing import Any

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
    if y.ndim > 1:
        labels = y.argmax(-1)
    else:
        labels = y

    _, first = np.unique(labels, return_index=True)
    first = first[:COLUMNS]  # an image of each class
    x = x[first]
    columns = [data.classes[label] for label in labels[first]]

    shares, heads = looks(model, x)
    heats = {"pooling": shares}
    for head, heat in enumerate(np.moveaxis(heads, 1, 0)):
        heats[f"head {head + 1}"] = heat

    images = coloured_images(x)
    rows = {"image": images}
    for name, heat in heats.items():
        maps = _enlarged(heat, x.shape[1:3])
        rows[name] = with_heat(images, maps)

    draw_picture_table(
        list(rows.values()),
        "Where the network looks: bright places count for more in its answer",
        run,
        "attention",
        labels=list(rows),
        columns=columns,
    )


def looks(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(shares (N, T) of the pooling, attention (N, heads, T) of the last block).

    The attention is averaged over the queries, weighted by the shares. Without a block
    of attention there are 0 heads.
    """
    (pooling,) = _layers(model, SequencePooling)
    tokens = _before(pooling, model, x)
    shares = pooling.shares(tokens)  # N, T
    blocks = _layers(model, TransformerEncoderBlock)

    if not blocks:
        return keras.ops.convert_to_numpy(shares), np.zeros((len(x), 0, 0))

    block = blocks[-1]
    tokens = _before(block, model, x)
    query = block.self_attention_norm(tokens)
    _, P = block.self_attention(query, query, return_attention_scores=True)
    P = keras.ops.cast(P, "float32")  # N, heads, T, T
    heads = keras.ops.einsum("nt,nhts->nhs", shares, P)

    shares, heads = map(keras.ops.convert_to_numpy, (shares, heads))

    return shares, heads


def _layers(model: keras.Model, kind: type) -> list:
    return [layer for layer in model.layers if isinstance(layer, kind)]


def _before(layer: keras.Layer, model: keras.Model, x: np.ndarray) -> Any:
    """What a layer of the model gets for images."""
    part = keras.Model(model.inputs[0], layer.input)

    return part(x, training=False)


def _enlarged(shares: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Shares (N, T) of a square grid as maps (N, H, W), the largest share being 1."""
    side = int(shares.shape[1] ** 0.5)
    heat = shares.reshape(-1, side, side, 1)
    highest = heat.max((1, 2, 3), keepdims=True)
    heat = heat / np.maximum(highest, TINY)
    heat = heat.astype("float32")
    large = keras.ops.image.resize(heat, size)
    maps = keras.ops.convert_to_numpy(large)

    return maps[..., 0]
