"""Runs that listen: the commands predict and evaluate for WAV files, and exports."""

import argparse

import keras
import numpy as np
import pytest
from keras import ops
from scipy.io import wavfile

from cookbook import load_run
from cookbook.data.sounds.digit_strings import Strings
from cookbook.data.sounds.recordings import RATE
from cookbook.data.sounds.spoken_words import Sounds
from cookbook.demo.series import heard
from cookbook.errors import Mistake
from cookbook.exports.command import export_run
from exported import run_readme
from small_runs import finished_run, part, predicted, run_command

SAMPLES = 1024
LONG = 16 * SAMPLES  # of the strings
FRAMES = 8


def loudness(sound):
    """The mean square of each of FRAMES equal stretches, (B, FRAMES)."""
    frames = keras.layers.Reshape((FRAMES, -1))(sound)
    return ops.mean(frames * frames, axis=-1)


def word_model():
    """It says "early" where the first half of a sound is louder, else "late"."""
    sound = keras.Input((SAMPLES,))
    halves = keras.layers.Reshape((2, -1))(loudness(sound))
    return keras.Model(sound, 9 * ops.mean(halves, axis=-1))


def string_model():
    """It says "beep" for each loud stretch."""
    sound = keras.Input((LONG,))
    e = ops.expand_dims(loudness(sound), -1)
    return keras.Model(sound, ops.concatenate([0.1 + 0 * e, e], axis=-1) * 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """runs/ with a classifier of words and a model that writes down what it hears."""
    folder = tmp_path_factory.mktemp("runs")
    x, y = np.zeros((2, SAMPLES), "f"), np.array([0, 1])
    facts = {"name": "d", "asked": "d", "rate": RATE}
    words = Sounds(classes=("early", "late"), **facts, **part(x, y))
    finished_run("words", folder, word_model(), words)
    strings = Strings(classes=("beep",), samples=LONG, spans={}, **facts, **part(x, y))
    finished_run("strings", folder, string_model(), strings)
    return folder


def burst(*loud, samples=SAMPLES):
    """A sound that is loud in these of FRAMES stretches."""
    sound = np.zeros((FRAMES, samples // FRAMES), "float32")
    sound[[*loud]] = np.resize([1.0, -1.0], sound.shape[1])
    return sound.ravel()


@pytest.fixture
def files(tmp_path):
    """Recordings of both words, and one that is no sound."""
    for name, frames in {
        "early_ann_0": [0, 1],
        "early_bob_1": [2],
        "late_ann_0": [7],
        "late_bob_1": [0],
    }.items():
        sound = (20_000 * burst(*frames)).astype("int16")
        wavfile.write(tmp_path / f"{name}.wav", RATE, sound)
    return tmp_path


def test_wav_files_get_a_row_each(folder, files, monkeypatch, capsys):
    (files / "broken.wav").write_bytes(b"RIFF, but not more")
    (files / "notes.txt").write_text("mine")
    words = "words", files, files / "none.wav"
    rows, err = predicted(monkeypatch, capsys, folder, *words, status=2)
    found = [(row["input"].split("/")[-1], row["class"]) for row in rows]
    assert found == [
        ("broken.wav", ""),
        ("early_ann_0.wav", "early"),
        ("early_bob_1.wav", "early"),
        ("late_ann_0.wav", "late"),
        ("late_bob_1.wav", "early"),
        ("none.wav", ""),
    ]
    assert "can't be read" in rows[0]["error"]
    assert rows[-1]["error"] == "there is no such file or folder"
    assert "2 of 6 inputs have no answer" in err


def test_a_folder_of_recordings_is_evaluated(folder, files, monkeypatch, capsys):
    words = "evaluate", "words", "--data", f"{files}/"
    out, _ = run_command(monkeypatch, capsys, folder, *words)
    assert "accuracy 0.7500 (3 of 4)" in out
    (files / "late_bob_1.wav").rename(files / "never_bob_1.wav")
    _, err = run_command(monkeypatch, capsys, folder, *words, status=2)
    (line,) = err.splitlines()
    assert "has the class 'never', which" in line


def test_models_that_write_down_words_are_not_evaluated(folder, monkeypatch, capsys):
    words = "evaluate", "strings", "--data", "melodies"
    _, err = run_command(monkeypatch, capsys, folder, *words, status=2)
    assert "evaluate takes classifiers" in err


def test_words_are_written_down_with_spaces(folder, tmp_path, monkeypatch, capsys):
    run = load_run("strings", folder)
    assert run.predict(
        [burst(1, 4, 5, samples=LONG), burst(0, 2, 4, 6, samples=LONG)]
    ) == [
        "beep beep",
        "beep beep beep beep",
    ]
    assert run.predict([]) == []
    with pytest.raises(ValueError, match=r"lasts 4\.1 s, expected at most 2\.0: cut"):
        run.predict([burst(1, samples=2 * LONG)])
    wavfile.write(tmp_path / "a.wav", RATE, burst(3, samples=LONG))
    (row,), _ = predicted(monkeypatch, capsys, folder, "strings", tmp_path / "a.wav")
    assert row["words"] == "beep"


def test_a_long_sound_is_cut_to_its_loudest_part_by_a_classifier(folder):
    run = load_run("words", folder)
    sound = np.concatenate([np.zeros(5000), burst(0), np.zeros(5000)])
    (answer,) = run.predict([sound])
    assert answer.label in ("early", "late")
    assert run.probabilities([burst(0), burst(7)]).argmax(-1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("a.wav", "got a text, expected a list of arrays"),
        ([np.ones((3, 2))], r"the shape \(3, 2\), expected \(samples,\)"),
        ([np.ones(0)], r"the shape \(0,\)"),
    ],
)
def test_what_is_no_list_of_sounds_is_refused(inputs, message, folder):
    for recipe in ("words", "strings"):
        with pytest.raises(Mistake, match=message):
            load_run(recipe, folder).predict(inputs)


def test_the_demo_hears_a_recording(folder, files):
    run = load_run("words", folder)
    text = heard(run, str(files / "late_ann_0.wav"))
    assert text.startswith("class: late\nprobability: 0.")
    with pytest.raises(ValueError, match="record one, or upload"):
        heard(run, None)


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "said"), [("words", "early"), ("strings", "beep")])
def test_an_export_reads_wav_files_without_the_cookbook(
    recipe, said, folder, tmp_path, capsys
):
    """The README's sound.wav is a tone from its first sample to its last."""
    export_run(
        argparse.Namespace(
            run=recipe, run_dir=folder, format="savedmodel", to=tmp_path / "out"
        )
    )
    assert "scipy" in (tmp_path / "out" / "README.md").read_text()
    assert said in run_readme(tmp_path / "out")
