"""The flag --config: it trains any config.json again, and flags beside it win."""

import dataclasses
import json
import shlex

import pytest

from cookbook.command_line import parse
from cookbook.config import Count, Share, Size, TrainingConfig
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.runs.settings import FREE, PASSWORD, SEARCH, plain
from cookbook.start import early_config
from cookbook.training.checkpoint import fingerprint
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from small_training import SearchConfig, build, data, space

NAMES = [entry.name for entry in recipes()]


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 3  # passes
    dropout: Share = 0.1  # share silenced
    mirror: bool = True  # mirror images
    sizes: tuple[Size, ...] = (2, 3)  # units
    ask: str | None = None  # a question

    in_quick = {"epochs": 1}  # noqa: RUF012


@pytest.fixture
def file(tmp_path):
    """Writes settings into a config.json, and returns its path."""

    def write(content):
        path = tmp_path / "config.json"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)
        return path

    return write


def given(path, words=""):
    return parse(Config, ["--config", str(path), *shlex.split(words)])


def line_of(capsys, words):
    """The one line with which a command line is refused."""
    with pytest.raises(SystemExit) as stop:
        parse(Config, words)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    (line,) = captured.err.strip("\n").split("\n")
    assert not captured.out
    assert line.startswith("error: ")
    return line


# Whose value it is


def test_the_file_replaces_defaults_and_flags_win_over_the_file(file):
    path = file({"epochs": 7, "dropout": 0.25, "sizes": [4, 5, 6]})
    assert given(path) == Config(epochs=7, dropout=0.25, sizes=(4, 5, 6))
    assert given(path, "--epochs 3 --sizes 8") == Config(dropout=0.25, sizes=(8,))
    assert given(path.parent) == given(path)  # the folder stands for its file
    assert parse(Config, [f"--config={path}"]) == given(path)


def test_the_defaults_of_quick_come_after_the_file(file):
    assert given(file({"epochs": 7}), "--quick").epochs == 7
    assert given(file({"dropout": 0.5}), "--quick").epochs == 1
    assert given(file({"quick": True}), "--epochs 9") == Config(quick=True, epochs=9)


def test_a_switch_that_the_file_has_turned_can_be_turned_back(file):
    path = file({"with_validation": True, "mirror": False})
    assert given(path) == Config(with_validation=True, mirror=False)
    assert given(path, "--no-with-validation --mirror") == Config()
    assert given(path, "--with-validation --no-mirror") == given(path)


def test_what_only_says_how_a_run_was_kept_or_searched_is_not_taken(file):
    kept = {"run_dir": "x", "run": "y", "resume": True, "save_every": 3, "chaos": 2}
    search = {"tune": 20, "tuner": "tpe", "confirm": 3, "space": ["sizes=fixed"]}
    path = file({**kept, "tensorboard": True, **search, "from_": "z", "epochs": 7})
    assert given(path) == Config(epochs=7)
    assert given(path, "--tune 5 --run-dir y").tune == 5


def test_a_value_of_the_file_never_plays_no_part(file):
    @dataclasses.dataclass(frozen=True)
    class Idle(Config):
        def idle(self):
            return {**super().idle(), "dropout": "without --mirror"}

    path = file({"dropout": 0.5, "tuner": "bayesian", "stop_early": False})
    assert parse(Idle, ["--config", str(path)]).dropout == 0.5


def test_a_file_of_an_earlier_version_lacks_fields(file):
    assert given(file({})) == Config()
    assert given(file({"epochs": 7})) == Config(epochs=7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quick", [False, True])
def test_the_config_json_of_every_recipe_gives_its_settings_again(name, quick, file):
    source = (ROOT / "recipes" / f"{name}.py").read_text()
    config_class = early_config(source)
    config = config_class(quick=quick, seed=5)
    assert parse(config_class, ["--config", str(file(plain(config)))]) == config


# What is refused


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "it is not JSON"),
        ("", "it is not JSON"),
        ("[1]", "does not hold a JSON object"),
        ("[" * 10**5, "it is not JSON"),
        ({"dropuot": 1}, "that test_config_file does not have: dropuot (did you mean "),
        ({"vanished": 1, "gone": 2}, "does not have: vanished, gone; correct them"),
        ({"epochs": "three"}, "where --epochs got 'three', expected a whole number"),
        ({"epochs": [1]}, "where --epochs got (1,), expected a whole number"),
        ({"epochs": 0}, "where --epochs got 0, expected a number from 1"),
        ({"dropout": float("nan")}, "where --dropout got nan, expected a number"),
        ({"sizes": 3}, "where --sizes got 3, expected several values"),
        ({"sizes": ["a"]}, "where --sizes got 'a', expected a whole number"),
        ({"mirror": 1}, "where --mirror got 1, expected True or False"),
        ({"data": None}, "where --data got None, expected a text"),
        ({"recipe": "mnist_cnn"}, "the settings of mnist_cnn, not of test_config_file"),
        ({"ask": "why?"}, "which holds ask, a question to a trained model"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_that_names_it(
    content, expected, file, capsys
):
    path = file(content)
    line = line_of(capsys, ["--config", str(path)])
    assert expected in line
    assert str(path) in line


def test_what_is_no_file_is_one_line(tmp_path, capsys):
    for path in (tmp_path / "nothing", tmp_path, tmp_path / "a\nb"):
        assert "there is no such file" in line_of(capsys, ["--config", str(path)])
    for path in ("/dev/zero", tmp_path / "large"):
        (tmp_path / "large").write_text("[" * 2**21)
        assert "no file of settings" in line_of(capsys, ["--config", str(path)])


def test_the_flag_itself_is_checked_like_others(file, capsys):
    path = str(file({}))
    twice = ["--config", path, f"--config={path}"]
    assert "--config was given twice" in line_of(capsys, twice)
    assert "Missing value" in line_of(capsys, ["--config"])
    assert "did you mean --config" in line_of(capsys, ["--confg", path])
    both = ["--config", path, "--mirror", "--no-mirror"]
    assert "was given twice" in line_of(capsys, both)
    assert "did you mean --quick" in line_of(capsys, ["--no-quick"])
    asked = ["--config", path, "--ask", "why?"]
    assert "--config plays no part with --ask" in line_of(capsys, asked)


def test_an_old_file_is_known_by_the_record_beside_it(file, capsys):
    path = file({"epochs": 2})
    (path.parent / "code.json").write_text(json.dumps({"recipe": "mnist_cnn"}))
    assert "the settings of mnist_cnn" in line_of(capsys, ["--config", str(path)])


def test_the_help_says_what_the_file_is_for(capsys):
    with pytest.raises(SystemExit):
        parse(Config, ["--help"])
    out = " ".join(capsys.readouterr().out.split("--config TEXT")[1].split())
    assert "train again with the settings in this config.json" in out
    assert "not taken from the file" in out


def test_the_flag_is_no_setting_of_a_run(file, tmp_path):
    run = RunFolder.open("test_config_file", given(file({}), f"--run-dir {tmp_path}"))
    saved = json.loads((run.path / "config.json").read_text())
    assert "config" not in saved
    assert saved["recipe"] == "test_config_file"
    assert given(run.path) == dataclasses.replace(run.config, run_dir=Config().run_dir)


def test_no_file_of_a_run_holds_the_password_of_a_database():
    url = "postgresql://me:se:cret@host:5432/studies"
    config = Config(tune=3, tuner="tpe", study=url)
    assert plain(config)["study"] == "postgresql://me:***@host:5432/studies"
    assert not PASSWORD.search("sqlite:///a@b.db")
    assert {"study", "tune", "from_"} <= {*SEARCH}
    assert not {*FREE} & {*SEARCH}


# The same result


@pytest.mark.slow
def test_config_trains_the_same_weights_bit_for_bit(tmp_path):
    """Also those of a search's best settings, of which config.json speaks."""

    def trained(words):
        words = [*shlex.split(words), "--run-dir", str(tmp_path)]
        config = parse(SearchConfig, words)
        run = RunFolder.open("small_training", config)
        if config.tune:
            config = search(space, build, data(), config, run)
        seed_everything(config.seed)
        net = build(config, data())
        train(net, data(), config, run)
        run.complete({})
        return run.path, fingerprint(net.get_weights())

    first, weights = trained("--seed 3 --learning-rate 0.04 --units 5")
    assert trained(f"--config {first}")[1] == weights
    assert trained(f"--config {first} --seed 4")[1] != weights

    first, weights = trained("--tune 3 --epochs 1")
    again, repeated = trained(f"--config {first / 'config.json'}")
    assert repeated == weights
    assert not (again / "search.json").exists()
