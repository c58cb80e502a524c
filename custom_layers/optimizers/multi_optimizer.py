"""MultiOptimizer: an optimizer of its own for each part of a model."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import keras
from keras import ops

from ..common.private_keras import counted_calls, slot_index
from ..common.rows import with_each_row_once
from ..common.types import Config
from .wrapper import _apply, _variables_of_call

NO_RATE = (
    "A MultiOptimizer has no learning rate: read or set the `learning_rate` of each of "
    "its `optimizers`."
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MultiOptimizer(keras.optimizers.Optimizer):
    """MultiOptimizer: each part of a model has an optimizer and a rate of its own.

    w = the update of w by the optimizer of the first pair that names w

    Args:
        optimizer_map: pairs (optimizer, what it trains). The second is a layer, a model
            or a regular expression of variable paths, such as "head/.*"; or a list of
            these. Put (optimizer, ".*") last for all other variables. It may also be a
            `keras.optimizers.OptimizerMap`, or a function of a variable that returns
            the variable's optimizer.
        loss_scale_factor: takes the place of that of the optimizers.
        name: the optimizer's name.

    `optimizers` is the list of the optimizers. It has no `learning_rate`: callbacks set
    the rate of each. `global_clipnorm` bounds the variables of one optimizer.

    Raises: ValueError for a variable that no pair names, for an optimizer in two pairs
    or around others, and for two weights of one path that different pairs train: a file
    could not tell them apart. A file of the model names weights by their paths.
    Differs from Keras: takes pairs, as TensorFlow Addons does. Layers may be frozen
    after training began. If all accumulate gradients, `iterations` counts whole steps.
    `exclude_from_weight_decay` reaches every optimizer. Addons leaves alone variables
    that no pair names, and says nothing.

    A new head learns fast, while the layers below keep what they know:

    >>> body = keras.layers.Dense(2, kernel_initializer="ones")
    >>> head = keras.layers.Dense(1, kernel_initializer="ones")
    >>> model = keras.Sequential([keras.Input((2,)), body, head])
    >>> optimizers = [(keras.optimizers.Adam(1e-4), body), ("sgd", head)]
    >>> model.compile(MultiOptimizer(optimizers), "mse")
    >>> x = keras.ops.convert_to_numpy([[1.0, 2.0]])
    >>> loss = model.train_on_batch(x, x[:, :1])  # from 1 and 1
    >>> for layer in (body, head):
    ...     print(layer.get_weights()[0][0].round(4))
    [0.9999 0.9999]
    [0.7]

    Paper: Howard and Ruder, "Universal language model fine-tuning for text
    classification", 2018, https://arxiv.org/abs/1801.06146
    """

    def __init__(
        self,
        optimizer_map: list | Callable,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name
        )
        if isinstance(optimizer_map, list | tuple):
            optimizer_map = _Pairs(optimizer_map)
        elif not callable(optimizer_map):
            raise ValueError(
                "`optimizer_map` must be a list of pairs (optimizer, layers), a "
                "keras.optimizers.OptimizerMap or a function of a variable. "
                f"Received: optimizer_map={optimizer_map}"
            )
        self._optimizer_map = optimizer_map
        self._optimizers: list = []
        named: list = getattr(optimizer_map, "values", list)()
        default = getattr(optimizer_map, "default_optimizer", None)
        for optimizer in [*named, default]:
            if optimizer is not None:
                self._position_of(optimizer)

    def _position_of(self, optimizer: keras.optimizers.Optimizer) -> int:
        """The position of an optimizer in `optimizers`, where a new one is entered."""
        for position, known in enumerate(self._optimizers):
            if known is optimizer:
                return position
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise ValueError(f"{optimizer} is no optimizer of Keras, such as Adam()")
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer | MultiOptimizer):
            kind = type(optimizer).__name__
            raise ValueError(f"{kind} cannot be used inside a MultiOptimizer.")
        optimizer.loss_scale_factor = self.loss_scale_factor
        self._optimizers.append(optimizer)
        return len(self._optimizers) - 1

    def build(self, variables: list) -> None:
        if self.built:
            return
        variables = list(variables)
        self._choices = [self._position_of(self._optimizer_map(v)) for v in variables]
        if isinstance(self._optimizer_map, _Pairs):
            _refuse_equal_paths(variables, self._choices)
        for position, optimizer in enumerate(self._optimizers):
            own = [v for v, c in zip(variables, self._choices) if c == position]
            if own:
                optimizer.build(own)
        super().build(variables)

    @property
    def optimizers(self) -> list:
        return self._optimizers

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        variables = _variables_of_call(self, trainable_variables)
        shares: list[list] = [[] for _ in self._optimizers]
        for g, w in zip(grads, variables):
            if g is not None:
                choice = self._choices[slot_index(self, w)]
                shares[choice].append((with_each_row_once(g), w))
        is_step = ops.convert_to_tensor(False)
        for optimizer, share in zip(self._optimizers, shares):
            if share:
                made_step = _apply(optimizer, *map(list, zip(*share)))
                is_step = ops.logical_or(is_step, made_step)
        count = counted_calls(self)
        count.assign_add(ops.cast(is_step, count.dtype))

    def finalize_variable_values(self, var_list: list) -> None:
        if not self.built:
            return
        choices = [self._choices[slot_index(self, v)] for v in var_list]
        for position, optimizer in enumerate(self._optimizers):
            own = [v for v, c in zip(var_list, choices) if c == position]
            if own:
                optimizer.finalize_variable_values(own)

    @property
    def variables(self) -> list:
        own = super().variables
        return own + [v for optimizer in self._optimizers for v in optimizer.variables]

    def set_weights(self, weights: list) -> None:
        super().set_weights(weights)  # which sets the first, this optimizer's own
        for variable, weight in zip(self.variables, weights):
            variable.assign(weight)

    @property
    def learning_rate(self) -> Any:
        raise AttributeError(NO_RATE)

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(NO_RATE)

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the loss, by which each optimizer divides its gradients."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._loss_scale_factor = factor
        for optimizer in getattr(self, "_optimizers", []):
            optimizer.loss_scale_factor = factor

    def exclude_from_weight_decay(
        self, var_list: list | None = None, var_names: list[str] | None = None
    ) -> None:
        """Spares these variables the weight decay of their optimizers."""
        for optimizer in self._optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> Config:
        chosen = self._optimizer_map
        if isinstance(chosen, _Pairs):
            optimizer_map = chosen.get_config()
        else:
            optimizer_map = keras.saving.serialize_keras_object(chosen)
        return {
            "optimizer_map": optimizer_map,
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "MultiOptimizer":
        def restored(value):
            return keras.saving.deserialize_keras_object(value, custom_objects)

        chosen = config["optimizer_map"]
        if isinstance(chosen, list):
            chosen = [(restored(optimizer), paths) for optimizer, paths in chosen]
        else:
            chosen = restored(chosen)
        return cls(**{**config, "optimizer_map": chosen})


class _Pairs:
    """Pairs (optimizer, what it trains), called with a variable for its optimizer."""

    def __init__(self, pairs: Iterable) -> None:
        self.pairs = [_pair(pair) for pair in pairs]
        ids = {id(optimizer) for optimizer, _ in self.pairs}
        if not ids or len(ids) < len(self.pairs):
            raise ValueError(
                "`optimizer_map` must hold at least one pair, and each optimizer once: "
                "write (optimizer, [layer_1, layer_2]) for several layers. Received: "
                f"{len(self.pairs)} pairs with {len(ids)} optimizers"
            )

    def __call__(self, variable) -> keras.optimizers.Optimizer:
        for optimizer, parts in self.pairs:
            if any(_is_named(variable, part) for part in parts):
                return optimizer
        raise ValueError(
            f"No optimizer was named for the variable {variable.path}. Name its layer "
            'in a pair, or put (optimizer, ".*") last for all other variables.'
        )

    def values(self) -> list:
        return [optimizer for optimizer, _ in self.pairs]

    def get_config(self) -> list:
        serialize = keras.saving.serialize_keras_object
        return [[serialize(o), _paths(parts)] for o, parts in self.pairs]


def _pair(pair) -> tuple[keras.optimizers.Optimizer, list]:
    """(optimizer, [layers or regular expressions])"""
    optimizer, parts = pair
    parts = list(parts) if isinstance(parts, list | tuple) else [parts]
    for part in parts:
        if not isinstance(part, str | keras.layers.Layer):
            raise ValueError(
                "A pair of `optimizer_map` must be (optimizer, layers), where layers "
                "are a layer, a model, a regular expression of variable paths, or a "
                f"list of these. Received: {part}"
            )
    return keras.optimizers.get(optimizer), parts


def _is_named(variable, part: Any) -> bool:
    """Whether the part, a layer or a regular expression, has the variable."""
    if not isinstance(part, str):
        return any(variable is weight for weight in part.weights)
    endings = _endings(variable.path)
    if part in endings or variable.path in _endings(part):
        return True
    is_pattern = re.escape(part).replace("\\-", "-") != part
    return is_pattern and any(re.fullmatch(part, ending) for ending in endings)


def _endings(path: str) -> list[str]:
    """a/b/c, b/c and c of a path a/b/c.

    A variable keeps its path in a file but for the names of the models around it, which
    Keras may leave out.
    """
    names = path.split("/")
    return ["/".join(names[i:]) for i in range(len(names))]


def _paths(parts: list) -> list[str]:
    """What a file says in place of the parts: paths of weights, regular expressions."""
    paths: list[str] = []
    for part in parts:
        if isinstance(part, str):
            paths.append(part)
        elif part.built:
            paths += [weight.path for weight in part.weights]
        else:
            raise ValueError(
                f"The layer {part.name} has no weights yet, by which the configuration "
                "of a MultiOptimizer names it: build the model first."
            )
    return paths


def _refuse_equal_paths(variables: list, choices: list[int]) -> None:
    """Raises a ValueError if a file could not tell two variables apart by their paths.

    Those of one optimizer need not be told apart.
    """
    chosen: dict[str, int] = {}
    for variable, choice in zip(variables, choices):
        chosen.setdefault(variable.path, choice)
    for variable, choice in zip(variables, choices):
        for ending in _endings(variable.path):
            if chosen.get(ending, choice) != choice:
                raise ValueError(
                    f"The paths {variable.path} and {ending} belong to two variables "
                    "with different optimizers, which a file of the model could not "
                    "tell apart: give their layers different names."
                )
