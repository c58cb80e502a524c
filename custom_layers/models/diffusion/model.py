"""A model that makes samples of noise, step by step, because it learned to denoise."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ...common.checks import number_from_zero, positive_integer
from ...common.types import Config, Seed
from .process import _Process
from .sampling import _guided, _ids, _Sampling

AT_ONCE = 500  # samples that are made side by side


@keras.saving.register_keras_serializable(package="keras_cookbook")
class DiffusionModel(keras.Model):
    """Diffusion model: learns to take noise out of samples, and makes samples of noise.

    noise is added: x_t = a_t x_0 + b_t e, e ~ Normal(0, 1), a_t^2 + b_t^2 = 1
    "velocity": the denoiser f learns a_t e - b_t x_0;  "noise": it learns e
    loss = mean((f(x_t, t, label) - what it learns)^2), t uniform in 1, ..., timesteps
    guidance w: f = (1 + w) f(x_t, t, label) - w f(x_t, t, no label)
    a step of sampling, from t to s < t, with x_0 and e as f sees them:
    x_s = a_s x_0 + sqrt(b_s^2 - v) e + sqrt(v) z, z ~ Normal(0, 1)
    v = eta^2 (b_s / b_t)^2 (1 - (a_t / a_s)^2)

    eta = 0 is DDIM, in which nothing but the first noise is random; eta = 1 is DDPM.

    Args:
        denoiser: functional model of [samples, timesteps (B,)], or of these and labels
            (B,), that returns the shape of samples.
        classes: number of classes, which is also the label that stands for "no label".
        timesteps, prediction: number of noise levels; "velocity" or "noise".
        schedule: "cosine" (of a_t) or "linear" (of 1 - (a_t / a_(t-1))^2).
        unlabelled: share of training samples whose label is hidden, for guidance.
        value_range: (low, high), which x_0 is clipped to in sampling; None: it is not.
        sampling_steps: steps from noise to a sample, unless `sample` is told otherwise.
        guidance: w, likewise.

    `fit(x, labels)`. A call maps the denoiser's inputs to its output. `generator` maps
    noise (B, `latent_dim`), and labels, to samples, and is what `export` writes.
    Raises: ValueError for a denoiser that does not fit, or an argument out of range.
    Keras has no such model.

    >>> keras.utils.set_random_seed(0)
    >>> noisy, t = keras.Input((1,)), keras.Input((), dtype="int32")
    >>> when = keras.layers.Embedding(20, 16)(t)
    >>> y = keras.layers.Dense(64, "relu")(keras.layers.Concatenate()([noisy, when]))
    >>> denoiser = keras.Model([noisy, t], keras.layers.Dense(1)(y))
    >>> model = DiffusionModel(denoiser, timesteps=19)
    >>> model.compile(keras.optimizers.Adam(0.01))
    >>> x = np.repeat([[-1.0], [1.0]], 512, axis=0)
    >>> _ = model.fit(x, epochs=30, verbose=0)
    >>> bool(np.mean(np.abs(np.abs(model.sample(100, seed=1)) - 1) < 0.3) > 0.8)
    True

    Papers: Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", 2020,
    https://arxiv.org/abs/2006.11239; DDIM: Song, Meng, Ermon, 2020,
    https://arxiv.org/abs/2010.02502; velocity: Salimans, Ho, 2022,
    https://arxiv.org/abs/2202.00512; guidance: Ho, Salimans, 2022,
    https://arxiv.org/abs/2207.12598
    """

    def __init__(
        self,
        denoiser: keras.Model,
        classes: int | None = None,
        timesteps: int = 1000,
        schedule: str = "cosine",
        prediction: str = "velocity",
        unlabelled: float = 0.1,
        value_range: Sequence[float] | None = None,
        sampling_steps: int = 50,
        guidance: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _refuse_misfits(denoiser, classes)
        self.denoiser = denoiser
        self.classes = classes and positive_integer(classes, "classes")
        self.unlabelled = _share(unlabelled, "unlabelled")
        self.sampling_steps = positive_integer(sampling_steps, "sampling_steps")
        self.guidance = number_from_zero(guidance, "guidance")
        self.process = _Process(timesteps, schedule, prediction, value_range)
        self.conditional = len(denoiser.inputs) == 3
        self.sample_shape = tuple(denoiser.inputs[0].shape[1:])
        self.latent_dim = math.prod(self.sample_shape)
        self.seed = keras.random.SeedGenerator()
        self.built = True

    def call(self, inputs, training: bool = False):
        return ops.cast(self.denoiser(inputs, training=training), "float32")

    def train_step(self, *args: Any) -> Any:
        return self._on_noisy(super().train_step, True, *args)

    def test_step(self, *args: Any) -> Any:
        return self._on_noisy(super().test_step, False, *args)

    def _on_noisy(self, step: Callable, training: bool, *args: Any) -> Any:
        """Runs a step of Keras on samples with noise.

        JAX passes all state as values before the data, and drawing noise changes that
        of the seed, which is not trainable.
        """
        *state, data = args
        if not state:
            return step(self._noisy(data, training))
        ((trainable, held, *rest),) = state
        variables = self.non_trainable_variables
        with keras.StatelessScope(state_mapping=[*zip(variables, held)]) as scope:
            data = self._noisy(data, training)
        held = [scope.get_current_value(variable) for variable in variables]
        return step((trainable, held, *rest), data)

    def _noisy(self, data, training: bool):
        """(inputs of the denoiser, what it is to return, weights of the samples)."""
        x, labels, weight = keras.utils.unpack_x_y_sample_weight(data)
        x = ops.cast(x, "float32")
        t = self._drawn_timesteps(ops.shape(x)[0])
        e = keras.random.normal(ops.shape(x), seed=self.seed)
        inputs = [self.process.noisy(x, e, t), t]
        if self.conditional:
            if labels is None:
                raise ValueError(
                    "A DiffusionModel of classes learns samples with their labels, but "
                    "got no labels: pass both, as in fit(x, labels)."
                )
            inputs.append(self._hidden(labels) if training else _ids(labels))
        target = self.process.target(x, e, t)
        return (inputs, target) if weight is None else (inputs, target, weight)

    def _drawn_timesteps(self, count):
        """A timestep for each of `count` samples, spread evenly over all of them.

        Each is uniform by itself, but their mean varies less than that of single draws.
        """
        start = keras.random.uniform((), seed=self.seed)
        places = ops.arange(count, dtype="float32") / ops.cast(count, "float32")
        share = (places + start) % 1
        t = 1 + ops.cast(share * self.process.timesteps, "int32")
        return ops.minimum(t, self.process.timesteps)  # a share may be rounded up to 1

    def _hidden(self, labels):
        """Labels, of which a share becomes "no label"."""
        labels = _ids(labels)
        chance = keras.random.uniform(ops.shape(labels), seed=self.seed)
        return ops.where(chance < self.unlabelled, self.classes, labels)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        axes = tuple(range(1, len(self.sample_shape) + 1))
        loss = ops.mean(ops.square(y_pred - y), axis=axes)
        if sample_weight is not None:
            loss = loss * ops.cast(sample_weight, loss.dtype)
        penalties = [ops.sum(penalty) for penalty in self.losses]
        return ops.mean(loss) + sum(penalties)

    def sample(
        self,
        count: int,
        labels: Any = None,
        seed: Seed = None,
        steps: int | None = None,
        guidance: float | None = None,
        eta: float = 0.0,
    ) -> np.ndarray:
        """`count` samples as an array; the same seed gives the same ones.

        labels: the class of each sample, for a model that learned classes.
        steps, guidance: those of the model, unless they are given.
        eta: how random the steps are, 0 (DDIM) to 1 (DDPM).
        """
        if self.conditional and (labels is None or len(labels) != count):
            raise ValueError(
                f"`labels` must hold a class for each of {count} samples. Received: "
                f"labels={labels}"
            )
        seed = _generator(seed)
        noise = keras.random.normal((count, *self.sample_shape), seed=seed)
        parts = [np.zeros((0, *self.sample_shape), "float32")]
        for start in range(0, count, AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            asked = labels[rows] if self.conditional else None
            way = self.path(noise[rows], asked, seed, steps, guidance, eta)
            parts.append(way[-1])
        return np.concatenate(parts)

    def path(
        self,
        noise: Any,
        labels: Any = None,
        seed: Seed = None,
        steps: int | None = None,
        guidance: float | None = None,
        eta: float = 0.0,
    ) -> list[np.ndarray]:
        """The way from noise to samples: what there is before and after each step."""
        w = self.guidance
        if guidance is not None:
            w = number_from_zero(guidance, "guidance")
        eta = _share(eta, "eta")
        seed = _generator(seed)
        x = ops.convert_to_tensor(noise)
        found = [ops.convert_to_numpy(x)]

        def denoise(parts):
            return ops.convert_to_tensor(self.denoiser.predict_on_batch(parts))

        for t, s in self.process.pairs(steps or self.sampling_steps):
            predicted = _guided(denoise, x, t, labels, w, self.classes)
            z = keras.random.normal(ops.shape(x), seed=seed) if eta else 0.0
            x = self.process.step(x, predicted, t, s, eta, z)
            found.append(ops.convert_to_numpy(x))
        return found

    @property
    def generator(self) -> keras.Model:
        """The model of DDIM: noise (B, `latent_dim`), and labels, become samples."""
        inputs = keras.Input((self.latent_dim,), dtype="float32")
        if self.conditional:
            inputs = [inputs, keras.Input((), dtype="int32")]
        sampling = _Sampling(
            self.denoiser,
            self.classes,
            self.sampling_steps,
            self.guidance,
            **self.process.options,
        )
        return keras.Model(inputs, sampling(inputs))

    def export(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Exports the generator: noise, and labels, become samples."""
        self.generator.export(filepath, *args, **kwargs)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "denoiser": keras.saving.serialize_keras_object(self.denoiser),
            "classes": self.classes,
            **self.process.options,
            "unlabelled": self.unlabelled,
            "sampling_steps": self.sampling_steps,
            "guidance": self.guidance,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "DiffusionModel":
        read = keras.saving.deserialize_keras_object
        denoiser = read(config["denoiser"], custom_objects)
        return cls(**{**config, "denoiser": denoiser})


def _generator(seed: Seed) -> keras.random.SeedGenerator:
    """`seed` as a generator, which gives other numbers at each call."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    return keras.random.SeedGenerator(seed)


def _share(value: Any, name: str) -> float:
    """`value` as a number from 0 to 1; raises ValueError for anything else."""
    share = number_from_zero(value, name)
    if share > 1:
        raise ValueError(
            f"The `{name}` argument must be a number from 0 to 1. "
            f"Received: {name}={value}"
        )
    return share


def _refuse_misfits(denoiser, classes) -> None:
    inputs = getattr(denoiser, "inputs", None) or []
    if len(inputs) not in (2, 3):
        raise ValueError(
            "The denoiser must be a functional model of [samples, timesteps] or of "
            f"[samples, timesteps, labels]. Received: {type(denoiser).__name__} with "
            f"{len(inputs)} inputs"
        )
    if (len(inputs) == 3) != bool(classes):
        raise ValueError(
            "`classes` must be the number of classes for a denoiser that takes labels, "
            f"and None for another one. Received: classes={classes} and a denoiser "
            f"with {len(inputs)} inputs"
        )
    expected = tuple(inputs[0].shape[1:])
    received = tuple(denoiser.output_shape[1:])
    if received != expected:
        raise ValueError(
            f"The denoiser must return the shape of samples, {expected}. Received a "
            f"denoiser of output shape {received}"
        )
