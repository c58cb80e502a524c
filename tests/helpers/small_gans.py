"""Small GANs for tests: networks of a few units, of points in the plane."""

import keras
from keras import ops

from custom_layers.models import AdversarialModel, NonSaturatingGAN


def networks(conditional=False, pack=1, size=2):
    """A generator and a critic with layers that have state."""
    z, y = keras.Input((3,)), keras.Input((), dtype="int32")
    x, label = keras.Input((size * pack,)), keras.Input((), dtype="int32")
    h, k = z, x
    if conditional:
        h = keras.layers.Concatenate()([z, keras.layers.Embedding(4, 2)(y)])
        k = keras.layers.Concatenate()([x, keras.layers.Embedding(4, 2)(label)])
    h = keras.layers.Dense(8)(h)
    h = keras.layers.ReLU()(keras.layers.BatchNormalization()(h))
    k = keras.layers.LeakyReLU()(keras.layers.Dense(8)(k))
    k = keras.layers.Dropout(0.3)(k)
    made, score = keras.layers.Dense(size)(h), keras.layers.Dense(1)(k)
    return (
        keras.Model([z, y] if conditional else z, made),
        keras.Model([x, label] if conditional else x, score),
    )


def model(
    loss=None,
    rate=0.01,
    conditional=False,
    pack=1,
    jit_compile="auto",
    run_eagerly=False,
    **options,
):
    keras.utils.set_random_seed(0)
    loss = loss or NonSaturatingGAN()
    parts = networks(conditional, pack)
    gan = AdversarialModel(*parts, loss, pack=pack, **options)
    adams = (keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2))
    gan.compile(*adams, jit_compile=jit_compile, run_eagerly=run_eagerly)
    return gan


def numbers(variables):
    return [ops.convert_to_numpy(v) for v in variables]
