"""What the rules for plain scripts ask about a script."""

import ast
from collections.abc import Iterator
from typing import Any

# Names that a plain script has no use for, as an argument or a statement.
ABSENT = {"run", "folder", "EXPECTED"}
# Keywords of functions that only a recipe's options need.
IDLE_KEYWORDS = {"smallest", "multiple", "fewest", "asked", "resume"}
IDLE_ATTRIBUTES = ("config.data", "config.run_dir")
PADDED = {
    "cookbook.data.tagged.sentences",
    "cookbook.data.text.reviews",
    "cookbook.data.text.translation",
}
DECODERS = "cookbook.answers.decoders"
TRAINING = "cookbook.training.train"

Place = tuple[int, int]  # a line, and a column in bytes


class Facts:
    """A script as it is at present: its text, its syntax tree and what it imports.

    trains: whether it trains with the cookbook's `train`.
    is_padded: whether its data are texts, whose rows end in zeros.
    is_adversarial: whether it trains a model of custom_layers.models.
    absent: names of which a script has no use.
    checks: functions that do nothing but refuse wrong values of flags.
    """

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.lines = text.splitlines()
        self._bytes = [line.encode() for line in text.splitlines(keepends=True)]

        imports = [n for n in self.tree.body if isinstance(n, ast.ImportFrom)]
        modules = {node.module for node in imports}
        self.is_padded = bool(modules & PADDED)
        self.is_adversarial = "custom_layers.models" in modules
        self.trains = any(
            alias.name == "train"
            for node in imports
            if node.module == TRAINING
            for alias in node.names
        )

        functions = [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        # A recipe's decoder decodes with a cache; a script decodes without.
        decoders = {
            alias.name
            for node in imports
            if node.module == DECODERS
            for alias in node.names
        }
        self.absent = ABSENT | decoders
        self.checks = {f.name for f in functions if _only_refuses(f)}

    def source(self, node: ast.AST) -> str:
        """The text of a node."""
        (first, left), (last, right) = start_of(node), end_of(node)
        lines = self._bytes[first - 1 : last]
        lines[-1] = lines[-1][:right]
        lines[0] = lines[0][left:]
        return b"".join(lines).decode()

    def is_idle(self, item: ast.expr | ast.keyword) -> bool:
        """Whether an argument is one that a script has no use for."""
        if isinstance(item, ast.keyword):
            return item.arg in IDLE_KEYWORDS or self.is_idle(item.value)
        if isinstance(item, ast.Name):
            return item.id in self.absent
        if isinstance(item, ast.Attribute):
            return ast.unparse(item) in IDLE_ATTRIBUTES
        return isinstance(item, ast.Call) and ast.unparse(item.func) == "run.part"


def start_of(node: Any) -> Place:
    """Where a node begins."""
    return node.lineno, node.col_offset


def end_of(node: Any) -> Place:
    """Where a node ends."""
    return node.end_lineno, node.end_col_offset


def name_called(call: ast.Call) -> str:
    """The name of the function or method that is called, if it has one."""
    function = call.func
    return getattr(function, "attr", getattr(function, "id", ""))


def call_without_use(statement: ast.stmt) -> str:
    """The function that a statement calls, without using what it returns."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return getattr(statement.value.func, "id", "")
    return ""


def trains(statement: ast.stmt) -> bool:
    """Whether a model is trained in the statement."""
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(name_called(call) in ("fit", "train") for call in calls)


def refuses(statement: ast.stmt) -> bool:
    """Whether a statement ends the program, where a flag has a wrong value."""
    if isinstance(statement, ast.If):
        return all(map(refuses, statement.body)) and not statement.orelse
    return isinstance(statement, ast.Raise) or call_without_use(statement) == "fail"


def _only_refuses(function: ast.FunctionDef) -> bool:
    refusals = [statement for statement in function.body if refuses(statement)]
    others = [s for s in function.body if not isinstance(s, ast.Assign)]
    return bool(refusals) and refusals == others


def blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Every list of statements in a script."""
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block
