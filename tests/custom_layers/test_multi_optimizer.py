"""MultiOptimizer: each part trains as it would alone, and survives a file."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.callbacks import ReduceLROnPlateau
from custom_layers.optimizers import SGD, Adam, Lookahead, MultiOptimizer
from mutation import mutated
from oracle import array
from trajectory import compiled

JAX = keras.backend.backend() == "jax"
X, Y = array(8, 3), array(8, 2, seed=1)


def network(optimizer=None):
    """(model, its two layers)"""
    keras.utils.set_random_seed(1)
    body, head = keras.layers.Dense(4, name="body"), keras.layers.Dense(2, name="head")
    model = keras.Sequential([keras.Input((3,)), body, head])
    if optimizer is not None:
        model.compile(optimizer((body, head)), "mse", jit_compile=JAX)
    return model, (body, head)


def of_layers(layers):
    return MultiOptimizer([(Adam(0.1), layers[0]), (SGD(0.5, momentum=0.5), layers[1])])


def of_patterns(layers):
    return MultiOptimizer([(Adam(0.1), ".*body/.*"), (SGD(0.5, momentum=0.5), ".*")])


def of_keras_map(layers):
    rates = keras.optimizers.OptimizerMap(
        SGD(0.5, momentum=0.5), {".*body/.*": Adam(0.1)}
    )
    return MultiOptimizer(rates)


def of_function(layers):
    adam, sgd = Adam(0.1), SGD(0.5, momentum=0.5)
    return MultiOptimizer(lambda w: adam if "body" in w.path else sgd)


FORMS = [of_layers, of_patterns, of_keras_map, of_function]


def trained(model, epochs=4):
    model.fit(X, Y, epochs=epochs, batch_size=8, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_trains_as_keras_does(form):
    ours, _ = network(form)
    keras_map = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.5, momentum=0.5),
        {".*body/.*": keras.optimizers.Adam(0.1)},
    )
    theirs, _ = network(lambda _: keras.optimizers.MultiOptimizer(keras_map))
    for a, b in zip(trained(ours), trained(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    shapes = [[tuple(v.shape) for v in m.optimizer.variables] for m in (ours, theirs)]
    assert shapes[0] == shapes[1]  # so that a state of Keras's can be loaded
    assert int(ours.optimizer.iterations) == 4


def test_each_variable_moves_as_with_its_optimizer_alone():
    weights = [keras.Variable(array(3, 2), name=name) for name in ("a", "b")]
    alone = [keras.Variable(array(3, 2), name=name) for name in ("a", "b")]
    parts = [Adam(0.1, clipnorm=0.5), Lookahead(SGD(0.2), 2)]
    optimizer = MultiOptimizer([(Adam(0.1, clipnorm=0.5), "a"), (parts[1], "b")])
    second = Lookahead(SGD(0.2), 2)
    optimizer.build(weights)
    apply = compiled(optimizer, weights)
    for step in range(5):
        g, h = (ops.convert_to_tensor(array(3, 2, seed=step + n)) for n in (1, 9))
        apply(g, h)
        parts[0].apply([g], [alone[0]])
        second.apply([h], [alone[1]])
    for a, b in zip(weights, alone):
        found, wanted = (ops.convert_to_numpy(v) for v in (a, b))
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", FORMS[:3], ids=lambda form: form.__name__)
def test_training_goes_on_from_a_file(form, tmp_path):
    model, _ = network(form)
    trained(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    kinds = [type(optimizer) for optimizer in again.optimizer.optimizers]
    assert sorted(kind.__name__ for kind in kinds) == ["Adam", "SGD"]
    for a, b in zip(trained(again), trained(model), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_model_that_is_a_part_and_a_list_of_layers():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="inner")])
    a, b = keras.layers.Dense(4, name="a"), keras.layers.Dense(2, name="b")
    model = keras.Sequential([keras.Input((3,)), inner, a, b])
    still = SGD(0.0)
    model.compile(
        MultiOptimizer([(still, [inner, b]), ("adam", a)]), "mse", jit_compile=JAX
    )
    before = [layer.get_weights()[0] for layer in (inner, a, b)]
    trained(model, 1)
    moved = [
        not np.array_equal(layer.get_weights()[0], old)
        for layer, old in zip((inner, a, b), before)
    ]
    assert moved == [False, True, False]


def test_a_layer_may_be_frozen_later():
    """Keras's refuses gradients of some of its variables."""
    weights = [keras.Variable(array(2, 2), name=name) for name in ("a", "b")]
    optimizer = MultiOptimizer([(SGD(0.1), "a"), (SGD(0.2), "b")])
    optimizer.build(weights)
    before = ops.convert_to_numpy(weights[0]).copy()
    optimizer.apply([ops.ones((2, 2))], weights[1:])
    np.testing.assert_array_equal(ops.convert_to_numpy(weights[0]), before)
    wanted = array(2, 2) - 0.2
    np.testing.assert_allclose(ops.convert_to_numpy(weights[1]), wanted, rtol=1e-6)
    assert int(optimizer.iterations) == 1


def test_the_first_pair_that_names_a_variable_trains_it():
    weights = [keras.Variable([1.0], name=name) for name in ("a", "b")]
    optimizer = MultiOptimizer([(SGD(0.5), "a"), (SGD(0.25), ".*")])
    optimizer.apply([ops.ones(1), ops.ones(1)], weights)
    assert [float(w[0]) for w in weights] == [0.5, 0.75]


def test_a_plateau_reduces_all_rates():
    model, _ = network(of_layers)
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=[callback])
    rates = [float(o.learning_rate) for o in model.optimizer.optimizers]
    np.testing.assert_allclose(rates, [0.05, 0.25], rtol=1e-6)


def test_decay_spares_what_is_excluded_and_scaled_losses_are_unscaled():
    weights = [keras.Variable([1.0], name=name) for name in ("a", "bias", "b")]
    parts = [(SGD(0.5, weight_decay=0.5), "a"), (SGD(0.5, weight_decay=0.5), ".*")]
    optimizer = MultiOptimizer(parts, loss_scale_factor=4.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert float(optimizer.scale_loss(ops.ones(()))) == 4.0
    optimizer.apply([4 * ops.ones(1) for _ in weights], weights)
    assert [float(w[0]) for w in weights] == [0.25, 0.5, 0.25]


def test_weights_of_the_optimizer_are_set_as_they_were_read():
    model, _ = network(of_layers)
    trained(model, 1)
    values = [ops.convert_to_numpy(v) for v in model.optimizer.variables]
    other, _ = network(of_layers)
    other.optimizer.build(other.trainable_variables)
    other.optimizer.set_weights(values)
    for a, b in zip(other.optimizer.variables, values, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), b)


def test_the_configuration_is_json_and_names_weights_by_their_paths():
    _, layers = network()
    config = of_layers(layers).get_config()
    assert json.loads(json.dumps(config)) == config
    assert config["optimizer_map"][0][1] == [w.path for w in layers[0].weights]
    optimizer = MultiOptimizer.from_config(config)
    optimizer.build([*layers[0].weights, *layers[1].weights])
    assert optimizer.get_config() == config


def unbuilt():
    return MultiOptimizer([("sgd", keras.layers.Dense(1))]).get_config()


def of_variables(*paths, pairs):
    variables = [keras.Variable([1.0], name=path) for path in paths]
    layers = [keras.layers.Layer() for _ in paths]
    for layer, variable in zip(layers, variables):
        layer.kernel = variable
    pairs = [(o, layers[p] if isinstance(p, int) else p) for o, p in pairs]
    MultiOptimizer(pairs).build(variables)


ONE = SGD()
REFUSALS = [
    (lambda: MultiOptimizer(SGD()), "must be a list of pairs"),
    (lambda: MultiOptimizer([]), "at least one pair"),
    (lambda: MultiOptimizer([(ONE, "a"), (ONE, "b")]), "each optimizer once"),
    (lambda: MultiOptimizer([("sgd", 3)]), "a layer, a model, a regular expression"),
    (
        lambda: MultiOptimizer([(keras.optimizers.LossScaleOptimizer(SGD()), "a")]),
        "LossScaleOptimizer cannot be used inside a MultiOptimizer",
    ),
    (
        lambda: MultiOptimizer([(MultiOptimizer([("sgd", "a")]), "a")]),
        "MultiOptimizer cannot be used inside a MultiOptimizer",
    ),
    (lambda: of_variables("a", "b", pairs=[("sgd", "a")]), "named for the variable b"),
    (
        lambda: of_variables("a", "a", pairs=[("sgd", 0), ("adam", 1)]),
        "The paths a and a belong to two variables",
    ),
    (lambda: MultiOptimizer(lambda w: "sgd").build([keras.Variable(1.0)]), "no optim"),
    (unbuilt, "build the model first"),
    (lambda: MultiOptimizer([("sgd", "a")]).apply([ops.ones(1)]), "`apply` got no"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("refused", "message"), REFUSALS)
def test_refuses(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()


def test_it_has_no_learning_rate_of_its_own():
    optimizer = MultiOptimizer([("sgd", "a")])
    with pytest.raises(AttributeError, match="of each of its `optimizers`"):
        optimizer.learning_rate = 0.1
    assert not hasattr(optimizer, "learning_rate")


MISTAKES = {
    "all by the first": ("self._position_of(self._optimizer_map(v))", "0"),
    "the last pair wins": (
        "in self.pairs:\n            if",
        "in self.pairs[::-1]:\n            if",
    ),
    "states of the parts left out": ("return own + [", "return own + []\n        ["),
    "the scale of the loss kept": (
        "self.loss_scale_factor\n        self._opt",
        "8.0\n        self._opt",
    ),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_found(mistake):
    def looks_right(cls):
        weights = [keras.Variable([1.0], name=name) for name in ("a", "b")]
        optimizer = cls([(SGD(0.5, momentum=0.5), "a"), (SGD(0.25), ".*")])
        optimizer.apply([ops.ones(1), ops.ones(1)], weights)
        values = [float(w[0]) for w in weights]
        return values == [0.5, 0.75] and len(optimizer.variables) == 2 + 3 + 2

    files = ["wrapper", "multi_optimizer"]
    package = "custom_layers.optimizers"
    assert looks_right(mutated("MultiOptimizer", package, files))
    assert not looks_right(
        mutated("MultiOptimizer", package, files, *MISTAKES[mistake])
    )
