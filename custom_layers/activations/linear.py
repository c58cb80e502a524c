"""The identity: no activation at all."""

import keras


@keras.saving.register_keras_serializable(package="keras_cookbook")
def linear(x):
    """The identity function, the activation of a layer that has none.

    y = x

    Args: x, any value. Returns: x itself.

    >>> linear(3.0)
    3.0
    """
    return x
