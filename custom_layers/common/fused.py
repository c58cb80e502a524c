"""Fused pieces: a function and its hand-written gradient, each compiled as one program.

TensorFlow runs a graph operation by operation, and each has a cost of its own and
writes its result to memory. XLA compiles a whole function into one program. It does
best with a gradient written by hand: the program that differentiating a loop makes is
slower than no program at all.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras


def can_fuse(training: bool | None, *tensors: Any) -> bool:
    """Whether a fused piece may take the place of the plain formula.

    It may in the graph of a training step that TensorFlow runs on one device in
    float32: there compiling pays. Everywhere else the plain formula runs: on JAX and
    torch, when operations run one by one, in a model that answers or is being exported,
    under tf.distribute with several replicas, and in mixed precision.

    Args:
        training: whether the step trains; None stands for False.
        tensors: the inputs of the piece; None stands for an input that is not there.
    """
    if keras.backend.backend() != "tensorflow" or training is not True:
        return False
    import tensorflow as tf

    if tf.executing_eagerly() or tf.distribute.get_strategy().num_replicas_in_sync > 1:
        return False
    given = [tensor for tensor in tensors if tensor is not None]
    return all(
        isinstance(tensor, tf.Tensor) and tensor.dtype == tf.float32 for tensor in given
    )


def fused(forward: Callable, backward: Callable, **options: Any) -> Callable:
    """The function `forward`, with the gradient `backward`, each compiled by XLA.

    Args:
        forward: forward(*inputs, **options) -> (outputs, saved): two tuples of tensors.
            `saved` is what the gradient needs beside the inputs.
        backward: backward(inputs, saved, upstream, **options) -> the gradients of all
            inputs, None for an input without one. `upstream` is a tuple with the
            gradient of each output.
        options: numbers, words and functions that are the same for every call. Equal
            options share their programs.

    Returns: a function of the inputs, which are float32 tensors of TensorFlow, that
        returns the tuple of outputs. A new shape of an input compiles anew.
    """
    import tensorflow as tf

    run = program_of(forward, **options)
    differentiate = program_of(backward, **options)

    @tf.custom_gradient
    def piece(*inputs: Any) -> tuple:
        outputs, saved = run(*inputs)

        def gradient(*upstream: Any) -> tuple:
            return differentiate(inputs, saved, upstream)

        return outputs, gradient

    return piece


_ONLY_SHARED: list[bool] = []  # not empty within `only_shared_programs`


@contextlib.contextmanager
def only_shared_programs() -> Iterator[None]:
    """A context in which nothing is compiled that a single model would use.

    TensorFlow keeps each program for as long as it lives. Where many models are trained
    one after the other, the programs of each, such as those of its optimizer, would
    fill the memory.
    """
    _ONLY_SHARED.append(True)
    try:
        yield
    finally:
        _ONLY_SHARED.pop()


def are_only_shared() -> bool:
    """Whether a program for a single model is not wanted now."""
    return bool(_ONLY_SHARED)


@functools.cache
def program_of(function: Callable, **options: Any) -> Callable:
    """The function with these options, compiled by XLA: one program for each shape.

    All layers of a process share it. Its inputs are tensors, or lists of them.
    """
    import tensorflow as tf

    @tf.function(jit_compile=True, autograph=False)
    def program(*inputs: Any) -> Any:
        return function(*inputs, **options)

    def run(*inputs: Any) -> Any:
        # Called directly, `program` warns of too many shapes, as layers may well have.
        return program.get_concrete_function(*inputs)(*inputs)

    return run
