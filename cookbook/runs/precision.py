"""Precision of a run: the numbers in which its network computes.

With bfloat16 or float16, Keras's mixed policies compute layers in 16 bits. Weights, the
last layer, losses, statistics and metrics keep 32 bits. Keras is imported where it is
needed, because a run folder is opened without it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cookbook.config import ExperimentConfig
from cookbook.errors import fail

POLICIES = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
PROCESSOR = Path("/proc/cpuinfo")  # in which Linux describes the processor
# How Linux calls the instructions that multiply in bfloat16, on x86 and on ARM.
INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}
CHOSEN = ["float32"]  # the precision of this process
BEFORE: list[Any] = []  # the policy that the chosen one has replaced


def choose_precision(config: ExperimentConfig) -> None:
    """Chooses config.precision for the networks that this process trains from now on.

    The program ends with one line on a machine that has no fast way to compute in it.
    """
    chosen = getattr(config, "precision", "float32")
    if chosen == "bfloat16" and not (has_bfloat16() or has_gpu()):
        fail(
            "--precision got bfloat16, which needs a processor with AVX512-BF16 or "
            "AMX, or a GPU, and this machine has neither: leave --precision out"
        )
    if chosen == "float16" and not has_gpu():
        import keras

        fail(
            "--precision got float16, which needs a GPU, and "
            f"{keras.backend.backend()} finds none: take bfloat16, or leave "
            "--precision out"
        )
    CHOSEN[:] = [chosen]


def enter_precision() -> None:
    """Makes the chosen precision Keras's policy, a global setting.

    `leave_precision` undoes it. With float32, the default, no policy changes.
    """
    leave_precision()
    if CHOSEN[0] in POLICIES:
        import keras

        BEFORE[:] = [keras.config.dtype_policy()]
        keras.config.set_dtype_policy(POLICIES[CHOSEN[0]])


def leave_precision() -> None:
    """Gives Keras the policy back that it had before `enter_precision`."""
    if BEFORE:
        import keras

        keras.config.set_dtype_policy(BEFORE.pop())


@contextlib.contextmanager
def in_float32() -> Iterator[None]:
    """A context without the choice, for training networks that judge others."""
    chosen = CHOSEN[0]
    leave_precision()
    CHOSEN[:] = ["float32"]
    try:
        yield
    finally:
        CHOSEN[:] = [chosen]


def has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; only Linux tells."""
    with contextlib.suppress(OSError):
        return bool(INSTRUCTIONS.intersection(PROCESSOR.read_text().split()))
    return False


def has_gpu() -> bool:
    """Whether the backend finds a GPU."""
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return torch.cuda.is_available()
    if backend == "jax":
        import jax

        return any(device.platform == "gpu" for device in jax.devices())
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
