"""Mel spectrogram: how loud sound is at pitches that the ear finds equally spaced."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ...common.checks import one_of, positive_integer, python_number
from ...common.inputs import of_any_batch
from ...common.private_keras import build_at_init
from ...common.types import Config, Shape
from .windows import _window_argument, _window_values


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MelSpectrogram(keras.layers.Layer):
    """Loudness of a sound over time, at pitches that the ear finds equally spaced.

    X[m, k] = sum_t w[t] x[m s + t - N / 2] exp(-2 pi i k t / N), reflected at the ends
    S[m, b] = sum_k |X[m, k]|^e A[k, b], where band b of A is a triangle over the mels
              of its neighbors, mel(f) = 1127 log(1 + f / 700), with a peak of 1
    y = 10 log10(max(S, p) / max(r, p)), at least its largest value - top_db

    Args:
        fft_length: N, samples of a transform.
        sequence_stride: s, samples from one frame to the next.
        sequence_length: samples that the window covers, at most N; None stands for N.
        window: "hann", "hamming", another name of `STFTSpectrogram`, the values, or
            None for ones. Named windows are periodic.
        sampling_rate: samples per second.
        num_mel_bins: bands, whose lowest begins at `min_freq` and whose highest ends at
            `max_freq` Hz; None stands for half of the sampling rate.
        power_to_db: whether y is returned, not S.
        top_db: decibels below the loudest band, at which y ends; None for no end.
        mag_exp: e; 1 is the magnitude, 2 the power.
        min_power, ref_power: p and r.

    Input: (B, samples), (samples,), or with more axes before. Integers become floats.
    Output: (B, num_mel_bins, samples // s + 1), for an even N.
    Raises: ValueError for arguments outside of these, and for a sound that is not
        longer than N / 2.
    Differs from Keras: the loudest band is that of each sound; Keras takes that of the
        batch, so that an answer depends on the other sounds. The gradient of a
        magnitude is finite at silence. Keras promises a frame too many at times.

    >>> t = keras.ops.arange(8000.0) / 8000  # one second
    >>> tones = [keras.ops.sin(2 * 3.14159265 * f * t) for f in (1000, 2000, 3000)]
    >>> layer = MelSpectrogram(512, 256, sampling_rate=8000, num_mel_bins=40)
    >>> loudest = keras.ops.argmax(layer(keras.ops.stack(tones))[:, :, 5], axis=1)
    >>> print(keras.ops.convert_to_numpy(loudest))  # the higher, the closer
    [18 28 35]

    Paper: Davis, Mermelstein, "Comparison of parametric representations for
    monosyllabic word recognition in continuously spoken sentences", 1980.
    https://doi.org/10.1109/TASSP.1980.1163420
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float | None = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = positive_integer(fft_length, "fft_length")
        self.sequence_stride = positive_integer(sequence_stride, "sequence_stride")
        length = fft_length if sequence_length is None else sequence_length
        self.sequence_length = positive_integer(length, "sequence_length")
        if self.sequence_length > self.fft_length:
            raise ValueError(
                "`fft_length` must be greater than or equal to `sequence_length`. "
                f"Received: {sequence_length=}, {fft_length=}"
            )
        self.window = _window_argument(window)
        self.sampling_rate = python_number(sampling_rate)
        self.num_mel_bins = positive_integer(num_mel_bins, "num_mel_bins")
        self.min_freq = python_number(min_freq)
        self.max_freq = python_number(max_freq or int(sampling_rate / 2))
        if not 0 <= self.min_freq < self.max_freq <= self.sampling_rate / 2:
            raise ValueError(
                "The bands need 0 <= min_freq < max_freq <= sampling_rate / 2. "
                f"Received: {min_freq=}, max_freq={self.max_freq}, {sampling_rate=}"
            )
        self.power_to_db = one_of(power_to_db, (True, False), "power_to_db")
        self.top_db = python_number(top_db)
        self.mag_exp = python_number(mag_exp)
        self.min_power = python_number(min_power)
        self.ref_power = python_number(ref_power)
        self._w, self._A = self._constants()
        build_at_init(self)

    def _constants(self) -> tuple[np.ndarray, np.ndarray]:
        """The window within a frame of N samples, and A."""
        N, length = self.fft_length, self.sequence_length
        is_named = isinstance(self.window, str)
        before = (N - length) // 2
        w = _window_values(self.window, length, is_named)
        w = np.pad(w, (before, N - length - before))
        low = _mel(self.min_freq)
        high = _mel(self.max_freq)
        hertz = self.sampling_rate * np.arange(N // 2 + 1) / N
        A = _triangles(_mel(hertz), low, high, self.num_mel_bins)
        return w, A

    def call(self, inputs):
        return of_any_batch(self._spectrogram, inputs)

    def _spectrogram(self, inputs):
        # Fourier transforms and logarithms of small powers need float32.
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        x = ops.cast(inputs, dtype)
        w = ops.cast(self._w, dtype)
        A = ops.cast(self._A, dtype)
        N = self.fft_length
        if x.shape[-1] is not None and x.shape[-1] <= N // 2:
            raise ValueError(
                f"MelSpectrogram needs more than fft_length / 2 = {N // 2} samples, "
                f"which it reflects at the ends. Received: {tuple(x.shape)} as shape"
            )
        ends = [(0, 0)] * (len(x.shape) - 1) + [(N // 2, N // 2)]
        x = ops.pad(x, ends, mode="reflect")
        frames = ops.extract_sequences(x, N, self.sequence_stride)
        real, imag = ops.rfft(frames * w)
        power = ops.square(real) + ops.square(imag)
        S = ops.matmul(self._to_exponent(power), A)
        y = S
        if self.power_to_db:
            y = self._decibels(S)
        return ops.cast(ops.swapaxes(y, -1, -2), self.compute_dtype)

    def _to_exponent(self, square):
        """|X|^e from |X|^2, with a finite gradient at 0."""
        if self.mag_exp == 2:
            return square
        return ops.maximum(square, 1e-30) ** (self.mag_exp / 2)

    def _decibels(self, S):
        y = 10 * ops.log10(ops.maximum(S, self.min_power))
        reference = max(abs(self.ref_power), self.min_power)
        y = y - 10 * np.log10(reference)
        if self.top_db is None:
            return y
        loudest = ops.max(y, axis=(-1, -2), keepdims=True)
        return ops.maximum(y, loudest - self.top_db)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        *batch, T = input_shape
        N = self.fft_length
        frames = None
        if T is not None:
            padded = T + N // 2 * 2
            frames = (padded - N) // self.sequence_stride + 1
        return (*batch, self.num_mel_bins, frames)

    def get_config(self) -> Config:
        names = (
            "fft_length",
            "sequence_stride",
            "sequence_length",
            "window",
            "sampling_rate",
            "num_mel_bins",
            "min_freq",
            "max_freq",
            "power_to_db",
            "top_db",
            "mag_exp",
            "min_power",
            "ref_power",
        )
        options = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **options}


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1 + hertz / 700.0)


def _triangles(mels: np.ndarray, low: float, high: float, bands: int) -> np.ndarray:
    """A[k, b]: how much of frequency k belongs to band b; none of k = 0 does."""
    edges = np.linspace(low, high, bands + 2)
    width = edges[1] - edges[0]
    distance = np.abs(mels[:, None] - edges[1:-1]) / width
    A = np.maximum(1 - distance, 0)
    A[0] = 0
    return A
