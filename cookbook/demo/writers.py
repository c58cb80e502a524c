"""Pages of models that write: a text goes on, a sentence is translated, a sum added."""

import secrets
from typing import Any

from cookbook.answers.writers import Calculator, LanguageModel, Translator
from cookbook.demo.frame import answering, framed

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
    return _line_page(run, hint, source, target, examples)


def sums_page(run: Calculator) -> Any:
    """The page of a model that adds."""
    hint = "Type a sum of two numbers: the model writes the result, digit by digit."
    largest = 10**run.digits - 1
    return _line_page(run, hint, "Sum", "Result", ["1+2", f"12+{largest}"])


def _line_page(
    run: Translator | Calculator,
    hint: str,
    question: str,
    answer: str,
    examples: list[str],
) -> Any:
    """A page with a line to fill in and a line that answers; these are their labels."""
    import gradio as gr

    with framed(run, hint) as page, gr.Row():
        with gr.Column():
            text = gr.Textbox(label=question, lines=2, max_lines=6)
            button = gr.Button("Ask the model", variant="primary")
            if examples:
                gr.Examples([[example] for example in examples], text)
        with gr.Column():
            written = gr.Textbox(label=answer, lines=2, buttons=["copy"])

        def asked(text: str) -> str:
            return written_answer(run, text)

        gr.on(
            [button.click, text.submit], answering(asked), text, written, api_name="ask"
        )
    return page
