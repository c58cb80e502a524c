"""A picture's content in another one's style, painted by gradient descent on pixels.

    python recipes/style_transfer.py
    python recipes/style_transfer.py --content ME.jpg --style PAINTING.jpg --size 384
    python recipes/style_transfer.py --backbone VGG19 --weights imagenet

Content is what a network's features F say of each place, style which of them go
together, their Gram matrix G, wherever that is. What learns are the picture's pixels:

    G = F^T F / (H W)
    loss = content_weight * |F - P|^2 / |P|^2
         + style_weight * mean over layers of |G - A|^2 / |A|^2
         + smoothness * mean squared difference of neighbouring pixels

P: features of the content, A: Gram matrices of the style. Divided by them, as the paper
does not, the weights mean the same with any network. The default one is mnist_cnn's,
which learns CIFAR-10 first and is kept in the folder of the runs. Expected: the style
loss falls 26-fold, of which other colours alone give 2-fold; the content's features
correlate at 0.63 with those of the start. With --backbone random it falls 1414-fold in
the random features, but in the learned ones 1.3-fold, less than by other colours alone.
Papers: Gatys, Ecker, Bethge, "Image style transfer using convolutional neural
networks", 2016, https://doi.org/10.1109/CVPR.2016.265; Mahendran, Vedaldi,
"Understanding deep image representations by inverting them", 2015 (smoothness),
https://arxiv.org/abs/1412.0035
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # halves a convolution's time

import keras
import numpy as np

from cookbook.config import Between, Count, Rate, TrainingConfig
from cookbook.data.images import load_images
from cookbook.data.pictures import load_pair, root_mean_square
from cookbook.reports.generated.style_transfer import (
    PictureAfterEpoch,
    feature_layers,
    feature_networks,
    report_style,
)
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import Dense
from custom_layers.losses import MeanSquaredError, gram_matrix, pixel_differences
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay
from recipes import mnist_cnn

EXPECTED = {"cifar10": (26.3, 5.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 20  # of so many steps each, after which the picture is kept
    steps: Count = 20  # of an epoch
    content: str = "china"  # a file, or an embedded photograph: china or flower
    style: str = "flower"  # the same
    size: Annotated[int, Between(48, 4096)] = 192  # pixels of the content's longer side
    content_weight: Rate = 1.0  # of the content in the loss
    style_weight: Rate = 10.0  # of the style
    smoothness: Rate = 50.0  # weight of the difference of neighbouring pixels
    backbone: str = "own"  # own; random, not trained; or a name in keras.applications
    weights: str = "imagenet"  # of that backbone: imagenet, or a file of weights
    network_epochs: Count = 3  # passes over --data in which the own network learns
    learning_rate: Rate = 0.1  # at the start

    batch_size = 1  # there is one picture


def space(hp):
    return Config(learning_rate=hp.Float("learning_rate", 0.01, 0.3, sampling="log"))


def statistics(network):
    """Model of a picture's content features and of its style's Gram matrices."""
    content, style = feature_layers(network)
    outputs = [layer.output for layer in (content, *style)]
    features = keras.Model(network.inputs[0], outputs)
    picture = keras.Input(network.inputs[0].shape[1:])
    F, *styles = features(255 * picture, training=False)
    model = keras.Model(picture, [F, *map(gram_matrix, styles)])
    model.trainable = False
    return model


def build(config, data, look):
    """The picture as the weights of a layer, which starts as the content."""
    one = keras.Input((1,))
    pixels = Dense(data.content.size, "sigmoid", use_bias=False)
    picture = keras.layers.Reshape(data.content.shape, name="picture")(pixels(one))
    start = np.clip(data.content, 0.01, 0.99).reshape(1, -1)
    pixels.set_weights([np.log(start / (1 - start))])  # sigmoid's inverse
    outputs = dict(zip(data.targets, [*look(picture), pixel_differences(picture)]))
    for name, target in data.targets.items():
        outputs[name] = outputs[name] / root_mean_square(target)
    layers = len(outputs) - 2
    weights = dict.fromkeys(outputs, config.style_weight / layers)
    weights |= {"content": config.content_weight, "roughness": config.smoothness}
    model = keras.Model(one, outputs)
    rate = CosineDecay(config.learning_rate, config.epochs * config.steps)
    model.compile(
        optimizer=Adam(rate),
        loss={name: MeanSquaredError() for name in outputs},
        loss_weights=weights,
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )
    return model


def goals(look, pair):
    """{output: what it should be}: features, Gram matrices, and no roughness."""
    P, *_ = map(np.array, look(pair.content[None]))
    _, *A = map(np.array, look(pair.style[None]))
    flat = np.zeros(pixel_differences(pair.content[None]).shape, "float32")
    styles = {f"style_{i + 1}": value[0] for i, value in enumerate(A)}
    return {"content": P[0], **styles, "roughness": flat[0]}


def main(config):
    if config.quick:
        config = replace(config, size=96, epochs=min(config.epochs, 5))
    images, name = None, config.backbone
    if name in ("own", "random"):
        images = load_images(config.data, "cifar10", config.quick, smallest=22)
    pair = load_pair(config.content, config.style, config.size, images or name)
    run = RunFolder.open("style_transfer", config)
    found = feature_networks(config, images, pair.content.shape, mnist_cnn)
    looks = {key: statistics(network) for key, network in found.items()}
    pair = pair.towards(goals(looks[name], pair), config.steps)
    make = partial(build, look=looks[name])
    if config.tune:
        config = search(space, make, pair, config, run, score="loss")
    seed_everything(config.seed)
    model = make(config, pair)
    history = train(model, pair, config, run, [PictureAfterEpoch(run)])
    return report_style(model, pair, history, looks, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
