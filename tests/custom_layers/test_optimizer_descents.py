"""What optimizers are for: each of them descends, on a bent and on a long valley."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers import SWA, Adam, Lookahead, MovingAverage
from oracle import components
from trajectory import compiled, needs_float64

pytestmark = needs_float64

DESCENTS = {  # the arguments of optimizers for which the rate 0.02 is not a good one
    "SGD": {"learning_rate": 1e-3, "momentum": 0.9},
    "Adagrad": {"learning_rate": 0.5},
    "Adadelta": {"learning_rate": 3.0},
    "Adamax": {"learning_rate": 0.2},
    "AdamW": {"weight_decay": 0.0},
    "Ftrl": {"learning_rate": 0.5},
    "Lion": {"learning_rate": 5e-3},
    "Lamb": {"learning_rate": 0.05},
    "Adafactor": {"learning_rate": 0.05},
    "Muon": {"adam_weight_decay": None},
    "RectifiedAdam": {"clipnorm": 1.0},
    "NovoGrad": {"learning_rate": 2e-3, "beta_2": 0.98},
    "COCOB": {"learning_rate": 1.0, "alpha": 10.0},
    "ProximalAdagrad": {"learning_rate": 0.5},
    "ConditionalGradient": {"learning_rate": 0.999, "lambda_": 1.6},
    "ScheduleFreeAdamW": {"learning_rate": 0.1},
    "Shampoo": {"learning_rate": 0.5},
}
OPTIMIZERS = [
    name
    for name, thing in components().items()
    if hasattr(thing, "update_step") and not hasattr(thing, "loss_scale_factor")
]


def rosenbrock(x, y):
    """(value, gradient); the minimum is 0, at (1, 1)."""
    bend = y - x * x
    gradient = np.array([-2 * (1 - x) - 400 * x * bend, 200 * bend])
    return (1 - x) ** 2 + 100 * bend**2, gradient


def quadratic(x, y):
    return 500 * x * x + 0.5 * y * y, np.array([1000 * x, y])


def descend(optimizer, steps=1000):
    """(value before, value after) of both problems; each has a variable of its own."""
    problems = (rosenbrock, quadratic)
    variables = [keras.Variable([-1.2, 1.0], name=f.__name__) for f in problems]
    optimizer.build(variables)
    apply = compiled(optimizer, variables)

    def look():
        return [f(*v.numpy()) for f, v in zip(problems, variables)]

    start = look()
    for _ in range(steps):
        apply(*[ops.convert_to_tensor(gradient) for _, gradient in look()])
    optimizer.finalize_variable_values(variables)
    return [(float(old), float(new)) for (old, _), (new, _) in zip(start, look())]


LATER = {  # whose descents run among the slow tests
    "COCOB",
    "ConditionalGradient",
    "NovoGrad",
    "ProximalAdagrad",
    "Rprop",
    "SOAP",
    "ScheduleFreeAdamW",
    "Shampoo",
    "Yogi",
}
BY_NAME = [
    pytest.param(name, marks=pytest.mark.slow) if name in LATER else name
    for name in OPTIMIZERS
]


@pytest.mark.parametrize("name", BY_NAME)
def test_converges_on_rosenbrock_and_on_an_ill_conditioned_quadratic(name):
    optimizer = components()[name](**{"learning_rate": 0.02, **DESCENTS.get(name, {})})
    for start, end in descend(optimizer):
        assert end < 0.02 * start


@pytest.mark.parametrize(
    "make", [Lookahead, SWA, MovingAverage], ids=lambda make: make.__name__
)
def test_wrappers_converge(make):
    (_, _), (start, end) = descend(make(Adam(0.02)))
    assert end < 0.01 * start
