"""The built site: links, pictures, plain pages; and how a browser shows all of it."""

import html.parser
import posixpath
import re
import urllib.parse

import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.site import build as builder

pytestmark = pytest.mark.slow

AXE = builder.MODULES / "axe-core" / "axe.min.js"
SECONDS = 120  # of the processor, in which the site builds
FIRST_LOAD = 300_000  # bytes, as a server sends them, without models
MODELS = (".onnx", ".wasm", ".bin", ".ort")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
TYPESET = (
    "!document.querySelector('.arithmatex') || document.documentElement.dataset.typeset"
)
# One of so many pages that share a form meets the browser, and every page elsewhere.
EVERY = {"reference": 30, "recipes": 10, "guides": 4}


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


def visited(folder):
    """The pages that the browser loads: every lesson and playground, a few others."""
    names = [*pages_of(folder)]
    chosen = [name for name in names if name.split("/")[0] not in EVERY]
    for part, step in EVERY.items():
        chosen += [name for name in names if name.startswith(f"{part}/")][::step]
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


class Visit:
    """What a browser does and says while it loads a page."""

    def __init__(self, page):
        self.page, self.messages, self.strangers, self.bytes = page, [], [], 0
        self.sizes = {}
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", self.check)
        self.client = page.context.new_cdp_session(page)
        self.client.send("Network.enable")
        self.client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.client.on("Network.responseReceived", self.begin)
        self.client.on("Network.loadingFinished", self.end)

    def note(self, message):
        if message.type in ("error", "warning"):
            self.messages.append(message.text)

    def check(self, request):
        address = urllib.parse.urlsplit(request.url)
        local = address.scheme in ("data", "blob") or address.hostname == "127.0.0.1"
        if not local:
            self.strangers.append(request.url)

    def begin(self, event):
        path = urllib.parse.urlsplit(event["response"]["url"]).path
        self.sizes[event["requestId"]] = 0 if path.endswith(MODELS) else 1

    def end(self, event):
        self.bytes += self.sizes.get(event["requestId"], 1) * event["encodedDataLength"]

    def load(self, url):
        self.messages, self.strangers, self.bytes = [], [], 0
        moment = "networkidle" if "/playgrounds/" in url else "load"
        self.page.goto(url, wait_until=moment)
        self.page.wait_for_function(TYPESET)


def problems(visit, name):
    """What is wrong with a page that was loaded."""
    found = [f"says {message}" for message in visit.messages]
    found += [f"asks {url}" for url in visit.strangers]
    if visit.bytes > FIRST_LOAD:
        found.append(f"loads {visit.bytes:,} bytes at first")
    wide = visit.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if wide > 0:
        found.append(f"scrolls sideways by {wide} pixels")
    if visit.page.locator(".katex-error").count():
        found.append("has a formula that KaTeX refuses")
    return [f"{name} {problem}" for problem in found]


def test_pages_load_on_a_phone(built, address, browser):
    """No message, no request to elsewhere, no scrolling sideways, at most 300 kB."""
    folder, _ = built
    context = browser.new_context(viewport=PHONE)
    visit = Visit(context.new_page())
    wrong = []
    for name in visited(folder):
        visit.load(f"{address}/{name}")
        wrong += problems(visit, name)
    context.close()
    assert not wrong, "\n".join(wrong[:50])


# Dark pages differ from light ones in nothing but their colours.
@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", "{}"), ("dark", "{runOnly: ['color-contrast']}")]
)
def test_axe_finds_nothing(built, address, browser, scheme, rules):
    """axe-core looks for what keeps people with disabilities from using a page."""
    if not AXE.is_file():
        pytest.skip("axe-core is missing: npm ci in docs/site")
    folder, _ = built
    context = browser.new_context(viewport=DESK, color_scheme=scheme)
    visit = Visit(context.new_page())
    wrong = []
    for name in visited(folder):
        visit.load(f"{address}/{name}")
        visit.page.add_script_tag(path=AXE)
        result = visit.page.evaluate(f"axe.run({rules})")
        for violation in result["violations"]:
            node = violation["nodes"][0]
            wrong.append(f"{name}: {violation['id']}: {node['html'][:120]}")
    context.close()
    assert not wrong, "\n".join(wrong[:40])


def test_search_finds_a_component(built, address, browser):
    page = browser.new_page(viewport=DESK)
    page.goto(f"{address}/index.html", wait_until="networkidle")
    page.locator(".md-search__button").click()
    page.get_by_placeholder("Search").last.fill("LSTM")
    link = page.locator("a[href*='reference/layers/LSTM.html']").first
    link.wait_for(timeout=20_000)
    link.click()
    page.wait_for_url("**/reference/layers/LSTM.html*")
    page.close()


def test_the_keyboard_reaches_the_text_first(address, browser):
    page = browser.new_page(viewport=DESK)
    page.goto(f"{address}/recipes/mnist_cnn.html", wait_until="networkidle")
    page.keyboard.press("Tab")
    assert "md-skip" in page.evaluate("document.activeElement.className")
    page.close()


@pytest.mark.parametrize(("scheme", "shown"), [("light", "default"), ("dark", "slate")])
def test_colours_follow_the_system(address, browser, scheme, shown):
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{address}/index.html", wait_until="networkidle")
    assert page.locator("body").get_attribute("data-md-color-scheme") == shown
    page.close()


def test_formulas_are_typeset(address, browser):
    page = browser.new_page(viewport=DESK)
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
