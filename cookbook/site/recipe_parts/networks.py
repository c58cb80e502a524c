"""The networks of a recipe, drawn from its source: each layer, and what it takes."""

import ast
import dataclasses
import re
from collections.abc import Iterator, Sequence

from cookbook.site.docstrings.parts import as_typed

LONGEST = 88  # signs of a layer that are shown
OUTPUT = "output"  # of a model, where the code does not name it
INDENT = " " * 4  # of a list inside a list
FACTS = ("dtype", "shape")  # of a tensor, which are no tensors
NO_LAYERS = ("dict", "dict.fromkeys", "len", "range", "zip")
BEGINS = ("keras.Input", "Input")
ENDS = ("keras.Model", "Model")
SEQUENTIAL = "Sequential"


@dataclasses.dataclass
class Step:
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


def drawings(code: str) -> Iterator[str]:
    """Each network that a piece of a recipe's source builds, as boxes in columns."""
    tree = ast.parse(code)
    lines = code.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_sequential(node):
            yield from _sequential(node, _lists_in(tree), lines)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _builds_a_graph(node):
            steps = Reader(lines).read(node)
            yield from _columns(steps)


def _is_sequential(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith(SEQUENTIAL)


def _lists_in(tree: ast.Module) -> dict[str, ast.List]:
    """{name: the list that the code gives it}"""
    return {
        ast.unparse(node.targets[0]): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
    }


def _sequential(
    call: ast.Call, lists: dict[str, ast.List], lines: Sequence[str]
) -> Iterator[str]:
    """The layers of a Sequential model that the code lists."""
    layers = call.args[0] if call.args else None
    if isinstance(layers, ast.Name):
        layers = lists.get(layers.id)
    if isinstance(layers, ast.List) and len(layers.elts) > 1:
        boxes = []
        for layer in layers.elts:
            label = _shortened(ast.unparse(layer).removeprefix("*"))
            boxes.append(f"1.  `{label}` {as_typed(_comment(layer, lines))}".rstrip())
        yield _column(boxes)


def _builds_a_graph(function: ast.FunctionDef) -> bool:
    """Whether a function connects layers, or adds them to a model one by one."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
    names = {ast.unparse(call.func) for call in calls}
    is_functional = not names.isdisjoint(ENDS) and not names.isdisjoint(BEGINS)
    adds = any(name.endswith(".add") for name in names)
    return is_functional or (adds and any(map(_is_sequential, calls)))


class Reader:
    """Follows the tensors of a function from its inputs to its model.

    Args:
        lines: those of the source, with their comments.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.steps: list[Step] = []
        self.tensors: dict[str, str] = {}  # {name: that of the step that gives it}
        self.layers: dict[str, str] = {}  # {name: the layer behind it}
        self.inside: tuple[str, ...] = ()
        self.unnamed = 0  # tensors without a name so far

    def read(self, function: ast.FunctionDef) -> list[Step]:
        """The steps of the function, in its order."""
        self._read_all(function.body)
        return self.steps

    def _read_all(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            if ast.unparse(statement).partition("(")[0].endswith(".compile"):
                break  # what follows trains or measures
            if isinstance(statement, ast.Assign):
                self._assign(statement)
            elif isinstance(statement, ast.Expr):
                self._add(statement.value)
            elif isinstance(statement, ast.Return) and statement.value:
                self._visit_model(statement.value)
            elif isinstance(statement, ast.For):
                head = f"for {ast.unparse(statement.target)} in "
                self._within(head + ast.unparse(statement.iter), statement.body)
            elif isinstance(statement, ast.If):
                self._within(f"if {ast.unparse(statement.test)}", statement.body)
                self._within("else", statement.orelse)

    def _within(self, head: str, body: Sequence[ast.stmt]) -> None:
        self.inside = (*self.inside, head)
        self._read_all(body)
        self.inside = self.inside[:-1]

    def _assign(self, statement: ast.Assign) -> None:
        names = [ast.unparse(target) for target in statement.targets]
        value = statement.value
        if self._visit_model(value):
            return
        if isinstance(value, ast.Call) and _is_sequential(value) and value.args:
            for layer in _members(value.args[0]):
                self.steps.append(Step(ast.unparse(layer), [], names[-1]))
            self.tensors[names[-1]] = names[-1]
            return
        if self._takes_tensor(value) or _is_input(value):
            count = len(self.steps)
            for part in _members(value):
                given = self._visit(part, names[-1])
            self.tensors |= dict.fromkeys(names, given)
            if len(self.steps) > count:
                self.steps[-1].comment = _comment(statement, self.lines)
            return
        for name in names:
            self.tensors.pop(name, None)
            self.layers[name] = ast.unparse(value)

    def _add(self, value: ast.expr) -> None:
        """Reads `model.add(layer)`."""
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            model = ast.unparse(value.func.value)
            if value.func.attr == "add" and model in self.tensors:
                label = ast.unparse(value.args[0])
                self.steps.append(Step(label, [model], model, inside=self.inside))

    def _visit_model(self, value: ast.expr) -> bool:
        """Reads the outputs of a model that a call makes; whether it is such a call."""
        is_model = isinstance(value, ast.Call) and ast.unparse(value.func) in ENDS
        if is_model and isinstance(value, ast.Call) and len(value.args) > 1:
            for part in _members(value.args[1]):
                if self._takes_tensor(part) and not isinstance(part, ast.Name):
                    self._visit(part, OUTPUT)
        return is_model

    def _takes_tensor(self, value: ast.AST) -> bool:
        return bool(self._names(value))

    def _names(self, value: ast.AST) -> list[str]:
        """The names of the tensors in an expression."""
        if isinstance(value, ast.Name):
            return [value.id] if value.id in self.tensors else []
        if isinstance(value, ast.Attribute) and value.attr in FACTS:
            return []
        if isinstance(value, ast.Call) and ast.unparse(value.func) in NO_LAYERS:
            return []
        parts = map(self._names, ast.iter_child_nodes(value))
        return [name for part in parts for name in part]

    def _visit(self, value: ast.expr, output: str = "") -> str:
        """Adds the steps of an expression; returns the name of the tensor it gives."""
        if isinstance(value, ast.Name):
            return self.tensors[value.id]
        operands = [each for each in _operands(value) if self._takes_tensor(each)]
        inputs = [self._visit(each) for each in operands]
        if not operands:
            inputs = [self.tensors[name] for name in self._names(value)]
        if not output:
            self.unnamed += 1
            output = f"({chr(ord('a') + self.unnamed - 1)})"
        label = self._label(value)
        self.steps.append(Step(label, inputs, output, inside=self.inside))
        return output

    def _label(self, value: ast.expr) -> str:
        """What happens to the tensors of an expression, with dots in their place."""
        if isinstance(value, ast.Call):
            name = ast.unparse(value.func)
            if _is_input(value):
                return ast.unparse(value)
            if name in self.layers:
                return self.layers[name]  # which the code has made above
            if isinstance(value.func, ast.Call):
                return name
            arguments = [self._dotted(part) for part in value.args]
            arguments += [
                f"{k.arg}={self._dotted(k.value)}" for k in value.keywords if k.arg
            ]
            return f"{name}({', '.join(arguments)})"
        if isinstance(value, ast.BinOp):
            sign = {ast.Add: "+", ast.Mult: "*", ast.Sub: "-", ast.Div: "/"}
            operator = sign.get(type(value.op), "@")
            sides = self._dotted(value.left), self._dotted(value.right)
            return f" {operator} ".join(sides)
        if isinstance(value, ast.Subscript):
            place = ast.unparse(value.slice).strip("()")
            return f"{self._dotted(value.value)}[{place}]"
        return ast.unparse(value)

    def _dotted(self, value: ast.expr) -> str:
        """An operand as it is written, or a dot for what is a step of its own."""
        if isinstance(value, ast.Name):
            return self.tensors.get(value.id, value.id)
        if not self._takes_tensor(value):
            return ast.unparse(value)
        if isinstance(value, ast.List | ast.Tuple):
            return f"[{', '.join(map(self._dotted, value.elts))}]"
        return "…"


def _operands(value: ast.expr) -> list[ast.expr]:
    """The parts of an expression that may be tensors."""
    if isinstance(value, ast.Call):
        arguments = [*value.args, *(keyword.value for keyword in value.keywords)]
        return [part for each in arguments for part in _members(each)]
    if isinstance(value, ast.BinOp):
        return [value.left, value.right]
    if isinstance(value, ast.Subscript):
        return [value.value]
    if isinstance(value, ast.List | ast.Tuple):
        return _members(value)
    return []


def _members(value: ast.expr) -> list[ast.expr]:
    """The members of a list that the code writes, or the value itself."""
    if isinstance(value, ast.List | ast.Tuple):
        elements = value.elts
        return [e.value if isinstance(e, ast.Starred) else e for e in elements]
    return [value]


def _is_input(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in BEGINS


def _columns(steps: Sequence[Step]) -> Iterator[str]:
    """Columns of boxes: another one begins where a step takes no tensor from above."""
    column: list[str] = []
    above = ""
    around: tuple[str, ...] = ()
    for place, step in enumerate(steps):
        is_fed = above in step.inputs
        if column and not is_fed:
            yield _column(column)
            column, around = [], ()
        for depth, head in enumerate(step.inside):
            if around[: depth + 1] != step.inside[: depth + 1]:
                column.append(f"{INDENT * depth}1.  `{head}`")
        depth = len(step.inside)
        box = _box(step, steps[place + 1 :], above if is_fed else "")
        column.append(f"{INDENT * depth}1.  {box}")
        above, around = step.output, step.inside
    if column:
        yield _column(column)


def _box(step: Step, later: Sequence[Step], above: str) -> str:
    """A step in words: its layer, what else it takes, and its name where it is used."""
    words = [f"`{_shortened(step.label)}`"]
    others = [
        f"`{name}`"
        for name in dict.fromkeys(step.inputs)
        if name != above and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", step.label)
    ]
    if others:
        words.append(("with " if above else "of ") + ", ".join(others))
    is_last = not later and step.output != OUTPUT
    if is_last or _is_used_below(step.output, later):
        words.append(f"gives `{step.output}`")
    if step.comment:
        words.append(f"({as_typed(step.comment)})")
    return " ".join(words)


def _is_used_below(name: str, later: Sequence[Step]) -> bool:
    """Whether a step beyond the next one takes a tensor."""
    for place, step in enumerate(later):
        if place and name in step.inputs:
            return True
        if step.output == name:
            return False
    return False


def _column(boxes: Sequence[str]) -> str:
    inside = "\n".join(boxes)
    return f'<div class="network" markdown>\n\n{inside}\n\n</div>'


def _shortened(label: str) -> str:
    label = label.replace("keras.layers.", "")
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 2]} …"


def _comment(node: ast.stmt | ast.expr, lines: Sequence[str]) -> str:
    """What stands behind the last line of a piece of code."""
    last = lines[(node.end_lineno or 1) - 1]
    _, _, comment = last.partition("  # ")
    return comment
