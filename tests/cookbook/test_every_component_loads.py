"""Our own models always pass: a saved model with any component of ours loads safely."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import examples
from cookbook.trained.allowed import problems
from cookbook.trained.safe_loading import load_or_refuse
from custom_layers.layers import CRF, Dense
from custom_layers.models import AdversarialModel
from oracle import call_layer, components

COMPONENTS = components()
SAVED = Path(__file__).parents[1] / "custom_layers" / "saved"
REGISTERED = {
    name: thing
    for name, thing in COMPONENTS.items()
    if keras.saving.get_registered_object(f"keras_cookbook>{name}") is thing
}
TABLES = [
    table
    for name, table in vars(examples).items()
    if isinstance(table, dict)
    and name.isupper()
    and name not in ("CELLS", "INTEGER_INPUTS")
]
PARTS_OF_DENSE = {
    "kernel_initializer": examples.INITIALIZERS,
    "kernel_regularizer": examples.REGULARIZERS,
    "kernel_constraint": examples.CONSTRAINTS,
}


def make(name, table):
    row = table[name]
    arguments = row[0] if isinstance(row, tuple) else row
    arguments = arguments() if callable(arguments) else arguments
    return COMPONENTS[name](**arguments)


def small(layer=None, shape=(3,), **compiled):
    """A compiled model with one layer, whose optimizer has its states."""
    model = keras.Sequential([keras.Input(shape), layer or Dense(2)])
    model.compile(**compiled)
    if model.optimizer:
        model.optimizer.build(model.trainable_variables)
    return model


def loaded(model, tmp_path):
    """The model after it was saved and loaded, with the same weights."""
    path = tmp_path / "model.keras"
    model.save(path)
    again = load_or_refuse(path)
    for ours, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    return again


def test_the_examples_cover_every_registered_class():
    covered = {name for table in TABLES for name in table}
    classes = {name for name, thing in REGISTERED.items() if isinstance(thing, type)}
    assert len(classes) > 100
    assert classes <= covered


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_the_configuration_of_every_component_is_allowed(name):
    thing = REGISTERED[name]
    for table in TABLES:
        if name in table:
            thing = make(name, table)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    assert not list(problems(config))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(examples.LAYERS))
def test_a_saved_model_with_any_layer_loads(name, tmp_path):
    layer = make(name, examples.LAYERS)
    if name in examples.CELLS:
        layer = examples.CELLS[name](layer)
    dtype, _, _ = examples.INTEGER_INPUTS.get(name, ("float32", 0, 0))
    shapes = examples.LAYERS[name][1]

    def symbolic(shape):
        return keras.Input(shape[1:], dtype=dtype)

    if isinstance(shapes, dict):
        inputs = {key: symbolic(shape) for key, shape in shapes.items()}
    elif isinstance(shapes, list):
        inputs = [symbolic(shape) for shape in shapes]
    else:
        inputs = symbolic(shapes)
    outputs = call_layer(layer, inputs)
    loaded(keras.Model(keras.tree.flatten(inputs), outputs), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(examples.LOSSES))
def test_a_saved_model_with_any_loss_loads(name, tmp_path):
    loss = make(name, examples.LOSSES)
    options = {"layer": CRF(), "shape": (4, 3)} if name == "CRFLoss" else {}
    model = small(loss=loss, **options)
    assert type(loaded(model, tmp_path).loss) is type(loss)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(examples.OPTIMIZERS))
def test_a_saved_model_with_any_optimizer_loads(name, tmp_path):
    optimizer = make(name, examples.OPTIMIZERS)
    again = loaded(small(optimizer=optimizer, loss="mse"), tmp_path)
    assert type(again.optimizer) is type(optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(examples.SCHEDULES))
def test_a_saved_model_with_any_schedule_loads(name, tmp_path):
    schedule = make(name, examples.SCHEDULES)
    optimizer = COMPONENTS["Adam"](schedule)
    loaded(small(optimizer=optimizer, loss="mse"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("argument", PARTS_OF_DENSE)
def test_a_saved_model_with_any_part_of_a_layer_loads(argument, tmp_path):
    for name in PARTS_OF_DENSE[argument]:
        part = make(name, PARTS_OF_DENSE[argument])
        loaded(small(Dense(3, **{argument: part})), tmp_path)


@pytest.mark.slow
def test_a_saved_model_with_any_activation_loads(tmp_path):
    functions = [
        thing
        for thing in REGISTERED.values()
        if thing.__module__.startswith("custom_layers.activations")
    ]
    assert len(functions) > 25
    for activation in functions:
        layer = Dense(4, activation=activation)
        try:
            model = small(layer)
        except (TypeError, ValueError):  # such as glu, which halves the width
            continue
        loaded(model, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted([*examples.METRICS, "token_accuracy", "whole_answers"])
)
def test_a_saved_model_with_any_metric_loads(name, tmp_path):
    metric = COMPONENTS[name]
    if name in examples.METRICS:
        metric = make(name, examples.METRICS)
    loaded(small(loss="mse", metrics=[metric]), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "loss", ["NonSaturatingGAN", "MinimaxGAN", "LeastSquaresGAN", "WassersteinGAN"]
)
def test_a_saved_model_with_any_kind_of_gan_loads(loss, tmp_path):
    arguments = {**examples.MODELS["AdversarialModel"]()}
    arguments["loss"] = make(loss, examples.LOSSES)
    model = AdversarialModel(**arguments)
    model.compile(COMPONENTS["Adam"](), COMPONENTS["Adam"]())
    model.fit(np.ones((4, 2)), verbose=0)
    loaded(model, tmp_path)


@pytest.mark.parametrize("name", ["images", "tokens"])
def test_models_that_version_0_1_saved_load(name):
    load_or_refuse(SAVED / f"{name}.keras")


@pytest.mark.slow
def test_a_network_of_keras_loads(tmp_path):
    """It has operations of keras.ops among its layers."""
    network = keras.applications.MobileNetV3Small(weights=None, classes=3)
    loaded(network, tmp_path)
