"""Vanishing and exploding gradients: through depth, through time, and what cures them.

    python recipes/vanishing_gradients.py
    python recipes/vanishing_gradients.py --layers 50 --depth 12

Each layer multiplies a gradient by weights and slopes, and so does each step of a
recurrent network: the gradient shrinks or grows like a power. The recipe follows it,
and then gives four cures, one at a time, to two networks that cannot learn the digits.
Expected: in layer 1 of 30, sigmoid's gradient is 1e18 times smaller than ReLU's; in
60 s on two CPU cores. Three common beliefs did not hold here: that large recurrent
weights always explode (tanh's gradient hardly grew, because its slopes went flat, and
sigmoid's still vanished), that clipping helps against vanishing (it makes no gradient
larger), and that a bounded activation cures explosion (with tanh, the accuracy ended
anywhere between 0.3 and 0.97, depending on seed and steps).
Papers: Bengio et al., "Learning long-term dependencies with gradient descent is
difficult", 1994, https://doi.org/10.1109/72.279181; Pascanu et al., "On the difficulty
of training recurrent neural networks", 2013, https://arxiv.org/abs/1211.5063
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np

from cookbook.config import Count, Depth, ExperimentConfig, Rate, Repeats, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import flat_digits
from cookbook.lab.gradients import flow, gradient_norms
from cookbook.lab.pictures import draw_bars, draw_panels
from cookbook.lab.training import accuracy_of, take_steps
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.activations import elu, relu, selu, sigmoid, tanh
from custom_layers.initializers import Orthogonal, VarianceScaling
from custom_layers.layers import BatchNormalization, Dense
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD

# Variances of the start weights, times the number of inputs. With 100, a gradient keeps
# its size in spite of sigmoid's slopes; with 20, the variance of ReLU's signal grows
# tenfold in each layer.
GLOROT, HE, LECUN, FOR_SIGMOID, LARGE = 1.0, 2.0, 1.0, 100.0, 20.0
STARTS = {sigmoid: GLOROT, tanh: GLOROT, relu: HE, elu: HE, selu: LECUN}
CURES = ("none", "initialization", "activation", "batch normalization", "clipping")
SETTINGS = (  # for each cure: activation, variance, batch normalization?, largest norm
    (sigmoid, GLOROT, False, None),  # gradients vanish
    (sigmoid, FOR_SIGMOID, False, None),
    (relu, GLOROT, False, None),
    (sigmoid, GLOROT, True, None),
    (sigmoid, GLOROT, False, 1.0),
    (relu, LARGE, False, None),  # gradients explode
    (relu, HE, False, None),
    (tanh, LARGE, False, None),
    (relu, LARGE, True, None),
    (relu, LARGE, False, 1.0),
)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    layers: Depth = 30  # layers that the gradient goes down
    # time steps that the gradient goes back
    moments: Repeats = 50
    width: Size = 128  # units in each layer of these untrained networks
    depth: Depth = 8  # hidden layers of the networks that learn the digits
    steps: Count = 1200  # gradient steps of these networks, on 64 images each
    learning_rate: Rate = 0.1  # step size of gradient descent

    in_quick = {"steps": 300}


def through_depth(config: Config):
    """Size of the gradient in each layer, for each of STARTS."""
    rng = np.random.default_rng(config.seed)
    x, gradient = rng.normal(size=(2, 64, config.width))
    shape = config.width, config.width

    sizes = {}
    for f, variance in STARTS.items():
        seeds = rng.integers(2**31, size=config.layers)
        weights = [VarianceScaling(variance, seed=int(s))(shape) for s in seeds]
        _, sizes[f.__name__] = flow(x, np.array(weights, "float64"), f, gradient)
    return sizes


def through_time(config: Config, gain):
    """Size of the gradient at each time step of h = f(h W + x), for each of STARTS."""
    rng = np.random.default_rng(config.seed)
    *x, gradient = rng.normal(size=(config.moments + 1, 64, config.width))
    W = Orthogonal(gain, seed=config.seed)((config.width, config.width))
    weights = [np.array(W, "float64")] * config.moments  # the same at every step

    h = np.zeros_like(gradient)
    return {f.__name__: flow(h, weights, f, gradient, x)[1] for f in STARTS}


def build(config: Config, f, variance, normalize, largest_norm):
    h = images = keras.Input((784,))
    for i in range(config.depth):
        start = VarianceScaling(variance, seed=config.seed + i)
        h = Dense(64, kernel_initializer=start)(h)
        if normalize:
            h = BatchNormalization()(h)
        h = keras.layers.Activation(f)(h)

    model = keras.Model(images, Dense(10)(h))
    model.compile(
        optimizer=SGD(config.learning_rate, global_clipnorm=largest_norm),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=20,
        jit_compile=False,
    )
    return model


def train(config: Config, setting: tuple):
    """(size of the gradient in layer 1 at the start, test accuracy after training)"""
    (x, y), (x_test, y_test) = flat_digits()
    model = build(config, *setting)

    first = gradient_norms(model, x, y)[0]
    take_steps(model, x, y, config.steps, 64, seed=config.seed)
    return first, accuracy_of(model, x_test, y_test)


def draw_sizes(found, run: RunFolder):
    panels = {
        heading: {f: (np.arange(len(size)) + 1, size) for f, size in sizes.items()}
        for heading, sizes in found.items()
    }
    title = "A gradient shrinks or grows like a power, on its way down and back"
    labels = "layer or time step", "size of the gradient (RMS)"
    draw_panels(panels, title, *labels, run, "sizes.svg", columns=3, yscale="log")


def draw_cures(first, accuracy, run: RunFolder):
    title = "Gradient clipping cures exploding gradients, but not vanishing ones"
    bars = {"vanishing": 100 * accuracy[:5], "exploding": 100 * accuracy[5:]}
    draw_bars(bars, CURES, title, "test accuracy (%)", run, "cures.svg")

    title = "Three cures bring the first gradients near 1; clipping comes after them"
    bars = {"vanishing": first[:5], "exploding": first[5:]}
    label = "size of the gradient in layer 1, before the first step"
    draw_bars(bars, CURES, title, label, run, "first_gradients.svg", xscale="log")


def claims_of_sizes(digits, depth, time_1, time_2):
    """What holds for the size of a gradient at the end of its way / at its start."""
    lead = depth["relu"][0] / depth["sigmoid"][0]
    _, *others = (size[0] / size[-1] for size in depth.values())
    most = max(size[0] / size[-1] for size in time_1.values())
    sigmoid, tanh, *grown = (size[0] / size[-1] for size in time_2.values())
    powers = np.abs(np.log10(others)).max()

    times = "gradient in layer 1 is {} times sigmoid's"
    large = "Back in time, with weights of size 2, the gradient of"
    return [
        Claim(f"ReLU's {times}", lead, at_least=1e15),
        Claim(f"On the digits, ReLU's {times}", digits, at_least=1000),
        Claim("Other gradients change by {} powers of ten", powers, at_most=1.2),
        Claim("Back in time, only {percent} of a gradient arrives", most, at_most=0.1),
        Claim(f"{large} ReLU, ELU or SELU grows {{}} times", min(grown), at_least=1e4),
        Claim(f"{large} tanh grows only {{}} times", tanh, at_most=100),
        Claim(f"{large} sigmoid shrinks to {{}}", sigmoid, at_most=1e-15),
    ]


def claims_of_cures(accuracy):
    """What holds for the test accuracies, in the order of SETTINGS."""
    vanishing, *cured, clipped = accuracy[:5]

    exploding, initialized, bounded, *others = accuracy[5:]
    others.append(initialized)  # the three cures other than tanh

    small = "Where gradients vanish, accuracy"
    large = "Where gradients explode, accuracy"

    return [
        Claim(f"{small} stays at {{percent}}", vanishing, at_most=0.2),
        Claim(f"{small} with clipping stays at {{percent}}", clipped, at_most=0.2),
        Claim(f"{small} with another cure is {{percent}}", min(cured), at_least=0.4),
        Claim(f"{large} stays at {{percent}}", exploding, at_most=0.2),
        Claim(f"{large} with three cures is {{percent}}", min(others), at_least=0.6),
        Claim(f"{large} with tanh is {{percent}}", bounded, at_least=0.2),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("vanishing_gradients", config)
    seed_everything(config.seed)

    sizes = {
        "Down the layers": through_depth(config),
        "In time, weights of size 1": through_time(config, gain=1.0),
        "In time, weights of size 2": through_time(config, gain=2.0),
    }
    draw_sizes(sizes, run)

    first, accuracy = np.transpose([train(config, setting) for setting in SETTINGS])
    draw_cures(first, accuracy, run)

    claims = claims_of_sizes(first[6] / first[0], *sizes.values())
    return conclude(run, [*claims, *claims_of_cures(accuracy)])


if __name__ == "__main__":
    launch(main, Config)
