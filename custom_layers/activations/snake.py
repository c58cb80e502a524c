"""Snake: a line with a wave on it, for what repeats."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def snake(x, frequency: float = 1.0):
    """Snake, a rising line with waves, with which a network learns what repeats.

    y = x + sin(a x)^2 / a, where a is the frequency;  y = x for a = 0

    Networks of other activations go on as a line or a constant beyond the data. The
    derivative is never below 0: 1 + sin(2 a x).

    Args:
        x: tensor of any shape and float dtype.
        frequency: a, a number or a tensor that broadcasts to x. The layer `Snake`
            learns it.

    Returns: y of the same shape and dtype as x.

    What exceeds x is the same one period, pi / a, later:

    >>> x = keras.ops.array([0.2, 0.2 + 3.14159265 / 4])
    >>> [round(float(wave), 3) for wave in snake(x, frequency=4.0) - x]
    [0.129, 0.129]

    Paper: Ziyin, Hartwig, Ueda, "Neural networks fail to learn periodic functions and
    how to fix it", 2020. https://arxiv.org/abs/2006.08195
    """
    x = ops.convert_to_tensor(x)
    a = ops.cast(frequency, x.dtype)
    is_zero = ops.equal(a, 0)
    smallest = ops.cast(is_zero, x.dtype) * 1e-6
    a = a + smallest  # the quotient has the limit 0 there
    phase = ops.multiply(a, x)
    wave = ops.sin(phase)
    y = x + ops.square(wave) / a
    return y
