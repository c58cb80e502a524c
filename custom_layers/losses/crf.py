"""Loss of a conditional random field, from the potentials that a `CRF` makes."""

import keras
from keras import ops

from ..common.types import DType
from ..layers.crf import _before_the_first_step, _is_tagged
from .base import _differ, _integers, _Loss, _refuse_shapes


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CRFLoss(_Loss):
    """Negative log likelihood of the true tags under a `CRF`.

    loss = log Z(x) - sum_t psi_t[y_tm1, y_t]

    alpha_t[j] = log sum_i exp(alpha_tm1[i] + psi_t[i, j])
    log Z(x) = log sum_j exp(alpha_T[j])

    Args: reduction, name, dtype: those of every loss.

    y_true: integer tags (B, T), 0 ... N - 1, which may be anything at masked steps.
        y_pred: the output of `CRF`, (B, T, N, N). One loss per sequence; NaN where a
        tag at a step that is not masked is outside 0 ... N - 1.
    Raises: ValueError for a y_pred that does not have four axes and for a y_true that
    does not fit.

    >>> from custom_layers.layers import CRF
    >>> x = keras.ops.zeros((1, 3, 2))
    >>> loss = CRFLoss()(keras.ops.array([[0, 1, 1]]), CRF()(x))
    >>> round(float(loss), 4)  # 3 log 2: all 8 taggings are as likely
    2.0794

    Paper: Lafferty, McCallum, Pereira, "Conditional random fields: probabilistic
    models for segmenting and labeling sequence data", 2001.
    https://repository.upenn.edu/handle/20.500.14332/6188
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "crf_loss",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        psi = ops.cast(y_pred, keras.backend.result_type(y_pred.dtype, "float32"))
        if len(psi.shape) != 4:
            raise ValueError(
                "CRFLoss expects y_pred of shape (batch, time, tags, tags), the "
                f"output of a CRF layer, got {psi.shape}"
            )
        y = _integers(y_true, "y_true")
        if _differ(y.shape, psi.shape[:2]):
            _refuse_shapes(y, psi, "must have the shapes (B, T) and (B, T, N, N)")
        N = psi.shape[-1]
        is_masked = ops.logical_not(_is_tagged(psi))
        y = ops.where(is_masked, 0, y)
        is_tag = ops.logical_and(y >= 0, y < N)
        is_known = ops.all(is_tag, axis=1)
        y = ops.where(is_tag, y, 0)

        log_Z = _log_partition(psi)
        score = _score(psi, y)
        return ops.where(is_known, log_Z - score, float("nan"))


def _log_partition(psi):
    """log Z (B,)."""

    def step(alpha, psi_t):
        alpha = ops.logsumexp(alpha[:, :, None] + psi_t, axis=1)
        return alpha, alpha

    steps = ops.moveaxis(psi, 1, 0)  # T B N N
    alpha, _ = ops.scan(step, _before_the_first_step(psi), steps)
    return ops.logsumexp(alpha, axis=-1)


def _score(psi, y):
    """sum_t psi_t[y_tm1, y_t] (B,)."""
    N = psi.shape[-1]
    y = ops.one_hot(y, N, dtype=psi.dtype)
    y_0 = ops.one_hot(0, N, dtype=psi.dtype) + ops.zeros_like(y[:, :1])
    y_tm1 = ops.concatenate([y_0, y[:, :-1]], axis=1)
    return ops.einsum("bti,btij,btj->b", y_tm1, psi, y)
