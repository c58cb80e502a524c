"""Pages of the site, and where a file of the repository stands in it."""

import dataclasses
import posixpath
import re
from pathlib import PurePosixPath

LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#]+)(?P<place>#[^)\s]*)?(?=\))")
FOREIGN = re.compile(r"[a-z]+:|//|#")  # addresses, and places in the page itself
MOVED = {
    "README.md": "index.md",
    "docs/components.md": "reference/index.md",
    "docs/notebooks/README.md": "guides/notebooks.md",
    "LICENSE": "guides/LICENSE.txt",
}
FOLDERS = {  # in this order: the first that holds a file decides
    "docs/lessons/": "lessons/",
    "docs/playgrounds/": "playgrounds/",
    "docs/pictures/": "pictures/",
    "docs/notebooks/": "downloads/",
    "docs/": "guides/",
}
NAME_IN_LINK = re.compile(r"\[\w+_\w+\](?=\()")
UNIT = re.compile(r"(?<=\d) (?=%|(?:s|min) \|)")
SOURCE = "source/"  # below it, sources stand as text that a browser shows


@dataclasses.dataclass(frozen=True)
class Page:
    """A page of the site, in two forms."""

    path: str  # below the folder of pages, such as recipes/mnist_cnn.md
    title: str  # short, as in the navigation
    text: str  # Markdown that the generator renders
    plain: str = ""  # Markdown that is complete by itself, where `text` is not
    summary: str = ""  # one sentence, without its full stop


def site_path(path: str) -> str:
    """Where a file of the repository stands in the site: recipes/a.py is a page."""
    if path in MOVED:
        return MOVED[path]
    for folder, place in FOLDERS.items():
        if path.startswith(folder):
            return place + path.removeprefix(folder)
    if re.fullmatch(r"recipes/[a-z]\w*\.py", path):
        return f"{path.removesuffix('.py')}.md"
    if "/" not in path and path.endswith(".md"):
        return f"guides/{path}"
    return f"{SOURCE}{path}.txt"


def relative(target: str, page: str) -> str:
    """The link from a page of the site to a file of it."""
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def with_site_links(text: str, file: str, page: str) -> str:
    """The text of a Markdown file with links that hold in the site.

    file: its path in the repository.
    page: its path in the site.
    """

    def link(found: re.Match) -> str:
        path = found["path"]
        if FOREIGN.match(path):
            return found[0]
        folder = PurePosixPath(file).parent.as_posix()
        target = posixpath.normpath(posixpath.join(folder, path))
        return relative(site_path(target), page) + (found["place"] or "")

    return LINK.sub(link, text)


def with_narrow_columns(text: str) -> str:
    """The text of a page whose tables may break long names, but not behind numbers.

    >>> with_narrow_columns("| [mnist_cnn](a.md) | 99 % | 65 s |")
    '| [mnist_<wbr>cnn](a.md) | 99&nbsp;% | 65&nbsp;s |'
    >>> with_narrow_columns("[mnist_cnn](a.md) takes 65 s.")
    '[mnist_cnn](a.md) takes 65 s.'
    """
    lines = []
    for line in text.split("\n"):
        if line.startswith("|"):
            line = NAME_IN_LINK.sub(lambda name: name[0].replace("_", "_<wbr>"), line)
            line = UNIT.sub("&nbsp;", line)
        lines.append(line)

    return "\n".join(lines)


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """({name: value}, the rest) of a Markdown file that may begin with a heading."""
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not found:
        return {}, text
    pairs = (line.partition(":") for line in found[1].splitlines() if ":" in line)
    values = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return values, text[found.end() :].lstrip("\n")


def with_title(title: str, text: str) -> str:
    """The text with the front matter that names the page."""
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    return f'---\ntitle: "{quoted}"\n---\n\n{text}'
