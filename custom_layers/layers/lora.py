"""LoRA: a frozen weight is adapted by the product of two thin trained matrices."""

from typing import Any

import keras
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.private_keras import add_late_weight
from ..common.types import Config, Initializer, Regularizer


class _Adaptable(keras.layers.Layer):
    """A layer with one large weight W, which LoRA adapts: W + lora_alpha / rank * A B.

    A subclass implements `_adapted` and calls `_adapt_if_asked` at the end of `build`.
    In a file stands the sum, so that layers with and without LoRA, Keras's too, read
    each other's files.

    Paper: Hu et al., "LoRA: low-rank adaptation of large language models", 2021.
    https://arxiv.org/abs/2106.09685
    """

    lora_enabled = False

    def __init__(
        self, lora_rank: int | None, lora_alpha: float | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if lora_rank is not None:
            lora_rank = positive_integer(lora_rank, "lora_rank")
        self.lora_rank: Any = lora_rank
        self.lora_alpha: Any = python_number(lora_alpha)
        if lora_alpha is None:
            self.lora_alpha = lora_rank

    def _adapted(self) -> tuple[str, Any, Regularizer, Any]:
        """(name of W, W or None before `build`, its regularizer, its constraint)."""
        raise NotImplementedError

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Initializer = "he_uniform",
        b_initializer: Initializer = "zeros",
    ) -> None:
        """Freezes the weight W of the built layer, and trains A and B in its place.

        Args:
            rank: columns of A and rows of B.
            lora_alpha: how strongly A B counts; the same as rank by default.
            a_initializer, b_initializer: start values. With a B of zeros the layer
                first computes what it did.

        Raises: ValueError where W has a constraint, is not built or is adapted already.
        """
        name, W, regularizer, constraint = self._adapted()
        if constraint:
            raise ValueError(
                f"Lora is incompatible with {name.removesuffix('s')} constraints. In "
                f"order to enable lora on this layer, remove the `{name}_constraint` "
                "argument."
            )
        if W is None:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        if self.lora_enabled:
            raise ValueError(
                "lora is already enabled. This can only be done once per layer."
            )
        rank = positive_integer(rank, "rank")
        self._start_of_a = keras.initializers.get(a_initializer)
        options = {"dtype": "float32", "regularizer": regularizer}
        *rows, columns = W.shape
        self._lora_a = add_late_weight(
            self,
            name=f"lora_{name}_a",
            shape=(*rows, rank),
            initializer=self._start_of_a,
            **options,
        )
        self._lora_b = add_late_weight(
            self,
            name=f"lora_{name}_b",
            shape=(rank, columns),
            initializer=keras.initializers.get(b_initializer),
            **options,
        )
        W.trainable = False
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else python_number(lora_alpha)

    def _adapt_if_asked(self) -> None:
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def _sum(self):
        """W, or W + lora_alpha / rank * A B."""
        W = self._adapted()[1]
        if not self.lora_enabled:
            return W
        return ops.add(W, self._scale() * ops.matmul(self._lora_a, self._lora_b))

    def _scale(self) -> float:
        return self.lora_alpha / self.lora_rank

    @property
    def trainable(self) -> bool:
        return keras.layers.Layer.trainable.fget(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, value)
        if self.lora_enabled:
            self._adapted()[1].trainable = False  # also in a layer that is thawed

    def _in_a_file(self) -> list:
        """The weights that a layer without LoRA has."""
        added = id(self._lora_a), id(self._lora_b)
        return [weight for weight in self.weights if id(weight) not in added]

    def save_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            super().save_own_variables(store)
            return
        W = self._adapted()[1]
        for i, weight in enumerate(self._in_a_file()):
            value = ops.cast(self._sum(), W.dtype) if weight is W else weight
            store[str(i)] = value

    def load_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        weights = self._in_a_file()
        if len(store.keys()) != len(weights):
            raise ValueError(
                f"Layer '{self.name}' expected {len(weights)} variables, but received "
                f"{len(store.keys())} variables during loading."
            )
        for i, weight in enumerate(weights):
            weight.assign(store[str(i)])
        # Where A and B were both 0, neither would have a gradient.
        self._lora_a.assign(self._start_of_a(self._lora_a.shape, "float32"))
        self._lora_b.assign(ops.zeros(self._lora_b.shape))

    def get_config(self) -> Config:
        config = super().get_config()
        if self.lora_rank:
            config["lora_rank"] = self.lora_rank
            config["lora_alpha"] = self.lora_alpha
        return config
