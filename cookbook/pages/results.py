"""Results: figures of finished runs, kept in docs/results.json and shown in tables."""

import json
import re
import statistics
import typing
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT
from cookbook.pages.tries import keep_try, runs_of_try, tries
from cookbook.runs.files import Damaged, read_json

KEPT = ROOT / "docs" / "results.json"
NEEDED: dict[str, typing.Any] = {  # what the tables show of each run
    "command": str,
    "data": str,
    "machine": str,
    "seed": int,
    "cpu_seconds": (int, float),
}
TABLE = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)
BOUND = re.compile(r"( \(|; )at (?:least|most) [^()]+\)$")  # behind a claim
Run = dict[str, typing.Any]  # what metrics.json of a run folder says
Row = dict[str, typing.Any]  # what results.json says of a recipe with its flags


def collect(folders: Sequence[str | Path]) -> None:
    """Adds finished runs to results.json; a run of the same command replaces the old.

    results.json holds "rows", {recipe and flags: its task and the well-known result},
    in the order of the full table; "best", the names of the rows that README.md shows;
    and "runs", the metrics of each run. A row whose flags are not the defaults states
    as "expected" the figure and its tolerance, which `reproduce` compares with. Claims
    of the lab go into lab.json, and runs of what docs/tries.json names go there.
    """
    kept = _kept()
    runs = {run["command"]: run for run in kept["runs"]}
    for folder in map(Path, folders):
        run = _read(folder)
        if _label(run) not in kept["rows"] and _label(run) in tries():
            keep_try(_label(run), run)
            continue
        if "claims" in run:
            keep_claims(folder.resolve().parent.name, run)
            continue
        if _label(run) not in kept["rows"]:
            fail(
                f"{folder} is a run of {_label(run)!r}, expected one of "
                f"{', '.join(kept['rows'])}: add its task and the well-known result to "
                "rows in results.json"
            )
        runs[run["command"]] = run
    kept["runs"] = [runs[command] for command in sorted(runs)]
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def keep_claims(recipe: str, metrics: Run) -> None:
    """Writes what a run of the lab has found into lab.json, beside results.json.

    lab.json holds {recipe: its claims, with their numbers and without their bounds}.
    """
    if metrics["settings"]["quick"]:
        fail(f"a quick run of {recipe} is not a result to show: run it without --quick")
    if _label(metrics) != recipe:
        fail(
            f"a run of {_label(metrics)!r} has settings of its own: expected the "
            "defaults, or a thing to try that tries.json names"
        )
    failed = [claim["text"] for claim in metrics["claims"] if not claim["holds"]]
    if failed:
        fail(f"a claim of {recipe} does not hold: {failed[0]}")
    kept = KEPT.with_name("lab.json")
    found = {}
    if kept.exists():
        found = json.loads(kept.read_text(encoding="utf-8"))
    sentences = [claim["text"] for claim in metrics["claims"]]
    found[recipe] = [without_bound(sentence) for sentence in sentences]
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
    kept.write_text(text + "\n", encoding="utf-8")


def without_bound(sentence: str) -> str:
    """A claim of the lab without the bound behind it.

    >>> without_bound("Fast learning kills 51.6 % of the units (at least 30 %)")
    'Fast learning kills 51.6 % of the units'
    >>> without_bound("It takes fewer steps (86; at most 161)")
    'It takes fewer steps (86)'
    """
    return BOUND.sub(lambda found: ")" if found[1] == "; " else "", sentence)


def measured(label: str) -> str | None:
    """The mean and the values of the seeds of a row, or of a thing to try.

    None if there is no such run.
    """
    runs = _runs_of(label, _kept()) or runs_of_try(label)
    return _mean_and_seeds(runs) if runs else None


def full_table() -> str:
    """The table of docs/results.md: every row, with its seeds, time and machines."""
    kept = _kept()
    lines = _header("recipe", "task", "measured", "well known", "time")
    for label, row in kept["rows"].items():
        runs = _runs_of(label, kept)
        measured = _mean_and_seeds(runs) if runs else "not yet"
        time = _time(runs) if runs else ""
        link = f"{_link(label, '../recipes')} {_notebook(label)}"
        lines.append(_line(link, row["task"], measured, row["well known"], time))
    machines = sorted({run["machine"] for run in kept["runs"]})
    lines += [
        "",
        "Measured: the mean over the random seeds, with the value of each seed in "
        f"brackets. Time: of one processor core, in total. Machines: "
        f"{'; '.join(machines)}.",
    ]
    return "\n".join(lines) + "\n"


def best_table() -> str:
    """The table of README.md: the rows that results.json calls best, means only."""
    kept = _kept()
    lines = _header("recipe", "task", "measured", "well known")
    for label in kept["best"]:
        row, runs = kept["rows"][label], _runs_of(label, kept)
        measured = _mean(runs) if runs else "not yet"
        link = _link(label, "recipes")
        lines.append(_line(link, row["task"], measured, row["well known"]))
    return "\n".join(lines) + "\n"


def recipe_rows(recipe: str) -> list[tuple[str, Row, list[Run]]]:
    """(label, what results.json says of it, its runs by seed) of a recipe's rows."""
    kept = _kept()
    return [
        (label, row, _runs_of(label, kept))
        for label, row in kept["rows"].items()
        if label.partition(" ")[0] == recipe
    ]


def headline_figure(runs: list[Run]) -> str:
    """What the runs of a row measured: "test accuracy 99.52 % (99.54, 99.50)"."""
    return _mean_and_seeds(runs)


def shown_value(run: Run) -> str:
    """The figure of one run, as the tables show it."""
    name = _measure([run])
    return _mean([run]).removeprefix(f"{name} ")


def write_tables() -> None:
    """Writes both tables into their pages, between the marks that stand there."""
    _replace_table(ROOT / "docs" / "results.md", full_table())
    _replace_table(ROOT / "README.md", best_table())


def _replace_table(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    text = TABLE.sub(lambda mark: mark[1] + table + mark[2], text)
    page.write_text(text, encoding="utf-8")


def _kept() -> dict[str, typing.Any]:
    return json.loads(KEPT.read_text(encoding="utf-8"))


def _read(folder: Path) -> Run:
    """What metrics.json says of a run, which must have used the data it asked for."""
    path = folder / "metrics.json"
    if not folder.is_dir():
        fail(
            f"there is no folder {folder}, so it holds no metrics.json: expected the "
            "folder of a finished run"
        )
    if not path.exists():
        fail(f"{folder} holds no metrics.json: expected the folder of a finished run")
    try:
        metrics = read_json(path)
    except Damaged as problem:
        fail(f"{path} is damaged: {problem}")
    if "claims" in metrics:  # of the lab
        if "command" not in metrics:
            fail(f"{path} does not name its command: run the recipe again")
        return metrics
    lacking = [n for n, kind in NEEDED.items() if not isinstance(metrics.get(n), kind)]
    if lacking or not isinstance(next(iter(metrics.values())), float):
        fail(f"{path} is damaged: it lacks {', '.join(lacking) or 'the headline'}")
    if "NOT" in metrics["data"]:
        fail(
            f"{folder} ran on {metrics['data']}: this is not a result to show, run the "
            "recipe on the data that it asks for"
        )
    return metrics


def _label(run: Run) -> str:
    """Recipe and flags without the seed, as a row is named: "imdb_rnn --cell gru"."""
    name = run["command"].removeprefix("python recipes/").replace(".py", "", 1)
    return re.sub(r" --(seed|data) \S+", "", name)


def _runs_of(label: str, kept: dict[str, typing.Any]) -> list[Run]:
    """The runs of a row, in the order of their seeds."""
    runs = [run for run in kept["runs"] if _label(run) == label]
    return sorted(runs, key=lambda run: run["seed"])


def _header(*columns: str) -> list[str]:
    return [_line(*columns), "|" + "---|" * len(columns)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _link(label: str, folder: str) -> str:
    """A link to the recipe of a row, with the row's flags as code behind it."""
    name, _, flags = label.partition(" ")
    link = f"[{name}]({folder}/{name}.py)"
    return f"{link} `{flags}`" if flags else link


def _notebook(label: str) -> str:
    """A link from docs to the notebook of a row's recipe."""
    name, _, _ = label.partition(" ")
    return f"([notebook](notebooks/{name}.ipynb))"


def _mean(runs: list[Run]) -> str:
    """The mean of what a recipe measures: "test accuracy 99.52 %"."""
    name = _measure(runs)
    mean = statistics.fmean(run[name] for run in runs)
    if _is_percentage(name):
        return f"{name} {100 * mean:.2f} %"
    return f"{name} {mean:.4g}"


def _mean_and_seeds(runs: list[Run]) -> str:
    """The mean, and the values of several seeds: "... 99.52 % (99.54, 99.50)"."""
    if len(runs) == 1:
        return _mean(runs)
    name = _measure(runs)
    values = [run[name] for run in runs]
    if _is_percentage(name):
        shown = [f"{100 * value:.2f}" for value in values]
    else:
        shown = [f"{value:.4g}" for value in values]
    return f"{_mean(runs)} ({', '.join(shown)})"


def _measure(runs: list[Run]) -> str:
    """The name of what the runs measure, which stands first in metrics.json."""
    return next(iter(runs[0]))


def _is_percentage(name: str) -> bool:
    return "accuracy" in name


def _time(runs: list[Run]) -> str:
    """The mean time of the runs on processors; a GPU's work is not processor time."""
    known = [run["cpu_seconds"] for run in runs if " + " not in run["machine"]]
    if not known:
        return ""
    seconds = statistics.fmean(known)
    if seconds < 300:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
