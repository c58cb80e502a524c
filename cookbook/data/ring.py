"""A ring of Gaussians: the standard test of whether a GAN finds all modes."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet
from cookbook.errors import fail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ring(DataSet):
    """Points (N, 2) of equally many Gaussians on a circle; y says of which each is."""

    centres: np.ndarray  # (modes, 2)
    spread: float  # standard deviation of each


def load_ring(name="auto", quick=False, seed=0, modes=8):
    """The ring of radius 1, drawn by seed; 8 modes of spread 0.01 as in the papers.

    quick: fewer points, and modes of ten times the spread, which are learned sooner.
    """
    if name not in ("auto", "ring"):
        fail(f"--data got {name!r}, but these points are drawn: give ring or leave it")
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = np.stack([np.cos(angles), np.sin(angles)], -1)
    spread, points = (0.1, 10240) if quick else (0.01, 256000)
    rng = np.random.default_rng(seed)
    parts = {}
    for part, size in (("train", points), ("validation", 2500), ("test", 2500)):
        y = rng.integers(modes, size=size)
        x = centres[y] + spread * rng.normal(size=(size, 2))
        parts[part] = x.astype("float32"), y
    return Ring(name="ring", asked="ring", centres=centres, spread=spread, **parts)
