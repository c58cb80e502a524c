"""The conventions, held by reading the sources."""

import ast
import collections
import functools
import re
import subprocess
import sys
import time

import pytest

from cookbook.pages.catalogue import index, recipes
from cookbook.pages.results import best_table, full_table
from sources import FILES, PACKAGES, PRODUCT, ROOT, tree

COMPONENTS = [path for path in FILES if ROOT / "custom_layers" in path.parents]
MAY_IMPORT = {
    "custom_layers": {"custom_layers"},
    "cookbook": {"cookbook", "custom_layers"},
    "recipes": {"cookbook", "custom_layers", "recipes"},
    "benchmarks": {"benchmarks", "cookbook", "custom_layers", "recipes"},
}
BACKENDS = {"jax", "tensorflow", "torch"}
# Short forms for scripts, which bear the names of what they stand for.
SHORT_FORMS = (
    ROOT / "cookbook" / "plain" / "parts",
    ROOT / "cookbook" / "takeaway" / "standalone",
)
# What a component may build on: Keras's base classes, and containers of a cell.
BASES = {
    "Callback",
    "Constraint",
    "Initializer",
    "InputSpec",
    "Layer",
    "LearningRateSchedule",
    "Loss",
    "Metric",
    "Model",
    "ModelCheckpoint",
    "Optimizer",
    "RNN",
    "Regularizer",
    "StatelessScope",
    "Wrapper",
}


def name_of(path):
    return str(path.relative_to(ROOT))


def imported(path):
    """(module, names or None) of every import of our own code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, alias
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.names, None


@functools.cache
def explaining_lines(path):
    """Numbers of the lines that a docstring or an import at top level fills."""
    found = set()
    for node in ast.walk(tree(path)):
        parts = []
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            parts += node.body[:1] if ast.get_docstring(node) else []
        if isinstance(node, ast.Module):
            parts += [
                n for n in node.body if isinstance(n, ast.Import | ast.ImportFrom)
            ]
        for part in parts:
            found |= set(range(part.lineno, part.end_lineno + 1))
    return found


def size_of(path):
    """(lines of code, statements and expressions a line) without docstrings, imports.

    A blank line or a comment is no line of code, but it thins out its neighbours.
    """
    lines = path.read_text().splitlines()
    others = explaining_lines(path)
    rest = [line for i, line in enumerate(lines, 1) if i not in others]
    nodes = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.stmt | ast.expr) and node.lineno not in others
    ]
    code = [line for line in rest if line.strip()]
    return len(code), len(nodes) / max(len(rest), 1)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sizes_are_within_budget(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 400
    too_long = [line for line in lines if len(line) > 88 and "http" not in line]
    assert not too_long
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = node.end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_code_is_not_squeezed_into_its_budget(path):
    """At most 5 statements and expressions a line: mnist_mlp has 3.4."""
    code, density = size_of(path)
    assert density <= 5, f"{density:.2f} statements and expressions a line"
    if path.parent.name == "recipes":
        assert code <= 130, f"{code} lines of code"


def test_no_two_functions_have_the_same_body():
    """A body of eight or more lines that stands twice should be one function."""
    known = {}
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                text = "\n".join(map(ast.unparse, body))
                if text.count("\n") >= 7:
                    place = f"{name_of(path)}:{node.lineno}"
                    assert text not in known, f"{place} repeats {known.get(text)}"
                    known[text] = place


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_imports_point_one_way_and_have_one_form(path):
    package = path.relative_to(ROOT).parts[0]
    for module, names, _ in imported(path):
        if package == "custom_layers":
            assert module.split(".")[0] not in PACKAGES, "import relatively in here"
        else:
            assert not module.startswith("."), "a relative import"
        top = module.split(".")[0]
        if top not in PACKAGES:
            continue
        if package == "benchmarks" and names is None:
            continue  # it discovers the components
        assert names is not None, f"import {module}: write from {module} import Name"
        assert all(alias.asname is None and alias.name != "*" for alias in names)
        assert top in MAY_IMPORT[package], f"{package} imports {top}"


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_the_library_needs_keras_and_numpy_only(path):
    for module, _, _ in imported(path):
        top = module.split(".")[0]
        is_known = top in {"", "keras", "numpy", *BACKENDS, *sys.stdlib_module_names}
        assert is_known, f"imports {module}"


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_no_technique_of_keras_is_subclassed_or_called(path):
    own = {entry for entry in _public_names() if entry[0].isupper()}
    for node in ast.walk(tree(path)):
        text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        family = text.rsplit(".", 1)[0]
        if family in ("keras.layers", "keras.losses", "keras.optimizers"):
            technique = text.rsplit(".", 1)[1]
            defined_here = {n.name for n in tree(path).body if hasattr(n, "name")}
            assert technique in BASES or technique not in own & defined_here, text
        if isinstance(node, ast.ClassDef):
            for base in map(ast.unparse, node.bases):
                if base.startswith("keras."):
                    assert base.rsplit(".", 1)[1] in BASES, f"{node.name}({base})"


@functools.cache
def _public_names():
    names = collections.Counter()
    for path in PRODUCT:
        if any(folder in path.parents for folder in SHORT_FORMS):
            continue
        if path.relative_to(ROOT).parts[0] in ("custom_layers", "cookbook"):
            for node in tree(path).body:
                if hasattr(node, "name") and not node.name.startswith("_"):
                    names[node.name] += 1
    return names


# The files that may use what Keras does not publish.
PRIVATE_KERAS = {"private_keras.py", "private_optimizers.py"}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_private_keras_is_named_in_its_own_files(path):
    text = path.read_text()
    if path.name not in PRIVATE_KERAS and "benchmarks" not in path.parts:
        assert "keras.src" not in text
        assert "locals()" not in text


# What Python and TensorFlow Datasets call private, or seem to.
PRIVATE_ELSEWHERE = {"_exit", "_data_dir_root", "_replace"}  # of os, tfds, tuples


def test_private_members_outside_those_files_are_ours():
    """A member that no file of ours defines or assigns is Keras's."""
    files = [path for path in PRODUCT if "benchmarks" not in path.parts]
    nodes = [(path, node) for path in files for node in ast.walk(tree(path))]
    ours = {
        getattr(node, "name", None) or getattr(node, "id", None) or node.attr
        for _, node in nodes
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        or (
            isinstance(getattr(node, "ctx", None), ast.Store)
            and isinstance(node, ast.Name | ast.Attribute)
        )
    }
    for path, node in nodes:
        is_private = isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr)
        if is_private and path.name not in PRIVATE_KERAS:
            assert node.attr in ours | PRIVATE_ELSEWHERE, f"{path.name}: {node.attr}"


def test_no_file_of_cookbook_imports_recipes():
    for path in (ROOT / "cookbook").rglob("*.py"):
        text = path.read_text()
        assert "from recipes" not in text, path
        assert not re.search(r"import_module\(f?.recipes", text), path


def test_public_names_are_unique():
    twice = [n for n, count in _public_names().items() if count > 1 and n != "main"]
    assert not twice


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_importing_does_nothing(path):
    """At top level: docstring, imports, definitions, constants, the main guard."""
    for node in tree(path).body:
        is_guard = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        is_setting = isinstance(node, ast.Expr) and (
            isinstance(node.value, ast.Constant)
            or ast.unparse(node).startswith(("start(__name__", "os.environ.setdefault"))
        )
        definitions = (
            ast.Import,
            ast.ImportFrom,
            ast.FunctionDef,
            ast.ClassDef,
            ast.Assign,
            ast.AnnAssign,
        )
        assert isinstance(node, definitions) or is_guard or is_setting, node.lineno


def public_functions(body, in_class=False):
    """Every public function of a module, its methods and constructors included."""
    for node in body:
        is_public = not getattr(node, "name", "_").startswith("_")
        if isinstance(node, ast.ClassDef) and is_public:
            yield from public_functions(node.body, in_class=True)
        if isinstance(node, ast.FunctionDef) and (is_public or node.name == "__init__"):
            yield node


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_public_functions_are_annotated(path):
    """Tensors and arrays may lack a type: each backend has a class of its own."""
    for function in public_functions(tree(path).body):
        given = function.args
        parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        bare = [p.arg for p in parameters if p.annotation is None]
        bare = [name for name in bare if name not in ("self", "cls")]
        if function.name == "__init__":
            assert not set(bare) - {"x", "y"}, f"{function.lineno}: {bare}"
        assert not set(bare) & {"config", "run", "training", "name", "seed"}, bare
        optional = parameters[len(parameters) - len(given.defaults) :]
        for parameter, default in zip(optional, given.defaults):
            is_typed = parameter.annotation or getattr(default, "value", 0) is None
            assert is_typed, f"{function.name}: {parameter.arg}"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_every_file_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path))


def test_no_path_of_a_machine_stands_in_the_product():
    for path in FILES:
        text = path.read_text()
        for part in ("/work" + "/", "/root" + "/", "/home" + "/"):
            assert part not in text, path


def test_index_is_fresh():
    assert (ROOT / "docs" / "components.md").read_text() == index(), (
        "run: python -m cookbook index"
    )


def test_the_results_pages_show_the_results_kept():
    for page, table in (("docs/results.md", full_table), ("README.md", best_table)):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert table() in text, "run: python -m cookbook index"


def test_the_front_page_has_at_most_60_lines():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60


def test_the_results_page_shows_every_recipe():
    page = (ROOT / "docs" / "results.md").read_text()
    for entry in recipes():
        assert entry.name in page, f"docs/results.md lacks {entry.name}"


def test_list_answers_at_once_without_tensorflow():
    start = time.time()
    command = [sys.executable, "-X", "importtime", "-m", "cookbook", "list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert time.time() - start < 6  # 0.2 s; slack for a busy machine
    assert "mnist_cnn" in done.stdout
    assert "BatchNormalization" in done.stdout
    for heavy in ("tensorflow", "keras", "numpy"):
        assert f" {heavy}\n" not in done.stderr
