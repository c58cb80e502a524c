"""Arguments that are the same in every call, or that nobody reads."""

import ast
from ast import (
    Attribute,
    Call,
    Constant,
    Dict,
    DictComp,
    FunctionDef,
    Return,
    Tuple,
    walk,
)
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.bindings import Bindings, stores, uses
from cookbook.slimming.closed_world.callees import Callee
from cookbook.slimming.closed_world.calls import Calls, calls_of, calls_super
from cookbook.slimming.closed_world.contexts import is_tested
from cookbook.slimming.closed_world.program import (
    UNKNOWN,
    Program,
    is_literal,
    is_pure,
)
from cookbook.slimming.edits.changes import (
    Change,
    replaced,
    without_item,
)
from cookbook.slimming.edits.removal import (
    Removal,
    absent,
    is_replaceable,
    span,
    starred,
)


def constant_parameters(program: Program) -> Iterator[Change]:
    """Takes out arguments: a function gets their value, calls no longer pass them."""
    calls = calls_of(program)
    bindings = Bindings(calls)
    rebuilt = _Rebuilt(bindings)
    yield from rebuilt.changes()

    for callee in calls.all:
        if callee.is_fixed or not callee.sites or callee in rebuilt.callees:
            continue

        known = _known(callee, bindings)
        is_empty = bool(callee.node.args.kwarg) and bindings.extra(callee) == set()
        if known or is_empty:
            change = Removal(callee, bindings, known, is_empty).change()
            if change:
                yield change

        yield from _absent_keywords(callee, bindings)
        yield from _tested(callee, bindings, known)


def _known(callee: Callee, bindings: Bindings) -> dict[str, str]:
    """{argument that can go: its value, or "" if nobody reads it}."""
    if _has_namesakes(callee, bindings.calls):
        return {}

    found = {}

    for argument in callee.named:
        name = argument.arg
        if not _may_be_edited(callee, name, bindings):
            continue
        if not any(True for _ in uses(callee.node, name)):
            found[name] = ""
            continue

        values = bindings.values(callee, name)
        if len(values) != 1 or UNKNOWN in values:
            continue

        (value,) = values
        is_simple = is_replaceable(callee, name, value, bindings.program)
        if is_simple or value in ("None", "True", "False") or value.startswith('"'):
            found[name] = value

    return found


def _tested(
    callee: Callee, bindings: Bindings, known: dict[str, str]
) -> Iterator[Change]:
    """Decides what depends on a number that formulas name and so keep."""
    if _has_namesakes(callee, bindings.calls):
        return

    for argument in callee.named:
        name = argument.arg
        values = bindings.values(callee, name)
        if name in known or len(values) != 1 or UNKNOWN in values:
            continue
        if stores(callee.node, name) or not _may_be_edited(callee, name, bindings):
            continue

        (value,) = values

        for use in uses(callee.node, name):
            if is_tested(use, bindings.program):
                yield [replaced(use, value)]


def _has_namesakes(callee: Callee, calls: Calls) -> bool:
    """Whether another class has a method of this name, which calls may mean as well."""
    name = callee.node.name
    if callee.owner is None or name == "__init__":
        return False

    return sum(other == name for _, other in calls.methods) > 1


def _may_be_edited(callee: Callee, name: str, bindings: Bindings) -> bool:
    """Whether all calls that pass an argument can do without it."""
    is_internal = bindings.calls.is_internal(callee)
    is_read = any(True for _ in uses(callee.node, name))

    for site in callee.sites:
        passed = bindings.passed(callee, site)
        if passed is None or name not in passed:
            continue

        value = passed[name]
        if value is None or not site.is_certain or not is_pure(value):
            return False
        if is_literal(value) and not is_internal:
            return False
        if is_read and not is_internal:
            return False

        is_method = isinstance(site.call.func, Attribute)
        if is_method and not callee.is_private and not calls_super(site.call):
            return False

    return True


class _Rebuilt:
    """The constructors that Keras calls with what get_config returned.

    An argument goes from all of them at once, together with its key.
    """

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.program = bindings.program
        self.of_classes = {
            name: bindings.calls.constructors(name)[0]
            for name in sorted(self.program.instantiated)
            if self.program.is_rebuilt(name)
            and self._configs(name)
            and bindings.calls.constructors(name)
        }
        self.callees = list(self.of_classes.values())
        self.overridden = self._overridden() if self.program.rebuilds else set()

    def _configs(self, name: str) -> list[FunctionDef]:
        """The get_config of a class and of its bases."""
        methods = self.program.methods
        pairs = [(base, "get_config") for base in self.program.orders[name]]
        return [methods[pair] for pair in pairs if pair in methods]

    def _overridden(self) -> set[str]:
        """Keys that code outside get_config writes into a configuration."""
        found = set()

        for node in self.program.nodes:
            function = self.program.function_of(node)
            if isinstance(node, Dict) and getattr(function, "name", "") != (
                "get_config"
            ):
                found |= {getattr(key, "value", None) for key in node.keys}
            elif isinstance(node, Call):
                targets = self.bindings.calls.targets(node) or []
                if any(c.node.args.kwarg and c not in self.callees for c in targets):
                    found |= {k.arg for k in node.keywords}

        return {name for name in found if isinstance(name, str)}

    def changes(self) -> Iterator[Change]:
        """One change for each set of classes that share a get_config."""
        left = dict(self.of_classes)
        while left:
            name, _ = left.popitem()
            group = {name}
            configs = set(self._configs(name))

            for other in [*left, *left]:
                if configs & set(self._configs(other)):
                    group.add(other)
                    configs |= set(self._configs(other))

            for other in group:
                left.pop(other, None)

            change = self._change(sorted(group), configs)
            if change:
                yield change

    def _change(self, group: list[str], configs: set[FunctionDef]) -> Change | None:
        callees = [self.of_classes[name] for name in group]
        callees = [c for i, c in enumerate(callees) if c not in callees[:i]]
        if any(callee.is_fixed for callee in callees):
            return None

        entries = _entries(configs)
        known = {id(c): _known(c, self.bindings) for c in callees}
        edits: list[Edit] = []

        for name in {name for found in known.values() for name in found}:
            takers = [c for c in callees if any(a.arg == name for a in c.named)]
            is_known = all(name in known[id(c)] for c in takers)
            if not is_known or name in self.overridden or None in entries.get(name, []):
                for found in known.values():
                    found.pop(name, None)

        gone = {name for found in known.values() for name in found}
        if any(_loses_a_part(config, gone) for config in configs):
            return None

        for callee in callees:
            if known[id(callee)]:
                change = Removal(
                    callee, self.bindings, known[id(callee)], False
                ).change()
                if change is None:
                    return None

                edits += change

        for name in gone:
            for pair in entries.get(name, []):
                edit = pair and without_item(self.program, span(*pair))
                if not edit:
                    return None

                edits.append(edit)

        return edits or None


def _loses_a_part(config: FunctionDef, gone: set[str]) -> bool:
    """Whether some, but not all, items of a tuple would go: its comma might stay."""
    for node in walk(config):
        if isinstance(node, Tuple):
            names = {getattr(item, "value", None) for item in node.elts}
            if names & gone and names - gone:
                return True

    return False


def _entries(
    configs: set[FunctionDef],
) -> dict[str, list[tuple[ast.AST, ast.AST] | None]]:
    """{key: its entries in the dictionaries of get_config}; None is any other use."""
    found: dict[str, list[tuple[ast.AST, ast.AST] | None]] = {}

    for config in configs:
        entries = {
            key: (key, value)
            for node in walk(config)
            if isinstance(node, Return) and isinstance(node.value, Dict)
            for key, value in zip(node.value.keys, node.value.values)
            if key is not None
        }
        for node in walk(config):
            if isinstance(node, DictComp) and isinstance(
                node.generators[0].iter, Tuple
            ):
                names = node.generators[0].iter.elts
                entries |= {name: (name, name) for name in names}

        for node in walk(config):
            if isinstance(node, Constant) and isinstance(node.value, str):
                found.setdefault(node.value, []).append(entries.get(node))

    return found


def _absent_keywords(callee: Callee, bindings: Bindings) -> Iterator[Change]:
    """Reads of keywords that no call passes: they give their default."""
    kwarg = callee.node.args.kwarg
    extra = bindings.extra(callee)
    if kwarg is None or not extra:
        return

    for use in uses(callee.node, kwarg.arg):
        edit = absent(use, bindings.program)
        if edit is None:
            continue

        call = bindings.program.parents[bindings.program.parents[use]]
        assert isinstance(call, Call)
        name = getattr(call.args[0], "value", None)
        if name and name not in extra:
            yield [edit]


def named_keywords(program: Program) -> Iterator[Change]:
    """Names what **kwargs stands for, if every call passes the same keywords."""
    calls = calls_of(program)
    bindings = Bindings(calls)

    for callee in calls.all:
        kwarg = callee.node.args.kwarg
        extra = bindings.extra(callee) if kwarg else None
        if kwarg is None or not extra or not _all_pass(callee, extra):
            continue

        found = list(uses(callee.node, kwarg.arg))
        keywords = [program.parents[use] for use in found]
        if len(found) != 1 or not isinstance(keywords[0], ast.keyword):
            continue

        names = sorted(extra)
        star = "" if callee.node.args.kwonlyargs else "*, "
        hint = f": {program.segment(kwarg.annotation)}" if kwarg.annotation else ""
        hints = ", ".join(name + hint for name in names)
        (top, left), end = starred(kwarg, program)
        yield [
            Edit((top, left), end, star + hints),
            replaced(keywords[0], ", ".join(f"{name}={name}" for name in names)),
        ]


def _all_pass(callee: Callee, extra: set[str]) -> bool:
    return all(
        site.is_certain and extra <= {keyword.arg for keyword in site.call.keywords}
        for site in callee.sites
    )
