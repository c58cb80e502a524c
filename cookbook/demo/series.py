"""Pages of forecasters and of models that listen: upload a table, or speak."""

import csv
import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cookbook.answers.inputs import read_inputs
from cookbook.answers.numbers import Forecaster
from cookbook.data.sequences import mackey_glass
from cookbook.demo.frame import UPLOADS, answering, framed
from cookbook.plots.figures import BLUE, ORANGE

TABLES = [".csv", ".tsv", ".jsonl", ".parquet"]
SHOWN = 4  # windows of the past in the figure


def forecast(run: Forecaster, path: str | None) -> tuple[Figure, str]:
    """(figure of the last values and of the next ones, the next ones as text)."""
    if not path:
        raise ValueError("no table is chosen: upload a CSV file first")
    (item,) = read_inputs(run, [path], None)
    if item.error:
        raise ValueError(item.error)
    past = run.read(item.value)
    (answer,) = run.predict([past])
    fields = run.fields(answer)
    lines = [f"{name}: {value:.6g}" for name, value in fields.items()]
    future = answer.reshape(run.horizon, -1)
    rows = SHOWN * run.window
    figure = drawn_forecast(run.names, past[-rows:], future)
    return figure, "\n".join(lines)


def drawn_forecast(names: list[str], past: np.ndarray, future: np.ndarray) -> Figure:
    """A figure with a panel for each column: its last values, and its forecast."""
    height = 1 + 2.4 * len(names)
    figure = Figure(figsize=(7, height), layout="constrained")
    panels = figure.subplots(len(names), squeeze=False)[:, 0]
    seen = np.arange(1 - len(past), 1)
    ahead = np.arange(1 + len(future))
    # The line of a forecast begins at the last value.
    joined = np.vstack([past[-1:], future])
    for axes, name, before, after in zip(panels, names, past.T, joined.T):
        axes.plot(seen, before, color=BLUE, label="your data")
        axes.plot(ahead, after, ".-", color=ORANGE, label="forecast")
        axes.set_title(name, parse_math=False)
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel("steps from the last row")
    return figure


def example_table(run: Forecaster, folder: Path) -> Path | None:
    """A table to try, for a model of the generated series; None for other data."""
    is_generated = "mackey_glass" in run.description.data
    if not is_generated or len(run.names) > 1:
        return None
    path = folder / "mackey_glass.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(run.names)
        for value in mackey_glass(SHOWN * run.window):
            writer.writerow([f"{value:.6f}"])
    return path


def series_page(run: Forecaster) -> Any:
    """The page of a forecaster."""
    import gradio as gr

    hint = (
        f"Upload a table with at least {run.window} rows of numbers: the model "
        f"forecasts the next {run.horizon}."
    )
    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            table = gr.File(
                label="A CSV, TSV or JSON-lines file, the newest row last",
                file_types=TABLES,
                height=160,
            )
            button = gr.Button("Forecast", variant="primary")
            example = example_table(run, _folder_of_examples())
            if example:
                gr.Examples([str(example)], table, label="Example")
        with gr.Column():
            figure = gr.Plot(show_label=False)
            values = gr.Textbox(label="Values", lines=4, buttons=["copy"])

        def asked(path: str | None) -> Any:
            return forecast(run, path)

        button.click(answering(asked), table, [figure, values], api_name="forecast")
    return page


def heard(run: Any, path: str | None) -> str:
    """What the model hears in a WAV file, a line for each field of its answer."""
    if not path:
        raise ValueError("no sound is chosen: record one, or upload a WAV file")
    (answer,) = run.predict([run.read(path)])
    return "\n".join(f"{name}: {value}" for name, value in run.fields(answer).items())


def sound_page(run: Any) -> Any:
    """The page of a model that listens."""
    import gradio as gr

    hint = f"Say one of the words that the model knows: {', '.join(run.classes)}."
    with framed(run, hint) as page, gr.Row():
        sound = gr.Audio(
            label="Record, or upload a WAV file",
            sources=["microphone", "upload"],
            type="filepath",
            format="wav",
        )
        words = gr.Textbox(label="Heard", lines=6)

        def asked(path: str | None) -> str:
            return heard(run, path)

        sound.change(answering(asked), sound, words, api_name="listen")
    return page


def _folder_of_examples() -> Path:
    """A folder that is deleted together with the uploaded files."""
    uploads = os.environ.get(UPLOADS)
    return Path(mkdtemp(dir=uploads))
