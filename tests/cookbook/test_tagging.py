"""Tagged sentences: how they are read and encoded, the report, and typed sentences."""

import gzip

import numpy as np
import pytest

from cookbook.data.batches import Batches, joined
from cookbook.data.tagged.encoding import encode_words, learn_ids, split_sentence
from cookbook.data.tagged.generated import STEMS, generated_names, generated_tags
from cookbook.data.tagged.sentences import (
    _sentence,
    load_sentences,
    tagged_sentences,
)
from cookbook.data.text.words import UNKNOWN, Vocabulary
from cookbook.exports.portable.classifiers import best_path
from cookbook.reports.tagged.taggers import (
    best_tags,
    most_frequent_tags,
    tagging_figures,
)
from custom_layers.layers import CRF, viterbi
from oracle import array
from tagging import untrained_tagger

DATA = tagged_sentences("toy", generated_tags(), letters=6, asked="toy")
NAMES = tagged_sentences("toy", generated_names(), letters=6, asked="toy")


# Sentences as arrays


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't panic!", "Do n't panic !"),
        ("It\u2019s Anna's, isn't it?", "It 's Anna 's , is n't it ?"),
        ("We'll pay $3.50 at 10:30...", "We 'll pay $ 3.50 at 10:30 ..."),
        (
            "a well-known site: https://a.org/b?c",
            "a well - known site : https://a.org/b?c",
        ),
        ("@anna likes #films", "@anna likes #films"),
        ("The U.S. won.", "The U.S. won ."),
        ("mail me@here.org", "mail me@here.org"),
        ("  ", ""),
    ],
)
def test_a_typed_sentence_is_split_as_a_treebank_does(text, words):
    assert split_sentence(text) == words.split()


def test_words_and_characters_become_ids_and_padding_is_0():
    sentences = [["The", "cat", "saw", "the", "cat"], ["Cats"]]
    words, characters = learn_ids(sentences)
    assert sorted(words.words) == ["cat", "the"]  # in lower case, seen twice
    assert {*characters.words} == {*"Thecatsw", "C"}
    x, spelled = encode_words(sentences, words, characters, letters=4, width=6)
    assert x.shape == (2, 6)
    assert spelled.shape == (2, 6, 4)
    assert words.spell(x[0])[3:5] == ["the", "cat"]
    assert x[0, 2] == x[1, 0] == UNKNOWN
    assert (x[0, 5:] == 0).all()
    assert (spelled[1, 1:] == 0).all()
    assert "".join(characters.spell(spelled[0, 1])) == "cat"
    assert "".join(characters.spell(spelled[1, 0])) == "Cats"


def test_of_a_long_word_the_beginning_and_the_end_are_read():
    letters = Vocabulary("abcdefgh")
    _, spelled = encode_words([["abcdefgh"]], Vocabulary([]), letters, letters=4)
    assert "".join(letters.spell(spelled[0, 0])) == "afgh"


def test_no_sentences_make_empty_arrays():
    x, spelled = encode_words([], Vocabulary([]), Vocabulary("a"), letters=3)
    assert x.shape == (0, 1)
    assert spelled.shape == (0, 1, 3)


def test_parts_are_sorted_and_every_word_has_its_tag():
    for part in ("validation", "test"):
        (words, _), y = getattr(DATA, part)
        lengths = (words > 0).sum(1)
        assert (np.diff(lengths) >= 0).all()
        np.testing.assert_array_equal(words > 0, y > 0)
        for row, (_, tags) in zip(y, DATA.sentences[part]):
            assert [DATA.tags[i] for i in row[row > 0]] == tags
    assert DATA.tags[0] == ""
    assert not DATA.has_spans
    assert NAMES.has_spans


def test_generated_test_sentences_have_stems_that_training_lacks():
    assert not {*STEMS["train"]} & {*STEMS["test"]}
    for data in (DATA, NAMES):
        (words, _), _ = data.test
        assert 0.1 < (words[words > 0] == UNKNOWN).mean() < 0.6


def test_rows_for_contractions_and_omitted_words_are_left_out():
    tokens, heads = [b"don't", b"do", b"n't", b""], [b"None", b"0", b"1", b""]
    found = _sentence(["_", "AUX", "PART"], tokens, [0, 1, 2, 0], heads)
    assert found == (["do", "n't"], ["AUX", "PART"])
    assert _sentence(["a"], [b"x", b""], [0, 0]) == (["x"], ["a"])


def test_batches_cut_words_and_their_characters_alike():
    x, y = DATA.train
    batches = Batches(x, y, 16, seed=0, padded=True)
    (wide, wide_characters), _ = batches[1]  # before an epoch, one column more
    assert wide.shape == wide_characters.shape[:2]
    batches.on_epoch_begin()
    widths = set()
    for i in range(len(batches)):
        (words, characters), tags = batches[i]
        assert words.shape == tags.shape == characters.shape[:2]
        np.testing.assert_array_equal(words > 0, characters.any(-1))
        np.testing.assert_array_equal(words > 0, tags > 0)
        widths.add(words.shape[1])
    assert max(widths) <= x[0].shape[1]
    (words, characters), _ = joined(DATA.train, DATA.validation)
    assert len(words) == len(characters) == 460


def test_joined_characters_get_zeros_where_the_other_part_is_wider():
    narrow, wide = np.ones((2, 3, 4), "int32"), np.ones((1, 5, 4), "int32")
    both = joined(narrow, wide)
    assert both.shape == (3, 5, 4)
    assert both[:2, 3:].sum() == 0


# The user's files


def written(folder, name, rows=60, separator="\t", mark=""):
    lines = []
    for i in range(rows):
        lines += [f"word{i}{separator}{mark}NOUN", f"runs{separator}{mark}VERB", ""]
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("separator", ["\t", " ", "\tx\t"])
def test_a_file_with_a_word_and_its_tag_per_line_is_cut_into_parts(
    separator, tmp_path, capsys
):
    path = written(tmp_path, "my.txt", separator=separator)
    data = load_sentences(str(path), "tags", 8)
    assert data.tags == ("", "NOUN", "VERB")
    assert [len(data.sentences[part]) for part in data.sentences] == [48, 6, 6]
    every = {words[0] for part in data.sentences.values() for words, _ in part}
    assert len(every) == 60
    assert "tagged sentences: 48 train" in capsys.readouterr().out
    again = load_sentences(str(path), "tags", 8)
    assert again.sentences == data.sentences


def test_a_folder_may_hold_the_parts(tmp_path):
    written(tmp_path, "train.conll", 40)
    written(tmp_path, "dev.conll", 3)
    written(tmp_path, "test.conll", 5)
    (tmp_path / "README.md").write_text("no part")
    data = load_sentences(str(tmp_path), "tags", 8)
    counts = {part: len(found) for part, found in data.sentences.items()}
    assert counts == {"train": 40, "validation": 3, "test": 5}
    assert any("are also in the training part: 3" in n for n in data.card.notes)


def test_the_format_of_universal_dependencies_is_read(tmp_path):
    row = "{}\t{}\tlemma\t{}\t_\t_\t{}\troot\t_\t_"
    lines = []
    for i in range(40):
        lines += [f"# text = {i}n't", row.format("1-2", f"{i}n't", "_", "_")]
        lines += [row.format(1, i, "NUM", 0), row.format(2, "n't", "PART", 1)]
        lines += [row.format("2.1", "go", "VERB", "_"), ""]
    path = tmp_path / "en.conllu"
    path.write_text("\n".join(lines))
    data = load_sentences(str(path), "tags", 8)
    words, tags = data.sentences["train"][0]
    assert tags == ["NUM", "PART"]
    assert words[0].isdigit()
    assert words[1] == "n't"


WITHOUT_NAMES = "".join(f"word{i} NOUN\nruns VERB\n\n" for i in range(40))


@pytest.mark.parametrize(
    ("content", "task", "message"),
    [
        ("", "tags", "holds 0 sentences, expected at least 30"),
        ("a\tX\n\n" * 40, "tags", "has a single tag, 'X'"),
        ("a\tX\nb\n\n" * 40, "tags", "line 2: got 'b', expected a word and its tag"),
        ("a\tX\n\t\tY\n\n" * 40, "tags", "line 2: got "),
        ("a X\nb Y\n" * 200, "tags", "put an empty line after each sentence"),
        ("a X\nb Y\n\n" * 40, "tags", "too few different sentences"),
        (WITHOUT_NAMES, "entities", "has no tag such as B-person"),
        (b"caf\xe9 X\n", "tags", "is not UTF-8"),
    ],
)
def test_a_file_that_can_not_be_read_is_one_line(
    content, task, message, tmp_path, capsys
):
    path = tmp_path / "a.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SystemExit) as stop:
        load_sentences(str(path), task, 8)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_wnut17_is_prepared_from_files_that_were_fetched_by_hand(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    from cookbook.data.tagged.wnut17 import FILES, Wnut17

    folder = tmp_path / "manual" / "wnut17"
    folder.mkdir(parents=True)
    for file, _ in FILES.values():
        text = "Anna\tB-person\nBerg\tI-person\n\n#x\tO\n\t\nlast\tO\n"
        (folder / file).write_bytes(gzip.compress(text.encode()))
    builder = Wnut17(data_dir=tmp_path / "data")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=tmp_path / "manual")
    )
    found = list(tfds.as_numpy(builder.as_dataset(split="dev")))
    names = builder.info.features["ner"].feature.names
    sentences = {
        b" ".join(row["tokens"]).decode(): [names[i] for i in row["ner"]]
        for row in found
    }
    assert sentences == {
        "Anna Berg": ["B-person", "I-person"],
        "#x": ["O"],
        "last": ["O"],
    }


# The report


def test_the_figures_of_right_tags_are_1_and_rare_words_count_apart():
    _, y = DATA.test
    assert {*tagging_figures(y, DATA).values()} == {1.0}
    (words, _), _ = DATA.test
    wrong = np.where(words == UNKNOWN, 0, y)
    figures = tagging_figures(wrong, DATA)
    share = (words[words > 0] == UNKNOWN).mean()
    assert figures["test accuracy"] == pytest.approx(1 - share)
    assert figures["accuracy of words that training has once or never"] == 0


def test_names_are_measured_by_whole_spans():
    _, y = NAMES.test
    figures = tagging_figures(y, NAMES)
    assert figures["test span F1"] == figures["precision"] == figures["recall"] == 1
    begins = [i for i, tag in enumerate(NAMES.tags) if tag.startswith("B-")]
    outside = NAMES.tags.index("O")
    persons = NAMES.tags.index("B-person")
    missed = np.where(y == persons, outside, y)  # an I-person is left of each name
    figures = tagging_figures(missed, NAMES)
    assert figures["names in the test part"] == np.isin(y, begins).sum()
    assert figures["recall"] < 1
    assert figures["test span F1"] < 1


def test_the_plain_method_gives_each_word_its_most_frequent_tag():
    train = [(["a", "run", "run"], ["DET", "NOUN", "NOUN"])] * 2
    train += [(["run"], ["VERB"]), (["once"], ["ADV"])]
    test = [(["a", "run", "once", "new"], ["DET", "VERB", "ADV", "ADJ"])]
    parts = {"train": train, "validation": train, "test": test}
    data = tagged_sentences("toy", parts, letters=4, asked="toy")
    found = [data.tags[i] for i in most_frequent_tags(data)[0] if i]
    assert found == ["DET", "NOUN", "ADV", "ADV"]


@pytest.mark.parametrize("crf", [True, False])
def test_tags_of_batches_are_those_of_each_sentence_alone(crf):
    model = untrained_tagger(DATA, crf=crf)
    (words, characters), y = DATA.test
    found = best_tags(model, DATA, 16)
    assert found.shape == y.shape
    assert (found[words == 0] == 0).all()
    for row in (0, 50, 99):
        T = (words[row] > 0).sum()
        x = [words[row : row + 1, :T], characters[row : row + 1, :T]]
        answers = np.array(model(x))
        alone = viterbi(answers) if crf else answers.argmax(-1)
        np.testing.assert_array_equal(found[row, :T], np.array(alone)[0])


def test_numpy_finds_the_viterbi_path():
    layer = CRF()
    x = array(3, 6, 4)
    layer.build(x.shape)
    layer.set_weights([array(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    psi = np.array(layer(x))
    for row, path in zip(psi, np.array(viterbi(psi))):
        assert best_path(row) == path.tolist()
    assert best_path(psi[0, :1]) == np.array(viterbi(psi[:1, :1]))[0].tolist()
