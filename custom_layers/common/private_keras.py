"""The private members of Keras that this project uses, each with the reason for it.

Keras may move any of these without notice. No other file touches what Keras does not
publish, so a new release of Keras can break this file only. Works with Keras 3.15 and
with keras-nightly 3.16.
"""

from typing import Any

import keras
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

# keras.layers.RNN tells cells of this base when a new sequence begins, so that they
# draw new dropout masks. There is no public name for it.
CellWithDropout = DropoutRNNCell


def set_mask(tensor: Any, mask: Any) -> None:
    """Gives a tensor a mask, as `compute_mask` gives one to a layer's output.

    A loss has no `compute_mask`, yet Keras leaves the masked entries of its values out
    of the mean.
    """
    from keras.src.backend.common.masking import set_keras_mask

    set_keras_mask(tensor, mask)


def build_at_init(layer: keras.layers.Layer) -> None:
    """Marks a layer without weights as built, unless a subclass has its own `build`.

    Setting `built` alone would make Keras skip the `build` of such a subclass.
    """
    layer._build_at_init()


def all_layers(model: keras.Model) -> list:
    """Every layer of a model, those inside other layers included.

    `Model.layers` names the outermost layers only.
    """
    return list(model._flatten_layers())


def slot_index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """The place of a variable in the list that `optimizer.build` was given.

    A state such as Adam's m is a list with one entry per variable, in that order.
    """
    return optimizer._get_variable_index(variable)


def variable_key(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """What identifies a variable: replicas of it share one key under tf.distribute."""
    return optimizer._var_key(variable)


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list:
    """The list of variables that `optimizer.build` was given."""
    return optimizer._trainable_variables


def decays(optimizer: keras.optimizers.Optimizer, variable: Any) -> bool:
    """Whether `exclude_from_weight_decay` lets the variable shrink."""
    return optimizer._use_weight_decay(variable)
