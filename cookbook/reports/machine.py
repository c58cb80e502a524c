"""The machine that a run was made on: its processor, cores and accelerators."""

import contextlib
import importlib
import os
import platform
import re
from pathlib import Path

import keras


def machine() -> str:
    """The processor, how many of its cores this process may use, and the GPUs."""
    count = _usable_cores()
    cores = "1 core" if count == 1 else f"{count} cores"
    return " + ".join([f"{_processor()}, {cores}", *_accelerators()])


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: a container may have a part of them
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The name of the processor, on Linux the one that /proc/cpuinfo gives."""
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text()
        if found := re.search(r"model name\s*: (.+)", text):
            return found[1]
    return platform.processor() or platform.machine()


def _accelerators() -> list[str]:
    """The names of the GPUs that the backend computes on."""
    backend = importlib.import_module(keras.backend.backend())
    if backend.__name__ == "jax":
        devices = backend.devices()
        return [device.device_kind for device in devices if device.platform != "cpu"]
    if backend.__name__ == "torch":
        count = backend.cuda.device_count()
        return [backend.cuda.get_device_name(i) for i in range(count)]
    devices = backend.config.list_physical_devices("GPU")
    details = map(backend.config.experimental.get_device_details, devices)
    return [detail.get("device_name", "GPU") for detail in details]
