"""The Config of a plain script, with the fields that a recipe's has from its base."""

import ast
from collections.abc import Iterator, Sequence

from cookbook.one_file.rewrite import Edit
from cookbook.plain.cuts import QUICK

BASES = ("TrainingConfig", "ExperimentConfig")
FIELDS = """\
    seed: int = 0  # random seed
    quick: bool = False  # try the script out in seconds, on small data
"""
# What takes the defaults for --quick, where a Config has some.
DEFAULTS = """
    def __post_init__(self) -> None:
        for name, value in self.in_quick.items():
            if self.quick and getattr(self, name) == getattr(Config, name):
                object.__setattr__(self, name, value)
"""


def with_all_fields(node: ast.ClassDef, lines: Sequence[str]) -> Iterator[Edit]:
    """Takes away the base class of a Config, and gives it the fields from there."""
    if not any(ast.unparse(base) in BASES for base in node.bases):
        return
    head = lines[node.lineno - 1]
    yield Edit((node.lineno, len(f"class {node.name}")), (node.lineno, len(head)), ":")

    declared = [s for s in node.body if isinstance(s, ast.AnnAssign)]
    fields = [s for s in declared if ast.unparse(s.target) != QUICK]
    yield _inserted(FIELDS, fields[-1])
    if fields != declared:
        yield _inserted(DEFAULTS, node)


def _inserted(text: str, above: ast.stmt) -> Edit:
    place = (above.end_lineno or 0) + 1, 0
    return Edit(place, place, text)
