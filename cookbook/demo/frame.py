"""What all pages of the demo share: a frame, errors in one line, larger pictures.

Gradio is imported where a page is built, so that the functions that answer work, and
are tested, without it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import numpy as np

from cookbook.errors import Mistake, one_line
from cookbook.trained.trained_run import TrainedRun

UPLOADS = "GRADIO_TEMP_DIR"  # the variable that names the folder of uploaded files
SIDE = 336  # pixels that a small picture has on the page


@contextlib.contextmanager
def framed(run: TrainedRun, hint: str) -> Iterator[Any]:
    """The gradio.Blocks of a page, below its head: the recipe and what one can do.

    hint: what the visitor is to do, a sentence of ours.
    """
    import gradio as gr

    name = escape(run.description.recipe)
    about = escape(str(run.description))
    with gr.Blocks(title="Keras Cookbook", analytics_enabled=False) as page:
        gr.HTML(f"<h1>{name}</h1><p>{hint}</p><p><small>Model: {about}</small></p>")
        yield page


def answering(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The function for an event of a page, which shows a visitor's mistake as a line.

    answer: raises ValueError or Mistake for an input that has no answer.
    """

    @functools.wraps(answer)
    def shown(*inputs: Any) -> Any:
        try:
            return answer(*inputs)
        except (ValueError, Mistake) as problem:
            import gradio as gr

            text = escape(one_line(str(problem)))  # gr.Error would show HTML as such
            raise gr.Error(f"No answer: {text}", print_exception=False) from None

    return shown


def enlarged(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 1 or 3) as RGB (H, W, 3), uint8, each pixel as a square.

    image: uint8, or numbers from 0 to 1.
    """
    if image.dtype != np.uint8:
        image = np.round(255 * image).astype("uint8")
    height, width, _ = image.shape
    factor = max(1, SIDE // max(height, width))
    large = image.repeat(factor, axis=0).repeat(factor, axis=1)
    return np.broadcast_to(large, (*large.shape[:2], 3))
