"""Builds the site: writes its pages, has zensical render them, adds plain Markdown."""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from cookbook.errors import fail
from cookbook.pages.catalogue import LIBRARY, ROOT, checkout, recipes
from cookbook.site.links import SOURCE, Page
from cookbook.site.other_pages import guides, home, navigation, read_folder
from cookbook.site.recipe_pages import recipe_pages
from cookbook.site.reference_pages import reference_pages

NAME = "Keras Cookbook"
ABOUT = (
    "Every classic neural-network technique as a small, drop-in Keras 3 component, and "
    "recipes that reach published results on real data."
)
WORK = ROOT / "build" / "site"  # what the generator reads and writes
ASSETS = ROOT / "docs" / "site"  # styles, script, and the list of npm packages
MODULES = ASSETS / "node_modules"
SITE = Path("site")  # where the site is built, unless the user says otherwise
MARK = "llms.txt"  # a file of every site, by which we know a folder of ours
PACKAGES = ("zensical", "mkdocstrings", "mkdocstrings_handlers.python")
KATEX = MODULES / "katex" / "dist"
ONNX = MODULES / "onnxruntime-web" / "dist"
ONNX_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # codes that a terminal obeys
GENERATOR = ("-m", "zensical", "build", "--clean", "--config-file")
FEATURES = [
    *("navigation.tabs", "navigation.indexes", "navigation.prune", "navigation.top"),
    *("navigation.footer", "search.highlight", "content.code.copy", "toc.follow"),
]
EXTENSIONS = {
    **{"abbr": {}, "admonition": {}, "attr_list": {}, "def_list": {}, "footnotes": {}},
    **{"md_in_html": {}, "tables": {}, "toc": {"permalink": True}},
    "pymdownx.arithmatex": {"generic": True},
    "pymdownx.details": {},
    "pymdownx.highlight": {"pygments_lang_class": True},
    "pymdownx.inlinehilite": {},
    "pymdownx.superfences": {},
    "pymdownx.tabbed": {"alternate_style": True},
}
# How mkdocstrings shows a component.
OPTIONS = {
    "docstring_style": "google",
    "docstring_section_style": "list",
    "extensions": ["cookbook.site.docstrings.griffe_extension"],
    "filters": ["!^_"],
    "line_length": 70,
    "members_order": "source",
    "merge_init_into_class": True,
    "separate_signature": True,
    "show_bases": False,
    "show_root_full_path": False,
    "show_root_heading": True,
    "show_signature_annotations": True,
    "show_source": False,
}


def site_command(arguments: argparse.Namespace) -> None:
    """Builds the site, and serves it if asked."""
    checkout()
    refuse_without_tools()
    output = build(arguments.output or ROOT / SITE, arguments.url, arguments.models)
    count = sum(1 for _ in output.rglob("*.html"))
    print(f"{output} holds the site: {count} pages.")
    if arguments.serve:
        from cookbook.site.serve import serve_site

        serve_site(output, arguments.port)


def refuse_without_tools() -> None:
    """Ends the program with one line if a package that the build needs is missing."""
    for name in PACKAGES:
        if not _is_installed(name):
            fail(
                f"site needs {name.split('.')[0]}, which is not installed: "
                "pip install -r requirements-site.txt"
            )
    for folder in (KATEX, ONNX):
        if not folder.is_dir():
            package = folder.parent.name
            fail(
                f"site needs {package} from npm in {MODULES}, which is not there: run "
                f"npm ci in {ASSETS}"
            )


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that would hold it
        return False


def build(output: Path, url: str | None = None, models: Sequence[str] = ()) -> Path:
    """Builds the site into the folder, which it replaces; returns the folder."""
    output = output.resolve()
    _refuse_output(output)
    parts = all_pages()
    pages = [page for members in parts.values() for page in members]
    _write_inputs(pages)
    (WORK / "pages" / MARK).write_text(_list_of(parts), encoding="utf-8")
    _write_models(models)
    _write_config(navigation(parts), url)
    _run_generator()
    html = WORK / "html"
    _shorten_search(html / "search.json")
    _delay_pictures(html)
    for page in pages:
        (html / page.path).write_text(page.plain or page.text, encoding="utf-8")
    if output.exists():
        shutil.rmtree(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(html, output)
    return output


def _refuse_output(output: Path) -> None:
    """Ends the program rather than replace a folder that is no site of ours."""
    if output.is_dir() and (not any(output.iterdir()) or (output / MARK).is_file()):
        return
    if output.exists():
        fail(
            f"--output got {output}, which holds other files: give a new folder, or "
            "that of a site built before"
        )


def all_pages() -> dict[str, list[Page]]:
    """{part of the navigation: its pages}, the first page of all without a title."""
    return {
        "": [home()],
        "Learn": read_folder("lessons"),
        "Playgrounds": read_folder("playgrounds"),
        "Recipes": recipe_pages(),
        "Reference": reference_pages(),
        "Guides": guides(),
    }


def _write_inputs(pages: Sequence[Page]) -> None:
    """Writes pages, pictures, scripts and downloads to where the generator reads."""
    folder = WORK / "pages"
    for old in (folder, WORK / "html", WORK / "sources"):
        shutil.rmtree(old, ignore_errors=True)
    for page in pages:
        path = folder / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text, encoding="utf-8")
    _copy_assets(folder)
    _copy_docs(folder)
    _copy_linked_sources(pages, folder)
    _write_scripts(folder / "downloads")
    _copy_library()


def _copy_assets(folder: Path) -> None:
    """Styles and script of ours, and what pages need of KaTeX and onnxruntime."""
    assets = folder / "assets"
    (assets / "katex" / "fonts").mkdir(parents=True)
    for name in ("site.css", "site.js", "early.js"):
        shutil.copy(ASSETS / name, assets)
    for name in ("katex.min.css", "katex.min.js"):
        shutil.copy(KATEX / name, assets / "katex")
    for font in (KATEX / "fonts").glob("*.woff2"):
        shutil.copy(font, assets / "katex" / "fonts")
    playgrounds = ROOT / "docs" / "playgrounds"
    texts = (p.read_text(encoding="utf-8") for p in playgrounds.rglob("*.*js"))
    if any("onnxruntime" in text for text in texts):
        (assets / "onnxruntime").mkdir()
        for name in ONNX_FILES:
            shutil.copy(ONNX / name, assets / "onnxruntime")


def _copy_docs(folder: Path) -> None:
    """Pictures, notebooks, the files of playgrounds, and tables that guides link to."""
    docs = ROOT / "docs"
    moves = [("pictures", "pictures"), ("playgrounds", "playgrounds")]
    for source, target in [*moves, ("notebooks", "downloads"), ("lessons", "lessons")]:
        if (docs / source).is_dir():
            skipped = shutil.ignore_patterns("*.md", "*.py", "__pycache__", "test*")
            shutil.copytree(
                docs / source, folder / target, ignore=skipped, dirs_exist_ok=True
            )
    for path in docs.glob("*.json"):
        shutil.copy(path, folder / "guides")
    shutil.copy(ROOT / "LICENSE", folder / "guides" / "LICENSE.txt")


def _copy_linked_sources(pages: Iterable[Page], folder: Path) -> None:
    """Sources that a page links to, as text, so that a browser shows them."""
    for page in pages:
        for file in re.findall(rf"\]\((?:\.\./)*{SOURCE}([^)#]+)\.txt", page.text):
            target = folder / SOURCE / f"{file}.txt"
            if (ROOT / file).is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, target)


def _write_scripts(folder: Path) -> None:
    """The bundled script of each recipe, made anew only when a source has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = WORK / "scripts" / _digest()
    if not kept.is_dir():
        shutil.rmtree(kept.parent, ignore_errors=True)
        texts = _bundled([ROOT / entry.file for entry in recipes()])
        kept.mkdir(parents=True)
        for name, text in texts.items():
            (kept / name).write_text(text, encoding="utf-8")
    shutil.copytree(kept, folder, dirs_exist_ok=True)


def _bundled(files: Sequence[Path]) -> dict[str, str]:
    """{name of a script: its text}; all processors work on them."""
    from cookbook.takeaway.bundle import formatted_together

    with ProcessPoolExecutor() as pool:
        texts = formatted_together([*pool.map(_unformatted_script, files)])
    return {file.name: text for file, text in zip(files, texts)}


def _unformatted_script(file: Path) -> str:
    from cookbook.slimming.slim import slimmed
    from cookbook.takeaway.bundle import script_of

    return slimmed(script_of(file))


def _write_models(runs: Sequence[str]) -> None:
    """The models of finished runs, for the pages that ask them."""
    if runs:
        from cookbook.live.write import write_live_models

        write_live_models(runs, WORK / "pages" / "playgrounds" / "models")


def _digest() -> str:
    """A name for the present state of all sources that bundles are made of."""
    digest = hashlib.sha256()
    for package in (LIBRARY, "cookbook", "recipes"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.relative_to(ROOT).parts[1] not in ("site", "pages"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _copy_library() -> None:
    """The components alone, for mkdocstrings.

    The doors stay out: a name that a door exports, such as monotonic_attention, would
    hide the module of the same name.
    """
    target = WORK / "sources" / LIBRARY
    shutil.copytree(
        ROOT / LIBRARY, target, ignore=shutil.ignore_patterns("__pycache__")
    )
    for door in target.rglob("__init__.py"):
        door.write_text("", encoding="utf-8")


def _write_config(nav: list[Any], url: str | None) -> None:
    """The configuration of the generator; JSON is YAML too."""
    schemes = [("light", "default", "dark"), ("dark", "slate", "light")]
    palette = [
        {
            "media": f"(prefers-color-scheme: {name})",
            "scheme": scheme,
            "toggle": {
                "icon": f"lucide/{'sun' if name == 'light' else 'moon'}",
                "name": f"Switch to the {other} colours",
            },
        }
        for name, scheme, other in schemes
    ]
    python = {"paths": ["sources"], "options": OPTIONS}
    config = {
        "site_name": NAME,
        "site_description": ABOUT,
        "site_url": url,
        "docs_dir": "pages",
        "site_dir": "html",
        "use_directory_urls": False,  # so that the pages open from a disk as well
        "theme": {
            "variant": "modern",
            "font": False,  # the system's: others would be asked for at Google
            "features": FEATURES,
            "palette": palette,
        },
        "extra": {"polyfills": ["assets/early.js"]},
        "extra_css": ["assets/site.css"],
        "extra_javascript": ["assets/site.js"],
        "markdown_extensions": EXTENSIONS,
        "plugins": ["search", {"mkdocstrings": {"handlers": {"python": python}}}],
        "nav": nav,
    }
    text = json.dumps({k: v for k, v in config.items() if v is not None}, indent=1)
    (WORK / "mkdocs.yml").write_text(text, encoding="utf-8")


def _run_generator() -> None:
    """Runs zensical; what it says goes to build.log."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, *GENERATOR, str(WORK / "mkdocs.yml")],
        cwd=WORK,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = COLOUR.sub("", done.stdout)
    log = WORK / "build.log"
    log.write_text(said, encoding="utf-8")
    if done.returncode or not (WORK / "html" / "index.html").is_file():
        lines = said.strip().splitlines() or ["it said nothing"]
        fail(f"zensical could not build the site: {lines[-1]} (all of it is in {log})")


def _shorten_search(path: Path) -> None:
    """Leaves sources out of the index of the search, which they would fill."""
    index = json.loads(path.read_text(encoding="utf-8"))
    index["items"] = [
        item for item in index["items"] if not item["location"].endswith("#source")
    ]
    path.write_text(json.dumps(index, separators=(",", ":")), encoding="utf-8")


def _delay_pictures(html: Path) -> None:
    """Has browsers load a picture when its reader comes near it."""
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("<img ", '<img loading="lazy" ')
        path.write_text(text, encoding="utf-8")


def _list_of(parts: dict[str, list[Page]]) -> str:
    """llms.txt: the pages in plain Markdown, for assistants that write code."""
    lines = [f"# {NAME}", "", f"> {ABOUT}", ""]
    lines += ["Each page exists as HTML too: NAME.html in place of NAME.md."]
    for title, pages in parts.items():
        if title and pages:
            lines += ["", f"## {title}", ""]
        for page in pages:
            summary = " ".join(page.summary.split()).rstrip(".")
            lines.append(f"- [{page.title}]({page.path}): {summary}")
    return "\n".join(lines) + "\n"
