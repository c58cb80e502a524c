"""The page report.html of a run folder: all that the run found, in one file."""

import base64
import html
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from cookbook.config import QUESTIONS, ExperimentConfig
from cookbook.data.files.card import LEFT_OUT
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.settings import CONFIG, FREE, SEARCH, plain
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder

FILE = "report.html"
TYPES = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}
LARGEST = 4 * 2**20  # bytes of a picture inside the page; a larger one stays outside
MOST_PICTURES = 40
LINES = 60  # of a text file that the page shows
TEXTS = {
    "mistakes.txt": "Mistakes",
    "sample.txt": "What the model writes",
    "translations.txt": "Translations of test sentences",
}
FIRST = (  # pictures that come first
    "curves",
    "data",
    "confusion",
    "mistakes",
    "tuning_progress",
    "tuning_importance",
    "tuning_pareto",
)
LARGE = ("tuning_parallel", "tuning_scores")  # pictures as wide as the page
# {kind of a model: (inputs on the command line, input in Python)}
EXAMPLES = {
    "image classifier": ("photo.png folder_of_photos", '["photo.png"]'),
    "sound classifier": ("word.wav folder_of_sounds", '["word.wav"]'),
    "transcriber": ("words.wav folder_of_sounds", '["words.wav"]'),
    "text classifier": ('"A text of yours." table.csv', '["A text of yours."]'),
    "word-piece classifier": ('"A text of yours." table.csv', '["A text of yours."]'),
    "tagger": ('"A sentence." lines.txt', '["A sentence."]'),
    "language model": ('"A beginning"', '["A beginning"], length=200'),
    "translation": ('"A sentence." lines.txt', '["A sentence."]'),
    "sums": ("1+2 3+4", '["1+2", "3+4"]'),
    "forecast": ("series.csv", "[series]"),
    "anomaly score": ("photo.png folder_of_photos", '["photo.png"]'),
    "image generator": ("16 --out samples.png", '["any"] * 16'),
    "image translator": ("photo.png --out translated.png", '["photo.png"]'),
    "point generator": ("16", '["any"] * 16'),
}
# {kind of a model: labelled data that it can be measured on}
LABELLED = {
    "image classifier": "folder_with_a_folder_per_class",
    "sound classifier": "folder_of_sounds",
    "text classifier": "table_with_labels.csv",
    "word-piece classifier": "table_with_labels.csv",
}
PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 4rem; color: #1d2733;
  background: #fff; font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .6rem; font-size: 1.15rem; }
p { margin: .3rem 0; }
.quiet { color: #5a6877; font-size: .9rem; overflow-wrap: anywhere; }
.headline { margin: 1.2rem 0; padding: .8rem 1.1rem; background: #eef4fb;
  border-left: 4px solid #2a6fb0; border-radius: 4px; }
.headline b { font-size: 1.6rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e8ee;
  vertical-align: top; overflow-wrap: anywhere; }
td:first-child { width: 40%; color: #46535f; }
.wide { overflow-x: auto; margin: .8rem 0; }
.columns { width: auto; font-size: .85rem; }
.columns th { padding: 0 .6rem; border-bottom: 2px solid #c9d3dd; text-align: right; }
.columns td, .columns td:first-child { width: auto; padding: .2rem .6rem;
  text-align: right; white-space: nowrap; }
pre { overflow-x: auto; padding: .7rem .9rem; background: #f5f7f9; border-radius: 4px;
  font: 13px/1.5 ui-monospace, monospace; }
pre.text { max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.pictures { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; }
.large { grid-column: 1 / -1; }
img { max-width: 100%; height: auto; border: 1px solid #e3e8ee; border-radius: 4px; }
figcaption { color: #5a6877; font-size: .85rem; }
</style>
</head>
<body>
<h1>$title</h1>
<p class="quiet">$subtitle</p>
$body
</body>
</html>
""")


def write_page(
    run: RunFolder,
    metrics: Mapping[str, Any],
    figures: Mapping[str, Any],
    description: Description | None = None,
) -> Path:
    """Writes report.html into the run folder and returns its path.

    Args:
        run: the run folder, in which everything else has been written.
        metrics: what metrics.json holds.
        figures: the results among the metrics, the headline first.
        description: what the model answers; None if the run leaves no such model.
    """
    others = {key: value for key, value in metrics.items() if key not in figures}
    claims = others.pop("claims", None)
    for shown_elsewhere in ("settings", "expected"):
        others.pop(shown_elsewhere, None)
    sections = [
        headline(figures, metrics) if claims is None else claim_list(claims),
        section("Use the model", commands(run.path, description)),
        section("Figures", table(figures) if claims is None else ""),
        section("The search", search_section(run.path)),
        section("Data card", data_card(run.path / "data_card.json")),
        section("Pictures", gallery(pictures(run.path), run.path)),
        *(section(title, text(run.path / name)) for name, title in TEXTS.items()),
        section("Settings", table(settings_of(run.config))),
        section("Train it again", again(run)),
        section("How the run was made", table(others)),
    ]
    page = PAGE.substitute(
        title=escaped(run.recipe),
        subtitle=escaped(run.path),
        body="\n".join(filter(None, sections)),
    )
    run.write(FILE, lambda path: path.write_text(page, "utf-8", "replace"))
    return run.path / FILE


def escaped(value: object) -> str:
    """A value as text that means nothing to a browser but itself."""
    return html.escape(str(value))


def readable(value: Any) -> str:
    """A value as a reader wants to see it: few digits, lists in one line."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e-3 else str(round(value, 4))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {readable(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(readable, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)


def section(title: str, content: str) -> str:
    """A part of the page; without content, nothing."""
    return f"<h2>{escaped(title)}</h2>\n{content}" if content else ""


def table(rows: Mapping[str, Any]) -> str:
    """A table with a name and a value in each row."""
    cells = [
        f"<tr><td>{escaped(name)}</td><td>{escaped(readable(value))}</td></tr>"
        for name, value in rows.items()
    ]
    return f"<table>{''.join(cells)}</table>" if cells else ""


def headline(figures: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The first figure, and what was expected of it."""
    name, value = next(iter(figures.items()))
    expected = metrics.get("expected")
    wanted = ""
    if expected:
        wanted = f", expected {expected[0]:.4f} &plusmn; {expected[1]:.4f}"
    number = escaped(readable(value))
    data = escaped(metrics.get("data"))
    return (
        f'<div class="headline"><b>{number}</b> {escaped(name)}{wanted}'
        f"<p>learned from {data}</p></div>"
    )


def claim_list(claims: Sequence[Mapping[str, Any]]) -> str:
    """What a recipe of the lab has found."""
    rows = {claim["text"]: "holds" if claim["holds"] else "FAILS" for claim in claims}
    return section("Claims", table(rows))


def commands(folder: Path, description: Description | None) -> str:
    """The commands that use the model, in a shell and in Python."""
    if description is None:
        return ""
    inputs, argument = EXAMPLES[description.kind]
    name = shlex.quote(str(folder))
    lines = [f"python -m cookbook predict {name} {inputs}"]
    if description.kind in LABELLED:
        data = LABELLED[description.kind]
        lines.append(f"python -m cookbook evaluate {name} --data {data}")
    lines.append(f"python -m cookbook demo {name}")
    lines.append(f"python -m cookbook export {name} --format onnx")
    python = [
        "from cookbook import load_run",
        "",
        f"run = load_run({str(folder)!r})",
        f"run.predict({argument})",
    ]
    blocks = ["\n".join(lines), "\n".join(python)]
    found = "".join(f"<pre>{escaped(block)}</pre>" for block in blocks)
    if description.classes:
        names = ", ".join(description.classes)
        found += f'<p class="quiet">Classes: {escaped(names[:2000])}</p>'
    return found


def again(run: RunFolder) -> str:
    """The command that repeats the training, with the settings of the run."""
    return f"<pre>{escaped(repeating(run))}</pre>"


def repeating(run: RunFolder) -> str:
    """The command that trains again with the config.json of a run."""
    file = shlex.quote(str(run.path / CONFIG))
    return f"python recipes/{run.recipe}.py --config {file}"


def data_card(path: Path) -> str:
    """What the user's files hold."""
    try:
        card = read_json(path)
    except Damaged:
        return ""  # the data are not the user's
    rows: dict[str, Any] = {}
    for name, value in card.items():
        if name == "counts":
            rows |= {f"examples: {part}": count for part, count in value.items()}
        elif name == "notes":
            # The row of the broken files names all of them.
            value = [note for note in value if not note.startswith(LEFT_OUT)]
            rows |= {f"note {i}": sentence for i, sentence in enumerate(value, 1)}
        elif name == "broken" and value:
            rows[f"{LEFT_OUT} ({len(value):,})"] = value
        elif value:
            rows[name] = value
    return table({name: readable(value)[:4000] for name, value in rows.items()})


def search_section(folder: Path) -> str:
    """What a hyperparameter search found, if there was one."""
    try:
        found = read_json(folder / "tuning.json")
    except Damaged:
        return ""
    failed = f", {found['failed']} of them failed" if found["failed"] else ""
    stopped = f", {found['stopped']} were stopped early" if found["stopped"] else ""
    minutes = found["seconds"] / 60
    parts = [
        f"<p>{found['trials']} trials of the strategy {escaped(found['tuner'])}{failed}"
        f"{stopped}, in {minutes:.1f} minutes of training. The {found['goal']} "
        f"{escaped(found['score'])} is the best.</p>",
        f"<p>{escaped(as_sentence(found['gain']['text']))}</p>",
        columns(found["confirmed"]),
        columns(found["leaders"]),
        f"<p>{escaped(as_sentence(found['importance']['text']))}</p>",
    ]
    if found["front"]:
        parts.append(f"<pre>{escaped(chr(10).join(found['front']))}</pre>")
    parts.append(gallery(pictures(folder, of_search=True), folder))
    return "\n".join(parts)


def as_sentence(text: str) -> str:
    """A line of the terminal as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def columns(rows: Sequence[Mapping[str, str]]) -> str:
    """A table of rows with the same names, which stand above."""
    if not rows:
        return ""
    names = [escaped(name).replace("_", "_<wbr>") for name in rows[0]]
    head = "".join(f"<th>{name}</th>" for name in names)
    body = [
        "".join(f"<td>{escaped(value)}</td>" for value in row.values()) for row in rows
    ]
    lines = "".join(f"<tr>{cells}</tr>" for cells in [head, *body])
    return f'<div class="wide"><table class="columns">{lines}</table></div>'


def pictures(folder: Path, of_search: bool = False) -> list[Path]:
    """The pictures of the run, those of its search or all others."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES]
    found = [path for path in found if path.name.startswith("tuning_") == of_search]
    found.sort(key=lambda path: FIRST.index(path.stem) if path.stem in FIRST else 99)
    return found


def gallery(found: Sequence[Path], folder: Path) -> str:
    """Pictures inside the page."""
    inside = "\n".join(picture(path, folder) for path in found[:MOST_PICTURES])
    return f'<div class="pictures">\n{inside}\n</div>' if found else ""


def picture(path: Path, folder: Path) -> str:
    """One picture; a very large one is only linked to."""
    name = path.relative_to(folder).as_posix()
    source = quote(name)
    if path.stat().st_size <= LARGEST:
        content = base64.b64encode(path.read_bytes()).decode("ascii")
        source = f"data:{TYPES[path.suffix]};base64,{content}"
    title = escaped(path.stem.replace("_", " "))
    width = ' class="large"' if path.stem in LARGE else ""
    return (
        f'<figure{width}><img src="{source}" alt="{title}" loading="lazy">'
        f"<figcaption>{escaped(name)}</figcaption></figure>"
    )


def text(path: Path) -> str:
    """The beginning of a text file of the run."""
    if not path.is_file():
        return ""
    lines = path.read_text("utf-8", "replace").splitlines()
    more = f"\n... {len(lines) - LINES} more lines in {path.name}"
    content = "\n".join(lines[:LINES]) + (more if len(lines) > LINES else "")
    return f'<pre class="text">{escaped(content)}</pre>'


def settings_of(config: ExperimentConfig) -> dict[str, Any]:
    """The settings of the training, without those that change no result."""
    others = {*FREE, *QUESTIONS, *SEARCH}
    return {k: value for k, value in plain(config).items() if k not in others}
