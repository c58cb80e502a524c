"""Types of arguments that many components share.

Tensors have no annotation, because each backend has its own class for them.
"""

from collections.abc import Callable
from typing import Any, Literal

import keras

# One number for all dimensions, or one for each.
Size = int | tuple[int, ...] | list[int]

# One axis, or several.
Axes = Size

# None stands for a length that is not known yet.
Shape = tuple[int | None, ...]

Padding = Literal["valid", "same"]
DataFormat = Literal["channels_last", "channels_first"] | None
DType = str | keras.DTypePolicy | None
Seed = int | keras.random.SeedGenerator | None

# Keras makes an object of each: from its name, its configuration, or the object itself.
Configurable = str | dict[str, Any] | Callable | None
Activation = Configurable
Initializer = Configurable
Regularizer = Configurable
Constraint = Configurable

# A number, or a schedule, which is called with the step.
LearningRate = float | Callable

# What get_config returns.
Config = dict[str, Any]
