"""Saved models hold no augmentation: they answer alike however they are called."""

import keras
import numpy as np
import pytest

from cookbook.data.augmentation import is_augmentation, without_augmentation
from custom_layers.common.private_keras import all_layers
from custom_layers.layers import (
    AlphaDropout,
    Conv2D,
    Dense,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    RandomAffine,
    RandomErasing,
    SpatialDropout2D,
    StochasticDepth,
)
from custom_layers.optimizers import Adam
from oracle import array

L = keras.layers
RANDOM = [
    name
    for name in dir(L)
    if name.startswith("Random") or name in ("AugMix", "CutMix", "MixUp", "RandAugment")
]
ARGUMENTS = {
    "RandomCrop": {"height": 4, "width": 4},
    "RandomElasticTransform": {"factor": 0.5},
    "RandomPosterization": {"factor": 4},
    "RandomShear": {"x_factor": 0.5},
    "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.5},
    "RandomZoom": {"height_factor": 0.5},
}
WITHOUT = (
    "AugMix",
    "CutMix",
    "MixUp",
    "RandAugment",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomPerspective",
)


def augmenting(name):
    """A layer of Keras of that name, with arguments under which it changes images."""
    arguments = ARGUMENTS.get(name)
    if arguments is None:
        arguments = {} if name in WITHOUT else {"factor": 0.5}
    return getattr(L, name)(**arguments)


def pixels(count=4):
    return array(count, 6, 6, 3, low=0, high=255)


@pytest.mark.parametrize("name", RANDOM)
def test_every_random_preprocessing_layer_of_keras_is_known(name):
    assert is_augmentation(augmenting(name))


@pytest.mark.parametrize(
    "layer",
    [
        L.CenterCrop(4, 4),
        L.Resizing(4, 4),
        L.AutoContrast(),
        L.Rescaling(2.0),
        L.Dropout(0.5),
        L.GaussianNoise(0.5),
        Dropout(0.5),
        AlphaDropout(0.5),
        GaussianDropout(0.5),
        GaussianNoise(0.5),
        SpatialDropout2D(0.5),
        StochasticDepth(0.5),
    ],
    ids=lambda layer: f"{type(layer).__module__.split('.')[0]}.{type(layer).__name__}",
)
def test_layers_that_act_in_training_only_stay(layer):
    assert not is_augmentation(layer)
    inputs = [pixels(), pixels()] if isinstance(layer, StochasticDepth) else pixels()
    first, second = layer(inputs), layer(inputs)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, layer(inputs, training=False))


def sequential():
    return keras.Sequential(
        [
            keras.Input((6, 6, 3), name="pixels"),
            L.Rescaling(1 / 255),
            L.RandomTranslation(0.5, 0.5),
            Conv2D(2, 3),
            Dropout(0.2),
            L.Flatten(),
            Dense(2),
        ]
    )


def functional():
    images = keras.Input((6, 6, 3))
    turned = L.RandomFlip()(L.RandomRotation(0.5)(images))
    x = L.Flatten()(Conv2D(2, 3)(turned))
    both = L.Concatenate()([x, L.Flatten()(images)])
    return keras.Model(images, Dense(2)(both))


def nested():
    inner = keras.Sequential([keras.Input((6, 6, 3)), L.RandomFlip(), Conv2D(2, 3)])
    images = keras.Input((6, 6, 3))
    x = Dense(2)(L.Flatten()(inner(images)))
    return keras.Model(images, x)


def with_pipeline():
    vary = L.Pipeline([L.Rescaling(1 / 255), L.RandomFlip()])
    layers = [keras.Input((6, 6, 3)), vary, L.Flatten(), Dense(2)]
    return keras.Sequential(layers)


def with_our_own():
    vary = [
        RandomAffine(0.5, 0.5),
        RandomErasing((1, 1)),
        RandomAffine(flip="horizontal"),
    ]
    return keras.Sequential([keras.Input((6, 6, 3)), *vary, L.Flatten(), Dense(2)])


NETWORKS = [sequential, functional, nested, with_pipeline, with_our_own]


@pytest.mark.parametrize("make", NETWORKS)
def test_the_copy_answers_as_the_network_predicts(make):
    model = make()
    before = model.get_weights()
    copy = without_augmentation(model)
    assert not any(is_augmentation(layer) for layer in all_layers(copy))
    expected = model.predict(pixels(), verbose=0)
    np.testing.assert_allclose(copy(pixels()), expected, rtol=1e-4, atol=1e-4)
    for new, old, kept in zip(copy.get_weights(), before, model.get_weights()):
        np.testing.assert_array_equal(new, old)
        np.testing.assert_array_equal(kept, old)
    assert copy.name == model.name
    first, expected = copy.get_config()["layers"][0], model.get_config()["layers"][0]
    assert first["config"] == expected["config"]


@pytest.mark.parametrize("make", [sequential, functional])
def test_the_copy_goes_on_training_where_the_network_stopped(make):
    model = make()
    model.layers[-1].trainable = False
    model.compile(Adam(0.01), "mse", metrics=["mae"])
    model.fit(pixels(), np.ones((4, 2)), epochs=2, verbose=0)
    copy = without_augmentation(model)
    assert int(copy.optimizer.iterations) == 2
    for new, old in zip(copy.optimizer.variables, model.optimizer.variables):
        np.testing.assert_array_equal(new, old)
    assert [v.name for v in copy.trainable_variables] == [
        v.name for v in model.trainable_variables
    ]
    losses = copy.evaluate(pixels(), np.ones((4, 2)), verbose=0, return_dict=True)
    expected = model.evaluate(pixels(), np.ones((4, 2)), verbose=0, return_dict=True)
    assert losses == pytest.approx(expected, rel=1e-4)


def test_a_network_without_augmentation_is_itself():
    model = keras.Sequential([keras.Input((3,)), Dropout(0.5), Dense(2)])
    assert without_augmentation(model) is model
