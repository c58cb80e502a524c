"""One runnable example of every component, for the contract test.

A layer: (arguments, shape of its input, first axis the batch). Everything else: its
arguments. A new component without a row here turns the contract test red.
"""

LAYERS = {
    # activations
    "ReLU": ({"max_value": 1.0, "negative_slope": 0.1}, (2, 5)),
    # dense
    "Dense": ({"units": 3, "kernel_regularizer": "l2"}, (2, 5)),
    # convolution
    "Conv2D": ({"filters": 3, "kernel_size": 3}, (2, 6, 6, 2)),
    # pooling
    "GlobalAveragePooling2D": ({}, (2, 4, 4, 3)),
    "MaxPooling2D": ({}, (2, 5, 4, 3)),
    # normalization
    "BatchNormalization": ({}, (2, 4, 3)),
    # dropout
    "Dropout": ({"rate": 0.5, "seed": 1}, (2, 5)),
}

# Layers whose input is no float tensor: {name: (dtype, low, high)}
INTEGER_INPUTS = {}

INITIALIZERS = {
    "GlorotUniform": {"seed": 1},
    "HeNormal": {"seed": 1},
    "VarianceScaling": {"scale": 0.5, "seed": 1},
}

REGULARIZERS = {"L2": {"l2": 0.1}}

CONSTRAINTS = {}

LOSSES = {"SparseCategoricalCrossentropy": {"from_logits": True}}

OPTIMIZERS = {"Adam": {"learning_rate": 0.1, "amsgrad": True}}

SCHEDULES = {
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
}
