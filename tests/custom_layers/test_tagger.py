"""A model that ends in a CRF: it predicts tags and knows its accuracy."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from custom_layers.layers import CRF, viterbi
from custom_layers.losses import CRFLoss
from custom_layers.metrics import CRFAccuracy
from custom_layers.models import Tagger
from oracle import array

WORDS = np.array([[3, 1, 2, 4, 1], [2, 2, 0, 0, 0], [1, 4, 3, 0, 0]])
TAGS = np.where(WORDS > 0, WORDS % 3, 2)  # padded with the tag 2
JAX = keras.backend.backend() == "jax"


def network():
    words = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(5, 4, mask_zero=True)(words)
    return words, CRF("glorot_uniform")(keras.layers.Dense(3)(x))


def tagger(**compiled):
    keras.utils.set_random_seed(1)
    model = Tagger(*network())
    model.compile(
        keras.optimizers.Adam(0.1), metrics=["accuracy"], jit_compile=JAX, **compiled
    )
    return model


def test_predicts_the_best_tags_and_tag_0_at_padding():
    model = tagger()
    tags = model.predict(WORDS, batch_size=2, verbose=0)
    np.testing.assert_array_equal(tags, viterbi(model(WORDS)))
    np.testing.assert_array_equal(model.predict_on_batch(WORDS), tags)
    assert np.all(tags[WORDS == 0] == 0)
    assert np.issubdtype(tags.dtype, np.integer)


def test_accuracy_is_the_share_of_the_right_tags_that_are_not_masked():
    model = tagger()
    _, accuracy = model.evaluate(WORDS, TAGS, batch_size=2, verbose=0)
    is_right = model.predict(WORDS, verbose=0) == TAGS
    assert accuracy == pytest.approx(is_right[WORDS > 0].mean())


@pytest.mark.slow
def test_learns_the_tags_of_words():
    model = tagger()
    history = model.fit(WORDS, TAGS, epochs=40, batch_size=3, verbose=0).history
    assert history["accuracy"][-1] == 1
    tags = model.predict(WORDS, verbose=0)
    np.testing.assert_array_equal(tags[WORDS > 0], TAGS[WORDS > 0])


def test_the_metric_works_in_any_model_and_takes_weights():
    model = keras.Model(*network())
    accuracy = [CRFAccuracy(name="share")]
    model.compile("sgd", CRFLoss(), metrics=accuracy, jit_compile=JAX)
    right = np.asarray(viterbi(model(WORDS)))
    results = model.evaluate(WORDS, right, return_dict=True, verbose=0)
    assert results["share"] == 1
    metric = CRFAccuracy()
    wrong = np.where([[1], [0], [0]], right, (right + 1) % 3)  # 5 of 10 are right
    metric.update_state(wrong, model(WORDS))
    assert float(metric.result()) == pytest.approx(0.5)
    metric.reset_state()
    metric.update_state(wrong, model(WORDS), sample_weight=[2.0, 1.0, 1.0])
    assert float(metric.result()) == pytest.approx(10 / 15)
    assert float(CRFAccuracy().result()) == 0


LOAD = """
import sys, numpy as np, keras, custom_layers
model = keras.models.load_model(sys.argv[1], safe_mode=True)
data = np.load(sys.argv[2])
np.testing.assert_array_equal(model.predict(data["x"], verbose=0), data["y"])
assert model.evaluate(data["x"], data["y"], verbose=0)[1] == 1
print(type(model).__name__)
"""


@pytest.mark.slow
def test_a_saved_tagger_predicts_tags_in_a_fresh_process(tmp_path):
    model = tagger()
    model.fit(WORDS, TAGS, verbose=0)
    model.save(tmp_path / "tagger.keras")
    tags = model.predict(WORDS, verbose=0)
    np.savez(tmp_path / "data.npz", x=WORDS, y=tags)
    paths = [str(tmp_path / "tagger.keras"), str(tmp_path / "data.npz")]
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *paths], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["Tagger"]


def test_a_model_saved_with_a_crf_becomes_a_tagger():
    """A plain model goes on giving potentials; its layers make a Tagger at no cost."""
    plain = keras.Model(*network())
    assert plain.predict(WORDS, verbose=0).shape == (3, 5, 3, 3)
    tags = Tagger(plain.inputs[0], plain.outputs[0]).predict(WORDS, verbose=0)
    np.testing.assert_array_equal(tags, viterbi(plain(WORDS)))


def test_mixed_precision_masks_as_well():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = tagger()
        loss, accuracy = model.evaluate(WORDS, TAGS, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert loss < 30
    assert 0 <= accuracy <= 1


def test_refuses_outputs_that_are_no_potentials():
    inputs = keras.Input((4, 3))
    with pytest.raises(ValueError, match="A Tagger ends in a CRF"):
        Tagger(inputs, keras.layers.Dense(3)(inputs))


def test_potentials_of_another_size_are_refused_by_the_loss():
    with pytest.raises(ValueError, match=r"shapes \(B, T\) and \(B, T, N, N\)"):
        CRFLoss()(np.zeros((2, 4), "int32"), array(2, 3, 5, 5))
