"""Import of Keras without the messages that TensorFlow writes while it starts."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Messages that say nothing to the user of a recipe: about the processor's instructions,
# about libraries that two parts of TensorFlow both register.
HARMLESS = (
    r"WARNING: All log messages before absl::InitializeLog|"
    r"To enable the following instructions:|"
    r"I0000 |"
    r"[WE]0000 .*(computation_placer|Unable to register)"
)
# Messages that say that there is no GPU, which is news only to someone who has one.
NO_GPU = r"|[WE]0000 .*(cuda|CUDA|GPU)"
# The filter runs in a process of its own: should TensorFlow crash, its last words are
# already out of our process, and the filter still shows them.
FILTER = """
import re, sys
for line in sys.stdin:
    if not re.match(sys.argv[1], line):
        sys.stderr.write(line)
        sys.stderr.flush()
"""


def import_keras_quietly() -> None:
    """Imports Keras, and TensorFlow with it, without their start-up messages.

    TensorFlow's C++ libraries write most of these before they read any setting, so that
    no environment variable silences them. Here they pass a filter, which drops the
    harmless ones by name and shows all others. With TF_CPP_MIN_LOG_LEVEL=0 or 1 in the
    environment nothing is dropped.
    """
    if os.environ.setdefault(LEVEL, "2") in ("0", "1"):
        return
    has_gpu = shutil.which("nvidia-smi")
    with filtered_stderr(HARMLESS if has_gpu else HARMLESS + NO_GPU):
        import keras  # noqa: F401

        # Keras imports TensorFlow with every backend, at the latest for a seed.
        with contextlib.suppress(ImportError):
            import tensorflow as tf

            tf.config.list_physical_devices()  # looks for GPUs, and reports on them


@contextlib.contextmanager
def filtered_stderr(pattern: str) -> Iterator[None]:
    """Sends what this process writes to stderr through FILTER."""
    sys.stderr.flush()
    command = [sys.executable, "-S", "-E", "-c", FILTER, pattern]
    # In a session of its own the filter does not get the Ctrl-C that is meant for us.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        kept = os.dup(2)
        assert process.stdin is not None
        os.dup2(process.stdin.fileno(), 2)
        process.stdin.close()
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)  # closes the pipe's last end, which ends the filter
            os.close(kept)
