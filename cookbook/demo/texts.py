"""Page of models that judge texts: the class, and the influence of each word on it."""

from typing import Any

import numpy as np

from cookbook.answers.classifiers import TextClassifier
from cookbook.data.text.words import UNKNOWN, cut_and_pad, split_words
from cookbook.demo.frame import answering, framed
from custom_layers.explanation import influence

EXAMPLES = (
    "A charming film: the cast was great and I loved the ending.",
    "The plot was dull, the music was awful and I hated the script.",
    "Not half as bad as they say.",
)
Words = list[tuple[str, float | None]]


def read_and_judged(
    run: TextClassifier, text: str
) -> tuple[dict[str, float], Words, str]:
    """({class: probability}, words with their influence on the answer, a note).

    An influence is divided by the largest one, so that it lies between -1 and 1.
    """
    question = run.read(text)
    (answer,) = run.predict([question])
    label = run.classes.index(answer.label)
    words, ids = read_words(run, text)
    influences = influence(run.model, ids, label, UNKNOWN)
    most = np.abs(influences).max() or 1
    shown: Words = []
    for word, value in zip(words, influences):
        shown.append((word, float(value / most)))
        shown.append((" ", None))
    known, count = run.known(text)
    note = f"The model knows {known} of these {count} words."
    if count > len(words):
        note += f" It reads {len(words)} of them: the beginning and the end."
    return dict(answer.top), shown, note


def read_words(run: TextClassifier, text: str) -> tuple[list[str], np.ndarray]:
    """The words of a text that the model reads, and their ids.

    Of a long text the model reads the beginning and the end.
    """
    words = split_words(text)
    numbers = range(1, 1 + len(words))
    (places,) = cut_and_pad([numbers], run.length)
    kept = [words[i - 1] for i in places if i]
    ids = run.vocabulary.ids(kept)
    return kept, np.array(ids)


def text_page(run: TextClassifier) -> Any:
    """The page of a text classifier."""
    import gradio as gr

    with framed(run, "Type a text: the model says its class.") as page, gr.Row():
        with gr.Column():
            text = gr.Textbox(label="Text", lines=6, max_lines=20)
            button = gr.Button("Ask the model", variant="primary")
            gr.Examples([*EXAMPLES], text)
        with gr.Column():
            classes = gr.Label(label="Answer")
            words = gr.HighlightedText(
                label="Words for the answer (red), and against it (violet)",
                show_legend=False,
            )
            note = gr.Textbox(label="Note", interactive=False)

        def asked(text: str) -> Any:
            return read_and_judged(run, text)

        button.click(answering(asked), text, [classes, words, note], api_name="judge")
    return page
