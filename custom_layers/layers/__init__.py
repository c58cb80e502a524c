"""Layers, found by the names that Keras gives them."""

from .activations.elu import ELU
from .activations.glu import GLU
from .activations.maxout import Maxout
from .activations.prelu import PReLU
from .activations.relu import LeakyReLU, ReLU
from .activations.softmax import Softmax
from .activations.swish import Swish
from .activity_regularization import ActivityRegularization
from .attention.attention import AdditiveAttention, Attention
from .attention.grouped_query_attention import GroupQueryAttention
from .attention.multi_head_attention import MultiHeadAttention
from .attention.scaled_dot_product import allowed_keys, scaled_dot_product
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
from .recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from .recurrent.layers import GRU, LSTM, SimpleRNN
from .recurrent.lstm_variants import LayerNormLSTMCell, PeepholeLSTMCell
from .seq2seq import AttentionDecoder, AttentionDecoderCell
from .transformer import (
    CachedMultiHeadAttention,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
