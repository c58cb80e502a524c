"""The optimizers of the playground take the steps of ours, to 0.00001."""

import inspect
import re

import keras
import numpy as np
import pytest

from custom_layers import optimizers
from custom_layers.optimizers import (
    COCOB,
    SAM,
    SGD,
    SWA,
    AdaBelief,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    AdaptiveGradientClipping,
    ConditionalGradient,
    Ftrl,
    Lamb,
    Lion,
    Lookahead,
    MovingAverage,
    Nadam,
    NovoGrad,
    ProximalAdagrad,
    RectifiedAdam,
    RMSprop,
    Rprop,
    ScheduleFreeAdamW,
    Shampoo,
    Yogi,
)
from playground import float64, javascript, near

pytestmark = pytest.mark.one_backend

STEPS = 20
RATE = 0.0625  # exact in float32, to which Keras rounds a learning rate
EXACT = {"beta_1": 0.875, "beta_2": 0.9375}  # likewise
OURS = {
    "SGD": lambda: SGD(RATE),
    "SGD with momentum": lambda: SGD(RATE, momentum=0.9),
    "SGD with Nesterov momentum": lambda: SGD(RATE, momentum=0.9, nesterov=True),
    "Adagrad": lambda: Adagrad(RATE),
    "Adadelta": lambda: Adadelta(RATE),
    "RMSprop": lambda: RMSprop(RATE),
    "RMSprop, centered": lambda: RMSprop(RATE, centered=True),
    "RMSprop with momentum": lambda: RMSprop(RATE, momentum=0.9),
    "Adam": lambda: Adam(RATE, **EXACT),
    "Adam with amsgrad": lambda: Adam(RATE, **EXACT, amsgrad=True),
    "AdamW": lambda: AdamW(RATE, weight_decay=0.1, **EXACT),
    "Nadam": lambda: Nadam(RATE, **EXACT),
    "Adamax": lambda: Adamax(RATE, **EXACT),
    "AdaBelief": lambda: AdaBelief(RATE, **EXACT),
    "RectifiedAdam": lambda: RectifiedAdam(RATE, **EXACT),
    "Yogi": lambda: Yogi(RATE, **EXACT),
    "Lamb": lambda: Lamb(RATE, **EXACT),
    "NovoGrad": lambda: NovoGrad(RATE, **EXACT),
    "Adafactor": lambda: Adafactor(RATE),
    "Lion": lambda: Lion(RATE, **EXACT),
    "Ftrl": lambda: Ftrl(RATE),
    "ProximalAdagrad": lambda: ProximalAdagrad(RATE),
    "Rprop": lambda: Rprop(RATE),
    "COCOB": lambda: COCOB(RATE),
    "ScheduleFreeAdamW": lambda: ScheduleFreeAdamW(RATE, **EXACT),
    "Shampoo": lambda: Shampoo(RATE),
    "ConditionalGradient": lambda: ConditionalGradient(1 - RATE, lambda_=3.0),
    "Lookahead of SGD": lambda: Lookahead(SGD(RATE)),
    "Lookahead of Adam": lambda: Lookahead(Adam(RATE, **EXACT)),
    "SAM of SGD": lambda: SAM(SGD(RATE), rho=0.2),
    "SWA of SGD": lambda: SWA(SGD(RATE), average_period=1),
    "MovingAverage of SGD": lambda: MovingAverage(SGD(RATE), average_decay=0.9),
    "AdaptiveGradientClipping of SGD": lambda: AdaptiveGradientClipping(
        SGD(RATE), clipping=0.1
    ),
}
# On two weights in a vector, the first three are Adam; centralization leaves vectors
# alone; and MultiOptimizer gives each layer an optimizer of its own.
LEFT_OUT = {"LazyAdam", "Muon", "SOAP", "GradientCentralization", "MultiOptimizer"}
# Settings that the defaults of the page leave at zero.
MORE = {
    "Ftrl": (
        {
            "l1_regularization_strength": 0.25,
            "l2_regularization_strength": 0.5,
            "l2_shrinkage_regularization_strength": 0.125,
            "beta": 0.5,
        },
        Ftrl,
    ),
    "ProximalAdagrad": (
        {"l1_regularization_strength": 0.25, "l2_regularization_strength": 0.5},
        ProximalAdagrad,
    ),
    "NovoGrad": ({"grad_averaging": True, **EXACT}, NovoGrad),
    "AdaBelief": ({"amsgrad": True, **EXACT}, AdaBelief),
    "RectifiedAdam": ({"amsgrad": True, **EXACT}, RectifiedAdam),
    "ScheduleFreeAdamW": ({"warmup_steps": 5, **EXACT}, ScheduleFreeAdamW),
}
PATHS = """
    const { OPTIMIZERS } = await load("optimizers");
    const gradient = ([x, y]) => [x + 0.3 * y, 0.3 * x + 2 * Math.sin(y)];
    const result = given.cases.map(([name, settings]) => {
      const step = OPTIMIZERS[name].create(settings);
      let w = [1.5, -2];
      const path = [];
      for (let i = 0; i < given.steps; i += 1) {
        w = step(w, gradient);
        path.push(w);
      }
      return { path, answer: step.answer ? step.answer() : null };
    });
"""


def our_path(optimizer):
    """(path, the weights with which a training would end)"""
    w = keras.Variable([1.5, -2.0], dtype="float64")
    calls = 2 if isinstance(optimizer, SAM) else 1
    path = []
    for _ in range(STEPS):
        for _ in range(calls):
            x, y = np.array(w)
            g = float64([x + 0.3 * y, 0.3 * x + 2 * np.sin(y)])
            optimizer.apply([g], [w])
        path.append(np.array(w))
    if isinstance(optimizer, ScheduleFreeAdamW):
        return path, np.array(optimizer.average_of(w))
    optimizer.finalize_variable_values([w])
    return path, np.array(w)


def settings_of(name):
    made = OURS[name]()
    inner = getattr(made, "inner_optimizer", made)
    settings = {"learning_rate": float(inner.learning_rate)}
    if hasattr(inner, "beta_1"):
        settings |= EXACT
    return settings


@pytest.fixture(scope="module")
def paths():
    """{name: what JavaScript computes}"""
    cases = [[name, settings_of(name)] for name in OURS]
    return dict(zip(OURS, javascript(PATHS, cases=cases, steps=STEPS)))


@pytest.mark.parametrize("name", OURS)
def test_an_optimizer_takes_our_steps(paths, name):
    path, answer = our_path(OURS[name]())
    near(paths[name]["path"], path)
    if paths[name]["answer"] is not None:
        near(paths[name]["answer"], answer)


@pytest.mark.parametrize("name", MORE)
def test_an_optimizer_takes_our_steps_with_other_settings(name):
    settings, ours = MORE[name]
    case = [name, {"learning_rate": RATE, **settings}]
    (found,) = javascript(PATHS, cases=[case], steps=STEPS)
    path, _ = our_path(ours(RATE, **settings))
    near(found["path"], path)


def test_the_page_offers_every_optimizer_that_works_on_two_weights():
    names = javascript(
        'const result = Object.keys((await load("optimizers")).OPTIMIZERS)'
    )
    assert names == [*OURS]
    classes = {
        name for name, value in vars(optimizers).items() if inspect.isclass(value)
    }
    offered = {word for name in names for word in re.findall(r"\w+", name)}
    assert classes - offered == LEFT_OUT


def test_surfaces_have_the_slopes_and_minima_that_they_say():
    result = javascript(
        """
        const { SURFACES } = await load("surfaces");
        const result = Object.values(SURFACES).map((surface) => ({
          slopes: given.points.map(surface.gradient),
          estimates: given.points.map(([x, y]) => [
            (surface.height([x + 1e-5, y]) - surface.height([x - 1e-5, y])) / 2e-5,
            (surface.height([x, y + 1e-5]) - surface.height([x, y - 1e-5])) / 2e-5,
          ]),
          heights: surface.minima.map(surface.height),
        }));
    """,
        points=np.random.default_rng(0).uniform(-3, 3, (20, 2)).tolist(),
    )
    for surface in result:
        near(surface["slopes"], surface["estimates"], 1e-4)
        near(surface["heights"], 0, 1e-8)


def test_the_best_rate_is_the_one_that_is_down_first():
    result = javascript("""
        const { SURFACES, bestRate, descend, stepsToLow } = await load("surfaces");
        const { SGD } = await load("optimizers");
        const surface = Object.values(SURFACES)[0];
        const best = bestRate(SGD, surface, surface.start, 300);
        const path = descend(
          SGD.create({ learning_rate: best.rate }), surface, surface.start, 300,
        );
        const result = { ...best, count: stepsToLow(path, surface) };
    """)
    assert result["steps"] == result["count"]
    assert result["rate"] == pytest.approx(10**-1.25)  # 0.1 would jump for ever
