"""The other pages: home, lessons, playgrounds and guides; and the navigation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cookbook.pages.catalogue import ROOT
from cookbook.pages.results import best_table
from cookbook.site.links import (
    Page,
    front_matter,
    site_path,
    with_narrow_columns,
    with_site_links,
    with_title,
)
from cookbook.site.reference_pages import by_namespace, places

HOME = ROOT / "docs" / "site" / "home.md"
RESULTS = "<!-- results -->"  # in home.md, where the table of results stands
# The order in which guides are read; pages that are not named here follow.
GUIDES = (
    *("using", "your_data", "your_model", "search", "search_at_scale", "export"),
    *("notebooks/README", "results", "speed", "addons", "known_faults_of_keras"),
    "decisions",
)
LISTED_ELSEWHERE = {"components"}  # the reference has them
ABOUT = {
    "lessons": (
        "Learn",
        "From a single neuron to a transformer, in this order: each lesson shows a "
        "formula, the code that computes it, the picture that this code drew, and what "
        "was measured.",
    ),
    "playgrounds": (
        "Playgrounds",
        "Things to move and to ask, which run in your browser and send nothing "
        "anywhere.",
    ),
}
Navigation = list[Any]  # what the generator takes: {title: page or list}


def home() -> Page:
    """The first page, with the best results."""
    results = with_site_links(best_table(), "README.md", "index.md")
    text = HOME.read_text(encoding="utf-8").replace(RESULTS, results)
    _, plain = front_matter(text)
    shown = with_narrow_columns(text)
    return Page("index.md", "Home", shown, plain, "What this is, and where to begin")


def read_folder(name: str) -> list[Page]:
    """The Markdown files of docs/NAME in the order of their front matter."""
    folder = ROOT / "docs" / name
    found = []
    for path in sorted(folder.glob("*.md")):
        facts, text = front_matter(path.read_text(encoding="utf-8"))
        file = path.relative_to(ROOT).as_posix()
        title = facts.get("title") or _heading(text) or path.stem
        page = site_path(file)
        text = with_site_links(text, file, page)
        summary = facts.get("description") or _first_sentence(text)
        order = float(facts.get("order", "inf"))
        made = Page(page, title, with_title(title, text), text, summary)
        found.append((path.stem != "index", order, path.stem, made))

    pages = [page for *_, page in sorted(found, key=lambda row: row[:3])]
    if pages and pages[0].path != f"{name}/index.md":
        pages.insert(0, _contents(name, pages))
    return pages


def _contents(name: str, pages: list[Page]) -> Page:
    """The page that lists the pages of a folder."""
    title, about = ABOUT[name]

    items = [
        f"1.  **[{page.title}]({Path(page.path).name})**\n\n    {page.summary}."
        for page in pages
    ]
    text = f"# {title}\n\n{about}\n\n" + "\n\n".join(items) + "\n"
    return Page(f"{name}/index.md", title, text, text, about.rstrip("."))


def guides() -> list[Page]:
    """The pages of docs, and those at the top of the repository."""
    others = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))
    names = dict.fromkeys([*GUIDES, *others])

    files = [f"docs/{name}.md" for name in names if name not in LISTED_ELSEWHERE]
    return [
        _guide(file)
        for file in [*files, "CONTRIBUTING.md", "CHANGELOG.md"]
        if (ROOT / file).exists()
    ]


def _guide(file: str) -> Page:
    _, text = front_matter((ROOT / file).read_text(encoding="utf-8"))
    page = site_path(file)
    text = with_site_links(text, file, page)

    title = _heading(text) or Path(file).stem
    shown = with_title(title, with_narrow_columns(text))
    return Page(page, title, shown, text, _first_sentence(text))


def _heading(text: str) -> str:
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _first_sentence(text: str) -> str:
    """The first sentence below the heading, without its full stop and links."""
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph[:1].isalpha():
            line = " ".join(paragraph.split())
            line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)
            first, *_ = re.split(r"(?<=[.!?:]) ", line)
            return first.rstrip(".:")
    return ""


def navigation(pages: dict[str, list[Page]]) -> Navigation:
    """The navigation of all pages, which are given by the titles of its parts."""
    parts: Navigation = [{"Home": "index.md"}]
    for title, members in pages.items():
        if title == "Reference":
            parts.append({title: ["reference/index.md", *_namespaces()]})
        elif title and members:
            parts.append({title: [_item(page) for page in members]})
    return parts


def _item(page: Page) -> Any:
    return page.path if page.path.endswith("/index.md") else {page.title: page.path}


def _namespaces() -> Iterator[Any]:
    for name, entries in by_namespace().items():
        members: dict[str, str] = {}
        for entry in entries:
            place = places()[entry.namespace, entry.name]
            members.setdefault(place, Path(place).stem)

        folder = name.replace(".", "/")
        items = [{title: place} for place, title in members.items()]
        yield {name: [f"reference/{folder}/index.md", *items]}
