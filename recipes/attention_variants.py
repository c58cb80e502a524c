"""Variants of attention in small language models: heads, positions, norms, networks.

    python recipes/attention_variants.py
    python recipes/attention_variants.py --width 64 --steps 2000

What do the parts of a modern transformer block gain? Small models learn the next
character of Shakespeare in equal steps. One has four heads, rotary positions, layer
normalization before each part, and GELU; each other model differs in one of these.
Their loss on validation text, the time of a step and the size of the cache that
writing needs are compared, and their loss on texts four times as long as in training.
Papers: Su et al., "RoFormer: enhanced transformer with rotary position embedding",
2021. https://arxiv.org/abs/2104.09864; Press, Smith, Lewis, "Train short, test long:
attention with linear biases enables input length extrapolation", 2022.
https://arxiv.org/abs/2108.12409; Ainslie et al., "GQA: training generalized multi-query
transformer models from multi-head checkpoints", 2023. https://arxiv.org/abs/2305.13245
"""

from dataclasses import dataclass
from typing import Any

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN saves a part of the time of a step

import keras
import numpy as np

from cookbook.config import (
    BatchSize,
    Count,
    Depth,
    ExperimentConfig,
    Rate,
    Repeats,
    Size,
)
from cookbook.data.text.characters import Characters, load_characters
from cookbook.errors import fail
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.pictures import draw_bars, moving_average
from cookbook.lab.training import in_passes, trainings
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import (
    ALiBi,
    Dense,
    Embedding,
    LayerNormalization,
    PositionEmbedding,
    RelativePositionBias,
    SinePositionEncoding,
    TransformerDecoderBlock,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

LOSS = SparseCategoricalCrossentropy(from_logits=True, reduction=None)
LONGER = 4  # times the context: the length of the long texts
TEXTS = 64  # long texts
USUAL: dict[str, Any] = {  # options of the usual model
    "num_heads": 4,
    "expansion": 4,
    "activation": "gelu",
    "max_wavelength": 10_000,
    "normalize_first": True,
}
ORDER: dict[str, dict] = {  # how else a model knows the order of the characters
    "no positions": {},
    "learned": {"added": PositionEmbedding},
    "sines": {"added": lambda length: SinePositionEncoding()},
    "ALiBi": {"position_bias": ALiBi()},
    "T5's bias": {"position_bias": RelativePositionBias(bidirectional=False)},
}
CHANGES: dict[str, dict] = {  # options that replace those of USUAL
    "usual": {},
    **{kind: {"max_wavelength": None, **options} for kind, options in ORDER.items()},
    "1 head": {"num_heads": 1},
    "8 heads": {"num_heads": 8},
    "2 of keys": {"num_key_value_heads": 2},  # heads of keys and values
    "1 of keys": {"num_key_value_heads": 1},
    "norm after": {"normalize_first": False},
    "RMS norm": {"normalization": "rms"},
    "ReLU": {"activation": "relu"},
    "SwiGLU": {"activation": "silu", "gated": True, "expansion": 8 / 3},
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    # name of a text in TensorFlow Datasets, or the path of a text file; auto means
    # tiny_shakespeare
    data: str = "auto"
    steps: Count = 500  # gradient steps of each training
    context: Size = 64  # characters that a prediction can look back on
    width: Size = 48  # length of the vector of a character, a multiple of 16
    blocks: Depth = 2  # transformer blocks
    batch_size: BatchSize = 16  # texts per step
    learning_rate: Rate = 5e-3  # highest step size of Adam
    # trainings with different seeds, which are averaged
    repeats: Repeats = 3

    in_quick = {"steps": 60, "context": 32, "width": 32, "blocks": 1, "repeats": 1}


@dataclass(frozen=True)
class Measured:
    """What models of one kind reach; means over the seeds."""

    loss: float  # on validation text, in nats per character
    by_place: np.ndarray  # the same, by the place in a long text
    seconds: float  # for one step, where it was fastest
    cache: float  # kilobytes of keys and values that writing keeps for a context


def build(config: Config, letters: int, expansion, added=None, **options):
    """added: makes a layer whose output is added to the vectors of the characters."""
    tokens = keras.Input((None,), dtype="int32")
    x = Embedding(letters, config.width)(tokens)  # (B, T, width)
    if added:
        x = x + added(config.context)(x)

    for _ in range(config.blocks):
        hidden = round(expansion * config.width)
        x = TransformerDecoderBlock(hidden, **options)(x)

    x = LayerNormalization()(x)
    model = keras.Model(tokens, Dense(letters)(x))
    loss = SparseCategoricalCrossentropy(from_logits=True)
    optimizer = Adam(OneCycle(config.learning_rate, config.steps, pct_start=0.1))
    model.compile(optimizer, loss, steps_per_execution=20, jit_compile=False)

    return model


def kilobytes_of_cache(model: keras.Model, context: int) -> float:
    """Size of the keys and values of one text, which are 32-bit numbers."""
    blocks = [b for b in model.layers if isinstance(b, TransformerDecoderBlock)]
    parts = [part for b in blocks for part in b.empty_cache(1, context)["self"]]

    return sum(4 * np.prod(part.shape) for part in parts) / 1024


def measure(kind: str, data: Characters, long: Characters, config: Config) -> Measured:
    """Trains models of one kind, as the mean over all seeds."""
    rows = []
    longest = data if kind == "learned" else long  # a table ends at the context
    texts = [part[:TEXTS] for part in longest.validation]

    for _, model, seconds in trainings(
        lambda: build(config, len(data.alphabet), **{**USUAL, **CHANGES[kind]}),
        lambda seed: in_passes(data.train, config.batch_size, config.steps, seed),
        config.batch_size,
        range(config.seed, config.seed + config.repeats),
    ):
        losses, by_place = (
            keras.ops.convert_to_numpy(LOSS(y, model(x))).mean(0)
            for x, y in (data.validation, texts)
        )
        cache = kilobytes_of_cache(model, config.context)
        rows.append((losses.mean(), by_place, seconds, cache))

    losses, by_place, seconds, caches = zip(*rows)
    print(f"{kind:<14} {min(seconds):.4f} s a step, loss", *np.round(losses, 3))

    return Measured(np.mean(losses), np.mean(by_place, 0), min(seconds), caches[0])


def draw(found: dict[str, Measured], config: Config, run: RunFolder) -> None:
    usual = found["usual"]
    all_kinds = found.values()

    above = {"loss": [each.loss - usual.loss for each in all_kinds]}
    title = "Positions matter most; most other choices change the loss little"
    label = "validation loss above that of the usual model (nats per character)"
    draw_bars(above, [*found], title, label, run, "losses.svg")

    costs = {
        "time of a step": [each.seconds / usual.seconds for each in all_kinds],
        "size of the cache": [each.cache / usual.cache for each in all_kinds],
    }
    title = "Shared heads of keys and values make the cache small"
    draw_bars(costs, [*found], title, "times the usual model's", run, "costs.svg")

    lines = {}
    for kind in ("usual", *ORDER):
        losses = moving_average(found[kind].by_place, 8)
        lines[kind] = np.arange(len(losses)) + 8, losses

    title = f"Beyond the {config.context} characters of the training, ALiBi goes on"
    labels = "place in the text", "validation loss (mean of 8 places)"
    draw_lines(lines, title, *labels, run, "places.svg")


def rise(measured: Measured, context: int) -> float:
    """How much higher the loss is beyond the context than in its second half."""
    within = measured.by_place[context // 2 : context].mean()

    return measured.by_place[context:].mean() - within


def claims_of(found: dict[str, Measured], context: int) -> list[Claim]:
    """What holds for the variants; losses are in nats per character."""
    usual = found["usual"]
    above = {kind: each.loss - usual.loss for kind, each in found.items()}
    kinds = "usual", "sines", "ALiBi", "T5's bias"
    beyond = {kind: rise(found[kind], context) for kind in kinds}
    share = found["1 of keys"].cache / usual.cache
    biases = max(abs(above["ALiBi"]), abs(above["T5's bias"]))

    return [
        Claim("Without positions, {} is lost", above["no positions"], at_least=0.02),
        Claim("Learned positions cost {}", above["learned"], at_least=0),
        Claim("Sines cost {}", above["sines"], at_least=0),
        Claim("ALiBi and T5's bias are within {}", biases, at_most=0.05),
        Claim("One head costs {}", above["1 head"], at_least=0),
        Claim("Shared keys and values cost {}", above["1 of keys"], at_most=0.03),
        Claim("Their cache has {percent} of the size", share, at_most=0.25),
        Claim("Norms behind each part cost {}", above["norm after"], at_least=0),
        Claim("RMS norms cost {}", above["RMS norm"], at_most=0.02),
        Claim("SwiGLU with as many weights costs {}", above["SwiGLU"], at_most=0),
        Claim("On long texts ALiBi's loss rises by {}", beyond["ALiBi"], at_most=0.05),
        Claim("T5's bias lets it rise by {}", beyond["T5's bias"], at_most=0.1),
        Claim("Rotary positions let it rise by {}", beyond["usual"], at_least=0.05),
        Claim("Sines let it rise by {}", beyond["sines"], at_least=0.1),
    ]


def main(config: Config) -> Run:
    if config.width % 16:
        fail(f"--width got {config.width}, expected a multiple of 16")
    run = RunFolder.open("attention_variants", config)
    data, long = (
        load_characters(config.data, "tiny_shakespeare", length, config.quick)
        for length in (config.context, LONGER * config.context)
    )
    found = {kind: measure(kind, data, long, config) for kind in CHANGES}
    draw(found, config, run)

    return conclude(run, claims_of(found, config.context))


if __name__ == "__main__":
    launch(main, Config)
