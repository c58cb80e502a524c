"""Vanishing and exploding gradients: through depth, through time, and what cures them.

    python recipes/vanishing_gradients.py
    python recipes/vanishing_gradients.py --layers 50 --depth 12

A gradient is multiplied by weights and slopes in each layer, or in each step of a
recurrent network: it shrinks or grows like a power. Two networks that can't learn the
digits for that reason get the four cures, one at a time. Expected: sigmoid's gradient
in layer 1 of 30 is 1e18 times smaller than ReLU's with He's weights; in 60 s on two CPU
cores. What one reads and did not hold here: large recurrent weights explode (tanh's
gradient hardly grew, its slopes went flat; sigmoid's still vanished), clipping helps
against vanishing (it makes no gradient larger), a bounded activation against explosion
(tanh learned, but worst of the four: between 0.3 and 0.97, by seed and steps).
Papers: Bengio et al., "Learning long-term dependencies with gradient descent is
difficult", 1994, https://doi.org/10.1109/72.279181; Pascanu et al., "On the difficulty
of training recurrent neural networks", 2013, https://arxiv.org/abs/1211.5063
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.data.images import load_images
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import flow, gradient_norms, take_steps
from cookbook.plots.figures import BLUE, COLOURS, ORANGE, panel, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.activations import elu, relu, selu, sigmoid, tanh
from custom_layers.initializers import Orthogonal, VarianceScaling
from custom_layers.layers import BatchNormalization, Dense
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD

# Variance of the start weights, over 1 / inputs. With 100 the mean of 100 slope^2 of
# sigmoid is 1; with 20 the variance of ReLU's signal grows tenfold in each layer.
GLOROT, HE, LECUN, FOR_SIGMOID, LARGE = 1.0, 2.0, 1.0, 100.0, 20.0
STARTS = {sigmoid: GLOROT, tanh: GLOROT, relu: HE, elu: HE, selu: LECUN}
CURES = {  # name: (activation, variance, batch normalization?, largest norm)
    "vanishing": (sigmoid, GLOROT, False, None),
    "vanishing, initialization": (sigmoid, FOR_SIGMOID, False, None),
    "vanishing, activation": (relu, GLOROT, False, None),
    "vanishing, batch normalization": (sigmoid, GLOROT, True, None),
    "vanishing, gradient clipping": (sigmoid, GLOROT, False, 1.0),
    "exploding": (relu, LARGE, False, None),
    "exploding, initialization": (relu, HE, False, None),
    "exploding, activation": (tanh, LARGE, False, None),
    "exploding, batch normalization": (relu, LARGE, True, None),
    "exploding, gradient clipping": (relu, LARGE, False, 1.0),
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    layers: Count = 30  # layers that a gradient goes down
    moments: Count = 50  # time steps that it goes back
    width: Count = 128  # units of these networks
    depth: Count = 8  # hidden layers of the networks that are trained
    steps: Count = 1200  # gradient steps, on 64 images each
    learning_rate: Rate = 0.1  # step size


def through_depth(config):
    """Size of the gradient for each of STARTS, by layer."""
    rng = np.random.default_rng(config.seed)
    x, gradient = rng.normal(size=(2, 64, config.width))
    found, shape = [], (config.width, config.width)
    for f, variance in STARTS.items():
        seeds = rng.integers(2**31, size=config.layers)
        weights = [VarianceScaling(variance, seed=int(s))(shape) for s in seeds]
        found.append(flow(x, np.array(weights, "float64"), f, gradient)[1])
    return np.array(found)


def through_time(config, gain):
    """Size of the gradient for each of STARTS, by time step, in h = f(h W + x)."""
    rng = np.random.default_rng(config.seed)
    *x, gradient = rng.normal(size=(config.moments + 1, 64, config.width))
    W = np.array(Orthogonal(gain, seed=config.seed)(2 * (config.width,)), "float64")
    weights, h = [W] * config.moments, np.zeros_like(gradient)
    return np.array([flow(h, weights, f, gradient, x)[1] for f in STARTS])


def train(config, f, variance, normalize, norm):
    """(size of the gradient in layer 1 at the start, test accuracy after training)"""
    digits = load_images("digits", "digits")
    x, x_test = (x.reshape(-1, 784) / 255 for x, _ in (digits.train, digits.test))
    h = images = keras.Input((784,))
    for i in range(config.depth):
        start = VarianceScaling(variance, seed=config.seed + i)
        h = Dense(64, kernel_initializer=start)(h)
        h = keras.layers.Activation(f)(BatchNormalization()(h) if normalize else h)
    model = keras.Model(images, Dense(10)(h))
    optimizer = SGD(config.learning_rate, global_clipnorm=norm)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, steps_per_execution=20, jit_compile=False)
    first = gradient_norms(model, x, digits.train[1])[0]
    steps = min(config.steps, 300) if config.quick else config.steps
    take_steps(model, x, digits.train[1], steps, 64, seed=config.seed)
    return first, np.mean(np.array(model(x_test)).argmax(-1) == digits.test[1])


def draw_sizes(found, xlabel, title, run, name):
    figure, axes = panel(title, xlabel, "size of gradient (RMS)")
    for f, size, colour in zip(STARTS, found, COLOURS):
        axes.semilogy(range(1, len(size) + 1), size, color=colour, label=f.__name__)
    axes.legend()
    axes.grid(alpha=0.3)
    save_figure(figure, run, name)


def draw_cures(first, accuracy, run):
    label = "test accuracy (%); beside it: gradient in layer 1 at the start"
    figure, axes = panel("Clipping cures explosion only", label, "")
    colours = [ORANGE if "vanishing" in name else BLUE for name in CURES]
    bars = axes.barh(list(CURES), 100 * accuracy, color=colours)
    axes.bar_label(bars, [f"{size:.1g}" for size in first], padding=3)
    axes.set(xlim=(0, 115), xticks=range(0, 101, 20))
    axes.invert_yaxis()
    save_figure(figure, run, "cures.png")


def main(config):
    run = RunFolder.open("vanishing_gradients", config)
    seed_everything(config.seed)
    depth = through_depth(config)
    draw_sizes(depth, "layer", "Sigmoid's gradient fades with depth", run, "depth.png")
    back, back_2 = through_time(config, 1.0), through_time(config, 2.0)
    title = "Back through time with weights of size 1, gradients vanish"
    draw_sizes(back, "time step", title, run, "time_vanishing.png")
    title = "With weights of size 2, three explode; sigmoid's still vanishes"
    draw_sizes(back_2, "time step", title, run, "time_exploding.png")
    first, accuracy = np.transpose([train(config, *cure) for cure in CURES.values()])
    draw_cures(first, accuracy, run)
    down, back, back_2 = (sizes[:, 0] / sizes[:, -1] for sizes in (depth, back, back_2))
    change = np.abs(np.log10(down[1:])).max()
    claims = [
        Claim("layer 1's gradient, ReLU over sigmoid", depth[2, 0] / depth[0, 0], 1e15),
        Claim("the same, networks for the digits", first[6] / first[0], 1000),
        Claim("powers of ten that the other four lose or gain", change, 1.2, True),
        Claim("time, weights 1: largest part that arrives", back.max(), 0.1, True),
        Claim("time, weights 2: ReLU, ELU, SELU grow by", back_2[2:].min(), 1e4),
        Claim("time, weights 2: tanh grows by", back_2[1], 100, True),
        Claim("time, weights 2: sigmoid's part", back_2[0], 1e-15, True),
        Claim("accuracy, vanishing", accuracy[0], 0.2, True),
        Claim("accuracy, vanishing, clipped", accuracy[4], 0.2, True),
        Claim("accuracy, vanishing, other three cures", accuracy[1:4].min(), 0.4),
        Claim("accuracy, exploding", accuracy[5], 0.2, True),
        Claim("accuracy, exploding, three cures", accuracy[[6, 8, 9]].min(), 0.6),
        Claim("accuracy, exploding, tanh for ReLU", accuracy[7], 0.2),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
