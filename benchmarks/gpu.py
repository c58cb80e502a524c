"""The table on a GPU, on JAX, PyTorch and, where it has one, TensorFlow.

    python -m benchmarks.gpu --seconds 480 --json gpu.json
    python -m benchmarks.gpu --seconds 60 --cpu      (tries the script itself, in small)

Each backend gets a process of its own and its share of the time. A row that would come
too late is left out; what was measured is printed and kept at once. A row that fails is
named with its error, and the others go on; the exit status is then 1. PyTorch's own
parts are timed in the process of the torch backend, so that two libraries never share a
GPU: ours / PyTorch is a ratio of medians there, without quartiles on other backends.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
import typing
from pathlib import Path

BACKENDS = ("torch", "jax", "tensorflow")  # torch is the first: all compare with it
SLOWEST_ROW = 20.0  # seconds; a row begins only if so much time is left
SMALL_ROW = 3.0
NO_GPU = 2  # the exit status


def main() -> None:
    """Measures on every backend that is installed and has a GPU."""
    arguments = _parsed()
    if arguments.backend:
        _measure(arguments)
        return
    if not arguments.cpu and not has_gpu():
        print("No GPU was found, so nothing was measured; --cpu tries the script.")
        sys.exit(NO_GPU)
    deadline = time.time() + arguments.seconds
    left = [name for name in BACKENDS if importlib.util.find_spec(name)]
    medians: dict[str, float] = {}
    failed = []
    while left:
        backend = left.pop(0)
        share = (deadline - time.time()) / (1 + len(left))
        status = _run_backend(backend, share, arguments, medians)
        failed += [backend] if status else []
    if failed:
        sys.exit(f"Not all rows were measured on {' and '.join(failed)}; see above.")


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description="The table on a GPU."
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=480.0,
        help="time for everything (default: 480)",
    )
    parser.add_argument("--cpu", action="store_true", help="small sizes, without a GPU")
    parser.add_argument("--json", type=Path, help="adds the results to this file")
    parser.add_argument("--backend", choices=BACKENDS, help=argparse.SUPPRESS)
    return parser.parse_args()


def has_gpu() -> bool:
    """Whether the driver of NVIDIA answers."""
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run(["nvidia-smi", "-L"], capture_output=True).returncode == 0


def _run_backend(
    backend: str,
    seconds: float,
    arguments: argparse.Namespace,
    medians: dict[str, float],
) -> int:
    """Prints the rows of a backend; returns the exit status of its process.

    medians: milliseconds of PyTorch's part in each row, which the first backend adds.
    """
    command = [sys.executable, "-m", "benchmarks.gpu", "--backend", backend]
    command += ["--seconds", str(seconds)] + ["--cpu"] * arguments.cpu
    process = subprocess.Popen(
        command,
        env=_environment(backend, arguments.cpu),
        stdout=subprocess.PIPE,
        text=True,
    )
    killer = _kill_after(process, seconds + SLOWEST_ROW)
    for line in typing.cast(typing.IO[str], process.stdout):
        if not line.startswith("{"):
            print(f"{backend}: {line.rstrip()}", flush=True)
            continue
        row = json.loads(line)
        if "torch" in row:
            medians[row["what"]] = row["torch"]["milliseconds"]
        _show(backend, row, medians)
        _keep(arguments.json, backend, row)
    status = process.wait()
    killer.cancel()
    if status < 0:
        print(f"{backend}: was ended, because a row took too long", flush=True)
    return status


def _kill_after(process: subprocess.Popen, seconds: float) -> typing.Any:
    """A timer that kills the process if it lives too long."""
    import threading

    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def _environment(backend: str, is_trial: bool) -> dict[str, str]:
    # Threads of PyTorch look for work all the time. On cores that others use too, that
    # slows a row down a hundredfold; where the figures don't count, they may sleep.
    patient = {"OMP_WAIT_POLICY": "PASSIVE"} if is_trial else {}
    return {
        **os.environ,
        **patient,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def _show(backend: str, row: dict, medians: dict[str, float]) -> None:
    ours = row["ours"]["milliseconds"]
    lower, median, upper = row["keras"]["ratio"]
    line = f"{backend:<11}{row['what']:<56}{ours:>9.3f} ms"
    line += f"  ours/Keras {median:.2f} ({lower:.2f} to {upper:.2f})"
    if row["what"] in medians:
        line += f"  ours/PyTorch {ours / medians[row['what']]:.2f}"
    print(line, flush=True)


def _keep(path: Path | None, backend: str, row: dict) -> None:
    from benchmarks.results import Results

    Results(path, f"gpu, {backend}").keep(row["what"], row)


def _measure(arguments: argparse.Namespace) -> None:
    """What the process of a backend does: a line of JSON for each row."""
    from benchmarks import gpu_rows

    deadline = time.time() + arguments.seconds
    if not arguments.cpu and not gpu_rows.backend_has_gpu():
        print("has no GPU here, so it is left out")
        return
    is_complete = True
    slowest = SMALL_ROW if arguments.cpu else SLOWEST_ROW
    for row in gpu_rows.rows_for(small=arguments.cpu):
        if time.time() + slowest > deadline:
            print("the time is over; the rows that remain are left out")
            break
        try:
            measured = gpu_rows.measured(row)
        except Exception as error:  # whatever a backend raises: the next row may run
            traceback.print_exc()
            print(f"{row.what} failed: {type(error).__name__}", flush=True)
            is_complete = False
            continue
        print(json.dumps(measured), flush=True)
    if not is_complete:
        sys.exit(1)


if __name__ == "__main__":
    main()
