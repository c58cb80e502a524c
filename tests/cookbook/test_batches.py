"""Batches: their order, their widths, and the pipeline that gives the same."""

import dataclasses
import gc
import itertools
import weakref
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import cookbook.data.batches as module
from cookbook.config import Count
from cookbook.data.batches import (
    MOST_WIDTHS,
    SMALLEST,
    WORTH,
    Batches,
    few_widths,
    for_few,
)
from cookbook.takeaway.standalone.data import padded_batches
from cookbook.tuning.search import _announce_searched
from oracle import array
from small_training import Config, model

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data feeds TensorFlow"
)


def test_batches_cover_the_data_once_in_an_order_of_seed_and_epoch():
    x = np.arange(20)

    def order(seed, epoch):
        batches = Batches(x, x, 5, seed=seed)
        batches.start_epoch(epoch)
        return np.concatenate([batches[i][0] for i in range(len(batches))]).tolist()

    assert sorted(order(0, 0)) == list(range(20))
    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_the_order_that_fit_sees_changes_every_epoch():
    """Keras makes the next epoch's iterator early: it must not keep the old order."""
    seen = []

    class Watched(Batches):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            seen.append(y.tolist())
            return x, y

    batches = Watched(array(12, 6), np.arange(12) % 3, 4, seed=0)
    y = np.arange(12) % 3
    start = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch)
    )
    model().fit(batches, epochs=3, verbose=0, callbacks=[start], shuffle=False)
    expected = [
        y[np.random.default_rng([0, epoch]).permutation(12)].reshape(3, 4).tolist()
        for epoch in range(3)
    ]
    assert seen[-9:] == [batch for epoch in expected for batch in epoch]


@needs_tensorflow
@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("at_once", [1, 2, 100])  # batches that are gathered together
def test_the_pipeline_gives_the_same_batches(seed, at_once, monkeypatch):
    """In each epoch, from any step on; without a seed the last batch is smaller."""
    x = array(23, 4)
    y = {"a": np.arange(23), "b": array(23, 2)}
    batches = Batches(x, y, 5, seed=seed)
    monkeypatch.setattr(module, "AT_ONCE", at_once * batches._bytes_of_a_batch())
    for epoch, first in ((0, 0), (1, 0), (1, 2)):
        batches.start_epoch(epoch, first)
        pipeline = batches.pipeline()
        assert len(pipeline) == len(batches) == (4 if seed == 0 else 5) - first
        for index, batch in enumerate(pipeline):
            keras.tree.map_structure(
                lambda fed, own: np.testing.assert_array_equal(fed.numpy(), own),
                batch,
                batches[index],
            )


@needs_tensorflow
def test_a_pipeline_has_the_order_of_the_epoch_that_begins():
    batches = Batches(np.arange(20), np.arange(20), 5, seed=0)
    pipeline = batches.pipeline()
    orders = []
    for epoch in (0, 1):
        batches.start_epoch(epoch)
        orders += [np.concatenate([x.numpy() for x, _ in pipeline])]
        expected = [batches[i][0] for i in range(len(batches))]
        np.testing.assert_array_equal(orders[-1], np.concatenate(expected))
    assert (orders[0] != orders[1]).any()


@needs_tensorflow
def test_what_a_pipeline_has_fed_is_freed():
    x = array(20, 4)
    batches = Batches(x, np.arange(20), 5, seed=0)
    for _ in batches.pipeline():
        pass
    fed = weakref.ref(batches)
    del batches
    gc.collect()
    assert fed() is None


def test_what_tensorflow_cannot_gather_itself_stays_as_it_is(tmp_path):
    ids = np.ones((8, 3), int)
    batches = [Batches(ids, ids, 2, padded=True)]
    np.save(tmp_path / "x.npy", ids)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    batches += [Batches(on_disk, ids, 2)]
    assert [each.pipeline() for each in batches] == batches


def test_several_inputs_come_in_one_order():
    x = np.arange(20)
    batches = Batches((x, 2 * x[:, None]), 3 * x, 5, seed=0)
    assert len(batches) == 4
    (first, second), y = batches[1]
    assert len(first) == 5
    np.testing.assert_array_equal(second[:, 0], 2 * first)
    np.testing.assert_array_equal(y, 3 * first)


def test_padded_batches_hold_like_lengths_in_a_few_widths(monkeypatch):
    monkeypatch.setattr("cookbook.data.batches.WORTH", 100)
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, size=400)
    x = np.where(np.arange(60) < lengths[:, None], 1 + np.arange(400)[:, None], 0)
    batches = Batches((x, 2 * x), lengths, 8, seed=0, padded=True)
    orders = []
    widths = few_widths(lengths)
    assert len(widths) == MOST_WIDTHS
    for epoch in (0, 1, 1):
        batches.start_epoch(epoch)
        (first, second), y = batches[0]
        orders.append([batches[i][1].tolist() for i in range(len(batches))])
        width = widths[widths >= y.max()].min()
        assert first.shape == second.shape == (8, width)
        np.testing.assert_array_equal((first > 0).sum(1), y)
        np.testing.assert_array_equal(second, 2 * first)
    assert orders[0] != orders[1] == orders[2]
    flat = np.concatenate(orders[0])
    np.testing.assert_array_equal(np.sort(flat), np.sort(lengths))
    assert np.mean([max(b) - min(b) for b in orders[0]]) < 2
    firsts = [batch[0] for batch in orders[0]]
    assert firsts != sorted(firsts), "batches would come short ones first"


@pytest.mark.parametrize("kind", ["ids", "vectors"])
def test_a_bundle_that_reads_texts_feeds_ids_and_vectors_as_recipes_do(kind):
    """imdb_minilm reads ids of texts, and then learns from their vectors as well."""
    rng = np.random.default_rng(0)
    y = rng.integers(1, 40, size=103)
    x = rng.normal(size=(103, 60)).astype("float32")
    if kind == "ids":
        x = np.where(np.arange(60) < y[:, None], 1 + np.arange(103)[:, None], 0)
    recipe = Batches(x, y, 8, seed=0, padded=kind == "ids")
    bundle = padded_batches.Batches(x, y, 8, seed=0)
    for epoch in (0, 1):
        recipe.start_epoch(epoch)
        bundle.start_epoch(epoch)
        for i in range(len(recipe)):  # also as Keras asks before the first epoch
            for expected, found in zip(recipe[i], bundle[i], strict=True):
                np.testing.assert_array_equal(found, expected)
        recipe.on_epoch_begin()
        bundle.on_epoch_begin()


def fewest_places(lengths, most):
    """The fewest places for rows of these lengths, by trying all choices of widths."""
    *others, longest = sorted({*lengths})
    choices = itertools.combinations(others, most - 1)
    return min(
        sum(min(w for w in (*some, longest) if w >= length) for length in lengths)
        for some in choices
    )


@pytest.mark.parametrize("most", [1, 2, 4])
def test_no_other_widths_need_fewer_places(monkeypatch, most):
    monkeypatch.setattr("cookbook.data.batches.WORTH", 1)
    monkeypatch.setattr("cookbook.data.batches.MOST_WIDTHS", most)
    lengths = np.random.default_rng(0).integers(1, 13, 60)
    widths = few_widths(lengths)
    assert len(widths) == most
    places = widths[widths.searchsorted(lengths)].sum()
    assert places == fewest_places(lengths.tolist(), most)


def test_a_width_must_be_worth_its_compilation():
    lengths = np.repeat([10, 20], WORTH // 10 - 1)
    assert few_widths(lengths).tolist() == [20]
    assert few_widths(np.repeat(lengths, 2)).tolist() == [10, 20]


@pytest.mark.parametrize("lengths", [[], [0, 0], [7], [1, 5000]])
def test_any_lengths_have_widths(lengths):
    widths = few_widths(np.array(lengths, int))
    assert widths[-1] == max(1, *lengths, 0)
    assert (np.diff(widths) > 0).all()


def test_of_several_arrays_the_longest_row_says_which_are_alike():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, size=(2, 800))
    x = tuple(np.where(np.arange(40) < n[:, None], 1, 0) for n in lengths)
    batches = Batches(x, np.max(lengths, 0), 8, seed=0, padded=True)
    longest = [batches[i][1] for i in range(len(batches))]
    assert np.mean([np.ptp(n) for n in longest]) < 2


@pytest.mark.parametrize("lengths", [(9, 9, 4), (9, 8, 4)])
def test_batches_of_any_lengths_are_learned_from(lengths):
    """Keras takes a length that two batches share for one that all have."""
    x = np.where(np.arange(9) < np.repeat(lengths, 2)[:, None], 1, 0)
    net = keras.Sequential(
        [keras.layers.Embedding(2, 2), keras.layers.GlobalMaxPooling1D()]
    )
    net.compile("sgd", "mse", jit_compile=False)
    net.fit(Batches(x, np.zeros((6, 2)), 2, padded=True), verbose=0)
    assert len(net.predict(Batches(x, x, 2, padded=True), verbose=0)) == 6


def test_a_row_of_padding_alone_is_a_batch_of_one_column():
    batches = Batches(np.zeros((2, 5), int), np.zeros(2), 2, padded=True)
    assert batches[0][0].shape == (2, 1)


def test_without_a_seed_nothing_is_shuffled_or_left_out():
    batches = Batches(np.arange(7), np.arange(7), 3)
    assert [len(batches[i][0]) for i in range(len(batches))] == [3, 3, 1]


@dataclasses.dataclass(frozen=True)
class Large(Config):
    batch_size: Count = 64


def test_few_examples_get_small_batches_which_a_search_does_not_call_the_users(capsys):
    config = for_few(Large(), 100)
    assert config.batch_size == SMALLEST < Large.batch_size
    assert for_few(config, 10**6) is config
    dimension = SimpleNamespace(name="batch_size")
    _announce_searched(SimpleNamespace(config=config, dimensions=[dimension]))
    line = capsys.readouterr().err
    assert f"trial 0 takes --batch-size {SMALLEST}, the other trials try" in line
    assert "--space batch_size=fixed would keep that of trial 0" in line
