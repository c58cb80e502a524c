"""Recorded words: their parts, strings that are joined from them, the plain method."""

import numpy as np
import pytest
from scipy.io import wavfile

from cookbook.data.batches import Batches, joined
from cookbook.data.sounds.digit_strings import (
    NOISE,
    PAUSE,
    ROOM,
    draw_strings,
    load_strings,
)
from cookbook.data.sounds.recordings import (
    RATE,
    Recording,
    in_parts,
    load_recordings,
    loudest_stretch,
    melodies,
)
from cookbook.data.sounds.spoken_words import load_sounds
from cookbook.reports.sounds.pictures import onsets
from cookbook.reports.sounds.stretches import (
    STRETCHES,
    logistic_regression,
    loud_stretches,
    mean_loudness,
)


def recordings(words="ab", speakers=("ann", "bob"), count=20):
    rng = np.random.default_rng(0)
    return [
        Recording(rng.uniform(-1, 1, 2000).astype("f"), word, speaker, number)
        for word in words
        for speaker in speakers
        for number in rng.permutation(count)
    ]


def test_the_lowest_numbers_of_each_word_and_speaker_are_the_test_part():
    parts = in_parts(recordings(count=50))
    numbers = {part: {r.number for r in found} for part, found in parts.items()}
    assert numbers["test"] == {*range(5)}  # as the authors of spoken_digit chose them
    assert numbers["validation"] == {*range(5, 10)}
    assert numbers["train"] == {*range(10, 50)}
    for found in parts.values():
        assert {(r.word, r.speaker) for r in found} == {
            (word, speaker) for word in "ab" for speaker in ("ann", "bob")
        }


def test_melodies_stand_for_digits_in_several_voices_and_keys():
    found = melodies()
    assert {r.word for r in found} == {*"0123456789"}
    assert len({r.speaker for r in found}) == 4
    lengths = {len(r.sound) for r in found}
    assert len(lengths) > 100
    assert all(np.abs(r.sound).max() == 1 for r in found)


def test_an_unheard_speaker_is_the_whole_test_part_and_in_no_other():
    data = load_sounds("melodies", unheard="alto")
    counts = [len(part[1]) for part in (data.train, data.validation, data.test)]
    assert counts == [3 * 160, 3 * 20, 200]
    singing = {r.sound.tobytes() for r in melodies() if r.speaker == "alto"}
    words = [
        {x[: np.flatnonzero(x)[-1] + 1].tobytes() for x in part[0]}
        for part in (data.train, data.validation, data.test)
    ]
    assert not singing & (words[0] | words[1])
    assert words[2] == singing


def test_a_speaker_who_is_not_there_gets_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        load_sounds("melodies", unheard="carl")
    assert stop.value.code == 2
    assert "--unheard got 'carl', expected one of alto, bass" in capsys.readouterr().err


def test_the_loudest_stretch_of_a_long_sound_is_kept():
    sound = np.zeros(1000, "f")
    sound[600:700] = 1
    assert loudest_stretch(sound, 100).all()
    assert len(loudest_stretch(sound, 2000)) == 1000


def test_a_folder_of_wav_files_is_a_data_set(tmp_path):
    t = np.arange(16000) / 16000
    for word, hertz in (("yes", 400), ("no", 800)):
        for number in range(4):
            tone = 20000 * np.sin(2 * np.pi * hertz * t)
            stereo = np.stack([tone, tone], 1).astype("int16")
            wavfile.write(tmp_path / f"{word}_ann_{number}.wav", 16000, stereo)
    (tmp_path / "notes.txt").write_text("mine")
    found = load_recordings(str(tmp_path))
    assert found.words == ("no", "yes")
    assert found.speakers == ("ann",)
    assert [len(found.parts[p]) for p in ("train", "validation", "test")] == [4, 2, 2]
    sound = found.parts["test"][0].sound
    assert len(sound) == RATE  # one second, resampled
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() in (400, 800)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "holds no such files"),
        (["yes.wav"], "holds no such files"),
        (["yes_ann_1.wav", "yes_ann_2.wav", "yes_ann_3.wav"], "files: 3, words: 1"),
        (["yes_ann_1.wav", "no_ann_1.wav"], "at least three times"),
        (["broken_ann_1.wav"], "can't be read"),
    ],
)
def test_a_folder_that_does_not_do_gets_one_line(names, says, tmp_path, capsys):
    for name in names:
        if name.startswith("broken"):
            (tmp_path / name).write_bytes(b"RIFF, but not more")
        else:
            wavfile.write(tmp_path / name, RATE, np.ones(3000, "int16"))
    with pytest.raises(SystemExit) as stop:
        load_recordings(f"{tmp_path}/")
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_strings_hold_the_words_of_one_speaker_where_the_spans_say():
    found = recordings()
    strings = draw_strings(found, "ab", count=200, longest=7, seed=1)
    speaker = np.array([r.speaker for r in found])
    word = np.array([1 + "ab".index(r.word) for r in found])
    for row in range(200):
        said = strings.spans[row, :, 1] > 0
        assert 3 <= said.sum() <= 7
        chosen = strings.chosen[row][said]
        assert len(set(speaker[chosen])) == 1
        assert (
            strings.labels[row] == np.where(said, word[strings.chosen[row]], 0)
        ).all()
        starts, ends = strings.spans[row][said].T
        pauses = (starts - np.insert(ends, 0, 0)[:-1]) / RATE
        assert pauses.min() >= PAUSE[0] - 1 / RATE
        assert pauses.max() <= PAUSE[1]
    assert len(np.unique(strings.labels.astype(bool).sum(1))) == 5


def test_the_noise_lies_below_the_words_by_the_decibels_of_the_string():
    strings = draw_strings(recordings(), "ab", count=20, longest=7, seed=2)
    sounds = strings[np.arange(20)]
    assert sounds.shape == (20, 7 * ROOM)
    assert sounds.dtype == "float32"
    assert np.allclose(np.abs(sounds).max(1), 1)
    for sound, spans, decibels in zip(sounds, strings.spans, strings.decibels):
        silence = sound[spans.max() :]
        words = np.concatenate([sound[a:b] for a, b in spans])
        ratio = 10 * np.log10(np.mean(words**2) / np.mean(silence**2))
        assert NOISE[0] <= decibels <= NOISE[1]
        assert ratio == pytest.approx(decibels, abs=0.5)


def test_strings_make_batches_and_sets_of_strings_can_be_joined():
    strings = draw_strings(recordings(), "ab", count=30, longest=7, seed=3)
    more = draw_strings(recordings("ba"), "ab", count=10, longest=7, seed=4)
    x, y = joined((strings, strings.labels), (more, more.labels))
    assert len(x) == len(y) == 40
    np.testing.assert_array_equal(x[[3, 35]], np.stack([strings[3:4][0], more[5:6][0]]))
    batch, labels = Batches(x, y, 8, seed=1)[2]
    assert batch.shape == (8, 7 * ROOM)
    assert labels.shape == (8, 7)


def test_the_parts_of_strings_share_no_recording():
    data = load_strings("melodies", count=50, longest=4, quick=True)
    assert [len(part[1]) for part in (data.train, data.validation, data.test)] == [
        50,
        50,
        100,
    ]
    parts = [data.train[0], data.validation[0], data.test[0]]
    words = [{sound.tobytes() for sound in part.sounds} for part in parts]
    assert not words[0] & words[1]
    assert not (words[0] | words[1]) & words[2]
    other = load_strings("melodies", count=50, longest=4, quick=True, seed=1)
    assert not np.array_equal(data.train[1], other.train[1])
    np.testing.assert_array_equal(data.test[1], other.test[1])


def test_a_long_recording_is_cut_so_that_strings_have_room():
    long = [Recording(np.ones(30_000, "f"), "a", "ann", 0)]
    for longest in (1, 3, 7):
        strings = draw_strings(long, "a", count=5, longest=longest, seed=0)
        assert strings.spans.max() <= ROOM * longest
        assert strings[:].shape == (5, ROOM * longest)


def test_the_plain_method_learns_words_from_their_mean_loudness():
    rng = np.random.default_rng(0)
    rising = np.tri(6, 20) * 3
    pictures = [
        picture + rng.normal(size=(6, 20)) for picture in [rising, rising[:, ::-1]] * 30
    ]
    labels = np.array([0, 1] * 30)
    assert mean_loudness(pictures).shape == (60, 6 * STRETCHES)
    answers = logistic_regression(pictures[:40], labels[:40])(pictures[40:])
    assert np.mean(answers == labels[40:]) > 0.95


def test_loud_stretches_are_found_between_silences():
    picture = np.full((5, 100), -1.0)
    for start, end in ((10, 30), (33, 40), (60, 80), (90, 93)):
        picture[:, start:end] = 1.0
    assert loud_stretches(picture) == [(10, 40), (60, 80)]


def test_a_word_begins_where_the_alignment_changes_to_it():
    assert onsets(np.array([0, 2, 2, 0, 2, 3, 3])).tolist() == [1, 4, 5]
    assert onsets(np.array([1, 1])).tolist() == [0]
