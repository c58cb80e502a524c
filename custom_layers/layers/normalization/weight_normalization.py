"""Weight normalization: a kernel's length is learned apart from its direction."""

from typing import Any

import keras
from keras import ops

from ...common.types import Shape
from .kernel_wrapper import _kernels_of, _KernelWrapper, _output_axes, _without_kernel
from .unit_normalization import _unit


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WeightNormalization(_KernelWrapper):
    """Learns the length of each output channel's weights apart from their direction.

    kernel = g * v / ||v||

    v is the kernel that the layer keeps, ||v|| its norm over all axes but those of the
    output channels. g has an entry per output channel and starts as ||v||.

    Args:
        layer: a layer with a `kernel` (Dense, Conv2D, Conv2DTranspose, EinsumDense, a
            depthwise convolution, ...) or `embeddings`; a separable convolution, whose
            two kernels have a g each; or a recurrent layer, also in Bidirectional,
            whose input and recurrent kernels have a g for each unit of each gate.

    Call: as the layer, whose mask and initial_state it takes and whose mask it returns.
    Input and output shape: the layer's.
    Raises: ValueError for a layer without a kernel.
    Keras has no such class. Unlike in the paper, g and the bias are not initialized
    from a batch of data.

    >>> v = keras.initializers.Constant([[3.0], [4.0]])
    >>> layer = WeightNormalization(keras.layers.Dense(1, kernel_initializer=v))
    >>> x = keras.ops.array([[1.0, 1.0]])
    >>> round(float(layer(x)[0, 0]), 4), round(float(layer.g[0]), 4)
    (7.0, 5.0)
    >>> _ = layer.g.assign([10.0])  # twice as long, in the same direction
    >>> round(float(layer(x)[0, 0]), 4)
    14.0

    Paper: Salimans, Kingma, "Weight normalization: a simple reparameterization to
    accelerate training of deep neural networks", 2016. https://arxiv.org/abs/1602.07868
    """

    def build(self, inputs_shape: Shape, initial_state_shape: Any = None) -> None:
        super().build(inputs_shape)
        kernels = _kernels_of(self.layer)
        if not kernels:
            raise _without_kernel(self.layer)
        self.lengths = [self._add_length(*kernel) for kernel in kernels]
        self.g = self.lengths[0]

    def _add_length(self, name: str, kernel: Any, owner: Any) -> keras.Variable:
        inner, outer = _axes_of(kernel, owner)

        def norm(shape, dtype):
            v = ops.cast(kernel, dtype)
            v = ops.transpose(v, (*inner, *outer))
            v = ops.reshape(v, (-1, *shape))
            return ops.norm(v, axis=0)

        shape = tuple(kernel.shape[a] for a in outer)
        return self.add_weight(name=name, shape=shape, initializer=norm)

    def call(self, inputs, initial_state=None, mask=None, inputs_mask=None):
        state = self._state()
        values = [(v, v.value) for v in self.layer.variables]
        values += [(v, v.value) for v in state]
        for g, (_, kernel, owner) in zip(self.lengths, _kernels_of(self.layer)):
            normalized = self._normalized(kernel, owner, g)
            values.append((kernel, normalized))
        mask = inputs_mask if mask is None else mask
        options = self._options(initial_state=initial_state, mask=mask)
        # In this scope the layer reads these values instead of its variables.
        with keras.StatelessScope(values, collect_losses=True) as scope:
            before = [scope.get_current_value(v) for v in state]
            outputs = self.layer(inputs, **options)
        self._keep_changes(scope, state, before)
        dtype = self.compute_dtype
        return keras.tree.map_structure(lambda y: ops.cast(y, dtype), outputs)

    def _options(self, **options):
        """The options that are given and that the layer takes."""
        taken = self.layer.call_signature_parameters
        return {
            name: value
            for name, value in options.items()
            if name in taken and value is not None
        }

    def _keep_changes(self, scope, state, before):
        """Assigns what the layer changed inside the scope, and adds its losses."""
        for variable, old in zip(state, before):
            new = scope.get_current_value(variable)
            if new is not old:
                variable.assign(new)
        for loss in scope.losses:
            self.add_loss(loss)

    def compute_output_shape(
        self, inputs_shape: Shape, initial_state_shape: Any = None
    ) -> Shape:
        return self.layer.compute_output_shape(inputs_shape)

    @staticmethod
    def _normalized(kernel, owner, g):
        """g * v / ||v|| for the kernel v."""
        inner, _ = _axes_of(kernel, owner)
        shape = list(kernel.shape)
        for a in inner:
            shape[a] = 1
        v = ops.convert_to_tensor(kernel)
        g = ops.reshape(g, shape)
        return g * _unit(v, inner)

    def _state(self) -> list[keras.Variable]:
        """What a call of the layer may change."""
        states = keras.tree.flatten(getattr(self.layer, "states", None))
        carried = [state for state in states if isinstance(state, keras.Variable)]
        return [*self.layer.non_trainable_variables, *carried]


def _axes_of(kernel: Any, owner: Any) -> tuple[list[int], list[int]]:
    """(the axes that a length sums over, the axes of the output channels)."""
    outer = _output_axes(kernel, owner)
    inner = [a for a in range(len(kernel.shape)) if a not in outer]
    return inner, outer
