"""Space: what a recipe declares, what --space changes, what depends on what."""

import dataclasses
from typing import Literal

import pytest

from cookbook.command_line import parse
from cookbook.config import Count, Portion, Rate, TrainingConfig, seconds_in
from cookbook.tuning.spaces.space import Space


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 2  # passes
    units: Count = 4  # hidden units
    kind: Literal["adam", "sgd"] = "adam"  # rule
    momentum: Portion = 0.9  # of sgd
    nesterov: bool = False  # of sgd with momentum
    batch_size: Count = 8  # examples per step
    learning_rate: Rate = 0.01  # step size


def declare(hp):
    kind = hp.Choice("kind", ["adam", "sgd"])
    with hp.conditional_scope("kind", ["sgd"]):
        momentum = hp.Float("momentum", 0.0, 0.9, step=0.3)
        nesterov = hp.Boolean("nesterov")
    return Config(
        kind=kind,
        momentum=momentum,
        nesterov=nesterov,
        units=hp.Int("units", 2, 16),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"),
    )


def space(*changes, **settings):
    return Space(declare, Config(tune=1, space=changes, **settings))


def dimension(space, name):
    (found,) = [d for d in space.dimensions if d.name == name]
    return found


def refusal(capsys, *changes):
    with pytest.raises(SystemExit) as stop:
        space(*changes)
    assert stop.value.code == 2
    text = capsys.readouterr().err.strip()
    assert text.startswith("error: --space got ")
    assert "\n" not in text
    return text


def test_dimensions_say_what_the_recipe_declares():
    found = space()
    assert [d.name for d in found.dimensions] == [
        "kind",
        "momentum",
        "nesterov",
        "units",
        "learning_rate",
    ]
    assert dimension(found, "kind").values == ("adam", "sgd")
    assert dimension(found, "momentum").step == 0.3
    assert dimension(found, "momentum").conditions == (("kind", ("sgd",)),)
    assert dimension(found, "nesterov").values == (False, True)
    units = dimension(found, "units")
    assert (units.kind, units.low, units.high) == ("int", 2, 16)
    assert dimension(found, "learning_rate").is_log


def test_a_hyperparameter_without_effect_has_the_value_of_the_config():
    """keras-tuner gives None there, which no field of a Config takes."""
    values = {"kind": "adam", "units": 8, "learning_rate": 0.02}
    config = space(momentum=0.7).configure(values)
    assert (config.kind, config.momentum, config.units) == ("adam", 0.7, 8)
    values |= {"kind": "sgd", "momentum": 0.3, "nesterov": True}
    config = space(momentum=0.7).configure(values)
    assert (config.kind, config.momentum, config.nesterov) == ("sgd", 0.3, True)


def test_the_defaults_are_the_values_that_have_an_effect():
    assert space().defaults() == {"kind": "adam", "units": 4, "learning_rate": 0.01}
    assert set(space(kind="sgd").defaults()) == {d.name for d in space().dimensions}
    config = Config(tune=1, units=7, kind="sgd")
    given = Space(declare, config)
    assert given.configure(given.defaults()) == config


def test_what_is_declared_only_inside_an_active_scope_is_found():
    """Scopes within scopes too, in which plain Python decides what is declared."""

    def nested(hp):
        found = {"kind": hp.Choice("kind", ["adam", "sgd"])}
        with hp.conditional_scope("kind", ["sgd"]):
            if found["kind"] == "sgd":
                found["nesterov"] = hp.Boolean("nesterov")
                with hp.conditional_scope("nesterov", [True]):
                    if found["nesterov"]:
                        found["momentum"] = hp.Float("momentum", 0.0, 0.9)
        return Config(**found)

    found = Space(nested, Config(tune=1))
    assert [d.name for d in found.dimensions] == ["kind", "nesterov", "momentum"]
    assert dimension(found, "momentum").conditions == (
        ("kind", ("sgd",)),
        ("nesterov", (True,)),
    )
    values = {"kind": "sgd", "nesterov": True, "momentum": 0.2}
    assert found.configure(values).momentum == 0.2
    assert found.configure({"kind": "adam"}).momentum == 0.9


def test_a_range_and_a_list_replace_what_the_recipe_declares():
    found = space("learning_rate=1e-4:1e-1:log", "units=8,16,32", "momentum=0:0.9:0.45")
    rate = dimension(found, "learning_rate")
    assert (rate.low, rate.high, rate.is_log) == (1e-4, 1e-1, True)
    assert dimension(found, "units").values == (8, 16, 32)
    assert dimension(found, "momentum").step == 0.45
    assert dimension(found, "momentum").conditions == (("kind", ("sgd",)),)
    assert dimension(space("units=2:8"), "units").kind == "int"
    assert dimension(space("units=2:32:2:log"), "units").step == 2


def test_a_fixed_hyperparameter_is_not_searched_and_keeps_its_value():
    found = space("units=fixed", units=5)
    assert "units" not in [d.name for d in found.dimensions]
    assert found.configure({"kind": "adam", "learning_rate": 0.02}).units == 5


def test_what_depends_on_a_fixed_choice_is_searched_only_if_that_is_the_right_one():
    without = space("kind=fixed")
    assert [d.name for d in without.dimensions] == ["units", "learning_rate"]
    with_it = space("kind=fixed", kind="sgd")
    assert dimension(with_it, "momentum").conditions == ()
    config = with_it.configure({"momentum": 0.6, "nesterov": False, "units": 3})
    assert (config.kind, config.momentum) == ("sgd", 0.6)


def test_a_setting_that_the_recipe_does_not_search_can_be_added():
    found = space("batch_size=4,8", "--epochs=1:3")
    config = found.configure({"batch_size": 4, "epochs": 3, "units": 4})
    assert (config.batch_size, config.epochs) == (4, 3)
    assert found.defaults()["batch_size"] == 8
    assert dimension(space("nesterov=true"), "nesterov").values == (True,)


def test_several_flags_reach_the_config_and_come_back_as_flags():
    words = ["--tune", "3", "--space", "units=2,4", "--space", "kind=fixed"]
    assert parse(Config, words).space == ("units=2,4", "kind=fixed")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("units", "NAME=LOW:HIGH"),
        ("units=", "NAME=LOW:HIGH"),
        ("=8", "NAME=LOW:HIGH"),
        ("unit=2,4", "expected one of the recipe's own settings: batch_size"),
        ("seed=1,2", "expected one of the recipe's own settings"),
        ("units=a,b", "expected a whole number for 'a'"),
        ("units=1.5:3", "expected a whole number for '1.5'"),
        ("units=8:4", "expected a first number below the second"),
        ("units=0,4", "units got 0, expected a number from 1"),
        ("learning_rate=0:1:log", "expected numbers above 0"),
        ("learning_rate=0.1:1:1:log", "a factor above 1"),
        ("learning_rate=0.1:0.5:-1", "a step above 0"),
        ("kind=adam,sdg", "expected one of adam, sgd"),
        ("kind=adam:sgd", "ranges are for numbers"),
        ("nesterov=maybe", "expected true or false"),
        ("momentum=0:0.5:0.1:0.2", "NAME=LOW:HIGH"),
        ("momentum=0:2", "expected a number from 0 to 0.99"),
        ("momentum=nan,0.5", "expected a number from 0 to 0.99"),
    ],
)
def test_a_mistake_in_a_change_gets_one_line(change, reason, capsys):
    assert reason in refusal(capsys, change)


def test_a_name_twice_is_refused(capsys):
    assert "units twice" in refusal(capsys, "units=2,4", "units=8")


def test_a_hyperparameter_that_is_no_field_is_refused(capsys):
    def strange(hp):
        hp.Choice("depth", [1, 2])
        return Config()

    with pytest.raises(SystemExit):
        Space(strange, Config(tune=1))
    assert "declares depth, expected the name of a field" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("0.5h", 1800)],
)
def test_a_time_is_read(text, seconds):
    assert seconds_in(text) == seconds
    assert Config(tune_time=text).tune > 10**4  # without a number, time is the limit
    assert Config(tune_time=text, tune=5).tune == 5


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "30m2h", "-1h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="--tune-time got"):
        Config(tune_time=text)


def test_flags_of_a_search_need_a_search(capsys):
    for words in (["--space", "units=2"], ["--confirm", "2"], ["--from", "x"]):
        with pytest.raises(SystemExit) as stop:
            parse(Config, words)
        assert stop.value.code == 2
        assert "plays no part without --tune" in capsys.readouterr().err
