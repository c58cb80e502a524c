"""Types of arguments that many components share.

Tensors have no annotation, because each backend has its own class for them.
"""

from collections.abc import Callable
from typing import Any, Literal

import keras

Size = int | tuple[int, ...] | list[int]  # one number, or one for each dimension
Axes = int | tuple[int, ...] | list[int]  # one axis, or several
Shape = tuple[int | None, ...]  # None stands for a size that is not known yet
Padding = Literal["valid", "same"]
DataFormat = Literal["channels_last", "channels_first"] | None
DType = str | keras.DTypePolicy | None
Seed = int | keras.random.SeedGenerator | None

# Keras makes an object of each: from its name, its configuration, or the object itself.
Activation = str | dict[str, Any] | Callable | None
Initializer = str | dict[str, Any] | Callable | None
Regularizer = str | dict[str, Any] | Callable | None
Constraint = str | dict[str, Any] | Callable | None
LearningRate = float | Callable  # a schedule is called with the step
Config = dict[str, Any]  # what get_config returns
