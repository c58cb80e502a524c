"""German captions translated into English by a transformer: 3 million weights.

    python recipes/multi30k_transformer.py
    python recipes/multi30k_transformer.py --translate "Ein Hund."    (once trained)

Three blocks read the German subwords, three write the English ones, attending to what
was read. One table of vectors serves both languages and the output.
Expected: 40.6 BLEU on test_2016 in half an hour of processor time; bentrevett's
well-known tutorial has 36.5 with 9 million weights.
Papers: Vaswani et al., "Attention is all you need", 2017,
https://arxiv.org/abs/1706.03762; Press, Wolf, "Using the output embedding to improve
language models", 2017, https://arxiv.org/abs/1608.05859; Elliott et al., "Multi30K:
multilingual English-German image descriptions", 2016, https://arxiv.org/abs/1605.00459
"""

import dataclasses
from dataclasses import dataclass

from cookbook.start import start

start(__name__, onednn=True)  # a quarter off a step's time

import keras
from keras import ops

from cookbook.config import Count, Rate, Share, TrainingConfig, check_heads
from cookbook.data.text.translation import load_translations
from cookbook.reports.translation import report_translation, translate_one
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.generation import compiled
from custom_layers.initializers import RandomNormal
from custom_layers.layers import (
    Dropout,
    LayerNormalization,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from custom_layers.losses import TokenCrossentropy
from custom_layers.metrics import token_accuracy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"multi30k": (40.6, 1.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 8  # passes over the training pairs
    vocabulary: Count = 4000  # subwords, of both languages together
    blocks: Count = 3  # of the encoder, and of the decoder
    width: Count = 192  # features of a subword
    expansion: Count = 2  # features inside a block's feed-forward part, times width
    heads: Count = 8  # attention heads; they divide the width
    dropout: Share = 0.1  # of embeddings and in the blocks
    smoothing: Share = 0.1  # of the targets
    batch_size: Count = 128  # pairs a step
    learning_rate: Rate = 3e-3  # peak, after the warm-up
    translate: str | None = None  # do not train: translate this by a finished run

    def __post_init__(self):
        super().__post_init__()
        check_heads(self)


def space(hp):
    return Config(
        width=hp.Int("width", 128, 320, step=64),
        dropout=hp.Float("dropout", 0.1, 0.4, step=0.1),
        learning_rate=hp.Float("learning_rate", 5e-4, 5e-3, sampling="log"),
    )


def build(config, data):
    sizes = config.expansion * config.width, config.heads, config.dropout
    options = {"normalize_first": True, "max_wavelength": 10_000}
    embedding = keras.layers.ReversibleEmbedding(  # one table for all three places
        len(data.subwords),
        config.width,
        embeddings_initializer=RandomNormal(stddev=config.width**-0.5),
        name="embedding",
    )
    scale = keras.layers.Rescaling(config.width**0.5, name="scale")
    source = keras.Input((None,), dtype="int32", name="source")
    mask = ops.not_equal(source, 0)
    x = Dropout(config.dropout)(scale(embedding(source)))  # B, S, width
    for _ in range(config.blocks):
        x = TransformerEncoderBlock(*sizes, **options)(x, mask=mask)
    memory = LayerNormalization(name="memory")(x)
    target = keras.Input((None,), dtype="int32", name="target")
    x = Dropout(config.dropout)(scale(embedding(target)))  # B, T, width
    for _ in range(config.blocks):
        x = TransformerDecoderBlock(*sizes, **options)(x, memory, source_mask=mask)
    logits = embedding(LayerNormalization(name="last")(x), reverse=True)
    model = keras.Model([source, target], logits)  # B, T, subwords
    steps = max(20, config.epochs * (len(data.train[1]) // config.batch_size))
    model.compile(
        optimizer=Adam(
            OneCycle(config.learning_rate, steps, pct_start=0.2), beta_2=0.98
        ),
        loss=TokenCrossentropy(config.smoothing),
        metrics=[token_accuracy],
        jit_compile=False,
    )
    return model


def decoder(model):
    """model, token by token: a function from (source, length) to what a search wants.

    The layers are the trained ones; a block runs on the newest tokens alone, since its
    cache holds keys and values of those before, and of the source.
    """
    encoder = keras.Model(model.inputs[0], model.get_layer("memory").output)
    blocks = [x for x in model.layers if isinstance(x, TransformerDecoderBlock)]
    embedding, scale, last = map(model.get_layer, ("embedding", "scale", "last"))

    @compiled
    def next_logits(tokens, index, caches):
        newest = ops.take(tokens, index, axis=1)[:, None]  # B, 1
        x, new = scale(embedding(newest)), []
        for block, cache in zip(blocks, caches):
            x, cache = block.step(x, cache, index)
            new.append(cache)
        return embedding(last(x), reverse=True)[:, 0], new

    def start(source, length):
        source = ops.convert_to_tensor(source)
        memory, mask = encoder(source, training=False), ops.not_equal(source, 0)
        sizes = source.shape[0], length
        return next_logits, [b.empty_cache(*sizes, memory, mask) for b in blocks]

    return start


def main(config):
    if config.translate is not None:
        translate_one("multi30k_transformer", config, decoder)
        return
    if config.quick:
        small = {"width": 32, "blocks": 1, "batch_size": 16, "vocabulary": 300}
        config = dataclasses.replace(config, **small)
    data = load_translations(
        config.data, "multi30k", config.vocabulary, longest=40, quick=config.quick
    )
    run = RunFolder.open("multi30k_transformer", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_token_accuracy")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report_translation(model, decoder, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
