"""Reported faults of Keras's layers, as a table that `known_faults.py` explains."""

import warnings

import keras
import numpy as np
from keras import ops

from known_faults import fault, gradient, is_finite
from oracle import array, run_layer

KERAS = "keras-team/keras/issues/"
RAMP = np.arange(6, dtype="float32").reshape(1, 3, 2)


@fault("GroupNormalization", KERAS + "22586", True)
def group_norm_of_large_values(lib):
    """Values above 65,504 become NaN under mixed_float16."""
    x = np.array([[6e4, 8e4, 7e4, 9e4]], "float32")
    return is_finite(lib.layers.GroupNormalization(2, dtype="mixed_float16")(x))


@fault("BatchNormalization", KERAS + "19848", [0.0, 0.0, 0.0, 0.0])
def masked_batch_norm_of_an_image(lib):
    """A mask over one of several axes gives a wrong mean: constants do not become 0."""
    layer = lib.layers.BatchNormalization()
    y = layer(ops.ones((1, 2, 3, 4)), mask=ops.ones((1, 2, 1), "bool"), training=True)
    return ops.mean(y, axis=(0, 1, 2))


@fault("BatchNormalization", KERAS + "19073", [0.0, 0.0])
def batch_norm_without_gamma(lib):
    """On torch it fails with scale=False and center=True."""
    layer = lib.layers.BatchNormalization(scale=False)
    return ops.mean(layer(array(4, 2), training=True), axis=0)


@fault("BatchNormalization", KERAS + "6570", True)
def frozen_batch_norm_keeps_its_statistics(lib):
    """With trainable=False the moving statistics are still updated."""
    layer = lib.layers.BatchNormalization()
    layer.build((None, 2))
    layer.trainable = False
    layer(array(4, 2), training=True)
    return bool(np.all(ops.convert_to_numpy(layer.moving_mean) == 0))


@fault(
    "LayerNormalization", KERAS + "19642", [4, 3, 4, 5], "an error on torch", ("torch",)
)
def layer_norm_over_two_leading_axes(lib):
    """Axes that are not the last ones, such as height and width, do not broadcast."""
    y = lib.layers.LayerNormalization(axis=[-2, -3])(array(4, 3, 4, 5))
    return list(y.shape)


@fault("RMSNormalization", KERAS + "21234", [[0.8485, 1.1314]])
def rms_norm_divides_by_the_root_mean_square(lib):
    """LayerNormalization(rms_scaling=True) divides by the standard deviation."""
    return lib.layers.RMSNormalization()(np.array([[3.0, 4.0]], "float32"))


@fault(
    "UnitNormalization", KERAS + "23075", True, "NaN on JAX and torch", ("jax", "torch")
)
def unit_norm_gradient_at_zero(lib):
    """The gradient at a zero vector is NaN."""
    return is_finite(gradient(lib.layers.UnitNormalization(), np.zeros((1, 3), "f4")))


@fault(
    "UnitNormalization",
    KERAS + "23546",
    True,
    "not finite on JAX and torch",
    ("jax", "torch"),
)
def unit_norm_gradient_in_half_precision(lib):
    """In float16 the gradient at small values is infinite."""
    layer = lib.layers.UnitNormalization(dtype="float16")
    return is_finite(gradient(layer, np.full((1, 2), 0.01, "float16")))


@fault("SpectralNormalization", KERAS + "20309", True)
def spectral_norm_trains(lib):
    """The power iteration is part of the gradient, and gradients explode."""
    layer = lib.layers.SpectralNormalization(lib.layers.Dense(3))
    layer(array(4, 5))
    results = run_layer(layer, array(4, 5), training=True)
    return all(is_finite(v) for k, v in results.items() if k.startswith("gradient"))


@fault("GlobalAveragePooling1D", KERAS + "18152", [[0.0, 0.0]], "NaN")
def average_of_a_sequence_that_is_all_padding(lib):
    """A sequence whose steps are all masked gives NaN."""
    mask = np.zeros((1, 3), "bool")
    return lib.layers.GlobalAveragePooling1D()(RAMP, mask=mask)


@fault("GlobalMaxPooling1D", KERAS + "3777", [[-8.0, -7.0]], "[[0, 0]]")
def maximum_over_a_masked_sequence(lib):
    """Masked steps count: their values enter the maximum."""
    x = RAMP - 10
    x[0, 2] = 9.0
    masked = keras.layers.Masking(mask_value=9.0)(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says that the mask ends here
        return lib.layers.GlobalMaxPooling1D()(masked)


@fault("AveragePooling1D", KERAS + "19721", [[[15.0], [25.0], [30.0]]])
def average_pooling_does_not_count_its_padding(lib):
    """On torch, `padding="same"` counts cells that are not there."""
    x = np.array([[[10.0], [20.0], [30.0]]], "float32")
    return lib.layers.AveragePooling1D(2, strides=1, padding="same")(x)


@fault("AveragePooling2D", KERAS + "19721", [1, 2, 3, 1])
def average_pooling_of_an_oblong_image(lib):
    """On torch, `padding="same"` gives a wrong shape where height is not width."""
    layer = lib.layers.AveragePooling2D(2, padding="same")
    return list(layer(array(1, 3, 6, 1)).shape)


@fault("MaxPooling2D", "keras-team/keras/pull/22919", "ValueError")
def pool_that_is_larger_than_the_image(lib):
    """An output of size 0 instead of an error."""
    return list(lib.layers.MaxPooling2D(20)(keras.Input((5, 5, 3))).shape[1:])


@fault(
    "MaxPooling3D",
    "",
    1,
    "8 of 8 on TensorFlow, except in graphs that oneDNN runs",
    ("tensorflow",),
)
def gradient_of_equal_places_of_a_volume(lib):
    """Of equal maxima of a window, each gets the whole gradient, instead of one."""
    g = gradient(lib.layers.MaxPooling3D(2), np.ones((1, 2, 2, 2, 1), "float32"))
    return int(np.count_nonzero(g))


@fault(
    "MaxPooling3D",
    "",
    True,
    "other values on TensorFlow in float64, and without oneDNN",
    ("tensorflow",),
)
def pool_of_a_volume_with_gaps(lib):
    """With "same" padding and a stride above the window, values are wrong."""
    x = array(2, 5, 4, 6, 3)
    is_tensorflow = keras.backend.backend() == "tensorflow"
    dtype = "float64" if is_tensorflow else "float32"  # JAX has no float64 at first
    y = lib.layers.MaxPooling3D(1, 3, "same", dtype=dtype)(x)
    return bool(np.allclose(ops.convert_to_numpy(y), x[:, ::3, ::3, ::3], atol=1e-6))


@fault(
    "AdaptiveMaxPooling2D",
    "",
    [0.0, 0.0, 0.0, 1.0],
    "the gradient ends the process on TensorFlow; without oneDNN it is garbage",
    ("tensorflow",),
)
def gradient_of_one_adaptive_window(lib):
    """With one window, the gradient is not that of a maximum."""
    if lib is keras and keras.backend.backend() == "tensorflow":
        return "not run, since it would end this process"
    x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
    g = gradient(lib.layers.AdaptiveMaxPooling2D(1), x)
    return g.ravel() / g.sum()


@fault("Conv2D", "keras-team/keras/pull/22418", "ValueError")
def kernel_that_is_larger_than_the_image(lib):
    """An output of size 0 instead of an error."""
    return list(lib.layers.Conv2D(2, 9)(keras.Input((5, 5, 3))).shape[1:])


@fault("Conv2D", KERAS + "15942", "ValueError")
def convolution_without_filters(lib):
    """`filters=0` is accepted."""
    return list(lib.layers.Conv2D(0, 3)(array(1, 5, 5, 3)).shape)


@fault("DepthwiseConv1D", KERAS + "22534", [4, 20, 8])
def dilated_depthwise_convolution_channels_first(lib):
    """Dilation with channels_first fails on TensorFlow, and promises a shape of 0."""
    layer = lib.layers.DepthwiseConv1D(
        3, depth_multiplier=2, data_format="channels_first", dilation_rate=2
    )
    return list(layer(array(4, 10, 12)).shape)


@fault("SeparableConv2D", KERAS + "16973", [1, 3, 2, 2])
def separable_convolution_with_unequal_strides(lib):
    """Strides that differ between height and width fail on TensorFlow."""
    layer = lib.layers.SeparableConv2D(2, 3, strides=(1, 2))
    return list(layer(array(1, 5, 5, 3)).shape)


@fault("Conv2DTranspose", "keras-team/keras/pull/22876", 44.5973)
def transposed_convolution_with_odd_kernel(lib):
    """On torch, values are shifted by one pixel for "same" padding and stride 2."""
    rng = np.random.default_rng(42)
    x = rng.standard_normal((4, 16, 16, 16)).astype("float32")
    kernel = (rng.standard_normal((3, 3, 32, 16)) * 0.05).astype("float32")
    layer = lib.layers.Conv2DTranspose(32, 3, strides=2, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return ops.sum(layer(x))


@fault("Conv3DTranspose", KERAS + "20949", [1, 2, 2, 2, 3])
def transposed_convolution_with_even_kernel(lib):
    """On torch, an even kernel with stride 1 and "same" padding fails."""
    layer = lib.layers.Conv3DTranspose(3, 2, padding="same")
    return list(layer(array(1, 2, 2, 2, 2)).shape)


@fault("EinsumDense", KERAS + "22518", [None, 32, 64], "(None, None, 64)")
def symbolic_shape_of_an_einsum(lib):
    """The shape that it promises differs from the shape of its output."""
    layer = lib.layers.EinsumDense("abc,cd->abd", [None, 64], bias_axes="d")
    return list(layer(keras.Input((32, 128))).shape)


@fault("EinsumDense", KERAS + "22999", [None, 7])
def shape_of_an_einsum_before_build(lib):
    """compute_output_shape fails before the layer is built."""
    layer = lib.layers.EinsumDense("ab,bc->ac", (7,))
    return list(layer.compute_output_shape((None, 5)))


@fault("Softmax", KERAS + "21123", [[0.0, 0.0]])
def softmax_of_a_row_that_is_all_masked(lib):
    """A fully masked row gives equal probabilities instead of zeros."""
    return lib.layers.Softmax()(np.ones((1, 2), "f4"), mask=np.zeros((1, 2), "bool"))


@fault("PReLU", KERAS + "4851", [1, 1, 3])
def shared_axes_of_prelu(lib):
    """`shared_axes` counts axes without the batch, so that a wrong one is shared."""
    layer = lib.layers.PReLU(shared_axes=[1, 2])
    layer.build((None, 4, 5, 3))
    return list(layer.alpha.shape)


@fault("ReLU", "tensorflow/tensorflow/issues/36894", True)
def relu_keeps_the_mask(lib):
    """ReLU loses the mask of its input."""
    masked = keras.layers.Masking()(ops.ones((1, 3, 2)))
    return getattr(lib.layers.ReLU()(masked), "_keras_mask", None) is not None


@fault("Dropout", "keras-team/keras/pull/22312", [0.0, 0.0, 0.0])
def dropout_of_everything(lib):
    """`rate=1` fails on TensorFlow and gives NaN elsewhere."""
    return lib.layers.Dropout(1.0)(np.ones(3, "float32"), training=True)


@fault("ActivityRegularization", "keras-team/keras/pull/22021", 2.0)
def activity_penalty_per_sample(lib):
    """The penalty grows with the batch, though it should be that of a sample."""
    layer = lib.layers.ActivityRegularization(l1=1.0)
    layer(np.ones((4, 2), "float32"))
    return layer.losses[0]


@fault("Embedding", KERAS + "13989", "an error or NaN")
def embedding_out_of_range(lib):
    """A token that the table does not have gives a row of it, or zeros, silently."""
    try:
        y = lib.layers.Embedding(3, 2)(np.array([[5]]))
        return "an error or NaN" if not is_finite(y) else "a row"
    except Exception:
        return "an error or NaN"


@fault("MultiHeadAttention", KERAS + "23038", [0.0, 0.0, 0.0])
def causal_attention_that_returns_its_weights(lib):
    """The causal mask is dropped silently where the weights are returned."""
    layer = lib.layers.MultiHeadAttention(1, 2)
    x = array(1, 3, 4)
    _, a = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    return [a[0, 0, 0, 1], a[0, 0, 0, 2], a[0, 0, 1, 2]]


@fault("MultiHeadAttention", KERAS + "23038", True)
def causal_attention_beside_an_explicit_mask(lib):
    """The causal mask is dropped where an attention mask is given as well."""
    layer = lib.layers.MultiHeadAttention(1, 2)
    x = array(1, 3, 4)
    changed = x.copy()
    changed[0, 2] += 1
    mask = np.ones((1, 3, 3), "bool")
    before, after = (
        ops.convert_to_numpy(layer(v, v, attention_mask=mask, use_causal_mask=True))
        for v in (x, changed)
    )
    return bool(np.allclose(before[0, :2], after[0, :2], atol=1e-6))


@fault("GroupQueryAttention", KERAS + "23038", True)
def causal_grouped_attention_with_dropout(lib):
    """The causal mask is dropped in a layer with dropout."""
    layer = lib.layers.GroupQueryAttention(2, 2, 1, dropout=0.5)
    x = array(1, 3, 4)
    changed = x.copy()
    changed[0, 2] += 1
    before, after = (
        ops.convert_to_numpy(layer(v, v, use_causal_mask=True)) for v in (x, changed)
    )
    return bool(np.allclose(before[0, :2], after[0, :2], atol=1e-6))


@fault("MultiHeadAttention", KERAS + "21714", [2, 5, 2, 3, 3])
def attention_axis_counted_from_the_end(lib):
    """A negative attention axis gives wrong results."""
    x = array(2, 5, 3, 4)
    layer = lib.layers.MultiHeadAttention(2, 4, attention_axes=-2)
    return list(layer(x, x, return_attention_scores=True)[1].shape)


@fault("Attention", KERAS + "19257", [None, 8, 7])
def attention_to_wider_values(lib):
    """The promised shape has the width of the keys, not that of the values."""
    q, v, k = keras.Input((8, 5)), keras.Input((8, 7)), keras.Input((8, 5))
    return list(lib.layers.Attention()([q, v, k]).shape)


@fault("Attention", KERAS + "21483", [2, 3, 4])
def attention_with_masks_of_query_and_value(lib):
    """On torch, masks of query and value do not broadcast."""
    x, mask = array(2, 3, 4), np.array([[1, 1, 0], [1, 0, 0]], "bool")
    return list(lib.layers.Attention()([x, x], mask=[mask, mask]).shape)


@fault(
    "GaussianDropout", "keras-team/keras/pull/351", "ValueError", "ZeroDivisionError"
)
def gaussian_dropout_of_everything(lib):
    """`rate=1` is accepted and divides by 0."""
    return lib.layers.GaussianDropout(1.0)(np.ones(3, "float32"), training=True)


@fault("AlphaDropout", "keras-team/keras/pull/351", "ValueError", "ZeroDivisionError")
def alpha_dropout_of_everything(lib):
    """As in GaussianDropout, `rate=1` is accepted and divides by 0."""
    return lib.layers.AlphaDropout(1.0)(np.ones(3, "float32"), training=True)


@fault("ReversibleEmbedding", "", True, "no mask")
def reverse_keeps_the_mask(lib):
    """In reverse, vectors lose their mask, so that a loss counts padding."""
    layer = lib.layers.ReversibleEmbedding(5, 4, mask_zero=True)
    logits = layer(layer(np.array([[3, 1, 0]])), reverse=True)
    return getattr(logits, "_keras_mask", None) is not None


@fault("ReversibleEmbedding", "", "float32", "bfloat16")
def dtype_of_logits_in_a_model(lib):
    """While a model is made, its logits do not have the dtype of `reverse_dtype`."""
    options = {"dtype": "mixed_bfloat16", "reverse_dtype": "float32"}
    layer = lib.layers.ReversibleEmbedding(5, 4, **options)
    return layer(keras.Input((4,)), reverse=True).dtype


@fault("ReversibleEmbedding", "", True, "the same numbers in both")
def untied_tables_start_apart(lib):
    """With tie_weights=False both tables start with the same numbers."""
    layer = lib.layers.ReversibleEmbedding(5, 4, tie_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras says so
        layer.build()
    one, other = layer.get_weights()
    return not bool(np.isin(one, other).any())


@fault("ReversibleEmbedding", "", True, "an error")
def reversible_embedding_starts_from_weights(lib):
    """The argument `weights` of Embedding, which it passes on, ends in an error."""
    table = np.ones((5, 4), "float32")
    layer = lib.layers.ReversibleEmbedding(5, 4, weights=table)
    return bool((layer.get_weights()[0] == 1).all())
