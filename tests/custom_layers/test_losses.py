"""Every loss against Keras's: values and gradients, reductions, weights, masks."""

import keras
import numpy as np
import pytest
from keras import ops

from loss_cases import ROWS, both_of, data, function_name
from oracle import array, assert_close, components, keras_counterpart

BACKEND = keras.backend.backend()
DTYPES = ["float32", "float64"] if BACKEND == "tensorflow" else ["float32"]
RTOL = {"float32": 2e-6, "float64": 1e-9}


WAYS = ["mean", "none", "sum", "weights", "mask", "weights and mask", "weight mean"]


def way_of(way, values_shape):
    """(reduction, sample weight, mask) of one of WAYS."""
    reduction = {"none": None, "sum": "sum", "weight mean": "mean_with_sample_weight"}
    weight = array(*values_shape, low=0.0, high=2.0) if "weight" in way else None
    mask = array(*values_shape, seed=5) > -0.3 if "mask" in way else None
    return reduction.get(way, "sum_over_batch_size"), weight, mask


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({row[1]})-{row[4]}")
def test_same_as_keras(row, way, dtype):
    name, kwargs, true, pred, shape = row
    y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2)
    if name == "Circle" and "mask" in way:
        pytest.skip("Keras pairs with padding; see test_masked_losses.py")
    plain = keras_counterpart(name)(**kwargs, reduction=None)
    reduction, weight, mask = way_of(way, np.shape(plain(y_true, y_pred)))
    ours, theirs = both_of(
        (components()[name], keras_counterpart(name)),
        {**kwargs, "reduction": reduction},
        y_true,
        y_pred,
        dtype,
        weight=weight,
        mask=mask,
    )
    assert ours.keys() == theirs.keys()
    for key in theirs:
        assert np.all(np.isfinite(ours[key]))
        if np.all(np.isfinite(theirs[key])):  # Circle's gradient is not always
            assert_close(ours[key], theirs[key], RTOL[dtype], key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({row[1]})-{row[4]}")
def test_function_same_as_keras(row):
    name, kwargs, true, pred, shape = row
    if name == "CategoricalGeneralizedCrossEntropy":
        kwargs = {"q": 0.5, **kwargs}
    function = function_name(name)
    y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2).astype("f")
    ours = components()[function](y_true, y_pred, **kwargs)
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    theirs = keras_counterpart(function)(y_true, y_pred, **kwargs)
    assert keras.backend.standardize_dtype(ours.dtype) == "float32"
    assert_close(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), 2e-6)


def test_every_loss_that_keras_has_stands_in_the_table():
    ours = {
        name
        for name, thing in components().items()
        if isinstance(thing, type) and issubclass(thing, keras.losses.Loss)
    }
    in_keras = {name for name in ours if hasattr(keras.losses, name)}
    assert in_keras - {"CTC"} == {row[0] for row in ROWS}  # test_ctc.py
