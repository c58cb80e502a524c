"""Shakespeare, character by character, with a small GPT of 0.8 million weights.

    python recipes/shakespeare_gpt.py
    python recipes/shakespeare_gpt.py --write "ROMEO:"    (once trained)
    python recipes/shakespeare_gpt.py --feed-forward swiglu --normalization rms
    python recipes/shakespeare_gpt.py --positions alibi --key-value-heads 1

Blocks of causal self-attention with rotary positions learn to predict the next
character. New text is drawn one character at a time, with a cache of keys and values.
Expected: a loss of 1.46 nats per character on validation text and 1.60 on the test
text, after 205 s of processor time. With `--epochs 1`, the whole run takes half as
long and reaches 1.59 on validation text; nanoGPT's run of three minutes on a CPU
reaches 1.88.

Papers: Radford et al., "Language models are unsupervised multitask learners", 2019,
https://openai.com/index/better-language-models; Karpathy, "The unreasonable
effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN saves a quarter of the time of a step

import keras

from cookbook.answers.decoders import decoder_with_caches
from cookbook.answers.load import print_answer
from cookbook.answers.writers import write_on
from cookbook.config import (
    BatchSize,
    Between,
    Count,
    Depth,
    Portion,
    Rate,
    Size,
    TrainingConfig,
    check_heads,
)
from cookbook.data.batches import training_steps
from cookbook.data.text.characters import Characters, load_characters
from cookbook.reports.finish import Run
from cookbook.reports.language_model import report_language_model
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    ALiBi,
    Dense,
    Embedding,
    LayerNormalization,
    RelativePositionBias,
    TransformerDecoderBlock,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Muon
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"tiny_shakespeare": (1.598, 0.02)}
GATES = {"swiglu": "silu", "geglu": "gelu"}  # activations of the gates


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 2  # passes over the windows; each pass reads the text twice
    context: Size = 128  # characters that a prediction can look back on
    blocks: Depth = 4  # transformer blocks
    width: Size = 128  # length of the vector of a character
    heads: Size = 4  # attention heads; width must be a multiple of twice as many
    dropout: Portion = 0.0  # share of the features set to zero in training
    batch_size: BatchSize = 32  # windows per step
    learning_rate: Rate = 7e-3  # highest learning rate, at the end of the warm-up
    # how attention knows the order of the characters
    positions: Literal["rotary", "alibi", "relative", "none"] = "rotary"
    normalization: Literal["layer", "rms"] = "layer"  # kind of the blocks' norms
    # network behind the attention of a block: swiglu and geglu have a gate
    feed_forward: Literal["relu", "swiglu", "geglu"] = "relu"
    # heads of keys and values, which the attention heads share; 0 for one each
    key_value_heads: Annotated[int, Between(0, 2**14)] = 0
    write: str | None = None  # do not train: continue this text with the newest run

    in_quick = {"width": 32, "blocks": 1, "context": 32, "batch_size": 8}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_heads(self)
        if self.key_value_heads and self.heads % self.key_value_heads:
            raise ValueError(
                f"--key-value-heads got {self.key_value_heads} and --heads "
                f"{self.heads}, expected a number that divides the heads"
            )

    @property
    def variants(self) -> dict[str, Any]:
        """Options of the blocks, if a flag asks for others than the usual ones."""
        options: dict[str, Any] = {}
        if self.positions == "rotary":
            options["max_wavelength"] = 10_000
        elif self.positions == "alibi":
            options["position_bias"] = ALiBi()
        elif self.positions == "relative":
            options["position_bias"] = RelativePositionBias(bidirectional=False)
        if self.feed_forward != "relu":
            options |= {"gated": True, "activation": GATES[self.feed_forward]}
        if self.normalization != "layer":
            options["normalization"] = self.normalization
        if self.key_value_heads:
            options["num_key_value_heads"] = self.key_value_heads
        return {} if options == {"max_wavelength": 10_000} else options


def space(hp) -> Config:
    return Config(
        width=hp.Choice("width", [96, 128, 160]),
        dropout=hp.Float("dropout", 0.0, 0.2, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def block(config: Config) -> TransformerDecoderBlock:
    sizes = 4 * config.width, config.heads, config.dropout
    if config.variants:
        return TransformerDecoderBlock(*sizes, normalize_first=True, **config.variants)
    return TransformerDecoderBlock(*sizes, normalize_first=True, max_wavelength=10_000)


def build(config: Config, data: Characters) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32")
    x = Embedding(len(data.alphabet), config.width)(tokens)  # B, T, width
    x = keras.layers.Rescaling(4)(x)  # so that Adam's steps are 4 times as large
    for _ in range(config.blocks):
        x = block(config)(x)
    x = LayerNormalization()(x)
    logits = Dense(len(data.alphabet), name="logits", dtype="float32")(x)  # B, T, A
    model = keras.Model(tokens, logits)
    steps = training_steps(config, len(data.train[0]), least=20)
    model.compile(
        optimizer=Muon(
            OneCycle(config.learning_rate, steps, pct_start=0.1),
            adam_beta_2=0.99,
            adam_weight_decay=0.1,
            weight_decay=0.1,
            exclude_layers=["logits"],
        ),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # with XLA, a step takes 1.4 times as long here
    )
    return model


def main(config: Config) -> Run | None:
    if config.write is not None:
        print_answer("shakespeare_gpt", config, "language model", seed=config.seed)
        return None
    data = load_characters(
        config.data, "tiny_shakespeare", config.context, config.quick
    )
    run = RunFolder.open("shakespeare_gpt", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    text = write_on(
        decoder_with_caches(model),
        data.opening,
        100 if config.quick else 500,
        data.alphabet,
        config.context,
        config.seed,
    )
    return report_language_model(model, data, history, run, EXPECTED, text)


if __name__ == "__main__":
    launch(main, Config)
