"""Transformer blocks once more, in NumPy, from the formulas of the papers."""

import math

import numpy as np
from keras import ops

from oracle import array


def np_norm(weights, prefix, x, epsilon=1e-5):
    """The norm of that prefix: by the root mean square if it has a scale alone."""
    if f"{prefix}_norm/scale" in weights:
        size = np.sqrt((x**2).mean(-1, keepdims=True) + epsilon)
        return x / size * weights[f"{prefix}_norm/scale"]
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return scaled * weights[f"{prefix}_norm/gamma"] + weights[f"{prefix}_norm/beta"]


def np_attention(weights, prefix, x, source, allowed, bias=0.0):
    """Head h of the queries reads head h // (heads / groups) of the keys and values."""

    def project(name, x):
        kernel = weights[f"{prefix}/{name}/kernel"]
        return (
            np.einsum("btd,dhe->bhte", x, kernel)
            + weights[f"{prefix}/{name}/bias"][:, None]
        )

    q, k, v = project("query", x), project("key", source), project("value", source)
    heads, groups = q.shape[1], k.shape[1]
    reads = [h // (heads // groups) for h in range(heads)]
    k, v = k[:, reads], v[:, reads]
    scores = np.einsum("bhte,bhse->bhts", q, k) / np.sqrt(q.shape[-1]) + bias
    scores = np.where(allowed, scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    y = np.einsum("bhts,bhse->bthe", p, v)
    kernel = weights[f"{prefix}/attention_output/kernel"]
    return (
        np.einsum("bthe,hed->btd", y, kernel)
        + weights[f"{prefix}/attention_output/bias"]
    )


def np_feed_forward(weights, x):
    wide = x @ weights["expand/kernel"] + weights["expand/bias"]
    return np.maximum(wide, 0) @ weights["contract/kernel"] + weights["contract/bias"]


def np_gated_feed_forward(activation):
    """(a * activation(b)) W2 + b2, with [a, b] = x W1 + b1."""

    def feed_forward(weights, x):
        wide = x @ weights["expand/kernel"] + weights["expand/bias"]
        a, b = np.split(wide, 2, axis=-1)
        y = a * activation(b)
        return y @ weights["contract/kernel"] + weights["contract/bias"]

    return feed_forward


def np_silu(x):
    return x / (1 + np.exp(-x))


def np_gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2


def np_block(layer, x, parts):
    """The output of parts (name, function of weights and x), with residuals, norms."""
    weights = {w.path.split("/", 1)[1]: ops.convert_to_numpy(w) for w in layer.weights}
    for name, function in parts:
        if layer.normalize_first:
            x = x + function(weights, np_norm(weights, name, x))
        else:
            x = np_norm(weights, name, x + function(weights, x))
    return x


def np_alibi(heads, queries, keys):
    """-|i - j| / 2^(8 h / heads), from query i and key j, entry by entry."""
    bias = np.zeros((heads, queries, keys), "float32")
    for h, i, j in np.ndindex(*bias.shape):
        bias[h, i, j] = -abs(i - j) / 2 ** (8 * (h + 1) / heads)
    return bias


def np_bucket(place, buckets, max_distance, bidirectional):
    """The bucket of T5 for a key `place` = j - i places behind the query."""
    first = 0
    if bidirectional:
        buckets //= 2
        first = buckets if place > 0 else 0
        n = abs(place)
    else:
        n = max(-place, 0)
    exact = buckets // 2
    if n < exact:
        return first + n
    share = math.log(n / exact) / math.log(max_distance / exact)
    far = exact + int(share * (buckets - exact) + 1e-9)  # 1e-9 against rounding
    return first + min(far, buckets - 1)


def np_relative_bias(table, queries, keys, max_distance, bidirectional):
    """(heads, queries, keys), from a table (buckets, heads)."""
    bias = np.zeros((table.shape[1], queries, keys), "float32")
    for i, j in np.ndindex(queries, keys):
        bucket = np_bucket(j - i, len(table), max_distance, bidirectional)
        bias[:, i, j] = table[bucket]
    return bias


def randomize(layer):
    """The layer, which has random weights of some size now."""
    values = [0.4 * array(*w.shape, seed=i) for i, w in enumerate(layer.weights)]
    layer.set_weights(values)
    return layer


def run_in_steps(layer, x, sizes, *source):
    """The outputs of `step` with a cache, for as many tokens at a time as sizes say."""
    cache = layer.empty_cache(len(x), sum(sizes), *source)
    parts, index = [], 0
    for T in sizes:
        y, cache = layer.step(x[:, index : index + T], cache, index)
        parts.append(y)
        index += T
    return ops.concatenate(parts, axis=1)
