"""Every recipe, by discovery: runs --quick, learns, tunes, survives being broken."""

import importlib
import json

import keras
import numpy as np
import pytest

from answering import check_answers
from cookbook.command_line import parse
from cookbook.pages.catalogue import ROOT, components, recipes
from cookbook.tuning.spaces.space import Space
from custom_layers import activations
from exported import check_exported
from small_spaces import drawn

# A recipe with a search space trains one model on data; the others are the lab's.
NAMES = [e.name for e in recipes() if "\ndef space(" in (ROOT / e.file).read_text()]
LABS = [entry.name for entry in recipes() if entry.name not in NAMES]

# Headline figure that --quick must reach on the embedded data.
BARS = {
    "addition_seq2seq": 0.3,
    "cifar10_resnet": 0.95,
    "cifar10_vit": 0.9,
    "digit_strings_ctc": 0.3,
    "english_tagging_crf": 0.95,
    "gan_anomaly": 0.8,
    "gan_augment": 0.8,
    "imdb_cnn": 0.85,
    "imdb_minilm": 0.57,
    "imdb_rnn": 0.85,
    "imdb_transformer": 0.75,
    "mnist_cnn": 0.95,
    "mnist_metric_learning": 0.9,
    "mnist_mlp": 0.95,
    "multi30k_attention": 50,
    "multi30k_transformer": 50,
    "mnist_transfer": 0.93,
    "mnist_vae": -400,
    "printed_to_handwritten_cyclegan": 0.6,
    "ring_gan": 0.4,
    "spoken_digit_rnn": 0.6,
    "style_transfer": 10,
}
# The same where the headline is an error, which must not be larger.
CEILINGS = {
    "mnist_cgan": 12.0,
    "mnist_diffusion": 12.0,
    "mnist_gan": 33.0,
    "mnist_wgan_gp": 18.0,
    "mackey_glass_rnn": 0.15,
    "shakespeare_gpt": 1.2,
    "shakespeare_rnn": 1.6,
}


@pytest.fixture(autouse=True)
def networks_of_all_tests(tmp_path, tmp_path_factory):
    """The networks that recipes train and keep, such as a judge, learn once."""
    networks = tmp_path_factory.getbasetemp() / "networks"
    networks.mkdir(exist_ok=True)
    (tmp_path / "networks").symlink_to(networks)


def start(name, folder, *arguments):
    """The recipe's main with --quick, its layers named as in a process of its own."""
    keras.backend.clear_session(free_memory=False)
    recipe = importlib.import_module(f"recipes.{name}")
    flags = ["--quick", "--run-dir", str(folder), *arguments]
    return recipe.main(parse(recipe.Config, flags))


def run(name, folder, *arguments):
    """(metrics, run folder) of a new run, whose folder is also in what main returns."""
    before = set(folder.glob("*/*/"))
    result = start(name, folder, *arguments)
    (path,) = set(folder.glob("*/*/")) - before
    assert result.folder == path
    return json.loads((path / "metrics.json").read_text()), path


def slow_but(*quick, names=NAMES):
    """The names for `parametrize`; all but the quick ones are marked slow."""
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]


def test_every_recipe_has_a_bar():
    assert {*BARS, *CEILINGS} == set(NAMES)


def same_in_every_run(metrics):
    """The figures, the weights' checksum, and all else but times and dates."""
    return {k: v for k, v in metrics.items() if "seconds" not in k and k != "date"}


class Killed(Exception):
    """What stands for a kill inside one process."""


@pytest.mark.parametrize("name", slow_but("mnist_mlp"))
def test_quick_learns_exports_answers_and_broken_midway_ends_with_the_same_bits(
    name, tmp_path, tmp_path_factory, capfd, monkeypatch
):
    """One test for four things, since each run of a recipe takes seconds."""
    steps = []
    monkeypatch.setattr(
        "cookbook.training.train.count_step", lambda: steps.append(name)
    )
    metrics, path = run(name, tmp_path)
    headline, value = next(iter(metrics.items()))
    assert BARS.get(name, value) <= value <= CEILINGS.get(name, value)
    for file in ("config.json", "history.csv", "model.keras", "curves.png"):
        assert (path / file).stat().st_size > 0
    last = capfd.readouterr().out.strip().splitlines()[-1]
    assert last.startswith(f"{headline} {value:.4f} (")
    assert last.endswith(str(path / "report.html"))
    check_exported(path / "model.keras", tmp_path_factory.mktemp("exported"))
    check_answers(path)

    def kill():
        steps.pop()
        if len(steps) == middle:
            raise Killed

    middle = len(steps) // 2
    monkeypatch.setattr("cookbook.training.train.count_step", kill)
    with pytest.raises(Killed):
        run(name, tmp_path)
    monkeypatch.undo()
    start(name, tmp_path, "--resume")
    (path,) = set(tmp_path.glob("*/*/")) - {path}
    resumed = json.loads((path / "metrics.json").read_text())
    assert same_in_every_run(resumed) == same_in_every_run(metrics)


@pytest.mark.slow
def test_another_seed_gives_other_weights(tmp_path):
    weights = {run("mnist_mlp", tmp_path, "--seed", s)[0]["weights"] for s in "12"}
    assert len(weights) == 2


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_starts_from_its_seed(name):
    source = (ROOT / "recipes" / f"{name}.py").read_text()
    assert "seed_everything(config.seed)" in source


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_counts_its_steps_by_the_same_function(name):
    source = (ROOT / "recipes" / f"{name}.py").read_text()
    assert "training_steps(config, " in source


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mackey_glass_rnn", "mnist_transfer"])
def test_a_batch_larger_than_the_training_set_trains_one_step_per_epoch(name, tmp_path):
    flags = "--epochs", "1", "--batch-size", "9999"
    metrics, _ = run(name, tmp_path, *flags)
    assert metrics["epochs"] == 1


@pytest.mark.parametrize("name", slow_but("mnist_mlp"))
def test_tunes(name, tmp_path):
    """The defaults, one trial and its answer; test_tuning.py has long searches."""
    _, path = run(name, tmp_path, "--tune", "1", "--epochs", "1")
    assert len((path / "tuning.csv").read_text().strip().splitlines()) == 3


@pytest.mark.parametrize("name", NAMES)
def test_the_defaults_and_all_that_the_space_proposes_are_valid_configs(name):
    recipe = importlib.import_module(f"recipes.{name}")
    config = recipe.Config(tune=1)
    space = Space(recipe.space, config)
    assert space.dimensions
    assert space.configure(space.defaults()) == config
    rng = np.random.default_rng(0)
    for _ in range(20):
        proposed = space.configure(drawn(space, rng))
        assert isinstance(proposed, recipe.Config)


@pytest.mark.parametrize(
    "name", slow_but("backprop_by_hand", "losses_kl_both_ways", names=LABS)
)
def test_a_lab_recipe_proves_its_claims_and_draws_them(name, tmp_path, capfd):
    metrics, path = run(name, tmp_path)
    failed = [claim for claim in metrics["claims"] if not claim["holds"]]
    assert metrics["claims"]
    assert not failed
    assert [*path.glob("*.png"), *path.glob("*.svg")]
    assert " claims hold | " in capfd.readouterr().out.strip().splitlines()[-1]


def test_the_worked_example_with_trained_biases_has_the_exact_error(tmp_path):
    metrics, _ = run("backprop_by_hand", tmp_path, "--train-biases")
    claims = [c for c in metrics["claims"] if "the exact one" in c["text"]]
    assert [claim["holds"] for claim in claims] == [True]
    assert claims[0]["bound"] == 1e-15


def test_the_worked_example_refuses_sizes_that_do_not_fit(tmp_path, capfd):
    for sizes in (["3", "2"], ["2"], ["2", "4"]):
        with pytest.raises(SystemExit) as stop:
            run("backprop_by_hand", tmp_path, "--sizes", *sizes)
        assert stop.value.code == 2
        assert "--sizes got" in capfd.readouterr().err


def test_the_gallery_shows_every_activation():
    functions = {
        entry.name
        for entry in components()
        if entry.file.startswith("custom_layers/activations") and entry.name.islower()
    }
    assert len(functions) > 25
    gallery = importlib.import_module("recipes.activations_gallery")
    for name in functions:
        assert getattr(gallery, name, None) is getattr(activations, name)
