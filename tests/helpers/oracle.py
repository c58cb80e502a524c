"""The oracle: runs a component of ours and Keras's on the same data, and compares.

A `Case` names a class of ours, its arguments and an input; `assert_same_layer` gives
both layers the same weights and compares output, gradients to the input and to every
weight, state after the call and the regularization losses.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil

import keras
import numpy as np
from keras import ops

import custom_layers


def components():
    """Every public class and function that custom_layers defines: {name: object}."""
    found = {}
    for info in pkgutil.walk_packages(custom_layers.__path__, "custom_layers."):
        if ".common" in info.name or ".fused" in info.name:
            continue  # what techniques share, or what speeds them up
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            is_own = thing.__module__ == info.name and thing.__name__ == name
            if is_own and not name.startswith("_"):
                assert name not in found, f"{name} is defined in two files"
                found[name] = thing
    return found


def keras_counterpart(name):
    """Keras's class or function of that name, or None where it has none."""
    for package in (
        keras.initializers,  # before layers: both have an Identity
        keras.layers,
        keras.losses,
        keras.optimizers,
        keras.optimizers.schedules,
        keras.regularizers,
        keras.constraints,
        keras.activations,
        keras.callbacks,
    ):
        if hasattr(package, name):
            theirs = getattr(package, name)
            is_tversky = name in ("Tversky", "tversky")
            return _weighing_misses_by_alpha(theirs) if is_tversky else theirs
    return None


def _weighing_misses_by_alpha(theirs):
    """Keras's Tversky loss, with alpha as the weight of misses, as in ours.

    So does Keras 3.15. Keras 3.16 weighs misses by beta and false alarms by alpha, as
    the paper does.
    """
    if keras.version().startswith("3.15."):
        return theirs

    @functools.wraps(theirs)
    def exchanged(*arguments, alpha=0.5, beta=0.5, **options):
        return theirs(*arguments, alpha=beta, beta=alpha, **options)

    return exchanged


def array(*shape, seed=0, dtype="float32", low=None, high=None):
    """Repeatable values: normal, or uniform in [low, high) where those are given."""
    rng = np.random.default_rng([seed, *shape])
    if low is None:
        return rng.normal(size=shape).astype(dtype)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return rng.integers(low, high, size=shape, dtype=dtype)
    return rng.uniform(low, high, size=shape).astype(dtype)


@dataclasses.dataclass(frozen=True)
class Case:
    """One comparison: class name, constructor arguments, input, call arguments."""

    name: str
    kwargs: dict
    inputs: object  # an array, or a list of arrays for a layer of several inputs
    call: dict = dataclasses.field(default_factory=dict)
    rtol: float = 1e-5
    vanishes: str = ""  # what is 0 in exact arithmetic, rounding errors in fact

    def __str__(self):
        shape = keras.tree.map_structure(np.shape, self.inputs)
        arguments = ",".join(
            f"{k}={v}" for k, v in {**self.kwargs, **self.call}.items()
        )
        return f"{self.name}({arguments[:80]})-{shape}".replace(" ", "")


def assert_close(actual, desired, rtol=1e-5, label=""):
    """Relative to the largest value of `desired`, so that zeros are no trap."""
    actual, desired = (ops.convert_to_numpy(x) for x in (actual, desired))
    assert actual.shape == desired.shape, f"{label}: {actual.shape} {desired.shape}"
    scale = max(float(np.max(np.abs(desired), initial=0)), 1e-30)
    np.testing.assert_allclose(
        actual, desired, rtol=rtol, atol=rtol * scale, err_msg=label
    )


def assert_same_layer(case, ours=None, theirs=None):
    """Ours and Keras's layer agree on everything that `run_layer` returns."""
    ours = (ours or components()[case.name])(**case.kwargs)
    theirs = (theirs or keras_counterpart(case.name))(**case.kwargs)
    inputs = keras.tree.map_structure(ops.convert_to_tensor, case.inputs)
    for layer in (ours, theirs):
        call_layer(layer, inputs, **case.call)
    names = [[w.path.split("/", 1)[-1] for w in x.weights] for x in (ours, theirs)]
    assert names[0] == names[1], "weight names or their order differ"
    values = [array(*w.shape, seed=7) * 0.5 + 0.1 for w in theirs.weights]
    values = [
        abs(value) if "variance" in w.path or "stddev" in w.path else value
        for value, w in zip(values, theirs.weights)
    ]
    for layer in (ours, theirs):
        layer.set_weights(values)
    actual = run_layer(ours, case.inputs, **case.call)
    desired = run_layer(theirs, case.inputs, **case.call)
    assert actual.keys() == desired.keys()
    largest = max(np.abs(value).max(initial=0) for value in desired.values())
    for key in desired:
        if key == case.vanishes:
            assert np.abs(actual[key]).max() <= case.rtol * largest, f"{case} {key}"
        else:
            assert_close(actual[key], desired[key], case.rtol, f"{case} {key}")


def call_layer(call, *inputs, **arguments):
    """call(inputs); a dict of inputs are keyword arguments, as in Keras's own tests."""
    *before, inputs = inputs
    if isinstance(inputs, dict):
        return call(*before, **inputs, **arguments)
    return call(*before, inputs, **arguments)


def run_layer(layer, inputs, **call):
    """{what: value} of one call: outputs, gradients, state after it, losses.

    The gradients are those of sum(output * c) for fixed random numbers c.
    """
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)

    def objective(outputs):
        return sum(
            ops.sum(ops.multiply(ops.cast(y, "float32"), array(*y.shape, seed=3)))
            for y in keras.tree.flatten(outputs)
            if keras.backend.is_float_dtype(y.dtype)
        )

    outputs, gradients = _gradients(layer, inputs, call, objective)
    results = {f"output {i}": y for i, y in enumerate(keras.tree.flatten(outputs))}
    results |= gradients
    for weight in layer.non_trainable_weights:
        results[f"state {weight.path.split('/', 1)[-1]}"] = weight
    for i, loss in enumerate(layer.losses):
        results[f"loss {i}"] = loss
    return {key: ops.convert_to_numpy(value) for key, value in results.items()}


def _gradients(layer, inputs, call, objective):
    """(outputs, {label: gradient}) on whichever backend runs."""
    is_float = [
        keras.backend.is_float_dtype(x.dtype) for x in keras.tree.flatten(inputs)
    ]
    labels = [
        f"gradient to {w.path.split('/', 1)[-1]}" for w in layer.trainable_weights
    ]
    input_labels = [f"gradient to input {i}" for i, ok in enumerate(is_float) if ok]
    flat = keras.tree.flatten(inputs)

    def pack(floats):
        floats = iter(floats)
        values = [next(floats) if ok else x for ok, x in zip(is_float, flat)]
        return keras.tree.pack_sequence_as(inputs, values)

    floats = [x for ok, x in zip(is_float, flat) if ok]
    run = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    outputs, to_inputs, to_weights = run[keras.backend.backend()](
        layer, floats, pack, call, objective
    )
    gradients = dict(zip(input_labels + labels, [*to_inputs, *to_weights]))
    return outputs, {k: v for k, v in gradients.items() if v is not None}


def _tensorflow(layer, floats, pack, call, objective):
    import tensorflow as tf

    weights = [w.value for w in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = call_layer(layer, pack(floats), **call)
        value = objective(outputs)
    to_inputs, to_weights = tape.gradient(value, (floats, weights))
    return outputs, to_inputs, [_dense(g) for g in to_weights]


def _dense(gradient):
    import tensorflow as tf

    return tf.convert_to_tensor(gradient) if gradient is not None else None


def _jax(layer, floats, pack, call, objective):
    import jax

    def value(floats, weights, state):
        outputs, after = call_layer(
            layer.stateless_call, weights, state, pack(floats), **call
        )
        return objective(outputs), (outputs, after)

    weights = [w.value for w in layer.trainable_weights]
    state = [v.value for v in layer.non_trainable_variables]
    # Compiled as a whole, as in training: JAX compiles each operation otherwise.
    gradient = jax.jit(jax.grad(value, argnums=(0, 1), has_aux=True))
    (to_inputs, to_weights), (outputs, after) = gradient(floats, weights, state)
    call_layer(layer, pack(floats), **call)  # for the layer's losses and its own state
    for variable, new in zip(layer.non_trainable_variables, after):
        variable.assign(new)
    return outputs, to_inputs, to_weights


def _torch(layer, floats, pack, call, objective):
    import torch

    floats = [x.detach().clone().requires_grad_() for x in floats]
    weights = [w.value for w in layer.trainable_weights]
    outputs = call_layer(layer, pack(floats), **call)
    gradients = torch.autograd.grad(
        objective(outputs), [*floats, *weights], allow_unused=True
    )
    outputs = keras.tree.map_structure(lambda y: y.detach(), outputs)
    return outputs, gradients[: len(floats)], gradients[len(floats) :]
