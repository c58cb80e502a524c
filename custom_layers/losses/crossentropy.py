"""Cross-entropies: minus the logarithm of the probability of the true answer."""

import warnings

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import logits_of, set_mask
from ..common.types import Config, DType
from .base import _differ, _integers, _Loss, _pair, _refuse_shapes, _tensor, _wide
from .fused import _fuses_crossentropy, _surprise_of_labels, _surprise_of_shares


def _logits_of(y_pred, from_logits: bool):
    """(y_pred in float32 at least, whether it holds logits).

    Keras's softmax and sigmoid leave their logits with their output. The logits are
    used if they are there: they stay exact where a probability is rounded to 0 or 1.
    """
    logits = logits_of(y_pred)
    if logits is None:
        return _wide(y_pred), from_logits
    if from_logits:
        warnings.warn(
            "from_logits=True, but y_pred comes out of a softmax or sigmoid: "
            "remove one of the two.",
            stacklevel=4,
        )
    return _wide(logits), True


def _binary_surprise(y_true, y_pred, from_logits: bool):
    """-(y_true * log(p) + (1 - y_true) * log(1 - p)).

    From logits z it is max(z, 0) - z * y_true + log(1 + exp(-|z|)), for any z.
    """
    z, from_logits = _logits_of(y_pred, from_logits)
    if from_logits:
        is_positive = z >= 0  # not abs(z), which has no slope at z = 0
        rest = ops.log1p(ops.exp(ops.where(is_positive, -z, z)))
        return z * (ops.cast(is_positive, z.dtype) - y_true) + rest
    p = ops.clip(z, keras.config.epsilon(), 1 - keras.config.epsilon())
    return -(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p))


def _class_scores(y_pred, from_logits: bool, axis: int):
    """(score, log_total): log(p) of a class is score - log_total, and always finite."""
    z, from_logits = _logits_of(y_pred, from_logits)
    if from_logits:
        score = z - ops.stop_gradient(ops.max(z, axis=axis, keepdims=True))
        return score, ops.log(ops.sum(ops.exp(score), axis=axis, keepdims=True))
    total = ops.sum(z, axis=axis, keepdims=True)
    p = z / ops.where(ops.equal(total, 0), ops.ones_like(total), total)
    p = ops.clip(p, keras.config.epsilon(), 1 - keras.config.epsilon())
    return ops.log(p), 0.0


def _logits_to_fuse(y_pred, from_logits: bool, axis: int):
    """The logits of many classes in a step that TensorFlow compiles; None elsewhere."""
    behind = logits_of(y_pred)
    if (behind is not None) == from_logits:
        return None  # there are none, or `_logits_of` has to warn of two
    logits = y_pred if from_logits else behind
    return logits if _fuses_crossentropy(logits, axis) else None


def _share(label_smoothing: float) -> float:
    """`label_smoothing`, if it lies in [0, 1]."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            "`label_smoothing` must lie in [0, 1]. "
            f"Received: label_smoothing={label_smoothing}"
        )
    return python_number(label_smoothing)


def _smooth(y_true, label_smoothing: float, classes: int):
    """y_true, moved towards the uniform distribution by the share label_smoothing."""
    if not label_smoothing:
        return y_true
    return y_true * (1 - label_smoothing) + label_smoothing / classes


def _smooth_classes(y_true, y_pred, label_smoothing: float, axis: int):
    """`_smooth`, after a check of the class axis."""
    if isinstance(axis, bool):
        raise ValueError(
            f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}"
        )
    classes = y_pred.shape[axis]
    if classes == 1:
        warnings.warn(
            "A softmax over one class is always 1: expected y_pred.shape to be "
            "(batch_size, num_classes) with num_classes > 1. Received: "
            f"y_pred.shape={tuple(y_pred.shape)}. For two classes use a binary loss.",
            SyntaxWarning,
            stacklevel=3,
        )
    return _smooth(y_true, label_smoothing, classes)


def _labels(y_true, y_pred, axis: int):
    """(integer labels, the same clipped to the range of the classes).

    Raises: ValueError unless y_true has the shape of y_pred without the class axis, or
        with a class axis of size 1.
    """
    labels = _integers(y_true, "y_true")
    if len(labels.shape) == len(y_pred.shape) and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis)
    expected = list(y_pred.shape)
    classes = expected.pop(axis)
    if _differ(labels.shape, expected):
        _refuse_shapes(
            labels,
            y_pred,
            f"must have the same shape but for axis {axis} of `y_pred`, the classes",
        )
    inside = ops.clip(labels, 0, classes - 1)  # torch refuses other labels
    return labels, ops.cast(inside, "int32")


def _nan_outside(loss, labels, classes: int):
    """loss, but NaN where a label is not a class: it must not count as another one."""
    is_class = ops.logical_and(labels >= 0, labels < classes)
    return ops.where(is_class, loss, ops.full_like(loss, float("nan")))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def binary_crossentropy(
    y_true,
    y_pred,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
):
    """Mean over `axis` of -log(probability of the truth), as in `BinaryCrossentropy`.

    >>> round(float(binary_crossentropy([1.0], [0.0], from_logits=True)), 4)
    0.6931
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smooth(_wide(y_true), label_smoothing, 2)
    surprise = _binary_surprise(y_true, y_pred, from_logits)
    return ops.cast(ops.mean(surprise, axis=axis), y_pred.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class BinaryCrossentropy(_Loss):
    """Binary cross-entropy, for answers that are yes or no, independent of each other.

    loss = mean(-(y_true * log(p) + (1 - y_true) * log(1 - p))), p = sigmoid(logit)

    Args:
        from_logits: whether y_pred holds logits instead of probabilities.
        label_smoothing: share in [0, 1] by which y_true moves towards 0.5.
        axis: axis over which the mean is taken.
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true and y_pred (B, ..., D) -> scalar, or (B, ...) with reduction None.
        (B,) beside (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ or label_smoothing is outside [0, 1].
    Differs from Keras: it finds logits only behind Keras's own `softmax` and `sigmoid`,
    not behind every TensorFlow operation of that kind. It computes half precision in
    float32, where Keras's loss is NaN at a probability of 1. What a mask hides does not
    count even if it is NaN.

    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> round(float(loss([[1.0]], [[0.0]])), 4)
    0.6931

    Paper: Cox, "The regression analysis of binary sequences", 1958.
    https://doi.org/10.1111/j.2517-6161.1958.tb00292.x
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = python_number(from_logits)
        self.label_smoothing = _share(label_smoothing)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
def categorical_crossentropy(
    y_true,
    y_pred,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
):
    """-sum(y_true * log(p)) over the class axis, as in `CategoricalCrossentropy`.

    >>> y = categorical_crossentropy([0.0, 1.0], [0.0, 0.0], from_logits=True)
    >>> round(float(y), 4)
    0.6931
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smooth_classes(_wide(y_true), y_pred, label_smoothing, axis)
    logits = _logits_to_fuse(y_pred, from_logits, axis)
    if logits is not None:
        return _surprise_of_shares(logits, y_true)
    score, log_total = _class_scores(y_pred, from_logits, axis)
    loss = log_total * ops.sum(y_true, axis=axis, keepdims=True)
    loss = loss - ops.sum(y_true * score, axis=axis, keepdims=True)
    return ops.cast(ops.squeeze(loss, axis), y_pred.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CategoricalCrossentropy(_Loss):
    """Cross-entropy between predicted classes and a one-hot or soft truth.

    loss = -sum(y_true * log(p)),  p = y_pred / sum(y_pred)
    from logits z:  log(sum(exp(z))) - sum(y_true * z),
    whose gradient is softmax(z) - y_true

    Args:
        from_logits: whether y_pred holds logits instead of probabilities.
        label_smoothing: share in [0, 1] by which y_true moves towards 1 / C.
        axis: the class axis.
        reduction, name, dtype: as in `BinaryCrossentropy`.

    Shapes: y_true and y_pred (B, ..., C) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ or label_smoothing is outside [0, 1].
    Differs from Keras: as `BinaryCrossentropy` does; for label_smoothing it counts the
    classes along `axis`, where Keras counts along the last axis. A row of zero
    probabilities costs -log(1e-7), not NaN.

    >>> loss = CategoricalCrossentropy(from_logits=True)
    >>> round(float(loss([[0.0, 1.0]], [[0.0, 0.0]])), 4)
    0.6931

    Paper: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990. https://doi.org/10.1007/978-3-642-76153-9_28
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = python_number(from_logits)
        self.label_smoothing = _share(label_smoothing)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
def sparse_categorical_crossentropy(
    y_true,
    y_pred,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
):
    """-log(p[y_true]), as in `SparseCategoricalCrossentropy`.

    >>> y = sparse_categorical_crossentropy(1, [0.0, 0.0], from_logits=True)
    >>> round(float(y), 4)
    0.6931
    """
    y_pred = _tensor(y_pred, "y_pred")
    axis = axis % len(y_pred.shape)  # one_hot takes -1, but not -2
    labels, inside = _labels(y_true, y_pred, axis)
    logits = _logits_to_fuse(y_pred, from_logits, axis)
    if logits is not None:
        loss = _surprise_of_labels(logits, inside)
    else:
        score, log_total = _class_scores(y_pred, from_logits, axis)
        onehot = ops.one_hot(inside, y_pred.shape[axis], axis=axis, dtype=score.dtype)
        loss = log_total - ops.sum(onehot * score, axis=axis, keepdims=True)
        loss = ops.squeeze(loss, axis)
    loss = ops.cast(loss, y_pred.dtype)
    loss = _nan_outside(loss, labels, y_pred.shape[axis])
    if ignore_class is not None:
        is_counted = ops.not_equal(labels, int(ignore_class))
        loss = ops.where(is_counted, loss, ops.zeros_like(loss))
        set_mask(loss, is_counted)
    return loss


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SparseCategoricalCrossentropy(_Loss):
    """Cross-entropy between predicted classes and integer labels.

    loss = -log(p[y_true]),  p = y_pred / sum(y_pred)
    from logits z:  log(sum(exp(z))) - z[y_true],
    whose gradient is softmax(z) - onehot(y_true)

    Args:
        from_logits: whether y_pred holds logits instead of probabilities.
        ignore_class: label of samples that do not count, such as 255 for "void".
        reduction, axis, name, dtype: as in `CategoricalCrossentropy`.

    Shapes: y_true (B, ...) or (B, ..., 1) of integers, y_pred (B, ..., C) -> scalar,
        or (B, ...) with reduction None.
    Raises: ValueError unless y_true has the shape of y_pred without the class axis.
    Differs from Keras: as `BinaryCrossentropy` does. Every backend accepts any class
    axis, and the configuration keeps it. Probabilities are divided by their sum before
    they are clipped, which Keras does not do on TensorFlow. A label outside 0 ... C - 1
    gives NaN, never 0. Labels stay integers, so that large ones are not rounded. A row
    of zero probabilities costs -log(1e-7). At 1,000 classes it takes 0.5 to 0.9 of
    Keras's time.

    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> round(float(loss([1], [[0.0, 0.0]])), 4)
    0.6931

    Paper: Good, "Rational decisions", 1952.
    https://doi.org/10.1111/j.2517-6161.1952.tb00104.x
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = python_number(from_logits)
        self.ignore_class = python_number(ignore_class)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def get_config(self) -> Config:
        config = {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
        }
        return config if self.axis == -1 else {**config, "axis": self.axis}
