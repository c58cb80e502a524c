"""Rewrites a recipe's script for plain Keras: without run folders, with Model.fit."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from cookbook.one_file.rewrite import Edit, applied
from cookbook.takeaway.trimming import cut, tidy

# Names that a plain script has no use for, as an argument or a statement.
ABSENT = {"run", "folder"}
# {function: how many of its arguments stay}, for those whose rest is about run folders.
FIRST_ARGUMENTS = {"judged": 1}
IDLE_CALLS = {
    "draw_motion",
    "draw_alignment",
    "draw_contest",
    "print_meanings",
    "save_animation",
}
IDLE_KEYWORDS = {"smallest", "multiple", "fewest", "asked", "resume"}
IDLE_METHODS = {"__post_init__", "idle"}  # of a Config: they check its values
PADDED = ("cookbook.data.text.reviews", "cookbook.data.text.translation")

# Methods of data sets, which in a script are functions of a data set.
METHODS = {"only": "only", "few": "few_of_each", "one_hot": "one_hot"}

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

Item = ast.expr | ast.keyword | ast.arg


def as_plain(text: str) -> str:
    """The script with plain Keras in place of what the cookbook does around it."""
    while True:
        found = list(Rules(text).edits())
        if not found:
            return text
        text = tidy(applied(_innermost(found), text))


def _innermost(edits: list[Edit]) -> list[Edit]:
    """The edits that hold no other one; those left out are found again afterwards."""
    return [
        edit
        for edit in set(edits)
        if not any(
            edit.start <= other.start and other.end <= edit.end
            for other in edits
            if other != edit
        )
    ]


class Rules:
    """What is to be changed in a script, as it is at present."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        modules = {n.module for n in self.tree.body if isinstance(n, ast.ImportFrom)}
        self.is_padded = bool(modules & {*PADDED})
        imported = {
            alias.name
            for n in self.tree.body
            if isinstance(n, ast.ImportFrom) and n.module == "cookbook.training.train"
            for alias in n.names
        }
        self.trains = "train" in imported
        self.is_adversarial = "custom_layers.models" in modules
        functions = [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        names = {f.name for f in functions}
        # A recipe's function `decoder` decodes with a cache; a script decodes without.
        self.absent = ABSENT | names & {"decoder"}
        self.checks = {f.name for f in functions if _only_refuses(f)}

    def edits(self) -> Iterator[Edit]:
        if self.checks:
            for function in self.tree.body:
                for statement in (function, *getattr(function, "body", ())):
                    if self._checks(statement):
                        yield cut(statement, self.lines)
            return
        for block in _blocks(self.tree):
            yield from self._cuts(block)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield from self._idle_locals(node)
                yield from self._parameters(node)
            elif isinstance(node, ast.ClassDef):
                yield from self._config(node)
            elif isinstance(node, ast.Call):
                yield from self._arguments(node)
                yield from self._call(node)
            elif isinstance(node, ast.Expr):
                yield from self._idle_history(node.value)
            elif isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple):
                yield from self._starred(node, node.value.elts)

    def _starred(self, node: ast.Starred, items: list[ast.expr]) -> Iterator[Edit]:
        """`*(run, name)` among arguments becomes `name`."""
        kept = [item for item in items if not self._is_idle(item)]
        if len(kept) < len(items):
            yield Edit(_start(node), _end(node), ", ".join(map(self._source, kept)))

    def _config(self, node: ast.ClassDef) -> Iterator[Edit]:
        """Gives a Config the fields that it has from its base class."""
        for base in node.bases:
            if ast.unparse(base) in ("TrainingConfig", "ExperimentConfig"):
                start = node.lineno, len(f"class {node.name}")
                declared = [s for s in node.body if isinstance(s, ast.AnnAssign)]
                fields = [s for s in declared if ast.unparse(s.target) != "in_quick"]
                yield Edit(start, (node.lineno, len(self.lines[node.lineno - 1])), ":")
                last = fields[-1].end_lineno or 0
                yield Edit((last + 1, 0), (last + 1, 0), FIELDS)
                if fields != declared:
                    end = node.end_lineno or 0
                    yield Edit((end + 1, 0), (end + 1, 0), DEFAULTS)

    def _checks(self, statement: ast.stmt) -> bool:
        """Whether it is a function that only refuses wrong values, or a call of one."""
        if isinstance(statement, ast.FunctionDef):
            return statement.name in self.checks
        return _called(statement) in self.checks

    def _cuts(self, block: list[ast.stmt]) -> Iterator[Edit]:
        for statement in block:
            if self._is_absent(statement):
                yield cut(statement, self.lines)

    def _is_absent(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            function = statement.value.func
            name = getattr(function, "id", "")
            owner = getattr(getattr(function, "value", None), "id", "")
            if owner == "run":
                return True
            return name in IDLE_CALLS and not self._trains(statement)
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            is_score = isinstance(target, ast.Attribute) and target.attr == "scores"
            return is_score or getattr(target, "id", "") in ABSENT
        if isinstance(statement, ast.FunctionDef):
            takes_defaults = "in_quick" in ast.unparse(statement)
            return statement.name in IDLE_METHODS and not takes_defaults
        return isinstance(statement, ast.If) and _refuses(statement)

    def _idle_locals(self, function: ast.FunctionDef) -> Iterator[Edit]:
        """Cuts assignments to one name that the function does not read."""
        parts = list(ast.walk(function))
        names = [node for node in parts if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        for statement in parts:
            if isinstance(statement, ast.Assign):
                target, *more = statement.targets
                if more or not isinstance(target, ast.Name) or target.id in read:
                    continue
                if self._trains(statement):
                    yield Edit(_start(statement), _start(statement.value), "")
                else:
                    yield cut(statement, self.lines)

    def _trains(self, statement: ast.stmt) -> bool:
        """Whether a model is trained in the statement."""
        functions = [n.func for n in ast.walk(statement) if isinstance(n, ast.Call)]
        names = {getattr(f, "attr", getattr(f, "id", "")) for f in functions}
        return "fit" in names or "train" in names

    def _parameters(self, function: ast.FunctionDef) -> Iterator[Edit]:
        parameters = [*function.args.args]
        defaults = function.args.defaults
        first = len(parameters) - len(defaults)
        ends: list[tuple[Item, Any]] = [(p, p.annotation or p) for p in parameters]
        for i, default in enumerate(defaults, first):
            ends[i] = parameters[i], default
        for i, parameter in enumerate(parameters):
            end = ends[i][1]
            is_auto = isinstance(end, ast.Constant) and end.value == "auto"
            if is_auto or parameter.arg in ABSENT:
                yield self._without(ends, i)

    def _arguments(self, call: ast.Call) -> Iterator[Edit]:
        items: list[Any] = sorted([*call.args, *call.keywords], key=_start)
        most = FIRST_ARGUMENTS.get(getattr(call.func, "id", ""), len(items))
        ends = [(item, item) for item in items]
        for i, item in enumerate(items):
            if isinstance(item, ast.keyword) and item.arg == "default":
                yield Edit(_start(item), _start(item.value), "")  # name=default
                return
            if i >= most or self._is_idle(item):
                yield self._without(ends, i)
                return  # the next one in another round

    def _without(self, ends: list, i: int) -> Edit:
        """Takes item i out of a list of arguments."""
        item, end = ends[i]
        if i + 1 < len(ends):
            following = ends[i + 1][0]
            return Edit((item.lineno, item.col_offset), _start(following), "")
        if i:
            return Edit(_end(ends[i - 1][1]), _end(end), "")
        return Edit(_start(item), _end(end), "")

    def _call(self, call: ast.Call) -> Iterator[Edit]:
        name = getattr(call.func, "id", "")
        texts = [ast.get_source_segment(self.text, item) or "" for item in call.args]
        new = ""
        if name == "train" and self.trains:
            new = self._fit(*texts[:3])
        elif name == "training_steps":
            config, examples = texts
            new = f"{config}.epochs * ({examples} // {config}.batch_size)"
            if call.keywords:
                new = f"max({ast.unparse(call.keywords[0].value)}, {new})"
        elif name == "finish" and len(texts) == 5:
            new = f"finish({texts[1]}, {texts[3]}, {texts[4]})"
        elif name == "seed_everything":
            new = f"keras.utils.set_random_seed({texts[0]})"
        elif isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
            owner = ast.get_source_segment(self.text, call.func.value)
            new = f"{METHODS[call.func.attr]}({', '.join([owner or '', *texts])})"
        elif name == "AdversarialModel":
            new = self._adversaries(call)
        elif name in self.absent or (name == "draw_contest" and "fit(" in texts[0]):
            new = texts[0]
        elif name == "Claim" or name.startswith(("draw_", "report")):
            old = ast.get_source_segment(self.text, call) or ""
            new = re.sub(r",\s*\)$", ")", old)
            new = new if new != old and "#" not in old else ""
        if new:
            yield Edit(_start(call), _end(call), new)

    def _adversaries(self, call: ast.Call) -> str:
        """The short class for the kind of GAN, whose penalty is a number."""
        kind = ast.unparse(call)
        name = "PackedGAN" if "pack=" in kind else "GAN"
        name = "WassersteinGP" if "WassersteinGAN" in kind else name
        text = f"{name}({', '.join(self._source(x) for x in call.args[:2])}"
        for option in call.keywords:
            value = option.value
            if option.arg == "penalty" and isinstance(value, ast.Call):
                value = value.args[0]
            if option.arg != "loss":
                text += f", {option.arg}={self._source(value)}"
        return f"{text})"

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def _idle_history(self, value: ast.expr) -> Iterator[Edit]:
        if isinstance(value, ast.Attribute) and value.attr == "history":
            yield Edit(_end(value.value), _end(value), "")

    def _fit(self, model: str, data: str, config: str) -> str:
        size, options = f"{config}.batch_size", f"epochs={config}.epochs, verbose=2"
        if self.is_padded:
            batches = f"Batches(*{data}.train, {size})"
            held_out = f"validation_data=Batches(*{data}.validation, {size})"
            return f"{model}.fit({batches}, {held_out}, {options}).history"
        train = f"{model}.fit(*{data}.train, {size}, {options}"
        if self.is_adversarial:  # the short classes have no test_step
            return f"{train}).history"
        return f"{train}, validation_data={data}.validation).history"

    def _is_idle(self, item: ast.expr | ast.keyword) -> bool:
        if isinstance(item, ast.keyword):
            return item.arg in IDLE_KEYWORDS or self._is_idle(item.value)
        if isinstance(item, ast.Name):
            return item.id in self.absent
        if isinstance(item, ast.Attribute):
            return ast.unparse(item) in ("config.data", "config.run_dir")
        return isinstance(item, ast.Call) and ast.unparse(item.func) == "run.part"


def _refuses(statement: ast.stmt) -> bool:
    """Whether a statement ends the program, where a flag has a wrong value."""
    if isinstance(statement, ast.If):
        return all(map(_refuses, statement.body)) and not statement.orelse
    return isinstance(statement, ast.Raise) or _called(statement) == "fail"


def _called(statement: ast.stmt) -> str:
    """The function that a statement calls, without using what it returns."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return getattr(statement.value.func, "id", "")
    return ""


def _only_refuses(function: ast.FunctionDef) -> bool:
    refusals = [statement for statement in function.body if _refuses(statement)]
    others = [s for s in function.body if not isinstance(s, ast.Assign)]
    return bool(refusals) and refusals == others


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _start(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset
