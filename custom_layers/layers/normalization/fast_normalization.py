"""The fast version of normalization: its gradient is computed in closed form.

Automatic differentiation goes back through every step of mean and variance. The closed
form needs two sums. A training step takes 0.5 to 0.9 of the time on two CPU cores.
"""

from keras import ops

from .moments import _count


def fast_normalization(
    x, mean, variance, gamma, beta, axes: list[int], epsilon: float, weights=None
):
    """Normalization whose gradient is computed in closed form.

    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    With g = dy * gamma, x_hat = (x - mean) / sqrt(variance + epsilon) and means over
    the places of `axes`, its gradient is
    dx = (g - mean(g) - x_hat * mean(g * x_hat)) / sqrt(variance + epsilon).

    Args:
        x: the input, in float32 or float64.
        mean, variance: those of x over `axes`, which they keep with length 1. The
            gradient takes their dependence on x into account. A mean of None, with
            the mean square as variance, is RMS normalization; mean(g) drops out.
        gamma, beta: scale and shift, with as many axes as x; None for no beta.
        axes: the axes over which mean and variance were taken, as numbers from 0.
        epsilon: added to the variance.
        weights: 1 for the places that mean and variance were taken of, 0 for others;
            None stands for 1 everywhere.

    >>> x = ops.array([[1.0, 3.0]])
    >>> mean, variance = ops.array([[2.0]]), ops.array([[1.0]])
    >>> gamma, beta = ops.ones((1, 2)), ops.zeros((1, 2))
    >>> y = fast_normalization(x, mean, variance, gamma, beta, axes=[1], epsilon=1e-3)
    >>> [round(float(value), 2) for value in y[0]]
    [-1.0, 1.0]
    """

    @ops.custom_gradient
    def normalize(*inputs):
        def gradient(*args, upstream=None):
            # torch passes the inputs as well, TensorFlow and JAX only dy.
            dy, saved = (args[0], inputs) if upstream is None else (upstream, args)
            x, variance, gamma, *shift = saved
            mean = shift[0] if shift else None
            dx, dgamma, dbeta = _closed_form(
                dy, x, mean, variance, gamma, axes, epsilon, weights
            )
            # None for mean and variance, whose share dx contains already.
            if mean is None:
                return dx, None, dgamma
            return dx, None, dgamma, None, dbeta

        x, variance, gamma, *shift = inputs
        return _scale_and_shift(x, variance, gamma, epsilon, *shift), gradient

    shift = [] if mean is None else [mean, beta]
    return normalize(x, variance, gamma, *shift)


def _scale_and_shift(x, variance, gamma, epsilon: float, mean=None, beta=None):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, as one product and sum."""
    scale = ops.rsqrt(variance + epsilon) * gamma
    if mean is None:
        return x * scale
    return x * scale + (beta - mean * scale)


def _closed_form(dy, x, mean, variance, gamma, axes, epsilon: float, weights):
    """The gradients to x, gamma and beta.

    gamma is constant along some of the axes (inner), and is therefore multiplied after
    the sums over these, which are smaller.
    """
    inner = [a for a in axes if gamma.shape[a] == 1]
    outer = [a for a in axes if gamma.shape[a] != 1]
    inverse = ops.rsqrt(variance + epsilon)
    centered = x if mean is None else x - mean
    n = _count(x, axes, weights)
    share = (1.0 if weights is None else weights) / n

    # x_hat * mean(g * x_hat) / deviation, with x_hat = centered * inverse
    sum_dy_x_hat = _sum(dy * centered, inner) * inverse
    sum_g_x_hat = _sum(gamma * sum_dy_x_hat, outer)
    along_x_hat = centered * (sum_g_x_hat * (share * inverse * inverse))
    dx = dy * (gamma * inverse) - along_x_hat
    dgamma = _sum_to(sum_dy_x_hat, gamma.shape)
    if mean is None:
        return dx, dgamma, None

    # mean(g) / deviation
    sum_dy = _sum(dy, inner)
    sum_g = _sum(gamma * sum_dy, outer)
    dx = dx - sum_g * (share * inverse)
    dbeta = _sum_to(sum_dy, gamma.shape)
    return dx, dgamma, dbeta


def _sum(x, axes: list[int]):
    return ops.sum(x, axis=axes, keepdims=True) if axes else x


def _sum_to(x, shape):
    """x summed over the axes that have length 1 in `shape`."""
    longer = [a for a, n in enumerate(shape) if n == 1 and x.shape[a] != 1]
    return _sum(x, longer)
