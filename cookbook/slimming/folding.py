"""Expressions and branches whose result is known before the script runs."""

import ast
import operator
from ast import (
    Attribute,
    BoolOp,
    Call,
    ClassDef,
    Compare,
    Constant,
    Dict,
    DictComp,
    Eq,
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
    Subscript,
    Tuple,
    UnaryOp,
    While,
    walk,
)
from collections.abc import Callable, Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.keras_names import DEFAULTS
from cookbook.slimming.closed_world.program import (
    Program,
    begin,
    end,
    is_literal,
    is_pure,
    literal_value,
    name_of,
)
from cookbook.slimming.edits.branches import (
    idle_statement,
    known_branch,
    unreachable,
)
from cookbook.slimming.edits.changes import (
    Change,
    blocks_of,
    replaced,
    without_item,
)

Fold = Callable[[ast.AST, Program], str | None]
# What returns None for None; keras.activations.get returns a function.
KERAS_GET = tuple(
    f"keras.{kind}.get" for kind in ("constraints", "initializers", "regularizers")
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
            yield from known_branch(node, program)
        elif isinstance(node, ast.stmt):
            yield from idle_statement(node, program)
        elif isinstance(node, ast.keyword):
            edit = _needless_keyword(node, program)
            if edit:
                yield [edit]

        for block in blocks_of(node):
            yield from unreachable(block, program)


def _choice(node: ast.AST, program: Program) -> str | None:
    """`a if True else b` becomes `a`."""
    if not isinstance(node, IfExp) or not is_literal(node.test):
        return None

    chosen = node.body if literal_value(node.test) else node.orelse
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
        if bool(literal_value(first)) == is_or:
            return program.segment(first)
        if len(rest) == 1:
            return text_within(rest[0], node, program)

        word = " or " if is_or else " and "
        return "(" + word.join(text_within(part, node, program) for part in rest) + ")"

    for i, part in enumerate(rest, 1):
        if is_literal(part) and _is_test(node, program):
            if bool(literal_value(part)) != is_or:  # it decides nothing
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

    return str(not literal_value(node.operand)) if is_literal(node.operand) else None


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
        found = COMPARISONS[type(operation)](literal_value(left), literal_value(right))
    except (ValueError, TypeError):
        return None

    return str(found)


def _instance(node: ast.AST, program: Program) -> str | None:
    """`isinstance(None, int)` becomes False."""
    if not isinstance(node, Call) or name_of(node.func) != "isinstance":
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

    values = [literal_value(argument) for argument in node.args]
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
        if key is not None and literal_value(key) == literal_value(node.slice):
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


def _needless_keyword(node: ast.keyword, program: Program) -> Edit | None:
    """An argument of Keras's that has Keras's default, or `**{}`."""
    call = program.parents[node]
    assert isinstance(call, Call | ClassDef)
    if isinstance(call, ClassDef):
        return None

    span = begin(node), end(node)
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
