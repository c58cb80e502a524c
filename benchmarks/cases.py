"""At which size each component is timed: layers as (arguments, input shape)."""

LAYERS = {
    # activations
    "ReLU": ({}, (128, 26, 26, 32)),
    # dense
    "Dense": ({"units": 512, "activation": "relu"}, (128, 784)),
    # convolution
    "Conv2D": ({"filters": 64, "kernel_size": 3}, (64, 14, 14, 32)),
    # pooling
    "MaxPooling2D": ({}, (128, 26, 26, 32)),
    "GlobalAveragePooling2D": ({}, (128, 26, 26, 32)),
    # normalization
    "BatchNormalization": ({}, (128, 26, 26, 32)),
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
    # dropout
    "Dropout": ({"rate": 0.5}, (128, 26, 26, 32)),
}

# Losses: (arguments, shape of y_pred); labels are sparse integers where SPARSE says so.
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
# Labels: integers below the number of classes, of y_pred's shape without ...
SPARSE = {
    "SparseCategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "Circle",
    "CTC",
}

# Optimizers: arguments; each is timed on 10, 100 and 300 variables.
OPTIMIZERS = {"Adam": {}}
OPTIMIZER_VARIABLES = (10, 100, 300)

INITIALIZERS = {"GlorotUniform": {}, "HeNormal": {}, "VarianceScaling": {}}
REGULARIZERS = {"L2": {}}
CONSTRAINTS = {}
SCHEDULES = {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 100}}
