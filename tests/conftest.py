"""What all tests share: a quiet TensorFlow, a fresh Keras state, no network."""

import gc
import os
import re
import sys
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


def pytest_configure(config):
    """Warnings that others cause: Keras's nightly build, and torch's compiler."""
    if keras.version() >= "3.16":
        # Keras's own recurrent layers lose a mask.
        config.addinivalue_line("filterwarnings", "ignore:.*not support masking")
    if keras.backend.backend() == "jax":
        # A program that another process is writing to the folder of JAX_COMPILATION_-
        # CACHE_DIR can't be read yet: JAX says so and compiles it.
        unread = "ignore:Error reading persistent compilation cache entry"
        config.addinivalue_line("filterwarnings", unread)
    if keras.backend.backend() == "torch":
        # torch.compile uses a part of torch that torch itself calls outdated, and reads
        # the gradient of each tensor that it meets. Tests make floats of losses.
        for message in (
            ".torch.jit.script_method:DeprecationWarning",
            "The .grad attribute of a Tensor:UserWarning",
            "Converting a tensor with requires_grad=True to a scalar:UserWarning",
        ):
            config.addinivalue_line("filterwarnings", f"ignore:{message}")


def pytest_collection_finish():
    """What imports made stays: Python need not look through it for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_keras():
    """Every test starts from the same seed, float policy and layer names."""
    keras.backend.clear_session(free_memory=False)
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """JAX also keeps them in memory: thousands are more than a process may map."""
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()


# Megabytes that a process of the quick tests may use: 2,000 are the aim, since a laptop
# may run eight at once, and the rest is for other machines and other orders of the
# tests. The slow tests and the other backends compile more, and .ci/run runs them.
LARGEST = 2300
PEAKS = []  # of this process, and of the workers that pytest-xdist ran


def peak_memory():
    """Megabytes that this process has used at most; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def is_limited(config):
    """Whether this run is the quick one, on TensorFlow."""
    is_quick = config.getoption("markexpr") == "not slow"
    return is_quick and keras.backend.backend() == "tensorflow"


def pytest_sessionfinish(session):
    """A worker hands its peak to the process that started it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peak"] = peak_memory()
    elif not PEAKS:
        PEAKS.append(peak_memory())
    is_too_large = is_limited(session.config) and max(PEAKS, default=0) > LARGEST
    if is_too_large and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    PEAKS.append(getattr(node, "workeroutput", {}).get("peak", 0))


def pytest_terminal_summary(terminalreporter, config):
    peak = max(PEAKS, default=0)
    limit = f" of at most {LARGEST}" if is_limited(config) else ""
    terminalreporter.write_line(f"A test process used {peak:.0f} MB{limit}.")
