"""The network of a plain script that judges generated images."""

from types import SimpleNamespace

import keras
from keras import Model
from keras.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    RandomRotation,
    RandomTranslation,
    ReLU,
)
from keras.losses import SparseCategoricalCrossentropy
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay


def classifier_of(data: SimpleNamespace, epochs: int) -> keras.Sequential:
    """A convolutional network that learns the images, shifted and turned a little."""
    x, y = data.train
    size = len(x)
    batch_size = min(128, size // 20)
    steps = epochs * (size // batch_size)

    model = keras.Sequential([keras.Input(data.shape)])
    model.add(RandomTranslation(0.07, 0.07, "nearest"))
    model.add(RandomRotation(0.03, "nearest"))

    for filters, pool in ((16, 2), (32, 1), (48, 2), (96, 1)):
        model.add(Conv2D(filters, 3, use_bias=False))
        model.add(MaxPooling2D(pool))
        model.add(BatchNormalization(momentum=0.9))
        model.add(ReLU())

    model.add(GlobalAveragePooling2D())
    model.add(Dense(len(data.classes)))

    rate = CosineDecay(1e-2, steps)
    loss = SparseCategoricalCrossentropy(from_logits=True)

    model.compile(Adam(rate), loss)
    model.fit(x, y, batch_size, epochs, verbose=2)

    return model


def judged(data: SimpleNamespace) -> SimpleNamespace:
    """The images with pixels from -1 to 1, and a network of features."""
    for part in ("train", "test"):
        x, y = getattr(data, part)
        x = x.astype("float32")
        setattr(data, part, (x / 127.5 - 1, y))

    keras.utils.set_random_seed(0)
    judge = classifier_of(data, epochs=4)
    features = judge.layers[-2].output
    outputs = [features, *judge.outputs]
    data.judge = Model(judge.inputs, outputs)

    return data
