"""The rows of the table: what is measured, and the bound that it has to meet."""

import dataclasses
import operator
import typing
from collections.abc import Callable, Mapping

from benchmarks.cases import OPTIMIZER_VARIABLES, Arguments
from benchmarks.counterparts import find, rivals, steps_of_backend
from benchmarks.measure import Step

Sides = dict[str, Callable[[], Step | None]]  # {"ours": a function that makes a step}
MAPS = (64, 56, 56, 64)
FEATURES = (32, 256, 256)
ATTENTION = {"query": (4, 1024, 256), "value": (4, 1024, 256)}


@dataclasses.dataclass(frozen=True)
class Row:
    """Steps that are compared.

    Attributes:
        what: the row's name in the table.
        sides: what makes the step of "ours", "keras" and "torch".
        bounds: {"keras": what ours / Keras may be at most, "torch": ...}.
        is_network: whether it is the step of a recipe, which only TensorFlow runs here.
    """

    what: str
    sides: Sides
    bounds: Mapping[str, float]
    is_network: bool = False


@dataclasses.dataclass(frozen=True)
class Figure:
    """A single number.

    Attributes:
        what: the row's name in the table.
        measure: the function that measures it.
        unit: what the number counts, such as "s" or "%".
        at_most: what it may be at most.
    """

    what: str
    measure: Callable[[], float]
    unit: str
    at_most: float


def component_rows() -> list[Row]:
    """The rows of single components, which every backend runs."""
    return [
        *_recurrent(),
        _layer(
            "causal attention (4, 1024, 256), 8 heads",
            "MultiHeadAttention",
            {"num_heads": 8, "key_dim": 32},
            ATTENTION,
            {"keras": 0.5, "torch": 0.9},
            call={"use_causal_mask": True},
        ),
        *_normalizations(),
        *_optimizers(),
        _loss(
            "cross-entropy over 10,000 classes, batch 512",
            "SparseCategoricalCrossentropy",
            {"from_logits": True},
            (512, 10_000),
            {"keras": 0.45},
        ),
    ]


def _recurrent() -> list[Row]:
    """Three sizes of each layer: (batch, steps, features), units, bounds."""
    sizes = [((32, 400, 64), 64), ((64, 200, 128), 128), ((128, 28, 28), 128)]
    bounds: dict[str, list[dict[str, float]]] = {
        "LSTM": [
            {"keras": 0.6, "torch": 1.3},
            {"keras": 0.95, "torch": 1.0},
            {"keras": 0.95, "torch": 1.4},
        ],
        "GRU": [{"keras": 0.55}, {"keras": 0.75}, {"keras": 0.80}],
        "SimpleRNN": [{"keras": 0.6}, {"keras": 0.8}, {"keras": 0.9}],
    }
    return [
        _layer(
            f"{name} {shape}, {units} units",
            name,
            {"units": units, "return_sequences": True},
            shape,
            bound,
        )
        for name, of_sizes in bounds.items()
        for (shape, units), bound in zip(sizes, of_sizes)
    ]


def _normalizations() -> list[Row]:
    found = [
        _layer(
            f"LayerNormalization {FEATURES}",
            "LayerNormalization",
            {},
            FEATURES,
            {"keras": 0.6, "torch": 1.5},
        )
    ]
    for name in ("BatchNormalization", "GroupNormalization", "RMSNormalization"):
        kwargs = {"groups": 8} if name == "GroupNormalization" else {}
        found += [
            _layer(f"{name} {shape}", name, kwargs, shape, {"keras": 0.6})
            for shape in (MAPS, FEATURES)
        ]
    return found


def _optimizers() -> list[Row]:
    kinds: dict[str, Arguments] = {
        "SGD": {"momentum": 0.9},
        "RMSprop": {},
        "Adam": {},
        "AdamW": {},
    }
    return [
        _optimizer(name, kwargs, count, {"keras": 0.5})
        for name, kwargs in kinds.items()
        for count in OPTIMIZER_VARIABLES
    ]


def _layer(
    what: str,
    name: str,
    kwargs: Arguments,
    shape: typing.Any,
    bounds: Mapping[str, float],
    call: Arguments | None = None,
) -> Row:
    options = {"kwargs": kwargs, "shape": shape, "backward": True, "call": call}
    return Row(
        what,
        _sides(
            name,
            lambda cls: steps_of_backend().layer_step(cls, **options),
            operator.methodcaller("layer_step", name, **options),
        ),
        bounds,
    )


def _loss(
    what: str,
    name: str,
    kwargs: Arguments,
    shape: tuple[int, ...],
    bounds: Mapping[str, float],
) -> Row:
    options = {"shape": shape, "truth": "labels", "backward": True}
    return Row(
        what,
        _sides(
            name,
            lambda cls: steps_of_backend().loss_step(cls, kwargs, **options),
            operator.methodcaller("loss_step", name, **options),
        ),
        bounds,
    )


def _optimizer(
    name: str, kwargs: Arguments, count: int, bounds: Mapping[str, float]
) -> Row:
    return Row(
        f"{name}, update of {count} variables",
        _sides(
            name,
            lambda cls: steps_of_backend().optimizer_step(cls, kwargs, count),
            operator.methodcaller("optimizer_step", name, count),
        ),
        bounds,
    )


def _sides(
    name: str,
    make: Callable[[typing.Any], Step],
    rival: Callable[[typing.Any], Step | None],
) -> Sides:
    """The sides of a component; Keras or PyTorch may lack it."""

    def theirs() -> Step | None:
        _, cls = find(name)
        return None if cls is None else make(cls)

    def of_torch() -> Step | None:
        torch_steps = rivals()
        return torch_steps and rival(torch_steps)

    return {"ours": lambda: make(find(name)[0]), "keras": theirs, "torch": of_torch}
