"""Formulas of sequence models in NumPy, with loops: a loss and monotonic attention."""

import numpy as np

from loss_cases import AsLayer
from loss_formulas import log_sum, slope
from oracle import array, run_layer


def sequence_loss(y, z, w, way):
    """As TensorFlow Addons documents it; `way` holds its arguments."""
    defaults = {"sum_over_timesteps": True, "sum_over_batch": True}
    way = {**defaults, **way}
    is_average = way.get("average_across_timesteps") or way.get("average_across_batch")
    over_time = way.get("average_across_timesteps") or way["sum_over_timesteps"]
    over_batch = way.get("average_across_batch") or way["sum_over_batch"]
    B, T, _ = z.shape
    groups = {}
    for b in range(B):
        for t in range(T):
            key = (0 if over_batch else b, 0 if over_time else t)
            cost = w[b, t] * (log_sum(z[b, t]) - z[b, t, y[b, t]])
            count = w[b, t] if is_average else float(w[b, t] != 0)
            total, n = groups.get(key, (0.0, 0.0))
            groups[key] = (total + cost, n + count)
    shape = (1 if over_batch else B, 1 if over_time else T)
    result = np.zeros(shape)
    for key, (total, n) in groups.items():
        is_single = not (over_batch or over_time)
        result[key] = total if is_single else total / n if n else 0.0
    kept = tuple(0 if size == 1 else slice(None) for size in shape)
    return result[kept]


SEQUENCE_WAYS = [
    {},
    {"sum_over_timesteps": False},
    {
        "average_across_timesteps": True,
        "average_across_batch": True,
        "sum_over_timesteps": False,
        "sum_over_batch": False,
    },
]


def error_of_sequence_loss(cls, way=None):
    """How far the loss is from its formula: the largest error of value and gradient."""
    if way is None:
        return max(error_of_sequence_loss(cls, each) for each in SEQUENCE_WAYS)
    y = array(3, 4, low=0, high=5, dtype="int32")
    z = array(3, 4, 5, seed=1, dtype="float64")
    w = np.array([[1, 2, 0, 0], [0.5, 1, 1, 3], [0, 0, 0, 0]])
    value = sequence_loss(y, z, w, way)
    c = array(*np.shape(value), seed=3)
    found = run_layer(AsLayer(cls(**way), y, w), z)
    gradient = slope(lambda z: np.sum(c * sequence_loss(y, z, w, way)), z)
    errors = [
        np.abs(found["output 0"] - value).max() / np.abs(value).max(),
        np.abs(found["gradient to input 0"] - gradient).max() / np.abs(gradient).max(),
    ]
    return float(np.nan_to_num(max(errors), nan=np.inf))
