"""Copied components work without our packages, and `copy` answers at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import custom_layers
import oracle
from cookbook.pages.catalogue import ROOT
from cookbook.takeaway.copying import copy, copy_command, listing
from copied_components import write_copies

# Components that are given to each other must come from one file.
TOGETHER = [
    (
        "AttentionDecoderCell",
        "AttentionDecoder",
        "MonotonicAttentionDecoderCell",
        "ScheduledSamplingDecoder",
    )
]
MISTAKES = [
    # arguments, --to, --force, a part of the line
    (["lstm"], None, False, "did you mean LSTM?"),
    (["LTSM"], None, False, "did you mean LSTM?"),
    (["xyzzy"], None, False, "copy without names lists all"),
    (["losses.LSTM"], None, False, "LSTM stands in custom_layers.layers"),
    (["/tmp/x.LSTM"], None, False, "LSTM stands in custom_layers.layers"),
    ([""], None, False, "expected the name of a component"),
    ([], "new.py", False, "copy got no NAME"),
    ([], None, True, "copy got no NAME"),
    (["CRF"], None, True, "no --to FILE"),
    (["CRF"], ".", False, "is a folder: give a file in it, such as"),
    (["CRF"], "new", False, "does not end in .py"),
    (["CRF"], "keras.py", False, "would hide the module keras"),
    (["CRF"], "random.py", False, "my_random.py"),
    (["CRF"], "my-layers.py", False, "can't be imported"),
    (["CRF"], "my.layers.py", False, "can't be imported"),
    (["CRF"], "class.py", False, "can't be imported"),
    (["CRF"], "old.py", False, "exists: give another file, or --force"),
    (["CRF"], "old.py/new.py", False, "can't be written"),
]


@pytest.mark.parametrize(("names", "to", "force", "part"), MISTAKES)
def test_a_mistake_gets_one_line(names, to, force, part, tmp_path, capsys):
    old = tmp_path / "old.py"
    old.write_text("mine\n")
    with pytest.raises(SystemExit) as end:
        copy_command(names, tmp_path / to if to else None, force)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert part in error
    assert error.count("\n") == 1
    assert old.read_text() == "mine\n"
    assert list(tmp_path.iterdir()) == [old]


def test_without_names_all_components_are_listed():
    words = set(re.findall(r"\w+", listing()))
    assert words >= set(oracle.components())


def test_a_component_has_several_spellings():
    text = copy(["Dice"], None)
    for name in ("losses.Dice", "custom_layers.losses.Dice"):
        assert copy([name, "Dice"], None) == text
    assert copy(["custom_layers.losses.dice.Dice"], None) == text
    schedule = copy(["Noam"], None)
    assert copy(["optimizers.schedules.Noam"], None) == schedule


@pytest.mark.parametrize("name", ["swish", "activations.hard_swish"])
def test_a_second_name_comes_with_the_function_that_it_names(name):
    here = {}
    exec(copy([name], None), here)
    short = name.split(".")[-1]
    first = short.replace("swish", "silu")
    assert here[short] is here[first]
    x = np.linspace(-4, 4, 9, dtype="float32")
    theirs = getattr(keras.activations, first)(x)
    np.testing.assert_allclose(here[short](x), theirs, rtol=1e-5, atol=1e-6)


def test_a_file_says_where_it_comes_from_and_is_replaced_on_demand(tmp_path, capsys):
    to = tmp_path / "deep" / "my_layers.py"
    copy_command(["L1", "Dice"], to, force=False)
    text = to.read_text(encoding="utf-8")
    head = text.split("\n\n")[0].replace("\n# ", " ")
    for part in ("Keras Cookbook 0.", "L1, Dice.", "Apache-2.0", '"AS IS"'):
        assert part in head
    assert set(re.findall(r'\(package="(.*)"\)', text)) == {"my_layers"}
    assert "keras_cookbook" not in text
    copy_command(["L1"], to, force=True)
    assert "Dice" not in to.read_text(encoding="utf-8")
    assert capsys.readouterr().out.count(f"{to} holds L1") == 2


def test_copying_answers_at_once_without_keras():
    command = [sys.executable, "-X", "importtime", "-m", "cookbook", "copy", "LSTM"]
    before = os.times()
    done = subprocess.run([*command, "CRF"], cwd=ROOT, capture_output=True, text=True)
    after = os.times()
    assert done.returncode == 0, done.stderr
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    assert spent < 1  # 0.3 s of a processor
    for heavy in ("tensorflow", "keras", "numpy"):
        assert not re.search(rf" {heavy}\n", done.stderr)


def test_a_reader_may_stop_early():
    names = ["TransformerDecoderBlock", "AdversarialModel", "LSTM"]
    command = [sys.executable, "-m", "cookbook", "copy", *names]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
def test_a_copy_and_ours_work_in_one_process(tmp_path, monkeypatch):
    """Each keeps its name in Keras's registry, and files of both load."""
    copy_command(["LSTM"], tmp_path / "taken_along.py", force=False)
    monkeypatch.syspath_prepend(tmp_path)
    import taken_along

    x = oracle.array(2, 4, 5)
    for module in (taken_along, custom_layers.layers, taken_along):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((4, 5)), module.LSTM(3)])
        path = tmp_path / f"{module.__name__}.keras"
        model.save(path)
        again = keras.models.load_model(path, safe_mode=True)
        assert type(again.layers[0]) is module.LSTM
        np.testing.assert_array_equal(again(x), model(x))
        np.testing.assert_array_equal(again(x), again.layers[0](x))


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A folder with a copy of every component, and one with all in one file."""
    folder = tmp_path_factory.mktemp("copied")
    assert write_copies(folder, TOGETHER) > 200
    (folder / "alone").mkdir()
    copy_command(sorted(oracle.components()), folder / "alone" / "everything.py", False)
    return folder


def without_us(folder):
    """The environment of a process that finds the copies, and not this checkout."""
    helpers = Path(oracle.__file__).parent
    path = os.pathsep.join([str(folder), str(helpers)])
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.slow
def test_every_copy_is_clean_for_ruff_and_registers_under_its_name(copies):
    config = str(ROOT / "pyproject.toml")
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", config]
        command += ["copies", "alone"]
        done = subprocess.run(command, cwd=copies, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:]
    for path in (copies / "copies").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        registered = re.findall(r'register_keras_serializable\(\s*package="(.*)"', text)
        assert set(registered) <= {path.stem}
        assert "custom_layers" not in re.sub(r'"""[\s\S]*?"""', "", text)


@pytest.mark.slow
def test_all_components_work_in_one_file(copies):
    code = "import everything as e; print(e.LSTM(2)(e.keras.ops.ones((1, 2, 3))).shape)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copies / "alone",
        env=without_us(copies / "alone"),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "(1, 2)\n", done.stderr[-2000:]


@pytest.mark.slow
def test_copies_pass_the_contract_and_the_oracle_without_our_packages(copies):
    families = "activations constraints convolution crf dense initializers losses"
    families += " normalization optimizers pooling recurrent regularizers schedules"
    tests = ROOT / "tests" / "custom_layers"
    helpers = tests.parent / "helpers"
    # All of them in one process, which may use more memory than the quick tests may.
    chosen = "not slow and not long"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", chosen]
    command += ["-c", str(ROOT / "pyproject.toml"), "-p", "copied_components"]
    command += ["-p", "no:cacheprovider", "-o", f"pythonpath={copies} {helpers}"]
    command += [str(tests / "test_contract.py")]
    command += [str(tests / f"test_{family}.py") for family in families.split()]
    done = subprocess.run(
        command, cwd=copies, env=without_us(copies), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
