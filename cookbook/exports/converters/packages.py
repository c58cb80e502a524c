"""Packages that the formats of exports need, and whether they are installed."""

import dataclasses
import importlib.util

from cookbook.errors import fail


@dataclasses.dataclass(frozen=True)
class Packages:
    """What a format needs, by the names under which pip installs it."""

    to_export: dict[str, str]  # {module: package}
    needed_to_use: tuple[str, ...]


KERAS = '"keras>=3.15.1,<3.16"'  # whose layers those of ours are built on


PACKAGES = {
    "keras": Packages({}, (KERAS, "tensorflow")),
    "savedmodel": Packages({"tensorflow": "tensorflow"}, ("tensorflow",)),
    "onnx": Packages(
        {
            "tensorflow": "tensorflow",
            "tf2onnx": "tf2onnx",
            "onnx": "onnx",
            "onnxruntime": "onnxruntime",
        },
        ("onnxruntime",),
    ),
    "litert": Packages(
        {"tensorflow": "tensorflow", "ai_edge_litert": "ai-edge-litert"},
        ("ai-edge-litert",),
    ),
}


def refuse_without_packages(name: str) -> None:
    """Ends the program with one line if the format needs what is not installed."""
    missing = [
        package
        for module, package in PACKAGES[name].to_export.items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        fail(
            f"--format {name} needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install {' '.join(missing)}"
        )
