"""Reviews: words, a vocabulary of the training part alone, the cache, honest splits."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cookbook.data.text import words
from cookbook.data.text.reviews import generated_reviews, load_reviews
from cookbook.data.text.words import (
    UNKNOWN,
    Vocabulary,
    cut_and_pad,
    numbered,
    split_words,
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def test_a_text_becomes_its_words_and_marks_in_lower_case():
    text = "It\u2019s GREAT,<br /><br />isn't it?  Caf\u00e9 10/10!!"
    expected = "it's great , isn't it ? caf\u00e9 10 10 ! !"
    assert split_words(text) == expected.split()


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\x00\x07\x1b", "\U0001f600\u2764", "<br>"]
)
def test_a_text_without_words_has_none(text):
    assert split_words(text) == []


def test_emoji_and_control_characters_separate_words():
    assert split_words("so\x00good\U0001f600film\udcff") == ["so", "good", "film"]


def test_a_long_text_of_open_brackets_takes_no_time():
    assert split_words("<" * 100_000 + "good") == ["good"]


def test_the_most_frequent_words_have_the_smallest_ids():
    vocabulary = Vocabulary.learn([["b", "a", "b"], ["c", "b", "a"]], size=4)
    assert vocabulary.words == ["b", "a"]
    assert len(vocabulary) == 4
    assert vocabulary.ids(["a", "b", "c", "zzz"]) == [3, 2, UNKNOWN, UNKNOWN]
    assert vocabulary.spell([2, 3, 1, 0]) == ["b", "a", "[unknown]", ""]


def test_a_row_too_long_keeps_its_beginning_and_its_end():
    ids = cut_and_pad([np.arange(2, 22), [5, 6], []], 8)
    assert ids.tolist() == [
        [2, 3, 16, 17, 18, 19, 20, 21],
        [5, 6, 0, 0, 0, 0, 0, 0],
        [UNKNOWN, 0, 0, 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_rows_of_any_length_fit_any_length(length):
    ids = cut_and_pad([range(2, 2 + n) for n in range(9)], length)
    assert ids.shape == (9, length)
    assert ids.any(1).all()


def test_texts_are_numbered_once_and_then_read_from_the_cache(monkeypatch):
    texts = ["a b a", "b c", "", "d"]
    first = numbered(texts, learn_from=[0, 1])
    monkeypatch.setattr(words, "split_words", None)
    again = numbered(texts, learn_from=[0, 1])
    for vocabulary, rows in (first, again):
        assert vocabulary.words == ["a", "b", "c"]
        assert [list(row) for row in rows] == [[2, 3, 2], [3, 4], [], [UNKNOWN]]


def test_other_texts_and_another_split_are_not_read_from_the_cache():
    texts = ["a b", "c"]
    assert numbered(texts, [0])[0].words == ["a", "b"]
    assert numbered(texts, [1])[0].words == ["c"]
    assert numbered(["a x", "c"], [0])[0].words == ["a", "x"]


def test_a_damaged_cache_is_made_anew(tmp_path):
    numbered(["a b"], [0])
    (file,) = (tmp_path / "home").rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert numbered(["a b"], [0])[0].words == ["a", "b"]
    assert file.stat().st_size > 100


def test_a_cache_that_can_not_be_written_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    assert numbered(["a b"], [0])[0].words == ["a", "b"]


def test_the_vocabulary_is_learned_from_the_training_part_alone():
    _, (test_texts, _), _ = generated_reviews()
    data = load_reviews("generated_reviews", "imdb_reviews", 10_000, 40)
    in_test = {word for text in test_texts for word in split_words(text)}
    known = set(data.vocabulary.words)
    assert {"pace", "humour", "lead", "sound", "popcorn"} <= in_test - known
    spelled = {w for ids in data.train[0] for w in data.vocabulary.spell(ids) if w}
    assert spelled - {"[unknown]"} == known
    assert "[unknown]" not in spelled
    assert (data.test[0] == UNKNOWN).any()


def test_validation_is_cut_from_train_and_the_test_part_is_whole():
    (texts, _), (test_texts, y_test), classes = generated_reviews()
    data = load_reviews("generated_reviews", "imdb_reviews", 10_000, 40)
    assert len(data.train[0]) + len(data.validation[0]) == len(texts) == 1500
    assert len(data.validation[0]) == 150
    assert data.classes == classes == ("neg", "pos")
    of_text = dict(zip(test_texts, y_test))
    assert sorted(data.test_texts) == sorted(test_texts)
    for ids, label, text in zip(*data.test, data.test_texts):
        assert label == of_text[text]
        assert data.vocabulary.encode(text, 40)[0].tolist() == ids.tolist()


def test_validation_and_test_go_from_short_to_long():
    data = load_reviews("generated_reviews", "imdb_reviews", 10_000, 40)
    for x, _ in (data.validation, data.test):
        assert (np.diff((x != 0).sum(1)) >= 0).all()


def test_a_small_vocabulary_turns_rare_words_into_unknown_ones():
    small = load_reviews("generated_reviews", "imdb_reviews", 10, 40)
    assert len(small.vocabulary) == 10
    assert small.train[0].max() == 9
    tiny = load_reviews("generated_reviews", "imdb_reviews", 1, 40)
    assert tiny.train[0].max() == UNKNOWN


def test_generated_reviews_say_what_their_label_says():
    """Most clauses of a review are as its label; one read without "not" is not."""
    (texts, y), _, _ = generated_reviews()
    good = {"good", "great", "funny", "clever", "moving", "fresh", "charming", "fine"}
    good |= {"loved", "enjoyed", "admired"}
    bad = {"bad", "dull", "silly", "boring", "awful", "clumsy", "weak", "tired"}
    bad |= {"hated", "regretted", "disliked"}
    right, naive = [], []
    for text, label in zip(texts, y):
        votes, words_only = 0, 0
        for clause in text.split(". "):
            found = set(split_words(clause))
            vote = bool(found & good) - bool(found & bad)
            words_only += vote
            votes += -vote if found & {"not", "never"} else vote
        right.append((votes > 0) == label)
        naive.append((words_only > 0) == label)
    assert np.mean(right) == 1
    assert 0.6 < np.mean(naive) < 0.85


LOAD = """
import tensorflow_datasets as tfds
builder = tfds.builder("imdb_reviews", data_dir={folder!r})
texts = ["A <br /> good film", "bad " + chr(0x1f600), ""]
def examples(count):
    for i in range(count):
        yield i, {{"text": texts[i % 3], "label": i % 2}}
builder._split_generators = lambda manager: {{
    "train": examples(30), "test": examples(6)
}}
builder.download_and_prepare()
from cookbook.data.text.reviews import load_reviews
for data in [load_reviews("auto", "imdb_reviews", 100, 5) for _ in range(2)]:
    print(data.note, len(data.train[0]), len(data.test[0]), *data.vocabulary.words)
"""


def test_reviews_prepared_by_tfds_are_used_and_their_words_kept(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(folder=str(tmp_path))],
        env={
            **os.environ,
            "TFDS_DATA_DIR": str(tmp_path),
            "KERAS_HOME": str(tmp_path / "home"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()[-2:]
    for line in lines:
        assert line.startswith("imdb_reviews 27 6 ")
        assert sorted(line.split()[3:]) == ["a", "bad", "film", "good"]
    assert len(list((tmp_path / "home").rglob("words_*.npz"))) == 1


def test_a_set_without_texts_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        load_reviews("mnist", "imdb_reviews", 100, 5)
    assert stop.value.code == 2
    assert "'mnist' has no labelled texts" in capsys.readouterr().err
