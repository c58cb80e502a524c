"""Small colour photos in ten classes with a compact vision transformer.

    python recipes/cifar10_vit.py
    python recipes/cifar10_vit.py --mixer    (an MLP-Mixer: no attention at all)

Three convolutions turn the photo into 8 x 8 tokens, since a transformer that begins
with bare patches needs far more photos. Blocks of self-attention follow. The mean over
the tokens, weighted by learned shares, decides. In training, photos are mirrored and
shifted. Expected on CIFAR-10: 79 % of the test photos, in half an hour of two cores.

Papers: Dosovitskiy et al., "An image is worth 16x16 words: transformers for image
recognition at scale", 2020, https://arxiv.org/abs/2010.11929; Hassani et al.,
"Escaping the big data paradigm with compact transformers", 2021,
https://arxiv.org/abs/2104.05704; Xiao et al., "Early convolutions help transformers see
better", 2021, https://arxiv.org/abs/2106.14881; Tolstikhin et al., "MLP-Mixer: an
all-MLP architecture for vision", 2021. https://arxiv.org/abs/2105.01601
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras

from cookbook.config import (
    BatchSize,
    Between,
    Count,
    ImageClassConfig,
    Portion,
    Rate,
    Share,
    Side,
    Size,
)
from cookbook.data.batches import training_steps
from cookbook.data.images import Images, load_images
from cookbook.reports.attention.looks import draw_looks
from cookbook.reports.finish import Run
from cookbook.reports.image_classifier import report_classifier
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    LayerNormalization,
    MixerBlock,
    PositionEmbedding,
    RandomAffine,
    ReLU,
    SequencePooling,
    TransformerEncoderBlock,
)
from custom_layers.losses import CategoricalCrossentropy
from custom_layers.optimizers import AdamW
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"cifar10": (0.792, 0.01)}


@dataclass(frozen=True)
class Config(ImageClassConfig):
    image_size: Side = 32  # side to which pictures of your own are scaled and cut
    epochs: Count = 16  # passes over the training set
    # blocks of attention, or of a mixer; with 0, the convolutions decide alone
    blocks: Annotated[int, Between(0, 200)] = 4
    width: Size = 128  # length of the vector of a token, a multiple of --heads
    heads: Size = 4  # attention heads
    mixer: bool = False  # build an MLP-Mixer, whose tokens meet without attention
    shift: Share = 4 / 32  # in training, images shift by up to this share of a side
    mirror: bool = True  # whether to mirror half of the training images; not digits
    dropout: Portion = 0.1  # share of the features set to zero in training
    smoothing: Portion = 0.1  # share of each label that is spread over all classes
    decay: Share = 0.05  # weight decay; each step multiplies it by the learning rate
    batch_size: BatchSize = 128  # images per step
    learning_rate: Rate = 2e-3  # highest learning rate, at the end of the warm-up
    with_validation: bool = True  # whether to train on the validation part as well

    # few images, of digits, suit a narrow network and small batches
    in_quick = {
        "epochs": 8,
        "mirror": False,
        "shift": 1 / 16,
        "blocks": 1,
        "width": 32,
        "dropout": 0.0,
        "batch_size": 32,
        "learning_rate": 5e-3,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise ValueError(
                f"--heads got {self.heads}, expected a divisor of {self.width}, the "
                "value of --width"
            )

    def idle(self) -> dict[str, str]:
        without = {"heads": "with --mixer"} if self.mixer else {}
        if self.blocks == 0:
            without = {"heads": "with --blocks 0", "mixer": "with --blocks 0"}
        return super().idle() | without


def space(hp) -> Config:
    return Config(
        blocks=hp.Choice("blocks", [3, 4, 5]),
        width=hp.Choice("width", [96, 128, 160]),
        dropout=hp.Float("dropout", 0.0, 0.2, step=0.1),
        decay=hp.Float("decay", 1e-2, 0.2, sampling="log"),
        learning_rate=hp.Float("learning_rate", 5e-4, 4e-3, sampling="log"),
    )


def convolve(x, filters: int, strides: int):
    x = Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    return ReLU()(BatchNormalization(momentum=0.9)(x))


def tokens(config: Config, images):
    """Vectors of 8 x 8 places: what convolutions find there, and the position."""
    D = config.width
    x = convolve(images, D // 4, strides=1)  # 32, 32, D/4
    x = convolve(x, D // 2, strides=2)  # 16, 16, D/2
    x = convolve(x, D, strides=2)  # 8, 8, D
    x = keras.layers.Reshape((-1, D))(x)  # T = 64, D
    return keras.layers.add([x, PositionEmbedding(x.shape[1])(x)])


def block(config: Config) -> keras.Layer:
    D = config.width
    if config.mixer:
        return MixerBlock(D // 2, 2 * D, config.dropout)
    return TransformerEncoderBlock(
        2 * D, config.heads, config.dropout, "gelu", normalize_first=True
    )


def build(config: Config, data: Images) -> keras.Model:
    images = keras.Input(data.shape)  # H, W, C: 32, 32, 3
    x = keras.layers.Rescaling(1 / 64, offset=-2, dtype="float32")(images)
    flip = "horizontal" if config.mirror else None
    x = RandomAffine(config.shift, config.shift, flip=flip, interpolation="nearest")(x)
    x = Dropout(config.dropout)(tokens(config, x))
    for _ in range(config.blocks):
        x = block(config)(x)
    x = LayerNormalization()(x)
    x = SequencePooling(name="shares")(x)  # D
    logits = Dense(len(data.classes), dtype="float32")(x)
    model = keras.Model(images, logits)
    steps = training_steps(config, len(data.train[0]), least=4)
    model.compile(
        optimizer=AdamW(
            OneCycle(config.learning_rate, steps), weight_decay=config.decay
        ),
        loss=CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.smoothing
        ),
        metrics=["accuracy"],
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )
    return model


def main(config: Config) -> Run:
    data = load_images(
        config.data, "cifar10", config.quick, config.image_size, smallest=8, multiple=4
    ).one_hot()
    run = RunFolder.open("cifar10_vit", config)
    if config.tune:
        config = search(space, build, data, config, run)
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    draw_looks(model, data, run)
    return report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
