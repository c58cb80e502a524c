"""Transfer learning: features learned from the digits 0 to 4 help to read 5 to 9.

    python recipes/mnist_transfer.py
    python recipes/mnist_transfer.py --data cifar10 --backbone MobileNetV2

A network with the four blocks of mnist_cnn first learns half of the classes. Its lower
blocks are then frozen, and new upper blocks learn the other half on top of them. With
--backbone, the frozen part is a network of keras.applications with the weights of
ImageNet or of a file, and a new last layer on top of it learns all classes. Expected:
99.6 % test accuracy on the digits 5 to 9 after 3 minutes of processor time. The
well-known Keras example reaches 99.2 %.

Paper: Yosinski et al., "How transferable are features in deep neural networks?", 2014,
https://arxiv.org/abs/1411.1792
"""

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras

from cookbook.config import BatchSize, Between, Count, Filters, ImageClassConfig, Rate
from cookbook.data.batches import training_steps
from cookbook.data.images import Images, load_images
from cookbook.reports.finish import Run
from cookbook.reports.image_classifier import report_classifier
from cookbook.trained.backbones import load_backbone
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import Dense, GlobalAveragePooling2D, RandomAffine
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle
from recipes.mnist_cnn import block

EXPECTED = {"mnist": (0.996, 0.002)}


@dataclass(frozen=True)
class Config(ImageClassConfig):
    epochs: Count = 8  # passes over the second half of the classes
    first_epochs: Count = 8  # passes over the first half of the classes, before that
    frozen: Annotated[int, Between(1, 4)] = 2  # how many of the four blocks are frozen
    filters: Filters = 16  # filters in block 1; the next have 2, 4 and 6 times as many
    backbone: str = "own"  # own, or a network of keras.applications, such as VGG16
    weights: str = "imagenet"  # the backbone's weights: imagenet, or a file of them
    # the backbone gets its images enlarged to at least this side
    side: Annotated[int, Between(1, 1024)] = 96
    batch_size: BatchSize = 128  # images per step
    learning_rate: Rate = 1e-2  # highest learning rate, at the end of the warm-up

    def idle(self) -> dict[str, str]:
        beside = f"beside --backbone {self.backbone}"
        only_own = ["first_epochs", "frozen", "filters"]
        only_others = ["weights", "side"]
        names = only_others if self.backbone == "own" else only_own
        return super().idle() | dict.fromkeys(names, beside)


def space(hp) -> Config:
    return Config(
        batch_size=hp.Choice("batch_size", [64, 128, 256]),
        learning_rate=hp.Float("learning_rate", 1e-3, 3e-2, sampling="log"),
    )


def blocks(n: int) -> tuple:
    return (
        block(n, pool=True),  # 13, 13, n
        block(2 * n, pool=False),  # 11, 11, 2n
        block(4 * n, pool=True),  # 4, 4, 4n
        block(6 * n, pool=False),  # 2, 2, 6n
    )


def compile_classifier(model: keras.Model, config: Config, data: Images) -> None:
    steps = training_steps(config, len(data.train[0]), least=4)
    model.compile(
        optimizer=Adam(OneCycle(config.learning_rate, steps), beta_2=0.99),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )


def learn_features(config: Config, data: Images) -> keras.Model:
    """The lower blocks of a network that has learned the classes of `data`."""
    images = keras.Input(data.shape)  # 28, 28, 1
    augmentation = [
        keras.layers.Rescaling(1 / 255),
        RandomAffine(2 / 28, 2 / 28, rotation=10 / 360, fill_mode="constant"),
    ]
    all_blocks = blocks(config.filters)
    lower_blocks = chain(*all_blocks[: config.frozen])
    lower = keras.Sequential([images, *augmentation, *lower_blocks])
    upper = [*chain(*all_blocks[config.frozen :]), GlobalAveragePooling2D()]
    logits = Dense(len(data.classes), dtype="float32")
    model = keras.Sequential([images, *lower.layers, *upper, logits])
    first = replace(config, epochs=config.first_epochs, resume=False)
    compile_classifier(model, first, data)
    train(model, data, first)
    return lower


def build(config: Config, data: Images, features: keras.Model) -> keras.Model:
    """The frozen features with new layers on top; a backbone gets no new blocks."""
    features.trainable = False
    is_own = config.backbone == "own"
    new_blocks = blocks(config.filters)[config.frozen :] if is_own else []
    logits = Dense(len(data.classes), dtype="float32")
    upper = [*chain(*new_blocks), GlobalAveragePooling2D(), logits]
    x = features.outputs[0]  # H, W, C
    for layer in upper:
        x = layer(x)
    model = keras.Model(features.inputs[0], x)
    compile_classifier(model, config, data)
    return model


def main(config: Config) -> Run:
    is_own = config.backbone == "own"
    smallest = 22 if is_own else 1  # a backbone gets its images enlarged
    data = load_images(
        config.data,
        "mnist",
        config.quick,
        config.image_size,
        smallest=smallest,
        fewest=4 if is_own else 2,  # two for each half
    )
    run = RunFolder.open("mnist_transfer", config)
    seed_everything(config.seed)
    if is_own:
        half = len(data.classes) // 2
        print("First half of the classes: a new network learns")
        features = learn_features(config, data.only(0, half))
        print("Second half of the classes: new layers learn on top of frozen ones")
        data = data.only(half, len(data.classes))
    else:
        features = load_backbone(
            config.backbone, config.weights, data.shape, config.side
        )
    if config.tune:
        make = partial(build, features=features)
        config = search(space, make, data, config, run)
    seed_everything(config.seed)
    model = build(config, data, features)
    history = train(model, data, config, run)
    return report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
