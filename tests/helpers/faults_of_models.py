"""Faults of Keras in what adapts or trains a whole model, measured here.

That is LoRA, an optimizer of several, and callbacks.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from known_faults import fault
from oracle import array

NAN = float("nan")


@fault("Dense, EinsumDense, Embedding", "", [True] * 3, "both matrices are 0")
def lora_trains_after_loading(lib):
    """A layer with LoRA that is loaded from a file cannot train any more."""
    layers_and_inputs = (
        (lib.layers.Dense(3, lora_rank=1), array(2, 4)),
        (lib.layers.EinsumDense("ab,bc->ac", 3, lora_rank=1), array(2, 4)),
        (lib.layers.Embedding(4, 3, lora_rank=1), np.array([[1, 0]])),
    )
    found = []
    for saved, x in layers_and_inputs:
        saved(x)
        file = {}
        saved.save_own_variables(file)
        loaded = type(saved).from_config(saved.get_config())
        loaded(x)
        loaded.load_own_variables(file)
        factors = [w for w in loaded.trainable_weights if "lora" in w.name]
        found.append(any(ops.convert_to_numpy(w).any() for w in factors))
    return found


@fault("Dense, Embedding", "", [8.0, 8.0], "counts as 1 at rank 1")
def alpha_of_the_constructor(lib):
    """The `lora_alpha` that the constructor is given does not count."""
    options = {"lora_rank": 1, "lora_alpha": 8.0}
    dense = lib.layers.Dense(1, kernel_initializer="zeros", **options)
    embedding = lib.layers.Embedding(1, 1, "zeros", **options)
    found = []
    for layer, x in ((dense, np.ones((1, 1), "f4")), (embedding, np.zeros(1, "int32"))):
        layer(x)
        for weight in layer.trainable_weights:
            weight.assign(ops.ones(weight.shape) * ("lora" in weight.name))
        found.append(ops.sum(layer(x)))
    return found


@fault("Dense, EinsumDense, Embedding", "", [2, 2, 2], "the frozen weight as well")
def lora_of_a_layer_that_is_thawed(lib):
    """`trainable = True` after False trains the weight that LoRA has frozen."""
    layers = (
        lib.layers.Dense(3, use_bias=False, lora_rank=1),
        lib.layers.EinsumDense("ab,bc->ac", 3, lora_rank=1),
        lib.layers.Embedding(4, 3, lora_rank=1),
    )
    for layer in layers:
        layer.build((None, 4))
        layer.trainable = False
        layer.trainable = True
    return [len(layer.trainable_weights) for layer in layers]


@fault("MultiOptimizer", "", [0.1, 0.5], "one optimizer trains everything")
def optimizers_of_a_loaded_model(lib):
    """A path in an OptimizerMap names nothing once the model is loaded from a file."""
    body, head = keras.layers.Dense(1, name="body"), keras.layers.Dense(1, name="head")
    model = keras.Sequential([keras.Input((1,)), body, head])
    slow, fast = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.5)
    if lib is keras:
        paths = {weight.path: slow for weight in body.weights}
        parts = keras.optimizers.OptimizerMap(fast, paths)
    else:
        parts = [(slow, body), (fast, ".*")]
    model.compile(lib.optimizers.MultiOptimizer(parts), "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        again = keras.models.load_model(Path(folder) / "model.keras")
    before = again.get_weights()
    again.optimizer.apply([ops.ones(w.shape) for w in again.trainable_variables])
    steps = [old - new for old, new in zip(before, again.get_weights())]
    return [float(step.sum()) for step in (steps[0], steps[2])]


def _after_epochs(callback, losses):
    """The callback, and its model, after epochs of these losses."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": loss})
    return callback, model


@fault("EarlyStopping", "", 1.0, "NaN")
def early_stopping_after_a_first_loss_of_nan(lib):
    """A first epoch of NaN stays the best one, whatever follows."""
    stop = lib.callbacks.EarlyStopping("loss", patience=5)
    return float(_after_epochs(stop, [NAN, 3.0, 2.0, 1.0])[0].best)


@fault("ReduceLROnPlateau", "", 1.0, "0.1")
def rate_after_a_first_loss_of_nan(lib):
    """After a first epoch of NaN the rate falls, though the loss falls as well."""
    reduce = lib.callbacks.ReduceLROnPlateau("loss", patience=3)
    model = _after_epochs(reduce, [NAN, 3.0, 2.0, 1.0])[1]
    return float(model.optimizer.learning_rate)


@fault("SwapEMAWeights", "", 5.0, "the averages")
def weights_after_a_prediction_by_averages(lib):
    """After `predict` the averages stay in the model, instead of its weights."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = lib.optimizers.SGD(0.1, use_ema=True)
    model.compile(optimizer, "mse", run_eagerly=keras.backend.backend() != "jax")
    x = np.ones((1, 1), "float32")
    model.fit(x, x, verbose=0)
    model.set_weights([np.full((1, 1), 5.0)])
    model.predict(x, verbose=0, callbacks=[lib.callbacks.SwapEMAWeights()])
    return float(model.get_weights()[0][0, 0])
