"""Checkpoint: what a killed run goes on from, saved whole, checked when read."""

import hashlib
import json
import os
import platform
import random
import re

import keras
import numpy as np

from cookbook.errors import fail

FORMAT = 2  # of the files; another number is another version of the cookbook
MAGIC = b"keras-cookbook save"
KEPT = 2  # saves that stay: the newest and, should it be damaged, the one before


class Damaged(Exception):
    """A save that is not what was written."""


class OtherVersion(Exception):
    """A save that another version of the cookbook wrote."""


def pack_save(header, arrays):
    """Bytes of a save: magic and format, checksum of the rest, header, raw arrays."""
    arrays = [np.asarray(array, order="C") for array in arrays]
    kinds = [[array.dtype.name, array.shape] for array in arrays]
    text = json.dumps({**header, "arrays": kinds}).encode() + b"\n"
    parts = [text, *(array.tobytes() for array in arrays)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    first = b"%s %d\n%s\n" % (MAGIC, FORMAT, digest.hexdigest().encode())
    return b"".join([first, *parts])


def unpack_save(content):
    """(header, arrays) of a save's bytes; raises Damaged or OtherVersion."""
    first, _, rest = content.partition(b"\n")
    found = re.fullmatch(re.escape(MAGIC) + rb" (\d+)", first)
    if not found:
        raise Damaged("it does not begin as a save does")
    if int(found[1]) != FORMAT:
        raise OtherVersion(f"format {int(found[1])}")
    digest, _, rest = rest.partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        raise Damaged("its checksum is wrong")
    text, _, raw = rest.partition(b"\n")
    header, arrays, start = json.loads(text), [], 0
    for name, shape in header.pop("arrays"):
        count = int(np.prod(shape))
        array = np.frombuffer(raw, np.dtype(name), count, start).reshape(shape)
        start += array.nbytes
        arrays.append(array)
    return header, arrays


class Saves:
    """The saves of a run folder, step_<steps done>.save, of which two are kept."""

    def __init__(self, run):
        self.run = run

    def paths(self):
        """The saves, newest first."""
        return sorted(
            self.run.path.glob("step_*.save"),
            key=lambda path: int(re.sub(r"\D", "", path.stem)),
            reverse=True,
        )

    def write(self, step, header, arrays):
        content = pack_save(header, arrays)

        def save(path):
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # on the disk before it gets its name

        self.run.write(f"step_{step}.save", save)
        for path in self.paths()[KEPT:]:
            path.unlink()

    def read(self):
        """(header, arrays) of the newest save that is whole, None without any."""
        paths = self.paths()
        for path in paths:
            try:
                return unpack_save(path.read_bytes())
            except Damaged as problem:
                print(f"{path} is damaged ({problem}): trying the save before it")
            except OtherVersion as problem:
                fail(
                    f"{path} is of another version of the cookbook ({problem}, "
                    f"expected format {FORMAT}): end that run with the version that "
                    "began it, or start anew without --resume"
                )
        if paths:
            fail(
                f"all {len(paths)} saves in {self.run.path} are damaged: start anew "
                "without --resume"
            )
        return None


def fingerprint(arrays):
    """A short checksum of arrays: equal only if every bit is."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.asarray(array, order="C").tobytes())
    return digest.hexdigest()[:16]


def variables_of(model):
    """(all that a step changes, metrics): two lists of variables, each once.

    The first: weights, the slots of every optimizer, the random seeds of all layers.
    """
    optimizers = getattr(model, "optimizers", None) or [model.optimizer]
    metrics = model.metrics_variables
    seen = {id(variable) for variable in metrics}
    state = []
    slots = [v for optimizer in optimizers for v in optimizer.variables]
    for variable in [*model.variables, *slots]:
        if id(variable) not in seen:
            seen.add(id(variable))
            state.append(variable)
    return state, metrics


def values_of(variables):
    """The variables' values as arrays."""
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assign_all(variables, arrays, path):
    """Gives the variables saved values; ends the run if they do not fit."""
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


def generators_state():
    """The state of Python's and NumPy's own generators, as JSON-ready values."""
    version, words, gauss = random.getstate()
    name, key, *rest = np.random.get_state()
    return {"python": [version, words, gauss], "numpy": [name, key.tolist(), *rest]}


def set_generators_state(state):
    """The opposite of `generators_state`."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(state["numpy"]))


def pack(value, arrays):
    """`value` with its arrays moved to the list `arrays`, so that JSON can hold it.

    Numbers, strings, arrays, and lists, tuples and dicts of them are kept; of what
    else there is, as functions and models, None is left: raises TypeError.
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
    raise TypeError(f"a {type(value).__name__} is not kept")


def unpack(packed, arrays):
    """The opposite of `pack`."""
    if not isinstance(packed, dict):
        return packed
    if "list" in packed:
        return [unpack(item, arrays) for item in packed["list"]]
    if "array" in packed:
        array = arrays[packed["array"]]
        return array.copy() if array.ndim else array[()]
    return {key: unpack(item, arrays) for key, item in packed["dict"].items()}


def pack_callback(callback, arrays):
    """What a callback remembers: those of its attributes that `pack` can keep."""
    packed = {}
    for name, value in vars(callback).items():
        if name in ("params", "_model"):
            continue
        try:
            packed[name] = pack(value, arrays)
        except TypeError:
            continue
    return packed


def versions():
    """What must be the same for a resumed run to be the same bit for bit."""
    return {
        "keras": keras.version(),
        "backend": keras.backend.backend(),
        "machine": platform.machine(),
    }
