"""The loop of a search, which Python runs, or which is a part of a program."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


class _OtherState(Exception):
    """A variable of a loop in a program has got another shape or type."""


def _repeat(goes_on: Callable, step: Callable, variables: tuple) -> tuple:
    """The variables after as many steps as are needed.

    while goes_on(*variables): variables = step(*variables)

    variables: nests of tensors, of which the first is the index of a token. If this is
        an integer, Python runs the loop; a tensor makes the loop a part of a program.
    """
    if isinstance(variables[0], int):
        while bool(goes_on(*variables)):
            variables = step(*variables)
        return variables
    leaves = keras.tree.flatten(variables)
    places = [i for i, leaf in enumerate(leaves) if leaf is not None]

    def packed(tensors):
        known = dict(zip(places, tensors))
        filled = [known.get(i) for i in range(len(leaves))]
        return keras.tree.pack_sequence_as(variables, filled)

    def body(*tensors):
        changed = keras.tree.flatten(step(*packed(tensors)))
        if [i for i, leaf in enumerate(changed) if leaf is not None] != places:
            raise _OtherState
        return [_like(changed[i], old) for i, old in zip(places, tensors)]

    found = ops.while_loop(
        lambda *tensors: goes_on(*packed(tensors)), body, [leaves[i] for i in places]
    )
    return packed(found)


def _like(new: Any, old: Any) -> Any:
    """The tensor `new`, if it may take the place of `old` in a loop."""
    new = ops.convert_to_tensor(new)
    sizes = zip(new.shape, old.shape)
    differ = any(a != b for a, b in sizes if a is not None and b is not None)
    if differ or len(new.shape) != len(old.shape) or new.dtype != old.dtype:
        raise _OtherState
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # A size that only the running program knows is checked there.
        new = tf.ensure_shape(new, old.shape)
    return new
