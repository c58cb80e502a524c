"""Pictures of a recipe's run, each with words that say what it shows."""

import re

from cookbook.pages.catalogue import ROOT, recipes

PICTURES = (".svg", ".png", ".webp", ".gif")
# {how the name of a picture begins, after that of its recipe: what it shows}
SHOWN = {
    "accuracy": "The test accuracy of each kind",
    "anomalies": "The most and the least anomalous images, and what they became",
    "attention": "Which part of its input it reads for each part of its answer",
    "beside": "Real images and generated ones, side by side",
    "bleu_by_length": "How good translations are, by the length of the sentence",
    "confusion": "Which classes the network takes for which, on the test set",
    "context": "The loss of the next character by how many characters stand before it",
    "cures": "The test accuracy with each cure",
    "curves": "Loss and quality by epoch, on training and on validation data",
    "dependence": "How much an answer depends on the other images of the batch",
    "dying": "How many units of each activation die",
    "embedding": "Where the network puts test images: those of a class lie together",
    "filters": "The first filters, and what each finds in an image",
    "free_run": "A series that is continued from forecasts alone",
    "gallery": "Each activation and its slope",
    "grad_cam": "Where the network looked, for wrong and for right answers",
    "guidance": "How close images come to real ones, and how many show their class",
    "highest_rates": "The loss at the end by each schedule's highest learning rate",
    "images_per_class": (
        "How many test images each classifier gets wrong, by the number of real images "
        "that it learns from"
    ),
    "interpolations": "From an image of each class to one of the next class",
    "losses": "The loss with each technique, while the training goes on",
    "memory": "How well each layer remembers, by how far back it has to",
    "mistakes": "The surest mistakes, and the right answers that are least sure",
    "modes": "How many of the generated images show each class",
    "neuron": "What weight and bias do to a neuron",
    "path": "From noise to an image, step by step",
    "paths": "The way of each optimizer down a surface",
    "patience": "The test accuracy by the patience, with the best and the last weights",
    "pull": "How hard an outlier pulls with each loss",
    "range": "The loss while the learning rate grows until it explodes",
    "ranks": "Which share of the rare class is found, and at what price",
    "rates": "The validation accuracy by learning rate and images per step",
    "reconstructions": "Test images, and what the decoder makes of their vectors",
    "review": "How much each word of a review speaks for the answer",
    "rings": "Rings that no line separates, and what hidden units make of them",
    "samples": "Samples that the trained network generates",
    "scales": "Images of each class out of the same noise, with more and more guidance",
    "schedules": "Each schedule, from its highest rate to the end of the training",
    "side_by_side": "A picture, the picture of the style, and what became of the first",
    "signals": "How a signal grows or fades on its way through the layers",
    "sizes": "How a gradient grows or fades on its way back",
    "spectrograms": "The spectrograms of test recordings, and what was heard in them",
    "step": "One step of the network with two hidden units, before and after",
    "surface": "The answer at each place, and the lines of the hidden units",
    "terms": "What each term of an optimizer's formula does",
    "transitions": "Which tag may follow which, as the CRF has learned",
    "translated": "Images, what they become in the other style, and what comes back",
    "variants": "Images as they are, and as each kind of augmentation varies them",
    "weights": "How many weights have which size, with each penalty",
    "wrong_pairs": "The pairs of images that are most clearly mistaken",
}

# {the whole name of a picture: what it shows}, where the name of its kind says less
OWN = {
    "attention_variants_losses": "How much each choice in a block changes the loss",
    "attention_variants_places": (
        "The loss by place in the text, far beyond the lengths of the training"
    ),
    "augmentation_compared_gains": "What each kind of augmentation gains",
    "augmentation_compared_sizes": "What affine variants gain, by the number of images",
    "cifar10_vit_attention": (
        "Bright places count for more in the answer of the network. Each head of the "
        "last block looks at other places."
    ),
    "digit_strings_ctc_alignment": (
        "Four test recordings: the areas are where digits are said, and each line is "
        "where the network hears one"
    ),
    "losses_kl_both_ways_peaks": "KL(p, q) covers both peaks, and KL(q, p) takes one",
    "optimizers_compared_rates": (
        "The validation accuracy of each optimizer by its learning rate"
    ),
    "optimizers_compared_unequal": (
        "The loss of each optimizer on pixels of unequal scale"
    ),
    "early_stopping_curves": (
        "Losses by epoch, with the best epoch and the end of the training"
    ),
}


def pictures_of(recipe: str) -> list[tuple[str, str]]:
    """(file inside docs, what it shows) of pictures that begin with a recipe's name."""
    names = [entry.name for entry in recipes()]
    found = []
    for path in sorted((ROOT / "docs" / "pictures").rglob("*")):
        owners = [n for n in names if re.match(rf"{n}([_.]|$)", path.stem)]
        if path.suffix in PICTURES and owners and max(owners, key=len) == recipe:
            inside = path.relative_to(ROOT / "docs").as_posix()
            name = path.stem.removeprefix(recipe).strip("_")
            what = OWN.get(path.stem) or shown_by(name)
            found.append((inside, what))
    return found


def shown_by(name: str) -> str:
    """What a picture of this name shows.

    >>> shown_by("attention_after_4_epochs")
    'Which part of its input it reads for each part of its answer, after 4 epochs'
    >>> shown_by("something_else")
    'Something else'
    """
    for beginning, what in SHOWN.items():
        if name == beginning or name.startswith(f"{beginning}_"):
            rest = name.removeprefix(beginning).replace("_", " ").strip()
            return f"{what}, {rest}" if rest else what
    return name.replace("_", " ").capitalize() or "A run"
