"""The command predict: files, folders, tables, texts and stdin; good and broken."""

import io
import json
import types

import pytest
from PIL import Image

from cookbook import load_run
from small_runs import predicted, two_classifiers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """runs/ with a classifier of images and one of texts."""
    folder = tmp_path_factory.mktemp("runs")
    two_classifiers(folder)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """A folder with a dark and a bright picture, in folders with odd names."""
    for name, value in (("é 1/dark.png", 0), ("é 1/x/bright.PNG", 255)):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 7), value).save(path)
    return tmp_path / "pictures"


def test_a_folder_of_pictures_is_answered(pictures, folder, monkeypatch, capsys):
    rows, _ = predicted(monkeypatch, capsys, folder, "pictures", pictures)
    assert [row["class"] for row in rows] == ["cat", r"a\x1b[31mb\nc"]
    assert rows[0]["input"].endswith("é 1/dark.png")
    assert float(rows[0]["probability"]) + float(rows[0]["probability_2"]) == (
        pytest.approx(1, abs=1e-5)
    )


def test_good_inputs_are_answered_beside_broken_ones(
    pictures, folder, monkeypatch, capsys
):
    (pictures / "broken.png").write_bytes(b"\x89PNG")
    rows, err = predicted(
        monkeypatch, capsys, folder, "pictures", pictures, "no.png", status=2
    )
    assert [bool(row["error"]) for row in rows] == [True, False, False, True]
    assert "can't be read as a picture" in rows[0]["error"]
    assert err == "error: 2 of 4 inputs have no answer: `error` says why\n"


def test_texts_come_from_arguments_files_tables_and_stdin(
    folder, monkeypatch, capsys, tmp_path
):
    (tmp_path / "one.txt").write_text("a good\nfilm", "utf-8")
    (tmp_path / "t.csv").write_text('id;opinion\n1;"bad; really\n""bad"""\n2;good\n')
    (tmp_path / "bad.csv").write_text("a,b\n1\n")
    (tmp_path / "empty.csv").write_text("text,label\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("good\r\n\nbad film\n"))
    words = "bad", tmp_path / "one.txt", tmp_path / "t.csv", "-", "\U0001f600", "no.txt"
    words += tmp_path / "bad.csv", "", tmp_path / "empty.csv"
    rows, _ = predicted(monkeypatch, capsys, folder, "texts", *words, status=2)
    found = [row["class"] or row["error"][:20] for row in rows]
    assert found[:6] == ["neg", "pos", "neg", "pos", "pos", "neg"]
    assert found[6:8] == ["it holds no word", "there is no such fil"]
    assert "line 2" in rows[8]["error"]
    assert rows[9] == dict.fromkeys(rows[9], "") | {"error": "it is empty"}
    assert rows[10]["error"] == "the table has no row below its header"
    assert rows[2]["input"] == 'bad; really\n"bad"'


def test_inputs_may_stand_on_both_sides_of_a_flag(folder, monkeypatch, capsys):
    words = "texts", "bad", "--format", "csv", "good", "-"
    monkeypatch.setattr("sys.stdin", io.StringIO("bad film\n"))
    rows, _ = predicted(monkeypatch, capsys, folder, *words)
    assert [row["input"] for row in rows] == ["bad", "good", "bad film"]
    words = "texts", "--colour", "good"
    _, err = predicted(monkeypatch, capsys, folder, *words, status=2)
    assert err == "error: predict got --colour, which it does not know\n"


def test_texts_of_unknown_words_get_one_note(folder, monkeypatch, capsys):
    words = "texts", "\u65e5\u672c", "odd words", "good odd", "--batch-size", "1"
    rows, err = predicted(monkeypatch, capsys, folder, *words)
    assert all(row["class"] for row in rows)
    assert err == (
        "note: the model knows nothing of 2 of 3 inputs, such as '\u65e5\u672c': its "
        "answers to them mean nothing\n"
    )


def test_a_column_can_be_named(folder, monkeypatch, capsys, tmp_path):
    (tmp_path / "t.csv").write_text("text,title\nbad bad,good\n")
    words = "texts", tmp_path / "t.csv", "--column"
    rows, _ = predicted(monkeypatch, capsys, folder, *words, "title")
    assert rows[0]["class"] == "pos"
    rows, _ = predicted(monkeypatch, capsys, folder, *words, "none", status=2)
    assert "--column got 'none'" in rows[0]["error"]


def test_json_lines_go_to_a_file_in_batches(folder, monkeypatch, capsys, tmp_path):
    out = tmp_path / "out.jsonl"
    words = ["good", "bad", "good film", "bad film", "good good"]
    flags = "--out", out, "--batch-size", 2
    predicted(monkeypatch, capsys, folder, "texts", *words, *flags)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["class"] for row in rows] == ["pos", "neg", "pos", "neg", "pos"]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["texts"], "predict got no INPUT"),
        (["nowhere", "x"], "there is no run and no recipe nowhere"),
        (["texts", "x", "--batch-size", "0"], "--batch-size got 0"),
        (["texts", "x", "--out", "."], "which is a folder"),
        (["texts", "x", "--out", "no/where.csv"], "there is no folder no"),
        (["texts", "x.csv", "--out", "x.csv"], "which is an input"),
    ],
)
def test_a_mistake_in_the_command_is_one_line(
    words, message, folder, monkeypatch, capsys
):
    _, err = predicted(monkeypatch, capsys, folder, *words, status=2)
    (line,) = err.splitlines()
    assert message in line


def test_a_terminal_gets_no_codes(folder, monkeypatch):
    from cookbook.answers.predict import row_writer

    screen = io.StringIO()
    screen.isatty = lambda: True
    arguments = types.SimpleNamespace(format="csv", out=None)
    write = row_writer(arguments, load_run("texts", folder), screen)
    write({"input": "\x1b[31mred"})
    assert "\x1b" not in screen.getvalue()
