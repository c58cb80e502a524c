"""Labelled images: a set of TensorFlow Datasets, small digits, or the user's folder."""

import dataclasses
import typing
from functools import partial

import numpy as np

from cookbook.data.files.given import name_of_path, names_files, path_given
from cookbook.data.files.image_folder import read_image_folder
from cookbook.data.kinds import Kind
from cookbook.data.sources import DataSet, Part, choose, hold_out, read
from cookbook.errors import fail

VALIDATION_SHARE = 1 / 12  # of the training examples: 5,000 of MNIST's 60,000
TEST_SHARE = 1 / 6  # of all examples, where the source has one part only
PARTS = ("train", "validation", "test")


def _problem(info: typing.Any, smallest: int = 1, multiple: int = 1) -> str | None:
    """Why a network can't learn from these images, as a set's description tells."""
    feature = info.features["image"]
    if len(feature.shape) != 3 or None in feature.shape:
        return "has images of varying size: choose a set of one size"
    height, width, channels = feature.shape
    size = f"has images of {height} x {width} pixels"
    if channels not in (1, 3) or feature.np_dtype != np.uint8:
        return (
            f"has images of {channels} channels of {np.dtype(feature.np_dtype).name}: "
            "choose a set of grey images or of images in RGB, 8 bits each"
        )
    if min(height, width) < smallest:
        return (
            f"{size}: choose a set of at least {smallest} x {smallest}, which this "
            "network needs"
        )
    if height % multiple or width % multiple:
        return (
            f"{size}: choose a set with sides that are multiples of {multiple}, which "
            "this network needs"
        )
    return None


IMAGES = Kind(
    what="labelled images",
    features={"image": "Image", "label": "ClassLabel"},
    parts=("train",),
    examples=("mnist", "fashion_mnist", "cifar10"),
    stand_in="digits",
    files="a folder with one sub-folder of pictures per class",
    problem=_problem,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(DataSet):
    """A labelled image set; each part is (x, y), x uint8 (N, H, W, C), y int (N,)."""

    classes: tuple[str, ...]  # name of each label

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C) of one image."""
        return self.train[0].shape[1:]

    def one_hot(self) -> "Images":
        """The same images; labels of train and validation are rows of 0s and one 1."""

        def rows(x, y):
            return x, np.eye(len(self.classes), dtype="float32")[y]

        return dataclasses.replace(
            self, train=rows(*self.train), validation=rows(*self.validation)
        )

    def only(self, start: int, stop: int) -> "Images":
        """The images of the classes start to stop - 1, whose labels become 0, 1, ..."""

        def part(x, y):
            rows = (start <= y) & (y < stop)
            return x[rows], y[rows] - start

        chosen = {name: part(*getattr(self, name)) for name in PARTS}
        return dataclasses.replace(self, classes=self.classes[start:stop], **chosen)

    def few(self, count: int, seed: int = 0) -> "Images":
        """At most `count` images of each class, drawn at random; all of the test part.

        The rows are shuffled, so that the first of them hold all classes as well.
        """
        rng = np.random.default_rng(seed)

        def part(x, y):
            order = rng.permutation(len(y))
            of_class = [
                order[y[order] == label][:count] for label in range(len(self.classes))
            ]
            rows = rng.permutation(np.concatenate(of_class))
            return x[rows], y[rows]

        chosen = {name: part(*getattr(self, name)) for name in ("train", "validation")}
        return dataclasses.replace(self, **chosen)


def load_images(
    name: str,
    default: str,
    quick: bool = False,
    size: int = 28,
    seed: int = 0,
    *,
    smallest: int = 1,
    multiple: int = 1,
    fewest: int = 2,
) -> Images:
    """The image set `name`; "auto" means `default` or else the embedded digits.

    The validation part is cut from the training part at random. A set without a part
    named test gives up a share of its training part, always the same one.

    Args:
        name: a set of TensorFlow Datasets, "digits", "auto", or the path of a folder
            with one sub-folder of pictures per class.
        default: the set that "auto" asks for; `sources.choose` has the rules.
        quick: whether "auto" means the digits at once.
        size: pixels of each side to which the user's pictures are scaled and cut.
        seed: random seed of the validation part.
        smallest: pixels that each side must have, for a network that shrinks images.
        multiple: number that each side must be a multiple of, for a network that
            makes images.
        fewest: classes that the set must have.
    """
    if names_files(name):
        _check_size(size, smallest, multiple)
        return _from_folder(name, size, seed, fewest)
    problem = partial(_problem, smallest=smallest, multiple=multiple)
    kind = dataclasses.replace(IMAGES, problem=problem)
    name, asked = choose(name, default, kind, quick)
    if name == IMAGES.stand_in:
        (x, y), test, classes = _digits()
    else:
        (x, y), test, classes = _prepared(name)
    rest, held_out = hold_out(len(x), VALIDATION_SHARE, seed)
    counts = {"training": len(rest), "validation": len(held_out), "test": len(test[1])}
    kind.check_examples(name, counts)
    labels = {"train": y, "test": test[1]}
    kind.check_labels(name, labels, len(classes), fewest)
    return Images(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=test,
        classes=classes,
    )


def _check_size(side: int, smallest: int, multiple: int) -> None:
    """Ends the program if this network can't learn from images of this side."""
    if side < smallest or side % multiple:
        multiples = f" and a multiple of {multiple}" if multiple > 1 else ""
        fail(
            f"--image-size got {side}, expected at least {smallest}{multiples}, which "
            "this network needs"
        )


def _from_folder(name: str, size: int, seed: int, fewest: int) -> Images:
    """The user's pictures in a folder; many of them are streamed."""
    root = path_given(name, IMAGES.known, IMAGES.files)
    shares = {"test": TEST_SHARE, "validation": VALIDATION_SHARE}
    found = read_image_folder(root, size, shares, seed)
    if len(found.classes) < fewest:
        has = f"the classes {', '.join(found.classes)}"
        if len(found.classes) == 1:
            has = f"one class, {found.classes[0]!r}"
        fail(
            f"{root} has {has}, expected at least {fewest}: add a sub-folder for each "
            "other class"
        )
    return Images(
        name=name_of_path(root),
        asked=name_of_path(root),
        classes=found.classes,
        card=found.card,
        **found.parts,
    )


def _prepared(name: str) -> tuple[Part, Part, tuple[str, ...]]:
    """(train, test, names of the classes) of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    info = tfds.builder(name).info
    classes = tuple(info.features["label"].names)
    x, y = _labelled(name, "train")
    if "test" in info.splits:
        return (x, y), _labelled(name, "test"), classes
    rest, held_out = hold_out(len(x), TEST_SHARE, seed=0)
    return (x[rest], y[rest]), (x[held_out], y[held_out]), classes


def _labelled(name: str, split: str) -> Part:
    """(x, y) of a split, whatever else its examples hold."""
    part = read(name, split)
    return (part["image"], part["label"]) if isinstance(part, dict) else part


def centre(images: Images) -> dict[str, Part]:
    """{part: (x, y)}, x as float32 from -1 to 1, the range of a tanh."""
    parts = {}
    for name in PARTS:
        x, y = getattr(images, name)
        parts[name] = x.astype("float32") / 127.5 - 1, y
    return parts


def _digits() -> tuple[Part, Part, tuple[str, ...]]:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, enlarged to MNIST's 28 x 28."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = np.kron(bunch.images, np.ones((1, 3, 3))) * (255 / 16)
    x = np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].astype("uint8")
    y = bunch.target.astype("int64")
    order = np.random.default_rng(0).permutation(len(x))  # the test set never changes
    test, train = order[:360], order[360:]
    classes = tuple(str(digit) for digit in range(10))
    return (x[train], y[train]), (x[test], y[test]), classes
