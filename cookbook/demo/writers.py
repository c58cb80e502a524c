"""Pages of models that write: a text goes on, a sentence is translated, a sum added."""

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cookbook.answers.decoders import attention_to_source, translator_with_states
from cookbook.answers.writers import Calculator, LanguageModel, Translator
from cookbook.demo.frame import answering, framed
from cookbook.plots.figures import attention_panel
from cookbook.reports.translation import shown_pieces
from custom_layers.generation import END, START
from custom_layers.layers import AttentionDecoder

LONGEST_PROMPT = 5000  # characters


def continued(
    run: LanguageModel, prompt: str, length: float, temperature: float
) -> str:
    """The prompt and what the model writes after it; each call writes something else.

    length, temperature: of `LanguageModel.predict`; sliders send them as numbers.
    """
    if len(prompt) > LONGEST_PROMPT:
        raise ValueError(
            f"the text has {len(prompt)} characters, expected at most {LONGEST_PROMPT}"
        )
    seed = secrets.randbelow(2**31)
    (text,) = run.predict([prompt], int(length), float(temperature), seed)
    return text


def written_answer(run: Translator | Calculator, text: str) -> str:
    """The translation of a sentence, or the sum of two numbers."""
    (answer,) = run.predict([run.read(text)])
    return answer


def attends(run: Translator) -> bool:
    """Whether the model is one whose attention can be shown: a GRU that attends."""
    return any(isinstance(layer, AttentionDecoder) for layer in run.model.layers)


def translated(run: Translator, text: str) -> tuple[str, Figure]:
    """(the translation of a sentence, a figure of where the model looked for it)."""
    answer = written_answer(run, text)
    source = [[*run.subwords.encode_known(text), END]]
    target = [[*run.subwords.encode_known(answer), END]]
    before = [[START, *target[0][:-1]]]
    rows = np.array(source), np.array(before)
    (shares,) = attention_to_source(run.model, translator_with_states, *rows)
    (read,) = shown_pieces(source, run.subwords)
    (written,) = shown_pieces(target, run.subwords)
    return answer, drawn_attention(shares, written, read)


def drawn_attention(shares: np.ndarray, written: list[str], read: list[str]) -> Figure:
    """A figure with a row for each token written and a column for each one read."""
    width, height = 2 + 0.32 * len(read), 1.4 + 0.28 * len(written)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    attention_panel(axes, shares, written, read)
    axes.set(
        title="Where the model looks",
        xlabel="read",
        ylabel="written, from top to bottom",
    )
    return figure


def continuation_page(run: LanguageModel) -> Any:
    """The page of a language model."""
    import gradio as gr

    hint = "Type how a text begins: the model writes on, character by character."
    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            prompt = gr.Textbox("ROMEO:", label="Beginning", lines=3, max_lines=10)
            length = gr.Slider(20, 1000, 300, step=10, label="Characters to write")
            temperature = gr.Slider(
                0.1, 2, 0.8, step=0.1, label="Temperature (more is bolder)"
            )
            button = gr.Button("Write", variant="primary")
        with gr.Column():
            text = gr.Textbox(label="Text", lines=14, buttons=["copy"])

        def asked(prompt: str, length: float, temperature: float) -> str:
            return continued(run, prompt, length, temperature)

        button.click(
            answering(asked), [prompt, length, temperature], text, api_name="continue"
        )
    return page


def translation_page(run: Translator) -> Any:
    """The page of a translator."""
    source, target = run.description.settings["languages"]
    examples = []
    if (source, target) in (("German", "English"), ("de", "en")):
        examples = ["Ein Hund schläft.", "Zwei Kinder spielen im Park."]
    hint = "Type a sentence: the model translates it."
    if attends(run):
        return _line_page(run, hint, (source, target), examples, translated, True)
    return _line_page(run, hint, (source, target), examples, written_answer)


def sums_page(run: Calculator) -> Any:
    """The page of a model that adds."""
    hint = "Type a sum of two numbers: the model writes the result, digit by digit."
    largest = 10**run.digits - 1
    examples = ["1+2", f"12+{largest}"]
    return _line_page(run, hint, ("Sum", "Result"), examples, written_answer)


def _line_page(
    run: Translator | Calculator,
    hint: str,
    labels: tuple[str, str],
    examples: list[str],
    answer: Callable[..., Any],
    has_figure: bool = False,
) -> Any:
    """A page with a line to fill in and a line that answers.

    labels: of both lines.
    answer: answer(run, text) returns the text of the second line.
    has_figure: whether it returns a figure as well, which is the reason.
    """
    import gradio as gr

    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            text = gr.Textbox(label=labels[0], lines=2, max_lines=6)
            button = gr.Button("Ask the model", variant="primary")
            if examples:
                gr.Examples([[example] for example in examples], text)
        with gr.Column():
            outputs = [gr.Textbox(label=labels[1], lines=2, buttons=["copy"])]
            if has_figure:
                outputs.append(gr.Plot(show_label=False))

        def asked(text: str) -> Any:
            return answer(run, text)

        events = [button.click, text.submit]
        gr.on(events, answering(asked), text, outputs, api_name="ask")
    return page
