"""Layers, found by the names that Keras gives them."""

from .activations.elu import ELU
from .activations.glu import GLU
from .activations.maxout import Maxout
from .activations.prelu import PReLU
from .activations.relu import LeakyReLU, ReLU
from .activations.rrelu import RReLU
from .activations.snake import Snake
from .activations.softmax import Softmax
from .activations.swish import Swish
from .activations.tlu import TLU
from .activity_regularization import ActivityRegularization
from .attention.additive_attention import AdditiveAttention
from .attention.alibi import ALiBi
from .attention.attention import Attention
from .attention.blockwise_attention import blockwise_attention
from .attention.cached_multi_head_attention import CachedMultiHeadAttention
from .attention.grouped_query_attention import GroupQueryAttention
from .attention.masks import allowed_keys
from .attention.multi_head_attention import MultiHeadAttention
from .attention.relative_position_bias import RelativePositionBias
from .attention.scaled_dot_product import scaled_dot_product
from .audio.mel_spectrogram import MelSpectrogram
from .audio.stft_spectrogram import STFTSpectrogram
from .augmentation.affine import affine_transform
from .augmentation.aug_mix import AugMix
from .augmentation.cut_mix import CutMix
from .augmentation.mix_up import MixUp
from .augmentation.rand_augment import RandAugment
from .augmentation.random_affine import RandomAffine
from .augmentation.random_erasing import RandomErasing
from .bidirectional import Bidirectional
from .convolution.conv import Conv1D, Conv2D, Conv3D
from .convolution.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from .convolution.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from .convolution.separable_conv import SeparableConv1D, SeparableConv2D
from .correlation_cost import CorrelationCost
from .crf import CRF, viterbi
from .dense import Dense
from .dropout.alpha_dropout import AlphaDropout
from .dropout.dropout import Dropout
from .dropout.gaussian_noise import GaussianDropout, GaussianNoise
from .dropout.spatial_dropout import (
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .dropout.stochastic_depth import StochasticDepth
from .einsum_dense import EinsumDense
from .embedding import BigramEmbedding, Embedding
from .embedding_bag import EmbeddingBag
from .mixer import MixerBlock
from .monotonic_attention import (
    MonotonicAttentionDecoderCell,
    monotonic_attention,
)
from .naive_bayes import NaiveBayesNgrams
from .noisy_dense import NoisyDense
from .normalization.batch_normalization import BatchNormalization, batch_normalization
from .normalization.fast_normalization import fast_normalization
from .normalization.filter_response_normalization import FilterResponseNormalization
from .normalization.group_normalization import (
    GroupNormalization,
    InstanceNormalization,
    group_normalization,
)
from .normalization.layer_normalization import LayerNormalization, layer_normalization
from .normalization.poincare_normalize import PoincareNormalize
from .normalization.rms_normalization import RMSNormalization, rms_normalization
from .normalization.spectral_normalization import SpectralNormalization
from .normalization.unit_normalization import UnitNormalization
from .normalization.weight_normalization import WeightNormalization
from .polynomial_crossing import PolynomialCrossing
from .pooling.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from .pooling.average_pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
)
from .pooling.global_average_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
from .pooling.global_max_pooling import (
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from .pooling.max_pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D
from .pooling.max_pooling_with_argmax import MaxPoolingWithArgmax2D
from .pooling.max_unpooling import MaxUnpooling2D
from .pooling.net_vlad import NetVLAD
from .pooling.sequence_pooling import SequencePooling
from .pooling.spatial_pyramid_pooling import SpatialPyramidPooling2D
from .positions import (
    PositionEmbedding,
    RotaryEmbedding,
    SinePositionEncoding,
    SinusoidalEmbedding,
    TokenAndPositionEmbedding,
)
from .recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from .recurrent.esn import ESN, ESNCell
from .recurrent.gru import GRU, GRUCell
from .recurrent.layer_norm_lstm import LayerNormLSTMCell
from .recurrent.layer_norm_simple_rnn import LayerNormSimpleRNNCell
from .recurrent.lstm import LSTM, LSTMCell
from .recurrent.min_gru import MinGRU, MinGRUCell
from .recurrent.min_lstm import MinLSTM, MinLSTMCell
from .recurrent.nas import NASCell
from .recurrent.peephole_lstm import PeepholeLSTMCell
from .recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from .recurrent.stacked_rnn_cells import StackedRNNCells
from .reversible_embedding import ReversibleEmbedding
from .scheduled_sampling import ScheduledSamplingDecoder
from .seq2seq import AttentionDecoder, AttentionDecoderCell
from .time_distributed import TimeDistributed
from .transformer import TransformerDecoderBlock, TransformerEncoderBlock
from .variational_dense import VariationalDense
