"""Which page of the demo shows which kind of model."""

from collections.abc import Callable
from typing import Any

from cookbook.demo.pictures import anomaly_page, image_page, translated_page
from cookbook.demo.samples import new_images_page, new_points_page
from cookbook.demo.series import series_page, sound_page
from cookbook.demo.texts import tagged_page, text_page
from cookbook.demo.writers import continuation_page, sums_page, translation_page
from cookbook.errors import Mistake, harmless
from cookbook.trained.trained_run import TrainedRun

# {kind of a model: the function that builds its page, a gradio.Blocks}
PAGES: dict[str, Callable[[Any], Any]] = {
    "image classifier": image_page,
    "anomaly score": anomaly_page,
    "sound classifier": sound_page,
    "transcriber": sound_page,
    "text classifier": text_page,
    "word-piece classifier": text_page,
    "tagger": tagged_page,
    "language model": continuation_page,
    "translation": translation_page,
    "sums": sums_page,
    "forecast": series_page,
    "image generator": new_images_page,
    "image translator": translated_page,
    "point generator": new_points_page,
}


def page_of(run: TrainedRun) -> Callable[[Any], Any]:
    """The function that builds the page of a run; raises Mistake if there is none."""
    kind = run.description.kind
    if kind not in PAGES:
        raise Mistake(
            harmless(
                f"{run.folder} holds an {run.description}, for which the demo "
                "has no page: use python -m cookbook predict"
            )
        )
    return PAGES[kind]
