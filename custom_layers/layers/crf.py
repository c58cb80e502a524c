"""Linear-chain conditional random field: tags that are scored as a whole sequence.

Three parts that meet in one tensor, the log potentials psi (B, T, N, N), where
psi[b, t, i, j] scores tag j at step t after tag i: the layer makes them, the loss
compares them with the true tags, `viterbi` finds the best tags.
"""

import keras
from keras import ops

_IMPOSSIBLE = -3e4  # exp() of it is 0, and float16 can hold it


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CRF(keras.layers.Layer):
    """Linear-chain conditional random field on top of scores of N tags per step.

    psi_t[i, j] = x_t[j] + A[i, j]    from the second step on
    psi_1[i, j] = x_1[j] + s[j],      psi_T[i, j] += e[j]
    p(y | x) = exp(sum_t psi_t[y_tm1, y_t]) / Z(x), Z the sum over all N^T taggings

    Masked steps, left or right of the sequence, lead from any tag to tag 0 at no cost,
    so neither Z nor the score of a tagging sees them. Train with `CRFLoss`, read the
    best tags with `viterbi`.

    Args:
        transition_initializer: start values of A (N, N), s (N,) and e (N,).

    Call: inputs x, mask (B, T), contiguous in each row.
    Input shape: (B, T, N), any real scores. Output shape: (B, T, N, N).
    Raises: ValueError for an input that has not three axes.

    >>> psi = CRF()(keras.ops.array([[[1.0, 0.0], [0.0, 1.0]]]))
    >>> viterbi(psi).numpy().tolist()
    [[0, 1]]

    Paper: Lafferty, McCallum, Pereira, "Conditional random fields: probabilistic
    models for segmenting and labeling sequence data", 2001.
    https://repository.upenn.edu/handle/20.500.14332/6188
    """

    def __init__(self, transition_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.transition_initializer = keras.initializers.get(transition_initializer)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(
                "CRF expects scores of shape (batch, time, tags), "
                f"got input_shape={input_shape}"
            )
        tags, initializer = input_shape[-1], self.transition_initializer
        self.transition = self.add_weight((tags, tags), initializer, name="transition")
        self.start = self.add_weight((tags,), initializer, name="start")
        self.end = self.add_weight((tags,), initializer, name="end")

    def call(self, inputs, mask=None):
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        mask = ops.cast(mask, "bool")
        nothing = ops.zeros_like(mask[:, :1])
        first = mask & ~ops.concatenate([nothing, mask[:, :-1]], axis=1)
        last = mask & ~ops.concatenate([mask[:, 1:], nothing], axis=1)
        transition, start, end = map(ops.convert_to_tensor, self.weights)
        x = inputs + ops.where(last[..., None], end, ops.zeros_like(end))
        before = ops.where(first[..., None, None], start, transition)
        psi = x[:, :, None, :] + before  # B T N N
        to_tag_0 = ops.one_hot(0, inputs.shape[-1], dtype=psi.dtype)
        skip = (1 - to_tag_0) * _IMPOSSIBLE
        return ops.where(mask[..., None, None], psi, skip)

    def compute_mask(self, inputs, mask=None):
        return None  # the potentials hold it

    def compute_output_shape(self, input_shape):
        return (*input_shape, input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "transition_initializer": keras.initializers.serialize(
                self.transition_initializer
            ),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CRFLoss(keras.losses.Loss):
    """Negative log likelihood of the true tags under a `CRF`.

    loss = log Z(x) - sum_t psi_t[y_tm1, y_t]

    alpha_t[j] = log sum_i exp(alpha_tm1[i] + psi_t[i, j]), log Z = log sum exp(alpha_T)

    Args: reduction, name, dtype: of every loss.

    y_true: integer tags (B, T); at masked steps 0 or negative. y_pred: the output of
        `CRF`, (B, T, N, N). One loss per sequence.
    Raises: ValueError for a y_pred that has not four axes.

    >>> x = keras.ops.zeros((1, 3, 2))
    >>> float(CRFLoss()(keras.ops.array([[0, 1, 1]]), CRF()(x))) / 3  # log 2
    0.6931471824645996

    Paper: Lafferty, McCallum, Pereira, "Conditional random fields: probabilistic
    models for segmenting and labeling sequence data", 2001.
    https://repository.upenn.edu/handle/20.500.14332/6188
    """

    def __init__(self, reduction="sum_over_batch_size", name="crf_loss", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        psi = ops.cast(y_pred, keras.backend.result_type(y_pred.dtype, "float32"))
        if len(psi.shape) != 4:
            raise ValueError(
                "CRFLoss expects y_pred of shape (batch, time, tags, tags), the "
                f"output of a CRF layer, got {psi.shape}"
            )
        return _log_partition(psi) - _score(psi, y_true)


def _log_partition(psi):
    """log Z (B,): the sum over all taggings."""
    steps = ops.moveaxis(psi, 1, 0)  # T B N N

    def step(alpha, psi_t):
        alpha = ops.logsumexp(alpha[:, :, None] + psi_t, axis=1)
        return alpha, alpha

    alpha, _ = ops.scan(step, _first(psi), steps)
    return ops.logsumexp(alpha, axis=-1)


def _first(psi):
    """alpha_0 (B, N): tag 0 stands before the first step."""
    zeros = ops.zeros_like(psi[:, 0, 0])
    return zeros + (1 - ops.one_hot(0, psi.shape[-1], dtype=psi.dtype)) * _IMPOSSIBLE


def _score(psi, y):
    """sum_t psi_t[y_tm1, y_t] (B,)."""
    tags = psi.shape[-1]
    y = ops.one_hot(ops.maximum(ops.cast(y, "int32"), 0), tags, dtype=psi.dtype)
    before = ops.one_hot(0, tags, dtype=psi.dtype) + ops.zeros_like(y[:, :1])
    y_tm1 = ops.concatenate([before, y[:, :-1]], axis=1)
    return ops.einsum("bti,btij,btj->b", y_tm1, psi, y)


def viterbi(potentials):
    """The best tags, argmax_y of sum_t psi_t[y_tm1, y_t], for the output of a `CRF`.

    delta_t[j] = max_i delta_tm1[i] + psi_t[i, j], and the argmax i read backwards

    Args: potentials psi (B, T, N, N). Returns: integer tags (B, T), 0 at masked steps.

    >>> viterbi(CRF()(keras.ops.array([[[0.0, 3.0], [2.0, 1.0]]]))).numpy().tolist()
    [[1, 0]]

    Paper: Viterbi, "Error bounds for convolutional codes and an asymptotically optimum
    decoding algorithm", 1967. https://doi.org/10.1109/TIT.1967.1054010
    """
    psi = ops.convert_to_tensor(potentials)

    def forward(carry, psi_t):
        delta, _ = carry
        scores = delta[:, :, None] + psi_t
        carry = ops.max(scores, axis=1), ops.argmax(scores, axis=1)
        return carry, carry

    start = _first(psi)
    start = start, ops.argmax(psi[:, 0], axis=1)
    (delta, _), (_, best) = ops.scan(forward, start, ops.moveaxis(psi, 1, 0))

    def backward(tag, best_t):
        tag_tm1 = ops.take_along_axis(best_t, tag[:, None], axis=1)[:, 0]
        return tag_tm1, tag

    _, tags = ops.scan(backward, ops.argmax(delta, axis=-1), best, reverse=True)
    return ops.cast(ops.moveaxis(tags, 0, 1), "int32")
