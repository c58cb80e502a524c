"""One runnable example of every component, for the contract test.

A layer: (arguments, shape of its input, first axis the batch); all else: arguments.
Arguments that hold layers are a function that makes them anew.
"""

import keras

from custom_layers.layers import (
    CRF,
    AttentionDecoder,
    AttentionDecoderCell,
    RelativePositionBias,
    SinusoidalEmbedding,
)
from custom_layers.models import GradientPenalty, HingeGAN
from loss_examples import LOSSES, METRICS  # noqa: F401  tables like the others here
from schedule_examples import SCHEDULES  # noqa: F401

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
    "TLU": ({"affine": True, "tau_regularizer": "l2"}, (2, 3, 5)),
    "Snake": ({"frequency_regularizer": "l2", "axis": -1}, (2, 3, 5)),
    "RReLU": ({"lower": 0.25, "upper": 0.5, "seed": 1}, (2, 5)),
    "ActivityRegularization": ({"l1": 0.1, "l2": 0.2}, (2, 5)),
    # dense
    "Dense": ({"units": 3, "kernel_regularizer": "l2"}, (2, 5)),
    "NoisyDense": ({"units": 3, "sigma": 0.25, "seed": 1}, (2, 5)),
    "VariationalDense": ({"units": 3, "kl_weight": 0.01, "seed": 1}, (2, 5)),
    "PolynomialCrossing": ({"projection_dim": 2, "diag_scale": 0.5}, [(2, 4), (2, 4)]),
    "EinsumDense": (
        {"equation": "btd,dhk->bthk", "output_shape": (None, 2, 3), "bias_axes": "hk"},
        (2, 4, 5),
    ),
    "Embedding": ({"input_dim": 5, "output_dim": 3}, (2, 4)),
    "ReversibleEmbedding": ({"input_dim": 5, "output_dim": 3}, (2, 4)),
    "EmbeddingBag": ({"input_dim": 5, "output_dim": 3, "mask_zero": True}, (2, 4)),
    # convolution
    "Conv1D": ({"filters": 4, "kernel_size": 3, "padding": "causal"}, (2, 6, 2)),
    "Conv2D": ({"filters": 4, "kernel_size": 3, "groups": 2}, (2, 6, 6, 2)),
    "Conv3D": ({"filters": 3, "kernel_size": 2, "strides": 2}, (2, 4, 5, 4, 2)),
    "Conv1DTranspose": ({"filters": 3, "kernel_size": 3, "strides": 2}, (2, 4, 2)),
    "Conv2DTranspose": (
        {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1},
        (2, 4, 3, 2),
    ),
    "Conv3DTranspose": ({"filters": 3, "kernel_size": 2}, (2, 3, 2, 3, 2)),
    "DepthwiseConv1D": ({"kernel_size": 3, "padding": [(2, 1)]}, (2, 6, 2)),
    "DepthwiseConv2D": ({"kernel_size": 3, "depth_multiplier": 2}, (2, 6, 5, 2)),
    "SeparableConv1D": ({"filters": 3, "kernel_size": 3}, (2, 6, 2)),
    "SeparableConv2D": ({"filters": 3, "kernel_size": (3, 2)}, (2, 6, 5, 2)),
    # pooling
    "AdaptiveAveragePooling1D": ({"output_size": 3}, (2, 5, 3)),
    "AdaptiveAveragePooling2D": ({"output_size": (2, 3)}, (2, 5, 4, 3)),
    "AdaptiveAveragePooling3D": ({"output_size": 2}, (2, 3, 2, 4, 3)),
    "AdaptiveMaxPooling1D": ({"output_size": 3}, (2, 5, 3)),
    "AdaptiveMaxPooling2D": ({"output_size": (2, 3)}, (2, 5, 4, 3)),
    "AdaptiveMaxPooling3D": ({"output_size": 2}, (2, 3, 2, 4, 3)),
    "AveragePooling1D": ({"pool_size": 2}, (2, 5, 3)),
    "AveragePooling2D": ({"pool_size": 2, "padding": "same"}, (2, 5, 4, 3)),
    "AveragePooling3D": ({"pool_size": 2}, (2, 3, 5, 4, 3)),
    "GlobalAveragePooling1D": ({"keepdims": True}, (2, 4, 3)),
    "GlobalAveragePooling2D": ({}, (2, 4, 4, 3)),
    "GlobalAveragePooling3D": ({}, (2, 2, 4, 3, 3)),
    "GlobalMaxPooling1D": ({}, (2, 4, 3)),
    "GlobalMaxPooling2D": ({"keepdims": True}, (2, 4, 4, 3)),
    "GlobalMaxPooling3D": ({}, (2, 2, 4, 3, 3)),
    "MaxPooling1D": ({}, (2, 5, 3)),
    "MaxPooling2D": ({}, (2, 5, 4, 3)),
    "MaxPooling3D": ({"padding": "same"}, (2, 3, 5, 4, 3)),
    "MaxPoolingWithArgmax2D": ({"padding": "same"}, (2, 5, 4, 3)),
    "MaxUnpooling2D": (
        {"output_size": (3, 5)},
        {"values": (2, 1, 2, 3), "indices": (2, 1, 2, 3)},
    ),
    "NetVLAD": ({"num_clusters": 2, "kernel_regularizer": "l2"}, (2, 4, 3)),
    "SequencePooling": ({"kernel_initializer": "ones"}, (2, 4, 3)),
    "SpatialPyramidPooling2D": ({"bins": [1, [2, 3]]}, (2, 5, 4, 3)),
    "CorrelationCost": (
        {"kernel_size": 1, "max_displacement": 1, "stride_1": 2}
        | {"stride_2": 1, "pad": 1},
        [(2, 4, 5, 3)] * 2,
    ),
    # normalization
    "BatchNormalization": ({"renorm": True}, (2, 4, 3)),
    "GroupNormalization": ({"groups": 2}, (2, 5, 4)),
    "InstanceNormalization": ({}, (2, 5, 3)),
    "LayerNormalization": ({"axis": [1, 2]}, (2, 4, 3)),
    "FilterResponseNormalization": ({"learned_epsilon": True}, (2, 5, 4)),
    "PoincareNormalize": ({"axis": -1, "epsilon": 0.125}, (2, 4, 3)),
    "RMSNormalization": ({}, (2, 4, 3)),
    "SpectralNormalization": (
        lambda: {"layer": keras.layers.Dense(3), "power_iterations": 2},
        (2, 5),
    ),
    "UnitNormalization": ({}, (2, 4, 3)),
    "WeightNormalization": (lambda: {"layer": keras.layers.Dense(3)}, (2, 5)),
    # attention
    "ALiBi": ({}, (2, 2, 3, 5)),
    "AdditiveAttention": ({}, [(2, 3, 4), (2, 5, 4)]),
    "Attention": ({"use_scale": True, "score_mode": "concat"}, [(2, 3, 4), (2, 5, 4)]),
    "CachedMultiHeadAttention": (
        {"num_heads": 2, "key_dim": 4, "max_wavelength": 100.0},
        {"query": (2, 3, 6), "value": (2, 5, 4)},
    ),
    "GroupQueryAttention": (
        {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
        {"query": (2, 3, 6), "value": (2, 5, 6)},
    ),
    "MixerBlock": ({"tokens_dim": 5, "channels_dim": 6}, (2, 3, 4)),
    "MultiHeadAttention": (
        {"num_heads": 2, "key_dim": 3, "use_gate": True},
        {"query": (2, 3, 6), "value": (2, 5, 4)},
    ),
    "BigramEmbedding": ({"num_buckets": 7, "output_dim": 4}, (2, 3)),
    "NaiveBayesNgrams": (
        {"num_buckets": 7, "num_classes": 2, "kernel_regularizer": "l2"},
        (2, 3),
    ),
    "PositionEmbedding": ({"sequence_length": 3}, (2, 3, 4)),
    "RelativePositionBias": ({"num_buckets": 4, "max_distance": 6}, (2, 2, 3, 5)),
    "RotaryEmbedding": ({"max_wavelength": 50}, (2, 3, 4)),
    "SinePositionEncoding": ({"max_wavelength": 50}, (2, 3, 4)),
    "SinusoidalEmbedding": ({"output_dim": 4, "max_wavelength": 50}, (2, 3)),
    "TokenAndPositionEmbedding": (
        {"vocabulary_size": 6, "sequence_length": 3, "embedding_dim": 4},
        (2, 3),
    ),
    "TransformerDecoderBlock": (
        {"intermediate_dim": 8, "num_heads": 2},
        {"inputs": (2, 3, 4), "source": (2, 5, 6)},
    ),
    "TransformerEncoderBlock": (
        lambda: {
            "intermediate_dim": 8,
            "num_heads": 2,
            "activation": "silu",
            "normalize_first": True,
            "normalization": "rms",
            "gated": True,
            "num_key_value_heads": 1,
            "position_bias": RelativePositionBias(4, max_distance=3),
        },
        (2, 3, 4),
    ),
    # recurrent
    "SimpleRNNCell": ({"units": 3, "dropout": 0.1}, (2, 4, 5)),
    "LSTMCell": ({"units": 3, "recurrent_dropout": 0.1}, (2, 4, 5)),
    "GRUCell": ({"units": 3, "reset_after": False}, (2, 4, 5)),
    "LayerNormLSTMCell": ({"units": 3, "epsilon": 1e-4}, (2, 4, 5)),
    "PeepholeLSTMCell": ({"units": 3, "kernel_constraint": "max_norm"}, (2, 4, 5)),
    "LayerNormSimpleRNNCell": ({"units": 3, "gamma_regularizer": "l2"}, (2, 4, 5)),
    "NASCell": ({"units": 3, "projection": 2, "use_bias": True}, (2, 4, 5)),
    "ESNCell": ({"units": 3, "connectivity": 0.5, "seed": 1}, (2, 4, 5)),
    "MinGRUCell": ({"units": 3, "dropout": 0.1}, (2, 4, 5)),
    "MinLSTMCell": ({"units": 3, "activation": "tanh"}, (2, 4, 5)),
    "StackedRNNCells": (lambda: {"cells": [keras.layers.GRUCell(3)]}, (2, 4, 5)),
    "SimpleRNN": ({"units": 3, "seed": 1, "activation": "relu"}, (2, 4, 5)),
    "LSTM": ({"units": 3, "return_state": True, "dropout": 0.1}, (2, 4, 5)),
    "GRU": ({"units": 3, "return_sequences": True}, (2, 4, 5)),
    "ESN": ({"units": 3, "leaky": 0.5, "use_norm2": True}, (2, 4, 5)),
    "MinGRU": ({"units": 3, "return_sequences": True}, (2, 4, 5)),
    "MinLSTM": ({"units": 3, "return_state": True, "dropout": 0.1}, (2, 4, 5)),
    "ConvLSTM1D": ({"filters": 3, "kernel_size": 2}, (2, 3, 4, 2)),
    "ConvLSTM2D": ({"filters": 3, "kernel_size": 2, "strides": 2}, (2, 3, 4, 3, 2)),
    "ConvLSTM3D": ({"filters": 2, "kernel_size": 2}, (2, 2, 3, 2, 3, 1)),
    "TimeDistributed": (lambda: {"layer": keras.layers.Dense(3)}, (2, 4, 5)),
    "Bidirectional": (
        lambda: {"layer": keras.layers.GRU(3), "merge_mode": None},
        (2, 4, 5),
    ),
    "AttentionDecoderCell": (
        lambda: {"cell": keras.layers.LSTMCell(3), "attention": "luong"},
        {"sequences": (2, 4, 5), "memory": (2, 3, 6)},
    ),
    "MonotonicAttentionDecoderCell": (
        lambda: {"cell": keras.layers.LSTMCell(3), "attention": "luong", "seed": 1},
        {"sequences": (2, 4, 5), "memory": (2, 3, 6)},
    ),
    "AttentionDecoder": (
        lambda: {
            "cell": AttentionDecoderCell(keras.layers.GRUCell(3)),
            "return_sequences": True,
        },
        {"sequences": (2, 4, 5), "memory": (2, 3, 6)},
    ),
    "ScheduledSamplingDecoder": (
        lambda: {
            "decoder": AttentionDecoder(
                AttentionDecoderCell(keras.layers.GRUCell(3)), return_sequences=True
            ),
            "readout": keras.layers.Dense(5),
            "seed": 1,
        },
        {"sequences": (2, 4, 5), "memory": (2, 3, 6)},
    ),
    "CRF": ({"transition_initializer": "ones"}, (2, 4, 3)),
    # augmentation
    "RandomAffine": ({"rotation": 0.1, "flip": "vertical", "seed": 1}, (2, 5, 4, 3)),
    "MixUp": ({"alpha": 0.5, "seed": 1}, (2, 5, 4, 3)),
    "CutMix": ({"factor": (0.5, 1.0), "seed": 1}, (2, 5, 4, 3)),
    "RandomErasing": ({"scale": (0.1, 0.5), "fill_value": 0.5}, (2, 5, 4, 3)),
    "RandAugment": ({"value_range": (-1, 1), "num_ops": 1, "seed": 1}, (2, 5, 4, 3)),
    "AugMix": (
        {"value_range": (-1, 1), "num_chains": 2, "chain_depth": 1, "seed": 1},
        (2, 5, 4, 3),
    ),
    # audio
    "MelSpectrogram": (
        {"fft_length": 8, "sequence_stride": 4, "num_mel_bins": 3},
        (2, 16),
    ),
    "STFTSpectrogram": ({"frame_length": 8, "window": "hamming"}, (2, 20, 3)),
    # dropout
    "AlphaDropout": ({"rate": 0.3, "noise_shape": [None, 1], "seed": 1}, (2, 5)),
    "Dropout": ({"rate": 0.5, "seed": 1}, (2, 5)),
    "GaussianDropout": ({"rate": 0.5, "seed": 1}, (2, 5)),
    "GaussianNoise": ({"stddev": 0.5, "seed": 1}, (2, 5)),
    "SpatialDropout1D": ({"rate": 0.5, "seed": 1}, (2, 4, 3)),
    "SpatialDropout2D": ({"rate": 0.5, "seed": 1}, (2, 4, 4, 3)),
    "SpatialDropout3D": (
        {"rate": 0.5, "data_format": "channels_first", "seed": 1},
        (2, 3, 4, 4, 4),
    ),
    "StochasticDepth": ({"rate": 0.5, "seed": 1}, (2, 4, 3)),
}

# Recurrent cells: the layer inside which each is run, on the input of its row.
CELLS = {
    "SimpleRNNCell": keras.layers.RNN,
    "LSTMCell": keras.layers.RNN,
    "GRUCell": keras.layers.RNN,
    "LayerNormLSTMCell": keras.layers.RNN,
    "PeepholeLSTMCell": keras.layers.RNN,
    "LayerNormSimpleRNNCell": keras.layers.RNN,
    "NASCell": keras.layers.RNN,
    "ESNCell": keras.layers.RNN,
    "MinGRUCell": keras.layers.RNN,
    "MinLSTMCell": keras.layers.RNN,
    "StackedRNNCells": keras.layers.RNN,
    "AttentionDecoderCell": AttentionDecoder,
    "MonotonicAttentionDecoderCell": AttentionDecoder,
}

# Layers whose input is not a float tensor: {name: (dtype, low, high)}
INTEGER_INPUTS = {
    "BigramEmbedding": ("int32", 0, 6),
    "NaiveBayesNgrams": ("int32", 0, 6),
    "TokenAndPositionEmbedding": ("int32", 0, 6),
    "Embedding": ("int32", 0, 5),
    "ReversibleEmbedding": ("int32", 0, 5),
    "EmbeddingBag": ("int32", 0, 5),
    "MaxUnpooling2D": ("int32", 0, 45),
}

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

PENALTIES = {"GradientPenalty": {"weight": 0.5, "target": 0.0, "at": "both"}}

SUBWORDS = {
    "Subwords": {
        "pieces": ["<pad>", "<unknown>", "<start>", "<end>", "l", "o", "lo"],
        "merges": [("l", "o")],
    }
}


def _tagger():
    inputs = keras.Input((4, 3))
    return {"inputs": inputs, "outputs": CRF()(inputs)}


def _denoiser():
    """A small denoiser of samples of three values in two classes."""
    noisy = keras.Input((3,))
    timestep, label = (keras.Input((), dtype="int32") for _ in range(2))
    parts = [
        noisy,
        SinusoidalEmbedding(4)(timestep),
        keras.layers.Embedding(3, 4)(label),
    ]
    output = keras.layers.Dense(3)(keras.layers.Concatenate()(parts))
    return keras.Model([noisy, timestep, label], output)


MODELS = {
    "Tagger": _tagger,
    "DiffusionModel": lambda: {
        "denoiser": _denoiser(),
        "classes": 2,
        "timesteps": 8,
        "schedule": "linear",
        "prediction": "noise",
        "unlabelled": 0.25,
        "value_range": [-1.0, 2.0],
        "sampling_steps": 4,
        "guidance": 0.5,
    },
    "AdversarialModel": lambda: {
        "generator": keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
        "critic": keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]),
        "loss": HingeGAN(),
        "penalty": GradientPenalty(0.5),
        "critic_steps": 2,
    },
    "CycleGAN": lambda: {
        **{
            name: keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
            for name in ("generator", "inverse", "critic_x", "critic_y")
        },
        "loss": HingeGAN(),
        "penalty": GradientPenalty(0.5),
        "cycle": 3.0,
        "identity": 1.0,
    },
    "VariationalAutoencoder": lambda: {
        "encoder": keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)]),
        "decoder": keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]),
        "beta": 0.5,
        "samples": 2,
        "value_range": [-1.0, 1.0],
    },
}

OPTIMIZERS = {
    "SGD": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "Adagrad": {"learning_rate": 0.1, "initial_accumulator_value": 0.2},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.9},
    "RMSprop": {"learning_rate": 0.1, "momentum": 0.5, "centered": True},
    "Adam": {"learning_rate": 0.1, "amsgrad": True},
    "AdamW": {"learning_rate": 0.1, "weight_decay": 0.1},
    "Adamax": {"learning_rate": 0.1},
    "Nadam": {"learning_rate": 0.1},
    "RectifiedAdam": {"learning_rate": 0.1, "beta_2": 0.9},
    "AdaBelief": {"learning_rate": 0.1},
    "LazyAdam": {"learning_rate": 0.1},
    "Ftrl": {"learning_rate": 0.1, "l1_regularization_strength": 0.01},
    "Lion": {"learning_rate": 0.1},
    "Lamb": {"learning_rate": 0.1},
    "Adafactor": {"learning_rate": 0.1},
    "Muon": {"learning_rate": 0.1},
    "Yogi": {"learning_rate": 0.1},
    "NovoGrad": {"learning_rate": 0.1, "grad_averaging": True},
    "COCOB": {"alpha": 50.0},
    "ProximalAdagrad": {"learning_rate": 0.1, "l1_regularization_strength": 0.125},
    "ConditionalGradient": {"learning_rate": 0.875, "lambda_": 2.0},
    "Rprop": {"learning_rate": 0.1},
    "ScheduleFreeAdamW": {"learning_rate": 0.1, "warmup_steps": 2},
    "Shampoo": {"learning_rate": 0.1, "epsilon": 0.125},
    "SOAP": {"learning_rate": 0.1, "frequency": 2},
    "Lookahead": {"inner_optimizer": "adam", "sync_period": 2},
    "SWA": {"inner_optimizer": "adam", "start_averaging": 1, "average_period": 2},
    "MovingAverage": {"inner_optimizer": "adam", "average_decay": 0.5, "start_step": 1},
    "SAM": {"inner_optimizer": "adam", "rho": 0.5},
    "AdaptiveGradientClipping": {"inner_optimizer": "adam", "clipping": 0.125},
    "GradientCentralization": {"inner_optimizer": "adam"},
    "MultiOptimizer": {"optimizer_map": [("adam", ".*v1"), ("sgd", ".*")]},
}
