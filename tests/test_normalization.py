"""Normalization against Keras, the papers' formulas, its properties and refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.normalization.batch import BatchNormalization
from custom_layers.normalization.norms import (
    SpectralNormalization,
    UnitNormalization,
    WeightNormalization,
)
from custom_layers.normalization.sample import (
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RMSNormalization,
)
from oracle import Case, array, assert_close, assert_same_layer, run_layer

TRAIN = {"training": True}
BOUNDS = {"rmax": 1.5, "rmin": 0.9, "dmax": 0.1}
MASK = np.array([[True, True, False], [True, False, False]])
PENALTIES = {
    "beta_regularizer": "l2",
    "gamma_regularizer": "l1",
    "beta_constraint": "non_neg",
    "gamma_constraint": "max_norm",
}
BN, LN, GN = "BatchNormalization", "LayerNormalization", "GroupNormalization"
CASES = [
    # batch
    Case(BN, {}, array(7, 5), TRAIN),
    Case(BN, {}, array(7, 5)),
    Case(BN, {"momentum": 0.3, "epsilon": 0.1}, array(3, 5, 4, 2), TRAIN),
    Case(BN, {"axis": 1, **PENALTIES}, array(3, 4, 5), TRAIN),
    Case(BN, {"axis": 1}, array(3, 4, 5)),
    Case(BN, {"axis": -2}, array(2, 3, 2, 3), TRAIN),
    Case(BN, {"center": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False, "center": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False, "center": False}, array(6, 3)),
    Case(BN, {"trainable": False}, array(6, 3), TRAIN),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK}),
    Case(BN, {"axis": 1}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    Case(BN, {"momentum": 0.5}, array(2, 3, 4, 2), {"mask": MASK[..., None], **TRAIN}),
    Case(BN, {"scale": False}, array(2, 3, 4), {"mask": MASK * 1.0, **TRAIN}),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK & False, **TRAIN}),
    Case(BN, {"renorm": True}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True}, array(6, 3)),
    Case(BN, {"renorm": True, "renorm_clipping": BOUNDS}, array(4, 3, 2), TRAIN),
    Case(BN, {"renorm": True, "renorm_clipping": {"rmax": None}}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True, "renorm_momentum": 0.2}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True, "scale": False, "axis": 1}, array(4, 3, 2), TRAIN),
    Case(BN, {"renorm": True}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    # layer
    Case(LN, {}, array(7, 5)),
    Case(LN, {"axis": 1, **PENALTIES}, array(3, 4, 5)),
    Case(LN, {"axis": [-1, -2], "epsilon": 0.1}, array(3, 4, 5)),
    Case(LN, {"axis": (1, 3)}, array(2, 3, 4, 2)),
    Case(LN, {"axis": [0, 2]}, array(2, 3, 4)),
    Case(LN, {"center": False}, array(2, 3, 4)),
    Case(LN, {"scale": False}, array(2, 3, 4)),
    Case(LN, {"scale": False, "center": False, "axis": [1, 2]}, array(2, 3, 4)),
    # group
    Case(GN, {"groups": 2}, array(3, 8)),
    Case(GN, {"groups": 3, **PENALTIES}, array(2, 5, 4, 6)),
    Case(GN, {"groups": 1, "epsilon": 0.1}, array(2, 5, 4)),
    Case(GN, {"groups": 4}, array(2, 5, 4)),
    Case(GN, {"groups": 2, "axis": 1}, array(2, 4, 3, 5)),
    Case(GN, {"groups": 2, "axis": -2}, array(2, 3, 4, 5)),
    Case(GN, {"groups": 2, "scale": False}, array(2, 3, 4)),
    Case(GN, {"groups": 2, "center": False}, array(2, 3, 4)),
    # root mean square, unit
    Case("RMSNormalization", {}, array(7, 5)),
    Case("RMSNormalization", {"epsilon": 0.1}, array(2, 3, 4)),
    Case("RMSNormalization", {"axis": [-1, -2]}, array(2, 3, 4)),
    Case("UnitNormalization", {}, array(7, 5)),
    Case("UnitNormalization", {"axis": (1, 2)}, array(2, 3, 4)),
    Case("UnitNormalization", {"axis": 0}, array(3, 4)),
]
NORMALIZATIONS = [
    BatchNormalization(),
    LayerNormalization(),
    GroupNormalization(2),
    InstanceNormalization(),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.filterwarnings("ignore:.*rms_scaling")
def test_same_as_keras_with_the_deprecated_rms_scaling():
    assert_same_layer(Case(LN, {"rms_scaling": True}, array(3, 4)))


def test_instance_normalization_is_keras_group_normalization_with_groups_of_one():
    case = Case("InstanceNormalization", {"axis": 1, "epsilon": 0.1}, array(2, 3, 4, 5))
    theirs = keras.layers.GroupNormalization
    assert_same_layer(case, theirs=lambda **kwargs: theirs(-1, **kwargs))


def test_instance_normalization_is_the_papers_formula():
    x = array(2, 5, 4, 3)
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=(1, 2), keepdims=True) + 1e-3)
    assert_close(InstanceNormalization()(x), (x - mean) / deviation)
