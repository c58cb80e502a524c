"""Pictures of a recipe's run, each with words that say what it shows."""

import re

from cookbook.pages.catalogue import ROOT, recipes

PICTURES = (".svg", ".png", ".webp", ".gif")
# {how the name of a picture begins, after that of its recipe: what it shows}
SHOWN = {
    "accuracy": "The test accuracy of each kind",
    "attention": "Which part of its input it reads for each part of its answer",
    "bleu_by_length": "How good translations are, by the length of the sentence",
    "confusion": "Which classes the network takes for which, on the test set",
    "cures": "The test accuracy with each cure",
    "curves": "Loss and quality by epoch, on training and on validation data",
    "grad_cam": "Where the network looked, for wrong and for right answers",
    "filters": "The first filters, and what each finds in an image",
    "guidance": "How close images come to real ones, and how many show their class",
    "mistakes": "The surest mistakes, and the right answers that are least sure",
    "modes": "How many of the generated images show each class",
    "review": "How much each word of a review speaks for the answer",
    "samples": "Samples that the trained network generates",
    "scales": "Images of each class out of the same noise, with more and more guidance",
    "translated": "Images, what they become in the other style, and what comes back",
}


def pictures_of(recipe: str) -> list[tuple[str, str]]:
    """(file inside docs, what it shows) of pictures that begin with a recipe's name."""
    names = [entry.name for entry in recipes()]
    found = []
    for path in sorted((ROOT / "docs" / "pictures").rglob("*")):
        owners = [n for n in names if re.match(rf"{n}([_.]|$)", path.stem)]
        if path.suffix in PICTURES and owners and max(owners, key=len) == recipe:
            inside = path.relative_to(ROOT / "docs").as_posix()
            what = shown_by(path.stem.removeprefix(recipe).strip("_"))
            found.append((inside, what))
    return found


def shown_by(name: str) -> str:
    """What a picture of this name shows.

    >>> shown_by("attention_after_4_epochs")
    'Which part of its input it reads for each part of its answer, after 4 epochs'
    >>> shown_by("weights")
    'weights'
    """
    for beginning, what in SHOWN.items():
        if name == beginning or name.startswith(f"{beginning}_"):
            rest = name.removeprefix(beginning).replace("_", " ").strip()
            return f"{what}, {rest}" if rest else what
    return name.replace("_", " ") or "a run"
