"""One runnable example of every component, for the contract test.

A layer: (arguments, shape of its input, first axis the batch). Everything else: its
arguments. A new component without a row here turns the contract test red.
"""

LAYERS = {
    # activations
    "ReLU": ({"max_value": 1.0, "negative_slope": 0.1}, (2, 5)),
    "LeakyReLU": ({"negative_slope": 0.1}, (2, 5)),
    "PReLU": ({"shared_axes": [1], "alpha_initializer": "ones"}, (2, 3, 5)),
    "ELU": ({"alpha": 0.5}, (2, 5)),
    "Swish": ({"beta_regularizer": "l2"}, (2, 3, 5)),
    "Softmax": ({"axis": [1, 2]}, (2, 3, 5)),
    "GLU": ({"units": 3, "activation": "silu"}, (2, 5)),
    "Maxout": ({"num_units": 2}, (2, 6)),
    # regularizers
    "ActivityRegularization": ({"l1": 0.1, "l2": 0.2}, (2, 5)),
    # dense
    "Dense": ({"units": 3, "kernel_regularizer": "l2"}, (2, 5)),
    # convolution
    "Conv2D": ({"filters": 3, "kernel_size": 3}, (2, 6, 6, 2)),
    # pooling
    "GlobalAveragePooling2D": ({}, (2, 4, 4, 3)),
    "MaxPooling2D": ({}, (2, 5, 4, 3)),
    # normalization
    "BatchNormalization": ({}, (2, 4, 3)),
    # attention
    "AdditiveAttention": ({}, [(2, 3, 4), (2, 5, 4)]),
    "Attention": ({"use_scale": True, "score_mode": "concat"}, [(2, 3, 4), (2, 5, 4)]),
    "GroupQueryAttention": (
        {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
        {"query": (2, 3, 6), "value": (2, 5, 6)},
    ),
    "MultiHeadAttention": (
        {"num_heads": 2, "key_dim": 3, "use_gate": True},
        {"query": (2, 3, 6), "value": (2, 5, 4)},
    ),
    # dropout
    "Dropout": ({"rate": 0.5, "seed": 1}, (2, 5)),
}

# Layers whose input is no float tensor: {name: (dtype, low, high)}
INTEGER_INPUTS = {}

INITIALIZERS = {
    "Constant": {"value": 0.5},
    "GlorotNormal": {"seed": 1},
    "GlorotUniform": {"seed": 1},
    "HeNormal": {"seed": 1},
    "HeUniform": {"seed": 1},
    "Identity": {"gain": 0.5},
    "LecunNormal": {"seed": 1},
    "LecunUniform": {"seed": 1},
    "Ones": {},
    "Orthogonal": {"gain": 0.5, "seed": 1},
    "RandomNormal": {"mean": 0.1, "stddev": 0.5, "seed": 1},
    "RandomUniform": {"minval": -0.5, "maxval": 1.0, "seed": 1},
    "TruncatedNormal": {"mean": 0.1, "stddev": 0.5, "seed": 1},
    "VarianceScaling": {"scale": 0.5, "seed": 1},
    "Zeros": {},
}

REGULARIZERS = {
    "L1": {"l1": 0.1},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "L2": {"l2": 0.1},
    "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
}

CONSTRAINTS = {
    "MaxNorm": {"max_value": 1.5, "axis": 1},
    "MinMaxNorm": {"min_value": 0.5, "max_value": 1.5, "rate": 0.5, "axis": 1},
    "NonNeg": {},
    "UnitNorm": {"axis": 1},
}

LOSSES = {
    # losses/regression
    "MeanSquaredError": {},
    "RootMeanSquaredError": {},
    "MeanAbsoluteError": {},
    "MeanAbsolutePercentageError": {},
    "MeanSquaredLogarithmicError": {},
    "Huber": {"delta": 0.5},
    "LogCosh": {},
    "Quantile": {"quantile": 0.9},
    "Poisson": {},
    # losses/classification
    "BinaryCrossentropy": {"label_smoothing": 0.1},
    "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.1},
    "SparseCategoricalCrossentropy": {"ignore_class": 3, "axis": 1},
    "KLDivergence": {},
    # losses/focal
    "BinaryFocalCrossentropy": {"gamma": 1.5, "apply_class_balancing": True},
    "CategoricalFocalCrossentropy": {"gamma": 1.5},
    "CategoricalGeneralizedCrossEntropy": {"q": 0.7},
    # losses/margin
    "Hinge": {},
    "SquaredHinge": {},
    "CategoricalHinge": {},
    # losses/overlap
    "Dice": {"axis": (1, 2)},
    "Tversky": {"alpha": 0.3, "beta": 0.7},
    # losses/metric_learning
    "CosineSimilarity": {"axis": 1},
    "Contrastive": {"margin": 0.5},
    "TripletSemiHard": {"margin": 0.5, "distance_metric": "angular"},
    "TripletHard": {"soft": True},
    "NPairs": {},
    "Circle": {"gamma": 64.0},
    # losses/sequence
    "CTC": {},
}

OPTIMIZERS = {"Adam": {"learning_rate": 0.1, "amsgrad": True}}

SCHEDULES = {
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
}
