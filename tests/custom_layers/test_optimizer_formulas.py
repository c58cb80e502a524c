"""Optimizers against NumPy formulas from the papers, and against torch."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers import (
    COCOB,
    SAM,
    SGD,
    SWA,
    AdaBelief,
    Adadelta,
    Adam,
    ConditionalGradient,
    Lookahead,
    MovingAverage,
    Muon,
    Nadam,
    NovoGrad,
    ProximalAdagrad,
    RectifiedAdam,
    Rprop,
    ScheduleFreeAdamW,
    Yogi,
)
from paper_formulas import (
    numpy_adabelief,
    numpy_cocob,
    numpy_frank_wolfe,
    numpy_lookahead,
    numpy_muon,
    numpy_novograd,
    numpy_proximal_adagrad,
    numpy_rectified_adam,
    numpy_rprop,
    numpy_schedule_free,
    numpy_yogi,
)
from trajectory import FLOAT64, compiled, error, needs_float64, run, sequence

pytestmark = needs_float64

# Exact in float32, to which Keras, and so we, round the rates and some of the betas.
EXACT = {"beta_1": 0.875, "beta_2": 0.9375}
NUMPY = {
    "RectifiedAdam": (lambda: RectifiedAdam(0.125, **EXACT), numpy_rectified_adam),
    "AdaBelief": (lambda: AdaBelief(0.125, epsilon=1e-3, **EXACT), numpy_adabelief),
    "Lookahead": (lambda: Lookahead(SGD(0.125), 4, 0.3), numpy_lookahead),
    "Muon": (lambda: Muon(0.125, weight_decay=None), numpy_muon),
    "Yogi": (
        lambda: Yogi(0.125, initial_accumulator_value=2.0**-20, **EXACT),
        numpy_yogi,
    ),
    "NovoGrad": (lambda: NovoGrad(0.125, **EXACT), numpy_novograd),
    "COCOB": (COCOB, numpy_cocob),
    "ProximalAdagrad": (
        lambda: ProximalAdagrad(0.125, 0.125, 0.25, 0.5),
        numpy_proximal_adagrad,
    ),
    "ConditionalGradient": (
        lambda: ConditionalGradient(0.875, lambda_=2.0),
        numpy_frank_wolfe,
    ),
    "ConditionalGradient, nuclear norm": (
        lambda: ConditionalGradient(0.875, lambda_=2.0, ord="nuclear"),
        lambda w, gradients: numpy_frank_wolfe(w, gradients, ord="nuclear"),
    ),
    "ScheduleFreeAdamW": (
        lambda: ScheduleFreeAdamW(0.125, epsilon=1e-3, warmup_steps=4, **EXACT),
        numpy_schedule_free,
    ),
    "Rprop": (lambda: Rprop(0.125, increase=1.25), numpy_rprop),
}


@pytest.mark.parametrize("name", NUMPY)
def test_a_hundred_steps_equal_the_formula_of_the_paper(name):
    make, formula = NUMPY[name]
    starts, gradients = sequence([(3, 4), (5, 2)])
    desired = zip(
        *(formula(w, [g[i] for g in gradients]) for i, w in enumerate(starts))
    )
    assert error(run(make(), starts, gradients, "float64"), list(desired)) < FLOAT64


def test_swa_ends_with_the_mean_of_every_period():
    starts, gradients = sequence([(3, 4)])
    path = [w for (w,) in run(keras.optimizers.SGD(0.1), starts, gradients, "float64")]
    variables = [keras.Variable(starts[0], dtype="float64")]
    optimizer = SWA(keras.optimizers.SGD(0.1), start_averaging=20, average_period=7)
    apply = compiled(optimizer, variables)
    for g in gradients:
        apply(ops.convert_to_tensor(g[0]))
    np.testing.assert_array_equal(variables[0].numpy(), path[-1])
    optimizer.finalize_variable_values(variables)
    mean = np.mean(path[20::7], axis=0)
    np.testing.assert_allclose(variables[0].numpy(), mean, rtol=FLOAT64)


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_moving_average_is_that_of_the_weights_from_its_start_on(dynamic):
    starts, gradients = sequence([(3, 4)], steps=20)
    path = [w for (w,) in run(keras.optimizers.SGD(0.1), starts, gradients, "float64")]
    average = 0.0
    for t, w in enumerate(path):
        n = t - 5
        decay = min(0.75, (1 + n) / (10 + n)) if dynamic else 0.75
        decay = decay if n > 0 else 0.0
        average = decay * average + (1 - decay) * w
    variables = [keras.Variable(starts[0], dtype="float64")]
    optimizer = MovingAverage(keras.optimizers.SGD(0.1), 0.75, 5, dynamic)
    apply = compiled(optimizer, variables)
    for g in gradients:
        apply(ops.convert_to_tensor(g[0]))
    optimizer.finalize_variable_values(variables)
    np.testing.assert_allclose(variables[0].numpy(), average, rtol=1e-6)


def test_schedule_free_knows_the_mean_of_all_its_steps():
    """With a beta_1 of nearly 0, y is z, so that x is the mean of the weights."""
    starts, gradients = sequence([(3, 4)], steps=20)
    optimizer = ScheduleFreeAdamW(0.1, beta_1=1e-4)
    variables = [keras.Variable(starts[0], dtype="float64")]
    path = []
    for (g,) in gradients:
        optimizer.apply([ops.convert_to_tensor(g)], variables)
        path.append(variables[0].numpy().copy())
    found = ops.convert_to_numpy(optimizer.average_of(variables[0]))
    np.testing.assert_allclose(found, np.mean(path, axis=0), rtol=1e-3, atol=1e-3)


def keras_schedule_free():
    return keras.optimizers.ScheduleFreeAdamW(
        0.125, epsilon=1e-3, warmup_steps=4, **EXACT
    )


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="there, Keras's is right too"
)
def test_keras_takes_the_z_after_the_step_for_the_one_before_it():
    """The reason for the difference; once Keras is mended, test_optimizers.py may go on
    to compare ours with it on all backends."""
    starts, gradients = sequence([(3, 4)], steps=10)
    wanted = list(numpy_schedule_free(starts[0], [g for (g,) in gradients]))
    theirs = run(keras_schedule_free(), starts, gradients, "float64")
    assert error(theirs, [[w] for w in wanted]) > 1e-3


def test_schedule_free_starts_at_weights_that_were_loaded_after_its_build():
    """Keras's z is still where the weights were when the optimizer was built."""
    weights = []
    for loads_first in (True, False):
        w = keras.Variable([1.0], dtype="float32")
        optimizer = ScheduleFreeAdamW(0.1)
        if loads_first:
            w.assign([5.0])
        optimizer.build([w])
        w.assign([5.0])
        for _ in range(3):
            optimizer.apply([ops.ones(1)], [w])
        weights.append(w.numpy())
    np.testing.assert_array_equal(*weights)


def test_conditional_gradient_never_leaves_its_ball():
    starts, gradients = sequence([(3, 4)])
    starts = [w / np.linalg.norm(w) for w in starts]
    optimizer = ConditionalGradient(0.75, lambda_=2.0)
    for (w,) in run(optimizer, starts, gradients, "float64"):
        assert np.linalg.norm(w) <= 2.0 + 1e-6


def test_proximal_adagrad_makes_exact_zeros():
    w = keras.Variable(np.full(4, 0.5, "float32"))
    optimizer = ProximalAdagrad(0.1, l1_regularization_strength=0.5)
    for _ in range(50):  # only the first weight matters to this loss
        optimizer.apply([ops.array([2.0, 0.0, 0.0, 0.0]) * (w - 1)], [w])
    found = w.numpy()
    assert found[0] > 0.5
    np.testing.assert_array_equal(found[1:], 0)


def test_swa_averages_at_the_end_of_fit():
    x, y = np.ones((8, 1)), np.zeros((8, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    model.compile(SWA(keras.optimizers.SGD(0.25), average_period=1), "mse")
    model.fit(x, y, batch_size=4, verbose=0)  # w: 1, 0.5, 0.25
    np.testing.assert_allclose(model.get_weights()[0], [[0.375]])


def test_sam_steps_by_the_gradient_at_the_top():
    w, rho, lr = np.array([1.0, -2.0]), 0.3, 0.1
    curvature = np.array([3.0, 0.5])
    variable = keras.Variable(w, dtype="float64")
    other = keras.Variable([1.0], dtype="float64")  # |g| is over all variables
    optimizer = SAM(keras.optimizers.SGD(lr, momentum=0.9), rho)
    momentum, b = 0.0, np.array([1.0])
    for _ in range(20):
        for _ in range(2):
            gradients = [curvature * variable.numpy(), 2 * other.numpy()]
            optimizer.apply(
                [ops.convert_to_tensor(g) for g in gradients], [variable, other]
            )
        g = np.concatenate([curvature * w, 2 * b])
        top = np.concatenate([w, b]) + rho * g / np.linalg.norm(g)
        at_top = np.concatenate([curvature, [2.0]]) * top
        momentum = np.float32(0.9) * momentum - np.float32(lr) * at_top
        w, b = w + momentum[:2], b + momentum[2:]
    np.testing.assert_allclose(variable.numpy(), w, rtol=1e-6)
    assert int(optimizer.inner_optimizer.iterations) == 20


def test_sam_does_not_move_without_a_gradient():
    variable = keras.Variable([1.0])
    optimizer = SAM("sgd")
    for _ in range(2):
        optimizer.apply([ops.zeros(1)], [variable])
    np.testing.assert_array_equal(variable.numpy(), [1.0])


@pytest.mark.parametrize("make", [Lookahead, SWA, SAM, MovingAverage])
def test_slots_of_a_wrapper_and_of_what_it_wraps_survive_a_file(make, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile(make(Adam(0.1)), "mse")
    for _ in range(3):
        model.train_on_batch(np.ones((4, 2)), np.zeros((4, 2)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    old, new = model.optimizer.variables, again.optimizer.variables
    assert len(old) == len(new) == 2 + 2 + 2 + 4  # both counters and rates, the slots
    for a, b in zip(old, new):
        np.testing.assert_array_equal(*(ops.convert_to_numpy(v) for v in (a, b)))


# Second opinions.


def torch_path(make, starts, gradients):
    torch = pytest.importorskip("torch")
    weights = [torch.nn.Parameter(torch.tensor(w)) for w in starts]
    optimizer, path = make(torch, weights), []
    for step in gradients:
        for w, g in zip(weights, step):
            w.grad = torch.tensor(g)
        optimizer.step()
        path.append([w.detach().numpy().copy() for w in weights])
    return path


BETAS = {"betas": (0.875, 0.9375)}
TORCH = {
    "nesterov": (
        lambda: SGD(0.125, 0.875, nesterov=True),
        lambda torch, w: torch.optim.SGD(w, 0.125, momentum=0.875, nesterov=True),
    ),
    "Adam": (
        lambda: Adam(0.125, epsilon=0.0, **EXACT),
        lambda torch, w: torch.optim.Adam(w, 0.125, eps=0.0, **BETAS),
    ),
    "Adadelta": (
        lambda: Adadelta(1.0, rho=0.9, epsilon=1e-3),
        lambda torch, w: torch.optim.Adadelta(w, 1.0, rho=0.9, eps=1e-3),
    ),
    "RAdam": (
        lambda: RectifiedAdam(0.125, epsilon=1e-3, **EXACT),
        lambda torch, w: torch.optim.RAdam(w, 0.125, eps=1e-3, **BETAS),
    ),
    "Rprop": (
        lambda: Rprop(0.125),
        lambda torch, w: torch.optim.Rprop(w, 0.125),
    ),
    "NAdam": (
        lambda: Nadam(0.125, epsilon=1e-3, **EXACT),
        lambda torch, w: torch.optim.NAdam(
            w, 0.125, eps=1e-3, momentum_decay=1.0, **BETAS
        ),
    ),
}


@pytest.mark.slow  # importing torch takes 250 MB
@pytest.mark.parametrize("name", TORCH)
def test_a_hundred_steps_equal_torch(name):
    ours, theirs = TORCH[name]
    starts, gradients = sequence([(3, 4), (5,)])
    gradients = [[g + 1e-3 for g in step] for step in gradients]  # none is zero
    desired = torch_path(theirs, starts, gradients)
    # Nadam's 0.96 is rounded to float32, by Keras and so by us.
    tolerance = 1e-7 if name == "NAdam" else FLOAT64
    assert error(run(ours(), starts, gradients, "float64"), desired) < tolerance


@pytest.mark.slow
def test_swa_equals_torch():
    torch = pytest.importorskip("torch")
    starts, gradients = sequence([(3, 4)])
    module = torch.nn.Linear(4, 3, bias=False).double()
    averaged = torch.optim.swa_utils.AveragedModel(module)
    variable = keras.Variable(starts[0], dtype="float64")
    optimizer = SWA(SGD(0.1), start_averaging=0, average_period=1)
    for (w,), (g,) in zip(run(SGD(0.1), starts, gradients, "float64"), gradients):
        module.weight.data = torch.tensor(w)
        averaged.update_parameters(module)
        optimizer.apply([ops.convert_to_tensor(g)], [variable])
    optimizer.finalize_variable_values([variable])
    desired = averaged.module.weight.detach().numpy()
    np.testing.assert_allclose(variable.numpy(), desired, rtol=FLOAT64)
