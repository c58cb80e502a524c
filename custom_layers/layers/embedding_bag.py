"""Embedding bag: the vectors of several tokens, summarized by one."""

from typing import Any

import keras
from keras import ops

from ..common.checks import one_of, positive_integer
from ..common.inputs import of_any_batch
from ..common.types import Config, Constraint, Initializer, Regularizer, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class EmbeddingBag(keras.layers.Layer):
    """Table of vectors, whose sum, mean or maximum over a bag of tokens is taken.

    "sum":  y = sum over t of w_t E[x_t]
    "mean": y = sum over t of w_t E[x_t] / sum over t of w_t
    "max":  y[d] = max over t of E[x_t][d]

    The weights w_t are 1 unless they are given. It is an Embedding followed by pooling:
    the order of the tokens makes no difference.

    Args:
        input_dim: number of rows of E, which is the largest integer + 1.
        output_dim: length D of each vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: start
            values of E, a penalty on it, its projection after each step.
        mask_zero: whether 0 is padding, which is left out of every bag.
        combiner: "sum", "mean" or "max".

    Call: inputs x; weights w of the same shape, for "sum" and "mean".
    Input shape: (..., T), integers. Output shape: (..., D). A bag without a token
        becomes zeros.
    Raises: ValueError for sizes that are not positive integers, for another combiner,
        and for weights together with "max".
    Keras has no such class. Differs from Addons, which adds up padding too and has
        weights for "sum" only, and from PyTorch's, which begins with "mean".

    A sentence is the mean of its words, as in fastText; padding changes nothing:

    >>> words = EmbeddingBag(3, 2, mask_zero=True, combiner="mean")
    >>> words.build()
    >>> words.set_weights([keras.ops.array([[9.0, 9.0], [1.0, 0.0], [0.0, 1.0]])])
    >>> print(words(keras.ops.array([[1, 2, 0, 0], [1, 1, 1, 2]])).numpy())
    [[0.5  0.5 ]
     [0.75 0.25]]

    Paper: Joulin, Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text
    classification", 2016. https://arxiv.org/abs/1607.01759
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Initializer = "uniform",
        embeddings_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: bool = False,
        combiner: str = "sum",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim = positive_integer(input_dim, "input_dim")
        self.output_dim = positive_integer(output_dim, "output_dim")
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.combiner = one_of(combiner, ("sum", "mean", "max"), "combiner")
        # Keras would cast the tokens to float16, which cannot hold large integers.
        self.autocast = False

    def build(self, input_shape: Shape | None = None) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs, weights=None):
        if weights is not None and self.combiner == "max":
            raise ValueError(
                'EmbeddingBag with combiner="max" takes no weights, which a maximum '
                f"cannot use. Received: weights={weights}. Leave them out, or use "
                'combiner="sum" or "mean".'
            )
        x = inputs if inputs.dtype in ("int32", "int64") else ops.cast(inputs, "int32")
        if x.shape[-1] == 0:
            y = ops.zeros((*ops.shape(x)[:-1], self.output_dim))
        elif self.combiner == "max":
            y = of_any_batch(self._maximum, x)
        else:
            y = self._sum(x, weights)
        return ops.cast(y, self.compute_dtype)

    def _maximum(self, x):
        E_x = ops.take(self.embeddings, x, axis=0)  # ..., T, D
        if not self.mask_zero:
            return ops.max(E_x, axis=-2)
        is_token = ops.expand_dims(ops.not_equal(x, 0), -1)
        y = ops.max(ops.where(is_token, E_x, -float("inf")), axis=-2)
        return ops.where(ops.any(is_token, axis=-2), y, 0.0)

    def _sum(self, x, weights):
        """The weighted sum, divided by the sum of the weights for "mean"."""
        E_x = ops.take(self.embeddings, x, axis=0)  # ..., T, D
        if weights is None and not self.mask_zero:
            summarize = ops.sum if self.combiner == "sum" else ops.mean
            return summarize(E_x, axis=-2)
        w = ops.ones_like(x) if weights is None else weights
        w = ops.cast(w, E_x.dtype)
        if self.mask_zero:
            w = ops.where(ops.not_equal(x, 0), w, 0.0)
        y = ops.sum(ops.expand_dims(w, -1) * E_x, axis=-2)
        if self.combiner == "sum":
            return y
        return ops.divide_no_nan(y, ops.sum(w, axis=-1, keepdims=True))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.output_dim)

    def get_config(self) -> Config:
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
            "embeddings_constraint": keras.constraints.serialize(
                self.embeddings_constraint
            ),
            "mask_zero": self.mask_zero,
            "combiner": self.combiner,
        }
