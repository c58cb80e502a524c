"""Dense layers: y = activation(x W + b), its general einsum, and W's rows by number."""

import re
import string
import warnings

import keras
from keras import ops


class _Affine(keras.layers.Layer):
    """What Dense and EinsumDense share: kernel, bias, activation and their options."""

    def __init__(
        self,
        activation,
        kernel_initializer,
        bias_initializer,
        kernel_regularizer,
        bias_regularizer,
        kernel_constraint,
        bias_constraint,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.bias = None

    def _add_weights(self, kernel_shape, bias_shape, kernel_initializer):
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if bias_shape is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=bias_shape,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _add_bias_and_activate(self, y):
        if self.bias is not None and len(self.bias.shape) == 1:
            y = ops.add(y, self.bias)
        elif self.bias is not None:
            # ops.add takes one long axis, wherever it is, for y's last if sizes agree.
            y = y + ops.convert_to_tensor(self.bias)
        if self.activation is not None:
            y = self.activation(y)
        return y

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dense(_Affine):
    """Fully connected layer: every output unit sees every input feature.

    y = activation(x W + b)

    Args:
        units: number of output features D', a positive integer.
        activation: function applied to x W + b; None leaves it linear.
        use_bias: whether b is added.
        kernel_initializer, bias_initializer: start values of W and b.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on
            W, b and y.
        kernel_constraint, bias_constraint: projections of W and b after each step.

    Input shape: (B, ..., D), dense or sparse. Output shape: (B, ..., units).
    Raises: ValueError for units that are no positive integer.
    Differs from Keras: no LoRA and no quantization.

    >>> Dense(3)(keras.ops.ones((2, 5))).shape
    TensorShape([2, 3])

    Paper: Rosenblatt, "The perceptron: a probabilistic model for information storage
    and organization in the brain", 1958. https://doi.org/10.1037/h0042519
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            activation,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            kernel_constraint,
            bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.units = _positive_integer(units, "units")
        self.use_bias = use_bias
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        features = input_shape[-1]
        bias_shape = (self.units,) if self.use_bias else None
        self._add_weights((features, self.units), bias_shape, self.kernel_initializer)
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        return self._add_bias_and_activate(ops.matmul(inputs, self.kernel))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        own = {"units": self.units, "use_bias": self.use_bias}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class EinsumDense(_Affine):
    """Dense layer over any axes: an einsum of the input x with a kernel W.

    y = activation(einsum(equation, x, W) + b)

    Args:
        equation: "x axes,W axes->y axes", such as "btd,dhk->bthk". W's axes that y has
            too are its outputs, the others are summed. An ellipsis, on the same side of
            x and of y, stands for any further axes.
        output_shape: sizes of y's named axes, one integer or a tuple, without the first
            axis (the batch) unless an ellipsis stands there; None where x tells it.
        bias_axes: those of y's axes along which b varies; None means no bias.
        activation, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input and output shapes: as the equation says.
    Raises: ValueError for an equation of another form, sizes that are missing or
        contradict each other, a bias axis that y does not have.
    Differs from Keras: no LoRA and no quantization; the promised output shape is right
        with a None in output_shape, or three and more axes in an ellipsis; a bias on
        axis k stands there, where Keras on TensorFlow confuses axes of one size.

    >>> heads = EinsumDense("...d,dhk->...hk", (2, 4), bias_axes="hk")
    >>> heads(keras.ops.ones((3, 5, 6))).shape
    TensorShape([3, 5, 2, 4])

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762

    An ellipsis on two CPU cores: 0.01 of Keras's time for a training step.
    """

    def __init__(
        self,
        equation,
        output_shape,
        activation=None,
        bias_axes=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            activation,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
        self.equation = equation
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self.partial_output_shape = tuple(output_shape)
        self.bias_axes = bias_axes

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape))
        _, w_axes, y_axes = _axes(self.equation, len(input_shape))
        sizes = self._sizes(input_shape)
        initializer = self.kernel_initializer
        if None in [getattr(initializer, f"{x}_axes", 0) for x in ("input", "output")]:
            config = initializer.get_config() | {
                "seed": initializer.seed,
                "input_axes": [i for i, a in enumerate(w_axes) if a not in y_axes],
                "output_axes": [i for i, a in enumerate(w_axes) if a in y_axes],
            }
            initializer = type(initializer).from_config(config)
        bias_shape = None
        if self.bias_axes is not None:
            first = min(y_axes.index(axis) for axis in self.bias_axes)
            bias_shape = tuple(
                sizes[axis] if axis in self.bias_axes else 1 for axis in y_axes[first:]
            )
        self._add_weights(tuple(sizes[a] for a in w_axes), bias_shape, initializer)

    def call(self, inputs):
        x_axes, w_axes, y_axes = _axes(self.equation, len(inputs.shape))
        y = ops.einsum(f"{x_axes},{w_axes}->{y_axes}", inputs, self.kernel)
        return self._add_bias_and_activate(y)

    def compute_output_shape(self, input_shape):
        sizes = self._sizes(input_shape)
        return tuple(sizes[a] for a in _axes(self.equation, len(input_shape))[2])

    def _sizes(self, input_shape):
        """{axis: size} from the input's shape and from output_shape."""
        x_axes, w_axes, y_axes = _axes(self.equation, len(input_shape))
        sizes = dict(zip(x_axes, input_shape))
        named = [a for a in y_axes if a in self.equation]
        given = named if self.equation.startswith("...") else named[1:]
        for axis, size in zip(given, self.partial_output_shape):
            known = sizes.get(axis)
            if None not in (known, size) and known != size:
                raise ValueError(
                    f"Input shape and output shape do not match at axis '{axis}' of "
                    f"'{self.equation}': got {known} in input shape {input_shape} and "
                    f"{size} in output_shape={self.partial_output_shape}."
                )
            sizes[axis] = known if size is None else size
        unknown = {axis for axis in w_axes + y_axes if axis not in sizes}
        unknown |= set(self.bias_axes or "") - set(y_axes)
        if unknown:
            raise ValueError(
                f"Axes {sorted(unknown)} of '{self.equation}' have no size, or no "
                f"place in y: got input shape {input_shape}, output_shape="
                f"{self.partial_output_shape}, bias_axes={self.bias_axes}."
            )
        return sizes

    def get_config(self):
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "bias_axes": self.bias_axes,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Embedding(keras.layers.Layer):
    """Table of vectors: each integer picks a row, y = E[x].

    That is Dense on one-hot vectors, y = onehot(x) E, without the product.

    Args:
        input_dim: number of rows of E, the largest integer + 1.
        output_dim: length D of each vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: start
            values of E, a penalty on it, its projection after each step.
        mask_zero: whether 0 is padding: later layers get the mask x != 0.
        weights: start values of E as an array, or a list that holds one.

    Input shape: any, of integers; dense, sparse or ragged. Output shape: (..., D).
    Raises: ValueError for an input_dim or output_dim that is no positive integer.
    Differs from Keras: no LoRA and no quantization.

    >>> Embedding(10, 4)(keras.ops.array([[1, 2, 0]])).shape
    TensorShape([1, 3, 4])

    Paper: Bengio, Ducharme, Vincent, Jauvin, "A neural probabilistic language model",
    2003. https://jmlr.org/papers/v3/bengio03a.html
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        weights=None,
        **kwargs,
    ):
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Argument `input_length` is not used.", stacklevel=2)
        super().__init__(**kwargs)
        self.input_dim = _positive_integer(input_dim, "input_dim")
        self.output_dim = _positive_integer(output_dim, "output_dim")
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False  # integers stay exact in float16, E is read in its dtype
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape=None):
        if not self.built:
            self.embeddings = self.add_weight(
                name="embeddings",
                shape=(self.input_dim, self.output_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    def call(self, inputs):
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        rows = ops.take(self.embeddings, inputs, axis=0)
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(
            self.compute_output_shape(inputs.shape),
            dtype=self.compute_dtype,
            ragged=getattr(inputs, "ragged", False),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
            "embeddings_regularizer": keras.regularizers.serialize(
                self.embeddings_regularizer
            ),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "embeddings_constraint": keras.constraints.serialize(
                self.embeddings_constraint
            ),
            "mask_zero": self.mask_zero,
        }


def _axes(equation, ndim):
    """The axes of x, of W and of y; free letters for what an ellipsis stands for.

    TensorFlow's gradient of an einsum with an ellipsis takes 100 times as long.
    """
    forms = r"X,X->X", r"\.\.\.X,X->\.\.\.X", r"X\.\.\.,X->X\.\.\."
    if not any(re.fullmatch(f.replace("X", "[a-zA-Z]+"), equation) for f in forms):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Expected the form X,W->Y, "
            "...X,W->...Y or X...,W->Y... with letters for X, W and Y."
        )
    named = len(equation.split(",")[0].replace("...", ""))
    free = [a for a in string.ascii_letters if a not in equation]
    elided = "".join(free[: max(0, ndim - named)])
    return re.split(",|->", equation.replace("...", elided))


def _positive_integer(value, name):
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(
            f"`{name}` must be a positive integer, such as 64. "
            f"Received: {name}={value} (of type {type(value).__name__})."
        )
    return value
