"""NetVLAD: many local features become one vector that describes the whole image."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes, positive_integer
from ...common.inputs import as_booleans, as_floats
from ...common.types import Config, Initializer, Regularizer, Shape

SMALLEST_SQUARE = (
    1e-12  # of a squared length, by which a vector of zeros can be divided
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NetVLAD(keras.layers.Layer):
    """Vector of locally aggregated descriptors, whose clusters are trained.

    a_i = softmax(x_i W + b)                      share of feature i in each cluster k
    V[d, k] = sum over i of a_i[k] * (x_i[d] - c[d, k])
    V[:, k] = V[:, k] / |V[:, k]|                 each cluster counts the same
    y = flatten(V) / |V|

    The sum makes no difference between orders of the features, and the division none
    between numbers of them: it is a pooling for sets of local features, such as the
    places of an image or the frames of a video.

    Args:
        num_clusters: number K of clusters.
        kernel_initializer, kernel_regularizer: start values of W and a penalty on it.
        centers_initializer: start values of the centres c.

    Call: inputs x, mask (B, N) of the features that count.
    Input shape: (B, N, D), or with several axes of places, such as (B, H, W, D), which
        a mask then has too.
    Output shape: (B, D * K).
    Raises: ValueError if num_clusters is not a positive integer, or D is not known.
    Keras has no such class. Differs from Addons: it takes masks and images;
        kernel_regularizer is None, where Addons has keras.regularizers.L2(1e-5).

    A place is recognized by its features, wherever in the image they are:

    >>> layer = NetVLAD(4)
    >>> def likeness(a, b):
    ...     return float(keras.ops.sum(layer(a) * layer(b)))
    >>> image = keras.random.normal((1, 6, 6, 8), seed=1)
    >>> mirrored = keras.ops.flip(image, axis=2)
    >>> other = keras.random.normal((1, 6, 6, 8), seed=2)
    >>> likeness(image, mirrored) > 0.99 > likeness(image, other)
    True

    Paper: Arandjelovic, Gronat, Torii, Pajdla, Sivic, "NetVLAD: CNN architecture for
    weakly supervised place recognition", 2015. https://arxiv.org/abs/1511.07247
    """

    def __init__(
        self,
        num_clusters: int,
        kernel_initializer: Initializer = "glorot_uniform",
        kernel_regularizer: Regularizer = None,
        centers_initializer: Initializer = "lecun_normal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_clusters = positive_integer(num_clusters, "num_clusters")
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.centers_initializer = keras.initializers.get(centers_initializer)
        self.input_spec = keras.layers.InputSpec(min_ndim=3)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        (D,), K = known_sizes(input_shape, [-1], self), self.num_clusters
        self.kernel = self.add_weight(
            (D, K),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        self.bias = self.add_weight((K,), "zeros", name="bias")
        self.cluster_centers = self.add_weight(
            (D, K),
            self.centers_initializer,
            name="cluster_centers",
        )

    def call(self, inputs, mask=None):
        x = as_floats(inputs, self.compute_dtype)
        B, *places, _ = ops.shape(x)
        D, N = self.cluster_centers.shape[0], 1
        for length in places:
            N = N * length
        x = ops.reshape(x, (B, N, D))
        dtype = keras.backend.standardize_dtype(x.dtype)
        wide = keras.backend.result_type(dtype, "float32")
        scores = ops.matmul(x, self.kernel) + self.bias
        a = ops.softmax(ops.cast(scores, wide), axis=-1)  # B, N, K
        mask = as_booleans(mask)
        if mask is not None and len(mask.shape) == len(places) + 1:
            is_there = ops.reshape(mask, (B, N, 1))
            a = ops.where(is_there, a, 0.0)
            x = ops.where(is_there, x, ops.zeros_like(x))
        c = ops.cast(self.cluster_centers, wide)
        x = ops.cast(x, wide)
        V = ops.matmul(ops.transpose(x, (0, 2, 1)), a)  # B, D, K
        V = V - ops.sum(a, axis=1, keepdims=True) * c
        V = _of_length_one(V)
        y = _of_length_one(ops.reshape(V, (B, D * self.num_clusters)))
        return ops.cast(y, dtype)

    def compute_mask(self, inputs, mask=None) -> None:
        """None: the output has no features left that a mask could hide."""
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        D = input_shape[-1]
        return (input_shape[0], None if D is None else D * self.num_clusters)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_clusters": self.num_clusters,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "centers_initializer": keras.initializers.serialize(
                self.centers_initializer
            ),
        }


def _of_length_one(v):
    """v / |v| along axis 1; a vector of zeros stays one."""
    square = ops.sum(ops.square(v), axis=1, keepdims=True)
    return v * ops.rsqrt(ops.maximum(square, SMALLEST_SQUARE))
