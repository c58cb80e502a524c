"""GPUs of this machine, and how the workers of a search share them."""

import os
import re
import shutil
import subprocess

from cookbook.errors import fail

VISIBLE = "CUDA_VISIBLE_DEVICES"
# A line of `nvidia-smi -L`, of a whole GPU or of a part of one, which is called MIG.
DEVICE = re.compile(r"\s*(GPU|MIG) .*\(UUID: (\S+)\)")


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES would name them."""
    given = os.environ.get(VISIBLE)
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return [name for name in names if name not in ("", "-1")]
    if not shutil.which("nvidia-smi"):
        return []
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True)
    found = [DEVICE.match(line) for line in listed.stdout.splitlines()]
    kinds = [(match[1], match[2]) for match in found if match]
    parts = [name for kind, name in kinds if kind == "MIG"]
    return parts or [name for _, name in kinds]


def shares(workers: int, gpus: float | None) -> list[dict[str, str]]:
    """The environment variables by which each worker sees its own GPUs only.

    gpus: GPUs of each worker; None leaves all GPUs to all workers.
    """
    if gpus is None:
        return [{}] * workers
    if gpus < 0 or gpus != int(gpus):
        fail(f"--gpus-per-trial got {gpus:g}, expected a whole number (but with Ray)")
    each = int(gpus)
    found = visible_gpus()
    if len(found) < each * workers:
        fail(
            f"--gpus-per-trial got {each}, which {workers} workers multiply to "
            f"{each * workers} GPUs, and this machine has {len(found)}: lower it, or "
            "--workers"
        )
    parts = [found[i * each : (i + 1) * each] for i in range(workers)]
    return [{VISIBLE: ",".join(part)} for part in parts]
