"""What blocks of dense layers and norms share: how they build their parts."""

import keras

from ..common.initial_values import fresh
from .dense import Dense
from .normalization.layer_normalization import LayerNormalization
from .normalization.rms_normalization import RMSNormalization

NORMS: dict[str, type[keras.layers.Layer]] = {
    "layer": LayerNormalization,
    "rms": RMSNormalization,
}


class _BlockBase(keras.layers.Layer):
    """A block whose dense layers share two initializers, and whose norms an epsilon."""

    kernel_initializer: keras.initializers.Initializer
    bias_initializer: keras.initializers.Initializer
    layer_norm_epsilon: float
    normalization = "layer"  # or "rms"

    def _normalization(self, name, shape):
        norm = NORMS[self.normalization](
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )
        norm.build(shape)
        return norm

    def _dense(self, name, shape, units, activation=None, kind=Dense):
        dense = kind(
            units,
            activation,
            kernel_initializer=fresh(self.kernel_initializer),
            bias_initializer=fresh(self.bias_initializer),
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build(shape)
        return dense
