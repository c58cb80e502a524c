"""The way of tensors through the source of a function that builds a model."""

import ast
import dataclasses
from collections.abc import Sequence

OUTPUT = "output"  # of a model, where the code does not name it
FACTS = ("dtype", "shape")  # of a tensor, which are no tensors
NO_LAYERS = ("dict", "dict.fromkeys", "len", "range", "zip")
BEGINS = ("keras.Input", "Input")
ENDS = ("keras.Model", "Model")
SEQUENTIAL = "Sequential"
SIGNS = {ast.Add: "+", ast.Mult: "*", ast.Sub: "-", ast.Div: "/"}


@dataclasses.dataclass
class DrawnStep:
    """A layer or an operation that a tensor goes through.

    Attributes:
        label: the layer as the code writes it.
        inputs: names of the tensors that it takes.
        output: name of the tensor that it gives.
        comment: what the code says beside it.
        inside: the loops and conditions around it, the outermost first.
    """

    label: str
    inputs: list[str]
    output: str
    comment: str = ""
    inside: tuple[str, ...] = ()


class Reader:
    """Follows the tensors of a function from its inputs to its model.

    Args:
        lines: those of the source, with their comments.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.steps: list[DrawnStep] = []
        self.tensors: dict[str, str] = {}  # {name: that of the step that gives it}
        self.layers: dict[str, str] = {}  # {name: the layer behind it}
        self.inside: tuple[str, ...] = ()
        self.unnamed = 0  # tensors without a name so far

    def read(self, function: ast.FunctionDef) -> list[DrawnStep]:
        """The steps of the function, in its order."""
        self._read_all(function.body)
        return self.steps

    def _read_all(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if isinstance(statement, ast.Expr):
                if called(statement.value).endswith(".compile"):
                    break  # what follows trains or measures
                self._add(statement.value)
            elif isinstance(statement, ast.Assign):
                self._assign(statement)
            elif isinstance(statement, ast.Return) and statement.value:
                self._visit_model(statement.value)
            elif isinstance(statement, ast.For):
                target = ast.unparse(statement.target)
                source = ast.unparse(statement.iter)
                self._within(f"for {target} in {source}", statement.body)
            elif isinstance(statement, ast.If):
                condition = ast.unparse(statement.test)
                self._within(f"if {condition}", statement.body)
                self._within("else", statement.orelse)

    def _within(self, head: str, body: Sequence[ast.stmt]) -> None:
        self.inside = (*self.inside, head)
        self._read_all(body)
        self.inside = self.inside[:-1]

    def _assign(self, statement: ast.Assign) -> None:
        value = statement.value
        names = [ast.unparse(target) for target in statement.targets]
        *_, name = names

        if self._visit_model(value):
            return

        if called(value).endswith(SEQUENTIAL):
            self._begin_row(value, name)
        elif self._takes_tensor(value) or called(value) in BEGINS:
            before = len(self.steps)
            for part in members(value):
                given = self._visit(part, name)
            self.tensors |= dict.fromkeys(names, given)
            if len(self.steps) > before:
                *_, last = self.steps
                last.comment = comment_behind(statement, self.lines)
        else:
            for other in names:
                self.tensors.pop(other, None)
                self.layers[other] = ast.unparse(value)

    def _begin_row(self, value: ast.expr, name: str) -> None:
        """Reads `model = keras.Sequential([first, ...])`, to which layers are added."""
        for layer in first_list(value):
            label = ast.unparse(layer)
            self.steps.append(DrawnStep(label, [], name))
        self.tensors[name] = name

    def _add(self, value: ast.expr) -> None:
        """Reads `model.add(layer)`."""
        model, _, method = called(value).rpartition(".")
        if method == "add" and model in self.tensors and isinstance(value, ast.Call):
            label = ast.unparse(value.args[0])
            step = DrawnStep(label, [model], model, inside=self.inside)
            self.steps.append(step)

    def _visit_model(self, value: ast.expr) -> bool:
        """Reads the outputs of a model that a call makes; whether it is such a call."""
        if called(value) not in ENDS or not isinstance(value, ast.Call):
            return False
        outputs = value.args[1:2]
        for output in outputs:
            for part in members(output):
                if self._takes_tensor(part) and not isinstance(part, ast.Name):
                    self._visit(part, OUTPUT)

        return True

    def _takes_tensor(self, value: ast.AST) -> bool:
        return bool(self._names(value))

    def _names(self, value: ast.AST) -> list[str]:
        """The names of the tensors in an expression."""
        if isinstance(value, ast.Name):
            return [value.id] if value.id in self.tensors else []
        if isinstance(value, ast.Attribute) and value.attr in FACTS:
            return []
        if isinstance(value, ast.Call) and called(value) in NO_LAYERS:
            return []

        found = []
        for part in ast.iter_child_nodes(value):
            found += self._names(part)

        return found

    def _visit(self, value: ast.expr, output: str = "") -> str:
        """Adds the steps of an expression; returns the name of the tensor it gives."""
        if isinstance(value, ast.Name):
            return self.tensors[value.id]

        operands = [part for part in _operands(value) if self._takes_tensor(part)]
        inputs = [self._visit(part) for part in operands]

        if not operands:
            inputs = [self.tensors[name] for name in self._names(value)]

        if not output:
            letter = chr(ord("a") + self.unnamed)
            output = f"({letter})"
            self.unnamed += 1
        label = self._label(value)
        self.steps.append(DrawnStep(label, inputs, output, inside=self.inside))

        return output

    def _label(self, value: ast.expr) -> str:
        """What happens to the tensors of an expression, with dots in their place."""
        if isinstance(value, ast.Call):
            return self._label_of_call(value)
        if isinstance(value, ast.BinOp):
            operator = SIGNS.get(type(value.op), "@")
            left = self._dotted(value.left)
            right = self._dotted(value.right)

            return f"{left} {operator} {right}"
        if isinstance(value, ast.Subscript):
            whole = self._dotted(value.value)
            place = ast.unparse(value.slice).strip("()")

            return f"{whole}[{place}]"

        return ast.unparse(value)

    def _label_of_call(self, value: ast.Call) -> str:
        name = called(value)
        if name in BEGINS:
            return ast.unparse(value)
        if name in self.layers:
            return self.layers[name]  # which the code has made above
        if isinstance(value.func, ast.Call):
            return name

        arguments = [self._dotted(part) for part in value.args]

        for keyword in value.keywords:
            if keyword.arg:
                given = self._dotted(keyword.value)
                arguments.append(f"{keyword.arg}={given}")

        return f"{name}({', '.join(arguments)})"

    def _dotted(self, value: ast.expr) -> str:
        """An operand as it is written, or a dot for what is a step of its own."""
        if isinstance(value, ast.Name):
            return self.tensors.get(value.id, value.id)
        if not self._takes_tensor(value):
            return ast.unparse(value)
        if isinstance(value, ast.List | ast.Tuple):
            inside = [self._dotted(part) for part in value.elts]

            return f"[{', '.join(inside)}]"

        return "…"


def _operands(value: ast.expr) -> list[ast.expr]:
    """The parts of an expression that may be tensors."""
    found: list[ast.expr] = []
    if isinstance(value, ast.Call):
        found += value.args
        found += [keyword.value for keyword in value.keywords]
    elif isinstance(value, ast.BinOp):
        found += [value.left, value.right]
    elif isinstance(value, ast.Subscript):
        found.append(value.value)
    elif isinstance(value, ast.List | ast.Tuple):
        found.append(value)

    return [part for each in found for part in members(each)]


def members(value: ast.expr) -> list[ast.expr]:
    """The members of a list that the code writes, or the value itself."""
    if not isinstance(value, ast.List | ast.Tuple):
        return [value]
    found = []
    for part in value.elts:
        found.append(part.value if isinstance(part, ast.Starred) else part)

    return found


def first_list(value: ast.expr) -> list[ast.expr]:
    """The members of the list that a call takes first."""
    if isinstance(value, ast.Call) and value.args:
        return members(value.args[0])

    return []


def called(value: ast.AST) -> str:
    """The name of what an expression calls; nothing if it is no call."""
    return ast.unparse(value.func) if isinstance(value, ast.Call) else ""


def comment_behind(node: ast.stmt | ast.expr, lines: Sequence[str]) -> str:
    """What stands behind the last line of a piece of code."""
    last = lines[(node.end_lineno or 1) - 1]
    _, _, comment = last.partition("  # ")

    return comment
