"""Gradients of embeddings, of which TensorFlow gives the rows that a batch used."""

from typing import Any


def with_each_row_once(gradient: Any) -> Any:
    """The same gradient, in which no row of an embedding occurs twice.

    A token that occurs k times in a batch has k rows in TensorFlow's gradient. Only
    their sum is the gradient of the token's vector: an optimizer that squares the rows
    one by one, or takes their signs, would compute other numbers than JAX and torch,
    where gradients are dense. Dense gradients and None are returned as they are.
    """
    if not hasattr(gradient, "dense_shape"):
        return gradient
    import tensorflow as tf

    rows, place_of_each = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(
        gradient.values, place_of_each, num_segments=tf.shape(rows)[0]
    )
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)
