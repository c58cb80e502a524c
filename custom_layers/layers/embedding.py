"""Embeddings: a trained vector for each token, and for each pair of neighbours."""

import warnings
from typing import Any

import keras
from keras import ops

from ..common.checks import positive_integer, without_quantization
from ..common.types import Config, Constraint, Initializer, Regularizer, Shape
from .lora import _Adaptable

MULTIPLIER = 40_503  # odd, about 2^16 / golden ratio: spreads the tokens evenly


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Embedding(_Adaptable):
    """Table of vectors, from which each integer picks a row: y = E[x].

    It is a Dense layer on one-hot vectors, y = onehot(x) E, without the product.

    Args:
        input_dim: number of rows of E, which is the largest integer + 1.
        output_dim: length D of each vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: start
            values of E, a penalty on it, its projection after each step.
        mask_zero: whether 0 is padding; later layers then receive the mask x != 0.
        weights: start values of E as an array, or a list that holds one array.
        lora_rank, lora_alpha: freeze E and train A B besides, as `enable_lora` does.

    Input shape: any, of integers; dense, sparse or ragged. Output shape: (..., D).
    Raises: ValueError if input_dim or output_dim is not a positive integer.
    An integer above input_dim - 1 is an error on TensorFlow and torch, and gives NaN on
    JAX. As in Keras, negative integers count from the last row.
    Differs from Keras: no quantization; LoRA differs as in Dense, and multiplies the
        rows that are picked, not the whole table.

    >>> table = keras.initializers.Constant([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])
    >>> layer, x = Embedding(3, 2, table, mask_zero=True), keras.ops.array([[2, 1, 0]])
    >>> layer(x).numpy().tolist()
    [[[2.0, 20.0], [1.0, 10.0], [0.0, 0.0]]]
    >>> layer.compute_mask(x).numpy().tolist()  # 0 is padding
    [[True, True, False]]

    Paper: Bengio, Ducharme, Vincent, Jauvin, "A neural probabilistic language model",
    2003. https://jmlr.org/papers/v3/bengio03a.html
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Initializer = "uniform",
        embeddings_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("input_length", None) is not None:
            warnings.warn("Argument `input_length` is not used.", stacklevel=2)
        options = without_quantization(kwargs, type(self).__name__)
        super().__init__(lora_rank, lora_alpha, **options)
        self.input_dim = positive_integer(input_dim, "input_dim")
        self.output_dim = positive_integer(output_dim, "output_dim")
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        # Keras would cast inputs and E to float16, which cannot hold large integers.
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Shape | None = None) -> None:
        if not self.built:
            self._embeddings = self.add_weight(
                name="embeddings",
                shape=(self.input_dim, self.output_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )
            self._adapt_if_asked()

    def _adapted(self) -> tuple[str, Any, Regularizer, Any]:
        E = getattr(self, "_embeddings", None)
        return "embeddings", E, self.embeddings_regularizer, self.embeddings_constraint

    @property
    def embeddings(self):
        """E, with the adapters of LoRA where they are enabled."""
        if self._adapted()[1] is None:
            raise AttributeError("The layer has `embeddings` once it is built.")
        return self._sum()

    @property
    def lora_embeddings_a(self):
        """A, the first matrix of LoRA."""
        return self._lora_a

    @property
    def lora_embeddings_b(self):
        """B, the second matrix of LoRA."""
        return self._lora_b

    def call(self, inputs):
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        rows = ops.take(self._embeddings, inputs, axis=0)
        if self.lora_enabled:  # by rows, since E + A B is as large as E
            rows_of_a = ops.take(self._lora_a, inputs, axis=0)
            rows = rows + self._scale() * ops.matmul(rows_of_a, self._lora_b)
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(
            self.compute_output_shape(inputs.shape),
            dtype=self.compute_dtype,
            ragged=getattr(inputs, "ragged", False),
        )

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
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "embeddings_constraint": keras.constraints.serialize(
                self.embeddings_constraint
            ),
            "mask_zero": self.mask_zero,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class BigramEmbedding(keras.layers.Layer):
    """Table of vectors for pairs of neighbouring tokens, found by hashing.

    "not good" gets a vector of its own, which neither "not" nor "good" has.

    y[t] = E[(40503 x[t] + x[t + 1]) mod num_buckets]      0 follows the last token
    y[t] = 0                                               where x[t] = 0, padding

    Pairs whose hash is the same share a vector. Few of the V^2 possible pairs occur
    often, so this costs little, and nobody has to list the pairs. The product is
    computed in 32-bit integers, which wrap around.

    Args:
        num_buckets: number of rows of E; a few rows for each frequent pair suffice.
        output_dim: length D of each vector.
        embeddings_initializer: start values of E.

    The layer returns the vectors of the pairs alone: add them to those of the tokens.
    Input shape: (B, T), integers; 0 is padding. Output shape: (B, T, output_dim).
    Raises: ValueError if num_buckets or output_dim is not a positive integer.
    Keras has no such class.

    >>> y = BigramEmbedding(1000, 4)(keras.ops.array([[5, 2, 0], [7, 5, 2], [5, 3, 0]]))
    >>> bool(keras.ops.all(y[0, 0] == y[1, 1]))  # 5 2 is the same pair in both texts
    True
    >>> bool(keras.ops.all(y[0, 0] == y[2, 0]))  # 5 3 is another pair
    False

    Papers: Weinberger et al., "Feature hashing for large scale multitask learning",
    2009, https://arxiv.org/abs/0902.2206; Joulin, Grave, Bojanowski, Mikolov, "Bag of
    tricks for efficient text classification", 2016. https://arxiv.org/abs/1607.01759
    """

    def __init__(
        self,
        num_buckets: int,
        output_dim: int,
        embeddings_initializer: Initializer = "uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_buckets = positive_integer(num_buckets, "num_buckets")
        self.output_dim = positive_integer(output_dim, "output_dim")
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        # Keras would cast the tokens to float16, which cannot hold large integers.
        self.autocast = False

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.num_buckets, self.output_dim),
            initializer=self.embeddings_initializer,
        )

    def call(self, inputs):
        x = ops.cast(inputs, "int32")
        following = ops.pad(x[:, 1:], [[0, 0], [0, 1]])
        bucket = (MULTIPLIER * x + following) % self.num_buckets
        y = ops.take(self.embeddings, bucket, axis=0)
        y = ops.cast(y, self.compute_dtype)
        is_token = ops.expand_dims(x != 0, -1)
        return ops.where(is_token, y, ops.zeros_like(y))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
