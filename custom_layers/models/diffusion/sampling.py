"""The steps from noise to samples."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from ...common.types import Config
from .process import _Process


@keras.saving.register_keras_serializable(package="keras_cookbook")
class _Sampling(keras.layers.Layer):
    """The steps of DDIM as a layer: noise (B, D), and labels, become samples."""

    def __init__(
        self,
        denoiser: keras.Model,
        classes: int | None,
        steps: int,
        guidance: float,
        timesteps: int,
        schedule: str,
        prediction: str,
        value_range: Sequence[float] | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.denoiser = denoiser
        self.classes = classes
        self.steps = steps
        self.guidance = guidance
        self.process = _Process(timesteps, schedule, prediction, value_range)
        self.built = True

    def call(self, inputs):
        noise, *labels = inputs if isinstance(inputs, list | tuple) else [inputs]
        x = ops.reshape(noise, (-1, *self.denoiser.inputs[0].shape[1:]))
        asked = labels[0] if labels else None
        pairs = self.process.pairs(self.steps)
        count = len(pairs)
        pairs = ops.convert_to_tensor(pairs)

        def denoise(parts):
            return ops.cast(self.denoiser(parts, training=False), "float32")

        def step(i, x):
            t, s = ops.unstack(ops.take(pairs, i, axis=0))
            predicted = _guided(denoise, x, t, asked, self.guidance, self.classes)
            return self.process.step(x, predicted, t, s)

        return ops.fori_loop(0, count, step, x)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (None, *self.denoiser.inputs[0].shape[1:])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "denoiser": keras.saving.serialize_keras_object(self.denoiser),
            "classes": self.classes,
            "steps": self.steps,
            "guidance": self.guidance,
            **self.process.options,
        }

    @classmethod
    def from_config(cls, config: Config) -> "_Sampling":
        denoiser = keras.saving.deserialize_keras_object(config["denoiser"])
        return cls(**{**config, "denoiser": denoiser})


def _guided(denoise: Callable, x, t, labels, w: float, classes: int | None):
    """What the denoiser returns at level t, moved away from what it says unlabelled."""
    times = ops.zeros((ops.shape(x)[0],), "int32") + ops.cast(t, "int32")
    if labels is None:
        return denoise([x, times])
    labels = _ids(labels)
    predicted = denoise([x, times, labels])
    if not w:
        return predicted
    unlabelled = denoise([x, times, ops.full_like(labels, classes)])
    return (1 + w) * predicted - w * unlabelled


def _ids(labels):
    """Labels as a tensor of integers."""
    return ops.cast(ops.convert_to_tensor(labels), "int32")
