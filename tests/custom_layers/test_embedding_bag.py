"""Embedding bag against PyTorch, with its gradients; padding, weights, refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import Embedding, EmbeddingBag
from oracle import array, assert_close, run_layer

TOKENS = np.array([[1, 2, 2, 4], [3, 0, 1, 0], [0, 0, 4, 4]], "int32")
E = array(5, 3)


def bag(combiner="sum", **options):
    layer = EmbeddingBag(5, 3, combiner=combiner, **options)
    layer.build()
    layer.set_weights([E])
    return layer


def torch_bag(combiner, weights=None, padding_idx=None):
    """(output, gradient to E, gradient to the weights) of PyTorch's."""
    torch = pytest.importorskip("torch")
    table = torch.tensor(E, requires_grad=True)
    w = None if weights is None else torch.tensor(weights, requires_grad=True)
    y = torch.nn.functional.embedding_bag(
        torch.tensor(TOKENS),
        table,
        mode=combiner,
        per_sample_weights=w,
        padding_idx=padding_idx,
    )
    (y * torch.tensor(array(*y.shape, seed=3))).sum().backward()
    return y.detach().numpy(), table.grad.numpy(), None if w is None else w.grad.numpy()


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize("combiner", ["sum", "mean", "max"])
def test_same_as_torch_with_its_gradient(combiner, mask_zero):
    found = run_layer(bag(combiner, mask_zero=mask_zero), TOKENS)
    y, to_E, _ = torch_bag(combiner, padding_idx=0 if mask_zero else None)
    assert_close(found["output 0"], y)
    if combiner != "max" or mask_zero:  # rows 1 and 3 hold a token twice: a tie
        wanted = to_E.copy()
        wanted[0] *= not mask_zero  # torch may keep a gradient of padding
        assert_close(found["gradient to embeddings"], wanted)


@pytest.mark.parametrize("mask_zero", [False, True])
def test_weights_are_torchs_with_their_gradient(mask_zero):
    w = array(3, 4, seed=1)
    inputs = {"inputs": TOKENS, "weights": w}
    found = run_layer(bag(mask_zero=mask_zero), inputs)
    y, to_E, to_w = torch_bag("sum", w * (TOKENS != 0) if mask_zero else w)
    assert_close(found["output 0"], y)
    assert_close(found["gradient to embeddings"], to_E)
    to_w = np.where(TOKENS != 0, to_w, 0) if mask_zero else to_w
    assert_close(found["gradient to input 1"], to_w)


def test_a_weighted_mean_divides_by_the_weights_of_the_tokens():
    w = array(3, 4, seed=1, low=0.1, high=1.0)
    for mask_zero in (False, True):
        real = w * (TOKENS != 0) if mask_zero else w
        desired = np.einsum("bt,btd->bd", real, E[TOKENS]) / real.sum(1, keepdims=True)
        assert_close(bag("mean", mask_zero=mask_zero)(TOKENS, weights=w), desired)


@pytest.mark.parametrize("combiner", ["sum", "mean", "max"])
def test_it_is_an_embedding_and_a_summary_over_any_axes_before(combiner):
    tokens = TOKENS.reshape(1, 3, 4)
    rows = Embedding(5, 3, weights=E)(tokens)
    desired = getattr(ops, combiner)(rows, axis=-2)
    y = bag(combiner)(tokens)
    assert_close(y, desired)
    assert bag(combiner).compute_output_shape((1, 3, None)) == (1, 3, 3)


@pytest.mark.parametrize("combiner", ["sum", "mean", "max"])
def test_a_bag_without_a_token_is_zero_and_passes_no_gradient(combiner):
    layer = bag(combiner, mask_zero=True)
    found = run_layer(layer, np.zeros((2, 3), "int32"))
    for value in (found["output 0"], found["gradient to embeddings"]):
        np.testing.assert_array_equal(value, 0)
    for shape in ((2, 0), (0, 4)):
        y = ops.convert_to_numpy(layer(np.zeros(shape, "int32")))
        np.testing.assert_array_equal(y, np.zeros((shape[0], 3)))


@pytest.mark.parametrize("combiner", ["sum", "mean", "max"])
def test_padding_never_changes_the_result(combiner):
    layer = bag(combiner, mask_zero=True)
    padded = np.pad(TOKENS, [(0, 0), (2, 3)])
    assert_close(layer(padded), layer(TOKENS))


def test_tokens_above_the_largest_float16_keep_their_row():
    layer = EmbeddingBag(70_001, 2, dtype="mixed_float16")
    y = layer(np.array([[70_000, 69_999]], "int32"))
    table = ops.convert_to_numpy(layer.embeddings)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    desired = table[[70_000, 69_999]].sum(0)
    np.testing.assert_allclose(ops.convert_to_numpy(y)[0], desired, atol=1e-4)


def test_weights_are_an_input_of_a_model():
    tokens, w = keras.Input((4,), dtype="int32"), keras.Input((4,))
    model = keras.Model([tokens, w], bag()(tokens, weights=w))
    values = array(3, 4, seed=1)
    desired = np.einsum("bt,btd->bd", values, E[TOKENS])
    assert_close(model([TOKENS, values]), desired)


@pytest.mark.one_backend
def test_refuses_arguments_and_weights_of_a_maximum():
    for name in ("input_dim", "output_dim"):
        with pytest.raises(ValueError, match=f"argument `{name}`"):
            EmbeddingBag(**{"input_dim": 2, "output_dim": 2, name: 0})
    with pytest.raises(ValueError, match="`combiner` argument must be 'sum' or 'mean'"):
        EmbeddingBag(2, 2, combiner="sqrtn")
    with pytest.raises(ValueError, match=r'combiner="max" takes no weights'):
        bag("max")(TOKENS, weights=array(3, 4))
