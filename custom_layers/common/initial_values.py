"""Start values: weights that share one initializer must not start alike."""

from typing import Any

import keras


def fresh(initializer: Any) -> Any:
    """An initializer for one more weight, which draws other numbers than the given one.

    A random initializer of Keras without a seed chooses a number once and repeats the
    same draw at every call. Its copy chooses another number.

    It returns the initializer itself if it has a `keras.random.SeedGenerator`, which
    gives a new draw at every call and which a copy would wind back, and if it is a
    function. A copy of one with a fixed seed repeats its draw, as the user wished.
    """
    is_object = isinstance(initializer, keras.initializers.Initializer)
    goes_on = isinstance(getattr(initializer, "seed", None), keras.random.SeedGenerator)
    return initializer.clone() if is_object and not goes_on else initializer
