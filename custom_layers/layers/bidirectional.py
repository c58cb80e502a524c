"""Bidirectional: one recurrent layer reads forwards and its twin reads backwards."""

from typing import Any

import keras
from keras import ops

from ..common.types import Config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Bidirectional(keras.layers.Layer):
    """A recurrent layer that runs over the sequence in both directions.

    y_f, y_b = forward(x), backward(x), where y_b is turned back to the order of time
    y = [y_f, y_b] (merge_mode "concat"), y_f + y_b ("sum"), y_f * y_b ("mul"),
        (y_f + y_b) / 2 ("ave"), or both of them (None)

    Args:
        layer: recurrent layer of this library, of Keras or of your own, with the
            attributes go_backwards, return_sequences and return_state. Both directions
            are made anew from its configuration.
        merge_mode: "concat", "sum", "mul", "ave" or None.
        weights: initial values of all weights, those of the forward layer first.
        backward_layer: layer of the other direction; None makes a twin of `layer`.

    Call: sequences, initial_state (the states of the forward layer, then those of the
        backward layer), mask, training. With return_state the final states follow the
        output in the same order; with return_sequences masked steps return zeros.
    Input shape: that of `layer`, (B, T, D). Output shape: that of `layer`; for "concat"
        with its last axis twice as long, for None two of them.
    Raises: ValueError for another merge_mode, for arguments that are not layers, and
        for two layers of the same direction or of different flags.
    Differs from Keras: `weights` are used (Keras forgets them); the mask that the
        input carries counts with an initial_state too; on JAX, cuDNN runs the two
        directions one after the other.

    >>> ones = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    >>> adder = keras.layers.SimpleRNN(1, "linear", return_sequences=True, **ones)
    >>> y = Bidirectional(adder)(keras.ops.array([[[1.0], [2.0], [4.0]]]))
    >>> y[0].numpy().tolist()  # the sum up to here, and the sum from here on
    [[1.0, 7.0], [3.0, 6.0], [7.0, 4.0]]

    Paper: Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    https://doi.org/10.1109/78.650093
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        merge_mode: str | None = "concat",
        weights: list | None = None,
        backward_layer: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        _check_arguments(layer, merge_mode, backward_layer)
        super().__init__(**kwargs)
        self.forward_layer = _twin(layer, "forward")
        self.backward_layer = backward_layer or _twin(
            layer, "backward", go_backwards=True
        )
        _check_pair(self.forward_layer, self.backward_layer)
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(layer, "use_cudnn"):  # not part of the configuration
                direction.use_cudnn = layer.use_cudnn
            if hasattr(direction, "zero_output_for_mask"):
                direction.zero_output_for_mask = direction.return_sequences
        self.merge_mode = merge_mode
        self.initial_weights = weights
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        for direction in (self.forward_layer, self.backward_layer):
            if not direction.built:
                direction.build(sequences_shape)
        if self.initial_weights:
            self.set_weights(self.initial_weights)

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training: bool | None = None,
        sequences_mask=None,  # where an initial_state is given, Keras passes this one
    ):
        initial_f = initial_b = None
        if initial_state is not None:
            half = len(initial_state) // 2
            initial_f, initial_b = initial_state[:half], initial_state[half:]
        mask = sequences_mask if mask is None else mask
        forward, backward = self.forward_layer, self.backward_layer
        y_f, *states_f = self._run(forward, sequences, initial_f, mask, training)
        y_b, *states_b = self._run(backward, sequences, initial_b, mask, training)
        if self.return_sequences:
            y_b = ops.flip(y_b, axis=1)
        y = self._merge(y_f, y_b)
        if not self.return_state:
            return y
        return (*(y if self.merge_mode is None else [y]), *states_f, *states_b)

    def _run(self, direction, sequences, initial_state, mask, training: bool | None):
        """[output, *states] of one direction."""
        given = {"initial_state": initial_state, "mask": mask, "training": training}
        taken = direction.call_signature_parameters
        y = direction(sequences, **{k: v for k, v in given.items() if k in taken})
        y, *states = y if self.return_state else [y]
        return [ops.cast(y, self.compute_dtype), *states]

    def _merge(self, y_f, y_b):
        if self.merge_mode == "concat":
            return ops.concatenate([y_f, y_b], axis=-1)
        if self.merge_mode == "sum":
            return y_f + y_b
        if self.merge_mode == "mul":
            return y_f * y_b
        if self.merge_mode == "ave":
            return (y_f + y_b) / 2
        return y_f, y_b

    def compute_output_shape(
        self, sequences_shape: tuple, initial_state_shape: Any = None
    ) -> tuple:
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        y, *states = shape if self.return_state else [shape]
        if self.merge_mode == "concat":
            y = (*y[:-1], 2 * y[-1])
        ys = [tuple(y)] * (2 if self.merge_mode is None else 1)
        shapes = (*ys, *states, *states)
        return shapes if len(shapes) > 1 else ys[0]

    def compute_mask(self, inputs, mask):
        mask = keras.tree.flatten(mask)[0] if self.return_sequences else None
        outputs = 2 if self.merge_mode is None else 1
        states = 2 * len(self.forward_layer.state_size) if self.return_state else 0
        masks = (*[mask] * outputs, *[None] * states)
        return masks if len(masks) > 1 else mask

    def reset_state(self) -> None:
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    @property
    def states(self) -> tuple | None:
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return tuple(forward + backward) if forward and backward else None

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "backward_layer": keras.saving.serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "Bidirectional":
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = keras.saving.deserialize_keras_object(
                    config[name], custom_objects
                )
        return cls(**config)


def _twin(layer, direction, **changes):
    """A new layer of the same configuration, named after its direction."""
    config = keras.saving.serialize_keras_object(layer)
    name = f"{direction}_{layer.name.removeprefix(direction + '_')}"
    config["config"] = {**config["config"], "name": name, **changes}
    return keras.saving.deserialize_keras_object(config)


def _check_arguments(layer, merge_mode, backward_layer):
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(
            "Please initialize `Bidirectional` layer with a "
            f"`keras.layers.Layer` instance. Received: {layer}"
        )
    if backward_layer is not None and not isinstance(
        backward_layer, keras.layers.Layer
    ):
        raise ValueError(
            "`backward_layer` needs to be a `keras.layers.Layer` instance. "
            f"Received: {backward_layer}"
        )
    modes = ("sum", "mul", "ave", "concat", None)
    if merge_mode not in modes:
        raise ValueError(
            f"Invalid merge mode. Received: {merge_mode}. "
            f"Merge mode should be one of {modes}"
        )


def _check_pair(forward, backward):
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            "Forward layer and backward layer should have different `go_backwards` "
            f"value. Received: {forward.go_backwards} for both"
        )
    pairs = {
        "stateful": (forward.stateful, backward.stateful),
        "return_sequences": (forward.return_sequences, backward.return_sequences),
        "return_state": (forward.return_state, backward.return_state),
    }
    for flag, (ours, theirs) in pairs.items():
        if ours != theirs:
            raise ValueError(
                "Forward layer and backward layer are expected to have the same value "
                f'for attribute "{flag}", got "{ours}" and "{theirs}"'
            )
