"""Words told apart by a plain method: logistic regression on mean loudness."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

STRETCHES = 8  # of equal length, into which a word is cut
PENALTY = 0.03  # C of scikit-learn: the smaller, the smaller the coefficients
GAP = 4  # frames of 16 ms, between two stretches of one word
BRIEF = 7  # frames that a word lasts at least


def mean_loudness(spectrograms: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """(N, STRETCHES * bands): the mean of each band over each stretch of each word.

    spectrograms: (bands, frames) of each word, in decibels.
    """
    rows = []
    for spectrogram in spectrograms:
        frames = spectrogram.shape[1]
        ends = np.linspace(0, frames, STRETCHES + 1)
        parts = [
            spectrogram[:, int(start) : max(int(start) + 1, int(end))].mean(1)
            for start, end in itertools.pairwise(ends)
        ]
        rows.append(np.concatenate(parts))
    return np.stack(rows)


def logistic_regression(
    spectrograms: Sequence[np.ndarray] | np.ndarray, labels: np.ndarray
) -> Callable[[Sequence[np.ndarray] | np.ndarray], np.ndarray]:
    """A function from spectrograms to labels, learned from these examples."""
    from sklearn.linear_model import LogisticRegression

    features = mean_loudness(spectrograms)
    mean = features.mean(0)
    spread = features.std(0) + 1e-6
    learned = LogisticRegression(C=PENALTY, max_iter=1000)
    learned.fit((features - mean) / spread, labels)

    def answers(others: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        return learned.predict((mean_loudness(others) - mean) / spread)

    return answers


def loud_stretches(spectrogram: np.ndarray) -> list[tuple[int, int]]:
    """The stretches of a spectrogram that are loud: (first frame, frame behind it).

    They are louder than the middle between the background and the loudest frame. Gaps
    of up to GAP frames do not end a stretch, and shorter stretches than BRIEF are none.
    """
    loudness = spectrogram.mean(0)
    background = np.quantile(loudness, 0.1)
    middle = (background + loudness.max()) / 2
    loud = np.flatnonzero(loudness > middle)
    cuts = np.flatnonzero(np.diff(loud) > GAP + 1) + 1
    found = []
    for frames in np.split(loud, cuts):
        if len(frames) and frames[-1] + 1 - frames[0] >= BRIEF:
            found.append((int(frames[0]), int(frames[-1]) + 1))
    return found
