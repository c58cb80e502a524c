"""NaiveBayesNgrams against its formula and against scikit-learn's naive Bayes."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import NaiveBayesNgrams
from naive_bayes_formula import (
    BUCKETS,
    LABELS,
    TEXTS,
    distinct,
    error_of_naive_bayes,
    ratios,
)


def adapted(labels=LABELS % 2, **options):
    layer = NaiveBayesNgrams(BUCKETS, 2, **options)
    layer.adapt(TEXTS, labels)
    return layer


def scores(layer, texts=TEXTS):
    return ops.convert_to_numpy(layer(np.asarray(texts, "int32")))


def test_scores_are_those_of_the_formula():
    assert error_of_naive_bayes(NaiveBayesNgrams) < 1e-5


@pytest.mark.one_backend
def test_two_classes_are_multinomial_naive_bayes_on_presence():
    naive_bayes = pytest.importorskip("sklearn.naive_bayes")
    presence = np.zeros((len(TEXTS), BUCKETS))
    for row, text in enumerate(TEXTS):
        presence[row, list(distinct(text, 3))] = 1
    model = naive_bayes.MultinomialNB(alpha=1.0).fit(presence, LABELS % 2)
    log_p = model.predict_log_proba(presence)
    prior = model.class_log_prior_[1] - model.class_log_prior_[0]
    layer = adapted()
    evidence = scores(layer)[:, 1] - float(layer.bias[1])
    np.testing.assert_allclose(evidence, log_p[:, 1] - log_p[:, 0] - prior, atol=1e-4)


def test_padding_and_repeated_ngrams_change_nothing():
    layer = adapted()
    alone = scores(layer, [[3, 4, 0, 0, 0, 0, 0, 0]])
    assert (scores(layer, [[3, 4]]) == alone).all()
    repeated = scores(layer, [[3, 4, 3, 4, 3, 4]])
    once = scores(layer, [[3, 4, 3, 4]])  # 3 4 3 4 3 4 has no other n-gram of 3
    np.testing.assert_allclose(repeated, once, rtol=1e-6)


def test_a_large_token_wraps_as_a_32_bit_integer():
    layer = NaiveBayesNgrams(BUCKETS, 2, max_ngram=2)
    tokens = [2_000_000, 3]
    layer.adapt([tokens, [5, 5]], [1, 0])
    seen = np.flatnonzero(ops.convert_to_numpy(layer.ratios)[:, 1] > 0)
    assert set(seen) == distinct(tokens, 2)


def test_training_changes_the_weights_and_leaves_the_counts():
    layer = adapted(kernel_initializer=keras.initializers.Constant(0.1))
    model = keras.Sequential([keras.Input((None,), dtype="int32"), layer])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss)
    before = [ops.convert_to_numpy(w) for w in (layer.kernel, layer.ratios)]
    losses = model.fit(TEXTS, LABELS % 2, epochs=3, verbose=0).history["loss"]
    after = [ops.convert_to_numpy(w) for w in (layer.kernel, layer.ratios)]
    assert losses[-1] < losses[0]
    assert np.abs(after[0] - before[0]).max() > 0
    assert (after[1] == before[1]).all()
    np.testing.assert_allclose(after[1], ratios(TEXTS, LABELS % 2, 2, 3, 1.0)[0], 1e-4)


def test_before_it_is_adapted_all_scores_are_0():
    assert (scores(NaiveBayesNgrams(BUCKETS, 2)) == 0).all()


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_buckets": 0}, "must be a positive integer"),
        ({"num_classes": 1.5}, "must be a positive integer"),
        ({"num_classes": 1}, "must be at least 2"),
        ({"max_ngram": 0}, "must be a positive integer"),
        ({"min_count": 0}, "must be a positive integer"),
        ({"alpha": 0.0}, "`alpha` must be above 0"),
    ],
)
def test_refuses_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        NaiveBayesNgrams(**{"num_buckets": 5, "num_classes": 2, **options})


@pytest.mark.one_backend
@pytest.mark.parametrize("labels", [[0, 2], [0, -1], [0.0, 1.0], [0], [[0], [1]]])
def test_refuses_labels_that_are_no_classes(labels):
    layer = NaiveBayesNgrams(BUCKETS, 2)
    with pytest.raises(ValueError, match="must be a class from 0 to 1"):
        layer.adapt([[1, 2], [3, 0]], labels)
