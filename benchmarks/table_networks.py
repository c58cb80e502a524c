"""Rows of the table that need a recipe: training steps, decoding, feeding."""

import functools
import importlib
import importlib.util
import os
import time
import typing
from pathlib import Path

import keras

from benchmarks.counterparts import find
from benchmarks.feeding import RECIPES, begin, share_of_feeding
from benchmarks.measure import Step
from benchmarks.table_rows import Figure, Row, Sides

CHARACTERS = 500
SENTENCES = 200


def networks() -> list[Row]:
    """The rows of training steps."""
    return [
        Row(
            "training step of shakespeare_gpt with AdamW",
            _network_sides("shakespeare_gpt", _gpt_with_adamw),
            {"keras": 0.5, "torch": 1.0},
            is_network=True,
        ),
        Row(
            "training step of mnist_cnn without augmentation",
            _network_sides("mnist_cnn", _convnet_alone),
            {"torch": 1.0},
            is_network=True,
        ),
    ]


def figures() -> list[Figure]:
    """The rows that are a single number."""
    return [
        Figure("what augmentation adds to that step", added_by_augmentation, "%", 15),
        Figure(
            f"{CHARACTERS} characters of shakespeare_gpt", seconds_of_writing, "s", 2.5
        ),
        Figure(
            f"{SENTENCES} sentences of multi30k_transformer, beam 5",
            seconds_of_translating,
            "s",
            10,
        ),
        *(
            Figure(
                f"share of a step of {recipe} spent on feeding",
                functools.partial(share_of_a_step, recipe),
                "%",
                5,
            )
            for recipe in RECIPES
        ),
    ]


def _network_sides(recipe: str, make: typing.Callable[[], Step]) -> Sides:
    """Our parts, Keras's parts, and the network of torch_networks."""

    def theirs() -> Step:
        from benchmarks.keras_parts import keras_parts

        with keras_parts(recipe):
            return make()

    def of_torch() -> Step | None:
        if importlib.util.find_spec("torch") is None:
            return None
        from benchmarks import torch_networks

        config = importlib.import_module(f"recipes.{recipe}").Config()
        return getattr(torch_networks, recipe)(config)

    return {"ours": make, "keras": theirs, "torch": of_torch}


def _gpt_with_adamw() -> Step:
    """The step of shakespeare_gpt; AdamW and the loss come from the recipe's parts."""
    from benchmarks.training_steps import first_fit, training_step

    recipe = importlib.import_module("recipes.shakespeare_gpt")
    loss = recipe.SparseCategoricalCrossentropy
    ours, theirs = find("AdamW")
    is_ours = loss.__module__.startswith("custom_layers.")
    model, batch = first_fit("shakespeare_gpt")
    model.compile(
        optimizer=(ours if is_ours else theirs)(1e-3),
        loss=loss(from_logits=True),
        jit_compile=False,
    )
    step, _ = training_step(model, batch)
    return step


def _convnet_alone() -> Step:
    from benchmarks.training_steps import first_fit, training_step
    from cookbook.data.augmentation import without_augmentation

    model, batch = first_fit("mnist_cnn")
    model.train_on_batch(*batch)  # so that the optimizer has its state
    step, _ = training_step(without_augmentation(model), batch)
    return step


def added_by_augmentation() -> float:
    """What augmentation adds to a step of mnist_cnn, in percent of it."""
    from benchmarks.measure import compare, ratio
    from benchmarks.training_steps import first_fit, training_step

    whole, _ = training_step(*first_fit("mnist_cnn"))
    costs = compare({"whole": whole, "alone": _convnet_alone()})
    _, median, _ = ratio(costs["whole"], costs["alone"])
    return 100 * (median - 1)


def share_of_a_step(recipe: str) -> float:
    """What feeding takes of a step of the recipe, in percent."""
    share, _ = share_of_feeding(begin(recipe))
    return 100 * share


def seconds_of_writing() -> float:
    """Seconds in which a new GPT writes, what is compiled for it included."""
    from benchmarks.training_steps import first_fit
    from cookbook.answers.decoders import character_decoder
    from cookbook.answers.writers import write_on
    from cookbook.data.text.characters import load_characters

    recipe = importlib.import_module("recipes.shakespeare_gpt")
    config = recipe.Config()
    data = load_characters(config.data, "tiny_shakespeare", config.context)
    model, _ = first_fit("shakespeare_gpt")
    write = functools.partial(write_on, alphabet=data.alphabet, context=config.context)
    start = time.perf_counter()
    write(character_decoder(model), data.opening, CHARACTERS, seed=0)
    return time.perf_counter() - start


def seconds_of_translating() -> float:
    """Seconds in which a trained translator translates the first test sentences.

    An untrained one would not tell: it does not know when a sentence ends. The trained
    one is the newest run in the folder that the environment variable RUNS names, or in
    runs.
    """
    from cookbook import load_run
    from cookbook.data.text.translation import load_translations

    runs = Path(os.environ.get("RUNS", "runs"))
    if not [*runs.glob("multi30k_transformer/*/model.keras")]:
        raise LookupError(
            f"{runs} has no run of multi30k_transformer: train one, which takes half "
            "an hour, with python recipes/multi30k_transformer.py"
        )
    keras.backend.clear_session()
    recipe = importlib.import_module("recipes.multi30k_transformer")
    config = recipe.Config()
    data = load_translations(config.data, "multi30k", config.vocabulary, longest=40)
    run = load_run("multi30k_transformer", run_dir=runs)
    sources, _ = data.sentences["test"]
    start = time.perf_counter()
    run.predict(sources[:SENTENCES])
    return time.perf_counter() - start
