"""GPUs of this machine, and how the workers of a search share them."""

import os
import re
import shutil
import subprocess

from cookbook.errors import fail

VISIBLE = "CUDA_VISIBLE_DEVICES"
# A line of `nvidia-smi -L`, of a whole GPU or of a part of one, which is called MIG.
DEVICE = re.compile(r"^\s*(GPU|MIG) .*\(UUID: (\S+)\)", re.MULTILINE)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES would name them."""
    given = os.environ.get(VISIBLE)
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return [name for name in names if name not in ("", "-1")]
    if not shutil.which("nvidia-smi"):
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    return _devices(listed.stdout)


def _devices(listed: str) -> list[str]:
    """The devices in the output of `nvidia-smi -L`: the parts of GPUs, or the GPUs."""
    found: dict[str, list[str]] = {"GPU": [], "MIG": []}
    for kind, name in DEVICE.findall(listed):
        found[kind].append(name)
    return found["MIG"] or found["GPU"]


def shares(workers: int, gpus: float | None) -> list[dict[str, str]]:
    """The environment variables by which each worker sees its own GPUs only.

    gpus: GPUs of each worker; None leaves all GPUs to all workers.
    """
    if gpus is None:
        return [{}] * workers

    if gpus < 0 or gpus != int(gpus):
        fail(
            f"--gpus-per-trial got {gpus:g}, expected a whole number; only trials on "
            "Ray can share a GPU, by --on ray"
        )
    each = int(gpus)
    needed = each * workers
    found = visible_gpus()
    if len(found) < needed:
        fail(
            f"--gpus-per-trial got {each}, for which {workers} workers need {needed} "
            f"GPUs, and this machine has {len(found)}: lower it, or --workers"
        )

    environments = []
    for first in range(0, needed, each) if each else [0] * workers:
        own = found[first : first + each]
        environments.append({VISIBLE: ",".join(own)})
    return environments
