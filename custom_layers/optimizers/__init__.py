"""Optimizers: gradient descent, Adam and its relatives, and wrappers around them."""

from . import schedules
from .adabelief import AdaBelief
from .adafactor import Adafactor
from .adagrad import Adadelta, Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .adaptive_gradient_clipping import AdaptiveGradientClipping
from .cocob import COCOB
from .conditional_gradient import ConditionalGradient
from .ftrl import Ftrl
from .gradient_centralization import GradientCentralization
from .lamb import Lamb
from .lazy_adam import LazyAdam
from .lion import Lion
from .lookahead import Lookahead
from .moving_average import MovingAverage
from .multi_optimizer import MultiOptimizer
from .muon import Muon
from .nadam import Nadam
from .novograd import NovoGrad
from .proximal_adagrad import ProximalAdagrad
from .rectified_adam import RectifiedAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sam import SAM
from .schedule_free import ScheduleFreeAdamW
from .sgd import SGD
from .shampoo import Shampoo
from .soap import SOAP
from .swa import SWA
from .yogi import Yogi
