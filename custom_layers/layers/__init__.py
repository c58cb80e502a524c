"""Layers, found by the names that Keras gives them."""

from ..activations.gated import GLU, Maxout
from ..activations.probability import Softmax
from ..activations.rectifiers import LeakyReLU, PReLU, ReLU
from ..activations.smooth import ELU, Swish
from ..regularizers import ActivityRegularization
from .attention.additive_attention import AdditiveAttention
from .attention.attention import Attention
from .attention.blockwise_attention import blockwise_attention
from .attention.cached_multi_head_attention import CachedMultiHeadAttention
from .attention.grouped_query_attention import GroupQueryAttention
from .attention.masks import allowed_keys
from .attention.multi_head_attention import MultiHeadAttention
from .attention.scaled_dot_product import scaled_dot_product
from .bidirectional import Bidirectional
from .bigrams import BigramEmbedding
from .convolution.conv import Conv1D, Conv2D, Conv3D
from .convolution.conv_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from .convolution.separable_conv import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from .crf import CRF, viterbi
from .dense import Dense, EinsumDense, Embedding
from .dropout import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from .normalization.batch_normalization import BatchNormalization
from .normalization.layer_normalization import (
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RMSNormalization,
)
from .normalization.weight_normalization import (
    SpectralNormalization,
    UnitNormalization,
    WeightNormalization,
)
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .positions import (
    PositionEmbedding,
    RotaryEmbedding,
    SinePositionEncoding,
    TokenAndPositionEmbedding,
)
from .recurrent.gru import GRU, GRUCell
from .recurrent.layer_norm_lstm import LayerNormLSTMCell
from .recurrent.lstm import LSTM, LSTMCell
from .recurrent.peephole_lstm import PeepholeLSTMCell
from .recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from .seq2seq import AttentionDecoder, AttentionDecoderCell
from .transformer import TransformerDecoderBlock, TransformerEncoderBlock
