"""Cases of the benchmark: the arguments and the input size of each component."""

import typing

import keras

Arguments = dict[str, typing.Any]
Case = tuple[Arguments, typing.Any]  # (arguments, input shape or shapes)

MAPS = (128, 26, 26, 32)  # feature maps: batch, height, width, channels
SMALL_MAPS = (128, 13, 13, 32)
VOLUME = (8, 16, 26, 26, 32)  # batch, depth, height, width, channels
SEQUENCE = (128, 200, 32)  # batch, time, features
MATRIX = (512, 1000)  # batch, features or classes

LAYERS: dict[str, Case] = {
    # activations
    "ReLU": ({}, MAPS),
    "LeakyReLU": ({}, MAPS),
    "PReLU": ({"shared_axes": [1, 2]}, MAPS),
    "ELU": ({}, MAPS),
    "RReLU": ({}, MAPS),
    "Softmax": ({}, MATRIX),
    "ActivityRegularization": ({"l1": 0.1, "l2": 0.1}, MAPS),
    # dense
    "Dense": ({"units": 512, "activation": "relu"}, (128, 784)),
    "EinsumDense": (
        {"equation": "...d,dhk->...hk", "output_shape": (8, 32), "bias_axes": "hk"},
        (16, 128, 256),
    ),
    "Embedding": ({"input_dim": 10000, "output_dim": 64}, (64, 200)),
    "ReversibleEmbedding": ({"input_dim": 10000, "output_dim": 64}, (64, 200)),
    "EmbeddingBag": (
        {"input_dim": 10000, "output_dim": 64, "combiner": "mean"},
        (64, 200),
    ),
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
    "AdaptiveAveragePooling1D": ({"output_size": 60}, SEQUENCE),
    "AdaptiveAveragePooling2D": ({"output_size": 7}, MAPS),
    "AdaptiveAveragePooling3D": ({"output_size": 6}, VOLUME),
    "AdaptiveMaxPooling1D": ({"output_size": 60}, SEQUENCE),
    "AdaptiveMaxPooling2D": ({"output_size": 7}, MAPS),
    "AdaptiveMaxPooling3D": ({"output_size": 6}, VOLUME),
    "AveragePooling1D": ({"pool_size": 2}, SEQUENCE),
    "AveragePooling2D": ({"pool_size": 2}, MAPS),
    "AveragePooling3D": ({"pool_size": 2}, VOLUME),
    "GlobalAveragePooling1D": ({}, SEQUENCE),
    "GlobalAveragePooling2D": ({}, MAPS),
    "GlobalAveragePooling3D": ({}, VOLUME),
    "GlobalMaxPooling1D": ({}, SEQUENCE),
    "GlobalMaxPooling2D": ({}, MAPS),
    "GlobalMaxPooling3D": ({}, VOLUME),
    "MaxPooling1D": ({}, SEQUENCE),
    "MaxPooling2D": ({}, MAPS),
    "MaxPooling3D": ({}, VOLUME),
    # normalization
    "BatchNormalization": ({}, MAPS),
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
    "ConvLSTM1D": ({"filters": 32, "kernel_size": 3}, (16, 20, 64, 16)),
    "ConvLSTM2D": ({"filters": 16, "kernel_size": 3}, (8, 10, 24, 24, 8)),
    "ConvLSTM3D": ({"filters": 8, "kernel_size": 3}, (4, 5, 12, 12, 12, 4)),
    "ESN": ({"units": 128}, (64, 200, 128)),
    "MinGRU": ({"units": 128}, (64, 200, 128)),
    "MinLSTM": ({"units": 128}, (64, 200, 128)),
    # augmentation
    "RandomAffine": (
        {"height_translation": 0.1, "width_translation": 0.1, "rotation": 0.1},
        (128, 28, 28, 1),
    ),
    "MixUp": ({}, (64, 32, 32, 3)),
    "CutMix": ({}, (64, 32, 32, 3)),
    "RandomErasing": ({}, (64, 32, 32, 3)),
    "RandAugment": ({"value_range": (-4, 4)}, (32, 32, 32, 3)),
    "AugMix": ({"value_range": (-4, 4)}, (32, 32, 32, 3)),
    # audio
    "MelSpectrogram": ({"fft_length": 512, "sequence_stride": 256}, (16, 16000)),
    "STFTSpectrogram": ({}, (16, 16000, 1)),
    # dropout
    "Dropout": ({"rate": 0.5}, MAPS),
    "SpatialDropout1D": ({"rate": 0.5}, (128, 676, 32)),
    "SpatialDropout2D": ({"rate": 0.5}, MAPS),
    "SpatialDropout3D": ({"rate": 0.5}, (32, 8, 16, 16, 32)),
    "AlphaDropout": ({"rate": 0.5}, (32, 26, 26, 32)),
    "GaussianDropout": ({"rate": 0.5}, (32, 26, 26, 32)),
    "GaussianNoise": ({"stddev": 0.5}, (32, 26, 26, 32)),
}

# Layers around parts of Keras's, the same on every side: (make(class), input shape).
Wrapped = tuple[typing.Callable[[typing.Any], keras.layers.Layer], typing.Any]
WRAPPERS: dict[str, Wrapped] = {
    "StackedRNNCells": (
        lambda stack: keras.layers.RNN(
            stack([keras.layers.GRUCell(64), keras.layers.GRUCell(64)])
        ),
        (64, 100, 64),
    ),
    "TimeDistributed": (
        lambda wrapper: wrapper(keras.layers.Conv2D(16, 3)),
        (8, 10, 26, 26, 8),
    ),
}

# Layers of integers: each input is drawn from 0 to below this number.
INTEGERS = {
    "Embedding": 10_000,
    "EmbeddingBag": 10_000,
    "ReversibleEmbedding": 10_000,
}

# Further sizes of layers whose ratio depends on the size: (name, arguments, shape).
SIZES = [
    ("SimpleRNN", {"units": 64}, (32, 400, 64)),
    ("SimpleRNN", {"units": 128}, (128, 28, 28)),
    ("LSTM", {"units": 64}, (32, 400, 64)),
    ("LSTM", {"units": 128}, (128, 28, 28)),
    ("GRU", {"units": 64}, (32, 400, 64)),
    ("GRU", {"units": 128}, (128, 28, 28)),
    (
        "MultiHeadAttention",
        {"num_heads": 8, "key_dim": 32},
        {"query": (4, 1024, 256), "value": (4, 1024, 256)},
    ),
]

# Activation functions.
ACTIVATIONS: dict[str, Case] = {
    "celu": ({}, SMALL_MAPS),
    "elu": ({}, SMALL_MAPS),
    "exponential": ({}, SMALL_MAPS),
    "gelu": ({}, SMALL_MAPS),
    "glu": ({}, SMALL_MAPS),
    "hard_shrink": ({}, SMALL_MAPS),
    "hard_sigmoid": ({}, SMALL_MAPS),
    "hard_silu": ({}, SMALL_MAPS),
    "hard_tanh": ({}, SMALL_MAPS),
    "leaky_relu": ({}, SMALL_MAPS),
    "linear": ({}, SMALL_MAPS),
    "log_sigmoid": ({}, SMALL_MAPS),
    "log_softmax": ({}, MATRIX),
    "mish": ({}, SMALL_MAPS),
    "relu": ({"max_value": 2.0, "threshold": 0.5}, SMALL_MAPS),
    "relu6": ({}, SMALL_MAPS),
    "selu": ({}, SMALL_MAPS),
    "sigmoid": ({}, SMALL_MAPS),
    "silu": ({}, SMALL_MAPS),
    "soft_shrink": ({}, SMALL_MAPS),
    "softmax": ({}, MATRIX),
    "softplus": ({}, SMALL_MAPS),
    "softsign": ({}, SMALL_MAPS),
    "sparse_plus": ({}, SMALL_MAPS),
    "sparse_sigmoid": ({}, SMALL_MAPS),
    "sparsemax": ({}, (512, 100)),
    "squareplus": ({}, SMALL_MAPS),
    "tanh": ({}, SMALL_MAPS),
    "tanh_shrink": ({}, SMALL_MAPS),
    "threshold": ({"threshold": 0.5, "default_value": 0.0}, SMALL_MAPS),
}

# What y_true is beside y_pred of a shape (B, ..., C):
#   "values" of that shape, in (0, 1); "binary": values of that shape that are 0 or 1;
#   "labels": integers (B, ...) from 1 to C - 1; "one-hot": of that shape;
#   "samples": integers (B,), so that about eight samples are of one class;
#   a shape: integers of that shape from 1 to C - 1; None: there is no y_true.
# (arguments, shape of y_pred, what y_true is)
Answered = tuple[Arguments, tuple[int, ...], typing.Any]

LOSSES: dict[str, Answered] = {
    # regression
    "MeanSquaredError": ({}, MATRIX, "values"),
    "RootMeanSquaredError": ({}, MATRIX, "values"),
    "MeanAbsoluteError": ({}, MATRIX, "values"),
    "MeanAbsolutePercentageError": ({}, MATRIX, "values"),
    "MeanSquaredLogarithmicError": ({}, MATRIX, "values"),
    "Huber": ({"delta": 0.2}, MATRIX, "values"),
    "LogCosh": ({}, MATRIX, "values"),
    "Quantile": ({"quantile": 0.9}, MATRIX, "values"),
    "Poisson": ({}, MATRIX, "values"),
    "GIoU": ({}, (4096, 4), "values"),
    # classification
    "BinaryCrossentropy": ({"from_logits": True}, MATRIX, "values"),
    "CategoricalCrossentropy": ({"from_logits": True}, MATRIX, "values"),
    "SparseCategoricalCrossentropy": ({"from_logits": True}, MATRIX, "labels"),
    "TokenCrossentropy": ({"label_smoothing": 0.1}, (32, 20, 1000), "labels"),
    "KLDivergence": ({}, MATRIX, "values"),
    "SparsemaxLoss": ({}, (512, 100), "one-hot"),
    "WeightedKappa": ({}, (512, 10), "one-hot"),
    # focal
    "BinaryFocalCrossentropy": ({"from_logits": True}, MATRIX, "values"),
    "CategoricalFocalCrossentropy": ({"from_logits": True}, MATRIX, "values"),
    "CategoricalGeneralizedCrossEntropy": ({}, MATRIX, "labels"),
    # margin
    "Hinge": ({}, MATRIX, "values"),
    "SquaredHinge": ({}, MATRIX, "values"),
    "CategoricalHinge": ({}, MATRIX, "values"),
    # overlap
    "Dice": ({}, MATRIX, "values"),
    "Tversky": ({}, MATRIX, "values"),
    "FocalTversky": ({}, MATRIX, "values"),
    "LovaszHinge": ({}, (8, 64, 64), "binary"),
    "LovaszSoftmax": ({}, (8, 32, 32, 4), "labels"),
    # metric learning
    "CosineSimilarity": ({}, MATRIX, "values"),
    "Circle": ({}, (512, 64), "samples"),
    "Contrastive": ({}, (512,), "binary"),
    "TripletSemiHard": ({}, (128, 64), "samples"),
    "TripletHard": ({}, (128, 64), "samples"),
    "NPairs": ({}, (128, 128), "samples"),
    "NPairsMultilabel": ({}, (128, 128), "binary"),
    "LiftedStruct": ({}, (128, 64), "samples"),
    "InfoNCE": ({}, (256, 2, 64), (256,)),
    "NTXent": ({}, (256, 2, 64), (256,)),
    "SupervisedContrastive": ({}, (256, 64), "samples"),
    "ArcFace": ({}, (256, 1000), "labels"),
    # sequence
    "CTC": ({}, (16, 50, 30), (16, 10)),
    "SequenceLoss": ({}, (32, 20, 1000), "labels"),
}

# Metrics: an update with a batch, and the result after it.
CLASSES = (512, 10)
METRICS: dict[str, Answered] = {
    "AUC": ({}, (512,), "binary"),
    "Precision": ({}, CLASSES, "binary"),
    "Recall": ({}, CLASSES, "binary"),
    "FBetaScore": ({"beta": 2.0, "threshold": 0.5}, CLASSES, "binary"),
    "F1Score": ({"average": "macro"}, CLASSES, "one-hot"),
    "R2Score": ({}, CLASSES, "values"),
    "MeanIoU": ({"num_classes": 10, "sparse_y_pred": False}, CLASSES, "labels"),
    "TopKCategoricalAccuracy": ({}, MATRIX, "one-hot"),
    "SparseTopKCategoricalAccuracy": ({}, MATRIX, "labels"),
    "CohenKappa": ({"num_classes": 10}, CLASSES, "one-hot"),
    "MatthewsCorrelationCoefficient": ({"num_classes": 10}, CLASSES, "one-hot"),
    "HammingLoss": ({"mode": "multilabel", "threshold": 0.5}, CLASSES, "binary"),
    "MultiLabelConfusionMatrix": ({"num_classes": 10}, CLASSES, "binary"),
    "GeometricMean": ({}, (512,), None),
    "HarmonicMean": ({}, (512,), None),
    "SpearmansRank": ({}, (512,), "values"),
    "KendallsTauB": ({}, (512,), "values"),
    "KendallsTauC": ({}, (512,), "values"),
    "Perplexity": ({"from_logits": True}, (32, 20, 1000), "labels"),
    "SpanF1": ({"tags": ["O", *("B-x", "I-x", "B-y", "I-y")]}, (64, 40, 5), "labels"),
}

# Optimizers; each is timed on all these numbers of variables.
OPTIMIZER_VARIABLES = (10, 100, 300)
OPTIMIZERS: dict[str, Arguments] = {
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
    "ScheduleFreeAdamW": {},
    "RectifiedAdam": {},
    "AdaBelief": {},
    "Yogi": {},
    "NovoGrad": {},
    "LazyAdam": {},
    "COCOB": {},
    "ProximalAdagrad": {},
    "ConditionalGradient": {"learning_rate": 0.99, "lambda_": 10.0},
    "Rprop": {},
    "Shampoo": {"frequency": 10},
    "SOAP": {},
    # around another one
    "Lookahead": {"inner_optimizer": "adam"},
    "SWA": {"inner_optimizer": "adam"},
    "MovingAverage": {"inner_optimizer": "adam"},
    "AdaptiveGradientClipping": {"inner_optimizer": "adam"},
    "GradientCentralization": {"inner_optimizer": "adam"},
}

INITIALIZERS: dict[str, Arguments] = {
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
REGULARIZERS: dict[str, Arguments] = {
    "L1": {},
    "L1L2": {"l1": 0.1, "l2": 0.1},
    "L2": {},
    "OrthogonalRegularizer": {},
}
CONSTRAINTS: dict[str, Arguments] = {
    "MaxNorm": {},
    "MinMaxNorm": {},
    "NonNeg": {},
    "UnitNorm": {},
}
SCHEDULES: dict[str, Arguments] = {
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
