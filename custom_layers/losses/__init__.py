"""Losses, one file per technique."""

from .arc_face import ArcFace
from .boxes import GIoU
from .circle import Circle, circle
from .contrastive import Contrastive
from .cosine_similarity import CosineSimilarity, cosine_similarity
from .crf import CRFLoss
from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .ctc import CTC, ctc
from .dice import Dice, FocalTversky, Tversky, dice, tversky
from .distribution import KLDivergence, Poisson, kl_divergence, poisson
from .focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from .generalized_crossentropy import (
    CategoricalGeneralizedCrossEntropy,
    categorical_generalized_cross_entropy,
)
from .hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from .image_statistics import gram_matrix, pixel_differences
from .info_nce import InfoNCE, NTXent
from .lifted_struct import LiftedStruct
from .lovasz import LovaszHinge, LovaszSoftmax
from .n_pairs import NPairs, NPairsMultilabel
from .regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from .robust_regression import Huber, LogCosh, Quantile, huber, log_cosh
from .sequence_loss import SequenceLoss
from .sparsemax import SparsemaxLoss
from .supervised_contrastive import SupervisedContrastive
from .token_crossentropy import TokenCrossentropy
from .triplet import TripletHard, TripletSemiHard
from .weighted_kappa import WeightedKappa
