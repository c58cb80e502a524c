"""Space of a search: the hyperparameters of a recipe, and the values they may take."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from cookbook.errors import fail
from cookbook.tuning.spaces.changes import Change, read_changes


@dataclasses.dataclass(frozen=True)
class Dimension:
    """A hyperparameter and the values that a search may give it."""

    name: str  # of a field of the Config
    kind: Literal["choice", "int", "float"]
    values: tuple = ()  # of a choice
    low: float = 0.0  # of an int or a float; both ends are included
    high: float = 0.0
    step: float | None = None  # None: any number; a factor if is_log
    is_log: bool = False  # whether each factor is equally likely, not each difference
    # [(another hyperparameter, the values of it with which this one has an effect)]
    conditions: tuple[tuple[str, tuple], ...] = ()

    def is_active(self, values: dict) -> bool:
        """Whether the hyperparameter has an effect beside these values of others."""
        return all(values.get(name) in allowed for name, allowed in self.conditions)


class Space:
    """The hyperparameters that a recipe's space(hp) declares, changed by --space.

    declare: the recipe's function space(hp), where `hp` has keras-tuner's methods
        Choice, Int, Float, Boolean, Fixed and conditional_scope.
    config: the settings of trial 0, which all trials have in other fields.
    """

    def __init__(self, declare: Callable[[Any], Any], config: Any):
        self.declare = declare
        self.config = config
        self.changes = read_changes(config)
        self.hyperparameters = self._discovered()
        self.dimensions = [_dimension(hp) for hp in self.hyperparameters.space]
        self._refuse_strange_names()

    def __call__(self, hp: Any) -> Any:
        """The Config with the values of `hp`; keras-tuner calls this as a model.

        hp: keras-tuner's HyperParameters. Those that are missing are added to it.
        """
        ranges = _Ranges(hp, self.changes, self.config)
        proposal = self.declare(ranges)
        added = {
            name: change.declared(hp)
            for name, change in self.changes.items()
            if name not in ranges.asked
        }
        return dataclasses.replace(proposal, **added)

    def configure(self, values: dict) -> Any:
        """The Config that has a trial's hyperparameters."""
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        proposal = self(hp)
        chosen = {name: getattr(proposal, name) for name in values}
        return dataclasses.replace(self.config, **chosen)

    def defaults(self) -> dict:
        """The values that the Config has without a search: those of trial 0."""
        values: dict = {}
        for dimension in self.dimensions:
            if dimension.is_active(values):
                values[dimension.name] = getattr(self.config, dimension.name)
        return values

    def _discovered(self) -> Any:
        """keras-tuner's HyperParameters with all that the recipe may declare.

        A recipe may declare a hyperparameter only where a conditional scope is active.
        So the recipe is asked again with values that make each scope active.
        """
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        self(hp)
        tried: list = []
        while True:
            known = [*hp.active_scopes, *tried]
            waiting = [scope for scope in hp.inactive_scopes if scope not in known]
            if not waiting:
                return hp
            tried.append(waiting[0])
            for parent in waiting[0]:
                hp.values[parent.name] = parent.values[0]
            hp.ensure_active_values()
            self(hp)

    def _refuse_strange_names(self) -> None:
        fields = {field.name for field in dataclasses.fields(self.config)}
        for dimension in self.dimensions:
            if dimension.name not in fields:
                fail(
                    f"the recipe's space declares {dimension.name}, expected the name "
                    "of a field of its Config"
                )


class _Ranges:
    """What space(hp) is given: keras-tuner's methods, with the changes of --space.

    A hyperparameter that is not active has the value of the Config, where keras-tuner
    would return None.
    """

    def __init__(self, hp: Any, changes: dict[str, Change], config: Any):
        self.hp = hp
        self.changes = changes
        self.config = config
        self.asked: set[str] = set()  # the names that the recipe declares
        self.closed = 0  # open scopes that --space makes inactive, by a fixed parent

    def Choice(self, name: str, values: Sequence, **settings: Any) -> Any:
        return self._value("Choice", name, list(values), **settings)

    def Int(self, name: str, *bounds: Any, **settings: Any) -> Any:
        return self._value("Int", name, *bounds, **settings)

    def Float(self, name: str, *bounds: Any, **settings: Any) -> Any:
        return self._value("Float", name, *bounds, **settings)

    def Boolean(self, name: str, **settings: Any) -> Any:
        return self._value("Boolean", name, **settings)

    def Fixed(self, name: str, value: Any, **settings: Any) -> Any:
        return self._value("Fixed", name, value, **settings)

    @contextlib.contextmanager
    def conditional_scope(self, parent: str, values: Sequence) -> Iterator[None]:
        """A block whose hyperparameters have an effect with these values of another."""
        if self._is_fixed(parent):
            is_closed = getattr(self.config, parent) not in values
            self.closed += is_closed
            yield
            self.closed -= is_closed
        else:
            with self.hp.conditional_scope(parent, list(values)):
                yield

    def _is_fixed(self, name: str) -> bool:
        return name in self.changes and self.changes[name].is_fixed

    def _value(self, kind: str, name: str, *values: Any, **settings: Any) -> Any:
        self.asked.add(name)
        value = None
        if not self.closed and not self._is_fixed(name):
            if name in self.changes:
                value = self.changes[name].declared(self.hp)
            else:
                value = getattr(self.hp, kind)(name, *values, **settings)
        return getattr(self.config, name, None) if value is None else value


def _dimension(hp: Any) -> Dimension:
    """What one of keras-tuner's hyperparameters is."""
    conditions = tuple((parent.name, tuple(parent.values)) for parent in hp.conditions)
    kind = type(hp).__name__
    if kind in ("Int", "Float"):
        return Dimension(
            hp.name,
            "int" if kind == "Int" else "float",
            low=hp.min_value,
            high=hp.max_value,
            step=hp.step,
            is_log=hp.sampling == "log",
            conditions=conditions,
        )
    values = {"Boolean": (False, True)}.get(kind) or getattr(hp, "values", None)
    return Dimension(
        hp.name, "choice", tuple(values or (hp.value,)), conditions=conditions
    )
