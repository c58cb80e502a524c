"""German captions translated into English by a transformer, 3 million weights.

    python recipes/multi30k_transformer.py
    python recipes/multi30k_transformer.py --translate "Ein Hund."    (once trained)

Three blocks read the German subwords. Three more write the English subwords and attend
to the German ones. The embeddings of both languages and the output layer share their
weights. Expected: 39.8 BLEU on test_2016 after half an hour of processor time. The
well-known tutorial of bentrevett reaches 36.5 with 9 million weights.

Papers: Vaswani et al., "Attention is all you need", 2017,
https://arxiv.org/abs/1706.03762; Press, Wolf, "Using the output embedding to improve
language models", 2017, https://arxiv.org/abs/1608.05859; Elliott et al., "Multi30K:
multilingual English-German image descriptions", 2016, https://arxiv.org/abs/1605.00459
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN saves a quarter of the time of a step

import keras
from keras import ops

from cookbook.answers.decoders import translator_with_caches
from cookbook.answers.load import print_answer
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
from cookbook.data.text.translation import Translations, load_translations
from cookbook.reports.finish import Run
from cookbook.reports.translation import report_translation
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.initializers import RandomNormal
from custom_layers.layers import (
    Dropout,
    LayerNormalization,
    ReversibleEmbedding,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from custom_layers.losses import TokenCrossentropy
from custom_layers.metrics import token_accuracy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"multi30k": (39.8, 1.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 8  # passes over the training set
    vocabulary: Count = 4000  # subwords in the vocabulary of both languages together
    blocks: Depth = 3  # blocks of the encoder, and as many of the decoder
    width: Size = 192  # length of the vector of a subword
    # units of a block's feed-forward part, as a multiple of width
    expansion: Annotated[int, Between(1, 64)] = 2
    heads: Size = 8  # attention heads; width must be a multiple of twice as many
    dropout: Portion = 0.1  # share of the features set to zero in training
    smoothing: Portion = 0.1  # share of each target spread over all subwords
    batch_size: BatchSize = 128  # pairs of sentences per step
    learning_rate: Rate = 3e-3  # highest learning rate, at the end of the warm-up
    translate: str | None = None  # do not train: translate this with the newest run

    in_quick = {"width": 32, "blocks": 1, "batch_size": 16, "vocabulary": 300}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_heads(self)


def space(hp) -> Config:
    return Config(
        width=hp.Int("width", 128, 320, step=64),
        dropout=hp.Float("dropout", 0.1, 0.4, step=0.1),
        learning_rate=hp.Float("learning_rate", 5e-4, 5e-3, sampling="log"),
    )


def build(config: Config, data: Translations) -> keras.Model:
    sizes = config.expansion * config.width, config.heads, config.dropout
    embedding = ReversibleEmbedding(  # source, target and output share it
        len(data.subwords),
        config.width,
        embeddings_initializer=RandomNormal(stddev=config.width**-0.5),
        reverse_dtype="float32",
        name="embedding",
    )
    scale = keras.layers.Rescaling(config.width**0.5, name="scale")
    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, 0)
    x = Dropout(config.dropout)(scale(embedding(source)))  # B, S, width
    for _ in range(config.blocks):
        x = TransformerEncoderBlock(
            *sizes, normalize_first=True, max_wavelength=10_000
        )(x, mask=mask)
    memory = LayerNormalization(name="memory")(x)
    target = keras.Input((None,), dtype="int32", name="target")
    x = Dropout(config.dropout)(scale(embedding(target)))  # B, T, width
    for _ in range(config.blocks):
        x = TransformerDecoderBlock(
            *sizes, normalize_first=True, max_wavelength=10_000
        )(x, memory, source_mask=mask)
    logits = embedding(LayerNormalization(name="last")(x), reverse=True)
    model = keras.Model([source, target], logits)  # B, T, subwords
    steps = training_steps(config, len(data.train[1]), least=20)
    model.compile(
        optimizer=Adam(
            OneCycle(config.learning_rate, steps, pct_start=0.2), beta_2=0.98
        ),
        loss=TokenCrossentropy(config.smoothing),
        metrics=[token_accuracy],
        jit_compile=False,
    )
    return model


def main(config: Config) -> Run | None:
    if config.translate is not None:
        print_answer("multi30k_transformer", config, "translation")
        return None
    data = load_translations(
        config.data, "multi30k", config.vocabulary, longest=40, quick=config.quick
    )
    run = RunFolder.open("multi30k_transformer", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_token_accuracy")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report_translation(
        model, translator_with_caches, data, history, run, EXPECTED
    )


if __name__ == "__main__":
    launch(main, Config)
