"""Weights of an activation that lie along one axis of its input."""

from ...common.types import Shape


def _shape_along(axis: int | None, input_shape: Shape) -> list[int]:
    """The shape of a weight with an entry for each entry along `axis`, or one in all.

    It has the axes of the input without the batch, all of size 1 but that one.

    Raises: ValueError where `axis` is the batch axis, or missing, or of unknown size.
    """
    rank = len(input_shape)
    shape = [1] * rank
    if axis is None:
        return shape[1:]
    size = input_shape[axis] if -rank <= axis < rank else None
    if size is None or axis % rank == 0:
        raise ValueError(
            "`axis` must be an axis of known size after the batch. "
            f"Received: axis={axis}, input_shape={input_shape}"
        )
    shape[axis] = size
    return shape[1:]
