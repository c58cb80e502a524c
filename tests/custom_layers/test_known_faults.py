"""What Keras's users reported does not happen in ours.

`tests/helpers/faults_of_*.py` hold the cases: a probe and its right value. The same
probes run on Keras: where the table says that Keras is right, it must be; elsewhere it
may be. Once Keras has repaired a fault, its test is an unexpected pass (XPASS) in the
summary, and the table wants a new line.
"""

import keras
import pytest

import faults_of_augmentation  # noqa: F401  each enters its cases
import faults_of_layers  # noqa: F401
import faults_of_losses  # noqa: F401
import faults_of_models  # noqa: F401
import faults_of_training  # noqa: F401
from faults_page import PAGE, page
from known_faults import FAULTS, OURS, outcome, same

BACKEND = keras.backend.backend()
OF_KERAS = pytest.mark.xfail(reason="a fault of Keras", strict=False)
SLOW = {  # on JAX, which compiles each operation
    "muon_trains_a_model",
    "stateful_lstm_trains",
    "operations_of_a_compiled_step",
    "share_of_pixels_in_the_labels",
    "a_quiet_sound_beside_a_loud_one",
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(f, id=f.name, marks=[pytest.mark.slow] if f.name in SLOW else [])
        for f in FAULTS
    ],
)
def test_ours_has_no_reported_fault(fault):
    assert same(outcome(fault.probe, OURS), fault.right)


@pytest.mark.slow
@pytest.mark.skipif(not keras.version().startswith("3.15."), reason="of Keras 3.15")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(f, id=f.name, marks=[OF_KERAS] if BACKEND in f.wrong_on else [])
        for f in FAULTS
    ],
)
def test_keras_is_what_the_page_says(fault):
    assert same(outcome(fault.probe, keras), fault.right)


@pytest.mark.one_backend
def test_the_page_is_made_of_the_cases():
    assert PAGE.read_text(encoding="utf-8") == page(FAULTS), (
        "Write the page anew: python tests/helpers/faults_page.py"
    )


@pytest.mark.one_backend
def test_cases_have_names_of_their_own():
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
