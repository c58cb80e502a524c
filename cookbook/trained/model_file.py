"""A .keras file that may come from anyone, checked before Keras reads it.

Nothing here imports Keras, so that a damaged file is refused within a fraction of a
second. What is checked here is the file: its members, their sizes, the nesting of the
configuration, the arrays. `cookbook/trained/allowed.py` checks what the configuration
names.
"""

import io
import json
import math
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
EXPECTED = "expected a model that Keras 3 saved as .keras"

MOST_MEMBERS = 1000  # of the archive; Keras writes three, and one for each vocabulary
LARGEST_CONFIG = 16 * 2**20  # bytes; that of a network with 1,000 layers has 1 MB
DEEPEST = 100  # dicts and lists inside each other; a model in a model takes four
MOST_OBJECTS = 100_000  # layers, initializers, inputs of layers, ... in one model
MOST_ARRAYS = 200_000  # and groups of arrays in the file of weights
LARGEST_RATIO = 100  # of the size of a member or array to what is stored of it
SMALL = 2**20  # bytes up to which any ratio is allowed
NUMBERS = "biufcV"  # the kinds of arrays that hold numbers; V: bfloat16


class Refused(Exception):
    """The error of a file that is not loaded; its text says why, after the path."""


def read_config(path: Path | str) -> tuple[dict, dict[str, int]]:
    """(configuration of the model, {path in the file of weights: bytes of the array}).

    Raises Refused for whatever Keras would not have written.
    """
    path = Path(path)
    if not path.exists():
        raise Refused(f"does not exist, there is no file of that name: {EXPECTED}")
    if not path.is_file():
        raise Refused(f"is not a file: {EXPECTED}")
    # Keras chooses its reader by the name, and that of .h5 files runs code.
    if path.suffix != ".keras":
        raise Refused(f"has a name that does not end in .keras: {EXPECTED}")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            config = _parsed(archive.read(CONFIG))
            for name in {*archive.namelist()} - {CONFIG, WEIGHTS}:
                _read_through(archive, name)
            sizes = array_sizes(io.BytesIO(archive.read(WEIGHTS)))
    except Refused:
        raise
    except Exception as error:  # whatever damage makes zipfile and json raise
        reason = _first_line(error)
        raise Refused(f"is damaged or no model ({reason}): {EXPECTED}") from None
    return config, sizes


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Raises Refused unless the archive holds what Keras writes, in real sizes."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise Refused(f"has {len(members)} members, expected at most {MOST_MEMBERS}")
    names = [member.filename for member in members]
    for name in names:
        if names.count(name) > 1:
            raise Refused(f"has two members with the name {name!r}")
    for needed in (CONFIG, WEIGHTS):
        if needed not in names:
            raise Refused(f"is damaged or no model, it lacks {needed}: {EXPECTED}")
    for member in members:
        _check_member(member)
    if sum(member.compress_size for member in members) > size:
        raise Refused("has members that overlap")


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = name.rstrip("/").split("/")
    is_plain = name in (CONFIG, WEIGHTS, "metadata.json")
    is_asset = parts[0] == "assets" and not {"", ".", ".."} & set(parts)
    if not (is_plain or is_asset) or "\\" in name:
        raise Refused(f"has a member {name!r}, which is not part of a model")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused(f"has a member {name!r}, which is a link or a device")
    if member.file_size > LARGEST_RATIO * member.compress_size + SMALL:
        raise Refused(
            f"has a member {name!r} that grows from {member.compress_size} to "
            f"{member.file_size} bytes"
        )
    if name == CONFIG and member.file_size > LARGEST_CONFIG:
        raise Refused(
            f"has a {CONFIG} of {member.file_size} bytes, expected at most "
            f"{LARGEST_CONFIG}"
        )


def _read_through(archive: zipfile.ZipFile, name: str) -> None:
    """Reads a member piece by piece; zipfile then compares its checksum."""
    with archive.open(name) as file:
        while file.read(SMALL):
            pass


def _parsed(content: bytes) -> dict:
    """The configuration in a config.json; raises Refused where it is too much."""
    try:
        config = json.loads(content)
    except RecursionError:
        raise Refused(f"has a {CONFIG} that is nested too deeply") from None
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise Refused(f"has a {CONFIG} that describes no model")
    objects = 0
    for value, depth in walk(config):
        objects += isinstance(value, dict) and "class_name" in value
        if depth > DEEPEST:
            raise Refused(f"has a {CONFIG} that is nested too deeply")
    if objects > MOST_OBJECTS:
        raise Refused(f"describes {objects} objects, expected at most {MOST_OBJECTS}")
    return config


def walk(config: Any) -> Iterator[tuple[Any, int]]:
    """Yields (value, depth) of every value in nested dicts and lists."""
    waiting = [(config, 1)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        inner: Any = ()
        if isinstance(value, dict):
            inner = value.values()
        elif isinstance(value, list):
            inner = value
        waiting += [(each, depth + 1) for each in inner]


def array_sizes(source: Any) -> dict[str, int]:
    """{path: bytes} of the arrays in a file of weights, which HDF5 reads from `source`.

    Raises Refused for links that lead elsewhere, for arrays that lie in other files,
    and for those that claim more than is stored.
    """
    import h5py

    try:
        with h5py.File(source, "r") as file:
            return _sizes_in(file)
    except Refused:
        raise
    except Exception as error:  # whatever damage makes HDF5 raise
        raise Refused(f"holds damaged weights ({_first_line(error)})") from None


def _sizes_in(file: Any) -> dict[str, int]:
    import h5py

    sizes: dict[str, int] = {}
    seen = {h5py.h5o.get_info(file.id).addr}
    waiting: list[tuple[Any, str, int]] = [(file, "", 0)]
    while waiting:
        group, path, depth = waiting.pop()
        for name in group:
            place = f"{path}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Refused(f"has weights {place!r} that are a link to elsewhere")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise Refused(f"has weights {place!r} that stand at two places")
            seen.add(address)
            if len(seen) > MOST_ARRAYS or depth > DEEPEST:
                raise Refused("has weights in too many groups")
            if isinstance(item, h5py.Group):
                waiting.append((item, place, depth + 1))
            else:
                sizes[place] = _array_size(item, place)
    return sizes


def _array_size(array: Any, place: str) -> int:
    """The bytes of an array; raises Refused unless it holds numbers that are stored."""
    import h5py

    if not isinstance(array, h5py.Dataset):
        raise Refused(f"has weights {place!r} that are not an array")
    if array.external or array.is_virtual:
        raise Refused(f"has weights {place!r} that lie in another file")
    if array.dtype.kind not in NUMBERS or array.dtype.hasobject:
        raise Refused(f"has weights {place!r} that are not numbers")
    size = math.prod(array.shape) * array.dtype.itemsize
    stored = array.id.get_storage_size()
    is_plain = array.chunks is None
    if size > (stored if is_plain else LARGEST_RATIO * stored + SMALL):
        raise Refused(
            f"has weights {place!r} of {size} bytes, of which {stored} are stored"
        )
    return size
