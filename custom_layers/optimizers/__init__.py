"""Optimizers, one file an idea, each class adding one term to the one above it."""

from . import schedules
from .adam_variants import AdaBelief, Adamax, AdamW, Nadam, RectifiedAdam
from .adaptive import Adadelta, Adagrad, Adam, RMSprop
from .gradient_descent import SGD
from .large_scale import Adafactor, Lamb, Lion
from .muon import Muon
from .sparse import Ftrl, LazyAdam
from .wrappers import SAM, SWA, Lookahead
