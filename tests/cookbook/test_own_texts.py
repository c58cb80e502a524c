"""Tables, text files and series as data: the right result, or one clear line."""

import numpy as np
import pytest

from cookbook.data.files.tables import read_table
from cookbook.data.sequences import load_series
from cookbook.data.text.characters import load_characters
from cookbook.data.text.reviews import load_reviews
from cookbook.data.text.translation import load_translations

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def written(path, content, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode(encoding)
    )
    return path


def refused(capsys, load, *arguments, **options):
    """The one line with which the program ends."""
    with pytest.raises(SystemExit) as stop:
        load(*arguments, **options)
    assert stop.value.code == 2
    errors = [x for x in capsys.readouterr().err.splitlines() if "error" in x]
    assert len(errors) == 1, errors
    return errors[0]


def reviews(path, **options):
    return load_reviews(str(path), "imdb_reviews", 100, 12, **options)


# Tables


def delimited(mark):
    rows = ["text", "label"], ['"good, very ""good""\nindeed"', "pos"], ["bad", "neg"]
    return "\n".join([*(mark.join(row) for row in rows), "", ""])


CSV = delimited(",")
LINES = r"""{"text": "good, very \"good\"\nindeed", "label": "pos"}

{"label": "neg", "text": "bad"}
"""


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("a.csv", CSV, "utf-8"),
        ("mark.csv", CSV, "utf-8-sig"),
        ("wide.csv", CSV, "utf-16"),
        ("semicolons.csv", delimited(";"), "utf-8"),
        ("tabs.TSV", delimited("\t"), "utf-8"),
        ("bars.csv", delimited("|"), "utf-8"),
        ("a.jsonl", LINES, "utf-8"),
    ],
)
def test_tables_of_every_kind_hold_the_same(name, content, encoding, tmp_path):
    table = read_table(written(tmp_path / name, content, encoding))
    assert table == {
        "text": ['good, very "good"\nindeed', "bad"],
        "label": ["pos", "neg"],
    }


def test_parquet_is_read_where_pyarrow_is_installed(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"text": ["good", None], "label": [1, 0]}
    parquet.write_table(arrow.table(columns), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table == {"text": ["good", ""], "label": ["1", "0"]}


def test_quotes_that_are_mere_characters_in_a_tsv_stay(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"so" he said\tpos\na "b\tneg\n')
    assert read_table(path)["text"] == ['"so" he said', 'a "b']


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty"),
        (
            "a.csv",
            b"text,label\na,b\ncaf\xe9,c\n",
            "line 3: the byte 0xe9 is not UTF-8",
        ),
        ("a.csv", 'text,label\na,b\n"c,d\n', "line 3: unexpected end of data"),
        ("a.csv", "text,label\na,b\nc,d,e\n", "line 3: 3 fields, expected 2"),
        ("a.csv", "text,label\na,b\nc\n", "line 3: 1 fields, expected 2"),
        ("a.csv", "text,text\na,b\n", "two columns named 'text'"),
        ("a.jsonl", '{"text": 1}\n{"text": ', "line 2: no JSON"),
        ("a.jsonl", "[1]\n", "line 1: a list, expected an object"),
        ("a.parquet", b"PAR1junk", "can't be read as Parquet"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(
    name, content, message, tmp_path, capsys
):
    path = written(tmp_path / name, content)
    assert message in refused(capsys, read_table, path)


# Labelled texts

ROWS = [
    (f"a {word} film, number {i}", word) for i in range(30) for word in ("good", "bad")
]


def table_of(path, header="review,mood", rows=ROWS):
    lines = [header, *(f'"{text}",{label}' for text, label in rows)]
    return written(path, "\n".join(lines))


def test_columns_are_guessed_and_parts_are_stratified(tmp_path, capsys):
    data = reviews(table_of(tmp_path / "my reviews.csv"))
    assert data.classes == ("bad", "good")
    assert data.card.counts["test"] == {"bad": 6, "good": 6}
    assert [len(y) for _, y in (data.train, data.validation, data.test)] == [44, 4, 12]
    assert "texts: 44 train" in capsys.readouterr().out
    for (x, y), name in ((data.train, "train"), (data.test, "test")):
        words = [data.vocabulary.spell(row)[1] for row in x]
        assert words == [data.classes[label] for label in y], name
    for text, label in zip(data.test_texts, data.test[1]):
        assert f"a {data.classes[label]} film" in text


def test_columns_can_be_named_and_must_be_there(tmp_path, capsys):
    rows = [
        (text, f"{label},{i % 3},{'long' * 20}") for i, (text, label) in enumerate(ROWS)
    ]
    path = table_of(tmp_path / "a.csv", "first,second,third,fourth", rows)
    assert reviews(path, columns=("first", "third")).classes == ("0", "1", "2")
    lacking = refused(capsys, reviews, path, columns=("first", "label"))
    assert "--label-column got 'label', but" in lacking
    assert "'first', 'second', 'third', 'fourth'" in lacking
    assert "name it with --label-column" in refused(capsys, reviews, path)
    lacking = refused(capsys, reviews, path, columns=("text", "third"))
    assert "'first', 'second', 'third', 'fourth'" in lacking
    alone = written(tmp_path / "b.csv", "text\na film\n")
    assert "expected a column of labels too" in refused(capsys, reviews, alone)


def test_tables_of_parts_are_respected(tmp_path):
    table_of(tmp_path / "train.csv")
    table_of(
        tmp_path / "test.csv", rows=[("x good film", "good"), ("x bad film", "bad")]
    )
    data = reviews(tmp_path)
    assert sorted(data.test_texts) == ["x bad film", "x good film"]


def test_a_folder_of_text_files_gives_labelled_texts(tmp_path):
    for i, (text, label) in enumerate(ROWS):
        written(tmp_path / "texts" / label / "inner" / f"{i}.txt", text)
    data = reviews(tmp_path / "texts")
    assert data.classes == ("bad", "good")
    assert len(data.test_texts) == 12


def test_rows_without_text_or_label_are_counted_and_left_out(tmp_path, capsys):
    data = reviews(
        table_of(tmp_path / "a.csv", rows=[*ROWS, ("lost", ""), (" ", "bad")])
    )
    assert sum(len(y) for _, y in (data.train, data.validation, data.test)) == 60
    assert "without a text or a label are left out: 2" in capsys.readouterr().err


def test_copies_of_a_text_stay_in_one_part(tmp_path):
    data = reviews(table_of(tmp_path / "a.csv", rows=[*ROWS, *ROWS]))
    known = {row.tobytes() for row in data.train[0]}
    others = [*data.validation[0], *data.test[0]]
    assert not any(row.tobytes() in known for row in others)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("review,mood", [(text, "good") for text, _ in ROWS], "labels"),
        ("text,label", [(text, "good") for text, _ in ROWS], "the one class 'good'"),
        ("text,label", [("a", "b")], "too few texts"),
        ("text,label", [("a", "")], "no row with both"),
        ("text,label", [(t, f"{i}") for i, (t, _) in enumerate(ROWS)], "no classes"),
        ("good film,bad", ROWS, "seems to lack a header"),
    ],
    ids=[
        "no label column",
        "one class",
        "two few",
        "no label",
        "too many",
        "headerless",
    ],
)
def test_a_table_that_can_not_teach_is_refused_with_one_line(
    header, rows, message, tmp_path, capsys
):
    path = table_of(tmp_path / "a.csv", header, rows)
    assert message in refused(capsys, reviews, path)


def test_other_files_are_refused_with_one_line(tmp_path, capsys):
    assert "is no table" in refused(
        capsys, reviews, written(tmp_path / "a.xlsx", b"PK")
    )
    assert "no such file" in refused(capsys, reviews, tmp_path / "nothing.csv")
    (tmp_path / "empty").mkdir()
    assert "make a sub-folder" in refused(capsys, reviews, tmp_path / "empty")
    written(tmp_path / "tables" / "mine.csv", "text,label\n")
    assert "give the path of one" in refused(capsys, reviews, tmp_path / "tables")


# Texts without labels


def test_a_text_file_is_cut_in_three_and_keeps_every_character(tmp_path):
    text = "".join(f"line {i} über\r\n" for i in range(300))
    path = written(tmp_path / "my novel.txt", text, "utf-8-sig")
    data = load_characters(str(path), "tiny_shakespeare", 16)
    assert data.alphabet == "\0" + "".join(sorted(set(text) - {"\r"}))
    assert sum(data.card.counts[part]["all"] for part in data.card.counts) == (
        len(text) - 300
    )
    assert data.opening in text.replace("\r", "")


def test_texts_that_can_not_teach_are_refused_with_one_line(tmp_path, capsys):
    def load(path):
        load_characters(str(path), "tiny_shakespeare", 16)

    assert "is empty" in refused(capsys, load, written(tmp_path / "a.txt", " \n"))
    zeros = written(tmp_path / "z.txt", b"\0" * 5000)
    assert "holds zero bytes" in refused(capsys, load, zeros)
    short = written(tmp_path / "b.txt", "short")
    assert "has 5 characters" in refused(capsys, load, short)
    longer = written(tmp_path / "d.txt", "a longer text " * 10)
    assert "--context got 16, expected less than 7" in refused(capsys, load, longer)
    assert "is not a file" in refused(capsys, load, tmp_path)
    latin = written(tmp_path / "c.txt", "é" * 999, "latin-1")
    assert "line 1: the byte 0xe9" in refused(capsys, load, latin)


PAIRS = [(f"le chat {i}", f"the cat {i}") for i in range(120)]


def translations(name):
    return load_translations(str(name), "multi30k", 60, 40)


def test_two_files_and_a_table_hold_the_same_pairs(tmp_path):
    french, english = zip(*PAIRS)
    first = written(tmp_path / "corpus.fr", "\n".join([*french, "", ""]))
    second = written(tmp_path / "corpus.en", "\n".join([*english, "lost"]))
    of_files = translations(f"{first},{second}")
    assert of_files.languages == ("fr", "en")
    assert "empty side are left out: 1" in of_files.card.notes[0]
    rows = ["\t".join([*pair, "a note"]) for pair in PAIRS]
    of_table = translations(written(tmp_path / "a.tsv", "\n".join(rows)))
    assert of_table.languages == ("source", "target")
    named = translations(written(tmp_path / "b.tsv", "\n".join(["fr\ten", *rows])))
    assert named.languages == ("fr", "en")
    assert of_files.sentences == of_table.sentences == named.sentences
    sources, targets = of_files.sentences["test"]
    assert len(sources) == 6
    assert [text.split()[-1] for text in sources] == [t.split()[-1] for t in targets]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.fr": "un\ndeux\n", "a.en": "one\n"}, "a line of the second must be"),
        ({"a.fr": "un\n", "a.en": "one\n"}, "holds 1 pairs of sentences, expected 100"),
        ({"a.tsv": "un\tone\ndeux two\n"}, "line 2: no tab"),
        ({"a.csv": "fr\nun\n"}, "has one column"),
        ({"a.txt": "un\n"}, "such as de.txt,en.txt"),
        ({"a.fr": "un\n", "a.en": "one\n", "a.de": "eins\n"}, "got 3 paths"),
    ],
)
def test_sentences_that_can_not_teach_are_refused(files, message, tmp_path, capsys):
    paths = [str(written(tmp_path / name, files[name])) for name in files]
    assert message in refused(capsys, translations, ",".join(paths))


# Series


def series(path, window=8, horizon=2):
    return load_series(str(path), window, horizon)


def test_a_table_of_numbers_becomes_a_series(tmp_path, capsys):
    lines = ["day;warm;wet;place;flag"]
    for i in range(200):
        warm = f"{np.sin(i) * 10:.4f}".replace(".", ",")
        wet = "" if i in (50, 51) else i % 7
        day = np.datetime64("2020-01-01") + i + (3 if i > 99 else 0)
        lines.append(f"{day};{warm};{wet};here;1")
    path = written(tmp_path / "my series.csv", "\n".join(lines), "utf-8-sig")
    data = series(path)
    assert data.columns == ("warm", "wet")
    x, y = data.train
    assert x.shape[1:] == (8, 2)
    assert y.shape[1:] == (4,)
    np.testing.assert_array_equal(y[0], x[2, -2:].reshape(-1))
    np.testing.assert_allclose(data.series[:140].mean(0), 0, atol=1e-9)
    wet = data.series[:, 1]
    np.testing.assert_allclose(np.diff(wet[49:53]), np.diff(wet[49:53])[0])
    errors = capsys.readouterr().err
    for part in (
        "missing values of 'wet': 2",
        "gaps in time: 1, the longest after 2020-04-09",
        "'place' is left out: 'here' in row 1 is no finite number",
        "'flag' is left out: its value never changes",
    ):
        assert part in errors


def test_rows_are_sorted_by_time_and_counters_are_no_series(tmp_path, capsys):
    days = [np.datetime64("2020-01-01") + i for i in range(150)]
    lines = [f"{day},{i * i}" for i, day in enumerate(days)]
    path = written(tmp_path / "a.csv", "\n".join(["when,v", *reversed(lines)]))
    assert (np.diff(series(path).series[:, 0]) > 0).all()
    assert "not in the order of time" in capsys.readouterr().err
    lines = [f"{i},{i % 5}" for i in range(150)]
    path = written(tmp_path / "pandas.csv", "\n".join([",v", *lines]))
    assert series(path).columns == ("v",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\nx,y\n", "no column of numbers"),
        ('day,v\n2020-01-01,"1,052.38"\n', "'v': '1,052.38' in row 1 is no finite"),
        ("day\n2020-01-01\n", "it has dates only"),
        ("v\n" + "1\n2\n" * 100 + "inf\n", "has 'inf' in row 201"),
        ("v\n" + "1\n" * 200, "whose value changes"),
        ("v\n" + "1\n2\n" * 100 + "three\n", "has 'three' in row 201"),
        ("v\n" + "1\n2\n" * 20, "expected at least 20"),
        ("v,w\n" + "1,\n2,\n" * 50 + "1,1\n", "lacks 100 of 101 values"),
    ],
)
def test_a_table_without_a_series_is_refused(content, message, tmp_path, capsys):
    path = written(tmp_path / "a.csv", content)
    assert message in refused(capsys, series, path)
