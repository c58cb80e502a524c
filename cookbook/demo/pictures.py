"""Pages of models that look at images: draw one or upload one."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from cookbook.answers.classifiers import ImageClassifier, prepared_pixels
from cookbook.answers.numbers import AnomalyDetector, ImageTranslator
from cookbook.data.rendered.placing import placed
from cookbook.demo.frame import answering, enlarged, framed
from cookbook.plots.explain import evidence_for, network_to_explain, with_heat

ImageRun = ImageClassifier | AnomalyDetector | ImageTranslator
CANVAS = 280  # pixels per side of the field to draw on
BRUSH = 12  # pixels from the middle of a stroke to its edge
WHY = "<small>Grad-CAM: bright places speak for the answer.</small>"
WHY_NOT = "<small>Without convolutions the model gives no Grad-CAM.</small>"
# The field takes strokes once its brush is chosen, so the page chooses it.
CHOOSE_BRUSH = """() => {
    const waiting = setInterval(() => {
        const brush = document.querySelector("button[aria-label='Brush']");
        if (brush) {
            clearInterval(waiting);
            brush.click();
        }
    }, 200);
}"""


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to give an image: a button, what it sends, and what makes pixels of it."""

    name: str
    button: Any
    components: list[Any]
    read: Callable[..., np.ndarray]


def drawn_pixels(
    drawing: dict[str, Any] | None,
    is_light_on_dark: bool,
    shape: Sequence[int],
) -> np.ndarray:
    """What a visitor has drawn as uint8 (H, W, 1), placed as the digits of MNIST are.

    Its strokes are 255, the ground is 0.

    drawing: what gradio.Sketchpad gives; `layers` are RGBA, transparent where no stroke
        is, so that the colour of the brush does not matter.
    is_light_on_dark: whether strokes are white on black, or else black on white.
    """
    layers = (drawing or {}).get("layers") or []
    strokes = [np.asarray(layer)[..., 3] for layer in layers]
    if not any(layer.any() for layer in strokes):
        raise ValueError("nothing is drawn: draw in the field first")
    ink = Image.fromarray(np.max(strokes, axis=0).astype("uint8"))
    height, width, _ = shape
    pixels = placed(ink, height, width)
    if not is_light_on_dark:
        pixels = 255 - pixels
    return pixels[..., None]


def uploaded_pixels(path: str | None, is_inverted: bool, run: ImageRun) -> np.ndarray:
    """The picture in a file as uint8 (H, W, C), as `predict` reads it.

    is_inverted: whether dark and light are exchanged, for dark ink on light paper where
        the model has learned light strokes on a dark ground.
    """
    if not path:
        raise ValueError("no picture is chosen: upload one first")
    pixels = run.read(path)
    return 255 - pixels if is_inverted else pixels


def classified(
    run: ImageClassifier, opened: tuple | None, pixels: np.ndarray
) -> tuple[dict[str, float], np.ndarray, np.ndarray | None]:
    """({class: probability}, the picture that the model sees, its Grad-CAM).

    opened: what `network_to_explain` returns for the model; without it, there is no
        Grad-CAM.
    """
    (answer,) = run.predict(pixels[None])
    reason = None
    if opened:
        x = prepared_pixels(pixels[None], run.shape, run.description.settings)
        model, layers = opened
        heat = evidence_for(model, layers, x, [run.classes.index(answer.label)])
        reason = enlarged(with_heat(pixels[None] / 255, heat)[0])
    return dict(answer.top), enlarged(pixels), reason


def scored(run: AnomalyDetector, pixels: np.ndarray) -> tuple[float, np.ndarray]:
    """(score, the picture that the model sees)."""
    (score,) = run.predict(pixels[None])
    return float(score), enlarged(pixels)


def there_and_back(
    run: ImageTranslator, pixels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the translated picture, that one translated back, the picture as it is seen)."""
    there = run.predict(pixels[None])
    again = run.predict(there, back=True)
    return enlarged(there[0]), enlarged(again[0]), enlarged(pixels)


def image_page(run: ImageClassifier) -> Any:
    """The page of an image classifier: its classes, and Grad-CAM as the reason."""
    import gradio as gr

    opened = network_to_explain(run.model)
    with framed(run, "Give an image: the model says what it shows.") as page, gr.Row():
        with gr.Column():
            ways = _ways_to_give_an_image(run, page)
        with gr.Column():
            classes = gr.Label(label="Answer")
            with gr.Row():
                seen = _picture("What the model sees")
                reason = _picture("Grad-CAM", visible=opened is not None)
            gr.HTML(WHY if opened else WHY_NOT)
        _connect(ways, partial(classified, run, opened), [classes, seen, reason])
    return page


def anomaly_page(run: AnomalyDetector) -> Any:
    """The page of an anomaly detector: the score of an image."""
    import gradio as gr

    hint = "Give an image: the larger its score, the more unusual the model finds it."
    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            ways = _ways_to_give_an_image(run, page)
        with gr.Column():
            score = gr.Number(label="Score", precision=4, interactive=False)
            seen = _picture("What the model sees")
        _connect(ways, partial(scored, run), [score, seen])
    return page


def translated_page(run: ImageTranslator) -> Any:
    """The page of a translator of images: an image, there and back."""
    import gradio as gr

    hint = "Give an image of the first kind: the model translates it."
    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            ways = _ways_to_give_an_image(run, page)
        with gr.Column():
            there = _picture("Translated")
            with gr.Row():
                again = _picture("Translated back")
                seen = _picture("What the model sees")
        _connect(ways, partial(there_and_back, run), [there, again, seen])
    return page


def _picture(label: str, visible: bool = True) -> Any:
    import gradio as gr

    return gr.Image(
        label=label,
        format="png",
        interactive=False,
        buttons=[],
        visible=visible,
        min_width=160,
        height=260,
    )


def _ways_to_give_an_image(run: ImageRun, page: Any) -> list[Way]:
    """Builds the inputs: a file, and for grey images a field to draw on, too."""
    import gradio as gr

    if run.shape[2] != 1:
        return [_upload(run)]
    page.load(None, js=CHOOSE_BRUSH)
    with gr.Tab("Draw"):
        drawing = _drawing(run)
    with gr.Tab("Upload"):
        upload = _upload(run)
    return [drawing, upload]


def _drawing(run: ImageRun) -> Way:
    import gradio as gr

    field = gr.Sketchpad(
        label="Draw with the mouse or a finger",
        type="numpy",
        canvas_size=(CANVAS, CANVAS),
        fixed_canvas=True,
        height=CANVAS + 120,
        brush=gr.Brush(default_size=BRUSH, colors=["#000000"], color_mode="fixed"),
        layers=False,
        transforms=(),
        buttons=[],
    )
    is_light = gr.Checkbox(True, label="The model gets white strokes on black (MNIST)")
    button = gr.Button("Ask the model", variant="primary")
    read = partial(drawn_pixels, shape=run.shape)
    return Way("draw", button, [field, is_light], read)


def _upload(run: ImageRun) -> Way:
    import gradio as gr

    # Without an image_mode the file comes as it is, and `read` treats it like predict.
    file = gr.Image(
        label="A picture of any size: its centre is cut out and scaled",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        height=CANVAS,
        buttons=[],
    )
    is_inverted = gr.Checkbox(
        False,
        label="Exchange dark and light (ink on paper)",
        visible=run.shape[2] == 1,
    )
    button = gr.Button("Ask the model", variant="primary")
    return Way("upload", button, [file, is_inverted], partial(uploaded_pixels, run=run))


def _connect(
    ways: list[Way], answer: Callable[[np.ndarray], Any], outputs: list[Any]
) -> None:
    """Lets each button show in `outputs` what `answer` makes of the pixels."""
    for way in ways:

        def asked(*inputs: Any, read: Callable[..., np.ndarray] = way.read) -> Any:
            return answer(read(*inputs))

        way.button.click(answering(asked), way.components, outputs, api_name=way.name)
