"""How a plain script calls what a recipe calls: with Keras's ways, without folders."""

import ast
import re
from collections.abc import Callable, Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.plain.facts import Facts, end_of, start_of

# Methods of data sets, which in a script are functions of a data set.
METHODS = {"only": "only", "few": "few_of_each", "one_hot": "one_hot"}
MODULES = ("keras", "ops", "np")  # whose functions may have such names as well


def changed_call(call: ast.Call, facts: Facts) -> Iterator[Edit]:
    """The call as the script has it, where that is another one."""
    name = getattr(call.func, "id", "")
    attribute = getattr(call.func, "attr", "")
    owner = ast.unparse(call.func).partition(".")[0]
    text = ""
    if name in RULES:
        text = RULES[name](call, facts)
    elif attribute in METHODS and owner not in MODULES:
        text = _of_data(call, METHODS[attribute], facts)
    elif name in facts.absent:
        text = facts.source(call.args[0])
    if not text and name.startswith(("Claim", "draw_", "report")):
        text = _without_last_comma(call, facts)
    if text:
        yield Edit(start_of(call), end_of(call), text)


def _fitted(call: ast.Call, facts: Facts) -> str:
    """`train(model, data, config, ...)` becomes `model.fit(...)`."""
    if not facts.trains:
        return ""
    model, data, config = map(facts.source, call.args[:3])
    size = f"{config}.batch_size"
    options = f"epochs={config}.epochs, verbose=2"

    if facts.is_padded:
        batches = f"Batches(*{data}.train, {size})"
        held_out = f"validation_data=Batches(*{data}.validation, {size})"
        return f"{model}.fit({batches}, {held_out}, {options}).history"

    train = f"{model}.fit(*{data}.train, {size}, {options}"
    if facts.is_adversarial:  # the short classes have no test_step
        return f"{train}).history"
    return f"{train}, validation_data={data}.validation).history"


def _steps(call: ast.Call, facts: Facts) -> str:
    """The number of steps, which only some recipes round up."""
    config, examples = map(facts.source, call.args)
    steps = f"{config}.epochs * ({examples} // {config}.batch_size)"
    if not call.keywords:
        return steps

    (least,) = call.keywords
    return f"max({facts.source(least.value)}, {steps})"


def _finished(call: ast.Call, facts: Facts) -> str:
    """A recipe's own report ends with its figures."""
    if len(call.args) != 4:
        return ""
    _model, _data, _history, figures = map(facts.source, call.args)
    return f"finish({figures})"


def _seeded(call: ast.Call, facts: Facts) -> str:
    (seed,) = call.args
    return f"keras.utils.set_random_seed({facts.source(seed)})"


def _adversaries(call: ast.Call, facts: Facts) -> str:
    """The short class for the kind of GAN, whose penalty is a number."""
    kind = facts.source(call)
    if "WassersteinGAN" in kind:
        name = "WassersteinGP"
    elif "pack=" in kind:
        name = "PackedGAN"
    elif "classes" in kind:
        name = "ConditionalGAN"
    else:
        name = "GAN"

    arguments = [facts.source(argument) for argument in call.args[:2]]
    for option in call.keywords:
        value = option.value
        if option.arg == "penalty" and isinstance(value, ast.Call):
            value = value.args[0]
        if option.arg != "loss":
            arguments.append(f"{option.arg}={facts.source(value)}")

    return f"{name}({', '.join(arguments)})"


def _cycles(call: ast.Call, facts: Facts) -> str:
    """The short class has one kind of loss, and its penalty is a number."""
    arguments = [facts.source(argument) for argument in call.args]
    for option in call.keywords:
        value = option.value
        if option.arg == "penalty" and isinstance(value, ast.Call):
            value = value.args[0]
        if option.arg != "loss":
            arguments.append(f"{option.arg}={facts.source(value)}")

    short = f"CycleGAN({', '.join(arguments)})"
    return short if "loss=" in facts.source(call) else ""


def _contest(call: ast.Call, facts: Facts) -> str:
    """A training around which a recipe draws: the training alone."""
    training = facts.source(call.args[0])
    return training if "fit(" in training else ""


def _of_data(call: ast.Call, function: str, facts: Facts) -> str:
    """`data.few(count)` becomes `few_of_each(data, count)`."""
    assert isinstance(call.func, ast.Attribute)
    parts = [call.func.value, *call.args]
    arguments = ", ".join(map(facts.source, parts))
    return f"{function}({arguments})"


def _without_last_comma(call: ast.Call, facts: Facts) -> str:
    """The call without the comma that keeps it on several lines."""
    old = facts.source(call)
    new = re.sub(r",\s*\)$", ")", old)
    return new if new != old and "#" not in old else ""


RULES: dict[str, Callable[[ast.Call, Facts], str]] = {
    "train": _fitted,
    "training_steps": _steps,
    "finish": _finished,
    "seed_everything": _seeded,
    "AdversarialModel": _adversaries,
    "CycleGAN": _cycles,
    "draw_contest": _contest,
}
