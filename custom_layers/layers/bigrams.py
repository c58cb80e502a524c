"""A trained vector for each pair of neighbouring tokens, found by hashing."""

import keras
from keras import ops

MULTIPLIER = 40_503  # 2^16 over the golden ratio, odd: spreads the first tokens well


@keras.saving.register_keras_serializable(package="keras_cookbook")
class BigramEmbedding(keras.layers.Layer):
    """Table of vectors of pairs of tokens: "not good" has one, which neither word has.

    y[t] = E[(40503 x[t] + x[t + 1]) mod num_buckets]      0 follows the last token
    y[t] = 0                                               where x[t] = 0, padding

    Pairs that fall into the same bucket share its vector: of the V^2 pairs few occur
    often, and nobody has to list them. Numbers wrap around at 32 bits.

    Args:
        num_buckets: rows of E; a few for each pair that matters.
        output_dim: length D of each vector.
        embeddings_initializer: start values of E.

    Call: layer(tokens): the pairs' vectors alone, to be added to those of the tokens.
    Input shape: (B, T), integers; 0 is padding. Output shape: (B, T, output_dim).
    Raises: ValueError for num_buckets or output_dim that is no positive integer.

    >>> BigramEmbedding(1000, 4)(keras.ops.array([[5, 2, 0]])).shape
    TensorShape([1, 3, 4])

    Papers: Weinberger et al., "Feature hashing for large scale multitask learning",
    2009, https://arxiv.org/abs/0902.2206; Joulin, Grave, Bojanowski, Mikolov, "Bag of
    tricks for efficient text classification", 2016. https://arxiv.org/abs/1607.01759
    """

    def __init__(
        self, num_buckets, output_dim, embeddings_initializer="uniform", **kwargs
    ):
        super().__init__(**kwargs)
        sizes = {"num_buckets": num_buckets, "output_dim": output_dim}
        for name, value in sizes.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"`{name}` got {value}, expected a positive integer.")
        self.num_buckets = num_buckets
        self.output_dim = output_dim
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.autocast = False  # integers stay exact in float16

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.num_buckets, self.output_dim),
            initializer=self.embeddings_initializer,
        )

    def call(self, inputs):
        x = ops.cast(inputs, "int32")
        following = ops.pad(x[:, 1:], [[0, 0], [0, 1]])
        bucket = (MULTIPLIER * x + following) % self.num_buckets
        y = ops.cast(ops.take(self.embeddings, bucket, axis=0), self.compute_dtype)
        return ops.where(ops.expand_dims(x != 0, -1), y, ops.zeros_like(y))

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
        }
