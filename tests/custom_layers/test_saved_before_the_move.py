"""Models that version 0.1 saved, when the files had other places, still load."""

from pathlib import Path

import keras
import numpy as np
import pytest

import custom_layers  # noqa: F401  registers every class
from oracle import assert_close

SAVED = Path(__file__).with_name("saved")


@pytest.mark.parametrize("name", ["images", "tokens"])
def test_a_model_saved_by_version_0_1_loads_and_answers_the_same(name):
    model = keras.models.load_model(SAVED / f"{name}.keras", safe_mode=True)
    with np.load(SAVED / "answers.npz") as kept:
        x, y = kept[f"{name}_x"], kept[f"{name}_y"]
    assert_close(model.predict(x, verbose=0), y)
    assert int(model.optimizer.iterations) == 1
