"""Formats of exports: how a network is written in each, and what reads it again."""

import contextlib
import dataclasses
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import keras

from cookbook.exports.portable.networks import (
    KerasNetwork,
    LiteRTNetwork,
    OnnxNetwork,
    SavedModelNetwork,
)
from cookbook.quiet_import import filtered_stderr
from custom_layers.common.private_keras import all_layers

EVERYTHING = ""  # the pattern of what converters and runtimes write to stderr


class NotPossible(Exception):
    """The error of a network that a format can't hold; its text says why."""


class Exportable(Protocol):
    """A network that can be exported."""

    @property
    def plain(self) -> keras.Model:
        """The network itself."""
        ...

    def specs(self, batch: int | None = None) -> list[keras.InputSpec]:
        """Name, shape and type of each input; `batch` rows, or any number of them."""
        ...


@dataclasses.dataclass(frozen=True)
class Format:
    """A format: its name for people, its files, and how they are written and read."""

    title: str
    file: str  # or folder, in the folder of the export
    write: Callable[[Exportable, Path], None]  # write(network, path of the file)
    network: Callable[..., Any]  # network(folder, file): what reads it, in use.py
    step: str | None = None  # the file of a step, if the format can hold one
    encoder: str | None = None  # that of what reads the source for the step


def write_keras(exported: Exportable, path: Path) -> None:
    """Saves the network as Keras does."""
    exported.plain.save(path)


def write_saved_model(exported: Exportable, path: Path) -> None:
    """Writes the network as a SavedModel, whose inputs have the names of `specs`."""
    _export(exported, path, "tf_saved_model", exported.specs())


def write_onnx(exported: Exportable, path: Path) -> None:
    """Writes the network as ONNX; what ONNX lacks is an error."""
    import onnx

    from cookbook.exports.converters import onnx_operations  # noqa: F401

    with _errors_logged_by("tf2onnx") as errors:
        _export(exported, path, "onnx", exported.specs())
    if errors:
        raise NotPossible(errors[0])
    onnx.checker.check_model(str(path))
    names = {spec.name for spec in exported.specs()}
    for found in onnx.load(path, load_external_data=False).graph.input:
        if found.name not in names:
            raise NotPossible(
                f"it would take the constant {found.name} as an input: compute with "
                "numbers of Python, or in a layer's call, not with tensors outside"
            )


def write_litert(exported: Exportable, path: Path) -> None:
    """Writes the network for LiteRT with its own operations alone.

    The loop of a recurrent network has operations of LiteRT's only if it is converted
    for a fixed number of rows, which is one here.
    """
    import tensorflow as tf

    batch = 1 if _is_recurrent(exported.plain) else None
    own = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    _export(exported, path, "litert", exported.specs(batch), target_spec=own)


def _is_recurrent(network: keras.Model) -> bool:
    return any(hasattr(layer, "cell") for layer in all_layers(network))


def _export(
    exported: Exportable, path: Path, kind: str, specs: list, **options: Any
) -> None:
    """Has Keras export the network; its functional models take one list of inputs."""
    signature = [specs] if len(specs) > 1 else specs
    exported.plain.export(
        str(path), format=kind, verbose=False, input_signature=signature, **options
    )


FORMATS = {
    "keras": Format("Keras", "model.keras", write_keras, KerasNetwork),
    "savedmodel": Format(
        "SavedModel",
        "saved_model",
        write_saved_model,
        SavedModelNetwork,
        "saved_step",
        "saved_encoder",
    ),
    "onnx": Format(
        "ONNX", "model.onnx", write_onnx, OnnxNetwork, "step.onnx", "encoder.onnx"
    ),
    "litert": Format(
        "LiteRT",
        "model.tflite",
        write_litert,
        LiteRTNetwork,
        "step.tflite",
        "encoder.tflite",
    ),
}


def write_network(exported: Exportable, name: str, path: Path) -> None:
    """Writes the network in a format to a file or folder.

    Raises NotPossible if the format can't hold the network.
    """
    try:
        with warnings.catch_warnings(), filtered_stderr(EVERYTHING):
            warnings.simplefilter("ignore")  # of how converters use TensorFlow
            FORMATS[name].write(exported, path)
    except (NotPossible, OSError):
        raise
    except Exception as error:  # whatever a converter raises for what it lacks
        raise NotPossible(_reason(error)) from None


def read_network(name: str, folder: Path, *file: str) -> Any:
    """The exported network of a folder, or of another file of it than the format's.

    Raises NotPossible if the runtime of the format can't use what was written.
    """
    try:
        with filtered_stderr(EVERYTHING):
            return FORMATS[name].network(folder, *file)
    except Exception as error:  # whatever a runtime raises
        raise NotPossible(f"its runtime refuses the file ({_reason(error)})") from None


@contextlib.contextmanager
def _errors_logged_by(package: str) -> Iterator[list[str]]:
    """The messages above warnings that a package logs, which it then does not show."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno > logging.WARNING:
                found.append(record.getMessage())

    logger = logging.getLogger(package)
    collector = Collector()
    shown = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(collector)
        logger.propagate = shown


def _reason(error: Exception) -> str:
    """What a converter lacks, or the first line of its error."""
    text = str(error)
    lacking = re.search(r"(?:Flex|Custom) ops: (.+)", text)
    if lacking:
        return f"it has no operation for {lacking[1]}"
    lines = text.strip().splitlines()
    return lines[0] if lines else type(error).__name__
