"""Files of a live model: its networks, its settings, and ten examples for its test."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook import load_run
from cookbook.errors import Mistake, fail
from cookbook.exports.converters.formats import NotPossible, write_network
from cookbook.exports.signature import Exported, exported
from cookbook.exports.steps import step_of
from cookbook.live import examples
from cookbook.live.evidence import with_evidence
from cookbook.live.tables import shrink_tables
from cookbook.trained.trained_run import TrainedRun

LARGEST = 5_000_000  # bytes of a network above which its tables are shrunk
FACTS = ("data", "parameters", "cpu_seconds", "seed", "machine", "command", "date")


@dataclass(frozen=True)
class LivePage:
    """A page on which models of one kind answer."""

    name: str
    recipe: str  # which one to train first, if there is no model
    examples: Callable[[Any], list[dict[str, Any]]]
    has_step: bool = False  # whether the page needs the step instead of the network


PAGES = {
    "image classifier": LivePage("draw_a_digit", "mnist_cnn", examples.image_examples),
    "text classifier": LivePage("type_a_review", "imdb_cnn", examples.review_examples),
    "language model": LivePage(
        "continue_a_text", "shakespeare_gpt", examples.opening_examples, has_step=True
    ),
    "image generator": LivePage(
        "generate_digits", "mnist_cgan", examples.generator_examples
    ),
    "translation": LivePage(
        "translate_a_sentence",
        "multi30k_attention",
        examples.sentence_examples,
        has_step=True,
    ),
}


@dataclass(frozen=True)
class _OneImage:
    """A network that takes one image, ready to be exported."""

    plain: keras.Model
    shape: tuple[int, ...]

    def specs(self, batch: int | None = None) -> list[keras.InputSpec]:
        return [keras.InputSpec("float32", (1, *self.shape), name="pixels")]


def write_live_models(runs: Iterable[str | Path], target: Path) -> dict[str, Any]:
    """Writes a folder for each run's page, and index.json, which lists the pages.

    Args:
        runs: run folders, or names of recipes for their newest runs; at most one for
            each page, since a later one replaces an earlier.
        target: the folder `playgrounds/models` of the site.

    Returns: what index.json holds: {page: facts about its model}. A run that can't be
    used ends the program with one line.
    """
    index: dict[str, Any] = {}
    for run in runs:
        try:
            page, facts = write_live_model(run, target)
        except Mistake as problem:
            fail(str(problem))
        index[page] = facts
    target.mkdir(parents=True, exist_ok=True)
    _write_json(target / "index.json", index)
    return index


def write_live_model(run: str | Path, target: Path) -> tuple[str, dict[str, Any]]:
    """Writes the folder of one run's page; returns the page's name and the facts.

    Raises Mistake for a run that is damaged, or of a kind that has no page.
    """
    trained = load_run(run)
    page = PAGES.get(trained.description.kind)
    if page is None:
        kinds = ", ".join(PAGES)
        raise Mistake(
            f"{trained.folder} holds a model of the kind {trained.description.kind}, "
            f"expected one that has a page: {kinds}"
        )
    folder = target / page.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        extra = _write_networks(trained, page, folder)
    except NotPossible as problem:
        raise Mistake(f"{trained.folder} can't become ONNX: {problem}") from None
    tests = page.examples(trained)
    _write_json(folder / "examples.json", tests)
    _write_json(folder / "settings.json", {**trained.description.settings, **extra})
    return page.name, _facts(trained, folder)


def _write_networks(
    trained: TrainedRun, page: LivePage, folder: Path
) -> dict[str, Any]:
    """Writes what the page runs; returns what it needs to know about it."""
    network = exported(trained.model, trained.description)
    extra: dict[str, Any] = {"classes": list(trained.classes)}
    step = step_of(network) if page.has_step else None
    if step:
        write_network(step, "onnx", folder / "step.onnx")
        if step.encoder:
            write_network(step.encoder, "onnx", folder / "encoder.onnx")
        extra["states"] = list(step.states)
        return extra
    path = folder / "model.onnx"
    one = _with_heat(trained, network)
    write_network(one or network, "onnx", path)
    extra["evidence"] = one is not None
    extra["is_shrunk"] = path.stat().st_size > LARGEST
    if extra["is_shrunk"]:
        shrink_tables(path)
    if words := trained.description.settings.get("words"):
        extra["words"] = " ".join(words)  # shorter than a list of texts
    return extra


def _with_heat(trained: TrainedRun, network: Exported) -> _OneImage | None:
    """The network with Grad-CAM beside its logits, if both are right."""
    if trained.description.kind != "image classifier":
        return None
    found = with_evidence(network.network)
    if found is None:
        return None
    shape = tuple(trained.description.settings["shape"])
    x = np.random.default_rng(0).uniform(0, 255, (1, *shape)).astype("float32")
    logits, heat = map(keras.ops.convert_to_numpy, found(x))
    expected = network.answer({"pixels": x})
    has_heat = heat.shape[0] == len(trained.classes)
    is_right = has_heat and np.abs(logits - expected).max() <= 1e-4
    return _OneImage(found, shape) if is_right else None


def _facts(trained: TrainedRun, folder: Path) -> dict[str, Any]:
    """What the page says about its model."""
    metrics = json.loads((trained.folder / "metrics.json").read_text(encoding="utf-8"))
    measured = {}
    for name, value in metrics.items():
        if name == "expected":  # what follows is about the run
            break
        if isinstance(value, float):
            measured[name] = value
    files = sorted(path for path in folder.iterdir() if path.suffix == ".onnx")
    return {
        "recipe": trained.description.recipe,
        "files": {path.name: path.stat().st_size for path in files},
        "measured": measured,
        **{name: metrics.get(name) for name in FACTS},
    }


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
