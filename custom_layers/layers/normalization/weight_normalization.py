"""Weight normalization: a kernel's length is learned apart from its direction."""

import keras
from keras import ops

from ...common.types import Shape
from .kernel_wrapper import _KernelWrapper
from .unit_normalization import _unit


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WeightNormalization(_KernelWrapper):
    """Learns the length of each column of a layer's kernel apart from its direction.

    kernel = g * v / ||v||

    v is the kernel that the layer keeps, ||v|| its norm over all axes but the last. g
    has an entry per output channel and starts as ||v||.

    Args:
        layer: a layer with a `kernel` (Dense, Conv2D, ...) or `embeddings`.

    Input and output shape: the layer's.
    Raises: ValueError for a layer without a kernel.
    Keras has no such class. Unlike in the paper, g and the bias are not initialized
    from a batch of data.

    >>> WeightNormalization(keras.layers.Dense(2))(keras.ops.ones((1, 3))).shape
    TensorShape([1, 2])

    Paper: Salimans, Kingma, "Weight normalization: a simple reparameterization to
    accelerate training of deep neural networks", 2016. https://arxiv.org/abs/1602.07868
    """

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.axes = list(range(len(self.kernel.shape) - 1))
        self.g = self.add_weight(
            name="g",
            shape=(self.kernel.shape[-1],),
            initializer=lambda shape, dtype: ops.norm(
                ops.reshape(ops.cast(self.kernel, dtype), (-1, *shape)), axis=0
            ),
        )

    def call(self, inputs):
        kernel = self.g * _unit(ops.convert_to_tensor(self.kernel), self.axes)
        values = [(variable, variable.value) for variable in self.layer.variables]
        values.append((self.kernel, kernel))
        # In this scope the layer reads these values instead of its variables.
        with keras.StatelessScope(values, collect_losses=True) as scope:
            state = self.layer.non_trainable_variables
            before = [scope.get_current_value(variable) for variable in state]
            outputs = self.layer(inputs)
        for variable, old in zip(state, before):
            new = scope.get_current_value(variable)
            if new is not old:
                variable.assign(new)
        for loss in scope.losses:
            self.add_loss(loss)
        return ops.cast(outputs, self.compute_dtype)
