"""Spectrogram by convolutions whose kernels may be trained."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from ...common.checks import channel_order, one_of, positive_integer
from ...common.inputs import as_floats, of_any_batch
from ...common.types import Config, DataFormat, Padding, Shape
from .windows import _window_argument, _window_values

Mode = Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"]
MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class STFTSpectrogram(keras.layers.Layer):
    """Short-time Fourier transform of a signal, by convolutions that may be trained.

    X[m, k] = sum_t w[t] x[m s + t] exp(-2 pi i k t / N) / |w|, for the frame m and the
    frequency k / N, k = 0 ... N // 2, with the step s and the window w.
    "real", "imag"  Re X, Im X                 "psd"        |X|^2, doubled for each k
    "stft"          both, Re X first                        that stands for -k as well
    "angle"         the angle of X             "magnitude"  |X|;  "log"  log |X|

    Args:
        mode: what of X is returned.
        frame_length, frame_step: samples of a frame, and between the begins of two;
            the step is half a frame unless it is given.
        fft_length: N; by default the next power of 2 from frame_length on.
        window: "hann", "hamming", "blackman", "tukey", "boxcar", "nuttall",
            "blackmanharris", frame_length numbers, or None, which does not scale.
        periodic: whether the window goes on after its end as at its begin.
        scaling: |w| is the root of the sum of squares ("density"), the sum of absolute
            values ("spectrum"), or 1 (None).
        padding: "valid", or "same", which adds zeros, so that there are T / s frames.
        expand_dims: whether frequencies and channels have axes of their own.
        data_format: "channels_last", "channels_first", or None for Keras's setting.

    Input: (B, T, C); with channels_first (B, C, T). Integers become floats.
    Output: (B, frames, C * frequencies), or with expand_dims (B, frames, frequencies,
        C); with channels_first (B, C * frequencies, frames) or (B, C, frames,
        frequencies).
    Weights: real_kernel and imag_kernel, of which "real" and "imag" need one.
    Raises: ValueError for arguments outside of these.
    Differs from Keras: an odd fft_length is N itself, where Keras takes N - 1. Integers
        and bfloat16 are allowed. Give the values of windows that have no name here.

    >>> t = keras.ops.arange(2000.0) / 8000  # seconds
    >>> tone = keras.ops.sin(2 * 3.14159265 * 1000 * t)[None, :, None]
    >>> spectrum = STFTSpectrogram("magnitude")(tone)  # 129 frequencies up to 4000 Hz
    >>> print(keras.ops.convert_to_numpy(keras.ops.argmax(spectrum[0, 3]) * 4000 / 128))
    1000.0

    Paper: Cheuk, Anderson, Agres, Herremans, "nnAudio: an on-the-fly GPU audio to
    spectrogram conversion toolbox using 1D convolutional neural networks", 2019.
    https://arxiv.org/abs/1912.12055
    """

    def __init__(
        self,
        mode: Mode = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: Literal["density", "spectrum"] | None = "density",
        padding: Padding = "valid",
        expand_dims: bool = False,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = one_of(mode, MODES, "mode")
        self.frame_length = positive_integer(frame_length, "frame_length")
        self.frame_step = frame_step
        if frame_step is not None:
            self.frame_step = positive_integer(frame_step, "frame_step")
        self.fft_length = fft_length
        if fft_length is not None:
            self.fft_length = positive_integer(fft_length, "fft_length")
        if self.step > self.frame_length or self.frame_length > self.N:
            raise ValueError(
                "Frames must not leave samples out, nor be longer than the transform: "
                "expected frame_step <= frame_length <= fft_length. Received: "
                f"{frame_step=}, {frame_length=}, {fft_length=}"
            )
        self.window = _window_argument(window)
        self.periodic = bool(periodic)
        self.scaling = one_of(scaling, (None, "density", "spectrum"), "scaling")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.expand_dims = bool(expand_dims)
        self.data_format = channel_order(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self._kernel("real")  # so that a wrong window is refused at once

    @property
    def step(self) -> int:
        """Samples between the begins of two frames."""
        return self.frame_step or max(self.frame_length // 2, 1)

    @property
    def N(self) -> int:
        """The length of the Fourier transform."""
        return self.fft_length or 1 << (self.frame_length - 1).bit_length()

    def build(self, input_shape: Shape) -> None:
        self.real_kernel = self._weight("real") if self.mode != "imag" else None
        self.imag_kernel = self._weight("imag") if self.mode != "real" else None

    def _weight(self, part: str) -> keras.Variable:
        return self.add_weight(
            name=f"{part}_kernel",
            shape=(self.frame_length, 1, self.N // 2 + 1),
            initializer=lambda shape, dtype: ops.cast(self._kernel(part), dtype),
        )

    def _kernel(self, part: str) -> np.ndarray:
        """w[t] cos(-2 pi k t / N) / |w|, or the sine, in float64: t, 1, k."""
        t = np.arange(self.frame_length)[:, None]
        highest = self.N // 2
        k = np.arange(highest + 1)
        angle = -2 * np.pi * (t * k % self.N) / self.N
        w = _window_values(self.window, self.frame_length, self.periodic)
        size = 1.0
        is_scaled = self.window is not None
        if is_scaled and self.scaling == "density":
            squares = np.sum(w**2)
            size = np.sqrt(squares)
        if is_scaled and self.scaling == "spectrum":
            size = np.sum(np.abs(w))
        if size == 0:
            raise ValueError(
                f"The window {self.window!r} of frame_length={self.frame_length} is 0 "
                "everywhere. Take longer frames, or periodic=True."
            )
        wave = np.cos if part == "real" else np.sin
        kernel = w[:, None] / size * wave(angle)
        return kernel[:, None]

    def call(self, inputs):
        return of_any_batch(self._spectrogram, as_floats(inputs, self.compute_dtype))

    def _spectrogram(self, x):
        if self.data_format == "channels_last":
            x = ops.transpose(x, (0, 2, 1))
        _, C, T = ops.shape(x)

        both = (self.real_kernel, self.imag_kernel)
        kernels = [ops.convert_to_tensor(k) for k in both if k is not None]
        kernel = ops.concatenate(kernels, axis=-1)
        x = ops.reshape(x, (-1, T, 1))

        X = ops.conv(
            x,
            ops.cast(kernel, x.dtype),
            strides=self.step,
            padding=self.padding,
            data_format="channels_last",
        )
        return self._arranged(self._of_mode(X), C)

    def _of_mode(self, X):
        """What `mode` asks for, from the real and imaginary parts: frames, k."""
        if self.mode in ("real", "imag", "stft"):
            return X
        real, imag = ops.split(X, 2, axis=-1)
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        square = ops.square(real)
        power = square + ops.square(imag)
        if self.mode == "psd":
            k = np.arange(self.N // 2 + 1)
            is_double = (k > 0) & (2 * k != self.N)
            times = ops.cast(1 + is_double, power.dtype)
            return power * times
        power = ops.maximum(power, keras.backend.epsilon())
        if self.mode == "magnitude":
            return ops.sqrt(power)
        return ops.log(power) / 2

    def _arranged(self, y, C: Any):
        """(B C, frames, k) as the output wants them."""
        _, M, F = ops.shape(y)
        y = ops.reshape(y, (-1, C, M, F))
        if self.data_format == "channels_last":
            if self.expand_dims:
                return ops.transpose(y, (0, 2, 3, 1))

            y = ops.transpose(y, (0, 2, 1, 3))
            return ops.reshape(y, (-1, M, C * F))
        if self.expand_dims:
            return y
        y = ops.transpose(y, (0, 1, 3, 2))
        return ops.reshape(y, (-1, C * F, M))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        is_last = self.data_format == "channels_last"
        B, T, C = input_shape
        if not is_last:
            C, T = T, C
        F = self.N // 2 + 1
        if self.mode == "stft":
            F = 2 * F
        M = None
        if T is not None:
            last = T - 1  # where the last frame may begin
            if self.padding == "valid":
                last = T - self.frame_length
            M = last // self.step + 1
        if self.expand_dims:
            return (B, M, F, C) if is_last else (B, C, M, F)
        features = None if C is None else C * F
        return (B, M, features) if is_last else (B, features, M)

    def get_config(self) -> Config:
        names = (
            "mode",
            "frame_length",
            "frame_step",
            "fft_length",
            "window",
            "periodic",
            "scaling",
            "padding",
            "expand_dims",
            "data_format",
        )
        options = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **options}
