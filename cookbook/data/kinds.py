"""Kinds of data sets: what a recipe can learn from, and why it refuses the others."""

import dataclasses
import difflib
import os
import re
import typing
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cookbook.errors import fail

# A name as TensorFlow Datasets writes it: NAME, NAME/CONFIG, NAME:VERSION.
NAME = re.compile(r"[a-z][a-z0-9_]*(/[\w.+-]+)?(:[\d*]+\.[\d*]+\.[\d*]+)?", re.ASCII)
LONGEST_NAME = 100  # characters


@dataclasses.dataclass(frozen=True)
class Kind:
    """The sets of TensorFlow Datasets that a recipe can learn from."""

    what: str  # "labelled images"
    # {feature that such a set has: its class in tfds.features}
    features: Mapping[str, str]
    parts: tuple[str, ...]  # splits that such a set has, as it is stored
    examples: tuple[str, ...]  # names of such sets
    stand_in: str  # name of the embedded set, for use without a network
    files: str  # what a path may lead to: "a folder of pictures"
    # Why a recipe can't use the set that this description is of, or None.
    problem: Callable[[typing.Any], str | None] = lambda info: None

    @property
    def advice(self) -> str:
        """The end of a message that refuses a data set."""
        return f"choose another one, such as {' or '.join(self.examples)}"

    def check_name(self, name: str) -> None:
        """Ends the program if no data set can have this name."""
        if len(name) <= LONGEST_NAME and NAME.fullmatch(name):
            return
        hint = self._hint(name.lower(), self.known)
        fail(
            f"--data got {shown(name)}, which is not the name of a data set: "
            f"{hint}{self._expected}"
        )

    def check_exists(self, name: str, names: Sequence[str]) -> None:
        """Ends the program if the set is not among these names."""
        base, *_ = re.split("[/:]", name)
        if base in names:
            return
        hint = self._hint(name, [*names, self.stand_in])
        fail(f"unknown data set {shown(name)}: {hint}{self._expected}")

    def _hint(self, name: str, names: Sequence[str]) -> str:
        """A question that names the most similar names, or nothing."""
        near = difflib.get_close_matches(name, names, n=3)
        if not near:
            return ""
        return f"did you mean {' or '.join(near)}? "

    @property
    def known(self) -> tuple[str, ...]:
        """Names that are always accepted."""
        return (*self.examples, self.stand_in, "auto")

    @property
    def _expected(self) -> str:
        return (
            f"expected {self.stand_in} or a set of TensorFlow Datasets with "
            f"{self.what}, such as {', '.join(self.examples)}, or the path of "
            f"{self.files}"
        )

    def check_features(self, name: str, info: typing.Any) -> None:
        """Ends the program if the set, as it is described, is of another kind."""
        import tensorflow_datasets as tfds

        # A set may also have a single feature without a name, or none at all.
        has_names = hasattr(info.features, "items")
        features = dict(info.features.items()) if has_names else {}
        for feature, type_name in self.features.items():
            if not isinstance(features.get(feature), getattr(tfds.features, type_name)):
                fail(f"data set {name!r} has no {self.what}: {self.advice}")
        if problem := self.problem(info):
            fail(f"data set {name!r} {problem}, such as {', '.join(self.examples)}")

    def check_parts(self, name: str, splits: Mapping[str, typing.Any]) -> None:
        """Ends the program if a part that a recipe reads is missing or empty."""
        for part in self.parts:
            if part not in splits:
                found = ", ".join(splits) or "none"
                fail(
                    f"data set {name!r} has no part named {part}, only {found}: "
                    f"{self.advice}"
                )
            if not splits[part].num_examples:
                fail(f"part {part} of data set {name!r} is empty: {self.advice}")

    def check_examples(self, name: str, counts: Mapping[str, int]) -> None:
        """Ends the program if a part is empty, once validation is cut from training."""
        if not all(counts.values()):
            each = [f"{count} for {part}" for part, count in counts.items()]
            found = ", ".join(each)
            fail(f"data set {name!r} has too few examples ({found}): {self.advice}")

    def check_labels(
        self, name: str, labels: Mapping[str, np.ndarray], classes: int, fewest: int = 2
    ) -> None:
        """Ends the program if there are too few classes, or if a label is none of them.

        labels: {part: the labels of its examples}; fewest: classes that a recipe needs.
        """
        if classes < fewest:
            plural = "" if classes == 1 else "es"
            fail(
                f"data set {name!r} has {classes} class{plural}, expected at least "
                f"{fewest}: {self.advice}"
            )
        for part, y in labels.items():
            is_wrong = (y < 0) | (y >= classes)
            wrong = y[is_wrong]
            if len(wrong):
                fail(
                    f"data set {name!r} has the label {wrong[0]} in its {part} part, "
                    f"expected labels from 0 to {classes - 1}: {self.advice}"
                )


def shown(name: str) -> str:
    """A name in quotes, cut if it is long."""
    if len(name) > LONGEST_NAME:
        half = LONGEST_NAME // 2
        name = f"{name[:half]}..."
    return repr(name)


def check_data_folder() -> None:
    """Ends the program if TFDS_DATA_DIR names something that holds no data sets."""
    folder = os.environ.get("TFDS_DATA_DIR", "")
    if not os.path.exists(folder):
        return

    problem = None
    if not os.path.isdir(folder):
        problem = "is not a folder"
    elif not os.access(folder, os.R_OK | os.X_OK):
        problem = "can't be read"

    if problem:
        fail(
            f"TFDS_DATA_DIR is {shown(folder)}, which {problem}: set it to a folder of "
            "data sets, or leave it out"
        )
