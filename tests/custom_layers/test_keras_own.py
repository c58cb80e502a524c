"""Keras's own unit tests, run on our classes instead of Keras's.

Each row names a test module of `keras.src` and our components that replace those of
the same name in it. EXEMPT names the tests that we leave out on purpose, and why. The
wheels of Keras's releases ship these modules; those of its nightly releases do not.
"""

import functools
import importlib
import importlib.util
import re
import sys
import types
import unittest

import keras
import pytest

from oracle import components, keras_counterpart

if importlib.util.find_spec("keras.src.optimizers.adam_test") is None:
    pytest.skip(
        f"the wheel of Keras {keras.__version__} ships no unit tests of its own",
        allow_module_level=True,
    )

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

KERAS_TESTS = {
    # activations
    "activations.activations_test": "celu elu exponential gelu glu hard_shrink "
    "hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid log_softmax mish "
    "relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid sparsemax squareplus tanh tanh_shrink threshold",
    "layers.activations.activation_test": "gelu",
    "layers.activations.elu_test": "ELU",
    "layers.activations.leaky_relu_test": "LeakyReLU",
    "layers.activations.prelu_test": "PReLU",
    "layers.activations.relu_test": "ReLU",
    "layers.activations.softmax_test": "Softmax",
    # initializers, regularizers, constraints
    "initializers.constant_initializers_test": "Constant Identity Ones Zeros",
    "initializers.random_initializers_test": "GlorotNormal GlorotUniform HeNormal "
    "HeUniform LecunNormal LecunUniform Orthogonal RandomNormal RandomUniform "
    "TruncatedNormal VarianceScaling",
    "regularizers.regularizers_test": "L1 L1L2 L2 OrthogonalRegularizer",
    "layers.regularization.activity_regularization_test": "ActivityRegularization",
    "constraints.constraints_test": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    # dense
    "layers.core.dense_test": "Dense",
    "layers.core.einsum_dense_test": "EinsumDense",
    "layers.core.embedding_test": "Embedding",
    "layers.core.reversible_embedding_test": "ReversibleEmbedding",
    # convolution
    "layers.convolutional.conv_test": "Conv1D Conv2D Conv3D",
    "layers.convolutional.conv_transpose_test": "Conv1DTranspose Conv2DTranspose "
    "Conv3DTranspose",
    "layers.convolutional.depthwise_conv_test": "DepthwiseConv1D DepthwiseConv2D",
    "layers.convolutional.separable_conv_test": "SeparableConv1D SeparableConv2D",
    # pooling
    "layers.pooling.adaptive_pooling1d_test": "AdaptiveAveragePooling1D "
    "AdaptiveMaxPooling1D",
    "layers.pooling.adaptive_pooling2d_test": "AdaptiveAveragePooling2D "
    "AdaptiveMaxPooling2D",
    "layers.pooling.adaptive_pooling3d_test": "AdaptiveAveragePooling3D "
    "AdaptiveMaxPooling3D",
    "layers.pooling.average_pooling_test": "AveragePooling1D AveragePooling2D "
    "AveragePooling3D",
    "layers.pooling.max_pooling_test": "MaxPooling1D MaxPooling2D MaxPooling3D",
    "layers.pooling.global_average_pooling_test": "GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalAveragePooling3D",
    "layers.pooling.global_max_pooling_test": "GlobalMaxPooling1D GlobalMaxPooling2D "
    "GlobalMaxPooling3D",
    # normalization
    "layers.normalization.batch_normalization_test": "BatchNormalization",
    "layers.normalization.group_normalization_test": "GroupNormalization",
    "layers.normalization.layer_normalization_test": "LayerNormalization",
    "layers.normalization.rms_normalization_test": "RMSNormalization",
    "layers.normalization.spectral_normalization_test": "SpectralNormalization",
    "layers.normalization.unit_normalization_test": "UnitNormalization",
    # dropout
    "layers.regularization.alpha_dropout_test": "AlphaDropout",
    "layers.regularization.dropout_test": "Dropout",
    "layers.regularization.gaussian_dropout_test": "GaussianDropout",
    "layers.regularization.gaussian_noise_test": "GaussianNoise",
    "layers.regularization.spatial_dropout_test": (
        "SpatialDropout1D SpatialDropout2D SpatialDropout3D"
    ),
    # augmentation
    "layers.preprocessing.image_preprocessing.mix_up_test": "MixUp",
    "layers.preprocessing.image_preprocessing.cut_mix_test": "CutMix",
    "layers.preprocessing.image_preprocessing.random_erasing_test": "RandomErasing",
    "layers.preprocessing.image_preprocessing.rand_augment_test": "RandAugment",
    "layers.preprocessing.image_preprocessing.aug_mix_test": "AugMix",
    # audio
    "layers.preprocessing.mel_spectrogram_test": "MelSpectrogram",
    "layers.preprocessing.stft_spectrogram_test": "STFTSpectrogram",
    # recurrent
    "layers.rnn.simple_rnn_test": "SimpleRNN",
    "layers.rnn.lstm_test": "LSTM",
    "layers.rnn.gru_test": "GRU",
    "layers.rnn.stacked_rnn_cells_test": "SimpleRNNCell LSTMCell GRUCell "
    "StackedRNNCells",
    "layers.rnn.conv_lstm1d_test": "ConvLSTM1D",
    "layers.rnn.conv_lstm2d_test": "ConvLSTM2D",
    "layers.rnn.conv_lstm3d_test": "ConvLSTM3D",
    "layers.rnn.time_distributed_test": "TimeDistributed",
    "layers.rnn.bidirectional_test": "Bidirectional SimpleRNN LSTM GRU",
    "layers.core.masking_test": "LSTM",
    # attention
    "layers.attention.attention_test": "Attention",
    "layers.attention.additive_attention_test": "AdditiveAttention",
    "layers.attention.multi_head_attention_test": "MultiHeadAttention",
    "layers.attention.grouped_query_attention_test": "GroupQueryAttention",
    # losses
    "losses.losses_test": "MeanSquaredError mean_squared_error MeanAbsoluteError "
    "mean_absolute_error MeanAbsolutePercentageError mean_absolute_percentage_error "
    "MeanSquaredLogarithmicError mean_squared_logarithmic_error Huber huber LogCosh "
    "log_cosh Poisson poisson CosineSimilarity cosine_similarity KLDivergence "
    "kl_divergence BinaryCrossentropy binary_crossentropy CategoricalCrossentropy "
    "categorical_crossentropy SparseCategoricalCrossentropy "
    "sparse_categorical_crossentropy BinaryFocalCrossentropy "
    "binary_focal_crossentropy CategoricalFocalCrossentropy "
    "categorical_focal_crossentropy CategoricalGeneralizedCrossEntropy "
    "categorical_generalized_cross_entropy Hinge hinge SquaredHinge squared_hinge "
    "CategoricalHinge categorical_hinge Dice dice Tversky tversky Circle circle "
    "CTC ctc",
    # optimizers
    "optimizers.adadelta_test": "Adadelta",
    "optimizers.adafactor_test": "Adafactor",
    "optimizers.adagrad_test": "Adagrad",
    "optimizers.adam_test": "Adam",
    "optimizers.adamax_test": "Adamax",
    "optimizers.adamw_test": "AdamW",
    "optimizers.ftrl_test": "Ftrl",
    "optimizers.lamb_test": "Lamb",
    "optimizers.lion_test": "Lion",
    "optimizers.loss_scale_optimizer_test": "SGD",
    "optimizers.multi_optimizer_test": "MultiOptimizer SGD Adam RMSprop",
    "optimizers.muon_test": "Muon",
    "optimizers.nadam_test": "Nadam",
    "optimizers.optimizer_test": "SGD Adam AdamW",
    "optimizers.rmsprop_test": "RMSprop",
    "optimizers.schedule_free_adamw_test": "ScheduleFreeAdamW",
    "optimizers.sgd_test": "SGD",
    # callbacks
    "callbacks.early_stopping_test": "EarlyStopping",
    "callbacks.reduce_lr_on_plateau_test": "ReduceLROnPlateau",
    "callbacks.swap_ema_weights_test": "SwapEMAWeights",
    # metrics
    "metrics.accuracy_metrics_test": (
        "TopKCategoricalAccuracy SparseTopKCategoricalAccuracy"
    ),
    "metrics.confusion_metrics_test": "AUC Precision Recall",
    "metrics.f_score_metrics_test": "F1Score FBetaScore",
    "metrics.iou_metrics_test": "MeanIoU",
    "metrics.regression_metrics_test": "R2Score",
    # schedules
    "optimizers.schedules.learning_rate_schedule_test": (
        "ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay "
        "CosineDecay CosineDecayRestarts"
    ),
}

# A class's name in keras.src, where its public name is another.
INSIDE_KERAS = {"GroupQueryAttention": "GroupedQueryAttention"}

# regular expression over "Class.test" -> reason
EXEMPT = {
    r"SparseCategoricalCrossentropyTest.*different_axis": "Keras refuses a class axis "
    "other than the last on TensorFlow and JAX; ours takes any axis: test_losses.py",
    r"CosineSimilarityTest.*test_config": "Keras's config lacks the axis; ours has it",
    r"SimpleRNNTest.test_fused_(lstm|gru)_eligibility": (
        "asks a private method about a kernel for both directions; ours takes two"
    ),
    r"(Dense|Embedding)Test.test_legacy_load_own_variables": (
        "loads the weights of quantized layers, which ours are not"
    ),
    r"SpectralNormalizationTest.*(basic_spectralnorm|higher_dim)": (
        "expect that a mask ends there; ours passes it on: test_kernel_wrappers.py"
    ),
    r"PrecisionTest.*should_throw|RecallTest.*should_throw|AUCTest.*invalid|"
    r"FBetaScoreTest.*raises_value_error|R2ScoreTest.*test_errors": (
        "our errors have messages of our own: test_more_metrics.py"
    ),
    r"R2ScoreTest.*tfa_comparison[124578]$": (
        "adjusts by the number of values; ours counts samples: test_more_metrics.py"
    ),
    r"MultiAUCTest|AUCTest.*prgain": "curves for each label and of gains are left out",
    r"AUCTest.*(test_config|manual_thresholds)": "read thresholds with 0 and 1 added",
    r"AUCTest.*negative_weights": "a negative weight has no meaning",
    r"MeanIoUTest.*big_chunk": "counts above 2^24 in the integers that Keras takes",
    r"MeanIoUTest.*float_weight": "expects a warning; ours counts what it is given",
    r"MixUpTest.*basic_func|CutMixTest.*basic|RandomErasingTest.*basic|graph_issue": (
        "call methods of Keras's with draws of its own form: test_mixing.py"
    ),
    r"(MixUp|RandAugment)Test.*bounding_boxes": "there are no bounding boxes",
    r"TestSpectrogram.test_exceptions": (
        "expects that integers are refused; ours takes them: test_spectrograms.py"
    ),
    r"RandAugmentTest.*randomness": "a call without `training` changes nothing",
    r"EarlyStoppingTest.*test_early_stopping$": "reads a private attribute",
    r"ReduceLROnPlateauTest.*verbose|SwapEMAWeightsTest.*invalid_optimizer": (
        "our messages are our own: test_callbacks.py"
    ),
    r"MultiOptimizerTest.*(default_fallback|test_serialization)": (
        "read a private attribute: test_multi_optimizer.py"
    ),
    r"MultiOptimizerTest.*blocks_nested": "our refusals are: test_multi_optimizer.py",
    r"OptimizerTest.test_get_method": "`optimizers.get` of a name gives Keras's class",
    r"quantiz|gptq|awq|int4|int8|float8": "quantization is left out",
    r"Conv\w*Test\..*lora": "convolutions have no LoRA",
    r"ActivationsTest.test_get_method|RegularizersTest.test_get_method|"
    r"test_identity_initializer|InitializersTest.test_orthogonal$": "a string names "
    "Keras's own class; test_initializers.py has the rest of these tests",
}

# Packages whose names a test module reaches through an imported module.
_FAMILIES = (
    "activations",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)


class _StandIn(types.ModuleType):
    """A module of Keras in which our components replace some names."""

    def __init__(self, module, ours):
        super().__init__(module.__name__)
        self.__dict__.update(ours)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


def _conftest():
    """A module like the `conftest` of Keras, from which its tests import this."""
    module = types.ModuleType("conftest")
    module.skip_if_backend = lambda backend, reason: pytest.mark.skipif(
        keras.backend.backend() == backend, reason=reason
    )
    return module


def _with_ours(module, ours):
    """`module`, a test module of Keras, with our components under their names there."""
    for key, value in list(vars(module).items()):
        if isinstance(value, types.ModuleType):
            parts = value.__name__.split(".")
            if parts[:2] == ["keras", "src"] and parts[2] in _FAMILIES:
                setattr(module, key, _StandIn(value, ours))
        elif key in ours and getattr(value, "__module__", "").startswith("keras.src"):
            setattr(module, key, ours[key])
    return module


def _exempt(name):
    return next(
        (why for pattern, why in EXEMPT.items() if re.search(pattern, name)), None
    )


def _collect():
    found = components()
    for path, names in KERAS_TESTS.items():
        ours = {INSIDE_KERAS.get(name, name): found[name] for name in names.split()}
        module = _with_ours(importlib.import_module(f"keras.src.{path}"), ours)
        for name, cls in list(vars(module).items()):
            if not (isinstance(cls, type) and issubclass(cls, unittest.TestCase)):
                continue
            if cls.__module__ != module.__name__:
                continue
            left_out = {
                method: None
                for method in dir(cls)
                if method.startswith("test") and _exempt(f"{name}.{method}")
            }
            unique = f"{name}_{path.rpartition('.')[2]}"  # some names occur twice
            yield unique, type(unique, (cls,), {**left_out, "__module__": __name__})


with pytest.MonkeyPatch.context() as patch:
    patch.setitem(sys.modules, "conftest", _conftest())
    globals().update(_collect())


@functools.cache
def _covered():
    return {name for names in KERAS_TESTS.values() for name in names.split()}


@pytest.mark.parametrize("name", sorted(components()))
def test_every_component_that_keras_has_takes_keras_own_tests(name):
    if keras_counterpart(name) is not None:
        assert name in _covered(), f"add {name} to KERAS_TESTS"
