"""How long SimpleRNN, LSTM and GRU remember: adding two numbers, copying symbols.

    python recipes/long_memory.py
    python recipes/long_memory.py --lengths 50 100 200 --steps 3000

Which recurrent layer remembers longest? In the adding task, two marked numbers among
many random ones give their sum; in the copying task, symbols come, then blanks, and
then the symbols are to be repeated. A training ends early once it has learned its task.
Expected, in about 3 minutes: among 50 numbers GRU and LSTM learn to add in 300 and 700
steps, and SimpleRNN does not. The common belief that LSTM remembers longer did not hold
for copying: SimpleRNN, with its orthogonal start weights, copies over more blanks in as
many steps.
Paper: Hochreiter, Schmidhuber, "Long short-term memory", 1997.
https://doi.org/10.1162/neco.1997.9.8.1735
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import BatchSize, Between, Count, ExperimentConfig, Rate, Size
from cookbook.data.sequences import adding_problem, copy_task
from cookbook.data.sources import Part
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.pictures import draw_panels
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, suit_backend
from custom_layers.layers import GRU, LSTM, Dense, SimpleRNN
from custom_layers.losses import MeanSquaredError, SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam

CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
SYMBOLS = 4  # symbols to copy
KINDS = 4  # kinds of symbols
ENOUGH = 0.95  # score at which a training ends
CHUNK = 50  # gradient steps between two scores
STYLES = {
    "SimpleRNN": {"marker": "o"},
    "LSTM": {"marker": "s"},
    "GRU": {"marker": "^", "ls": ":"},
}
Scores = dict[tuple[str, str, int], float]  # of each task, cell and length


@dataclass(frozen=True)
class Config(ExperimentConfig):
    # random numbers to add, or blanks to copy over
    lengths: tuple[Annotated[int, Between(2, 2**14)], ...] = (10, 25, 50)
    units: Size = 32  # units of the recurrent layer
    steps: Count = 1000  # gradient steps of each training, unless it ends early
    batch_size: BatchSize = 64  # sequences per step, always new ones
    learning_rate: Rate = 5e-3  # step size of Adam

    in_quick = {"lengths": (20,), "steps": 300}


@dataclass(frozen=True)
class Task:
    """A task: its sequences, the network for it, and the score of its answers."""

    draw: Callable  # (count, length, rng): (x, y)
    build: Callable  # (config, cell): a compiled model
    score: Callable  # (y, answers): from 0 for guessing to 1


def build_adder(config: Config, cell: str) -> keras.Model:
    layers = [keras.Input((None, 2)), CELLS[cell](config.units), Dense(1)]
    return compiled(keras.Sequential(layers), config, MeanSquaredError())


def build_copier(config: Config, cell: str) -> keras.Model:
    """Reads the answers, KINDS logits each, off the last SYMBOLS outputs."""
    x = keras.Input((None, KINDS + 2))
    h = CELLS[cell](config.units, return_sequences=True)(x)  # (B, T, H)
    model = keras.Model(x, Dense(KINDS)(h[:, -SYMBOLS:]))
    return compiled(model, config, SparseCategoricalCrossentropy(from_logits=True))


def compiled(
    model: keras.Model, config: Config, loss: keras.losses.Loss
) -> keras.Model:
    model.compile(
        optimizer=Adam(config.learning_rate, global_clipnorm=1.0),
        loss=loss,
        steps_per_execution=CHUNK // 2,
        jit_compile=False,
    )
    return model


def draw_copies(count: int, length: int, rng: np.random.Generator) -> Part:
    return copy_task(count, length, rng, SYMBOLS, KINDS)


def explained(y: np.ndarray, answers: np.ndarray) -> float:
    """Share of the sums' variance that the answers explain."""
    return max(0.0, 1 - np.mean((answers - y) ** 2) / np.var(y))


def recalled(y: np.ndarray, logits: np.ndarray) -> float:
    """Share of the symbols that are right, from 0 for guessing to 1."""
    right = np.mean(logits.argmax(-1) == y)
    return max(0.0, (right * KINDS - 1) / (KINDS - 1))


TASKS = {
    "adding": Task(adding_problem, build_adder, explained),
    "copying": Task(draw_copies, build_copier, recalled),
}


def learn(config: Config, name: str, cell: str, length: int) -> float:
    """The score on 1,000 new sequences, after all steps or once it is ENOUGH."""
    task = TASKS[name]
    seed_everything(config.seed)
    rng = np.random.default_rng(config.seed)
    x_new, y_new = task.draw(1000, length, np.random.default_rng([config.seed, 1]))
    model = task.build(config, cell)
    taken, score = 0, 0.0
    while taken < config.steps and score < ENOUGH:
        steps = min(CHUNK, config.steps - taken)
        x, y = task.draw(steps * config.batch_size, length, rng)
        suit_backend(model)
        model.fit(x, y, config.batch_size, shuffle=False, verbose=0)
        taken += steps
        score = task.score(y_new, model.predict(x_new, 500, verbose=0))
    print(f"{name:<8} {length:>4} {cell:<10} {taken:>5} steps  score {score:.3f}")
    return score


def draw_memory(found: Scores, config: Config, run: RunFolder) -> None:
    """found: {(task, cell, length): score}"""
    lengths = config.lengths
    panels = {
        task: {
            cell: (lengths, [found[task, cell, length] for length in lengths])
            for cell in CELLS
        }
        for task in TASKS
    }
    title = (
        f"GRU and LSTM learn to add, SimpleRNN to copy (within {config.steps} steps)"
    )
    labels = "length of the sequence", "score (0: guessing, 1: solved)"
    scale: dict[str, Any] = {"ylim": (-0.05, 1.05), "xticks": lengths}
    draw_panels(panels, title, *labels, run, "memory.svg", styles=STYLES, **scale)


def claims_of_scores(found: Scores, short: int, long: int) -> list[Claim]:
    """What holds for the scores on the shortest and the longest sequences."""
    best = max(found["adding", cell, short] for cell in CELLS)
    plain, lstm, gru = (found["adding", cell, long] for cell in CELLS)
    copied = found["copying", "SimpleRNN", short]
    lead = found["copying", "SimpleRNN", long] - found["copying", "LSTM", long]
    add, copy = f"Among {long} numbers,", f"Over {long} blanks,"
    return [
        Claim(f"Among {short} numbers, one layer scores {{}}", best, at_least=0.9),
        Claim(f"{add} LSTM leads SimpleRNN by {{}}", lstm - plain, at_least=0.2),
        Claim(f"{add} GRU leads SimpleRNN by {{}}", gru - plain, at_least=0.2),
        Claim(f"Over {short} blanks, SimpleRNN scores {{}}", copied, at_least=0.9),
        Claim(f"{copy} SimpleRNN leads LSTM by {{}}", lead, at_least=0.2),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("long_memory", config)
    found = {
        (task, cell, length): learn(config, task, cell, length)
        for length in config.lengths
        for task in TASKS
        for cell in CELLS
    }
    draw_memory(found, config, run)
    claims = claims_of_scores(found, config.lengths[0], config.lengths[-1])
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
