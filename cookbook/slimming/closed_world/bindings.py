"""What the calls of a function pass for each of its arguments."""

import ast
from ast import (
    Assign,
    Attribute,
    Call,
    Dict,
    DictComp,
    FunctionDef,
    Lambda,
    Name,
    Starred,
    Tuple,
    unparse,
    walk,
)
from collections.abc import Iterator

from cookbook.slimming.closed_world.callees import Callee, Site
from cookbook.slimming.closed_world.calls import Calls
from cookbook.slimming.closed_world.program import UNKNOWN, is_literal, is_read

Passed = dict[str, ast.expr | None]  # {argument: what is passed, None if unknown}


class Bindings:
    """The arguments of calls, by the name that the called function gives them."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.program = calls.program
        self._extra: dict[int, set[str] | None] = {}

    def values(self, callee: Callee, name: str) -> set[str]:
        """The literals that calls give an argument; UNKNOWN stands for all else."""
        found = set()

        for site in callee.sites:
            passed = self.passed(callee, site)
            if passed is None:
                continue

            value = passed.get(name, callee.default(name))
            is_given = name in passed
            if (
                is_given
                and isinstance(value, Name)
                and self._is_same(callee, site, name, value)
            ):
                continue
            if not is_literal(value) or (is_given and not site.is_certain):
                found.add(UNKNOWN)
            else:
                assert value is not None
                found.add(self.program.segment(value))

        return found

    def _is_same(self, callee: Callee, site: Site, name: str, value: Name) -> bool:
        """Whether a function only hands its own argument on to itself."""
        return (
            value.id == name
            and self.program.function_of(site.call) is callee.node
            and not stores(callee.node, name)
        )

    def passed(self, callee: Callee, site: Site) -> Passed | None:
        """What a call passes; None if the call cannot be one of this function."""
        positional = [argument.arg for argument in callee.positional]
        names = [argument.arg for argument in callee.named]
        found: Passed = {}
        if callee.is_fixed:
            return dict.fromkeys(names)

        for i, value in enumerate(site.call.args):
            if isinstance(value, Starred):
                found.update(dict.fromkeys(positional[i:]))
                break
            if i >= len(positional):
                return None

            found[positional[i]] = value

        for keyword in site.call.keywords:
            if keyword.arg in names:
                found[keyword.arg or ""] = keyword.value
            elif keyword.arg is not None:
                is_possible = callee.node.args.kwarg is not None
                if not site.is_certain:
                    is_possible &= self.calls.accepts(callee, keyword.arg)
                if not is_possible:
                    return None
            else:
                content = self.spread(keyword.value)
                chosen = names if content is None else content & {*names}
                for name in chosen:
                    found.setdefault(name, None)

        return found

    def extra(self, callee: Callee) -> set[str] | None:
        """The keywords that a function may find in its **kwargs; None if unknown."""
        key = id(callee)
        if key not in self._extra:
            self._extra[key] = None  # where functions hand it on in a circle
            self._extra[key] = self._read_extra(callee)

        return self._extra[key]

    def _read_extra(self, callee: Callee) -> set[str] | None:
        if callee.is_fixed or self._may_be_rebuilt(callee):
            return None

        found: set[str] = set()
        names = {argument.arg for argument in callee.named}

        for site in callee.sites:
            if self.passed(callee, site) is None:
                continue

            for keyword in site.call.keywords:
                content = {keyword.arg} if keyword.arg else self.spread(keyword.value)
                if content is None:
                    return None

                found |= {name for name in content if name} - names

        return found

    def _may_be_rebuilt(self, callee: Callee) -> bool:
        """Whether Keras passes a name and other options of its own to a constructor."""
        if callee.owner is None or callee.node.name != "__init__":
            return False

        return self.program.rebuilds and not self.program.is_plain(callee.owner)

    def spread(self, value: ast.expr) -> set[str] | None:
        """The keywords that `**value` stands for; None if that is not known."""
        if isinstance(value, Dict):
            keys = {getattr(key, "value", None) for key in value.keys}
            strings = {key for key in keys if isinstance(key, str)}
            return strings if len(strings) == len(keys) else None
        if isinstance(value, DictComp):
            return self._filtered(value)

        local = self._local_dictionary(value)
        if local is not None:
            return self.spread(local)

        function = self.program.function_of(value)
        callee = self.calls.by_node.get(function) if function else None
        if not isinstance(value, Name) or callee is None:
            return None

        kwarg = callee.node.args.kwarg
        if kwarg is None or kwarg.arg != value.id:
            return None

        found = self.extra(callee)
        if found is None:
            return None

        found = set(found)

        for use in uses(callee.node, value.id):
            added = self._added(use)
            if added is None:
                return None

            found |= added

        return found

    def _local_dictionary(self, value: ast.expr) -> Dict | None:
        """The dictionary that a local name stands for, if nothing changes it."""
        function = self.program.function_of(value)
        if function is None or not isinstance(value, Name):
            return None

        found = [self.program.parents[use] for use in uses(function, value.id)]
        statements = [node for node in found if isinstance(node, Assign)]
        others = [node for node in found if isinstance(node, ast.keyword)]
        if len(statements) != 1 or len(others) != len(found) - 1:
            return None

        dictionary = statements[0].value
        return dictionary if isinstance(dictionary, Dict) else None

    def _filtered(self, value: DictComp) -> set[str] | None:
        """The keys of `{k: v for k, v in given.items() if ...}`."""
        target, source = value.generators[0].target, value.generators[0].iter
        if len(value.generators) > 1 or not isinstance(target, Tuple):
            return None

        is_same = unparse(target.elts[0]) == unparse(value.key)
        function = self.program.function_of(value)
        name = unparse(source).removesuffix(".items()")
        if function is None or not is_same or not unparse(source).endswith("items()"):
            return None

        found = [
            node.value
            for node in walk(function)
            if isinstance(node, Assign) and unparse(node.targets[0]) == name
        ]
        if len(found) != 1 or not isinstance(found[0], Dict):
            return None

        reads = list(uses(function, name))
        return self.spread(found[0]) if len(reads) == 2 else None

    def _added(self, use: Name) -> set[str] | None:
        """The keywords that a use of **kwargs adds to it; None if that is not known."""
        parent = self.program.parents[use]
        if isinstance(parent, ast.keyword):
            return set()

        call = self.program.parents.get(parent)
        if isinstance(parent, Attribute) and isinstance(call, Call):
            if parent.attr in ("get", "items", "pop", "keys", "values"):
                return set()

            key = getattr(call.args[0], "value", None)
            if parent.attr == "setdefault" and isinstance(key, str):
                return {key}

        return None


def uses(function: ast.AST, name: str) -> Iterator[Name]:
    """The places in a function that read or bind a name."""
    for node in walk(function):
        if isinstance(node, Name) and node.id == name:
            yield node


def stores(function: ast.AST, name: str) -> bool:
    """Whether a function, or one inside it, binds a name besides its arguments."""
    return any(
        (isinstance(node, Name) and node.id == name) and not is_read(node)
        for node in walk(function)
    ) or any(
        isinstance(node, ast.arg) and node.arg == name
        for inner in walk(function)
        if inner is not function and isinstance(inner, FunctionDef | Lambda)
        for node in walk(inner.args)
    )
