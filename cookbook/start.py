"""Start of a recipe: what can be done before TensorFlow and Keras are loaded."""

import ast
import contextlib
import os
import sys
from pathlib import Path

from cookbook.processes import end_with_launcher
from cookbook.quiet_import import import_keras_quietly
from cookbook.runs.stopping import listen, stop_if_asked


def start(name: str, onednn: bool = False, float64: bool = False) -> None:
    """Prepares a recipe; every recipe calls it before its slow imports.

    It answers --help and mistakes in the command line within a second, and keeps
    TensorFlow's start-up messages off the screen. From here on Ctrl-C and the signals
    that end a program are answered with one line. In a recipe that is imported, rather
    than run as a script, it only sets environment variables.

    Args:
        name: the recipe's `__name__`.
        onednn: whether TensorFlow is to use oneDNN where it would not do so by itself;
            oneDNN is faster for some networks, and rounds differently.
        float64: whether the recipe computes in 64 bits somewhere, which JAX does only
            if it is told so before it is loaded.
    """
    if float64:
        os.environ.setdefault("JAX_ENABLE_X64", "1")
    if onednn:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    path = getattr(sys.modules[name], "__file__", None)
    if name == "__main__" and path:
        listen()
        end_with_launcher()
        check_command_line(Path(path))
        import_keras_quietly()
        stop_if_asked()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def check_command_line(recipe: Path) -> None:
    """Exits with the help, or with a mistake's message, before the recipe goes on.

    Where the recipe's Config can't be built yet, `launch` will do the same later.
    """
    from cookbook.command_line import parse  # slow, and a signal may come meanwhile

    config_class = early_config(recipe.read_text(encoding="utf-8"))
    if config_class is not None:
        parse(config_class)


def early_config(source: str) -> type | None:
    """The class Config of a recipe, built from its source without the slow imports.

    Only what a Config is made of runs: imports from Python's standard library and from
    cookbook.config, assignments that call nothing, and the class itself. The result is
    None if the recipe has no Config, or one that needs more than that.
    """
    names: dict = {"__name__": "__main__"}
    for node in ast.parse(source).body:
        if _is_quick(node):
            code = compile(ast.Module([node], []), "<recipe>", "exec")
            # What needs a slow import fails here, and the Config may do without it.
            with contextlib.suppress(NameError, AttributeError):
                exec(code, names)
        if "Config" in names:
            break
    return names.get("Config")


def _is_quick(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name == "Config"
    if isinstance(node, ast.Import):
        return all(_is_standard(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return module == "cookbook.config" or _is_standard(module)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return not any(isinstance(part, ast.Call) for part in ast.walk(node))
    return False


def _is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names
