"""Links in Markdown lead to files and headings that exist; no generator is needed."""

import re

import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.site.links import FOREIGN, LINK, site_path

HOME = ROOT / "docs" / "site" / "home.md"  # whose links are those of the site
LISTS = {"playgrounds/index.md", "recipes/index.md", "llms.txt"}  # the build adds them
SOURCES = sorted(
    path
    for folder, pattern in (
        *((".", "*.md"), ("docs", "*.md"), ("docs/lessons", "*.md")),
        *(("docs/playgrounds", "*.md"), ("docs/notebooks", "*.md")),
    )
    for path in (ROOT / folder).glob(pattern)
)
CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
ELEMENT = re.compile(r"<[^>]*\b(?:src|href|id|name)=\"[^\"]*\"[^>]*>")
ATTRIBUTE = re.compile(r"\b(src|href|id|name)=\"([^\"]*)\"")

pytestmark = pytest.mark.one_backend


def links_of(text):
    """[(path, place)] of each link and each element that loads a file."""
    text = CODE.sub("", text)
    found = [(m["path"], (m["place"] or "")[1:]) for m in LINK.finditer(text)]
    found += [("", m[1]) for m in re.finditer(r"\]\(#([^)]+)\)", text)]
    for element in ELEMENT.findall(text):
        for name, value in ATTRIBUTE.findall(element):
            if name in ("src", "href"):
                path, _, place = value.partition("#")
                found.append((path, place))
    return [(path, place) for path, place in found if not FOREIGN.match(path)]


def places_of(path):
    """The anchors of a Markdown file: those of its headings, and its own."""
    text = CODE.sub(lambda code: code[0].strip("`"), path.read_text("utf-8"))
    anchors = {value for name, value in ATTRIBUTE.findall(text) if name == "id"}
    anchors |= {value for name, value in ATTRIBUTE.findall(text) if name == "name"}
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchors.add(re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", plain).strip()))
    return anchors


def broken_links(page):
    for path, place in links_of(page.read_text("utf-8")):
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{path}: no such file"
        elif place and target.suffix == ".md" and place not in places_of(target):
            yield f"{path}#{place}: no such heading"


@pytest.mark.parametrize(
    "page", SOURCES, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_lead_somewhere(page):
    assert not [*broken_links(page)]


def test_links_of_the_first_page_lead_somewhere():
    pictures = (ROOT / "docs" / "pictures").iterdir()
    files = [*SOURCES, *pictures, *(ROOT / "recipes").glob("*.py")]
    site = {site_path(path.relative_to(ROOT).as_posix()) for path in files}
    links = links_of(HOME.read_text("utf-8"))
    assert len(links) > 3
    assert not [path for path, _ in links if path not in site | LISTS]


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "there.md").write_text("# A *title*, with `code`\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-title-with-code) [c](lost.md) "
        '[d](there.md#lost) `[e](code.md)` <script src="lost.js"></script>'
    )
    assert [*broken_links(page)] == [
        "lost.md: no such file",
        "there.md#lost: no such heading",
        "lost.js: no such file",
    ]
