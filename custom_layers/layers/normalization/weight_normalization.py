"""Normalization by a norm: of the activations, of a layer's kernel."""

import keras
from keras import ops

from ...common.private_keras import build_at_init


def _unit(x, axis=None, epsilon=1e-7):
    """x / max(||x||, epsilon), in float32 at least."""
    y = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    square = ops.sum(ops.square(y), axis=axis, keepdims=True)
    return ops.cast(y * ops.rsqrt(ops.maximum(square, epsilon**2)), x.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class UnitNormalization(keras.layers.Layer):
    """Scales vectors to length 1.

    y = x / max(||x||, 1e-12), ||x|| the Euclidean norm over `axis`

    Args:
        axis: the axis or axes that make a vector.

    Input and output shape: any, the same.
    Raises: TypeError for an axis that is no integer or list of them, ValueError for
        one that the input lacks.
    Differs from Keras: half precision is computed in float32, and a zero vector has a
        finite gradient.

    >>> y = UnitNormalization()(keras.ops.array([[3.0, 4.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [0.6, 0.8]

    Paper: Wang, Xiang, Cheng, Yuille, "NormFace: L2 hypersphere embedding for face
    verification", 2017. https://arxiv.org/abs/1704.06369
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of "
                f"ints. Received: axis={axis}"
            )
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return _unit(inputs, self.axis, 1e-12)

    def compute_output_shape(self, input_shape):
        for a in [self.axis] if isinstance(self.axis, int) else self.axis:
            if not -len(input_shape) <= a < len(input_shape):
                raise ValueError(
                    f"Axis {self.axis} is out of bounds for input shape {input_shape}."
                )
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class _KernelWrapper(keras.layers.Wrapper):
    """A wrapper that finds the kernel of its layer."""

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        for name in ("kernel", "embeddings"):
            if hasattr(self.layer, name):
                self.kernel = getattr(self.layer, name)
                return
        raise ValueError(
            f"{type(self.layer).__name__} object has no attribute 'kernel' nor "
            "'embeddings'"
        )

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return super().from_config(dict(config), custom_objects)  # Keras's empties it


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpectralNormalization(_KernelWrapper):
    """Divides a layer's kernel by its largest singular value, at each training call.

    W = kernel as a matrix (..., C); repeated power_iterations times:
    v = u W^T / ||u W^T||, u = v W / ||v W||
    sigma = v W u^T, kernel = kernel / sigma

    Args:
        layer: a layer with a `kernel` (Dense, Conv2D, ...) or `embeddings`.
        power_iterations: how often u and v are renewed in each call.

    Input and output shape: the layer's.
    Raises: ValueError for power_iterations below 1, a layer without a kernel.

    As in Keras, and other than in the paper, the quotient takes the kernel's place: on
    TensorFlow and torch the gradient is the one to the quotient.

    >>> SpectralNormalization(keras.layers.Dense(2))(keras.ops.ones((1, 3))).shape
    TensorShape([1, 2])

    Paper: Miyato, Kataoka, Koyama, Yoshida, "Spectral normalization for generative
    adversarial networks", 2018. https://arxiv.org/abs/1802.05957
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"power_iterations={power_iterations}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape):
        super().build(input_shape)
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs, training=False):
        if training:
            self._normalize_kernel()
        return ops.cast(self.layer(inputs), self.compute_dtype)

    def _normalize_kernel(self):
        kernel = ops.cast(self.kernel, self.kernel.dtype)
        w = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = old = ops.cast(self.vector_u, kernel.dtype)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(w)))
            u = _unit(ops.matmul(v, w))
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        sigma = ops.sum(ops.matmul(v, w) * u)
        is_zero = ops.all(kernel == 0)  # has no direction: stays as it is
        self.vector_u.assign(ops.where(is_zero, old, u))
        self.kernel.assign(kernel / ops.where(is_zero, ops.ones_like(sigma), sigma))

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WeightNormalization(_KernelWrapper):
    """Learns the length of each column of a layer's kernel apart from its direction.

    kernel = g * v / ||v||, v the kernel that the layer keeps, ||v|| over all its axes
    but the last; g, one per output channel, starts as ||v||

    Args:
        layer: a layer with a `kernel` (Dense, Conv2D, ...) or `embeddings`.

    Input and output shape: the layer's.
    Raises: ValueError for a layer without a kernel.
    Keras has no such class. Other than in the paper, no batch of data sets g and the
        bias at the start.

    >>> WeightNormalization(keras.layers.Dense(2))(keras.ops.ones((1, 3))).shape
    TensorShape([1, 2])

    Paper: Salimans, Kingma, "Weight normalization: a simple reparameterization to
    accelerate training of deep neural networks", 2016. https://arxiv.org/abs/1602.07868
    """

    def build(self, input_shape):
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
