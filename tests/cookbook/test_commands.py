"""Commands: `python -m cookbook` lists, describes itself, and writes in a checkout."""

import functools
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cookbook.pages.catalogue
from cookbook.__main__ import Command, main
from cookbook.pages.catalogue import components

ROOT = Path(__file__).parents[2]


def command(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["cookbook", *words])
    main()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list", "show only entries"),
        ("index", "docs/components.md"),
        ("results", "a run folder"),
        ("check", ".keras file"),
        ("copy", "such as LSTM"),
        ("tune", "trials that are trained at once"),
    ],
)
def test_each_command_describes_itself_and_its_arguments(
    name, text, monkeypatch, capsys
):
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, name, "--help")
    assert stop.value.code == 0
    assert text in capsys.readouterr().out


def test_list_shows_the_import_line_of_every_component(monkeypatch, capsys):
    command(monkeypatch, "list")
    out = capsys.readouterr().out
    assert "python recipes/NAME.py" in out
    _, layers = out.split("from custom_layers.layers import ...")
    assert "\n  LSTM " in layers.split("from custom_layers")[0]
    for entry in components():
        assert entry.name in out
        assert f"from {entry.namespace} import" in out


def test_list_filters_by_a_word(monkeypatch, capsys):
    command(monkeypatch, "list", "lstm")
    lines = capsys.readouterr().out.splitlines()
    entries = [line for line in lines if line.startswith("  ")]
    assert entries
    assert all("lstm" in line.lower() for line in entries)


def test_list_ends_quietly_when_its_reader_stops():
    process = subprocess.Popen(
        [sys.executable, "-m", "cookbook", "list"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "flux capacitor"], "contains 'flux capacitor'"),
        (["check"], "check got no FILE"),
        (["check", ""], "check got no FILE"),
        (["check", "nowhere.keras"], "there is no file of that name"),
        (["results"], "results got no FOLDER"),
        (["results", ""], "results got no FOLDER"),
        (["results", "nowhere"], "there is no folder nowhere, so"),
        (["results", "docs"], "docs holds no metrics.json"),
        (["tune", "--tune", "3"], "tune got no recipe"),
        (["tune", "a.py", "b.py"], "tune got 2 recipes"),
        (["tune", "nofile.py"], "tune got 'nofile.py', and there is no such file"),
        (["tune", "mnist_cnn"], "did you mean recipes/mnist_cnn.py?"),
        (["tune", "xor_from_scratch.py"], "so nothing to search"),
        (["tune", "recipes/xor_from_scratch.py", "--tune", "2"], "can't be tuned"),
        (["tune", "README.md", "--tune", "2"], "has no function space"),
        (["tune", "recipes/mnist_cnn.py"], "tune got neither --tune nor --tune-time"),
        (["index", "--fast"], "index got --fast"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, message, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, *words)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "does not hold a JSON object"),
        ("{}", "it lacks command, data, machine, seed, cpu_seconds"),
        ('{"command": 3, "data": [], "machine": 1}', "it lacks command"),
    ],
)
def test_results_of_a_damaged_run_are_one_line(
    content, message, monkeypatch, capsys, tmp_path
):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, "results", str(tmp_path))
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize("words", [["index"], ["results", "some_run"]])
@pytest.mark.parametrize("content", [None, '[project]\nname = "mine"', "[project"])
def test_pages_are_written_in_a_checkout_only(
    words, content, monkeypatch, capsys, tmp_path
):
    """Neither where pip installs, nor in a project that cookbook was copied into."""
    (tmp_path / "docs").mkdir()
    if content:
        (tmp_path / "pyproject.toml").write_text(content)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(cookbook.pages.catalogue, "ROOT", tmp_path)
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, *words)
    assert stop.value.code == 2
    assert "not a checkout" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_page_that_cannot_be_written_is_one_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "keras-cookbook"')
    (tmp_path / "docs" / "components.md").mkdir(parents=True)
    monkeypatch.setattr(cookbook.pages.catalogue, "ROOT", tmp_path)
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, "index")
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "components.md can't be read or written" in line


def needs(module):
    """The only command, `fly`, which imports a module."""
    run = functools.partial(importlib.import_module, module)
    return (Command("fly", "fly", lambda _: run(), {}),)


def test_a_package_that_is_not_installed_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr("cookbook.__main__.COMMANDS", needs("wings.feathers"))
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, "fly")
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "fly needs wings, which is not installed: install what" in line


def test_a_module_of_ours_that_is_missing_is_no_mistake_of_the_user(monkeypatch):
    monkeypatch.setattr("cookbook.__main__.COMMANDS", needs("cookbook.wings"))
    with pytest.raises(ModuleNotFoundError):
        command(monkeypatch, "fly")


INSTALLED = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in sys.stdlib_module_names | {"cookbook"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
sys.argv = ["cookbook", *sys.argv[1:]]
from cookbook.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with both packages and nothing else, as pip makes it."""
    folder = tmp_path_factory.mktemp("site-packages")
    for package in ("cookbook", "custom_layers"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignore)
    return folder


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["list", "lstm"], 0, "LSTMCell"),
        (["list", "--help"], 0, "show only entries"),
        (["copy", "LSTM"], 0, "class LSTM("),
        (["index"], 2, "is not a checkout of the repository"),
        (["results", "x"], 2, "is not a checkout of the repository"),
        (["check", "x.keras"], 2, "there is no file of that name"),
        (["tune", "x.py", "--tune", "2"], 2, "there is no such file"),
    ],
)
def test_a_command_of_an_installed_copy_works_or_says_why_not(
    words, status, message, site, tmp_path
):
    """Without Keras, NumPy or anything else that pip installs."""
    before = sorted(site.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-B", "-c", INSTALLED, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status
    assert message in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == (status == 2)
    assert not list(tmp_path.iterdir())
    assert sorted(site.rglob("*")) == before


def test_commands_find_their_checkout_from_any_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cookbook", "list", "mnist_cnn"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "mnist_cnn" in done.stdout
    assert not list(tmp_path.iterdir())
