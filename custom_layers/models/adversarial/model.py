"""Adversarial training: a generator against a critic; the kinds of GAN are its losses.

A critic scores how real a sample looks, in logits or any other unbounded number; a
generator turns random latent vectors into samples that shall score high.
"""

import keras
from keras import ops

from ...common.private_keras import all_layers


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdversarialModel(keras.Model):
    """A generator and a critic that are trained against each other.

    A step deals its batch out to `critic_steps` steps of the critic, then trains the
    generator once. What `fit` calls critic_loss is without the penalty.

    Args:
        generator: functional model, latent vectors -> samples; with labels as second
            input it is conditional, and so must the critic be.
        critic: functional model, samples (and labels) -> scores.
        loss: the kind of GAN, such as `NonSaturatingGAN`.
        penalty: a `GradientPenalty`, or None.
        critic_steps: steps of the critic for one of the generator.
        pack: samples that the critic sees at once, side by side on the last axis, so
            that it notices when they are all alike (PacGAN).

    Shapes: x of `fit` as the generator's output, y the labels; a call maps latent
        vectors, or [latent vectors, labels], to samples.
    Raises: ValueError where generator and critic do not fit together; for labels with
        packing; for batch normalization in a critic, whose scores would then depend on
        each other, with a penalty of each.

    `scores`, a list of metrics, may be set before `fit`: each is updated in
    validation as metric.update_state(real, generated). They are not saved.

    >>> from custom_layers.models.adversarial.losses import HingeGAN
    >>> generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model = AdversarialModel(generator, critic, HingeGAN())
    >>> model.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    >>> sorted(model.fit(keras.ops.ones((8, 2)), verbose=0).history)
    ['critic_loss', 'generator_loss']
    >>> model.sample(5).shape
    (5, 2)

    Papers: Goodfellow et al., "Generative adversarial nets", 2014,
    https://arxiv.org/abs/1406.2661; Lin et al., "PacGAN: the power of two samples in
    generative adversarial networks", 2018. https://arxiv.org/abs/1712.04086
    """

    def __init__(
        self, generator, critic, loss, penalty=None, critic_steps=1, pack=1, **kwargs
    ):
        super().__init__(**kwargs)
        _refuse_misfits(generator, critic, penalty, critic_steps, pack)
        self.generator = generator
        self.critic = critic
        self.adversarial_loss = loss
        self.penalty = penalty
        self.critic_steps = critic_steps
        self.pack = pack
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.scores = []
        self.seed = keras.random.SeedGenerator()
        self.critic_loss = keras.metrics.Mean("critic_loss")
        self.generator_loss = keras.metrics.Mean("generator_loss")
        self.built = True

    def call(self, inputs, training=False):
        return self.generator(inputs, training=training)

    def sample(self, count, labels=None, seed=None):
        """`count` samples as an array; the same seed draws the same latent vectors."""
        z = keras.random.normal((count, self.latent_dim), seed=seed)
        inputs = [z, ops.convert_to_tensor(labels)] if self.conditional else z
        return self.generator.predict(inputs, batch_size=500, verbose=0)

    def compile(self, generator_optimizer, critic_optimizer, **kwargs):
        """kwargs: run_eagerly, steps_per_execution, jit_compile, as in Keras."""
        super().compile(_Pair(generator_optimizer, critic_optimizer), **kwargs)
        generator_optimizer.build(self.generator.trainable_variables)
        critic_optimizer.build(self.critic.trainable_variables)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        names = ("run_eagerly", "steps_per_execution", "jit_compile")
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.optimizer.generator),
            "critic_optimizer": serialize(self.optimizer.critic),
            **{name: getattr(self, name) for name in names},
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def optimizers(self):
        """Both optimizers: what a resumed run must restore beside the weights."""
        return [self.optimizer.generator, self.optimizer.critic]

    @property
    def metrics(self):
        """All but Keras's `loss`: there are two, and no sum of them means anything."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def train_step(self, *args):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return _run(self._train, groups, *args)

    def test_step(self, *args):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        return _run(self._test, groups, *args)

    def _train(self, data):
        x, labels = _tensors(data)
        for i in range(self.critic_steps):
            real = x[i :: self.critic_steps]
            y = labels[i :: self.critic_steps] if self.conditional else None
            self._minimize(
                lambda real=real, y=y: self._critic_losses(real, y),
                self.critic.trainable_variables,
                self.optimizer.critic,
                self.critic_loss,
            )
        self._minimize(
            lambda: self._generator_losses(ops.shape(real)[0], y),
            self.generator.trainable_variables,
            self.optimizer.generator,
            self.generator_loss,
        )
        trackers = self.critic_loss, self.generator_loss
        return {tracker.name: tracker.result() for tracker in trackers}

    def _test(self, data):
        x, y = _tensors(data)
        generated = self._generate(ops.shape(x)[0], y, training=False)
        scores = [self._score(part, y, training=False) for part in (x, generated)]
        self.critic_loss.update_state(self._tell_apart(*scores))
        self.generator_loss.update_state(self.adversarial_loss.generator(scores[1]))
        for metric in self.scores:
            metric.update_state(x, generated)
        return self.get_metrics_result()

    def _minimize(self, losses, variables, optimizer, tracker):
        """A step down the sum of losses(); the tracker sees the first of them."""
        first, gradients = _gradients(losses, variables, self)
        optimizer.apply(gradients, variables)
        tracker.update_state(first)

    def _critic_losses(self, real, y):
        """(the loss, the penalty)"""
        real = ops.cast(real, self.compute_dtype)
        generated = ops.stop_gradient(self._generate(ops.shape(real)[0], y))
        loss = self._tell_apart(self._score(real, y), self._score(generated, y))
        if self.penalty is None:
            return loss, ops.zeros_like(loss)
        real, generated = self._packed(real), self._packed(generated)
        critic = self._critic_of(y)
        return loss, self.penalty(critic, real, generated, self.seed)

    def _generator_losses(self, count, y):
        loss = self.adversarial_loss.generator(self._score(self._generate(count, y), y))
        return loss, ops.zeros_like(loss)

    def _tell_apart(self, real, generated):
        loss = self.adversarial_loss
        ones, zeros = ops.ones_like(real), ops.zeros_like(generated)
        return loss(ones, real) + loss(zeros, generated)

    def _generate(self, count, y, training=True):
        z = keras.random.normal((count, self.latent_dim), seed=self.seed)
        return self.generator([z, y] if self.conditional else z, training=training)

    def _critic_of(self, y, training=True):
        """The critic as a function of packed samples alone."""
        if self.conditional:
            return lambda x: self.critic([x, y], training=training)
        return lambda x: self.critic(x, training=training)

    def _score(self, x, y, training=True):
        return self._critic_of(y, training)(self._packed(x))

    def _packed(self, x):
        """(B, ..., C) -> (B / pack, ..., pack * C); what fills no pack is left out."""
        whole = ops.shape(x)[0] // self.pack * self.pack
        parts = [x[i : whole : self.pack] for i in range(self.pack)]
        return ops.concatenate(parts, axis=-1) if self.pack > 1 else x

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "generator": serialize(self.generator),
            "critic": serialize(self.critic),
            "loss": serialize(self.adversarial_loss),
            "penalty": serialize(self.penalty),
            "critic_steps": self.critic_steps,
            "pack": self.pack,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = ("generator", "critic", "loss", "penalty")
        read = keras.saving.deserialize_keras_object
        objects = {name: read(config[name], custom_objects) for name in parts}
        return cls(**{**config, **objects})


class _Pair(keras.optimizers.Optimizer):
    """Two optimizers as the one that Keras knows of; each keeps and saves its own."""

    def __init__(self, generator, critic):
        super().__init__(learning_rate=0.0)
        self.generator = generator
        self.critic = critic
        self.built = True

    @property
    def variables(self):
        return [*self.generator.variables, *self.critic.variables]

    def build(self, variables):
        """The model has built both."""

    def save_own_variables(self, store):
        """Both save theirs."""

    def load_own_variables(self, store):
        """Both load theirs."""


def _refuse_misfits(generator, critic, penalty, critic_steps, pack):
    if min(critic_steps, pack) < 1:
        raise ValueError(
            "`critic_steps` and `pack` must be at least 1. "
            f"Received: critic_steps={critic_steps}, pack={pack}"
        )
    inputs = len(generator.inputs), len(critic.inputs)
    if inputs not in ((1, 1), (2, 2)) or (inputs == (2, 2) and pack > 1):
        raise ValueError(
            "generator and critic must have 1 input each, or 2, the second for labels, "
            f"and then pack=1. Received: {inputs[0]} and {inputs[1]}, pack={pack}"
        )
    *places, channels = generator.output_shape[1:]
    wanted = (*places, channels * pack)
    if tuple(critic.inputs[0].shape[1:]) != wanted:
        raise ValueError(
            f"The critic must take what the generator makes, {pack} at once: samples "
            f"of shape {wanted}. Received: {tuple(critic.inputs[0].shape[1:])}"
        )
    kinds = {type(layer).__name__ for layer in all_layers(critic)}
    if penalty is not None and "BatchNormalization" in kinds:
        raise ValueError(
            "A critic with a gradient penalty must score each sample by itself. "
            "Received one with BatchNormalization: take LayerNormalization"
        )


def _tensors(data):
    """(x, labels or None) of a batch; outside of a graph JAX hands NumPy arrays on."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    return ops.convert_to_tensor(x), None if y is None else ops.convert_to_tensor(y)


def _run(step, groups, *args):
    """step(data) as the backend wants it: JAX hands all state over and takes it back.

    groups: the variables, in the order and grouping of the state.
    """
    if keras.backend.backend() != "jax":
        return step(*args)
    state, data = args
    pairs = [p for vs, values in zip(groups, state) for p in zip(vs, values)]
    with keras.StatelessScope(state_mapping=pairs) as scope:
        logs = step(data)
    return logs, tuple([scope.get_current_value(v) for v in vs] for vs in groups)


def _gradients(losses, variables, model):
    """(the first of losses(), the gradient of their sum to each of `variables`)."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        now = [(v, v.value) for v in model.variables]
        state = model.non_trainable_variables

        def pure(values):
            pairs = [*now, *zip(variables, values)]
            with keras.StatelessScope(state_mapping=pairs) as scope:
                first, second = losses()
            return first + second, (first, [scope.get_current_value(v) for v in state])

        values = [v.value for v in variables]
        gradients, (first, after) = jax.grad(pure, has_aux=True)(values)
        for variable, value in zip(state, after):
            variable.assign(value)
        return first, gradients
    values = [v.value for v in variables]
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            first, second = losses()
            total = first + second
        return first, tape.gradient(total, values)
    import torch

    first, second = losses()
    return first.detach(), torch.autograd.grad(first + second, values)
