"""A model that tags sequences: it trains a `CRF` and predicts its best tags."""

from typing import Any

import keras

from ..common.types import Config
from ..layers.crf import viterbi
from ..losses.crf import CRFLoss
from ..metrics.crf_accuracy import CRFAccuracy


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Tagger(keras.Model):
    """Functional model that ends in a `CRF`: it trains as usual and predicts tags.

    fit:      loss = -log p(y | x), the `CRFLoss` of the potentials
    predict:  argmax_y p(y | x), the tags that `viterbi` finds

    Args:
        inputs, outputs: as in `keras.Model`; the outputs are those of a `CRF`.
        name: name of the model.

    `compile` takes `CRFLoss` where no loss is given, and "accuracy" among the metrics
    means `CRFAccuracy`: the share of the right tags, masked steps left out.
    `predict` and `predict_on_batch` return integer tags (B, T), which are 0 at masked
    steps. A call of the model returns the potentials (B, T, N, N), and so does an
    exported model.
    Raises: ValueError for outputs that a `CRF` does not make.
    Differs from Keras: Keras has no such model.

    >>> from custom_layers.layers import CRF
    >>> scores, crf = keras.Input((None, 2)), CRF()  # of two tags at each word
    >>> tagger = Tagger(scores, crf(scores))
    >>> tagger.compile("adam", metrics=["accuracy"])
    >>> x = keras.ops.array([[[2.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
    >>> tagger.predict(x, verbose=0).tolist()
    [[0, 0, 0]]
    >>> _ = crf.transition.assign([[-9.0, 0.0], [0.0, 0.0]])  # tag 0 never twice
    >>> tagger.predict(x, verbose=0).tolist()  # the best tags together
    [[0, 1, 0]]

    Paper: Huang, Xu, Yu, "Bidirectional LSTM-CRF models for sequence tagging", 2015.
    https://arxiv.org/abs/1508.01991
    """

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any
    ) -> None:
        shape: tuple = tuple(getattr(outputs, "shape", ()))
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ValueError(
                "A Tagger ends in a CRF: expected an output of shape (B, T, N, N), got "
                f"{shape or outputs}. Call a CRF layer on the scores of the tags."
            )
        super().__init__(inputs, outputs, name=name, **kwargs)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        super().compile(
            optimizer,
            CRFLoss() if loss is None else loss,
            loss_weights,
            keras.tree.map_structure(_metric, metrics),
            keras.tree.map_structure(_metric, weighted_metrics),
            **kwargs,
        )

    def compile_from_config(self, config: Config) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def predict_step(self, *arguments):
        result = super().predict_step(*arguments)
        if keras.backend.backend() == "jax":  # JAX returns the state of layers too
            psi, state = result
            return viterbi(psi), state
        return viterbi(result)


def _metric(metric):
    """The metric; "accuracy" becomes the accuracy of tags."""
    is_accuracy = isinstance(metric, str) and metric in ("accuracy", "acc")
    return CRFAccuracy(name=metric) if is_accuracy else metric
