"""Optimizers: gradient descent, Adam and its relatives, and wrappers around them."""

from . import schedules
from .adabelief import AdaBelief
from .adafactor import Adafactor
from .adagrad import Adadelta, Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .ftrl import Ftrl
from .lamb import Lamb
from .lazy_adam import LazyAdam
from .lion import Lion
from .lookahead import Lookahead
from .muon import Muon
from .nadam import Nadam
from .rectified_adam import RectifiedAdam
from .rmsprop import RMSprop
from .sam import SAM
from .sgd import SGD
from .swa import SWA
