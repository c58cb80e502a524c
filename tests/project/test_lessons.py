"""The lessons: their code runs, their numbers were measured, and no part is missing."""

import contextlib
import io
import re
import textwrap

import keras
import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.pages.lessons import LESSONS, NUMBER, QUOTE, claims_of_lab, quoted
from cookbook.pages.results import without_bound

PAGES = sorted(LESSONS.glob("[0-9]*.md"))
PARTS = [
    "Formula and code",
    "The picture",
    "Measured here",
    "What did not hold",
    "Exercise",
    "Papers",
]
PICTURES = ROOT / "docs" / "pictures"
PLAYGROUNDS = ROOT / "docs" / "playgrounds"
# A block of code, and what it prints if a block of text follows
BLOCK = re.compile(
    r"^( *)```python\n(?P<code>.*?)^\1```\n"
    r"(?:\s*(?:</div>\s*)?^\1```text\n(?P<printed>.*?)^\1```\n)?",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)[^)]*\)")
ADDRESS = re.compile(r"<(https?://[^>]+)>")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
pytestmark = pytest.mark.one_backend


def parts_of(page):
    """{heading: text below it} of a lesson."""
    _, *pieces = re.split(r"^## (.+)\n", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[::2], pieces[1::2]))


def run_blocks(text):
    """[(what each block of code prints, what the page says that it prints)]"""
    found = []
    names = {"__name__": "lesson"}
    for block in BLOCK.finditer(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(textwrap.dedent(block["code"]), names)
        said = textwrap.dedent(block["printed"] or "")
        found.append((printed.getvalue(), said))
    return found


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="as the examples in docstrings"
)
@every_page
def test_the_code_of_a_lesson_prints_what_the_page_says(page):
    found = run_blocks(page.read_text("utf-8"))
    assert len(found) >= 3
    for printed, said in found:
        assert printed.rstrip() == said.rstrip()


@every_page
def test_a_lesson_has_all_parts(page):
    parts = parts_of(page)
    assert list(parts) == PARTS
    assert "$$" in parts["Formula and code"]
    assert "custom_layers" in parts["Formula and code"]
    assert '??? question "Answer"' in parts["Exercise"]
    for name in ("The picture", "Measured here", "What did not hold"):
        assert "../../recipes/" in parts[name], f"{name} names no recipe"


@every_page
def test_the_front_matter_has_the_title_and_the_place_of_the_page(page):
    number = int(page.stem.split("_")[0])
    _, matter, text = page.read_text("utf-8").split("---\n", 2)
    title, order = matter.strip().splitlines()
    assert order == f"order: {number}"
    assert text.startswith(f"\n# {title.removeprefix('title: ')}\n")


@every_page
def test_the_problem_is_told_in_two_or_three_sentences(page):
    problem = page.read_text("utf-8").split("\n# ")[1].split("## ")[0]
    _, told = problem.split("\n", 1)
    assert 2 <= len(re.findall(r"[.?](\s|$)", told)) <= 3


@every_page
def test_numbers_of_recipes_were_measured(page):
    claims = claims_of_lab()
    quotes = list(QUOTE.finditer(page.read_text("utf-8")))
    for quote in quotes:
        said, recipe = quote["said"], quote["recipe"]
        assert said == quoted(said, recipe, claims), (
            f"{recipe} has measured another number: python -m cookbook index"
        )
    assert len(quotes) >= 3


@every_page
def test_no_part_of_a_lesson_says_the_same_twice(page):
    for name, text in parts_of(page).items():
        lines = [line for line in text.splitlines() if line.startswith("- ")]
        assert len(lines) == len(set(lines)), f"{name} repeats a line"


@every_page
def test_every_item_among_the_measurements_quotes_a_recipe(page):
    parts = parts_of(page)
    for name in ("Measured here", "What did not hold"):
        for line in parts[name].splitlines():
            if line.startswith("- "):
                assert QUOTE.match(line), line
            else:
                assert not re.search(r"\d ?%", line), line


@pytest.mark.parametrize("name", [*(page.name for page in PAGES), "index.md"])
def test_links_and_pictures_exist(name):
    page = LESSONS / name
    for target in LINK.findall(page.read_text("utf-8")):
        path = (page.parent / target).resolve()
        if path.parent != PLAYGROUNDS or PLAYGROUNDS.is_dir():
            assert path.is_file(), target
        if path.parent == PICTURES:
            assert path.stat().st_size < 100_000, f"{target} is too large for a page"


@every_page
def test_papers_are_those_of_the_components_and_recipes(page):
    sources = [
        path.read_text("utf-8")
        for folder in ("custom_layers", "recipes")
        for path in (ROOT / folder).rglob("*.py")
    ]
    everything = "\n".join(sources)
    items = parts_of(page)["Papers"].strip().split("\n- ")
    for item in items:
        (address,) = ADDRESS.findall(item)
        assert address in everything, address
        assert re.search(r", (19|20)\d\d\b", item), f"no year: {item}"


def test_the_reading_order_names_every_lesson_in_its_place():
    text = (LESSONS / "index.md").read_text("utf-8")
    first, _ = text.split("## Five shorter ways")
    named = re.findall(r"\((\d\d_\w+\.md)\)", first)
    assert named == [page.name for page in PAGES]


@pytest.mark.parametrize(
    ("sentence", "bare"),
    [
        ("It learns (at least 30 %)", "It learns"),
        ("It is slow (86; at most 161)", "It is slow (86)"),
        ("It gains (-1.4 points; at most 5 points)", "It gains (-1.4 points)"),
        ("It has no bound (86)", "It has no bound (86)"),
    ],
)
def test_a_quoted_claim_has_no_bound(sentence, bare):
    assert without_bound(sentence) == bare


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Haste kills # % of the units", "Haste kills 51.6 % of the units"),
        ("Haste kills 7 % of the units", "Haste kills 51.6 % of the units"),
        ("Patience kills # % of the units", None),
        ("It takes # steps", "It takes 1,000 steps"),
        ("The distance is # at most", "The distance is -3.5e-15 at most"),
        ("With 3 units, 98 % are right", "With 3 units, 99 % are right"),
        ("With 2 units, # % are right", "With 2 units, 78 % are right"),
        ("`mnist_cnn --seed 7` reaches #", None),
    ],
)
def test_a_claim_is_found_by_its_words(said, found):
    claims = [
        "Haste kills 51.6 % of the units",
        "It takes 1,000 steps",
        "The distance is -3.5e-15 at most",
        "With 0 units, 50.2 % are right",
        "With 2 units, 78 % are right",
        "With 3 units, 99 % are right",
    ]
    assert quoted(said, "some_recipe", {"some_recipe": claims}) == found


def test_numbers_are_recognised_whole():
    text = "from -1.5e-07 to 1,234,567.5, then 22."
    assert NUMBER.sub("#", text) == "from # to #, then #."
