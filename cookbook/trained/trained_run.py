"""A finished run as something that answers: its model and what describes it.

Nothing here imports Keras, so that `import cookbook` takes no time.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from cookbook.errors import Mistake, harmless


@dataclasses.dataclass(frozen=True)
class Description:
    """What a finished run says about its model."""

    kind: str  # such as "image classifier"
    recipe: str  # the recipe that trained it
    data: str  # the data that it learned
    classes: tuple[str, ...]  # what the outputs stand for; () where it has no classes
    settings: dict[str, Any]  # what preparing an input needs

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.kind} of {self.recipe}, learned from {self.data}"


def refuse_single(inputs: Any, expected: str) -> None:
    """Raises Mistake for one text or path, which Python would cut into characters."""
    if isinstance(inputs, str | bytes | Path):
        what = "path" if isinstance(inputs, Path) else "text"
        raise Mistake(f"predict got a {what}, expected {expected}: put it in brackets")


class TrainedRun:
    """A finished run whose model answers; `load_run` returns one.

    Each kind of model has a class of its own, whose `predict` takes raw inputs, such as
    pixels from 0 to 255 or texts, and returns answers that need no further work.

    Attributes:
        folder: the run folder.
        description: the kind of the model, its classes, and its settings.
        model: the keras.Model itself, without augmentation.
    """

    takes: ClassVar[str] = ""  # pictures, texts, series or classes
    # Whether each line of a text file is an input of its own.
    reads_lines: ClassVar[bool] = False

    def __init__(self, folder: Path, description: Description, model: Any) -> None:
        self.folder = folder
        self.description = description
        self.model = model

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.folder}: {self.description}>"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; () for a model that has none."""
        return self.description.classes

    def read(self, value: Any) -> Any:
        """An input of the command line, such as a file, as `predict` takes it.

        Raises ValueError, which says why, for an input that can't be answered.
        """
        return value

    def predict(self, inputs: Any) -> Any:
        """The answers to inputs, in their order."""
        raise NotImplementedError

    def fields(self, answer: Any) -> dict[str, Any]:
        """An answer as the columns of a table."""
        raise NotImplementedError

    def columns(self) -> list[str]:
        """The names of the columns that `fields` fills."""
        raise NotImplementedError

    def knows(self, value: Any) -> bool:
        """Whether the model has learned anything of what an input consists of."""
        return True

    def refuse_other_shape(self, expected: Sequence[int | None], what: str) -> None:
        """Raises Mistake if the model does not have the shape that describes it."""
        shape = getattr(self.model, what)
        if not isinstance(shape, tuple) or [*shape[1:]] != [*expected]:
            raise Mistake(
                harmless(
                    f"{self.folder} holds a model whose {what} is {shape}, which does "
                    "not fit its description: use another run"
                )
            )
