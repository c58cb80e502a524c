"""Trained taggers: exports and answers, what they refuse, and the recipe's settings."""

import importlib
import json
import re

import pytest

from cookbook.answers.classifiers import SentenceTagger, TaggedText
from cookbook.command_line import parse
from cookbook.data.tagged.generated import generated_tags
from cookbook.data.tagged.sentences import tagged_sentences
from cookbook.demo.texts import words_with_tags
from cookbook.errors import Mistake
from cookbook.exports.portable.classifiers import TaggerModel
from cookbook.trained.description import describe
from recipes import english_tagging_crf
from tagging import untrained_tagger

DATA = tagged_sentences("toy", generated_tags(), letters=6, asked="toy")


def tagger(model):
    description = describe(model, DATA, "english_tagging_crf")
    return SentenceTagger("a_run", description, model)


@pytest.mark.parametrize("crf", [True, False])
def test_an_exported_tagger_answers_as_predict_does(crf):
    run = tagger(untrained_tagger(DATA, crf=crf))
    texts = ["They can't watch the Barkness!", "visit " * 20, "\u6587 xyz"]

    def network(words, characters):
        return run.model.predict_on_batch([words, characters])

    exported = TaggerModel(network, run.description.settings)
    for mine, theirs in zip(exported.predict(texts), run.predict(texts), strict=True):
        assert mine == list(zip(theirs.words, theirs.tags))


def test_an_answer_reads_as_words_with_tags():
    answer = TaggedText(("The", "end"), ("DET", "NOUN"))
    assert str(answer) == "The/DET end/NOUN"
    run = tagger(untrained_tagger(DATA))
    assert run.fields(answer) == {"tags": "The/DET end/NOUN"}
    shown = words_with_tags(run, "They watch it.")
    assert [word for word, _ in shown] == [
        "They",
        " ",
        "watch",
        " ",
        "it",
        " ",
        ".",
        " ",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no word"), ("  ", "holds no word"), ("a " * 1001, "1001 words")],
)
def test_a_text_that_is_no_sentence_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        tagger(untrained_tagger(DATA)).predict([text])


def test_a_model_of_other_tags_is_refused():
    description = describe(untrained_tagger(DATA), DATA, "r")
    description.settings["tags"].append("X")
    with pytest.raises(Mistake, match="does not fit its description"):
        SentenceTagger("a_run", description, untrained_tagger(DATA))


def test_a_sentence_whose_characters_are_all_new_is_not_known():
    run = tagger(untrained_tagger(DATA))
    assert run.knows("watch")
    assert not run.knows("\u6587\u5b57")


def run_recipe(folder, *flags):
    recipe = importlib.import_module("recipes.english_tagging_crf")
    words = ["--quick", "--run-dir", str(folder), *flags]
    return recipe.main(parse(recipe.Config, words))


@pytest.mark.slow
def test_names_are_learned_too_and_a_typed_sentence_is_answered(tmp_path, capsys):
    run = run_recipe(tmp_path, "--task", "entities")
    assert run.figures["test span F1"] > 0.8
    plain = run.figures["span F1 of the most frequent tags"]
    assert plain < run.figures["test span F1"]
    capsys.readouterr()
    english_tagging_crf.main(
        english_tagging_crf.Config(run_dir=tmp_path, predict="Anna met nobody.")
    )
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert re.fullmatch(r"Anna/\S+ met/\S+ nobody/\S+ \./\S+", line)
    files = {path.name for path in run.folder.iterdir()}
    assert {"path.png", "transitions.png", "confusion.png", "mistakes.txt"} <= files


@pytest.mark.slow
def test_without_the_crf_one_network_learns(tmp_path):
    run = run_recipe(tmp_path, "--no-crf", "--epochs", "1")
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert not [name for name in metrics if "without the CRF" in name]
    assert not (run.folder / "transitions.png").exists()
    assert not (run.folder / "without_crf").exists()
