"""Page of generators: choose a class, and the model draws new samples."""

import secrets
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cookbook.answers.numbers import Generator, as_sheet
from cookbook.demo.frame import answering, enlarged, framed
from cookbook.plots.figures import BLUE, panel

EACH = "each class in turn"
ANY = "any"  # for a model that has learned no classes


def new_images(run: Generator, wanted: str, count: float) -> np.ndarray:
    """New images side by side, uint8 (H, W, 3); each call draws others.

    wanted: the name of a class, or EACH.
    count: how many; a slider sends it as a number.
    """
    names = [wanted] * int(count)
    if run.classes and wanted == EACH:
        names = [run.classes[i % len(run.classes)] for i in range(int(count))]
    samples = run.predict(names, seed=secrets.randbelow(2**31))
    return enlarged(as_sheet(samples))


def new_points(run: Generator, count: float) -> Figure:
    """A figure of new points; each call draws others."""
    points = run.predict([ANY] * int(count), seed=secrets.randbelow(2**31))
    figure, axes = panel(f"{len(points)} new points", "", "", size=(5, 5))
    axes.scatter(points[:, 0], points[:, 1], s=6, color=BLUE)
    axes.set_aspect("equal")
    return figure


def new_images_page(run: Generator) -> Any:
    """The page of a generator of images."""
    import gradio as gr

    with framed(run, "The model draws images that nobody has seen.") as page, gr.Row():
        with gr.Column():
            wanted = gr.Dropdown(
                [EACH, *run.classes] if run.classes else [ANY],
                label="Class",
                visible=bool(run.classes),
            )
            count = gr.Slider(1, 100, 20, step=1, label="Images")
            button = gr.Button("Draw new images", variant="primary")
        with gr.Column():
            sheet = gr.Image(
                show_label=False, format="png", interactive=False, buttons=["download"]
            )

        def asked(wanted: str, count: float) -> np.ndarray:
            return new_images(run, wanted, count)

        button.click(answering(asked), [wanted, count], sheet, api_name="draw")
    return page


def new_points_page(run: Generator) -> Any:
    """The page of a generator of points."""
    import gradio as gr

    with framed(run, "The model draws new points of the plane.") as page, gr.Row():
        with gr.Column():
            count = gr.Slider(10, 5000, 1000, step=10, label="Points")
            button = gr.Button("Draw new points", variant="primary")
        with gr.Column():
            plot = gr.Plot(show_label=False)

        def asked(count: float) -> Figure:
            return new_points(run, count)

        button.click(answering(asked), count, plot, api_name="draw")
    return page
