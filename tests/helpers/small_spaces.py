"""Draws from the space of a search, for the tests."""

import numpy as np


def drawn(space, rng):
    """Values of the active hyperparameters, drawn at random from the space."""
    values = {}
    for dimension in space.dimensions:
        if dimension.is_active(values):
            values[dimension.name] = _value(dimension, rng)
    return values


def _value(dimension, rng):
    if dimension.kind == "choice":
        return dimension.values[rng.integers(len(dimension.values))]
    low, high = dimension.low, dimension.high
    if dimension.is_log:
        value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    elif dimension.step:
        steps = round((high - low) / dimension.step)
        value = low + dimension.step * int(rng.integers(steps + 1))
    else:
        value = float(rng.uniform(low, high))
    return round(value) if dimension.kind == "int" else min(value, high)
