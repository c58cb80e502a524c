"""Expressions and branches whose result is known before the script runs."""

import ast
import operator
from ast import (
    Assign,
    Attribute,
    BoolOp,
    Break,
    Call,
    ClassDef,
    Compare,
    Constant,
    Continue,
    Dict,
    DictComp,
    Eq,
    Expr,
    FunctionDef,
    Gt,
    GtE,
    If,
    IfExp,
    In,
    Is,
    IsNot,
    List,
    Lt,
    LtE,
    Name,
    Not,
    NotEq,
    NotIn,
    Or,
    Pass,
    Raise,
    Return,
    Subscript,
    Tuple,
    UnaryOp,
    While,
    walk,
)
from collections.abc import Callable, Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.changes import (
    Change,
    blocks_of,
    dedented,
    replaced,
    stands_alone,
    whole_lines,
    without,
    without_item,
)
from cookbook.slimming.closed_world.keras_names import DEFAULTS
from cookbook.slimming.closed_world.program import Program, is_literal, is_pure, place

Fold = Callable[[ast.AST, Program], str | None]
KERAS_GET = tuple(
    f"keras.{kind}.get"
    for kind in ("activations", "constraints", "initializers", "regularizers")
)
OPTIONAL = ("_regularizer", "_constraint")  # None wherever Keras has them
COMPARISONS: dict[type, Callable] = {
    Eq: operator.eq,
    NotEq: operator.ne,
    Lt: operator.lt,
    LtE: operator.le,
    Gt: operator.gt,
    GtE: operator.ge,
    Is: operator.is_,
    IsNot: operator.is_not,
    In: lambda a, b: a in b,
    NotIn: lambda a, b: a not in b,
}
COMPUTED: dict[str, Callable] = {
    "bool": bool,
    "float": float,
    "int": int,
    "max": max,
    "min": min,
}


def folded(program: Program) -> Iterator[Change]:
    """Computes what is known, and drops what can never happen."""
    for node in program.nodes:
        if isinstance(node, ast.expr):
            for fold in FOLDS:
                text = fold(node, program)
                if text is not None:
                    yield [replaced(node, text)]
                    break
        elif isinstance(node, If) and is_literal(node.test):
            yield from _branch(node, program)
        elif isinstance(node, ast.stmt):
            yield from _idle_statement(node, program)
        elif isinstance(node, ast.keyword):
            edit = _needless_keyword(node, program)
            if edit:
                yield [edit]
        for block in blocks_of(node):
            yield from _unreachable(block, program)


def value_of(node: ast.AST) -> object:
    """The value of a literal, or of a tuple of literals.

    Raises: ValueError for everything else.
    """
    assert isinstance(node, ast.expr)
    return ast.literal_eval(node)


def _choice(node: ast.AST, program: Program) -> str | None:
    """`a if True else b` becomes `a`."""
    if not isinstance(node, IfExp) or not is_literal(node.test):
        return None
    chosen = node.body if value_of(node.test) else node.orelse
    return text_within(chosen, node, program)


def text_within(chosen: ast.expr, node: ast.AST, program: Program) -> str:
    """The text of a part that takes the place of the whole."""
    text = program.segment(chosen)
    parent = program.parents[node]
    is_simple = isinstance(chosen, Name | Constant | Attribute | Call | Subscript)
    is_bracketed = isinstance(parent, ast.stmt | ast.keyword | Tuple | List)
    if is_simple or (is_bracketed and "\n" not in text):
        return text
    if isinstance(chosen, Tuple) and text.startswith("("):
        return text
    return f"({text})"


def _boolean(node: ast.AST, program: Program) -> str | None:
    """`None or a` and `True and a` become `a`; `False and a` becomes False."""
    if not isinstance(node, BoolOp):
        return None
    is_or = isinstance(node.op, Or)
    first, *rest = node.values
    if is_literal(first):
        if bool(value_of(first)) == is_or:
            return program.segment(first)
        if len(rest) == 1:
            return text_within(rest[0], node, program)
        word = " or " if is_or else " and "
        return "(" + word.join(text_within(part, node, program) for part in rest) + ")"
    for i, part in enumerate(rest, 1):
        if is_literal(part) and _is_test(node, program):
            if bool(value_of(part)) != is_or:  # it decides nothing
                kept = [*node.values[:i], *node.values[i + 1 :]]
                word = " or " if is_or else " and "
                parts = [_operand(part, program) for part in kept]
                return word.join(parts) if len(parts) == 1 else f"({word.join(parts)})"
            if all(map(is_pure, node.values[:i])):
                return str(is_or)
    return None


def _operand(part: ast.expr, program: Program) -> str:
    text = program.segment(part)
    is_simple = isinstance(part, Name | Attribute | Call | Constant)
    return text if is_simple else f"({text})"


def _is_test(node: ast.AST, program: Program) -> bool:
    parent = program.parents[node]
    if isinstance(parent, If | IfExp | While):
        return parent.test is node
    return isinstance(parent, UnaryOp) and isinstance(parent.op, Not)


def _negation(node: ast.AST, program: Program) -> str | None:
    if not (isinstance(node, UnaryOp) and isinstance(node.op, Not)):
        return None
    return str(not value_of(node.operand)) if is_literal(node.operand) else None


def _comparison(node: ast.AST, program: Program) -> str | None:
    """`None is None` becomes True, `0 > 1` becomes False."""
    if not isinstance(node, Compare) or len(node.ops) != 1:
        return None
    left, right = node.left, node.comparators[0]
    operation = node.ops[0]
    if not is_literal(left):
        return None
    is_identity = isinstance(operation, Is | IsNot)
    if is_identity and not (isinstance(right, Constant) and right.value is None):
        return None
    try:
        found = COMPARISONS[type(operation)](value_of(left), value_of(right))
    except (ValueError, TypeError):
        return None
    return str(found)


def _instance(node: ast.AST, program: Program) -> str | None:
    """`isinstance(None, int)` becomes False."""
    if not isinstance(node, Call) or getattr(node.func, "id", "") != "isinstance":
        return None
    value, kinds = node.args
    if not (isinstance(value, Constant) and value.value is None):
        return None
    names = program.segment(kinds)
    return None if "None" in names or "type(" in names else "False"


def _computed(node: ast.AST, program: Program) -> str | None:
    """`int(2)` becomes 2; Keras makes None of None."""
    if not isinstance(node, Call) or node.keywords:
        return None
    if isinstance(node.func, Attribute) and isinstance(node.func.value, Constant):
        text = node.func.value.value
        is_lower = node.func.attr == "lower" and not node.args
        return f'"{text.lower()}"' if is_lower and isinstance(text, str) else None
    if not node.args:
        return None
    if not all(map(is_literal, node.args)):
        return None
    values = [value_of(argument) for argument in node.args]
    name = program.segment(node.func)
    if name in KERAS_GET and values == [None]:
        return "None"
    if name not in COMPUTED or any(isinstance(v, str | tuple | None) for v in values):
        return None
    found = COMPUTED[name](*values)
    for argument, value in zip(node.args, values):
        if type(value) is type(found) and value == found:
            return program.segment(argument)  # as it was written
    return repr(found)


def _looked_up(node: ast.AST, program: Program) -> str | None:
    """`{"a": x, "b": y}["a"]` becomes x."""
    if not (isinstance(node, Subscript) and isinstance(node.value, Dict)):
        return None
    table = node.value
    if not is_literal(node.slice) or not all(map(is_literal, table.keys)):
        return None
    if not all(map(is_pure, table.values)):
        return None
    for key, value in zip(table.keys, table.values):
        if key is not None and value_of(key) == value_of(node.slice):
            return text_within(value, node, program)
    return None


def _empty_items(node: ast.AST, program: Program) -> str | None:
    """A dictionary made from the items of `{}` is empty."""
    if not isinstance(node, DictComp):
        return None
    source = program.segment(node.generators[0].iter)
    return "{}" if source in ("{}.items()", "()", "( )") else None


FOLDS: tuple[Fold, ...] = (
    _choice,
    _boolean,
    _negation,
    _comparison,
    _instance,
    _computed,
    _looked_up,
    _empty_items,
)


def _branch(node: If, program: Program) -> Iterator[Change]:
    """`if True:` and `if False:`: the branch that runs takes their place."""
    if not stands_alone(program, node):
        return
    is_elif = program.lines[node.lineno - 1].lstrip().startswith("elif")
    if not value_of(node.test) and not node.orelse and not is_elif:
        yield [without(program, node)]
        return
    text = _rest_of_branch(node, is_elif, program)
    if text is None:
        return
    first, last = whole_lines(program, node)
    if text.lstrip().startswith(("if ", "elif ")) and node.orelse:
        rest = node.orelse[0]
        if isinstance(rest, If) and _is_chained(node, program):
            last = rest.lineno  # what follows belongs to the new condition
    comments = program.lines[first - 1 : node.lineno - 1]
    yield [Edit((first, 0), (last + 1, 0), "".join(f"{c}\n" for c in comments) + text)]


def _rest_of_branch(node: If, is_elif: bool, program: Program) -> str | None:
    """What is left of a condition that is known; None if its text is unusual."""
    margin = " " * node.col_offset
    if value_of(node.test):
        block, header = node.body, max(place(node.test)[1], node.lineno)
    elif not node.orelse:
        return ""
    elif _is_chained(node, program):
        line = program.lines[node.orelse[0].lineno - 1].lstrip()
        return f"{margin}{'elif' if is_elif else 'if'}{line.removeprefix('elif')}\n"
    else:
        block, header = node.orelse, node.body[-1].end_lineno or 0
        while program.lines[header].strip() != "else:":
            header += 1
            if header >= block[0].lineno:
                return None
        header += 1
    if is_elif:
        return f"{margin}else:\n" + _block(program, block, header)
    return dedented(program, block, header, node.col_offset)


def _is_chained(node: If, program: Program) -> bool:
    """Whether an `elif` follows, and not an `else` with an `if` in it."""
    rest = node.orelse[0]
    if value_of(node.test) or not isinstance(rest, If):
        return False
    return program.lines[rest.lineno - 1].lstrip().startswith("elif")


def _block(program: Program, block: list[ast.stmt], header: int) -> str:
    return dedented(program, block, header, block[0].col_offset)


def _unreachable(block: list[ast.stmt], program: Program) -> Iterator[Change]:
    """Takes out what stands behind a return in the same block."""
    for statement in block[:-1]:
        if isinstance(statement, Return | Raise | Continue | Break):
            start = (statement.end_lineno or 0) + 1
            end = (block[-1].end_lineno or 0) + 1
            yield [Edit((start, 0), (end, 0), "")]
            return


def _idle_statement(node: ast.stmt, program: Program) -> Iterator[Change]:
    """Statements without effect: `x = x`, a lone value, a branch with `pass` alone."""
    if not stands_alone(program, node):
        return
    if isinstance(node, Assign) and len(node.targets) > 1:
        yield from _one_by_one(node, program)
    elif _is_idle(node, program):
        yield [without(program, node)]


def _is_idle(node: ast.stmt, program: Program) -> bool:
    parent = program.parents[node]
    if isinstance(node, Assign):
        target = node.targets[0]
        is_same = program.segment(target) == program.segment(node.value)
        return is_same and isinstance(target, Name)
    if isinstance(node, Expr):
        is_text = isinstance(node.value, Constant) and node.value.value is not None
        return is_pure(node.value) and not is_text and bool(program.function_of(node))
    if isinstance(node, Return):
        is_last = isinstance(parent, FunctionDef) and parent.body[-1] is node
        return node.value is None and is_last
    if isinstance(node, Pass):
        return any(node in block and len(block) > 1 for block in blocks_of(parent))
    if isinstance(node, If) and isinstance(node.body[0], Pass):
        is_elif = program.lines[node.lineno - 1].lstrip().startswith("elif")
        return not node.orelse and is_pure(node.test) and not is_elif
    return False


def _one_by_one(node: Assign, program: Program) -> Iterator[Change]:
    """`self.a = self.b = None` becomes two statements."""
    parts = [program.segment(target) for target in node.targets]
    if is_literal(node.value) and all(part.startswith("self.") for part in parts):
        value = program.segment(node.value)
        margin = "\n" + " " * node.col_offset
        first, last, left, right = place(node)
        text = margin.join(f"{part} = {value}" for part in parts)
        yield [Edit((first, left), (last, right), text)]


def _needless_keyword(node: ast.keyword, program: Program) -> Edit | None:
    """An argument of Keras's that has Keras's default, or `**{}`."""
    call = program.parents[node]
    assert isinstance(call, Call | ClassDef)
    if isinstance(call, ClassDef):
        return None
    top, bottom, left, right = place(node)
    span = (top, left), (bottom, right)
    if node.arg is None:
        is_empty = isinstance(node.value, Dict) and not node.value.keys
        return without_item(program, span) if is_empty else None
    if not (node.arg in DEFAULTS or node.arg.endswith(OPTIONAL)) or not isinstance(
        node.value, Constant
    ):
        return None
    if node.value.value is not DEFAULTS.get(node.arg):
        return None
    name = program.segment(call.func)
    if name.startswith("keras.layers."):
        is_option = node.arg.endswith(OPTIONAL)
        return without_item(program, span) if is_option else None
    if name == "self.add_weight" and node.arg in ("constraint", "regularizer"):
        return without_item(program, span)
    if name == "super().__init__" and not _is_taken(node.arg, call, program):
        return without_item(program, span)
    return None


def _is_taken(name: str, call: Call, program: Program) -> bool:
    """Whether a constructor of this file may read the argument before Keras does."""
    own = program.class_of(call)
    above = {
        base
        for order in program.orders.values()
        if own in order
        for base in order[order.index(own) + 1 :]
    }
    for base in above:
        constructor = program.methods.get((base, "__init__"))
        for node in walk(constructor) if constructor else ():
            if isinstance(node, ast.arg) and node.arg == name:
                return True
            if isinstance(node, Constant) and node.value == name:
                return True
    return False
