"""Schedules against Keras, against NumPy formulas from the papers, against torch."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    CyclicalLearningRate,
    Noam,
    OneCycle,
    WarmupCosine,
)
from oracle import components, keras_counterpart

CASES = [
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 30}),
    # With 30, XLA computes 30 * (1 / 30) > 1, and Keras a root of less than 0: NaN.
    ("PolynomialDecay", {"decay_steps": 32, "power": 0.5, "end_learning_rate": 0.01}),
    ("PolynomialDecay", {"decay_steps": 30, "power": 2.0, "cycle": True}),
    ("CosineDecay", {"decay_steps": 30}),
    ("CosineDecay", {"decay_steps": 30, "alpha": 0.2}),
    ("CosineDecay", {"decay_steps": 30, "warmup_target": 0.5, "warmup_steps": 11}),
    ("CosineDecay", {"decay_steps": 30, "warmup_target": 0.5, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 10}),
    ("CosineDecayRestarts", {"first_decay_steps": 9, "t_mul": 1.0, "m_mul": 0.7}),
    ("CosineDecayRestarts", {"first_decay_steps": 8, "t_mul": 1.5, "alpha": 0.1}),
]
STEPS = range(90)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_every_step_equals_keras(name, kwargs):
    ours, theirs = (
        cls(0.1, **kwargs) for cls in (components()[name], keras_counterpart(name))
    )
    assert ours.get_config() == theirs.get_config()
    # In a loop without ops.map, JAX would compile Keras's branches at each step again.
    expected = ops.convert_to_numpy(ops.map(theirs, ops.arange(len(STEPS)))).copy()
    if kwargs.get("t_mul") == 1.5:  # on torch, Keras restarts a step late: rounding
        expected[[0, 8, 20, 38, 65]] = 0.1
    for step in STEPS:
        for t in (step, float(step), np.int64(step)):
            np.testing.assert_allclose(ours(t), expected[step], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("boundaries", [[10], [3, 7, 20], [2.5, 6.5]], ids=str)
def test_piecewise_constant_equals_keras(boundaries):
    arguments = (boundaries, [0.5, 0.3, 0.2, 0.1][: len(boundaries) + 1])
    ours, theirs = (
        package.PiecewiseConstantDecay(*arguments)
        for package in (_Ours, keras.optimizers.schedules)
    )
    assert ours.get_config() == theirs.get_config()
    for step in STEPS:
        assert float(ours(step)) == float(theirs(step))


class _Ours:
    PiecewiseConstantDecay = components()["PiecewiseConstantDecay"]


def test_piecewise_constant_without_boundaries_is_constant():
    assert float(_Ours.PiecewiseConstantDecay([], [0.5])(3)) == 0.5


# Formulas of the papers, in float64.


def warmup_cosine(t, peak=0.5, warmup=11, total=41):
    if t < warmup:
        return peak * t / warmup
    progress = min((t - warmup) / (total - warmup), 1)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))


def restarts(t, length=8, t_mul=1.5, m_mul=0.5):
    peak = 0.1
    while t >= length:
        t, length, peak = t - length, length * t_mul, peak * m_mul
    return peak * 0.5 * (1 + math.cos(math.pi * t / length))


def noam(t, d_model=64, warmup=12):
    number = t + 1
    return d_model**-0.5 * min(number**-0.5, number * warmup**-1.5)


def triangle(t, size=7):
    """(0, up to 1 at `size`, down to 0 at twice that, ...; number of the cycle)."""
    cycle, within = divmod(t, 2 * size)
    return (within if within <= size else 2 * size - within) / size, cycle


FORMULAS = {
    "warm-up and cosine": (
        CosineDecay(0.0, 30, warmup_target=0.5, warmup_steps=11),
        warmup_cosine,
    ),
    "restarts": (CosineDecayRestarts(0.1, 8, 1.5, 0.5), restarts),
    "restarts, doubled": (
        CosineDecayRestarts(0.1, 10),
        lambda t: restarts(t, 10, 2, 1),
    ),
    "WarmupCosine": (
        WarmupCosine(0.5, total_steps=41, warmup=11.5 / 41, div_factor=1e9),
        warmup_cosine,
    ),
    "Noam": (Noam(64, 12), noam),
    "triangular": (
        CyclicalLearningRate(0.1, 0.5, 7),
        lambda t: 0.1 + 0.4 * triangle(t)[0],
    ),
    "triangular2": (
        CyclicalLearningRate(0.1, 0.5, 7, "triangular2"),
        lambda t: 0.1 + 0.4 * triangle(t)[0] / 2 ** triangle(t)[1],
    ),
    "exp_range": (
        CyclicalLearningRate(0.1, 0.5, 7, "exp_range", gamma=0.97),
        lambda t: 0.1 + 0.4 * triangle(t)[0] * 0.97**t,
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_every_step_equals_the_formula(name):
    schedule, formula = FORMULAS[name]
    for t in STEPS:
        np.testing.assert_allclose(schedule(t), formula(t), rtol=1e-5, atol=1e-8)


def torch_rates(make, steps):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(torch.optim.lr_scheduler, optimizer)
    for _ in range(steps):
        yield schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()


@pytest.mark.slow  # importing torch takes 250 MB
@pytest.mark.parametrize("pct_start", [0.3, 0.5, 0.25])
def test_one_cycle_equals_torch(pct_start):
    schedule = OneCycle(0.5, 60, pct_start, div_factor=20.0, final_div_factor=1e3)
    desired = torch_rates(
        lambda package, optimizer: package.OneCycleLR(
            optimizer, 0.5, 60, pct_start=pct_start, div_factor=20, final_div_factor=1e3
        ),
        59,
    )
    for t, rate in enumerate(desired):
        np.testing.assert_allclose(schedule(t), rate, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(schedule(59), 0.5 / 20 / 1e3, rtol=1e-4)
    assert float(schedule(1000)) == float(schedule(59))


@pytest.mark.slow  # importing torch takes 250 MB
@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cyclical_equals_torch(mode):
    schedule = CyclicalLearningRate(0.1, 0.5, 7, mode, gamma=0.9)
    desired = torch_rates(
        lambda package, optimizer: package.CyclicLR(
            optimizer, 0.1, 0.5, 7, mode=mode, gamma=0.9, cycle_momentum=False
        ),
        60,
    )
    for t, rate in enumerate(desired):
        np.testing.assert_allclose(schedule(t), rate, rtol=1e-5)


@pytest.mark.parametrize("name", ["ExponentialDecay", "CosineDecay"])
def test_rate_has_the_dtype_of_the_first_one(name):
    kwargs = dict(CASES)[name]
    rate = components()[name](np.float64(0.1), **kwargs)(3)
    expected = keras_counterpart(name)(np.float64(0.1), **kwargs)(3)
    assert rate.dtype == expected.dtype
    np.testing.assert_allclose(rate, expected, rtol=1e-6)


def test_optimizer_follows_its_schedule():
    variable = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(Noam(64, 12))
    for _ in range(20):
        optimizer.apply([keras.ops.ones(())], [variable])
    expected = -sum(noam(t) for t in range(20))
    np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5)


REFUSALS = [
    ("ExponentialDecay", (0.1, 0, 0.5), "`decay_steps` must be > 0"),
    ("InverseTimeDecay", (0.1, -1, 0.5), "`decay_steps` must be > 0"),
    ("PolynomialDecay", (0.1, 0), "`decay_steps` must be > 0"),
    ("CosineDecay", (0.1, 0), "`decay_steps` must be > 0"),
    ("CosineDecayRestarts", (0.1, 0), "`first_decay_steps` must be > 0"),
    ("PiecewiseConstantDecay", ([1], [0.1]), "1 less than the length of values"),
    ("Noam", (0,), "`d_model` must be > 0"),
    ("Noam", (8, 0), "`warmup_steps` must be > 0"),
    ("CyclicalLearningRate", (0.1, 0.5, 0), "`step_size` must be > 0"),
    (
        "CyclicalLearningRate",
        (0.1, 0.5, 7, "square"),
        "`mode` argument must be .triangular. or",
    ),
    ("WarmupCosine", (0.1, 0), "`total_steps` must be > 0"),
    ("WarmupCosine", (0.1, 100, 1.0), "`warmup` must be at least 0 and below 1"),
    ("OneCycle", (0.1, 100, 0.0), "no rise"),
    ("OneCycle", (0.1, 100, 1.0), "no fall"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), REFUSALS, ids=str)
def test_refuses(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        components()[name](*arguments)
