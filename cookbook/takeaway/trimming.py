"""Shortens the source of components for a script that trains and is not saved."""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator, Set
from functools import cache

from cookbook.one_file.rewrite import Edit, applied
from cookbook.one_file.source import ROOT
from cookbook.one_file.writer import WIDTH

# Methods that only serve files and layers without data; {name: how a use is written}.
SERIALIZATION = ("get_config", "from_config", "get_build_config", "build_from_config")
SHAPES = ("compute_output_shape",)
# Where the part of a docstring begins that a reader of a script can do without.
REFERENCE = re.compile(
    r"^\s*(Args?|Raises|Differs from Keras|Not in Keras|Papers?|Input|Output|>>>)\b.*",
    re.MULTILINE,
)


def trimmed(text: str, unused: Set[str]) -> str:
    """A module's text without checks of arguments, `unused` methods and references.

    The docstring of a class keeps its summary and its formula.
    """
    tree = ast.parse(text)
    edits = [_shorter(node) for node in _docstrings(tree)]

    if "from_config" in unused:
        edits += _without_registration(tree)

    def is_needless(statement: ast.stmt) -> bool:
        if isinstance(statement, ast.FunctionDef):
            return statement.name in checks() | unused

        return _refuses(statement, checks())

    text = applied([*edits, *_cuts(tree, text, is_needless)], text)

    return tidy(_without_idle_names(_without_idle_calls(text)))


def _without_idle_calls(text: str) -> str:
    """The text with `x` for `python_number(x)` and other calls that return `x`."""
    while True:
        calls = [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in idle_functions()
            and node.args
        ]
        inner = {part for call in calls for part in ast.walk(call) if part is not call}
        edits = [
            edit_of(call, ast.get_source_segment(text, call.args[0]) or "")
            for call in calls
            if call not in inner
        ]

        if not edits:
            return text
        text = applied(edits, text)


def _without_idle_names(text: str) -> str:
    """The text without the local variables that only served what has been cut."""
    while True:
        tree = ast.parse(text)
        idle = {
            statement
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for statement in _idle(function)
        }

        # One that fills a branch stays, since the branch's `else` needs it.
        edits = _cuts(tree, text, idle.__contains__)

        if not edits:
            return text
        text = applied(edits, text)


def _idle(function: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Assignments to names that the function never reads."""
    read = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for statement in ast.walk(function):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            (target,) = statement.targets
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if all(isinstance(n, ast.Name) and n.id not in read for n in names):
                yield statement


def _cuts(
    tree: ast.Module, text: str, is_needless: Callable[[ast.stmt], bool]
) -> list[Edit]:
    """What takes the needless statements out of the text."""
    lines = text.split("\n")
    return [cut(statement, lines) for statement in _needless(tree.body, is_needless)]


def _needless(
    block: list[ast.stmt], is_needless: Callable[[ast.stmt], bool]
) -> list[ast.stmt]:
    """The statements to cut: a branch or loop that would be empty goes as a whole."""
    found = []
    for statement in block:
        if is_needless(statement):
            found.append(statement)
            continue
        inner = getattr(statement, "body", [])
        cut_inside = _needless(inner, is_needless)
        is_empty = bool(inner) and len(cut_inside) == len(inner)
        others = getattr(statement, "orelse", [])
        is_definition = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        if is_empty and (others or is_definition):
            continue  # an `else` needs its `if`, and others may use a definition
        found += [statement] if is_empty else cut_inside
        found += _needless(others, is_needless)
    return found


@cache
def private_functions() -> dict[str, list[ast.FunctionDef]]:
    """The functions and methods of custom_layers that begin with "_", by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for path in (ROOT / "custom_layers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and re.match("_[a-z]", node.name):
                found.setdefault(node.name, []).append(node)
    return found


@cache
def checks() -> frozenset[str]:
    """The functions of custom_layers that do nothing but refuse wrong arguments."""
    found: set[str] = set()
    while True:
        more = {
            name
            for name, functions in private_functions().items()
            if all(_only_refuses(function, found) for function in functions)
        }
        if more <= found:
            return frozenset(found)
        found |= more


@cache
def idle_functions() -> frozenset[str]:
    """The functions that return their first argument once checks are left out."""
    found = {"python_number", "one_of", "without_adapters", "without_quantization"}
    while True:
        more = {
            name
            for name, functions in private_functions().items()
            if all(_only_returns(function, found) for function in functions)
        }
        if more <= found:
            return frozenset(found)
        found |= more


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    return function.body[1:] if ast.get_docstring(function) else function.body


def _only_refuses(function: ast.FunctionDef, checks: Set[str]) -> bool:
    body = [statement for statement in _body(function) if not _is_local(statement)]
    if len(body) == 1 and isinstance(body[0], ast.Raise):
        return "NotImplementedError" not in ast.unparse(body[0])
    return bool(body) and all(_refuses(statement, checks) for statement in body)


def _only_returns(function: ast.FunctionDef, idle: Set[str]) -> bool:
    """Whether a function only refuses its first argument or returns it."""
    *others, last = _body(function)
    if not all(_refuses(statement, checks()) for statement in others):
        return False
    value = last.value if isinstance(last, ast.Return) else None
    while isinstance(value, ast.Call) and getattr(value.func, "id", "") in idle:
        value = value.args[0]
    arguments = [argument.arg for argument in function.args.args]
    return isinstance(value, ast.Name) and arguments[:1] == [value.id]


def _is_local(statement: ast.stmt) -> bool:
    """Whether it gives a local variable its value, and does nothing else."""
    if not isinstance(statement, ast.Assign):
        return False
    return all(isinstance(target, ast.Name | ast.Tuple) for target in statement.targets)


def _refuses(statement: ast.stmt, checks: Set[str]) -> bool:
    """Whether a statement at most raises an error."""
    if isinstance(statement, ast.If | ast.For):
        parts = [*statement.body, *statement.orelse]
        refusals = [s for s in parts if not _is_local(s)]
        return bool(refusals) and all(
            isinstance(s, ast.Raise) or _refuses(s, checks) for s in refusals
        )
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        return name in checks
    return False


def _docstrings(tree: ast.Module) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield first


def _shorter(docstring: ast.Expr) -> Edit:
    """The docstring up to its list of arguments."""
    text = ast.literal_eval(docstring.value)
    found = REFERENCE.search(text, text.find("\n") + 1 or len(text))
    if found:
        text = text[: found.start()].rstrip()
    text = text.replace("\\", "\\\\")
    margin = " " * docstring.col_offset
    if len(f'{margin}"""{text}"""') > WIDTH and "\n" not in text:
        width = WIDTH - len(margin) - 6
        text = textwrap.fill(text, width, subsequent_indent=margin)
    if "\n" in text.strip():
        text = f"{text.rstrip()}\n{margin}"
    return edit_of(docstring, f'"""{text}"""')


def _without_registration(tree: ast.Module) -> Iterator[Edit]:
    """Takes out the decorators that register a class or a function with Keras."""
    for node in tree.body:
        for decorator in getattr(node, "decorator_list", ()):
            if "register_keras_serializable" in ast.unparse(decorator):
                end = (decorator.end_lineno or 0) + 1, 0
                yield Edit((decorator.lineno, 0), end, "")


def edit_of(node: ast.expr | ast.stmt, text: str) -> Edit:
    """What puts other text in the place of a node."""
    end = node.end_lineno or node.lineno, node.end_col_offset or 0
    return Edit((node.lineno, node.col_offset), end, text)


def cut(statement: ast.stmt, lines: list[str]) -> Edit:
    """Takes out a statement with its decorators and the comments right above it."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(node.lineno for node in decorators)])
    while lines[first - 2].strip().startswith("#"):
        first -= 1
    return Edit((first, 0), ((statement.end_lineno or 0) + 1, 0), "")


def tidy(text: str) -> str:
    """The text without the empty lines that cuts have left behind."""
    text = re.sub(r"\n{3,}(?=[ \t])", "\n\n", text)
    text = re.sub(r"(:\n)\n+(?=[ \t])", r"\1", text)
    return re.sub(r"\n{4,}", "\n\n\n", text)
