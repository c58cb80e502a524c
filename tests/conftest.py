"""What all tests share: a quiet TensorFlow, a fresh Keras state, no network."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import pytest


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


def skip_if_backend(backend, reason):
    """Keras's own test files, which test_keras_own.py runs, import this from here."""
    return pytest.mark.skipif(keras.backend.backend() == backend, reason=reason)
