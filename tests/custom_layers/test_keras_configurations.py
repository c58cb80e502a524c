"""A configuration that Keras wrote builds our component of the same name.

That is how people put our layers into a model of theirs: clone_model with a
clone_function, or load_model with custom_objects.
"""

import json

import keras
import pytest

import custom_layers.layers
import examples
from custom_layers.layers import Conv2D, Dense, EinsumDense, Embedding
from making import CLASSES
from oracle import array, assert_close

OPTIONS = {  # what the base class of all optimizers takes
    "clipnorm": 1.0,
    "use_ema": True,
    "ema_overwrite_frequency": 5,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
    "name": "given",
}
# What Keras has no constructor argument for, or ours alone has.
WITHOUT_TRAINABLE = {"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"}
WITHOUT_DECAY = {"AdamW"}  # its row has one


def pairs(namespace, table):
    """The names of our classes of the table that Keras has as well.

    Keras's MultiOptimizer does not take the pairs of its row: test_multi_optimizer.py.
    """
    names = [name for name in table if name != "MultiOptimizer"]
    return [name for name in names if hasattr(namespace, name)]


def written_by_keras(namespace, table, name, more):
    """The configuration of Keras's class of that name, made from our example."""
    row = table[name]
    arguments = row[0] if isinstance(row, tuple) else row
    arguments = arguments() if callable(arguments) else arguments
    return getattr(namespace, name)(**{**arguments, **more}).get_config()


def assert_kept(config, theirs):
    """Every key of Keras has the same value in ours, or stands for what we lack."""
    config, theirs = (json.loads(json.dumps(c)) for c in (config, theirs))
    for key, value in theirs.items():
        if key == "dtype":  # of SpatialDropout, Keras keeps the name alone
            assert keras.dtype_policies.get(config[key]).variable_dtype == "float32"
        elif key in config:
            assert config[key] == value, key
        else:
            assert value is None, f"{key} is not in our configuration"


@pytest.mark.one_backend
@pytest.mark.parametrize("name", pairs(keras.layers, examples.LAYERS))
def test_layers(name):
    more = {"name": "given", "dtype": "mixed_bfloat16"}
    if name not in WITHOUT_TRAINABLE:
        more["trainable"] = False
    theirs = written_by_keras(keras.layers, examples.LAYERS, name, more)
    before = dict(theirs)
    ours = CLASSES[name].from_config(theirs)
    assert theirs == before or name in ("SpectralNormalization", "Bidirectional")
    assert_kept(ours.get_config(), before)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", pairs(keras.optimizers, examples.OPTIMIZERS))
def test_optimizers(name):
    decay = {} if name in WITHOUT_DECAY else {"weight_decay": 0.01}
    theirs = written_by_keras(
        keras.optimizers, examples.OPTIMIZERS, name, OPTIONS | decay
    )
    assert_kept(CLASSES[name].from_config(dict(theirs)).get_config(), theirs)


@pytest.mark.one_backend
def test_the_pairs_are_all_that_we_share_with_keras():
    assert len(pairs(keras.layers, examples.LAYERS)) >= 55
    assert len(pairs(keras.optimizers, examples.OPTIMIZERS)) >= 13


def ours_instead(layer):
    """Our layer of the same name and configuration, for clone_model."""
    cls = getattr(custom_layers.layers, type(layer).__name__, type(layer))
    return cls.from_config(layer.get_config())


def small_network():
    x = inputs = keras.Input((4,), dtype="int32")
    x = keras.layers.Embedding(7, 6)(x)
    x = keras.layers.EinsumDense("btd,dk->btk", (None, 5), bias_axes="k")(x)
    x = keras.layers.LSTM(3)(x)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))


def mobilenet():
    return keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=7)


@pytest.mark.parametrize(
    ("make", "x", "least"),
    [
        (small_network, array(3, 4, low=0, high=7, dtype="int32"), 4),
        pytest.param(
            mobilenet, array(2, 32, 32, 3), 140, marks=pytest.mark.slow, id="mobilenet"
        ),
    ],
)
def test_a_whole_model_is_cloned_into_our_layers_and_predicts_the_same(make, x, least):
    model = make()
    for weight in model.weights:
        if "moving" in weight.path:
            weight.assign(0.5 + abs(array(*weight.shape, seed=5)))
    clone = keras.models.clone_model(model, clone_function=ours_instead)
    ours = [a for a in clone.layers if type(a).__module__.startswith("custom_layers")]
    assert len(ours) >= least
    left = {type(layer).__name__ for layer in clone.layers if layer not in ours}
    assert left <= {"InputLayer", "ZeroPadding2D", "Add", "NotEqual"}
    clone.set_weights(model.get_weights())
    assert_close(clone(x), model(x), rtol=1e-4)


def test_a_file_of_keras_loads_with_our_classes(tmp_path):
    model, path = small_network(), str(tmp_path / "model.keras")
    model.save(path)
    layers = ("Embedding", "EinsumDense", "LSTM", "Dense")
    ours = {name: getattr(custom_layers.layers, name) for name in layers}
    loaded = keras.models.load_model(path, custom_objects=ours)
    x = array(3, 4, low=0, high=7, dtype="int32")
    assert_close(loaded(x), model(x))


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (Dense, {"units": 2}),
        (EinsumDense, {"equation": "ab,bc->ac", "output_shape": 2}),
        (Embedding, {"input_dim": 3, "output_dim": 2}),
        (Conv2D, {"filters": 2, "kernel_size": 1}),
    ],
)
@pytest.mark.parametrize(
    "quantization",
    [
        {"quantization_config": {"class_name": "Int8QuantizationConfig"}},
        {"dtype": "int8_from_float32"},
    ],
)
def test_quantization_is_refused_in_words(cls, arguments, quantization):
    config = {**cls(**arguments).get_config(), **quantization}
    with pytest.raises(ValueError, match=f"{cls.__name__} has no quantization"):
        cls(**{**arguments, **quantization})
    with pytest.raises((ValueError, TypeError), match="has no quantization"):
        cls.from_config(config)


@pytest.mark.one_backend
def test_a_convolution_has_no_lora():
    with pytest.raises(ValueError, match="Conv2D has no LoRA"):
        Conv2D(2, 1, lora_rank=2, lora_alpha=4)


def test_a_quantized_layer_of_keras_is_refused_with_its_own_configuration():
    theirs = keras.layers.Dense(2)
    theirs.build((None, 8))
    theirs.quantize("int8")
    with pytest.raises((ValueError, TypeError), match="has no quantization"):
        Dense.from_config(theirs.get_config())
