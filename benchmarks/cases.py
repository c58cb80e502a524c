"""At which size each component is timed: layers as (arguments, input shape)."""

LAYERS = {
    # activations
    "ReLU": ({}, (128, 26, 26, 32)),
    "LeakyReLU": ({}, (128, 26, 26, 32)),
    "PReLU": ({"shared_axes": [1, 2]}, (128, 26, 26, 32)),
    "ELU": ({}, (128, 26, 26, 32)),
    "Softmax": ({}, (512, 1000)),
    "ActivityRegularization": ({"l1": 0.1, "l2": 0.1}, (128, 26, 26, 32)),
    # dense
    "Dense": ({"units": 512, "activation": "relu"}, (128, 784)),
    "EinsumDense": (
        {"equation": "...d,dhk->...hk", "output_shape": (8, 32), "bias_axes": "hk"},
        (16, 128, 256),
    ),
    "Embedding": ({"input_dim": 10000, "output_dim": 64}, (64, 200)),
    # convolution
    "Conv1D": ({"filters": 64, "kernel_size": 3, "padding": "causal"}, (64, 200, 32)),
    "Conv2D": ({"filters": 64, "kernel_size": 3}, (64, 14, 14, 32)),
    "Conv3D": ({"filters": 32, "kernel_size": 3}, (8, 10, 14, 14, 16)),
    "Conv1DTranspose": ({"filters": 32, "kernel_size": 4, "strides": 2}, (64, 100, 32)),
    "Conv2DTranspose": (
        {"filters": 32, "kernel_size": 3, "strides": 2, "padding": "same"},
        (32, 14, 14, 32),
    ),
    "Conv3DTranspose": (
        {"filters": 8, "kernel_size": 2, "strides": 2},
        (8, 5, 7, 7, 16),
    ),
    "DepthwiseConv1D": ({"kernel_size": 3}, (64, 200, 32)),
    "DepthwiseConv2D": ({"kernel_size": 3}, (64, 14, 14, 32)),
    "SeparableConv1D": ({"filters": 64, "kernel_size": 3}, (64, 200, 32)),
    "SeparableConv2D": ({"filters": 64, "kernel_size": 3}, (64, 14, 14, 32)),
    # pooling
    "AveragePooling1D": ({"pool_size": 2}, (128, 200, 32)),
    "AveragePooling2D": ({"pool_size": 2}, (128, 26, 26, 32)),
    "AveragePooling3D": ({"pool_size": 2}, (8, 16, 26, 26, 32)),
    "GlobalAveragePooling1D": ({}, (128, 200, 32)),
    "GlobalAveragePooling2D": ({}, (128, 26, 26, 32)),
    "GlobalAveragePooling3D": ({}, (8, 16, 26, 26, 32)),
    "GlobalMaxPooling1D": ({}, (128, 200, 32)),
    "GlobalMaxPooling2D": ({}, (128, 26, 26, 32)),
    "GlobalMaxPooling3D": ({}, (8, 16, 26, 26, 32)),
    "MaxPooling1D": ({}, (128, 200, 32)),
    "MaxPooling2D": ({}, (128, 26, 26, 32)),
    "MaxPooling3D": ({}, (8, 16, 26, 26, 32)),
    # normalization
    "BatchNormalization": ({}, (128, 26, 26, 32)),
    "LayerNormalization": ({}, (64, 128, 256)),
    "GroupNormalization": ({"groups": 8}, (64, 26, 26, 32)),
    "RMSNormalization": ({}, (64, 128, 256)),
    "UnitNormalization": ({}, (64, 128, 256)),
    # attention
    "Attention": ({"use_scale": True}, [(32, 128, 128)] * 2),
    "AdditiveAttention": ({}, [(8, 64, 128)] * 2),
    "MultiHeadAttention": (
        {"num_heads": 8, "key_dim": 32},
        {"query": (16, 256, 256), "value": (16, 256, 256)},
    ),
    "GroupQueryAttention": (
        {"head_dim": 32, "num_query_heads": 8, "num_key_value_heads": 2},
        {"query": (4, 1024, 256), "value": (4, 1024, 256)},
    ),
    # recurrent
    "SimpleRNN": ({"units": 128}, (64, 200, 128)),
    "LSTM": ({"units": 128}, (64, 200, 128)),
    "GRU": ({"units": 128}, (64, 200, 128)),
    # dropout
    "Dropout": ({"rate": 0.5}, (128, 26, 26, 32)),
    "SpatialDropout1D": ({"rate": 0.5}, (128, 676, 32)),
    "SpatialDropout2D": ({"rate": 0.5}, (128, 26, 26, 32)),
    "SpatialDropout3D": ({"rate": 0.5}, (32, 8, 16, 16, 32)),
    "AlphaDropout": ({"rate": 0.5}, (32, 26, 26, 32)),
    "GaussianDropout": ({"rate": 0.5}, (32, 26, 26, 32)),
    "GaussianNoise": ({"stddev": 0.5}, (32, 26, 26, 32)),
}

# Further sizes of those whose ratio depends on it: rows of (name, arguments, shape).
_LONG = {"query": (4, 1024, 256), "value": (4, 1024, 256)}
SIZES = [
    *(
        (name, {"units": units}, shape)
        for name in ("SimpleRNN", "LSTM", "GRU")
        for units, shape in ((64, (32, 400, 64)), (128, (128, 28, 28)))
    ),
    ("MultiHeadAttention", {"num_heads": 8, "key_dim": 32}, _LONG),
]

# Activation functions: (arguments, input shape).
ACTIVATIONS = {
    "celu": ({}, (128, 13, 13, 32)),
    "elu": ({}, (128, 13, 13, 32)),
    "exponential": ({}, (128, 13, 13, 32)),
    "gelu": ({}, (128, 13, 13, 32)),
    "glu": ({}, (128, 13, 13, 32)),
    "hard_shrink": ({}, (128, 13, 13, 32)),
    "hard_sigmoid": ({}, (128, 13, 13, 32)),
    "hard_silu": ({}, (128, 13, 13, 32)),
    "hard_tanh": ({}, (128, 13, 13, 32)),
    "leaky_relu": ({}, (128, 13, 13, 32)),
    "linear": ({}, (128, 13, 13, 32)),
    "log_sigmoid": ({}, (128, 13, 13, 32)),
    "log_softmax": ({}, (512, 1000)),
    "mish": ({}, (128, 13, 13, 32)),
    "relu": ({"max_value": 2.0, "threshold": 0.5}, (128, 13, 13, 32)),
    "relu6": ({}, (128, 13, 13, 32)),
    "selu": ({}, (128, 13, 13, 32)),
    "sigmoid": ({}, (128, 13, 13, 32)),
    "silu": ({}, (128, 13, 13, 32)),
    "soft_shrink": ({}, (128, 13, 13, 32)),
    "softmax": ({}, (512, 1000)),
    "softplus": ({}, (128, 13, 13, 32)),
    "softsign": ({}, (128, 13, 13, 32)),
    "sparse_plus": ({}, (128, 13, 13, 32)),
    "sparse_sigmoid": ({}, (128, 13, 13, 32)),
    "sparsemax": ({}, (512, 100)),
    "squareplus": ({}, (128, 13, 13, 32)),
    "tanh": ({}, (128, 13, 13, 32)),
    "tanh_shrink": ({}, (128, 13, 13, 32)),
    "threshold": ({"threshold": 0.5, "default_value": 0.0}, (128, 13, 13, 32)),
}

# Losses: (arguments, shape of y_pred); labels are integers of shape SPARSE.
LOSSES = {
    # regression
    "MeanSquaredError": ({}, (512, 1000)),
    "MeanAbsoluteError": ({}, (512, 1000)),
    "MeanAbsolutePercentageError": ({}, (512, 1000)),
    "MeanSquaredLogarithmicError": ({}, (512, 1000)),
    "Huber": ({"delta": 0.2}, (512, 1000)),
    "LogCosh": ({}, (512, 1000)),
    "Poisson": ({}, (512, 1000)),
    # classification
    "BinaryCrossentropy": ({"from_logits": True}, (512, 1000)),
    "CategoricalCrossentropy": ({"from_logits": True}, (512, 1000)),
    "SparseCategoricalCrossentropy": ({"from_logits": True}, (512, 1000)),
    "KLDivergence": ({}, (512, 1000)),
    # focal
    "BinaryFocalCrossentropy": ({"from_logits": True}, (512, 1000)),
    "CategoricalFocalCrossentropy": ({"from_logits": True}, (512, 1000)),
    "CategoricalGeneralizedCrossEntropy": ({}, (512, 1000)),
    # margin
    "Hinge": ({}, (512, 1000)),
    "SquaredHinge": ({}, (512, 1000)),
    "CategoricalHinge": ({}, (512, 1000)),
    # overlap
    "Dice": ({}, (512, 1000)),
    "Tversky": ({}, (512, 1000)),
    # metric learning
    "CosineSimilarity": ({}, (512, 1000)),
    "Circle": ({}, (512, 64)),
    # sequence
    "CTC": ({}, (16, 50, 30)),
}
SPARSE = {
    "SparseCategoricalCrossentropy": (512,),
    "CategoricalGeneralizedCrossEntropy": (512,),
    "Circle": (512,),
    "CTC": (16, 10),
}

# Optimizers: arguments; each is timed on 10, 100 and 300 variables.
OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "Adagrad": {},
    "Adadelta": {},
    "RMSprop": {},
    "Adam": {},
    "AdamW": {},
    "Adamax": {},
    "Nadam": {},
    "Ftrl": {},
    "Lion": {},
    "Lamb": {},
    "Adafactor": {},
    "Muon": {},
}
OPTIMIZER_VARIABLES = (10, 100, 300)

INITIALIZERS = {
    "Constant": {},
    "GlorotNormal": {},
    "GlorotUniform": {},
    "HeNormal": {},
    "HeUniform": {},
    "Identity": {},
    "LecunNormal": {},
    "LecunUniform": {},
    "Ones": {},
    "Orthogonal": {},
    "RandomNormal": {},
    "RandomUniform": {},
    "TruncatedNormal": {},
    "VarianceScaling": {},
    "Zeros": {},
}
REGULARIZERS = {
    "L1": {},
    "L1L2": {"l1": 0.1, "l2": 0.1},
    "L2": {},
    "OrthogonalRegularizer": {},
}
CONSTRAINTS = {"MaxNorm": {}, "MinMaxNorm": {}, "NonNeg": {}, "UnitNorm": {}}
SCHEDULES = {
    "ExponentialDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 9,
        "decay_rate": 0.9,
    },
    "InverseTimeDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 9,
        "decay_rate": 0.9,
    },
    "PiecewiseConstantDecay": {"boundaries": [5, 9], "values": [0.1, 0.05, 0.02]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 100},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 100},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 9},
}
