"""Models with a training step of their own."""

from .adversarial.losses import (
    HingeGAN,
    LeastSquaresGAN,
    MinimaxGAN,
    NonSaturatingGAN,
    WassersteinGAN,
)
from .adversarial.model import AdversarialModel
from .adversarial.penalty import GradientPenalty
from .cycle_gan import CycleGAN
from .diffusion.model import DiffusionModel
from .tagger import Tagger
from .variational_autoencoder import VariationalAutoencoder
