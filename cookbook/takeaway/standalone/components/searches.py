"""Programs of a decoder, in a script: TensorFlow has them, other backends do not."""

from collections.abc import Callable
from typing import Any

import keras


def compiled(next_logits: Callable, *, any_size: bool = False) -> Callable:
    """The function next_logits of a decoder, and the programs made of it."""
    is_tensorflow = keras.backend.backend() == "tensorflow"
    return _Compiled(next_logits) if is_tensorflow else next_logits


class _Compiled:
    def __init__(self, next_logits: Callable) -> None:
        self.next_logits = next_logits
        self.step = _program(next_logits)
        self.programs: dict[Any, Callable] = {}

    def __call__(self, tokens, index, state):
        return self.step(tokens, keras.ops.convert_to_tensor(index), state)


def _program(function: Callable) -> Callable:
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


def _run_whole(search: Callable, next_logits: Callable, *inputs: Any, **options: Any):
    """search(next_logits, *inputs, **options), as one program if it is compiled."""
    if not isinstance(next_logits, _Compiled):
        return search(next_logits, *inputs, **options)
    key = search, *options.items()
    if key not in next_logits.programs:
        next_logits.programs[key] = _program(
            lambda *tensors: search(next_logits.next_logits, *tensors, **options)
        )
    first, *others = inputs
    return next_logits.programs[key](keras.ops.convert_to_tensor(first), *others)


def _repeat(goes_on: Callable, step: Callable, variables: tuple) -> tuple:
    """The variables after as many steps as are needed; the first is the index."""
    if keras.ops.is_tensor(variables[0]):
        return keras.ops.while_loop(goes_on, step, variables)
    while bool(goes_on(*variables)):
        variables = step(*variables)
    return variables
