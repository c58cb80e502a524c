"""Weight and spectral normalization around every kind of layer with a kernel."""

import keras
import numpy as np
import pytest
from keras import ops

import custom_layers.layers
from custom_layers.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    LayerNormLSTMCell,
    PeepholeLSTMCell,
    SpectralNormalization,
    WeightNormalization,
)
from oracle import array, assert_close, run_layer

IMAGE, SEQUENCE = (2, 5, 4, 3), (2, 6, 3)
# (layer, arguments, shape of the input, shapes of its lengths: one per output channel)
LAYERS = [
    ("Dense", (4,), (2, 3), [(4,)]),
    ("EinsumDense", ("btd,dhk->bthk", (None, 2, 4)), SEQUENCE, [(2, 4)]),
    ("EinsumDense", ("bthd,hdk->bthk", (None, 2, 5)), (2, 3, 2, 4), [(2, 5)]),
    ("Conv1D", (4, 2), SEQUENCE, [(4,)]),
    ("Conv2D", (4, 2), IMAGE, [(4,)]),
    ("Conv3D", (4, 2), (2, 3, 3, 3, 2), [(4,)]),
    ("Conv1DTranspose", (8, 4), SEQUENCE, [(8,)]),
    ("Conv2DTranspose", (8, 3, 2), IMAGE, [(8,)]),
    ("Conv3DTranspose", (5, 2), (2, 3, 3, 3, 2), [(5,)]),
    ("DepthwiseConv1D", (2, 1, "same", 2), SEQUENCE, [(3, 2)]),
    ("DepthwiseConv2D", (3,), IMAGE, [(3, 1)]),
    ("SeparableConv1D", (4, 2), SEQUENCE, [(3, 1), (4,)]),
    ("SeparableConv2D", (4, 2), IMAGE, [(3, 1), (4,)]),
    ("SimpleRNN", (4,), SEQUENCE, [(4,), (4,)]),
    ("LSTM", (4,), SEQUENCE, [(16,), (16,)]),
    ("GRU", (4,), SEQUENCE, [(12,), (12,)]),
]
FAMILIES = {"keras": keras.layers, "ours": custom_layers.layers}
CASES = (
    [
        pytest.param(
            lambda name=name, family=family, given=given: getattr(family, name)(*given),
            shape,
            lengths,
            id=f"{prefix}-{name}-{given}".replace(" ", ""),
        )
        for prefix, family in FAMILIES.items()
        for name, given, shape, lengths in LAYERS
    ]
    + [
        pytest.param(
            lambda outer=outer, inner=inner: outer(inner(4, return_sequences=True)),
            SEQUENCE,
            [(16,)] * 4,
            id=f"{outer.__module__[:5]}-Bidirectional-{inner.__module__[:5]}",
        )
        for outer, inner in (
            (keras.layers.Bidirectional, keras.layers.LSTM),
            (custom_layers.layers.Bidirectional, LSTM),
        )
    ]
    + [
        pytest.param(
            lambda cell=cell: keras.layers.RNN(cell(4)),
            SEQUENCE,
            [(16,)] * 2,
            id=str(cell),
        )
        for cell in (LayerNormLSTMCell, PeepholeLSTMCell)
    ]
)


def norms_over_all_but(kernel, length):
    """The norms of a kernel, found by the shape of its length, by brute force."""
    kernel, sizes = ops.convert_to_numpy(kernel), list(length.shape)
    axes = list(range(kernel.ndim))
    for size in reversed(sizes):  # the last axes that fit
        axes.remove(max(a for a in axes if kernel.shape[a] == size))
    return np.sqrt((kernel**2).sum(axis=tuple(axes)))


@pytest.mark.parametrize(("make", "shape", "lengths"), CASES)
def test_one_length_per_output_channel_that_starts_as_the_layer_alone(
    make, shape, lengths
):
    layer, x = make(), array(*shape)
    alone = ops.convert_to_numpy(layer(x))
    wrapper = WeightNormalization(layer)
    assert_close(wrapper(x), alone, rtol=1e-5)
    assert [tuple(g.shape) for g in wrapper.lengths] == lengths
    kernels = [w for w in layer.weights if "kernel" in w.name]
    for kernel, g in zip(kernels, wrapper.lengths, strict=True):
        if "Einsum" not in type(layer).__name__:
            assert_close(g, norms_over_all_but(kernel, g))
    symbolic = WeightNormalization(make())(keras.Input(shape[1:]))
    promised = zip(symbolic.shape[1:], alone.shape[1:], strict=True)
    assert all(n in (None, size) for n, size in promised)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "shape", "lengths"), CASES)
def test_it_is_the_layer_with_kernel_g_v_over_its_norm_and_scaling_v_does_not_show(
    make, shape, lengths
):
    layer, x = make(), array(*shape)
    wrapper = WeightNormalization(layer)
    wrapper(x)
    before = ops.convert_to_numpy(wrapper(x))
    kernels = [w for w in layer.weights if "kernel" in w.name]
    for kernel in kernels:
        kernel.assign(kernel * 3.0)
    results = run_layer(wrapper, x)
    assert_close(results["output 0"], before, rtol=1e-4)
    for g in wrapper.lengths:  # as equation 3 of the paper: sum(g * dg) = sum(v * dv)
        key = next(k for k in results if k.endswith(f"/{g.name}") or k.endswith(g.name))
        assert np.abs(results[key]).max() > 0
    for kernel in kernels:  # orthogonal to v, for every output channel
        key = "gradient to " + kernel.path.split("/", 1)[-1]
        v, dv = ops.convert_to_numpy(kernel), results[key]
        scale = np.sqrt((v**2).sum() * (dv**2).sum())
        assert abs((v * dv).sum()) < 1e-4 * max(scale, 1e-6)


def test_a_length_scales_its_output_channel_alone():
    x = array(*IMAGE)
    for make, axis in (
        (lambda: keras.layers.Conv2DTranspose(8, 3), -1),
        (lambda: keras.layers.DepthwiseConv2D(3), -1),
    ):
        wrapper = WeightNormalization(make())
        before = ops.convert_to_numpy(wrapper(x))
        factor = np.ones(before.shape[axis], "float32")
        factor[1] = 5.0
        wrapper.g.assign(wrapper.g * ops.reshape(factor, wrapper.g.shape))
        assert_close(wrapper(x), before * factor)


@pytest.mark.slow
def test_a_recurrent_layer_trains_under_weight_normalization():
    x, y = array(16, 5, 3), array(16, 2, seed=1)
    for layer in (keras.layers.LSTM(4), LSTM(4, dropout=0.1)):
        model = keras.Sequential([WeightNormalization(layer), keras.layers.Dense(2)])
        model.compile("adam", "mse", jit_compile=False)
        model(x)
        before = [ops.convert_to_numpy(w) for w in model.trainable_weights]
        model.fit(x, y, batch_size=8, verbose=0)
        for weight, old in zip(model.trainable_weights, before):
            assert not np.array_equal(ops.convert_to_numpy(weight), old), weight.path


def test_a_stateful_recurrent_layer_keeps_its_state():
    x = array(2, 3, 4)
    layer = LSTM(3, stateful=True)
    wrapper = WeightNormalization(layer)
    first, second = (ops.convert_to_numpy(wrapper(x)) for _ in range(2))
    layer.reset_state()
    assert_close(layer(x), first)
    assert_close(layer(x), second)
    assert np.abs(first - second).max() > 1e-3


def test_masks_and_initial_states_reach_the_layer():
    x = array(2, 5, 3)
    mask = np.array([[True] * 5, [True, True, False, False, False]])
    layer = LSTM(4, return_sequences=True, return_state=True)
    wrapper = WeightNormalization(layer)
    for given in (
        {"mask": mask},
        {"initial_state": [ops.ones((2, 4)), -ops.ones((2, 4))]},
    ):
        for y, desired in zip(wrapper(x, **given), layer(x, **given), strict=True):
            assert_close(y, desired)


@pytest.mark.parametrize("wrap", [WeightNormalization, SpectralNormalization])
def test_a_mask_passes_through_the_wrapper_as_through_its_layer(wrap):
    """Warnings are errors here: none says that the mask is destroyed."""
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    x = inputs = keras.Input((4,), dtype="int32")
    x = wrap(keras.layers.Embedding(5, 3, mask_zero=True))(x)
    x = wrap(Dense(3))(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, x)
    embedding, dense = model.layers[1].layer, model.layers[2].layer
    y = ops.convert_to_numpy(dense(embedding(tokens)))
    shown = (tokens != 0)[..., None]
    assert_close(model(tokens), (y * shown).sum(1) / shown.sum(1))


def test_a_wrapped_recurrent_layer_sees_the_mask_of_an_embedding():
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    embedding, layer = keras.layers.Embedding(5, 3, mask_zero=True), LSTM(4)
    x = embedding(tokens)
    assert_close(WeightNormalization(layer)(x), layer(x))


def test_other_lengths_and_widths_of_the_input_are_taken():
    wrapper = WeightNormalization(keras.layers.Embedding(5, 3))
    assert wrapper(np.ones((2, 4), "int32")).shape == (2, 4, 3)
    assert wrapper(np.ones((2, 7), "int32")).shape == (2, 7, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "shape", "lengths"), CASES[-8:])
def test_saved_and_loaded_again(make, shape, lengths, tmp_path):
    model = keras.Sequential([keras.Input(shape[1:]), WeightNormalization(make())])
    for g in model.layers[0].lengths:
        g.assign(array(*g.shape, seed=4))
    path = str(tmp_path / "model.keras")
    model.save(path)
    x = array(*shape)
    assert_close(keras.models.load_model(path)(x), model(x))


def test_frozen_spectral_normalization_keeps_its_kernel_and_its_vector():
    layer = SpectralNormalization(keras.layers.Dense(4))
    x = array(2, 6)
    layer(x, training=True)
    layer.trainable = False
    before = layer.get_weights()
    y = [ops.convert_to_numpy(layer(x, training=t)) for t in (True, False)]
    np.testing.assert_array_equal(*y)
    for value, old in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(value, old)
    layer.trainable = True
    layer(x, training=True)
    assert not np.array_equal(layer.get_weights()[0], before[0])


def test_a_frozen_wrapper_freezes_the_moving_averages_within():
    inner = BatchNormalization()
    inner.kernel = inner.add_weight((3,), "ones", name="kernel")
    wrapper = WeightNormalization(inner)
    wrapper(array(5, 3))
    wrapper.trainable = False
    wrapper(array(5, 3), training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(inner.moving_mean), np.zeros(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WeightNormalization(keras.layers.ReLU()), "no attribute 'kernel'"),
        (lambda: SpectralNormalization(keras.layers.LSTM(2)), "no attribute 'kernel'"),
    ],
)
def test_refuses_layers_without_a_kernel(make, message):
    with pytest.raises(ValueError, match=message):
        make()(array(*SEQUENCE))
