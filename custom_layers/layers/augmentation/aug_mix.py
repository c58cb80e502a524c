"""AugMix: an image mixed with several chains of operations on it."""

from typing import Any, Literal

import keras
from keras import ops

from ...common.checks import one_of, positive_integer
from ...common.types import Config, DataFormat, Seed
from .affine import INTERPOLATIONS
from .base import (
    Share,
    _Augmentation,
    _logit_of_beta,
    _per_image,
    _positive,
    _range_of_values,
    _shares,
    _symmetric_beta,
)
from .policy import BLENDS, OPERATIONS, _as_levels, _fast_operate, _from_levels
from .random_affine import _between

IDENTITY = OPERATIONS.index("identity")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AugMix(_Augmentation):
    """Mixes an image with versions of it, each changed by a chain of operations.

    training:  x' = m x + (1 - m) sum_k w_k chain_k(x), m ~ Beta(alpha, alpha),
               w ~ Dirichlet(alpha, ..., alpha); each chain has 1 ... chain_depth random
               operations of those of `RandAugment`, at a strength s ~ U(factor)
    inference: x' = x
    The mixture keeps what the image shows, so that much can vary. Networks trained on
    it keep their accuracy on blurred, noisy or foggy images.

    Args:
        value_range: (black, white) of the images, within which results stay.
        num_chains: how many versions are mixed.
        chain_depth: the largest number of operations of a chain.
        factor: a pair (lowest, highest) in [0, 1], or f for (0, f), of the strength.
        alpha: positive number; large ones mix more evenly.
        all_ops: whether brightness, color, contrast and sharpness are among the
            operations. The paper leaves them out, since its test distorts with them.
        interpolation: "bilinear" or "nearest".
        seed: an integer that makes the draws repeatable.
        data_format: "channels_last", "channels_first", or None for Keras's setting.

    Input and output: images (B, H, W, C) or (H, W, C), with channels_first C before H,
        or a dict with "images" and maybe "labels", which stay as they are.
    Raises: ValueError for arguments outside of these, and for other keys.
    Differs from Keras: a call without `training` changes nothing. Each image of each
        batch has operations of its own, which the seed repeats. Keras chooses with
        Python's `random`: in `fit` and tf.data once, for all batches. Strengths are
        those of `RandAugment`. There are no boxes and masks.

    >>> from custom_layers.layers import RandAugment
    >>> photo = keras.random.uniform((1, 8, 8, 3), 0, 255, seed=1)
    >>> photo = keras.ops.repeat(photo, 50, axis=0)
    >>> mixed = AugMix(factor=(0.3, 0.3), seed=1)(photo, training=True)
    >>> chain = RandAugment(factor=(0.3, 0.3), seed=1)(photo, training=True)
    >>> changes = [keras.ops.mean(keras.ops.abs(x - photo)) for x in (mixed, chain)]
    >>> print(bool(changes[0] < changes[1]))  # closer to the image than its chains
    True

    Paper: Hendrycks, Mu, Cubuk, Zoph, Gilmer, Lakshminarayanan, "AugMix: a simple data
    processing method to improve robustness and uncertainty", 2019.
    https://arxiv.org/abs/1912.02781
    """

    def __init__(
        self,
        value_range: tuple[float, float] | list[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Share = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Literal["nearest", "bilinear"] = "bilinear",
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = _range_of_values(value_range)
        self.num_chains = positive_integer(num_chains, "num_chains")
        self.chain_depth = positive_integer(chain_depth, "chain_depth")
        self.factor = _shares(factor, "factor")
        self.alpha = _positive(alpha, "alpha")
        self.all_ops = bool(one_of(all_ops, (True, False), "all_ops"))
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation")

    def vary(self, parts: dict) -> dict:
        x = _as_levels(parts["images"], self.value_range)
        B = ops.shape(x)[0]
        w = self._dirichlet(B)
        mixture = ops.zeros_like(x)
        for k in range(self.num_chains):
            w_k = _per_image(w[:, k], x)
            version = self._chain(x, B)
            mixture = mixture + w_k * version
        u = self.uniform(4, B)
        m = _symmetric_beta(u, self.alpha)
        m = _per_image(m, x)
        x = m * x + (1 - m) * mixture
        x = _from_levels(x, self.value_range, parts["images"].dtype)
        return {**parts, "images": x}

    def _chain(self, x, B: Any):
        """x after 1 ... chain_depth operations, which are chosen for each image."""
        depth = 1 + ops.floor(self.uniform(B) * self.chain_depth)
        names: tuple[str, ...] = OPERATIONS[1:]
        if not self.all_ops:
            names = names[: -len(BLENDS)]

        for step in range(self.chain_depth):
            choice, strength, sign = ops.unstack(self.uniform(3, B), 3)
            chosen = ops.floor(choice * len(names))
            chosen = 1 + ops.cast(chosen, "int32")
            chosen = ops.where(step < depth, chosen, IDENTITY)
            s = _between(self.factor, strength)
            sign = ops.sign(sign - 0.5)
            x = _fast_operate(x, chosen, s, sign, self.interpolation)
        return x

    def _dirichlet(self, B: Any):
        """Weights of the chains, (B, num_chains).

        A tree halves the weights: the sum of 2 n of them splits by Beta(n a, n a). Some
        of the leaves, divided by their sum, are Dirichlet distributed as all of them.
        """
        if self.num_chains == 1:
            # torch warns of a softmax of one number
            return ops.ones((B, 1))

        leaves = 1 << (self.num_chains - 1).bit_length()
        log_w = ops.zeros((B, 1))
        for level in range((leaves - 1).bit_length()):
            nodes = 2**level
            n = leaves / (2 * nodes)
            u = self.uniform(4, B, nodes)
            logit = _logit_of_beta(u, n * self.alpha)
            halves = [
                log_w + ops.log_sigmoid(logit),
                log_w + ops.log_sigmoid(-logit),
            ]
            log_w = ops.concatenate(halves, axis=1)
        return ops.softmax(log_w[:, : self.num_chains])

    def get_config(self) -> Config:
        names = (
            "value_range",
            "num_chains",
            "chain_depth",
            "factor",
            "alpha",
            "all_ops",
            "interpolation",
        )
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own}
