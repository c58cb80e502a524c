"""README.md of an export: the lines of Python that use the model, and its files."""

import textwrap

from cookbook.exports.converters.formats import FORMATS, Exportable
from cookbook.exports.converters.packages import PACKAGES
from cookbook.exports.signature import Exported
from cookbook.exports.steps import ExportedStep
from cookbook.exports.uses import USES
from cookbook.trained.description import KINDS

README = """\
# {recipe} as {title}

This folder holds a trained model of Keras Cookbook: {article} {kind} that the recipe
`{recipe}` has learned from {data}. It works without the cookbook.

    pip install {packages}

Run this in the folder:

```python
{example}```

{explanation}

| file | what it holds |
|---|---|
{files}
| `use.py` | the code that the lines above use; it needs the packages above only |
| `model.json` | names of classes, vocabulary and other settings of the model |

## The network

| input | type | shape |
|---|---|---|
{inputs}

It takes {takes}.

It returns {returns}.

The words in backticks are names in `model.json`.
{own_loop}{step}
{note}
"""
STEP = """
## One step

`{file}` holds the same weights, but it reads one token only, and keeps in its states
what it has read. So `use.py` need not read all again for each token.

| input | type | shape |
|---|---|---|
{inputs}

{takes}

It returns logits (1, {tokens}) of the token after that one, and the states that the
step at the next place takes.
"""
TAKES = (
    "It takes a row of tokens of which it reads the one at the place `index`, and "
    "states that "
)
ZERO = "are zero before the first token."
ENCODED = (
    "`{encoder}` returns for the first token, in their order. That network takes a "
    "source, int32 (1, any), whose last token is 3. A translation may have 10 tokens, "
    "its first one included, and 12 more for every eight of the source, rounded up."
)
OWN_LOOP = """
The network gives the next token after all that it is given, so a program writes in a
loop. These lines do, with `model` from the lines above:

```python
{code}```
"""


def readme(exported: Exported, step: ExportedStep | None, name: str, note: str) -> str:
    """The text of README.md.

    step: the step of the network; None if there is none.
    name: the format.
    note: a sentence on how exact the export is.
    """
    description = exported.description
    use = USES[description.kind]
    kind = KINDS[description.kind]
    packages = ["numpy", *PACKAGES[name].needed_to_use, *use.packages]
    example = use.example.replace(
        "{rows}", str(2 * description.settings.get("window", 0))
    )
    return README.format(
        recipe=description.recipe,
        title=FORMATS[name].title,
        files=_files(name, step),
        article="an" if description.kind[0] in "aeiou" else "a",
        kind=description.kind,
        data=description.data,
        packages=" ".join(packages),
        example=example,
        explanation=_wrapped(use.explanation),
        inputs=_rows(exported),
        takes=kind.input,
        returns=kind.output,
        own_loop=OWN_LOOP.format(code=use.network) if use.network else "",
        note=_wrapped(note),
        step=_step(step, name, description.kind) if step else "",
    )


def _step(step: ExportedStep, name: str, kind: str) -> str:
    """What the README says about a step."""
    begin = ZERO
    if step.encoder:
        begin = ENCODED.format(encoder=FORMATS[name].encoder)
    return STEP.format(
        file=FORMATS[name].step,
        inputs=_rows(step),
        takes=_wrapped(TAKES + begin),
        tokens="pieces" if kind == "translation" else "alphabet",
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 88, break_long_words=False, break_on_hyphens=False)


def _files(name: str, step: ExportedStep | None) -> str:
    """The rows of the table of files that name the networks."""
    rows = [f"| `{FORMATS[name].file}` | the network |"]
    if step:
        rows.append(f"| `{FORMATS[name].step}` | one step of it, for writing |")
    if step and step.encoder:
        rows.append(f"| `{FORMATS[name].encoder}` | what reads a source for the step |")
    return "\n".join(rows)


def _rows(exported: Exportable) -> str:
    """A row of the table for each input; N stands for any number of rows."""
    rows = []
    for spec in exported.specs():
        sizes = [str(size or "any") for size in spec.shape]
        if spec.shape[0] is None:
            sizes[0] = "N"
        rows.append(f"| `{spec.name}` | {spec.dtype} | ({', '.join(sizes)}) |")
    return "\n".join(rows)
