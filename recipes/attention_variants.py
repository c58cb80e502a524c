"""Variants of attention in small language models: heads, positions, norms, networks.

    python recipes/attention_variants.py
    python recipes/attention_variants.py --width 64 --steps 2000

What do the parts of a modern transformer block gain? Small models learn the next
character of Shakespeare in equal steps. One has four heads, rotary positions, layer
normalization before each part, and GELU; each other model differs in one of these.
Their loss on validation text, the time of a step and the size of the cache that
writing needs are compared, and their loss on texts four times as long as in training.
These models are small and their training is short, so large models may rank otherwise:
here one head and norms behind each part cost nothing, which we had not expected.

Papers: Su et al., "RoFormer: enhanced transformer with rotary position embedding",
2021. https://arxiv.org/abs/2104.09864; Press, Smith, Lewis, "Train short, test long:
attention with linear biases enables input length extrapolation", 2022.
https://arxiv.org/abs/2108.12409; Ainslie et al., "GQA: training generalized multi-query
transformer models from multi-head checkpoints", 2023. https://arxiv.org/abs/2305.13245
"""

from collections.abc import Callable
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
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.pictures import draw_bars
from cookbook.lab.training import in_passes, losses_by_place, trainings
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.initializers import RandomNormal
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

LONGER = 4  # times the context: the length of the long texts
PIECES = 2 * LONGER  # of a long text, each half a context long
HEADS = {"num_heads": 4, "max_wavelength": 10_000}  # with rotary positions
USUAL: dict[str, Any] = {**HEADS, "activation": "gelu", "normalize_first": True}
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
    "shared keys": {"num_key_value_heads": 1},  # of four heads
    "norms behind": {"normalize_first": False},
    "RMS norms": {"normalization": "rms"},
    "SwiGLU": {"activation": "silu", "gated": True, "expansion": 8 / 3},
}

DRAWN = ("usual", *ORDER)  # on longer texts
IN_QUICK = ("usual", "no positions")  # what --quick compares


BOUNDS: tuple[tuple[str, str, str, dict], ...] = (  # what is claimed of which kind
    ("no positions", "loss", "Without positions, {} nats are lost", {"at_least": 0.02}),
    ("learned", "loss", "Learned positions cost {} nats", {"at_least": 0}),
    ("sines", "loss", "Sines cost {} nats", {"at_least": 0}),
    ("ALiBi", "loss", "ALiBi costs {} nats", {"at_most": 0.05}),
    ("T5's bias", "loss", "T5's bias costs {} nats", {"at_least": 0.05}),
    ("1 head", "loss", "One head costs {} nats", {"at_most": 0.02}),
    ("shared keys", "loss", "Shared keys and values cost {} nats", {"at_least": 0.02}),
    ("norms behind", "loss", "Norms behind each part cost {} nats", {"at_most": 0.02}),
    ("RMS norms", "loss", "RMS normalization costs {} nats", {"at_most": 0.02}),
    ("SwiGLU", "loss", "SwiGLU costs {} nats against GELU", {"at_most": 0.02}),
    ("usual", "rise", "Rotary positions lose {} nats far out", {"at_least": 0.05}),
    ("sines", "rise", "Sines lose {} nats far out", {"at_least": 0.1}),
    ("ALiBi", "rise", "ALiBi loses {} nats far out", {"at_most": 0.05}),
)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    data: str = "auto"  # text of TensorFlow Datasets, or a file
    steps: Count = 300  # gradient steps of each training
    context: Size = 64  # characters that a prediction can look back on
    width: Size = 32  # length of a character's vector, a multiple of 8
    blocks: Depth = 2  # transformer blocks
    batch_size: BatchSize = 16  # texts per step
    learning_rate: Rate = 5e-3  # highest step size of Adam
    repeats: Repeats = 3  # seeds of each training, whose results are averaged

    in_quick = {"steps": 40, "context": 32, "blocks": 1, "repeats": 1}

    def __post_init__(self) -> None:
        super().__post_init__()

        if self.width % 8:  # four heads of pairs, which rotary positions turn
            raise ValueError(f"--width got {self.width}, expected a multiple of 8")


@dataclass(frozen=True)
class Measured:
    """What models of one kind reach; means over the seeds."""

    loss: float  # on validation text, in nats per character
    pieces: np.ndarray  # the same, in each piece of long texts, half a context long
    seconds: float  # for one step, where it was fastest
    cache: int  # numbers in the keys and values that writing keeps for a context


def build(
    config: Config,
    letters: int,
    expansion: float = 4,
    added: Callable | None = None,
    **options: Any,
) -> keras.Model:
    """added: makes a layer whose output is added to the vectors of the characters."""
    tokens = keras.Input((None,), dtype="int32")
    x = Embedding(letters, config.width, RandomNormal(stddev=1.0))(tokens)
    if added:
        x = x + added(LONGER * config.context)(x)

    for _ in range(config.blocks):
        hidden = round(expansion * config.width)
        x = TransformerDecoderBlock(hidden, **{**USUAL, **options})(x)

    model = keras.Model(tokens, Dense(letters)(LayerNormalization()(x)))
    loss = SparseCategoricalCrossentropy(from_logits=True)
    optimizer = Adam(OneCycle(config.learning_rate, config.steps, pct_start=0.1))
    model.compile(optimizer, loss, steps_per_execution=20, jit_compile=False)

    return model


def measure(kind: str, data: Characters, long: Characters, config: Config) -> Measured:
    """Trains models of one kind, as the mean over all seeds."""
    rows = []

    for model, seconds in trainings(
        lambda: build(config, len(data.alphabet), **CHANGES[kind]),
        lambda seed: in_passes(data.train, config.batch_size, config.steps, seed),
        config,
    ):
        loss = losses_by_place(model, *data.validation).mean()
        by_place = losses_by_place(model, *(part[:64] for part in long.validation))
        rows.append((loss, by_place.reshape(PIECES, -1).mean(1), seconds))

    losses, pieces, times = zip(*rows)
    blocks = [b for b in model.layers if isinstance(b, TransformerDecoderBlock)]
    caches = [block.empty_cache(1, config.context)["self"] for block in blocks]
    print(f"{kind:<14} {min(times):.4f} s a step, loss", *np.round(losses, 3))

    cache = sum(np.size(keys) + np.size(values) for keys, values in caches)
    return Measured(np.mean(losses), np.mean(pieces, 0), min(times), cache)


def draw(found: dict[str, Measured], config: Config, run: RunFolder) -> None:
    usual = found["usual"]
    above = {"loss": [each.loss - usual.loss for each in found.values()]}
    title = "Positions matter most; most other choices change the loss little"
    label = "validation loss above that of the usual model (nats per character)"

    draw_bars(above, [*found], title, label, run, "losses.svg")

    costs = {
        "time of a step": [each.seconds / usual.seconds for each in found.values()],
        "size of the cache": [each.cache / usual.cache for each in found.values()],
    }
    title = "Shared heads of keys and values make the cache small"

    draw_bars(costs, [*found], title, "times the usual model's", run, "costs.svg")

    places = (np.arange(PIECES) + 0.5) * config.context / 2
    lines = {kind: (places, found[kind].pieces) for kind in found if kind in DRAWN}

    title = f"Beyond the {config.context} characters of the training, ALiBi goes on"
    draw_lines(lines, title, "place in the text", "validation loss", run, "places.svg")


def claims_of(found: dict[str, Measured]) -> list[Claim]:
    """Claims about losses above the usual one, and their rise beyond the context."""
    claims = []

    for kind, what, text, bound in BOUNDS:
        if kind in found:
            above = found[kind].loss - found["usual"].loss
            rise = found[kind].pieces[2:].mean() - found[kind].pieces[1]

            claims.append(Claim(text, above if what == "loss" else rise, **bound))

    return claims


def main(config: Config) -> Run:
    run = RunFolder.open("attention_variants", config)
    data, long = (
        load_characters(config.data, "tiny_shakespeare", length, config.quick)
        for length in (config.context, LONGER * config.context)
    )
    kinds = IN_QUICK if config.quick else CHANGES
    found = {kind: measure(kind, data, long, config) for kind in kinds}
    draw(found, config, run)

    return conclude(run, claims_of(found))


if __name__ == "__main__":
    launch(main, Config)
