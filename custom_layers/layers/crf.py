"""Linear-chain conditional random field: tags that are scored as a whole sequence.

All parts meet in one tensor, the log potentials psi (B, T, N, N), where psi[b, t, i, j]
scores tag j at step t after tag i: the layer makes them, `CRFLoss` compares them with
the true tags, `viterbi` finds the best tags, and `CRFAccuracy` counts the right ones.
"""

from typing import Any

import keras
from keras import ops

from ..common.checks import minus_infinity
from ..common.initial_values import fresh
from ..common.inputs import as_floats
from ..common.types import Config, Initializer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CRF(keras.layers.Layer):
    """Linear-chain conditional random field over scores of N tags per step.

    psi_t[i, j] = x_t[j] + A[i, j]    from the second step on
    psi_1[i, j] = x_1[j] + s[j],      psi_T[i, j] += e[j]
    p(y | x) = exp(sum_t psi_t[y_tm1, y_t]) / Z(x), where Z sums over all N^T taggings

    Masked steps, before or after the sequence, lead from any tag to tag 0 at no cost,
    so they change neither Z nor the score of a tagging.

    A `Tagger` is a model that ends in this layer: it trains with `CRFLoss`, understands
    metrics=["accuracy"], and its `predict` returns tags. In any other model use
    `CRFLoss` and `CRFAccuracy`, and find the best tags with `viterbi`.

    Args:
        transition_initializer: initializer of A (N, N), s (N,) and e (N,).

    Call: inputs x, mask (B, T), whose True steps are contiguous in each row.
    Input shape: (B, T, N), any real scores. Output shape: (B, T, N, N).
    Raises: ValueError for an input that does not have three axes.

    >>> layer, x = CRF(), keras.ops.array([[[2.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
    >>> viterbi(layer(x)).numpy().tolist()  # the better tag of each step
    [[0, 0, 0]]
    >>> _ = layer.transition.assign([[-9.0, 0.0], [0.0, 0.0]])  # tag 0 never twice
    >>> viterbi(layer(x)).numpy().tolist()  # the best tags together
    [[0, 1, 0]]

    Paper: Lafferty, McCallum, Pereira, "Conditional random fields: probabilistic
    models for segmenting and labeling sequence data", 2001.
    https://repository.upenn.edu/handle/20.500.14332/6188
    """

    def __init__(
        self, transition_initializer: Initializer = "zeros", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.transition_initializer = keras.initializers.get(transition_initializer)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 3:
            raise ValueError(
                "CRF expects scores of shape (batch, time, tags), "
                f"got input_shape={input_shape}"
            )
        N, initializer = input_shape[-1], self.transition_initializer
        self.transition = self.add_weight(
            (N, N),
            initializer,
            name="transition",
        )
        self.start = self.add_weight(
            (N,),
            fresh(initializer),
            name="start",
        )
        self.end = self.add_weight(
            (N,),
            fresh(initializer),
            name="end",
        )

    def call(self, inputs, mask=None):
        inputs = as_floats(inputs, self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        mask = ops.cast(mask, "bool")
        outside = ops.zeros_like(mask[:, :1])
        is_first = mask & ~ops.concatenate([outside, mask[:, :-1]], axis=1)
        is_last = mask & ~ops.concatenate([mask[:, 1:], outside], axis=1)
        A = ops.convert_to_tensor(self.transition)
        s = ops.convert_to_tensor(self.start)
        e = ops.convert_to_tensor(self.end)

        x = inputs + ops.where(is_last[..., None], e, ops.zeros_like(e))
        before = ops.where(is_first[..., None, None], s, A)
        psi = x[:, :, None, :] + before  # B T N N
        skip = _tag_0_only(psi)
        return ops.where(mask[..., None, None], psi, skip)

    def compute_mask(self, inputs, mask=None):
        return None  # the potentials hold the mask

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, input_shape[-1])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "transition_initializer": keras.initializers.serialize(
                self.transition_initializer
            ),
        }


def _tag_0_only(psi):
    """Scores (N,) of the tags that allow tag 0 only: 0, then minus infinity."""
    is_tag_0 = ops.one_hot(0, psi.shape[-1], dtype=psi.dtype)
    return (1 - is_tag_0) * minus_infinity(psi.dtype)


def _is_tagged(psi):
    """(B, T): whether a step has a tag. At the others, the mask left tag 0 only.

    The scores may have been cast since then, so they are compared with the smaller of
    the two numbers that stand for minus infinity.
    """
    bound = 0.9 * minus_infinity("float16")
    tag_0, others = psi[..., 0], psi[..., 1:]
    is_free = ops.all(ops.equal(tag_0, 0), axis=2)
    are_out = ops.all(others <= bound, axis=(2, 3))
    is_masked = ops.logical_and(is_free, are_out)
    return ops.logical_not(is_masked)


def _before_the_first_step(psi):
    """alpha_0 (B, N), where tag 0 stands before the first step."""
    zeros = ops.zeros_like(psi[:, 0, 0])
    return zeros + _tag_0_only(psi)


def viterbi(potentials: Any) -> Any:
    """The best tags, argmax_y of sum_t psi_t[y_tm1, y_t], for the output of a `CRF`.

    delta_t[j] = max_i(delta_tm1[i] + psi_t[i, j])
    best_t[j] = argmax_i(delta_tm1[i] + psi_t[i, j])
    y_T = argmax_j delta_T[j], then y_tm1 = best_t[y_t] from the last step to the first

    Args:
        potentials: psi (B, T, N, N).

    Returns: integer tags (B, T), which are 0 at masked steps.

    >>> viterbi(CRF()(keras.ops.array([[[0.0, 3.0], [2.0, 1.0]]]))).numpy().tolist()
    [[1, 0]]

    Paper: Viterbi, "Error bounds for convolutional codes and an asymptotically optimum
    decoding algorithm", 1967. https://doi.org/10.1109/TIT.1967.1054010
    """
    psi = ops.convert_to_tensor(potentials)

    def forward(carry, psi_t):
        delta_tm1, _ = carry
        scores = delta_tm1[:, :, None] + psi_t
        delta_t = ops.max(scores, axis=1)
        best_t = ops.argmax(scores, axis=1)
        return (delta_t, best_t), (delta_t, best_t)

    def backward(y_t, best_t):
        y_tm1 = ops.take_along_axis(best_t, y_t[:, None], axis=1)[:, 0]
        return y_tm1, y_t

    steps = ops.moveaxis(psi, 1, 0)  # T B N N
    delta_0 = _before_the_first_step(psi)
    any_tags = ops.argmax(psi[:, 0], axis=1)  # of the shape and dtype of best_t
    (delta_T, _), (_, best) = ops.scan(forward, (delta_0, any_tags), steps)
    y_T = ops.argmax(delta_T, axis=-1)
    _, y = ops.scan(backward, y_T, best, reverse=True)
    return ops.cast(ops.moveaxis(y, 0, 1), "int32")
