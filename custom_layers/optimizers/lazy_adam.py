"""LazyAdam: Adam for embeddings, of which a batch uses few rows."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import optimized_variables, slot_index
from .adam import Adam


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LazyAdam(Adam):
    """LazyAdam: Adam that leaves alone the rows of an embedding that a batch lacks.

    rows in the gradient:  m, v, w = Adam's update of these rows
    all other rows:        m, v, w unchanged

    Adam itself lets m and v of absent rows decay, and its m goes on moving their w.
    The update is lazy where a gradient consists of rows: on TensorFlow that of an
    Embedding. A row that occurs more than once counts once, with the sum of its
    gradients. Where gradients are accumulated, a row is present if their sum is not
    zero.

    Args: as in Adam.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. A dense gradient, as on JAX and torch, is updated as by Adam.

    >>> import numpy as np
    >>> words = keras.layers.Embedding(3, 1, "zeros")
    >>> model = keras.Sequential([words, keras.layers.Flatten()])
    >>> model.compile(LazyAdam(0.1), "mse")
    >>> for word in (1, 2):
    ...     _ = model.train_on_batch(np.array([[word]]), np.array([[1.0]]))
    >>> print(words.embeddings.numpy()[:, 0].round(3))  # Adam would move word 1 again
    [0.    0.1   0.074]

    Paper: LazyAdam of TensorFlow Addons, 2019, after Adam's paper (see Adam):
    https://www.tensorflow.org/addons/api_docs/python/tfa/optimizers/LazyAdam
    """

    _lazy: Any = ()  # positions of the variables whose gradients came as rows

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            if not self.built:
                self.build(trainable_variables)
        variables = trainable_variables or optimized_variables(self)
        self._lazy = set()
        for g, w in zip(grads, variables):
            if hasattr(g, "dense_shape"):
                index = slot_index(self, w)
                self._lazy.add(index)
        super().apply(grads, trainable_variables)

    def update_step(self, gradient, variable, learning_rate) -> None:
        if slot_index(self, variable) not in self._lazy:
            super().update_step(gradient, variable, learning_rate)
            return
        if not hasattr(gradient, "dense_shape"):
            self._update_where_not_zero(gradient, variable, learning_rate)
            return

        def step_size(t, lr, beta_1, beta_2):
            return lr * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)

        rows = gradient.indices
        index = slot_index(self, variable)
        all_m = self._momentums[index]
        all_v = self._velocities[index]
        m = ops.take(all_m, rows, axis=0)
        v = ops.take(all_v, rows, axis=0)
        w = ops.take(variable, rows, axis=0)
        g = ops.cast(gradient.values, variable.dtype)

        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m), and so with v and g^2.
        m = m + (1 - self.beta_1) * (g - m)
        v = v + (1 - self.beta_2) * (ops.square(g) - v)
        self._assign_rows(all_m, rows, m)
        self._assign_rows(all_v, rows, v)
        v_hat = v
        if self.amsgrad:
            all_v_hat = self._velocity_hats[index]
            v_hat = ops.maximum(ops.take(all_v_hat, rows, axis=0), v)
            self._assign_rows(all_v_hat, rows, v_hat)
        alpha = self._once_per_step(
            step_size, variable, learning_rate, self.beta_1, self.beta_2
        )
        w = w - alpha * m / (ops.sqrt(v_hat) + self.epsilon)
        self._assign_rows(variable, rows, w)

    def _update_where_not_zero(self, gradient, variable, learning_rate) -> None:
        """The lazy update by the sum of several batches, which Keras makes dense."""
        index = slot_index(self, variable)
        changed = [
            self._momentums[index],
            self._velocities[index],
            variable,
        ]
        if self.amsgrad:
            hats = self._velocity_hats
            changed.append(hats[index])
        before = []
        for v in changed:
            value = ops.convert_to_tensor(v)
            before.append(ops.copy(value))
        super().update_step(gradient, variable, learning_rate)

        rank = len(gradient.shape)
        is_present = ops.any(
            ops.not_equal(gradient, 0),
            axis=tuple(range(1, rank)),
            keepdims=True,
        )
        for v, old in zip(changed, before):
            new = ops.convert_to_tensor(v)
            kept = ops.where(is_present, new, old)
            self.assign(v, kept)

    def _assign_rows(self, variable, rows, values) -> None:
        places = ops.expand_dims(rows, 1)
        new = ops.scatter_update(variable, places, values)
        self.assign(variable, new)
