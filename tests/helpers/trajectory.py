"""Optimizers compared: the weights along one fixed sequence of gradients."""

import keras
import numpy as np
import pytest
from keras import ops

SHAPES = [(3, 4), (5,), (4, 2, 3), (), (5, 2)]
STEPS = 100
IS_TORCH = keras.backend.backend() == "torch"
# On torch, `keras.ops` rounds numbers of Python to float32; Keras's classes do not.
FLOAT64 = 1e-6 if IS_TORCH else 1e-12


def tolerance(name, dtype):
    if IS_TORCH and name == "Nadam":  # Keras's rounds 1 - beta_2 in another way there
        return 1e-5
    if name == "ScheduleFreeAdamW" and dtype == "float32":
        return 3e-6  # x, which is y and z, is rounded in another way than Keras's
    return FLOAT64 if dtype == "float64" else 1e-6


def has_float64():
    if keras.backend.backend() != "jax":
        return True
    import jax

    return jax.config.jax_enable_x64


needs_float64 = pytest.mark.skipif(
    not has_float64(), reason="JAX has float64 only with JAX_ENABLE_X64=1"
)
DTYPES = ["float32", pytest.param("float64", marks=needs_float64)]


def sequence(shapes=SHAPES, steps=STEPS, dtype="float64", seed=0):
    """Start values and gradients of several weights.

    The gradients are large for ten steps and then fade. Their scales lie between 0.01
    and 10, their mean is not zero, and some of the first weight's are exactly zero.
    """
    rng = np.random.default_rng(seed)
    starts = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    scales = [10 ** rng.uniform(-2, 1, size=shape) for shape in shapes]
    gradients = []
    for t in range(steps):
        scales = [scale * (0.93 if t > 9 else 1) for scale in scales]
        step = [scale * (rng.normal(size=np.shape(scale)) + 0.3) for scale in scales]
        step[0] = step[0] * (rng.uniform(size=shapes[0]) < 0.8)
        gradients.append([g.astype(dtype) for g in step])
    return starts, gradients


def compiled(optimizer, variables):
    """`apply` of the optimizer, compiled if the backend compiles."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(
            lambda *gradients: optimizer.apply(gradients, variables), autograph=False
        )
    if backend == "torch":
        import torch

        return torch.no_grad()(lambda *gradients: optimizer.apply(gradients, variables))
    import jax

    optimizer.build(variables)
    step = jax.jit(optimizer.stateless_apply)

    def apply(*gradients):
        weights, state = step(
            [v.value for v in optimizer.variables],
            list(gradients),
            [v.value for v in variables],
        )
        for variable, value in zip([*variables, *optimizer.variables], weights + state):
            variable.assign(value)

    return apply


def run(optimizer, starts, gradients, dtype, prepare=None):
    """The weights after each step: a list of lists of arrays."""
    variables = [
        keras.Variable(w, dtype=dtype, name=f"w{i}") for i, w in enumerate(starts)
    ]
    if prepare is not None:
        prepare(optimizer, variables)
    optimizer.build(variables)
    apply = compiled(optimizer, variables)
    path = []
    for step in gradients:
        apply(*[ops.convert_to_tensor(g, dtype=dtype) for g in step])
        path.append([ops.convert_to_numpy(v).copy() for v in variables])
    return path


def slices(rows, values):
    """The gradient of a table (6, 3), as TensorFlow hands over that of an Embedding."""
    import tensorflow as tf

    shape = tf.constant([6, 3])
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), shape)


def gradient_of_table(rows, values, form):
    """The gradient of a table (6, 3), of which a batch used these rows.

    form: "rows" hands them over as they are, with repeated ones; "sums" has each row
    once, with the sum of its values; "dense" has all rows of the table.
    """
    if form == "rows":
        return slices(rows, values)
    sums = np.zeros((6, 3), "float32")
    np.add.at(sums, rows, values)
    if form == "dense":
        return ops.convert_to_tensor(sums)
    once = np.unique(rows)
    return slices(once, sums[once])


def embedding_path(optimizer, rows, form="rows", steps=20):
    """The weights of a table after each step by gradients of the same rows."""
    rng = np.random.default_rng(3)
    table = keras.Variable(rng.normal(size=(6, 3)).astype("f"), name="embedding")
    path = []
    for _ in range(steps):
        values = rng.normal(size=(len(rows), 3)).astype("float32")
        optimizer.apply([gradient_of_table(rows, values, form)], [table])
        path.append([table.numpy()])
    return path


def error(actual, desired):
    """The largest difference at any step, relative to the variable's largest value."""
    worst = 0.0
    for index in range(len(desired[0])):
        a = np.array([np.asarray(step[index]) for step in actual])
        d = np.array([np.asarray(step[index]) for step in desired])
        assert a.shape == d.shape
        assert np.isfinite(d).all()
        difference = np.abs(a - d).max() / np.abs(d).max()
        worst = max(worst, np.inf if np.isnan(difference) else float(difference))
    return worst


def error_to_keras(ours, theirs, kwargs, dtype, prepare=None):
    starts, gradients = sequence(dtype=dtype)
    paths = [
        run(cls(**{**kwargs}), starts, gradients, dtype, prepare)
        for cls in (ours, theirs)
    ]
    return error(*paths)
