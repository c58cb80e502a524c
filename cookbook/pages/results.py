"""Results: figures that runs measured, kept in docs and shown in docs/results.md."""

import json
import re
import statistics
from pathlib import Path

from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT

KEPT = ROOT / "docs" / "results.json"
TABLE = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.DOTALL)


def collect(folders):
    """Adds finished runs to results.json; a run of the same command replaces the old.

    results.json: "rows", {recipe and flags: task, well known result}, in the table's
    order; "runs", what metrics.json of each run says.
    """
    kept = json.loads(KEPT.read_text())
    runs = {run["command"]: run for run in kept["runs"]}
    for folder in map(Path, folders):
        run = _read(folder)
        if _label(run) not in kept["rows"]:
            fail(
                f"{folder} is a run of {_label(run)!r}, expected one of "
                f"{', '.join(kept['rows'])}: add its task and the well-known result to "
                "rows in results.json"
            )
        runs[run["command"]] = run
    kept["runs"] = [runs[command] for command in sorted(runs)]
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")


def _read(folder):
    """What metrics.json says of a run on the data that it asked for."""
    try:
        metrics = json.loads((folder / "metrics.json").read_text())
    except OSError:
        fail(f"{folder} holds no metrics.json: expected the folder of a finished run")
    if "NOT" in metrics["data"]:
        fail(
            f"{folder} ran on {metrics['data']}: no result to show, run it on the data"
        )
    return metrics


def _label(run):
    """Recipe and flags without the seed, as a row is named: "imdb_rnn --cell gru"."""
    name = run["command"].removeprefix("python recipes/").replace(".py", "", 1)
    return re.sub(r" --(seed|data) \S+", "", name)


def table():
    """The README's table: a row for each recipe, the mean over its seeds."""
    kept = json.loads(KEPT.read_text())
    lines = [
        "| recipe | task | measured | well known | time |",
        "|---|---|---|---|---|",
    ]
    for label, row in kept["rows"].items():
        runs = [run for run in kept["runs"] if _label(run) == label]
        name, *flags = label.split(" ", 1)
        link = " ".join([f"[{name}](../recipes/{name}.py)", *(f"`{f}`" for f in flags)])
        measured, time = (_measured(runs), _time(runs)) if runs else ("not yet", "")
        cells = link, row["task"], measured, row["well known"], time
        lines.append(f"| {' | '.join(cells)} |")
    machines = sorted({run["machine"] for run in kept["runs"]})
    lines += ["", f"Time: of one processor core, all in all; {'; '.join(machines)}."]
    return "\n".join(lines) + "\n"


def _measured(runs):
    """ "test accuracy 99.52 % (99.54, 99.53, 99.49)" """
    name = next(iter(runs[0]))
    values = [run[name] for run in sorted(runs, key=lambda run: run["seed"])]
    percent = "accuracy" in name
    shown = [f"{100 * v:.2f}" if percent else f"{v:.4g}" for v in values]
    mean = statistics.fmean(values)
    text = f"{name} {100 * mean:.2f} %" if percent else f"{name} {mean:.4g}"
    return text if len(runs) == 1 else f"{text} ({', '.join(shown)})"


def _time(runs):
    """Mean of the runs on processors alone; a GPU's work is no processor time."""
    known = [run["cpu_seconds"] for run in runs if " + " not in run["machine"]]
    if not known:
        return ""
    seconds = statistics.fmean(known)
    return f"{seconds:.0f} s" if seconds < 300 else f"{seconds / 60:.0f} min"


def show_results():
    """Writes the table into docs/results.md, between its two marks."""
    readme = ROOT / "docs" / "results.md"
    text = TABLE.sub(lambda mark: mark[1] + table() + mark[2], readme.read_text())
    readme.write_text(text)
