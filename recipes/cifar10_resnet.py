"""Small colour photos in ten classes with a small residual network.

    python recipes/cifar10_resnet.py
    python recipes/cifar10_resnet.py --data fashion_mnist --epochs 5

Paper: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015,
https://arxiv.org/abs/1512.03385
"""

import os
from dataclasses import dataclass

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # halves a convolution's time

import keras

from cookbook.cli import Count, Rate, Run, Share, parse
from cookbook.data.images import load_images
from cookbook.report import report_classifier
from cookbook.run_folder import RunFolder
from cookbook.training import seed_everything, train
from cookbook.tuning import search
from custom_layers.activations.rectifiers import ReLU
from custom_layers.convolution.standard import Conv2D
from custom_layers.dense import Dense
from custom_layers.initializers.random_draws import HeNormal
from custom_layers.losses.classification import CategoricalCrossentropy
from custom_layers.normalization.batch import BatchNormalization
from custom_layers.optimizers.gradient_descent import SGD
from custom_layers.pooling import GlobalMaxPooling2D, MaxPooling2D
from custom_layers.warmup_schedules import OneCycle

EXPECTED = {"cifar10": (0.90, 0.005)}


@dataclass(frozen=True)
class Config(Run):
    epochs: Count = 14  # passes over the training set
    filters: Count = 24  # filters of the first layer; the stages have 2, 4, 8 times
    shift: Share = 4 / 32  # images move by up to this share of their side
    smoothing: Share = 0.1  # share of the label that is spread over all classes
    decay: Share = 5e-3  # weight decay, times the learning rate
    momentum: Share = 0.9  # of the gradient steps
    batch_size: Count = 512  # images a step
    learning_rate: Rate = 0.4  # peak of the one cycle


def space(hp):
    return Config(
        filters=hp.Choice("filters", [16, 24, 32]),
        smoothing=hp.Float("smoothing", 0.0, 0.2, step=0.1),
        decay=hp.Float("decay", 1e-3, 1e-2, sampling="log"),
        learning_rate=hp.Float("learning_rate", 0.1, 1.0, sampling="log"),
    )
