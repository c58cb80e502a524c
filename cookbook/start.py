"""What happens before a recipe loads TensorFlow."""

import os


def start(name: str, onednn: bool = False) -> None:
    """Quiets TensorFlow's start-up messages; a recipe calls it before it imports Keras.

    name: the recipe's __name__.
    onednn: whether TensorFlow may use oneDNN, which is faster for some networks, and
        rounds differently.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if onednn:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
