"""Precision: 16 bits where a machine has them, 32 for what must be exact."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from cookbook.exports.signature import in_32_bits
from cookbook.runs import precision
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from custom_layers.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.models import AdversarialModel
from custom_layers.models.adversarial.losses import NonSaturatingGAN
from custom_layers.optimizers import Adam
from oracle import array
from small_training import Config, data, without_times


@pytest.fixture(autouse=True)
def any_machine(monkeypatch):
    """A machine with a GPU and with instructions for bfloat16, as far as it is asked.

    After the test float32 is chosen again.
    """
    monkeypatch.setattr(precision, "has_gpu", lambda: True)
    yield
    precision.leave_precision()
    precision.CHOSEN[:] = ["float32"]


def machine(monkeypatch, tmp_path, flags):
    """Makes the machine one without a GPU, whose processor has the given flags."""
    file = tmp_path / "cpuinfo"
    file.write_text(f"model name\t: a processor\nflags\t\t: fpu {flags} sse\n")
    monkeypatch.setattr(precision, "PROCESSOR", file)
    monkeypatch.setattr(precision, "has_gpu", lambda: False)


@pytest.mark.parametrize(
    ("flags", "chosen", "words"),
    [
        ("avx512f", "bfloat16", "needs a processor with AVX512-BF16 or AMX, or a GPU"),
        ("avx512_bf16 amx_bf16", "float16", "needs a GPU"),
    ],
)
def test_what_the_machine_lacks_is_refused_in_one_line(
    monkeypatch, tmp_path, capsys, flags, chosen, words
):
    machine(monkeypatch, tmp_path, flags)
    with pytest.raises(SystemExit) as exit:
        RunFolder.open("r", Config(run_dir=tmp_path / "runs", precision=chosen))
    assert exit.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: --precision got {chosen}, which {words}")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("flags", ["avx512_bf16", "amx_bf16 amx_tile"])
def test_a_processor_with_instructions_for_bfloat16_takes_it(
    monkeypatch, tmp_path, flags
):
    machine(monkeypatch, tmp_path, flags)
    precision.choose_precision(Config(precision="bfloat16"))
    precision.enter_precision()
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


def test_a_system_that_does_not_describe_its_processor_has_no_bfloat16(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(precision, "PROCESSOR", tmp_path / "nothing")
    assert not precision.has_bfloat16()


def test_the_policy_holds_from_the_seed_to_the_end_of_the_training(tmp_path):
    config = Config(run_dir=tmp_path, precision="bfloat16", epochs=1)
    run = RunFolder.open("r", config)
    assert json.loads((run.path / "config.json").read_text())["precision"] == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    net = model()
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    train(net, data(), config, run)
    assert keras.config.dtype_policy().name == "float32"


def test_what_judges_is_built_in_float32():
    precision.choose_precision(Config(precision="bfloat16"))
    with precision.in_float32():
        assert model().layers[0].compute_dtype == "float32"
    assert model().layers[0].compute_dtype == "bfloat16"


def test_float32_leaves_the_policy_that_the_user_has_set():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        seed_everything(0)
        assert keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_dtype_policy(before)


def model():
    seed_everything(3)
    layers = [keras.Input((6,)), Dense(8), BatchNormalization(), Dropout(0.5)]
    net = keras.Sequential([*layers, Dense(3, dtype="float32")])
    loss = SparseCategoricalCrossentropy(from_logits=True)
    net.compile(Adam(0.01), loss, metrics=["accuracy"], jit_compile=False)
    return net


def gan():
    seed_everything(3)
    net = AdversarialModel(
        keras.Sequential([keras.Input((2,)), Dense(6, dtype="float32")]),
        keras.Sequential([keras.Input((6,)), Dense(4), Dense(1, dtype="float32")]),
        NonSaturatingGAN(),
    )
    net.compile(Adam(0.01), Adam(0.01), jit_compile=False)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("build", [model, gan])
@pytest.mark.parametrize("chosen", ["bfloat16", "float16"])
def test_weights_have_32_bits_and_a_broken_run_ends_with_the_same_bits(
    build, chosen, tmp_path
):
    config = Config(run_dir=tmp_path, precision=chosen, save_every=2, epochs=2)
    examples = dataclasses.replace(data(), validation=None)
    run = RunFolder.open("whole", config)
    whole = build()
    rows = train(whole, examples, config, run)

    def stop(batch, logs):
        if len(seen) == 7:
            raise RuntimeError
        seen.append(batch)

    seen = []
    killer = keras.callbacks.LambdaCallback(on_train_batch_begin=stop)
    run = RunFolder.open("broken", config)
    with pytest.raises(RuntimeError):
        train(build(), examples, config, run, [killer])
    again = dataclasses.replace(config, resume=True)
    run = RunFolder.open("broken", again)
    net = build()
    resumed = train(net, examples, again, run, [keras.callbacks.LambdaCallback()])

    assert without_times(resumed) == without_times(rows)
    for ours, expected in zip(net.variables, whole.variables):
        np.testing.assert_array_equal(ours, expected)
    floats = [v for v in net.weights if "float" in v.dtype]
    assert {v.dtype for v in floats} == {"float32"}
    assert all(
        np.isfinite(row["loss" if "loss" in row else "critic_loss"]) for row in rows
    )
    inner = net.critic if build is gan else net
    assert inner.layers[0].compute_dtype == chosen
    assert keras.backend.standardize_dtype(inner.outputs[0].dtype) == "float32"
    optimizers = net.optimizers if build is gan else [net.optimizer]
    scaled = [isinstance(o, keras.optimizers.LossScaleOptimizer) for o in optimizers]
    assert set(scaled) == {chosen == "float16"}


def test_what_is_exported_computes_in_float32():
    precision.choose_precision(Config(precision="bfloat16"))
    seed_everything(0)
    ids = keras.Input((None,), dtype="int32")
    y = Dense(3, dtype="float32")(LSTM(4)(Embedding(9, 4)(ids)))
    narrow = keras.Model(ids, y)
    precision.leave_precision()
    wide = in_32_bits(narrow)
    assert in_32_bits(wide) is wide
    x = array(4, 6, low=0, high=9, dtype="int32")
    answer, narrow_answer = map(keras.ops.convert_to_numpy, (wide(x), narrow(x)))
    assert "bfloat16" in {layer.compute_dtype for layer in narrow.layers}
    assert "bfloat16" not in {layer.compute_dtype for layer in wide.layers}
    difference = np.abs(answer - narrow_answer).max()
    assert 0 < difference < 0.02
