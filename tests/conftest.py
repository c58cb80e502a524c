"""What all tests share: a quiet TensorFlow, a fresh Keras state, no network."""

import contextlib
import datetime
import functools
import gc
import os
import re
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Without it a processor that lacks AVX-512 refuses channels_first, from Keras as well.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def pytest_addoption(parser):
    parser.addoption(
        "--one-of",
        type=int,
        default=1,
        metavar="N",
        help="run one of N parts of the tests, another part each day",
    )


# Processes that run parts of the same tests have the same day, also around midnight.
os.environ.setdefault("DAY_OF_TESTS", str(datetime.date.today().toordinal()))


def pytest_configure(config):
    """Prepares a process for tests, unless all it does is start others that run them.

    That one does without Keras, whose import takes seconds.
    """
    has_workers = config.getoption("numprocesses", 0) and not config.option.collectonly
    if hasattr(config, "workerinput") or not has_workers:
        prepare_backend()
        ignore_warnings_of_others(config)


def prepare_backend():
    import keras

    if keras.backend.backend() == "tensorflow":
        from cookbook.training.autotuning import switch_off_autotuning

        switch_off_autotuning()
    elif keras.backend.backend() == "jax":
        share_context_of_compiler()


def share_context_of_compiler():
    """Each program that JAX compiles has a context, of 4 ms and 1.5 MB: now the same.

    The tests compile many thousands, most of them of one operation.
    """
    from jax._src.interpreters import mlir

    make = getattr(mlir, "make_ir_context", None)
    if make is not None:  # a private function, which another JAX may not have
        mlir.make_ir_context = functools.cache(make)


def ignore_warnings_of_others(config):
    """Those of Keras's nightly build, of two processes of JAX, of torch's compiler."""
    import keras

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


# The components run on every backend, what stands on them on TensorFlow.
ABOVE = re.compile(r"^\s*(from|import) (cookbook|recipes|benchmarks)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path):
    import keras

    is_test = collection_path.match("test_*.py")
    if is_test and keras.backend.backend() != "tensorflow":
        return True if ABOVE.search(collection_path.read_text()) else None
    return None


def pytest_collection_modifyitems(config, items):
    """Leaves the part of the day, of which long tests begin first.

    If the last test took long, the other cores would be idle.
    """
    parts = config.getoption("one_of")
    if parts > 1:
        today = int(os.environ["DAY_OF_TESTS"]) % parts
        others = [item for i, item in enumerate(items) if i % parts != today]
        items[:] = items[today::parts]
        config.hook.pytest_deselected(items=others)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish():
    """What imports made stays: Python need not look through it for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_keras():
    """Every test starts from the same seed, float policy and layer names."""
    import keras

    keras.backend.clear_session(free_memory=False)
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="module")
def little_memory():
    """What the models of a module leave behind, beside the garbage, goes with it.

    TensorFlow keeps the graph around each custom gradient; JAX keeps every program that
    it compiled, and thousands are more than a process may map.
    """
    import keras

    forget = None
    with contextlib.suppress(ImportError):  # where copies stand in for our packages
        from custom_layers.common.private_keras import note_gradients

        forget = note_gradients()
    yield
    if forget is not None:
        forget()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()


# Megabytes that a process of the quick tests may use: 2,000 are the aim, since a laptop
# may run eight at once, and the rest is for other machines and other orders of the
# tests. TensorFlow keeps each program that XLA compiled for as long as it lives. The
# slow tests and the other backends compile more, and .ci/run runs them.
LARGEST = 3500
PEAKS = []  # (megabytes, limit) of this process, or of the workers of pytest-xdist


def peak_and_limit(config):
    """Megabytes that this process has used at most, and how many it may use."""
    import keras

    is_quick = config.getoption("markexpr") == "not slow"
    is_limited = is_quick and keras.backend.backend() == "tensorflow"
    return peak_memory(), LARGEST if is_limited else None


def peak_memory():
    """Megabytes that this process has used at most; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def pytest_sessionfinish(session):
    """A worker hands its peak to the process that started it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["peak"] = peak_and_limit(session.config)
    elif not PEAKS:
        PEAKS.append(peak_and_limit(session.config))
    is_too_large = any(limit and peak > limit for peak, limit in PEAKS)
    if is_too_large and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    PEAKS.append(getattr(node, "workeroutput", {}).get("peak", (0, None)))


def pytest_terminal_summary(terminalreporter):
    peak, limit = max(PEAKS, key=lambda pair: pair[0], default=(0, None))
    limit = f" of at most {limit}" if limit else ""
    terminalreporter.write_line(f"A test process used {peak:.0f} MB{limit}.")
