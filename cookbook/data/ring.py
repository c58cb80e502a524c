"""A ring of Gaussians: the standard test of whether a GAN finds all modes."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet
from cookbook.errors import fail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ring(DataSet):
    """Points x (N, 2) of equally likely Gaussians on a circle; y is the Gaussian."""

    centres: np.ndarray  # (modes, 2)
    spread: float  # standard deviation of each Gaussian


def load_ring(
    name: str = "auto", quick: bool = False, seed: int = 0, modes: int = 8
) -> Ring:
    """The ring of radius 1, with 8 modes of standard deviation 0.01 as in the papers.

    Args:
        name: the value of --data; these points are always generated.
        quick: whether to draw fewer points, from modes that are ten times as wide and
            so are learned sooner.
        seed: random seed of the points.
        modes: number of Gaussians.
    """
    if name not in ("auto", "ring"):
        fail(f"--data got {name!r}, but these points are drawn: give ring or leave it")
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    spread = 0.1 if quick else 0.01
    rng = np.random.default_rng(seed)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        y = rng.integers(modes, size=count)
        x = centres[y] + spread * rng.normal(size=(count, 2))
        return x.astype("float32"), y

    return Ring(
        name="ring",
        asked="ring",
        train=draw(10_240 if quick else 256_000),
        validation=draw(2500),
        test=draw(2500),
        centres=centres,
        spread=spread,
    )
