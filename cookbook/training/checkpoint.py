"""Checkpoints: what a killed run goes on from, written whole and checked when read."""

import hashlib
import json
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.errors import fail
from cookbook.runs.files import Damaged
from cookbook.training.run_folder import RunFolder

FORMAT = 2  # of the files; a version that writes them otherwise has another number
MAGIC = b"keras-cookbook save"
NAME = re.compile(r"step_(\d{1,18})\.save")
KEPT = 2  # saves: the newest, and the one before in case the newest is damaged


class OtherVersion(Exception):
    """The error of a save that another version of the cookbook wrote."""


def pack_save(header: dict, arrays: Iterable) -> bytes:
    """The bytes of a save: MAGIC, FORMAT, a checksum, the header, the raw arrays."""
    arrays = [np.asarray(array, order="C") for array in arrays]
    kinds = [[array.dtype.name, array.shape] for array in arrays]
    text = json.dumps({**header, "arrays": kinds}).encode() + b"\n"
    parts = [text, *(array.tobytes() for array in arrays)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    first = b"%s %d\n%s\n" % (MAGIC, FORMAT, digest.hexdigest().encode())
    return b"".join([first, *parts])


def unpack_save(content: bytes) -> tuple[dict, list[np.ndarray]]:
    """(header, arrays) of the bytes of a save; raises Damaged or OtherVersion."""
    first, _, rest = content.partition(b"\n")
    found = re.fullmatch(re.escape(MAGIC) + rb" (\d{1,9})", first)
    if not found:
        raise Damaged("it does not begin as a save does")
    if int(found[1]) != FORMAT:
        raise OtherVersion(f"format {int(found[1])}")
    digest, _, rest = rest.partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        raise Damaged("its checksum is wrong")
    text, _, raw = rest.partition(b"\n")
    header = json.loads(text)
    arrays = []
    start = 0
    for name, shape in header.pop("arrays"):
        count = int(np.prod(shape))
        array = np.frombuffer(raw, np.dtype(name), count, start).reshape(shape)
        start += array.nbytes
        arrays.append(array)
    return header, arrays


class Saves:
    """The saves of a run folder, step_<steps done>.save; the newest two are kept."""

    def __init__(self, run: RunFolder):
        self.run = run

    def paths(self) -> list[Path]:
        """The saves, newest first."""
        steps = {}
        for path in self.run.path.glob("step_*.save"):
            if found := NAME.fullmatch(path.name):
                steps[path] = int(found[1])
        return sorted(steps, key=lambda path: steps[path], reverse=True)

    def write(self, step: int, header: dict, arrays: Iterable) -> None:
        """Writes the save of the state after `step` steps, and deletes old saves."""
        content = pack_save(header, arrays)
        self.run.write(f"step_{step}.save", lambda path: path.write_bytes(content))
        for path in self.paths()[KEPT:]:
            path.unlink(missing_ok=True)

    def read(self) -> tuple[dict, list[np.ndarray]] | None:
        """(header, arrays) of the newest whole save; None if there are no saves."""
        paths = self.paths()
        for path in paths:
            try:
                return unpack_save(path.read_bytes())
            except (Damaged, OSError) as problem:
                print(f"{path} is damaged ({problem}): trying the save before it")
            except OtherVersion as problem:
                fail(
                    f"{path} is of another version of the cookbook ({problem}, "
                    f"expected format {FORMAT}): finish that run with the version "
                    "that began it, or start anew without --resume"
                )
        if paths:
            fail(
                f"all {len(paths)} saves in {self.run.path} are damaged: choose "
                "another run with --run, or start anew without --resume"
            )
        return None


def fingerprint(arrays: Iterable) -> str:
    """A short checksum of arrays: it is equal only if every bit is equal."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.asarray(array, order="C").tobytes())
    return digest.hexdigest()[:16]


def variables_of(model: keras.Model) -> tuple[list, list]:
    """(variables that a training step changes, variables of the metrics), each once.

    The first list holds the weights, the states of all optimizers, and the states of
    the random seeds of all layers.
    """
    optimizers = getattr(model, "optimizers", None) or [model.optimizer]
    metrics = model.metrics_variables
    seen = {id(variable) for variable in metrics}
    state: list = []
    slots = [v for optimizer in optimizers for v in optimizer.variables]
    for variable in [*model.variables, *slots]:
        if id(variable) not in seen:
            seen.add(id(variable))
            state.append(variable)
    return state, metrics


def values_of(variables: Iterable) -> list[np.ndarray]:
    """The values of variables, as arrays."""
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assign_all(variables: Sequence, arrays: Sequence, path: Path) -> None:
    """Assigns saved values to variables; ends the program if they do not fit.

    path: the folder of the saves, for the error message.
    """
    got = [(list(v.shape), keras.backend.standardize_dtype(v.dtype)) for v in variables]
    saved = [(list(array.shape), array.dtype.name) for array in arrays]
    if got != saved:
        fail(
            f"the saves in {path} hold {len(saved)} variables, which are not the "
            f"model's {len(got)}: its code has changed since; undo that, or start anew "
            "without --resume"
        )
    for variable, array in zip(variables, arrays):
        variable.assign(array)


def generators_state() -> dict:
    """The states of Python's and NumPy's random generators, as JSON can hold them."""
    version, words, gauss = random.getstate()
    name, key, *rest = np.random.get_state()
    return {
        "python": [version, words, gauss],
        "numpy": [name, np.asarray(key).tolist(), *rest],
    }


def set_generators_state(state: dict) -> None:
    """Puts the random generators into a state that `generators_state` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(state["numpy"]))


def pack(value: Any, arrays: list) -> Any:
    """`value` as JSON can hold it: its arrays are moved to the end of `arrays`.

    Numbers, strings, arrays, and lists, tuples and dicts of them can be packed.
    Raises: TypeError for anything else, such as a function or a model.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return {"list": [pack(item, arrays) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: pack(item, arrays) for key, item in value.items()}}
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1}
    raise TypeError(f"a {type(value).__name__} can't be packed")


def unpack(packed: Any, arrays: Sequence) -> Any:
    """The value from which `pack` made `packed` and `arrays`; tuples become lists."""
    if not isinstance(packed, dict):
        return packed
    if "list" in packed:
        return [unpack(item, arrays) for item in packed["list"]]
    if "array" in packed:
        array = arrays[packed["array"]]
        return array.copy() if array.ndim else array[()]
    return {key: unpack(item, arrays) for key, item in packed["dict"].items()}


def pack_callback(callback: keras.callbacks.Callback, arrays: list) -> dict:
    """The memory of a callback: those of its attributes that `pack` can hold."""
    packed = {}
    for name, value in vars(callback).items():
        if name == "params":  # Keras sets them before every training
            continue
        try:
            packed[name] = pack(value, arrays)
        except TypeError:
            continue
    return packed
