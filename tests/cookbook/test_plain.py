"""Plain scripts: short, with Keras's own classes, and as good as the recipes."""

import ast
import datetime
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from cookbook.one_file.source import is_ours
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.plain.edits import as_plain
from cookbook.plain.script import plain_script
from cookbook.plain.sources import KERAS
from cookbook.plain.wordings import reworded
from cookbook.takeaway.bundle import RULES
from cookbook.takeaway.trimming import trimmed

NAMES = [entry.name for entry in recipes()]
MOST = 250  # lines of a script
A_DAY = 6  # recipes of which a day's tests train the plain scripts
# What needs more, and why: components that Keras lacks, or the experiment's own code.
LONGER = {
    "activations_gallery": 263,  # a picture of 30 functions, and two experiments
    "attention_variants": 520,  # eleven kinds of blocks, positions, and long texts
    "augmentation_compared": 375,  # nine kinds of augmentation, at three sizes, in fog
    "backprop_by_hand": 260,  # every number of a step, and three other ways to them
    "cifar10_resnet": 260,  # whitening, and a class of random shifts and flips
    "cifar10_vit": 305,  # blocks of attention, and a mixer in their place
    "digit_strings_ctc": 700,  # strings of recordings, their errors, a plain method
    "english_tagging_crf": 410,  # a CRF, the characters of words, two networks
    "early_stopping": 300,  # the callback, replayed for many patiences
    "epochs_and_batches": 400,  # three experiments with many networks at once
    "gan_anomaly": 345,  # a GAN, an encoder, and two other scores of anomalies
    "gan_augment": 380,  # a conditional GAN and the classifiers that learn from it
    "imdb_cnn": 345,  # two networks, one of which counts words and pairs
    "imdb_minilm": 510,  # word pieces, and weights that a package brings
    "imdb_transformer": 270,  # a block of attention, pairs of words, batches by length
    "mnist_cgan": 268,  # two networks that know labels, and one that judges images
    "mnist_diffusion": 394,  # a U-Net, the model of noise, a network that judges images
    "mnist_vae": 300,  # a class with the bounds of the likelihood
    "mnist_gan": 315,  # two networks, kinds of images, and one that judges images
    "mnist_metric_learning": 460,  # five losses, pairs, and two ways to measure
    "mnist_wgan_gp": 330,  # the gradient penalty, and a network that judges images
    "multi30k_attention": 435,  # attention in a cell, two languages, beam search
    "multi30k_transformer": 470,  # rotary attention, two languages, beam search
    "optimizers_compared": 352,  # two experiments with many networks at once
    "printed_to_handwritten_cyclegan": 422,  # four networks, fonts, and a judge
    "schedules_compared": 410,  # eight schedules for many networks at once
    "second_order_compared": 1440,  # nine optimizers, of which Keras lacks six
    "shakespeare_gpt": 255,  # a block of rotary attention, and how it writes
    "spoken_digit_rnn": 400,  # recordings, melodies in their place, a plain method
    "style_transfer": 332,  # a network that learns first, and its features
    "vanishing_gradients": 310,  # gradients through depth and time, and their cures
}
# Runs scripts one after another where our packages cannot be imported.
RUNNER = """
import importlib.abc, json, sys, types
class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cookbook", "custom_layers", "recipes"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
for file in sys.argv[1:]:
    script = types.ModuleType("script")
    sys.modules["script"] = script
    exec(compile(open(file).read(), file, "exec"), script.__dict__)
    figures = script.main(script.Config(quick=True))
    print("FIGURES", json.dumps({k: float(v) for k, v in figures.items()}))
"""


@cache
def script_of(name):
    return plain_script(ROOT / "recipes" / f"{name}.py")


def modules_in(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_short_and_imports_none_of_ours(name):
    text = script_of(name)
    compile(text, name, "exec")
    assert len(text.splitlines()) <= LONGER.get(name, MOST)
    assert not [module for module in modules_in(text) if is_ours(module)]
    assert ast.get_docstring(ast.parse(text))


def test_scripts_pass_ruff(tmp_path):
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(script_of(name), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    done = subprocess.run(
        [*ruff, "check", *RULES, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*ruff, "format", "--isolated", "--check", tmp_path])
    assert done.returncode == 0


def test_the_command_is_quick_and_imports_no_backend(tmp_path):
    code = (
        "import sys, time\n"
        f"sys.argv[1:] = ['bundle', 'imdb_rnn', '--plain', '--to', {str(tmp_path)!r}"
        " + '/mine.py']\n"
        "from cookbook.__main__ import main\n"
        "main()\n"
        "assert not {'keras', 'tensorflow', 'numpy'} & {*sys.modules}\n"
        "assert time.process_time() < 1, time.process_time()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == script_of("imdb_rnn")


def names_from_keras():
    for namespace, names in KERAS.items():
        for name in names.split():
            yield namespace, name


def test_what_a_script_takes_from_keras_passes_keras_own_tests_in_our_form():
    tested = (ROOT / "tests" / "custom_layers" / "test_keras_own.py").read_text()
    for namespace, name in names_from_keras():
        keras_module = importlib.import_module(f"keras.{namespace}")
        ours = importlib.import_module(f"custom_layers.{namespace}")
        assert hasattr(keras_module, name), name
        assert hasattr(ours, name), name
        assert re.search(rf'[" ]{name}[" ]', tested), name


def imported_names(script):
    """{name: (module, name)} of the statements `from module import name`."""
    return {
        alias.name: (statement.module, alias.name)
        for statement in script.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def keras_function(called, imported):
    """What a script calls as `Dense` or `layers.Dense`, if it is Keras's."""
    first, *rest = called.split(".")
    module, name = imported.get(first, (first, ""))
    if module.split(".")[0] != "keras" or not all(map(str.isidentifier, rest)):
        return None
    found = importlib.import_module(module)
    for part in filter(None, [name, *rest]):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_script_calls_keras_with_arguments_that_keras_has(name):
    tree = ast.parse(script_of(name))
    imported = imported_names(tree)
    given = {}  # {function: the keywords of all its calls}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(
            node.func, ast.Name | ast.Attribute
        ):
            keywords = {option.arg for option in node.keywords if option.arg}
            given.setdefault(ast.unparse(node.func), set()).update(keywords)
    found = {called: keras_function(called, imported) for called in given}
    assert any(found.values())
    for called, function in found.items():
        if function is not None and given[called]:
            known = inspect.signature(function).parameters
            base = {"name", "dtype", "trainable"} if inspect.isclass(function) else {}
            assert given[called] <= {*known, *base}, (called, given[called])


def test_the_functions_of_keras_are_told_from_others():
    imported = imported_names(ast.parse("from keras import layers"))
    dense = keras_function("layers.Dense", imported)
    assert dense.__name__ == "Dense"
    assert "colour" not in inspect.signature(dense).parameters
    assert keras_function("print", imported) is None


def test_namespaces_take_the_place_of_imports_that_are_too_long_for_a_line():
    text = script_of("mnist_cnn")
    assert "\nfrom keras import layers\n" in text
    assert "layers.Conv2D(" in text
    assert "keras.layers" not in text
    for name in NAMES:
        if "\nfrom keras.layers import (\n" in script_of(name):
            assert re.search(r"\blayers\b.* = ", script_of(name)), "a variable"


def test_functions_with_the_name_of_a_method_of_data_stay():
    for text in ("x = ops.one_hot(kind, 3)\n", "y = keras.ops.one_hot(kind, 3)\n"):
        assert as_plain(text) == text
    assert as_plain("data = data.one_hot()\n") == "data = one_hot(data)\n"


def test_wordings_that_no_longer_fit_are_refused():
    with pytest.raises(ValueError, match="no longer has the lines"):
        reworded("cifar10_resnet", "Another text.")


def table_of(name):
    """A table of bars for --quick, as the recipes' own tests have it."""
    tree = ast.parse((ROOT / "tests" / "recipes" / "test_recipes.py").read_text())
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(value)


@pytest.mark.slow
def test_scripts_reach_the_bars_of_the_recipes(tmp_path):
    """Six recipes, which change with the date; all of them take too long.

    They are others than those of which test_bundle.py trains the bundles on that day.
    """
    bars, ceilings = table_of("BARS"), table_of("CEILINGS")
    first = A_DAY * datetime.date.today().toordinal() + len(NAMES) // 2
    chosen = [NAMES[(first + i) % len(NAMES)] for i in range(A_DAY)]
    for name in chosen:
        (tmp_path / f"{name}.py").write_text(script_of(name), encoding="utf-8")
    files = [tmp_path / f"{name}.py" for name in chosen]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [x for x in done.stdout.splitlines() if x.startswith("FIGURES ")]
    for name, line in zip(chosen, lines, strict=True):
        figures = json.loads(line.removeprefix("FIGURES "))
        value = next(iter(figures.values()))
        if name in {*bars, *ceilings}:
            assert bars.get(name, value) <= value <= ceilings.get(name, value)
        else:  # claims of the lab, of which a few depend on the seed
            assert sum(figures.values()) >= 0.7 * len(figures), figures


def test_trimming_ends_where_an_idle_name_fills_a_branch_that_an_else_needs():
    branch = "    if x > 0:\n        idle = 1\n    else:\n        x = -x\n"
    text = f"def f(x):\n    also_idle = 2\n{branch}    return x\n"
    short = trimmed(text, set())
    assert "also_idle" not in short
    assert branch in short
