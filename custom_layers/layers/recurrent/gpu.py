"""LSTM and GRU on a GPU, by the kernel of cuDNN that runs a whole sequence."""

from typing import Any

import keras
from keras import ops

from ...common.private_keras import gpu_kernel


def _is_left_to_xla(layer: Any) -> bool:
    """Whether XLA may compile the layer. It cannot compile cuDNN's kernel."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return not (on_tensorflow and layer.use_cudnn and gpu_kernel(layer))


def _has_gpu() -> bool:
    """Whether TensorFlow runs on a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def _run_on_gpu(layer: Any, sequences, states, mask, training: bool) -> tuple:
    """(last output, outputs, last states), by cuDNN's kernel if the layer may use it.

    The kernel reads masks that hide the end of a sequence, and none that hides all of
    it. With use_cudnn="auto", batches with another mask take the layer's own loop.
    """
    kernel = None
    mask_x = layer.cell.get_dropout_mask(sequences[:, 0]) if training else None
    if not layer.recurrent_dropout and not isinstance(mask_x, list):
        kernel = gpu_kernel(layer, sequences, mask)
    if kernel is None:
        if layer.use_cudnn is True:
            raise ValueError(
                "use_cudnn=True was specified, but cuDNN is not supported for this "
                "layer configuration with this backend. Pass use_cudnn='auto' to "
                "fallback to a non-cuDNN implementation."
            )
        return layer._loop(sequences, states, mask, training)

    def run():
        x = sequences if mask_x is None else sequences * ops.expand_dims(mask_x, 1)
        return _outputs(layer, kernel, x, states, mask)

    if mask is None or layer.use_cudnn is True:
        return run()

    def loop():
        last, outputs, new_states = layer._loop(sequences, states, mask, training)
        return last, outputs, list(new_states)

    return ops.cond(_hides_ends_only(mask), run, loop)


def _hides_ends_only(mask):
    """Whether the mask (B, T) shows the beginning of every sequence, and no gap."""
    seen = ops.cast(mask, "int32")
    never_rises = ops.all(seen[:, 1:] <= seen[:, :-1])
    return ops.logical_and(never_rises, ops.all(mask[:, 0]))


def _outputs(layer, kernel, x, states, mask):
    """What the kernel makes of x (B, T, D), in the form that the layer's loop has."""
    cell = layer.cell
    turns_itself = layer.go_backwards and mask is not None  # it leaves the padding last
    if layer.go_backwards and not turns_itself:
        x = ops.flip(x, axis=1)
    _, outputs, states = kernel(
        x,
        *states,
        mask,
        kernel=cell.kernel,
        recurrent_kernel=cell.recurrent_kernel,
        bias=cell.bias,
        activation=cell.activation,
        recurrent_activation=cell.recurrent_activation,
        return_sequences=layer.return_sequences,
        go_backwards=turns_itself,
        unroll=False,
    )
    h = states[0]
    repeats = not (layer.zero_output_for_mask or layer.go_backwards)
    if mask is not None and layer.return_sequences and repeats:
        is_seen = ops.expand_dims(mask, -1)
        outputs = ops.where(is_seen, outputs, ops.expand_dims(h, 1))
    return h, outputs, list(states)
