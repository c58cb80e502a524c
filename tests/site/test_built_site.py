"""The built site: links, pictures, plain pages; and how a browser shows all of it."""

import html.parser
import posixpath
import re
import urllib.parse

import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.site import build as builder
from site_visits import AXE, DESK, found_by_visits, new_page

pytestmark = pytest.mark.slow

SECONDS = 120  # of the processor, in which the site builds
# Pages of these kinds share a form: axe-core looks at so many of each.
SAMPLES = {"reference": 8, "lessons": 6, "recipes": 6, "guides": 5}


class Links(html.parser.HTMLParser):
    """Addresses in a page, its anchors, and its pictures without a description."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.undescribed = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        self.anchors |= {facts[name] for name in ("id", "name") if facts.get(name)}
        self.links += [facts[name] for name in ("href", "src") if facts.get(name)]
        if tag == "img" and not facts.get("alt"):
            self.undescribed.append(facts.get("src"))


def pages_of(folder):
    """{path: its text} of all pages."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.html"))
    }


def sample(names):
    """Every page with a form of its own, and a few of those that share a form."""
    chosen = [name for name in names if name.split("/")[0] not in SAMPLES]
    for part, count in SAMPLES.items():
        members = [name for name in names if name.startswith(f"{part}/")]
        step = max(1, len(members) // count)
        chosen += members[::step][:count]
    return chosen


def test_the_site_builds_in_time_and_without_a_warning(built):
    _, seconds = built
    log = (builder.WORK / "build.log").read_text(encoding="utf-8")
    assert not re.findall(r"(?i).*\b(?:warning|error)\b.*", log)
    assert seconds < SECONDS


def test_no_link_is_broken_and_no_picture_is_missing(built):
    folder, _ = built
    pages = {path: Links(text) for path, text in pages_of(folder).items()}
    broken = []
    for page, found in pages.items():
        for link in found.links:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc or page == "404.html":
                continue
            path = urllib.parse.unquote(address.path)
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
            target = page if not path else target
            if (folder / target).is_dir():
                target = posixpath.join(target, "index.html")
            if not (folder / target).is_file():
                broken.append(f"{page} -> {link}")
            elif address.fragment and target in pages:
                place = urllib.parse.unquote(address.fragment)
                if place not in pages[target].anchors and place != "__skip":
                    broken.append(f"{page} -> {link} (no such place)")
    assert not broken, "\n".join(broken[:50])


def test_every_picture_is_described(built):
    folder, _ = built
    wrong = [
        f"{page}: {source}"
        for page, text in pages_of(folder).items()
        for source in Links(text).undescribed
    ]
    assert not wrong, "\n".join(wrong)


def test_the_place_of_a_playground_has_an_id_of_its_own(built):
    """A heading of the same words would take what the script shows."""
    folder, _ = built
    for path in sorted((folder / "playgrounds").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'class="playground" id="([\w-]+)"', text):
            assert len(re.findall(rf'\bid="{name}"', text)) == 1, path.name


def test_every_page_exists_as_plain_markdown_that_is_listed(built):
    folder, _ = built
    listed = (folder / "llms.txt").read_text(encoding="utf-8")
    for page in pages_of(folder):
        if page != "404.html":
            path = page.removesuffix(".html") + ".md"
            text = (folder / path).read_text(encoding="utf-8")
            assert f"]({path})" in listed
            assert not re.search("^::: ", text, re.MULTILINE), path


def test_every_recipe_and_component_has_a_page(built):
    from cookbook.pages.catalogue import components, recipes
    from cookbook.site.reference_pages import place_of

    folder, _ = built
    paths = [f"recipes/{entry.name}.md" for entry in recipes()]
    paths += [place_of(entry) for entry in components()]
    lacking = [p for p in paths if not (folder / p).with_suffix(".html").is_file()]
    assert not lacking


@pytest.fixture(scope="module")
def visits(built, address, browser):
    """{page: what is wrong with it}: every page in a browser, a sample under axe."""
    if not AXE.is_file():
        pytest.skip("axe-core is missing: npm ci in docs/site")
    names = [*pages_of(built[0])]
    return found_by_visits(address, names, sample(names))


def test_every_page_loads_on_a_phone(visits):
    """No message, no request to elsewhere, no scrolling sideways, at most 300 kB."""
    wrong = [
        f"{page} {problem}"
        for page, problems in visits.items()
        for problem in problems
        if not problem.startswith("breaks")
    ]
    assert not wrong, "\n".join(wrong[:50])


def test_axe_finds_nothing(visits):
    """axe-core looks for what keeps people with disabilities from using a page."""
    wrong = [
        f"{page} {problem}"
        for page, problems in visits.items()
        for problem in problems
        if problem.startswith("breaks")
    ]
    assert not wrong, "\n".join(wrong[:50])


def test_the_sample_has_every_kind_of_page(built):
    names = [*pages_of(built[0])]
    chosen = sample(names)
    playgrounds = {name for name in names if name.startswith("playgrounds/")}
    assert {"index.html", "404.html", *playgrounds} <= {*chosen}
    for part in SAMPLES:
        assert sum(name.startswith(f"{part}/") for name in chosen) >= 5


def test_search_finds_a_component(built, address, browser):
    page = new_page(browser, viewport=DESK)
    page.goto(f"{address}/index.html", wait_until="networkidle")
    page.locator(".md-search__button").click()
    page.get_by_placeholder("Search").last.fill("LSTM")
    link = page.locator("a[href*='reference/layers/LSTM.html']").first
    link.wait_for()
    link.click()
    page.wait_for_url("**/reference/layers/LSTM.html*")
    page.close()


def test_the_keyboard_reaches_the_text_first(address, browser):
    page = new_page(browser, viewport=DESK)
    page.goto(f"{address}/recipes/mnist_cnn.html", wait_until="networkidle")
    page.keyboard.press("Tab")
    assert "md-skip" in page.evaluate("document.activeElement.className")
    page.close()


@pytest.mark.parametrize(("scheme", "shown"), [("light", "default"), ("dark", "slate")])
def test_colours_follow_the_system(address, browser, scheme, shown):
    page = new_page(browser, color_scheme=scheme)
    page.goto(f"{address}/index.html", wait_until="networkidle")
    assert page.locator("body").get_attribute("data-md-color-scheme") == shown
    page.close()


def test_formulas_are_typeset(address, browser):
    page = new_page(browser, viewport=DESK)
    page.goto(f"{address}/reference/optimizers/Adam.html", wait_until="networkidle")
    assert page.locator(".arithmatex .katex").count() >= 1
    page.close()


def test_the_output_of_somebody_else_is_not_replaced(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(SystemExit) as stop:
        builder.build(tmp_path)
    assert stop.value.code == 2
    assert "holds other files" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("PACKAGES", ("no_such_generator",), "pip install -r requirements-site.txt"),
        ("KATEX", ROOT / "no" / "katex" / "dist", "npm ci"),
    ],
)
def test_what_is_missing_is_said_in_one_line(monkeypatch, capsys, name, value, advice):
    monkeypatch.setattr(builder, "PACKAGES", ())
    monkeypatch.setattr(builder, name, value)
    with pytest.raises(SystemExit) as stop:
        builder.refuse_without_tools()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert advice in said
    assert said.count("\n") == 1
