"""Parts of a recipe's page: networks drawn from source, claims, things to try."""

import ast
import json
import re

import pytest

from cookbook.pages import tries as kept_tries
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.pages.lessons import claims_of_lab
from cookbook.pages.results import collect, headline_figure
from cookbook.site.docstrings.parts import as_typed
from cookbook.site.recipe_pages import recipe_pages
from cookbook.site.recipe_parts.claims import claims_section
from cookbook.site.recipe_parts.networks import drawings
from cookbook.site.recipe_parts.pictures import pictures_of
from cookbook.site.recipe_parts.tries import _as_code, tries_section

pytestmark = pytest.mark.one_backend

# {what it is: (source, the columns of boxes)}
NETWORKS = {
    "a row of layers": (
        """
        model = keras.Sequential([keras.Input((3,)), Dense(4), *block(2)])
        """,
        [["`keras.Input((3,))`", "`Dense(4)`", "`block(2)`"]],
    ),
    "a row with a name": (
        """
        layers = [
            keras.Input((3,)),
            Dense(4),  # 4
        ]
        return keras.Sequential(layers)
        """,
        [["`keras.Input((3,))`", "`Dense(4)` 4"]],
    ),
    "layers that are added": (
        """
        model = keras.Sequential([keras.Input((3,))])
        for _ in range(2):
            model.add(Dense(4))
        model.add(Dense(1))
        model.compile(loss="mse")
        x = model.predict(y)
        """,
        [
            [
                "`keras.Input((3,))`",
                "`for _ in range(2)`",
                "    `Dense(4)`",
                "`Dense(1)` gives `model`",
            ]
        ],
    ),
    "a layer that is used twice": (
        """
        table = Embedding(5, 2)
        source = keras.Input((None,))
        x = table(source)
        target = keras.Input((None,))
        y = Attention()(table(target), x)
        model = keras.Model([source, target], Dense(3)(y))
        """,
        [
            ["`keras.Input((None,))`", "`Embedding(5, 2)` gives `x`"],
            [
                "`keras.Input((None,))`",
                "`Embedding(5, 2)`",
                "`Attention()` with `x`",
                "`Dense(3)`",
            ],
        ],
    ),
    "a way around a layer": (
        """
        h = images = keras.Input((8,))
        x = Dense(8)(h)  # H
        x = h + x
        return keras.Model(images, x)
        """,
        [
            [
                "`keras.Input((8,))` gives `images`",
                "`Dense(8)` (H)",
                "`images + x` gives `x`",
            ]
        ],
    ),
}


@pytest.mark.parametrize("what", NETWORKS)
def test_a_network_is_drawn_from_its_source(what):
    source, expected = NETWORKS[what]
    body = source.rstrip().replace("\n        ", "\n    ")
    found = []
    for drawing in drawings(f"def build():{body}\n"):
        boxes = re.findall(r"^( *)1\.  (.*)$", drawing, re.MULTILINE)
        found.append([space + text for space, text in boxes])
    assert found == expected


@pytest.fixture(scope="module")
def pages():
    """{recipe: the text of its page}"""
    return {page.title: page.text for page in recipe_pages()}


def test_every_network_of_a_recipe_is_drawn(pages):
    for entry in recipes():
        text = (ROOT / entry.file).read_text(encoding="utf-8")
        if re.search(r"keras\.(Model|Sequential)\(", text):
            assert '<div class="network"' in pages[entry.name], entry.name


def test_each_claim_of_the_lab_has_its_number_and_its_bound(pages):
    for recipe, sentences in claims_of_lab().items():
        rows = [line for line in pages[recipe].splitlines() if line.startswith("| ")]
        for sentence in sentences:
            (row,) = [row for row in rows if f"| {as_typed(sentence)} |" in row]
            assert re.search(r"\| (at (least|most) |see the code)", row), row


def test_a_bound_is_that_of_the_nearest_text():
    source = """
text = "rises"
a = Claim(f"It {text} by {{}}", x, at_least=2)
text = "falls"
b = Claim(f"It {text} by {{percent}}", x, at_most=0.5)
c = Claim("It stays", x, at_most=limit)
"""
    *_, table = claims_section("no_recipe", ast.parse(source))
    assert table.splitlines()[2:] == [
        "| It rises by … | at least 2 |",
        "| It falls by … | at most 50 % |",
        "| It stays | at most `limit` |",
    ]


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """A file of one thing to try, and the folder of a run that has tried it."""
    path = tmp_path / "tries.json"
    path.write_text(json.dumps({"mnist_cnn --filters 8": {"try": "Halve them"}}))
    monkeypatch.setattr(kept_tries, "TRIES", path)
    folder = tmp_path / "run"
    folder.mkdir()
    metrics = {
        "test accuracy": 0.9876,
        "parameters": 7,
        "data": "mnist",
        "cpu_seconds": 4.0,
        "seed": 0,
        "machine": "a machine",
        "command": "python recipes/mnist_cnn.py --seed 0 --filters 8",
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return path, folder


def test_what_came_of_a_try_is_shown_beside_what_was_before(tried):
    path, folder = tried
    before = "\n".join(tries_section("mnist_cnn"))
    assert "--filters 8" not in before
    collect([folder])
    kept = json.loads(path.read_text())["mnist_cnn --filters 8"]
    assert kept["try"] == "Halve them"
    (run,) = kept["runs"]
    assert "parameters" not in run
    *_, table = tries_section("mnist_cnn")
    row = table.splitlines()[-1]
    assert row.startswith(
        "| `--filters 8` | Halve them | test accuracy 98.76 % | test "
    )


def test_what_became_of_claims_is_shown_with_their_bounds(tried):
    path, folder = tried
    label = "xor_from_scratch --hidden 1"
    path.write_text(json.dumps({label: {"try": "Take one hidden unit"}}))
    claims = [
        {"text": "It errs by 3 % (at most 5 %)", "measured": 0.03, "holds": True},
        {"text": "It takes 99 steps (at most 9)", "measured": 99.0, "holds": False},
    ]
    metrics = {
        "claims": claims,
        "cpu_seconds": 4.0,
        "seed": 0,
        "machine": "a machine",
        "command": "python recipes/xor_from_scratch.py --hidden 1",
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    collect([folder])
    (run,) = json.loads(path.read_text())[label]["runs"]
    assert run["claims"][1] == {"text": claims[1]["text"], "holds": False}
    *_, table = tries_section("xor_from_scratch")
    assert table.splitlines()[-1] == (
        "| `--hidden 1` | Take one hidden unit | 1 of 2 claims hold. Out of bounds:"
        "<br>It takes 99 steps (at most 9) |"
    )


def test_figures_of_different_measures_are_not_compared():
    *_, table = tries_section("english_tagging_crf")
    (row,) = [line for line in table.splitlines() if "--task entities" in line]
    assert "span F1" in row
    assert row.endswith("|  |")


def test_every_recipe_has_a_picture_of_a_run_and_something_to_try():
    for entry in recipes():
        assert pictures_of(entry.name), entry.name
        assert tries_section(entry.name), entry.name


def test_flags_are_pieces_of_code_with_their_values():
    shown = _as_code("--hidden 1 2 --no-compare --shift 0.0")
    assert shown == "`--hidden 1 2` `--no-compare` `--shift 0.0`"


def test_rows_of_the_results_with_flags_are_things_to_try():
    *_, table = tries_section("shakespeare_rnn")
    assert "| `--cell lstm` | the next character of Shakespeare, LSTM |" in table


def test_tries_are_runs_of_what_they_name():
    for label, row in kept_tries.tries().items():
        name, flags = label.split(" ", 1)
        assert (ROOT / "recipes" / f"{name}.py").is_file()
        assert row["try"][0].isupper()
        for run in row.get("runs", ()):
            assert run["command"].startswith(f"python recipes/{name}.py")
            # A recipe may compare several values of a flag in one run.
            assert flags in run["command"] or row["without"]
            assert run.get("claims") or headline_figure([run])


def test_every_picture_of_a_run_is_told_in_words():
    """A picture of a new kind needs its words in SHOWN or in OWN."""
    for entry in recipes():
        for file, what in pictures_of(entry.name):
            name = file.rpartition("/")[2].partition(".")[0]
            words = name.removeprefix(entry.name).strip("_").replace("_", " ")
            assert what != words.capitalize(), file
