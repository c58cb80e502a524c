"""Windows: what the samples of a frame are multiplied with, so that its ends fade."""

from typing import Any

import numpy as np

from ...common.checks import python_number

# w(t) = sum_k (-1)^k a_k cos(2 pi k t / period)
COSINES = {
    "boxcar": [1.0],
    "hann": [0.5, 0.5],
    "hamming": [0.54, 0.46],
    "blackman": [0.42, 0.5, 0.08],
    "nuttall": [0.3635819, 0.4891775, 0.1365995, 0.0106411],
    "blackmanharris": [0.35875, 0.48829, 0.14128, 0.01168],
}
NAMES = (*COSINES, "tukey")  # which is flat in its middle half


def _window_argument(value: Any) -> Any:
    """The `window` argument of a layer: a name, a list of numbers, or None.

    Raises: ValueError for an unknown name.
    """
    if value is None or (isinstance(value, str) and value in NAMES):
        return value
    numbers = python_number(np.asarray(value)) if not isinstance(value, str) else None
    if not isinstance(numbers, list) or np.ndim(numbers) != 1:
        raise ValueError(
            f"The `window` argument must be one of {', '.join(NAMES)}, None, or the "
            "values of a window, such as scipy.signal.get_window returns. "
            f"Received: window={value!r}"
        )
    return numbers


def _window_values(window: Any, length: int, is_periodic: bool) -> np.ndarray:
    """The values of a window, in float64.

    Args:
        window: what `_window_argument` returns.
        length: of the frame.
        is_periodic: whether the value that follows the last is the first, and not the
            last the same as the first.

    Raises: ValueError for values of another length.
    """
    if window is None or (isinstance(window, str) and length == 1):
        window = np.ones(length)
    if not isinstance(window, str):
        values = np.asarray(window, "float64")
        if len(values) != length:
            raise ValueError(
                f"The `window` argument must have {length} values, one for each sample "
                f"of a frame. Received {len(values)} values."
            )
        return values
    t = np.arange(length) / (length if is_periodic else length - 1)
    if window == "tukey":
        return 0.5 - 0.5 * np.cos(np.pi * np.clip(4 * np.minimum(t, 1 - t), 0, 1))
    terms = [
        (-1) ** k * a * np.cos(2 * np.pi * k * t) for k, a in enumerate(COSINES[window])
    ]
    return np.sum(terms, axis=0)
