"""Compiled programs of a decoder: one for a step, and one for a whole search."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from .loops import _OtherState


def compiled(next_logits: Callable, *, any_size: bool = False) -> Callable:
    """The function `next_logits` of a decoder, compiled once for all positions.

    `greedy_search`, `sample` and `beam_search` compile their loop with it, so that
    Python is called once for a text, not once for a token: for a small model it costs
    more than arithmetic. On TensorFlow shakespeare_gpt writes in a fifth of the time,
    once that is compiled, which takes 1.4 s. On torch the function comes back as it is.

    The index becomes a tensor. The state keeps its shapes and types; where it does not,
    only the step is compiled.

    Args:
        next_logits: next_logits(tokens, index, state) -> (logits, state), as
            `greedy_search`, `sample` and `beam_search` take it.
        any_size: whether one program serves all batches and lengths, which saves
            compiling for each of them. Then `next_logits` asks `ops.shape` for sizes:
            all but the last one of an array of floats are known only as it runs. JAX
            compiles for each size all the same.

    >>> def successor(tokens, index, state):
    ...     token = keras.ops.take(tokens, index, axis=1)
    ...     return keras.ops.one_hot((token + 1) % 5, 5), state
    >>> next_logits = compiled(successor)
    >>> logits, state = next_logits([[1, 0], [3, 0]], 0, None)
    >>> logits.numpy().argmax(axis=-1).tolist()
    [2, 4]
    """
    if keras.backend.backend() == "torch":
        return next_logits
    return _Compiled(next_logits, any_size)


def _run_whole(search: Callable, next_logits: Callable, *inputs: Any, **options: Any):
    """search(next_logits, *inputs, **options), as one program for a compiled function.

    Args:
        search: a search whose loop is `loops._repeat`.
        inputs: nests of tensors and numbers, which may differ from call to call.
        options: hashable values. Each combination has a program of its own.
    """
    if isinstance(next_logits, _Compiled) and next_logits.keeps_state:
        try:
            return next_logits.program(search, **options)(*inputs)
        except _OtherState:
            next_logits.keeps_state = False
    return search(next_logits, *inputs, **options)


class _Compiled:
    """The function next_logits, and the programs made of it.

    keeps_state: False once it has returned a state of other shapes or types.
    """

    def __init__(self, next_logits: Callable, any_size: bool) -> None:
        self.next_logits = next_logits
        self.any_size = any_size
        self.keeps_state = True
        self.programs: dict[Any, Callable] = {}

    def __call__(self, tokens, index, state):
        if _is_part_of_a_graph():
            return self.next_logits(tokens, index, state)
        return self.program(_step)(ops.convert_to_tensor(tokens), index, state)

    def program(self, function: Callable, **options: Any) -> Callable:
        """The program of function(next_logits, *inputs, **options)."""
        key = function, *options.items()
        if key not in self.programs:

            def whole(*inputs):
                return function(self.next_logits, *inputs, **options)

            self.programs[key] = _program(whole, self.any_size)
        return self.programs[key]


def _step(next_logits, tokens, index, state):
    return next_logits(tokens, index, state)


def _is_part_of_a_graph() -> bool:
    """Whether TensorFlow notes what is called, for a program or a file."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.executing_eagerly()


def _program(function: Callable, any_size: bool) -> Callable:
    """A function of nests of tensors, as a program; see `compiled`."""
    make: Callable = _JaxProgram
    if keras.backend.backend() == "tensorflow":
        make = _tensorflow_program_of_any_size if any_size else _tensorflow_program
    run = make(function)

    def program(*inputs):
        return run(*keras.tree.map_structure(_tensor, inputs))

    return program


def _tensor(x):
    """An array, a number or the value of a variable as a tensor; None stays None."""
    if x is None:
        return None
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.convert_to_tensor(x)
    return ops.convert_to_tensor(x)


def _tensorflow_program(function: Callable) -> Callable:
    """A function compiled anew for all sizes of its inputs."""
    import tensorflow as tf

    return tf.function(function, autograph=False)


def _tensorflow_program_of_any_size(function: Callable) -> Callable:
    """A function compiled anew only for other ranks and last axes of its inputs."""
    import tensorflow as tf

    run = _tensorflow_program(function)

    def of_any_size(x):
        if x is None:
            return None
        sizes = [None] * len(x.shape)
        if x.dtype.is_floating and sizes:
            sizes[-1] = x.shape[-1]
        return tf.TensorSpec(sizes, x.dtype)

    def program(*inputs):
        specs = keras.tree.map_structure(of_any_size, inputs)
        return run.get_concrete_function(*specs)(*inputs)

    return program


class _JaxProgram:
    """A function compiled by JAX, which reads the variables of layers at every call.

    JAX would take them for constants otherwise, and forget what they learn later.
    """

    def __init__(self, function: Callable) -> None:
        import jax

        self.function = function
        self.run = jax.jit(self._with_values)
        self.variables: list[keras.Variable] | None = None

    def __call__(self, *inputs):
        import jax

        if self.variables is None:
            with _Reads() as reads:
                jax.eval_shape(self.function, *inputs)
            self.variables = [*reads.variables.values()]
        return self.run([x.value for x in self.variables], *inputs)

    def _with_values(self, values, *inputs):
        assert self.variables is not None
        with keras.StatelessScope(zip(self.variables, values)):
            return self.function(*inputs)


class _Reads(keras.StatelessScope):
    """A scope that notes the variables that are read in it."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[int, keras.Variable] = {}

    def get_current_value(self, variable):
        self.variables[id(variable)] = variable
        return super().get_current_value(variable)
