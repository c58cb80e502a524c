"""What all tests share: a quiet TensorFlow, a fresh Keras state, no network."""

import os
import re
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Without it a processor that lacks AVX-512 refuses channels_first, from Keras as well.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import pytest

# The components run on every backend, what stands on them on TensorFlow.
ABOVE = re.compile(r"^\s*(from|import) (cookbook|recipes|benchmarks)\b", re.MULTILINE)
if keras.backend.backend() != "tensorflow":
    files = Path(__file__).parent.rglob("test_*.py")
    collect_ignore = [
        str(f.relative_to(Path(__file__).parent))
        for f in files
        if ABOVE.search(f.read_text())
    ]
else:
    from cookbook.training.autotuning import switch_off_autotuning

    switch_off_autotuning()


@pytest.fixture(autouse=True)
def fresh_keras():
    """Every test starts from the same seed, float policy and layer names."""
    keras.backend.clear_session(free_memory=False)
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """JAX keeps each program it compiled: thousands are more than a process may map."""
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()
