"""Adaptive gradient clipping and gradient centralization, around any optimizer."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers import (
    SGD,
    Adam,
    AdaptiveGradientClipping,
    GradientCentralization,
    Lookahead,
)
from oracle import array
from trajectory import compiled, error, needs_float64, run, sequence

SHAPES = [(3, 4), (5,), (2, 3, 3, 4), ()]
UNITS = {(3, 4): (0,), (5,): (0,), (2, 3, 3, 4): (0, 1, 2), (): ()}


def clipped(g, w, clipping, epsilon=1e-3):
    """Brock et al., equation 3, with a norm for each output of a kernel."""
    axes = UNITS[g.shape]
    norms = [np.sqrt(np.sum(x * x, axis=axes, keepdims=True)) for x in (g, w)]
    largest = clipping * np.maximum(norms[1], epsilon)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norms[0] > largest, g * largest / norms[0], g)


def centred(g, w):
    """Yong et al., equation 1: the mean over the inputs of each output."""
    axes = UNITS[g.shape]
    return g - g.mean(axes, keepdims=True) if len(axes) > 0 and g.ndim > 1 else g


def clipping(inner):
    return AdaptiveGradientClipping(inner, clipping=0.25)


CASES = {
    "AdaptiveGradientClipping": (clipping, lambda g, w: clipped(g, w, 0.25)),
    "GradientCentralization": (GradientCentralization, centred),
}
both = pytest.mark.parametrize("name", CASES)


@needs_float64
@both
def test_many_steps_equal_the_formula_of_the_paper(name):
    make, formula = CASES[name]
    starts, gradients = sequence(SHAPES, steps=30)
    weights, desired = list(starts), []
    for step in gradients:
        weights = [w - 0.125 * formula(g, w) for g, w in zip(step, weights)]
        desired.append(weights)
    assert error(run(make(SGD(0.125)), starts, gradients, "float64"), desired) < 1e-6


@both
def test_it_is_the_inner_optimizer_with_other_gradients(name):
    make, formula = CASES[name]
    starts, gradients = sequence(SHAPES[:3], steps=1)
    changed = [[formula(g, w) for g, w in zip(gradients[0], starts)]]
    wrapped = run(make(Adam(0.1)), starts, gradients, "float32")
    plain = run(Adam(0.1), starts, changed, "float32")
    assert error(wrapped, plain) < 1e-5


@both
@pytest.mark.parametrize("kind", [SGD, keras.optimizers.SGD])
def test_of_small_batches_the_mean_is_changed(name, kind):
    """Changed one by one, they would add up to another step."""
    make, formula = CASES[name]
    parts = [array(3, 4, seed=n) for n in range(3)]
    start = 0.1 * array(3, 4, seed=7)
    for wrap in (lambda o: o, lambda o: Lookahead(o, 6)):
        w = keras.Variable(start)
        optimizer = make(wrap(kind(0.5, gradient_accumulation_steps=3)))
        apply = compiled(optimizer, [w])
        optimizer.build([w])
        wanted = start
        for number in range(6):
            apply(ops.convert_to_tensor(parts[number % 3]))
            if number % 3 == 2:
                mean = np.mean(parts, axis=0)
                wanted = wanted - 0.5 * formula(mean, wanted)
            np.testing.assert_allclose(
                ops.convert_to_numpy(w), wanted, rtol=1e-5, atol=1e-6
            )
        assert int(optimizer.iterations) == 2


@both
def test_a_scaled_loss_changes_nothing(name):
    make, _ = CASES[name]
    starts, gradients = sequence(SHAPES[:2], steps=5, dtype="float32")
    plain = run(make(SGD(0.1)), starts, gradients, "float32")
    scaled = [[8 * g for g in step] for step in gradients]
    inner = SGD(0.1, loss_scale_factor=8.0)
    assert error(run(make(inner), starts, scaled, "float32"), plain) < 1e-5


def test_no_unit_moves_farther_than_its_share():
    w = array(6, 4, seed=1)
    variable = keras.Variable(w)
    optimizer = AdaptiveGradientClipping(SGD(1.0), clipping=0.125)
    optimizer.apply([ops.convert_to_tensor(1e6 * array(6, 4))], [variable])
    moved = np.linalg.norm(ops.convert_to_numpy(variable) - w, axis=0)
    np.testing.assert_allclose(moved, 0.125 * np.linalg.norm(w, axis=0), rtol=1e-4)


def test_weights_of_zero_can_begin_to_grow_and_excluded_ones_are_not_clipped():
    body = keras.Variable(np.zeros((2, 2), "float32"), name="body")
    head = keras.Variable(np.zeros((2, 2), "float32"), name="head")
    optimizer = AdaptiveGradientClipping(
        SGD(1.0), clipping=0.5, epsilon=0.25, exclude_layers=["head"]
    )
    g = ops.convert_to_tensor(np.array([[3.0, 0.0], [4.0, 0.0]], "float32"))
    optimizer.apply([g, g], [body, head])
    found = ops.convert_to_numpy(body)
    np.testing.assert_allclose(found, [[-0.075, 0], [-0.1, 0]], rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(head), [[-3, 0], [-4, 0]])


def test_centred_gradients_keep_the_sum_of_each_unit():
    starts, gradients = sequence([(6, 4)], steps=10, dtype="float32")
    optimizer = GradientCentralization(SGD(0.1, momentum=0.9))
    for (w,) in run(optimizer, starts, gradients, "float32"):
        np.testing.assert_allclose(w.sum(0), starts[0].sum(0), atol=1e-4)


def test_a_gradient_that_is_missing_is_passed_on():
    weights = [keras.Variable(np.ones(2, "float32")) for _ in range(2)]
    for make, _ in CASES.values():
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            make(SGD(0.1)).apply([None, ops.ones(2)], weights)
    np.testing.assert_array_equal(ops.convert_to_numpy(weights[0]), 1.0)


@pytest.mark.one_backend
@pytest.mark.parametrize("arguments", [{"clipping": 0}, {"epsilon": -1}], ids=str)
def test_refuses(arguments):
    with pytest.raises(ValueError, match="`clipping` and `epsilon` must be above 0"):
        AdaptiveGradientClipping("sgd", **arguments)
