"""Distance of examples to the principal subspace of other examples."""

from collections.abc import Callable

import numpy as np


def principal_subspace_distance(
    examples: np.ndarray,
    components: int,
) -> Callable[[np.ndarray], np.ndarray]:
    """Mean squared distance to the principal subspace of examples, as a function.

    distance(x) = |(x - m) - V V^T (x - m)|^2 / D

    m is the mean of the examples, D the number of values in each, and the columns of V
    are the principal axes: the eigenvectors of the covariance with the largest
    eigenvalues. The distance is the error that principal component analysis leaves. It
    is a simple score of anomalies: large for what does not resemble the examples.

    Args:
        examples: array of shape (N, ...), such as images. N is larger than components.
        components: the number of principal axes, the dimension of the subspace.

    Returns:
        A function that takes an array (B, ...) and returns the distances, (B,).

    Example:

    >>> line = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]])
    >>> distance = principal_subspace_distance(line, components=1)
    >>> print(distance(np.array([[2.0, 2.0], [2.0, 0.0]])).round(6))
    [0. 1.]

    Paper: Pearson, "On lines and planes of closest fit to systems of points in space",
    1901. https://doi.org/10.1080/14786440109462720
    """
    x = examples.reshape(len(examples), -1).astype("float64")  # N, D
    m = x.mean(0)
    covariance = (x - m).T @ (x - m)  # times N, which moves no axis
    _, vectors = np.linalg.eigh(covariance)  # by rising eigenvalue
    V = vectors[:, -components:]

    def distance(others: np.ndarray) -> np.ndarray:
        apart = others.reshape(len(others), -1) - m  # B, D
        return np.mean(np.square(apart - apart @ V @ V.T), axis=-1)

    return distance
