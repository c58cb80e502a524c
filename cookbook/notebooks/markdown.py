"""Docstrings and comments of a script as Markdown."""

import re
import textwrap

FORMULA = re.compile(r" (=|~|->) |^\w+ ?= ", re.MULTILINE)
TITLE_AND_ADDRESS = re.compile(
    r'"(?P<title>[^"]+?),?"(?P<rest>[^"]*?),?\s*(?P<url>https?://[^\s;,]+[^\s;,.)])'
)
ADDRESS = re.compile(r"(?<![(<])https?://[^\s;,>]+[^\s;,.)>]")
CODE = re.compile(r"(`[^`]*`)")


def prose(docstring: str) -> str:
    """A docstring as Markdown: papers become links, formulas become blocks of code."""
    paragraphs = re.split(r"\n{2,}", textwrap.dedent(docstring).strip())
    return "\n\n".join(map(_paragraph, paragraphs))


def sentence(text: str) -> str:
    """Running text as Markdown, on one line."""
    text = " ".join(text.split())
    text = TITLE_AND_ADDRESS.sub(r"[\g<title>](\g<url>)\g<rest>", text)
    text = ADDRESS.sub(r"<\g<0>>", text)
    parts = CODE.split(text)
    return "".join(p if p.startswith("`") else _escaped(p) for p in parts)


def _paragraph(text: str) -> str:
    if is_formula(text):
        return f"```text\n{textwrap.dedent(text)}\n```"
    blocks = re.split(r"((?:^ {4}.*\n?)+)", text, flags=re.MULTILINE)
    shown = [
        f"```text\n{textwrap.dedent(block).rstrip()}\n```"
        if block.startswith("    ")
        else sentence(block)
        for block in blocks
        if block.strip()
    ]
    return "\n\n".join(shown)


def is_formula(paragraph: str) -> bool:
    """Whether a paragraph is a formula: it has one in it, and is not a sentence."""
    return bool(FORMULA.search(paragraph)) and not paragraph.rstrip().endswith(".")


def _escaped(text: str) -> str:
    """The text with what Markdown would take for a tag or for emphasis escaped."""
    text = re.sub(r"<(?!https?://)(?=[A-Za-z/!])", r"\\<", text)
    return re.sub(r"(?<![\w(/])([_*])(?=\w)", r"\\\1", text)
