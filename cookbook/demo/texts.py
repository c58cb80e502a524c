"""Pages of models that judge texts: their class with its reasons, or each word."""

from typing import Any

import numpy as np

from cookbook.answers.classifiers import SentenceTagger, TextClassifier
from cookbook.data.text.words import UNKNOWN, cut_and_pad
from cookbook.demo.frame import answering, framed
from custom_layers.explanation import influence

EXAMPLES = (
    "A charming film: the cast was great and I loved the ending.",
    "The plot was dull, the music was awful and I hated the script.",
    "Not half as bad as they say.",
)
SENTENCES = (
    "Time flies like an arrow.",
    "Anna Berg moved from Oslo to New York to work for Apple.",
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
    words = run.vocabulary.split(text)
    numbers = range(1, 1 + len(words))
    (places,) = cut_and_pad([numbers], run.length)
    kept = [words[i - 1] for i in places if i]
    ids = run.vocabulary.ids(kept)
    return kept, np.array(ids)


def words_with_tags(run: SentenceTagger, text: str) -> list[tuple[str, str | None]]:
    """(word, its tag) of a sentence, with a space between them; O is no tag."""
    (answer,) = run.predict([run.read(text)])
    shown: list[tuple[str, str | None]] = []
    for word, tag in zip(answer.words, answer.tags):
        shown += [(word, None if tag == "O" else tag), (" ", None)]
    return shown


def tagged_page(run: SentenceTagger) -> Any:
    """The page of a tagger."""
    import gradio as gr

    hint = "Type a sentence: the model gives each word its tag."
    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            text = gr.Textbox(label="Sentence", lines=3, max_lines=10)
            button = gr.Button("Ask the model", variant="primary")
            gr.Examples([*SENTENCES], text)
        with gr.Column():
            words = gr.HighlightedText(label="Words and their tags")

        def asked(text: str) -> Any:
            return words_with_tags(run, text)

        events = [button.click, text.submit]
        gr.on(events, answering(asked), text, words, api_name="tag")
    return page


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
