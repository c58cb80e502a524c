"""What every component promises, checked for each by discovery."""

import inspect
import json
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import examples
from making import CLASSES, KINDS, LAYERS, example_input, make, make_layer
from oracle import array, call_layer, components

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="jit_compile is TensorFlow's flag"
)


def symbolic_input(x):
    return keras.tree.map_structure(
        lambda a: keras.Input(a.shape[1:], dtype=a.dtype), x
    )


def listed(tree):
    """A dict of inputs as a list, which a model takes whatever their names."""
    return keras.tree.flatten(tree) if isinstance(tree, dict) else tree


def as_json(config):
    """As plain values, without the shapes that Keras adds for a built layer inside."""

    def plain(pairs):
        return {k: v for k, v in pairs if k != "build_config"}

    return json.loads(json.dumps(config, default=str), object_pairs_hook=plain)


@pytest.mark.one_backend
def test_every_class_has_an_example_and_every_example_a_class():
    rows = {name for _, table in KINDS.values() for name in table}
    assert rows == set(CLASSES)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_config_round_trip(name):
    config = make(name).get_config()
    wanted = as_json(config)
    again = CLASSES[name].from_config(config)  # of a model, which empties its argument
    assert as_json(again.get_config()) == wanted


@pytest.mark.one_backend
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_registered_under_the_one_package(name):
    registered = keras.saving.get_registered_name(CLASSES[name])
    assert registered == f"keras_cookbook>{name}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_pickles(name):
    component = make(name)
    again = pickle.loads(pickle.dumps(component))
    assert as_json(again.get_config()) == as_json(component.get_config())


@pytest.mark.one_backend
@pytest.mark.parametrize("name", LAYERS)
def test_config_is_the_same_before_and_after_build(name):
    layer = make_layer(name)
    before = as_json(layer.get_config())
    x = keras.tree.map_structure(ops.convert_to_tensor, example_input(name))
    call_layer(layer, x)
    assert as_json(layer.get_config()) == before


@pytest.mark.parametrize("name", LAYERS)
def test_symbolic_shape_is_the_real_shape(name):
    x = example_input(name)
    layer = make_layer(name)
    real = keras.tree.map_structure(np.shape, call_layer(layer, x))
    symbolic = call_layer(make_layer(name), symbolic_input(x))
    for y, shape in zip(keras.tree.flatten(symbolic), _shapes(real), strict=True):
        assert y.shape[0] is None
        assert tuple(y.shape[1:]) == tuple(shape[1:])
    shapes = keras.tree.map_structure(np.shape, x)
    if isinstance(shapes, dict):
        shapes = {f"{key}_shape": shape for key, shape in shapes.items()}
    promised = call_layer(layer.compute_output_shape, shapes)
    assert _shapes(promised) == _shapes(real)


def _shapes(tree):
    """Shapes of a nest, as a flat list of tuples."""
    if not tree or isinstance(tree[0], int) or tree[0] is None:
        return [tuple(tree)]
    return [tuple(shape) for part in tree for shape in _shapes(part)]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_mixed_precision(name, policy):
    layer = make_layer(name, dtype=policy)
    for y in keras.tree.flatten(call_layer(layer, example_input(name))):
        assert bool(ops.all(ops.isfinite(y)))
        if keras.backend.is_float_dtype(y.dtype):
            assert keras.backend.standardize_dtype(y.dtype) == policy.split("_")[1]
    assert {w.dtype for w in layer.trainable_weights} <= {"float32"}


@needs_tensorflow
@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", LAYERS)
def test_training_changes_exactly_the_trainable_weights(name, jit_compile):
    x = example_input(name)
    inputs = symbolic_input(x)
    layer = make_layer(name)
    if jit_compile and not layer.supports_jit:
        pytest.skip("says that XLA can't compile it")
    outputs = keras.tree.flatten(call_layer(layer, inputs))
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(y) for y in outputs] * 2)
    model = keras.Model(listed(inputs), keras.layers.Dense(1)(flat))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    before = [ops.convert_to_numpy(w) for w in layer.weights]
    model.fit(listed(x), np.ones((len(keras.tree.flatten(x)[0]), 1)), verbose=0)
    for weight, old in zip(layer.weights, before):
        changed = not np.array_equal(ops.convert_to_numpy(weight), old)
        if weight.trainable:
            assert changed, f"{weight.path} was not trained"
    layer.trainable = False
    assert not layer.trainable_weights


LOAD = """
import sys, numpy as np, keras, custom_layers
for path in sys.argv[1:]:
    data = np.load(path + ".npz")
    x = [data[k] for k in sorted(data) if k.startswith("x")]
    model = keras.models.load_model(path + ".keras", safe_mode=True)
    y = model(x if len(x) > 1 else x[0])
    parts = [keras.ops.convert_to_numpy(part) for part in keras.tree.flatten(y)]
    y = np.concatenate([np.ravel(part) for part in parts])
    np.testing.assert_allclose(y, data["y"], rtol=1e-5, atol=1e-6, err_msg=path)
    print(path)
"""


def test_saved_layers_load_in_a_fresh_process(tmp_path):
    paths = []
    for name in LAYERS:
        x = example_input(name)
        inputs = symbolic_input(x)
        model = keras.Model(listed(inputs), call_layer(make_layer(name), inputs))
        x = listed(x)
        y = [np.ravel(ops.convert_to_numpy(p)) for p in keras.tree.flatten(model(x))]
        path = str(tmp_path / name)
        model.save(path + ".keras")
        parts = {f"x{i}": a for i, a in enumerate(keras.tree.flatten(x))}
        np.savez(path + ".npz", y=np.concatenate(y), **parts)
        paths.append(path)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *paths], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == paths


CONTINUE = """
import sys, numpy as np, keras, custom_layers
for path in sys.argv[1:]:
    data = np.load(path + ".npz")
    model = keras.models.load_model(path + ".keras", safe_mode=True)
    for _ in range(3):
        model.train_on_batch(data["x"], data["y"])
    for i, w in enumerate(model.get_weights()):
        np.testing.assert_array_equal(w, data[f"w{i}"], err_msg=path)
    print(path)
"""


def _small_model(optimizer, loss):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4)])
    model.compile(optimizer, loss, jit_compile=False)
    return model


@pytest.mark.slow
def test_training_goes_on_from_a_file_bit_for_bit(tmp_path):
    """Saved after 3 steps, loaded in a fresh process: steps 4 to 6 are the same."""
    x = array(8, 5)
    paths = []
    for name in [*examples.OPTIMIZERS, *examples.SCHEDULES]:
        is_schedule = name in examples.SCHEDULES
        optimizer = keras.optimizers.SGD(make(name)) if is_schedule else make(name)
        model = _small_model(optimizer, "mse")
        y = array(8, 4, seed=2)
        for step in range(6):
            model.train_on_batch(x, y)
            if step == 2:
                model.save(str(tmp_path / f"{name}.keras"))
        weights = {f"w{i}": w for i, w in enumerate(model.get_weights())}
        np.savez(str(tmp_path / f"{name}.npz"), x=x, y=y, **weights)
        paths.append(str(tmp_path / name))
    done = subprocess.run(
        [sys.executable, "-c", CONTINUE, *paths], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == paths


@pytest.mark.one_backend
@pytest.mark.parametrize("name", sorted(components()))
def test_docstring_says_formula_source_and_example(name):
    doc = inspect.getdoc(components()[name]) or ""
    assert ">>>" in doc, "an example, run as a doctest, is missing"
    if inspect.isclass(components()[name]):
        assert "http" in doc, "the paper's address is missing"
        assert 8 <= len(doc.splitlines()) <= 45
