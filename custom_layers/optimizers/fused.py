"""The updates of several variables as one program, which XLA compiles.

An optimizer's formula is ten or twenty small operations for each variable, of which
TensorFlow starts one after the other. Here it is compiled: a program updates a few
variables of equal shape in place. Whatever `update_step` computes, it is traced into
the program, so that the formula is written once.
"""

import contextlib
import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import keras

from ..common.fused import are_only_shared, can_fuse
from ..common.private_keras import (
    LISTS_OF_KERAS,
    counted_calls,
    optimized_variables,
    slot_index,
)

# XLA starts the operations of a program one after the other if they are few, as for
# four variables. Those of eight it spreads over threads, which takes longer.
VARIABLES_PER_PROGRAM = 4
# From here on, starting a program costs little beside its work, and a program of
# several variables would keep all their gradients in memory until it has the last.
LARGE = 2**16  # entries
# A program takes 0.05 to 0.1 s to compile, and 3 MB. The step of a small model would
# become shorter by some hundredths of a millisecond, which never earns that back.
FEWEST_ENTRIES = 2**16
MOST_PROGRAMS = 24


@dataclasses.dataclass(frozen=True)
class UpdatedVariable:
    """A variable of the model, with all that its update depends on."""

    position: int
    variable: keras.Variable
    slots: dict[str, keras.Variable]
    decay: float | None

    @property
    def states(self) -> list[keras.Variable]:
        return [self.variable, *self.slots.values()]

    @property
    def kind(self) -> tuple:
        """What pieces must have in common to share a program."""
        shapes = [(tuple(state.shape), state.dtype) for state in self.states]
        return tuple(shapes), tuple(self.slots), self.decay

    @property
    def entries(self) -> int:
        return int(self.variable.value.shape.num_elements())


def pieces_to_fuse(
    optimizer: Any, grads: list, variables: list
) -> list[list[UpdatedVariable]]:
    """The variables that programs update, in a list for each call of a program."""
    if are_only_shared() or not _is_same_for_equal_shapes(type(optimizer)):
        return []
    pieces = [
        UpdatedVariable(
            position=slot_index(optimizer, variable),
            variable=variable,
            slots=_slots_of(optimizer, variable),
            decay=optimizer.decay_in_program(variable),
        )
        for gradient, variable in zip(grads, variables)
        if gradient is not None and can_fuse(True, gradient) and _is_plain(variable)
    ]
    if sum(piece.entries for piece in pieces) < FEWEST_ENTRIES:
        return []
    kinds = defaultdict(list)
    for piece in pieces:
        kinds[piece.kind].append(piece)
    calls, programs = [], 0
    for alike in sorted(kinds.values(), key=_entries_of_all, reverse=True):
        size = 1 if alike[0].entries >= LARGE else VARIABLES_PER_PROGRAM
        programs += 1 if len(alike) % size == 0 or len(alike) < size else 2
        if programs > MOST_PROGRAMS:
            break
        calls += [alike[i : i + size] for i in range(0, len(alike), size)]
    return calls


def _is_same_for_equal_shapes(kind: type) -> bool:
    """Whether the class whose `update_step` the optimizer has says so itself.

    A subclass with another `update_step` does not inherit its parent's word.
    """
    owner = next(base for base in kind.__mro__ if "update_step" in vars(base))
    return vars(owner).get("same_for_equal_shapes", False)


def _slots_of(optimizer: Any, variable: Any) -> dict[str, keras.Variable]:
    """{name of a list of slots: the slot of this variable in it}.

    Lists of slots are the attributes with a variable, or None, for each variable that
    is optimized.
    """
    index, count = slot_index(optimizer, variable), len(optimized_variables(optimizer))
    slots = {
        name: values[index]
        for name, values in vars(optimizer).items()
        if isinstance(values, list)
        and len(values) == count
        and name not in LISTS_OF_KERAS
    }
    return {
        name: slot for name, slot in slots.items() if isinstance(slot, keras.Variable)
    }


def _is_plain(variable: Any) -> bool:
    """Whether it is a variable of Keras, in float32, on one processor."""
    import tensorflow as tf

    if not isinstance(variable, keras.Variable) or variable.dtype != "float32":
        return False
    return not tf.distribute.has_strategy() and "GPU" not in variable.value.device


def _entries_of_all(pieces: list[UpdatedVariable]) -> int:
    return sum(piece.entries for piece in pieces)


def update(
    optimizer: Any, calls: list[list[UpdatedVariable]], grads: dict, rate: Any
) -> None:
    """Updates the variables of all calls, each by the program of its kind.

    Args:
        optimizer: has the formula, `update_step`.
        calls: what `pieces_to_fuse` returned.
        grads: {position of a variable: its gradient}.
        rate: the learning rate.
    """
    import tensorflow as tf

    rate = tf.convert_to_tensor(rate)
    count = counted_calls(optimizer)
    shared = [(count, tf.convert_to_tensor(count))]
    programs: dict[tuple, Callable] = {}
    for pieces in calls:
        key = (len(pieces), pieces[0].kind)
        if key not in programs:
            programs[key] = _program(optimizer, pieces, rate, shared)
        gradients = [grads[piece.position] for piece in pieces]
        states = [[state.value for state in piece.states] for piece in pieces]
        programs[key](gradients, states)


def _program(
    optimizer: Any, pieces: list[UpdatedVariable], rate: Any, shared: list
) -> Callable:
    """program(gradients, states) for these pieces and for others of their kind.

    While `update_step` is traced, the states that the program receives stand for those
    of the pieces.
    """
    import tensorflow as tf

    @functools.partial(tf.function, jit_compile=True, autograph=False)
    def program(gradients: list, states: list) -> None:
        with keras.StatelessScope() as scope:
            for pair in shared:
                scope.add_update(pair)
            for piece, gradient, values in zip(pieces, gradients, states):
                for pair in zip(piece.states, values):
                    scope.add_update(pair)
                optimizer.update_piece(piece, gradient, rate)

    return program


@contextlib.contextmanager
def outside_of_programs(optimizer: Any, numbers: tuple) -> Iterator[bool]:
    """A context for what all programs of a step share, such as Adam's corrections.

    In it, operations belong to the training step around the program that is traced.
    If they depend on `numbers` that the program itself has computed, they cannot. The
    context returns whether the result is known outside.
    """
    if optimizer._position_in_program is None:
        yield True
        return
    import tensorflow as tf

    graph = tf.compat.v1.get_default_graph()
    if any(getattr(number, "graph", None) is graph for number in numbers):
        yield False
        return
    with graph.outer_graph.as_default():
        yield True
