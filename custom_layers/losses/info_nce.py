"""InfoNCE and NT-Xent: of a batch of pairs, each sample must find its partner."""

import keras
from keras import ops

from ..common.checks import minus_infinity, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _refuse_shapes, _tensor, _unit
from .labels import _of_samples


class _OfPairs(_Loss):
    """A loss of pairs of embeddings, y_pred (B, 2, D); it ignores y_true."""

    uses_mask = True

    def __init__(
        self, temperature: float, reduction: str | None, name: str, dtype: DType
    ) -> None:
        super().__init__(name, reduction, dtype)
        if temperature <= 0:
            raise ValueError(
                f"`temperature` must be above 0. Received: temperature={temperature}"
            )
        self.temperature = python_number(temperature)

    def embeddings(self, y_true, y_pred):
        """The two views of the pairs, each (B, D), in vectors of length 1."""
        z = _tensor(y_pred, "y_pred")
        if len(z.shape) != 3 or z.shape[1] != 2:
            _refuse_shapes(y_true, z, "must have the shapes (B, ...) and (B, 2, D)")
        z = _unit(z, -1)
        return z[:, 0], z[:, 1]

    def similarities(self, a, b, mask):
        """(B, B): cosines / temperature; masked columns are nobody's."""
        s = ops.matmul(a, ops.transpose(b)) / self.temperature
        if mask is None:
            return s
        return ops.where(_of_samples(mask, a), s, minus_infinity(s.dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "temperature": self.temperature}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class InfoNCE(_OfPairs):
    """InfoNCE: a softmax over the batch in which each query must find its own key.

    loss = log(sum over keys j of exp(s[i, j])) - s[i, i]
    s[i, j] = cosine of query i and key j / temperature

    A model gives pairs: of a sentence and an image, of a patch and its context. The
    keys of the other pairs of the batch are the negatives.

    Args:
        temperature: a number > 0; the smaller, the more the nearest negatives matter.
        symmetric: whether each key must find its query too, as in CLIP. The loss is
            then the mean of both directions.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_pred (B, 2, D), the embedding of each query and of its key; y_true is
        ignored, and any array of B rows will do -> scalar, or (B,) with reduction None.
        Masked samples (B,) are left out.
    Raises: ValueError for other shapes and for a temperature that is not above 0.
    Differs from Keras: Keras has no such loss.

    >>> pairs = keras.ops.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    >>> round(float(InfoNCE(temperature=1.0)([0, 0], pairs)), 4)  # log(1 + exp(-1))
    0.3133

    Paper: van den Oord, Li and Vinyals, "Representation learning with contrastive
    predictive coding", 2018. https://arxiv.org/abs/1807.03748; symmetric: Radford et
    al., "Learning transferable visual models from natural language supervision", 2021,
    https://arxiv.org/abs/2103.00020
    """

    def __init__(
        self,
        temperature: float = 0.1,
        symmetric: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "info_nce",
        dtype: DType = None,
    ) -> None:
        super().__init__(temperature, reduction, name, dtype)
        self.symmetric = python_number(symmetric)

    def call(self, y_true, y_pred, mask=None):
        queries, keys = self.embeddings(y_true, y_pred)
        own = ops.sum(queries * keys, axis=1) / self.temperature
        s = self.similarities(queries, keys, mask)
        loss = ops.logsumexp(s, axis=1) - own
        if self.symmetric:
            s = self.similarities(keys, queries, mask)
            loss = (loss + ops.logsumexp(s, axis=1) - own) / 2
        set_mask(loss, mask)
        return loss

    def get_config(self) -> Config:
        return {**super().get_config(), "symmetric": self.symmetric}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NTXent(_OfPairs):
    """NT-Xent, the loss of SimCLR: two views of one image must find each other.

    loss = mean of both views of log(sum over the other views k of exp(s[k])) - s[own]
    s = cosines of the view and the others / temperature

    A view competes with the 2 B - 2 views of the other images, where `InfoNCE` compares
    each query with keys only.

    Args:
        temperature: a number > 0; the smaller, the more the nearest negatives matter.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_pred (B, 2, D), the embeddings of two views of each image; y_true is
        ignored, and any array of B rows will do -> scalar, or (B,) with reduction None.
        Masked samples (B,) are left out.
    Raises: ValueError for other shapes and for a temperature that is not above 0.
    Differs from Keras: Keras has no such loss.

    >>> views = keras.ops.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    >>> round(float(NTXent(temperature=1.0)([0, 0], views)), 4)  # log(1 + 2 * exp(-1))
    0.5514

    Paper: Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive
    learning of visual representations", 2020. https://arxiv.org/abs/2002.05709
    """

    def __init__(
        self,
        temperature: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "nt_xent",
        dtype: DType = None,
    ) -> None:
        super().__init__(temperature, reduction, name, dtype)

    def call(self, y_true, y_pred, mask=None):
        views = self.embeddings(y_true, y_pred)
        own = ops.sum(views[0] * views[1], axis=1) / self.temperature
        loss = -own
        for view, partner in (views, views[::-1]):
            same_view = self.similarities(view, view, mask)
            is_itself = ops.eye(*ops.shape(same_view), dtype=bool)
            nothing = minus_infinity(same_view.dtype)
            same_view = ops.where(is_itself, nothing, same_view)
            s = [same_view, self.similarities(view, partner, mask)]
            loss = loss + ops.logsumexp(ops.concatenate(s, axis=1), axis=1) / 2
        set_mask(loss, mask)
        return loss
