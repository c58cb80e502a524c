"""Augmentation: the layers that vary images in training, and a network without them."""

import inspect
from typing import Any

import keras

from custom_layers.common.private_keras import all_layers
from custom_layers.layers import RandomAffine


def is_augmentation(layer: Any) -> bool:
    """Whether the layer varies images at random, so that they teach more.

    Keras's RandomTranslation and its relatives do so in every call that lacks the
    argument `training`. Dropout acts only in a call with `training=True`, as our own
    RandomAffine does, and those layers of ours that say of themselves that they vary
    images. They belong to training alone like Keras's layers.
    """
    if isinstance(layer, RandomAffine) or getattr(layer, "varies_images", False):
        return True
    training = inspect.signature(layer.call).parameters.get("training")
    acts_by_itself = training is not None and training.default is True
    is_random = any(
        isinstance(value, keras.random.SeedGenerator) for value in vars(layer).values()
    )
    return acts_by_itself and is_random


def augmentation_in(model: keras.Model) -> list:
    """The augmenting layers of a model and of the models inside it."""
    return [layer for layer in all_layers(model) if is_augmentation(layer)]


def without_augmentation(model: keras.Model) -> keras.Model:
    """The network that is saved and used: a copy of `model` that varies nothing.

    Augmentation belongs to training. Inside a model it would also act in `model(x)`
    and in whatever `model.export` writes, since neither says `training=False`. The copy
    has the weights, the names and the optimizer's state of `model`. A model without
    augmentation, and one that is neither sequential nor functional, is returned as it
    is.
    """
    if not augmentation_in(model):
        return model
    copy = _copy(model)
    if copy is model:
        return model
    trained = {layer.name: layer for layer in [*all_layers(model), *model.layers]}
    for layer in copy.layers:
        layer.set_weights(trained[layer.name].get_weights())
    if model.compiled and not copy.compiled:
        copy.compile_from_config(model.get_compile_config())
    if model.compiled and model.optimizer.built:
        for new, old in zip(copy.optimizer.variables, model.optimizer.variables):
            new.assign(old)
    return copy


def _copy(layer: Any) -> Any:
    """A new layer or model with the same configuration, without augmentation."""
    if isinstance(layer, keras.Sequential) and layer.built:
        kept = [_copy(part) for each in layer.layers for part in _kept(each)]
        layers = [*_new_inputs(layer), *kept]
        return keras.Sequential(layers, trainable=layer.trainable, name=layer.name)
    if isinstance(layer, keras.Model) and hasattr(layer, "operations"):
        inputs = keras.tree.pack_sequence_as(layer.input, _new_inputs(layer))
        return keras.models.clone_model(layer, inputs, _copy, _call_kept)
    if isinstance(layer, keras.Model):
        return layer
    return type(layer).from_config(layer.get_config())


def _new_inputs(model: keras.Model) -> list:
    """Inputs with the names, shapes and types of the model's own."""
    names = {
        id(layer.output): layer.name
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.InputLayer)
    }
    return [
        keras.Input(batch_shape=x.shape, dtype=x.dtype, name=names[id(x)])
        for x in model.inputs
    ]


def _kept(layer: Any) -> list:
    """What stays of a layer: itself, nothing, or the rest of a pipeline."""
    if isinstance(layer, keras.layers.Pipeline):
        return [part for each in layer.layers for part in _kept(each)]
    return [] if is_augmentation(layer) else [layer]


def _call_kept(layer: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    """Calls what stays of a layer; without anything it returns the input."""
    kept = _kept(layer)
    if kept == [layer]:
        return layer(x, *arguments, **options)
    for part in kept:
        x = part(x)
    return x
