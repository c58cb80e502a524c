"""How long SimpleRNN, LSTM and GRU remember: adding two numbers, copying symbols.

    python recipes/long_memory.py
    python recipes/long_memory.py --lengths 50 100 200 --steps 3000

Adding: two marked numbers among many random ones give their sum. Copying: symbols
come, then blanks, then the symbols are said again. A run ends early once it has
learned. Expected, in about 3 minutes: among 50 numbers GRU and LSTM learn to add, in
300 and 700 steps, SimpleRNN does not. What one reads and did not hold here: SimpleRNN,
from its orthogonal start, copies over more blanks than LSTM in as many steps.
Paper: Hochreiter, Schmidhuber, "Long short-term memory", 1997.
https://doi.org/10.1162/neco.1997.9.8.1735
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.data.sequences import adding_problem, copy_task
from cookbook.errors import fail
from cookbook.lab.claims import Claim, conclude
from cookbook.plots.figures import COLOURS, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import GRU, LSTM, Dense, SimpleRNN
from custom_layers.losses import MeanSquaredError, SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam

CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
SYMBOLS, KINDS = 4, 4  # to copy; of how many kinds each is one
ENOUGH = 0.95  # score at which a run stops
CHUNK = 50  # gradient steps between two scores


@dataclass(frozen=True)
class Config(ExperimentConfig):
    lengths: tuple[Count, ...] = (10, 25, 50)  # numbers to add among; blanks
    units: Count = 32  # of the recurrent layer
    steps: Count = 1000  # gradient steps at most
    batch_size: Count = 64  # sequences a step, always new ones
    learning_rate: Rate = 5e-3  # step size


def adder(config, cell):
    model = keras.Sequential(
        [keras.Input((None, 2)), CELLS[cell](config.units), Dense(1)]
    )
    return compiled(model, config, MeanSquaredError())


def copier(config, cell):
    """Answers, KINDS logits each, are read off the last SYMBOLS outputs."""
    x = keras.Input((None, KINDS + 2))
    h = CELLS[cell](config.units, return_sequences=True)(x)
    model = keras.Model(x, Dense(KINDS)(h[:, -SYMBOLS:]))
    return compiled(model, config, SparseCategoricalCrossentropy(from_logits=True))


def compiled(model, config, loss):
    optimizer = Adam(config.learning_rate, global_clipnorm=1.0)
    model.compile(optimizer, loss, steps_per_execution=CHUNK // 2, jit_compile=False)
    return model


def adding(count, length, rng):
    return adding_problem(count, length, rng)


def copying(count, length, rng):
    return copy_task(count, length, rng, SYMBOLS, KINDS)


def explained(y, answers):
    """Share of the sum's variance that the answers explain."""
    return max(0.0, 1 - np.mean((answers - y) ** 2) / np.var(y))


def recalled(y, logits):
    """Share of the symbols said right, from 0 for guessing to 1."""
    right = np.mean(logits.argmax(-1) == y)
    return max(0.0, (right * KINDS - 1) / (KINDS - 1))


TASKS = {"adding": (adding, adder, explained), "copying": (copying, copier, recalled)}


def learn(config, task, cell, length):
    """(gradient steps taken, score on 1,000 new sequences), until ENOUGH or the end."""
    draw, build, score = TASKS[task]
    seed_everything(config.seed)
    rng = np.random.default_rng(config.seed)
    x_new, y_new = draw(1000, length, np.random.default_rng([config.seed, 1]))
    model, taken, found = build(config, cell), 0, 0.0
    while taken < config.steps and found < ENOUGH:
        steps = min(CHUNK, config.steps - taken)
        x, y = draw(steps * config.batch_size, length, rng)
        model.fit(x, y, config.batch_size, shuffle=False, verbose=0)
        taken += steps
        found = score(y_new, model.predict(x_new, 500, verbose=0))
    print(f"{task:<8} {length:>4} {cell:<10} {taken:>5} steps  score {found:.3f}")
    return taken, found


def draw_memory(found, config, run):
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, task in zip(figure.subplots(1, 2, sharey=True), TASKS):
        for cell, colour, marker, line in zip(CELLS, COLOURS, "os^", ("-", "--", ":")):
            scores = [found[task, cell, length] for length in config.lengths]
            axes.plot(
                config.lengths, scores, line, color=colour, marker=marker, label=cell
            )
        axes.set(title=task, xlabel="length of the sequence", ylim=(-0.05, 1.05))
        axes.set_xticks(config.lengths, config.lengths)
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("score: 0 guessing, 1 solved")
    figure.axes[0].legend()
    figure.suptitle(f"What each layer learns in {config.steps} steps, by length")
    save_figure(figure, run, "memory.png")


def main(config):
    if min(config.lengths, default=0) < 2:
        fail(f"--lengths got {config.lengths}, expected whole numbers from 2 on")
    run = RunFolder.open("long_memory", config)
    if config.quick:
        config = replace(config, lengths=(20,), steps=300)
    found = {
        (task, cell, length): learn(config, task, cell, length)[1]
        for length in config.lengths
        for task in TASKS
        for cell in CELLS
    }
    draw_memory(found, config, run)
    short, long = config.lengths[0], config.lengths[-1]
    add, copy = ({k[1:]: v for k, v in found.items() if k[0] == t} for t in TASKS)
    plain = add["SimpleRNN", long]
    claims = [
        Claim(f"adding, {short}: best layer", max(add[c, short] for c in CELLS), 0.9),
        *(
            Claim(f"adding, {long}: {c} above SimpleRNN", add[c, long] - plain, 0.2)
            for c in ("LSTM", "GRU")
        ),
        Claim(f"copying, {short}: SimpleRNN", copy["SimpleRNN", short], 0.9),
        Claim(
            f"copying, {long}: SimpleRNN above LSTM",
            copy["SimpleRNN", long] - copy["LSTM", long],
            0.2,
        ),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
