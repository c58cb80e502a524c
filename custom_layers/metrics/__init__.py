"""Metrics of classes, numbers, ranks, generated samples, sequences and codes."""

from .agreement import CohenKappa, MatthewsCorrelationCoefficient
from .auc import AUC
from .crf_accuracy import CRFAccuracy
from .edit_distance import edit_distance, label_error_rate
from .f_score import F1Score, FBetaScore
from .frechet_distance import FrechetDistance
from .mean_iou import MeanIoU
from .means import GeometricMean, HarmonicMean
from .mode_overlap import ModeOverlap
from .multi_label import HammingLoss, MultiLabelConfusionMatrix
from .perplexity import Perplexity
from .precision_recall import Precision, Recall
from .principal_subspace import principal_subspace_distance
from .r2_score import R2Score
from .rank_correlation import KendallsTauB, KendallsTauC, SpearmansRank
from .span_f1 import SpanF1
from .token_metrics import token_accuracy, whole_answers
from .top_k import SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy
