"""Gradients that TensorFlow hands over as rows, such as those of an embedding.

`tf.IndexedSlices` holds the rows of a table that a batch has used, in the order of use.
A token that occurs k times in the batch has k rows, and only their sum is the gradient
of the token's vector. Whoever squares the rows one by one, or clips them, computes
other numbers than JAX and torch, where gradients are dense.
"""

from typing import Any


def with_each_row_once(gradient: Any) -> Any:
    """The same gradient, in which each row occurs once, with the sum of its values.

    Dense gradients and None are returned as they are.
    """
    if not hasattr(gradient, "dense_shape"):
        return gradient
    import tensorflow as tf

    rows, place_of_each = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(
        gradient.values, place_of_each, num_segments=tf.shape(rows)[0]
    )
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)


def dense(gradient: Any) -> Any:
    """The same gradient as a tensor, with zeros in the rows that were not used.

    Dense gradients and None are returned as they are.
    """
    if not hasattr(gradient, "dense_shape"):
        return gradient
    import tensorflow as tf

    return tf.math.unsorted_segment_sum(
        gradient.values, gradient.indices, num_segments=gradient.dense_shape[0]
    )
