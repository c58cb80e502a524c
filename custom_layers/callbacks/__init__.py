"""Callbacks, which watch a training and step in."""

from .average_model_checkpoint import AverageModelCheckpoint
from .early_stopping import EarlyStopping
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .swap_ema_weights import SwapEMAWeights
from .time_stopping import TimeStopping
