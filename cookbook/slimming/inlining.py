"""Functions and constructors that only hand on what they get."""

from ast import Call, Constant, Expr, Name, Pass, Return, get_docstring, unparse
from collections.abc import Iterator

from cookbook.slimming.closed_world.bindings import Bindings
from cookbook.slimming.closed_world.callees import Callee
from cookbook.slimming.closed_world.calls import calls_of
from cookbook.slimming.closed_world.keras_names import CLONED
from cookbook.slimming.closed_world.program import Program, is_pure, name_of
from cookbook.slimming.edits.changes import Change, replaced, without
from cookbook.slimming.folding import text_within

CONVERSIONS = ("bool", "float", "int", "tuple")


def handed_on(program: Program) -> Iterator[Change]:
    """Calls of `def f(x): return x` become x; constructors without effect go."""
    calls = calls_of(program)
    bindings = Bindings(calls)

    for callee in calls.functions.values():
        result = _result(callee)
        if result is None or callee.is_fixed:
            continue

        name, conversion = result

        for site in callee.sites:
            passed = bindings.passed(callee, site)
            if passed is None or not site.is_certain:
                continue

            value = passed.get(name)
            others = [v for key, v in passed.items() if key != name]
            if None in others or not all(map(is_pure, others)):
                continue
            if not name:
                text = conversion
            elif value is None:
                continue
            elif conversion:
                text = f"{conversion}({program.segment(value)})"
            else:
                text = text_within(value, site.call, program)

            yield [replaced(site.call, text)]

    yield from _idle_constructors(program)
    yield from _empty_configurations(program)
    yield from _empty_calls(program)


def _result(callee: Callee) -> tuple[str, str] | None:
    """(argument that a function returns, the conversion that it makes, or "")."""
    body = callee.node.body
    body = body[1:] if get_docstring(callee.node) else body
    if len(body) != 1 or not isinstance(body[0], Return):
        return None

    value, conversion = body[0].value, ""

    # A function without arguments may be left that always returns the same.
    if isinstance(value, Constant) and _is_plain(value):
        return "", unparse(value).replace("'", '"')
    if isinstance(value, Call) and name_of(value.func) in CONVERSIONS:
        if len(value.args) != 1 or value.keywords:
            return None

        conversion = unparse(value.func)
        value = value.args[0]

    names = [argument.arg for argument in callee.named]
    if isinstance(value, Name) and value.id in names:
        return value.id, conversion

    return None


def _is_plain(value: Constant) -> bool:
    """Whether it is None, a boolean or a short text without quotes."""
    if isinstance(value.value, str):
        return value.value.replace("_", "").isalnum()

    return value.value in (None, True, False)


def _idle_constructors(program: Program) -> Iterator[Change]:
    """`def __init__(self, **kwargs): super().__init__(**kwargs)` does nothing."""
    for (_, name), method in program.methods.items():
        a = method.args
        if name != "__init__" or len(a.args) != 1 or a.kwonlyargs or a.vararg:
            continue
        if len(method.body) != 1 or not isinstance(method.body[0], Expr):
            continue

        extra = f"**{a.kwarg.arg}" if a.kwarg else ""
        if unparse(method.body[0]) == f"super().__init__({extra})":
            yield [without(program, method)]


def _empty_configurations(program: Program) -> Iterator[Change]:
    """An initializer whose get_config returns {} has what Keras's has."""
    for (owner, name), method in program.methods.items():
        order = program.orders[owner]
        above = [base for base in order[1:] if (base, name) in program.methods]
        if name != "get_config" or CLONED not in order or above:
            continue
        if len(method.body) == 1 and unparse(method.body[0]) == "return {}":
            yield [without(program, method)]


def _empty_calls(program: Program) -> Iterator[Change]:
    """Calls of functions with an empty body go."""
    for callee in calls_of(program).functions.values():
        if not all(isinstance(s, Pass) for s in callee.node.body):
            continue

        for site in callee.sites:
            call = site.call
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            statement = program.parents[call]
            if isinstance(statement, Expr) and all(map(is_pure, arguments)):
                yield [without(program, statement)]
