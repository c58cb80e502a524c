"""A page per recipe: its story, data, results, code, claims, and what to download."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from cookbook.pages.catalogue import ROOT, Entry, recipes
from cookbook.pages.results import Run, headline_figure, recipe_rows, shown_value
from cookbook.pages.tables import markdown_table
from cookbook.site.docstrings.parts import as_markdown, as_typed, docstring_parts
from cookbook.site.links import Page, relative, with_title
from cookbook.site.recipe_parts.claims import claims_section
from cookbook.site.recipe_parts.code_sections import code_sections
from cookbook.site.recipe_parts.pictures import pictures_of
from cookbook.site.recipe_parts.tries import tries_section
from cookbook.site.reference_pages import places

COMMAND = re.compile(r"^ {4}((?:python|pip) .*)\n?", re.MULTILINE)
CATALOG = "https://www.tensorflow.org/datasets/catalog"
DATA = {  # {name: (what it is, where it comes from)}
    "mnist": (
        "MNIST: 70,000 grey images of handwritten digits, 28 by 28 pixels, in ten "
        "classes; 10,000 of them are the test set.",
        f"{CATALOG}/mnist",
    ),
    "fashion_mnist": (
        "Fashion-MNIST: 70,000 grey images of clothes, 28 by 28 pixels, in ten "
        "classes; 10,000 of them are the test set.",
        f"{CATALOG}/fashion_mnist",
    ),
    "cifar10": (
        "CIFAR-10: 60,000 colour photos of 32 by 32 pixels in ten classes; 10,000 of "
        "them are the test set.",
        f"{CATALOG}/cifar10",
    ),
    "imdb_reviews": (
        "IMDB: 50,000 film reviews, half of them good and half of them bad; 25,000 "
        "of them are the test set.",
        f"{CATALOG}/imdb_reviews",
    ),
    "tiny_shakespeare": (
        "Tiny Shakespeare: 1.1 million characters of Shakespeare's plays.",
        f"{CATALOG}/tiny_shakespeare",
    ),
    "multi30k": (
        "Multi30k: captions of photos, in German and in English; 29,000 pairs to "
        "train on, and 1,000 pairs are test_2016.",
        "https://github.com/multi30k/dataset",
    ),
    "spoken_digit": (
        "Free Spoken Digit: 2,500 recordings of the ten digits by five speakers; the "
        "250 whose number is below five are the test set.",
        f"{CATALOG}/spoken_digit",
    ),
    "universal_dependencies/en_ewt:1.0.1": (
        "English Web Treebank: 16,621 sentences of blogs, mails and reviews with a "
        "part of speech for each word; 2,077 of them are the test set. The named "
        "entities are those of WNUT-17, which are fetched by hand.",
        f"{CATALOG}/universal_dependencies",
    ),
}
LIVE = {  # {recipe: the page on which its model answers}
    "mnist_cnn": "draw_a_digit",
    "imdb_cnn": "type_a_review",
    "shakespeare_gpt": "continue_a_text",
    "mnist_cgan": "generate_digits",
    "multi30k_attention": "translate_a_sentence",
}
MADE = "The recipe makes its data itself and needs no download."
SMALL_DIGITS = (
    "The digits that come with scikit-learn: 1,797 grey images of 8 by 8 pixels, in "
    "ten classes. Nothing is downloaded."
)
WITHOUT_NETWORK = (
    "Without a network the recipe says so, and uses small data of its own instead."
)
YOUR_PICTURES = "With `--data PATH` it takes a folder of your own pictures."


def recipe_pages() -> list[Page]:
    """The pages of all recipes, after the page that lists them."""
    pages = [_page(entry) for entry in recipes()]
    rows = [
        [f"[{entry.name}]({entry.name}.md)", as_typed(entry.summary.rstrip("."))]
        for entry in recipes()
    ]
    text = (
        "# Recipes\n\nEvery recipe is one file that you run: it loads its data, "
        "trains, tests once, draws pictures and writes a report.\n\n"
        f"{markdown_table(['recipe', 'what it shows'], rows)}\n"
    )
    first = Page("recipes/index.md", "Recipes", text, summary="All recipes in a table")
    return [first, *pages]


def _page(entry: Entry) -> Page:
    path = f"recipes/{entry.name}.md"
    source = (ROOT / entry.file).read_text(encoding="utf-8")
    tree = ast.parse(source)
    story, commands = _story(ast.get_docstring(tree, clean=False) or "")
    parts = [
        f"# {entry.name}",
        *story,
        f"```bash\n{commands}\n```",
        *_live_page(entry.name),
        *_pictures(entry.name, path),
        *_data(tree),
        *_results(entry.name),
        *claims_section(entry.name, tree),
        *tries_section(entry.name),
        "## The code",
        *code_sections(source, tree),
        *_components(tree, path),
        *_downloads(entry.name),
    ]
    text = "\n\n".join(parts) + "\n"
    return Page(path, entry.name, with_title(entry.name, text), text, entry.summary)


def _story(docstring: str) -> tuple[list[str], str]:
    """(paragraphs, command lines) of a recipe's docstring."""
    commands = [
        re.sub(r"\s{2,}\((.*)\)$", r"    # \1", line)
        for line in COMMAND.findall(docstring)
    ]
    parts = docstring_parts(COMMAND.sub("", docstring))
    return [as_markdown(part) for part in parts], "\n".join(commands)


def _pictures(recipe: str, page: str) -> list[str]:
    """Committed pictures of a run, each with what it shows."""
    shown = [
        f"![{recipe}: {what}]({relative(file, page)})\n\n*{what}.*"
        for file, what in pictures_of(recipe)
    ]
    return ["## Pictures of a run", *shown] if shown else []


def _live_page(recipe: str) -> list[str]:
    """A link to the page on which the recipe's model answers."""
    if recipe not in LIVE:
        return []
    name = LIVE[recipe]
    words = name.replace("_", " ")
    return [
        f"**[{words.capitalize()}](../playgrounds/{name}.md)**: ask a model that this "
        "recipe trained, in your browser."
    ]


def _data(tree: ast.Module) -> list[str]:
    """The card of the data that the recipe asks for."""
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    names = [name for name in DATA if name in texts]
    lines = []
    for name in names:
        what, address = DATA[name]
        lines.append(f"- {what} [Where it comes from]({address})")
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    if not names:
        lines = [SMALL_DIGITS if "cookbook.lab.digits" in modules else MADE]
    elif "cookbook.data.images" in modules:
        lines.append(f"\n{WITHOUT_NETWORK} {YOUR_PICTURES}")
    else:
        lines.append(f"\n{WITHOUT_NETWORK}")
    return ["## The data", "\n".join(lines)]


def _results(recipe: str) -> list[str]:
    """A table of finished runs for each row of the recipe in docs/results.json."""
    parts = []
    for _, row, runs in recipe_rows(recipe):
        if not runs:
            continue
        parts.append(f"**{as_typed(row['task'][0].upper() + row['task'][1:])}**")
        known = row["well known"]
        beside = f" For comparison: {as_typed(known)}." if known else ""
        parts.append(f"Measured: {headline_figure(runs)}.{beside}")
        rows = [_run(run) for run in runs]
        head = ["seed", next(iter(runs[0])), "time", "machine", "date", "command"]
        parts.append(markdown_table(head, rows))
    return ["## Results", *parts] if parts else []


def _run(run: Run) -> list[str]:
    seconds = f"{run['seconds']:.0f} s" if "seconds" in run else ""
    return [
        str(run["seed"]),
        shown_value(run),
        seconds,
        as_typed(run["machine"]),
        run.get("date", "").replace("-", "\N{NON-BREAKING HYPHEN}"),
        f"`{run['command']}`",
    ]


def _components(tree: ast.Module, page: str) -> list[str]:
    """Links to the components that the recipe uses."""
    links = []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            place = places().get((node.module or "", alias.name))
            if place:
                links.append(f"[`{alias.name}`]({relative(place, page)})")
    return ["## Components that it uses", ", ".join(links)] if links else []


def _downloads(recipe: str) -> list[str]:
    """The notebook and the script, which need nothing of the project."""
    kinds: Sequence[tuple[str, str]] = (
        ("ipynb", "a notebook with Keras's own classes, which Google Colab opens too"),
        ("py", "the recipe and all that it uses in one script"),
    )
    lines = [
        f"- [{recipe}.{end}](../downloads/{recipe}.{end})"
        f"{{ download={recipe}.{end} }}: {what}"
        for end, what in kinds
        if end == "py" or Path(ROOT, "docs", "notebooks", f"{recipe}.{end}").exists()
    ]
    return ["## Downloads", "\n".join(lines)]
