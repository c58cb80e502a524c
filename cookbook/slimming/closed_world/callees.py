"""Functions that a script defines, and the places that call them."""

import ast
from ast import Call, FunctionDef
from dataclasses import dataclass, field

from cookbook.slimming.closed_world.program import is_static


@dataclass
class Site:
    """A call of a function, or a call of an unknown value that may be the function."""

    call: Call
    is_certain: bool = True


@dataclass
class Callee:
    """A function of the module, or a method of one of its classes."""

    owner: str | None
    node: FunctionDef
    sites: list[Site] = field(default_factory=list)
    is_fixed: bool = False  # whether somebody else may call it, with any arguments
    is_escaping: bool = False  # whether it is a value that unknown calls may mean

    @property
    def is_private(self) -> bool:
        """Whether only this file can mean it: by its name, or by that of its class."""
        name = self.node.name
        if name == "__init__" and self.owner:
            name = self.owner
        return name.startswith("_")

    @property
    def named(self) -> list[ast.arg]:
        """Its arguments but for *args, **kwargs and the object itself."""
        a = self.node.args
        return [*self.positional, *a.kwonlyargs]

    @property
    def positional(self) -> list[ast.arg]:
        a = self.node.args
        skip = 1 if self.owner and not is_static(self.node) else 0
        return [*a.posonlyargs, *a.args][skip:]

    def default(self, name: str) -> ast.expr | None:
        a = self.node.args
        both = [*a.posonlyargs, *a.args]
        pairs = [*zip(reversed(both), reversed(a.defaults))]
        pairs += [(k, d) for k, d in zip(a.kwonlyargs, a.kw_defaults) if d]
        return next((d for argument, d in pairs if argument.arg == name), None)
