"""Archives that are damaged or meant to do harm, and how hostile.py makes the rest."""

import io
import json
import os
import stat
import struct
import warnings
import zipfile

import h5py
import numpy as np

FILES = {}
CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def hostile(make):
    """Adds a kind of file under the function's name."""
    FILES[make.__name__] = make
    return make


def write(path, parts, compression=zipfile.ZIP_STORED):
    """Writes an archive; parts: {name or ZipInfo: bytes} or a list of such pairs."""
    pairs = parts.items() if isinstance(parts, dict) else parts
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, content in pairs:
            archive.writestr(name, content)


def layers_of(config):
    return config["config"]["layers"]


def changed(path, parts, change):
    """Writes the sound file with another configuration: change(config) edits it."""
    config = json.loads(parts[CONFIG])
    config = change(config) or config
    write(path, {**parts, CONFIG: json.dumps(config)})


def with_activation(entry):
    """A kind of file whose dense layer has this activation."""

    def make(path, parts):
        def change(config):
            layers_of(config)[1]["config"]["activation"] = entry

        changed(path, parts, change)

    return make


def with_layer(entry):
    """A kind of file with this layer at the end."""

    def make(path, parts):
        changed(path, parts, lambda config: layers_of(config).append(entry))

    return make


def with_setting(name, value):
    """A kind of file whose dense layer has this setting."""

    def make(path, parts):
        def change(config):
            layers_of(config)[1]["config"][name] = value

        changed(path, parts, change)

    return make


def with_config(text):
    """A kind of file with this text as its config.json."""

    def make(path, parts):
        write(path, {**parts, CONFIG: text})

    return make


def with_weights(fill):
    """A kind of file whose weights are an HDF5 file that fill(file) fills."""

    def make(path, parts):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            fill(file)
        write(path, {**parts, WEIGHTS: buffer.getvalue()})

    return make


def layer(name, module="keras.layers", **config):
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "added", **config},
        "registered_name": None,
    }


def function(name, module):
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


# The archive


def _cut(share):
    def make(path, parts):
        write(path, parts)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return make


for share in (0, 0.01, 0.1, 0.5, 0.9, 0.99):
    FILES[f"cut_at_{share}"] = _cut(share)


@hostile
def random_bytes(path, parts):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


@hostile
def a_bit_flipped_in_the_weights(path, parts):
    write(path, parts)
    content = bytearray(path.read_bytes())
    content[content.index(b"\x89HDF") + 900] ^= 4
    path.write_bytes(content)


@hostile
def a_bit_flipped_in_the_config(path, parts):
    write(path, parts)
    content = bytearray(path.read_bytes())
    content[content.index(b"Sequential")] ^= 1
    path.write_bytes(content)


@hostile
def a_bomb_as_config(path, parts):
    bomb = b'{"class_name": "Sequential", "x": "' + bytes(50_000_000) + b'"}'
    write(path, {**parts, CONFIG: bomb}, zipfile.ZIP_DEFLATED)


@hostile
def a_bomb_as_weights(path, parts):
    write(path, {**parts, WEIGHTS: bytes(100_000_000)}, zipfile.ZIP_DEFLATED)


@hostile
def a_bomb_as_asset(path, parts):
    write(path, {**parts, "assets/x": bytes(100_000_000)}, zipfile.ZIP_DEFLATED)


@hostile
def a_declared_size_of_exabytes(path, parts):
    write(path, parts)
    content = path.read_bytes()
    size = struct.pack("<L", len(parts[CONFIG]))
    path.write_bytes(content.replace(size, b"\xfe\xff\xff\xff"))


@hostile
def members_above_the_folder(path, parts):
    write(path, {**parts, "assets/../../escaped": b"x"})


@hostile
def members_with_absolute_paths(path, parts):
    write(path, {**parts, "/tmp/escaped": b"x"})


@hostile
def members_with_backslashes(path, parts):
    write(path, {**parts, "assets\\..\\escaped": b"x"})


@hostile
def members_with_control_characters(path, parts):
    write(path, {**parts, "\x1b[2Jcleared\r\n": b"x"})


@hostile
def a_symbolic_link(path, parts):
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    write(path, [*parts.items(), (link, "/etc/passwd")])


@hostile
def two_configs(path, parts):
    lambda_layer = json.dumps(layer("Lambda")).encode()
    write(path, [*parts.items(), (CONFIG, lambda_layer)])


@hostile
def weights_as_pickles(path, parts):
    rest = {name: part for name, part in parts.items() if name != WEIGHTS}
    write(path, {**rest, "model.weights.npz": b"x"})


@hostile
def ten_thousand_members(path, parts):
    write(path, {**parts, **{f"assets/{i}": b"" for i in range(10_000)}})


@hostile
def no_config(path, parts):
    write(path, {WEIGHTS: parts[WEIGHTS]})


@hostile
def no_weights(path, parts):
    write(path, {CONFIG: parts[CONFIG]})


@hostile
def an_encrypted_member(path, parts):
    write(path, parts)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)


@hostile
def an_unknown_compression(path, parts):
    write(path, parts)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 10] = 77
    path.write_bytes(content)


@hostile
def a_folder(path, parts):
    path.mkdir()


@hostile
def a_link_to_nothing(path, parts):
    os.symlink(path.with_name("nothing"), path)
