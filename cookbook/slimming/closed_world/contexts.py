"""Where in an expression a constant may stand, so that a reader still follows it."""

import ast
from ast import (
    AnnAssign,
    Assign,
    Attribute,
    BoolOp,
    Call,
    Compare,
    Constant,
    If,
    IfExp,
    Name,
    Not,
    UnaryOp,
    While,
    unparse,
)

from cookbook.slimming.closed_world.program import (
    NOWHERE,
    Program,
    is_literal,
    is_number,
    is_super,
)

TESTS = BoolOp | Compare | If | IfExp | While
# Functions that compute a constant from constants, and may be computed here.
COMPUTED = ("bool", "float", "int", "max", "min")


def is_tested(node: ast.AST, program: Program) -> bool:
    """Whether a value only decides something at this place."""
    parent = program.parents[node]
    if isinstance(parent, If | IfExp | While):
        return parent.test is node
    if isinstance(parent, UnaryOp):
        return isinstance(parent.op, Not)
    return isinstance(parent, BoolOp | Compare)


def may_stand_there(value: ast.expr, use: ast.AST, program: Program) -> bool:
    """Whether a literal may replace a name or an attribute at this place.

    Formulas keep the names of their numbers: a number only replaces what is compared,
    handed on or stored.
    """
    parent = program.parents[use]
    if isinstance(parent, Attribute | Call) and _is_head(parent, use):
        return isinstance(value, Constant) and isinstance(value.value, str)
    if getattr(use, "lineno", NOWHERE) == NOWHERE:
        return False
    if not is_number(value):
        return True
    if is_tested(use, program):
        return True

    # What a call gets by name or by place makes no difference.
    if isinstance(parent, ast.keyword):
        parent = program.parents[parent]
    if isinstance(parent, Call):
        is_zero = not any(digit in unparse(value) for digit in "123456789")
        return _takes_constants(parent, program, use, is_zero)
    return isinstance(parent, Assign | AnnAssign)


def _is_head(parent: Attribute | Call, use: ast.AST) -> bool:
    """Whether the use is called, or one of its attributes is read."""
    return use is (parent.value if isinstance(parent, Attribute) else parent.func)


def _takes_constants(call: Call, program: Program, use: ast.AST, is_zero: bool) -> bool:
    """Whether a call hands a number on inside the file, or makes a constant of it."""
    function = call.func
    if isinstance(function, Name):
        if function.id in COMPUTED:
            others = [argument for argument in call.args if argument is not use]
            return all(is_literal(other) or isinstance(other, Call) for other in others)
        if function.id in program.classes:
            return True
        if is_zero and function.id in program.functions:
            return True  # most often it turns something off there
    if isinstance(use, Attribute):
        return False
    if isinstance(function, Attribute) and is_super(function.value):
        return True
    around = program.function_of(call)
    return around is not None and around.name == "__init__"
