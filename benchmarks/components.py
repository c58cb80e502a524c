"""Each component's compiled step against the Keras class's, interleaved in one run."""

import functools
import importlib
import inspect
import pkgutil
import time

import keras
import numpy as np
import tensorflow as tf

import custom_layers
from benchmarks import cases

ROUNDS = 15
CALLS_PER_ROUND = 0.02  # seconds each side runs before the other has its turn


def ratios(ours, theirs, rounds=ROUNDS):
    """(median, lower, upper quartile) of ours / theirs, and theirs in milliseconds."""
    for step in (ours, theirs, ours, theirs):
        step()
    start = time.perf_counter()
    theirs()
    once = time.perf_counter() - start
    calls = max(1, int(CALLS_PER_ROUND / max(once, 1e-6)))
    found, base = [], []
    for i in range(rounds):
        pair = [(ours, 0), (theirs, 1)][:: 1 if i % 2 else -1]
        seconds = [0.0, 0.0]
        for step, side in pair:
            start = time.perf_counter()
            for _ in range(calls):
                step()
            seconds[side] = (time.perf_counter() - start) / calls
        found.append(seconds[0] / seconds[1])
        base.append(seconds[1])
    lower, median, upper = np.percentile(found, [25, 50, 75])
    return median, lower, upper, 1e3 * float(np.median(base))


def layer_step(cls, kwargs, shape, jit_compile, backward):
    """A compiled call of the layer in training, with its gradients if `backward`."""
    layer = cls(**kwargs)
    rng = np.random.default_rng(0)
    shapes = [*shape.values()] if isinstance(shape, dict) else shape
    inputs = [
        tf.Variable(rng.normal(size=s).astype("f"))
        for s in (shapes if isinstance(shapes, list) else [shapes])
    ]
    takes_training = "training" in inspect.signature(layer.call).parameters
    call = {"training": True} if takes_training else {}

    def apply(values):
        if isinstance(shape, dict):  # keyword arguments of the call
            return layer(**dict(zip(shape, values)), **call)
        return layer(values if isinstance(shape, list) else values[0], **call)

    # A gradient of ones to start from would let XLA fold half of some layers away.
    upstream = tf.nest.map_structure(
        lambda y: tf.cast(rng.normal(size=y.shape), y.dtype),
        apply([tf.convert_to_tensor(x) for x in inputs]),
    )
    weights = [w.value for w in layer.trainable_weights]

    @tf.function(jit_compile=jit_compile)
    def forward():
        return apply([x.read_value() for x in inputs])

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward():
        values = [x.read_value() for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = apply(values)
        return tape.gradient(outputs, [*values, *weights], upstream)

    return forward_and_backward if backward else forward


def activation_step(function, kwargs, shape, jit_compile, backward):
    """The step of a layer that only calls the function."""
    call = functools.partial(function, **kwargs)
    layer = functools.partial(keras.layers.Activation, call)
    return layer_step(layer, {}, shape, jit_compile, backward)


def loss_step(cls, kwargs, shape, jit_compile, backward, sparse):
    """A compiled evaluation of the loss, with its gradient if `backward`."""
    loss = cls(**kwargs)
    rng = np.random.default_rng(0)
    y_pred = tf.Variable(rng.uniform(0.01, 0.99, size=shape).astype("f"))
    if sparse:
        y_true = tf.Variable(rng.integers(0, shape[-1], size=sparse))
    else:
        y_true = tf.Variable(rng.uniform(0.01, 0.99, size=shape).astype("f"))

    @tf.function(jit_compile=jit_compile)
    def forward():
        return loss(y_true.read_value(), y_pred.read_value())

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward():
        value = y_pred.read_value()
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = loss(y_true.read_value(), value)
        return tape.gradient(result, value)

    return forward_and_backward if backward else forward


def optimizer_step(cls, kwargs, count, jit_compile):
    """A compiled update of `count` variables of mixed sizes."""
    rng = np.random.default_rng(0)
    shapes = [(64, 64), (64,), (256, 32), (32,)]
    values = [rng.normal(size=shapes[i % 4]).astype("f") for i in range(count)]
    variables = [keras.Variable(value) for value in values]
    gradients = [tf.constant(value) for value in values]
    optimizer = cls(**kwargs)
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def apply():
        optimizer.apply(gradients, variables)

    return apply


def function_step(function, *arguments, backward=False):
    """A compiled call of an initializer, regularizer, constraint or schedule."""

    @tf.function
    def call():
        return function(*arguments)

    @tf.function
    def gradient():
        (x,) = arguments
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    return gradient if backward else call


def measurements(only=()):
    """Yields (component, what was timed, make a step from a class)."""
    matrix = tf.constant(np.random.default_rng(0).normal(size=(512, 512)).astype("f"))
    for jit in (False, True):
        for backward in (False, True):
            what = f"{'trained' if backward else 'forward'}, jit={jit}"
            for name, (kwargs, shape) in cases.LAYERS.items():
                yield name, what, (layer_step, kwargs, shape, jit, backward)
            for name, kwargs, shape in cases.SIZES:
                size = shape["query"] if isinstance(shape, dict) else shape
                size = " x ".join(map(str, size))
                yield (
                    name,
                    f"{what}, {size}",
                    (layer_step, kwargs, shape, jit, backward),
                )
            for name, (kwargs, shape) in cases.ACTIVATIONS.items():
                yield name, what, (activation_step, kwargs, shape, jit, backward)
            for name, (kwargs, shape) in cases.LOSSES.items():
                sparse = cases.SPARSE.get(name)
                yield name, what, (loss_step, kwargs, shape, jit, backward, sparse)
        for name, kwargs in cases.OPTIMIZERS.items():
            for n in cases.OPTIMIZER_VARIABLES:
                what = f"{n} variables, jit={jit}"
                yield name, what, (optimizer_step, kwargs, n, jit)
    for name, kwargs in cases.INITIALIZERS.items():
        yield name, "call", (_built(function_step, (512, 512)), kwargs)
    for name, kwargs in cases.REGULARIZERS.items():
        yield name, "gradient", (_built(function_step, matrix, backward=True), kwargs)
    for name, kwargs in cases.CONSTRAINTS.items():
        yield name, "call", (_built(function_step, matrix), kwargs)
    for name, kwargs in cases.SCHEDULES.items():
        yield name, "call", (_built(function_step, tf.constant(7)), kwargs)


def _built(make, *arguments, **options):
    return lambda cls, kwargs: make(cls(**kwargs), *arguments, **options)


def find(name):
    """(our class, Keras's class or None)."""
    ours = None
    for info in pkgutil.walk_packages(custom_layers.__path__, "custom_layers."):
        ours = ours or vars(importlib.import_module(info.name)).get(name)
    for package in (
        keras.initializers,  # before layers: both have an Identity
        keras.layers,
        keras.losses,
        keras.optimizers,
        keras.optimizers.schedules,
        keras.regularizers,
        keras.constraints,
        keras.activations,
    ):
        if hasattr(package, name):
            return ours, getattr(package, name)
    return ours, None


def run(names=(), rounds=ROUNDS):
    """Prints a row per component and step: the ratio ours / Keras and its spread."""
    columns = f"{'component':<32}{'step (trained: with gradients)':<36}"
    print(f"{columns}{'ours/keras':>10}  quartiles      keras ms")
    worst = []
    for name, what, (make, *arguments) in measurements():
        if names and name not in names:
            continue
        ours, theirs = find(name)
        if theirs is None:
            continue
        keras.backend.clear_session()
        pair = make(ours, *arguments), make(theirs, *arguments)
        median, lower, upper, base = ratios(*pair, rounds=rounds)
        row = f"{name:<32}{what:<36}{median:>10.2f}  {lower:.2f} to {upper:.2f}"
        print(f"{row:<92}{base:>10.3f}", flush=True)
        worst.append((median, name, what))
    if worst:
        median, name, what = max(worst)
        print(f"{len(worst)} measured; the slowest: {name}, {what}, {median:.2f}")
