"""Agreement of two raters: Cohen's kappa and Matthews' correlation coefficient."""

import keras
from keras import ops

from ..common.checks import one_of, positive_integer, python_number
from ..common.types import Config, DType
from .base import _classes_of, _OfConfusion, _weights


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CohenKappa(_OfConfusion):
    """Cohen's kappa: how much better than chance two raters agree.

    kappa = 1 - sum(w * n) / sum(w * e)
    n[c, d] = number of samples with true class c and predicted class d
    e[c, d] = sum(n[c]) * sum(n[:, d]) / sum(n), which chance would give
    w[c, d] = 1 where c != d, else 0; |c - d| linear; (c - d)^2 quadratic

    Args:
        num_classes: number of classes, at least 2.
        weightage: None, "linear" or "quadratic": what an error costs.
        sparse_labels: whether both arguments are integer classes (B, ...); otherwise
            both are scores on the last axis, (B, ..., C).
        regression: whether y_pred is a number that is rounded to the nearest class;
            y_true is then an integer class, or a number that is rounded too.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true, y_pred, sample_weight (B,). What the mask
        of y_pred hides does not count.
    Result: scalar from -1 to 1; 0 before the first update and where chance cannot err.
    Raises: ValueError for an argument outside its range.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons' CohenKappa.

    >>> metric = CohenKappa(num_classes=5, sparse_labels=True)
    >>> metric.update_state([4, 4, 3, 4, 2, 4, 1, 1], [4, 4, 3, 4, 4, 2, 1, 1])
    >>> round(float(metric.result()), 4)
    0.619

    Paper: Cohen, "A coefficient of agreement for nominal scales", 1960.
    https://doi.org/10.1177/001316446002000104
    """

    def __init__(
        self,
        num_classes: int,
        weightage: str | None = None,
        sparse_labels: bool = False,
        regression: bool = False,
        name: str = "cohen_kappa",
        dtype: DType = None,
    ) -> None:
        num_classes = positive_integer(num_classes, "num_classes")
        if num_classes < 2:
            raise ValueError(
                "`num_classes` must be at least 2, because one class is always right. "
                f"Received: num_classes={num_classes}"
            )
        super().__init__(num_classes, name, dtype)
        kinds = (None, "linear", "quadratic")
        self.weightage = one_of(weightage, kinds, "weightage")
        self.sparse_labels = python_number(sparse_labels)
        self.regression = python_number(regression)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        is_label = self.sparse_labels or self.regression
        y = ops.convert_to_tensor(y_true)
        prediction = ops.convert_to_tensor(y_pred)
        if self.regression:
            highest = self.num_classes - 1
            y = ops.cast(y, self.dtype)
            y = ops.round(y)
            prediction = ops.round(prediction)
            prediction = ops.clip(prediction, 0, highest)
        places = ops.shape(y)
        if not is_label:
            places = places[:-1]
        weight = _weights(y_pred, sample_weight, places, self.dtype)
        y = _classes_of(y, is_label)
        prediction = _classes_of(prediction, is_label)
        self.count(y, prediction, weight)

    def result(self):
        n = self.confusion
        classes = ops.arange(self.num_classes, dtype=self.dtype)
        apart = ops.abs(ops.expand_dims(classes, 1) - classes)
        w = ops.cast(apart > 0, self.dtype)
        if self.weightage is not None:
            w = apart if self.weightage == "linear" else ops.square(apart)
        true = ops.sum(n, axis=1, keepdims=True)
        predicted = ops.sum(n, axis=0, keepdims=True)
        total = ops.sum(n)
        observed = ops.sum(w * n)
        chance = ops.sum(w * true * predicted)  # sum(w * e), times the total
        error = ops.divide_no_nan(observed * total, chance)
        return ops.where(chance > 0, 1 - error, ops.zeros_like(error))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "weightage": self.weightage,
            "sparse_labels": self.sparse_labels,
            "regression": self.regression,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MatthewsCorrelationCoefficient(_OfConfusion):
    """Matthews' correlation of true and predicted classes, also for many classes.

    mcc = (s * right - sum(t * p)) / sqrt((s^2 - sum(p^2)) * (s^2 - sum(t^2)))
    s = number of samples, of which `right` have the right class
    t, p = how often each class is true, and predicted

    For two classes it is (tp * tn - fp * fn) / sqrt((tp + fp) (tp + fn) (tn + fp)
    (tn + fn)). Unlike accuracy, it is 0 for whoever always predicts the common class.

    Args:
        num_classes: number of classes; 1 stands for two classes in one output, a
            probability that is compared with 0.5.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true, one-hot, and y_pred, scores, (B, ..., C),
        or (B, ..., 1) for num_classes=1; sample_weight (B,). What the mask of y_pred
        hides does not count.
    Result: scalar from -1 to 1; 0 before the first update, and where only one class is
        true or predicted.
    Raises: ValueError for a number of classes that is not a positive integer.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons'
    MatthewsCorrelationCoefficient.

    >>> metric = MatthewsCorrelationCoefficient(num_classes=1)
    >>> metric.update_state([[1], [1], [1], [0]], [[1.0], [0.0], [1.0], [1.0]])
    >>> round(float(metric.result()), 4)
    -0.3333

    Paper: Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", 2004. https://doi.org/10.1016/j.compbiolchem.2004.09.006
    """

    def __init__(
        self,
        num_classes: int,
        name: str = "matthews_correlation_coefficient",
        dtype: DType = None,
    ) -> None:
        classes = positive_integer(num_classes, "num_classes")
        super().__init__(max(classes, 2), name, dtype)
        self.outputs = classes

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true)
        p = ops.convert_to_tensor(y_pred)
        places = ops.shape(p)[:-1]
        weight = _weights(y_pred, sample_weight, places, self.dtype)
        is_single = self.outputs == 1
        if is_single:
            y = ops.cast(y, self.dtype) > 0.5
            p = ops.cast(p, self.dtype) > 0.5
        y = _classes_of(y, is_single)
        p = _classes_of(p, is_single)
        self.count(y, p, weight)

    def result(self):
        n = self.confusion
        # Shares in place of counts, whose fourth power is beyond float32. Before the
        # first update, all of them are 0.
        s = ops.sum(n)
        n = ops.divide_no_nan(n, s)
        t = ops.sum(n, axis=1)
        p = ops.sum(n, axis=0)
        shared = ops.trace(n) - ops.sum(t * p)
        own = (1 - ops.sum(ops.square(p))) * (1 - ops.sum(ops.square(t)))
        own = ops.maximum(own, 0)
        return ops.divide_no_nan(shared, ops.sqrt(own))

    def get_config(self) -> Config:
        return {**super().get_config(), "num_classes": self.outputs}
