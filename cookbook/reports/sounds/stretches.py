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
        ends = ends.astype(int)

        means = []
        for start, end in itertools.pairwise(ends):
            end = max(start + 1, end)
            stretch = spectrogram[:, start:end]
            means.append(stretch.mean(1))

        rows.append(np.concatenate(means))

    return np.stack(rows)


def logistic_regression(
    spectrograms: Sequence[np.ndarray] | np.ndarray, labels: np.ndarray
) -> Callable[[Sequence[np.ndarray] | np.ndarray], np.ndarray]:
    """A function from spectrograms to labels, learned from these examples."""
    from sklearn.linear_model import LogisticRegression

    features = mean_loudness(spectrograms)
    mean = features.mean(0)
    spread = features.std(0) + 1e-6

    x = (features - mean) / spread
    learned = LogisticRegression(C=PENALTY, max_iter=1000)
    learned.fit(x, labels)

    def answers(others: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        x = (mean_loudness(others) - mean) / spread
        return learned.predict(x)

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
    gaps = np.diff(loud) - 1
    cuts = np.flatnonzero(gaps > GAP) + 1

    found = []
    for frames in np.split(loud, cuts):
        if len(frames) == 0:
            continue
        start = int(frames[0])
        end = int(frames[-1]) + 1
        if end - start >= BRIEF:
            found.append((start, end))

    return found


def named_pieces(
    known: np.ndarray, spans: np.ndarray, labels: np.ndarray, strings: np.ndarray
) -> np.ndarray:
    """Labels of strings of words, (N, M), padded with 0: what stands between silences.

    The pieces between silences are named by logistic regression. It learns from words
    of other strings, in which it is told where they are.

    Args:
        known: spectrograms (K, bands, frames) of the other strings.
        spans: (K or more, words, 2), the first and the last frame of each word.
        labels: (K or more, words), 0 where there is no word.
        strings: spectrograms (N, bands, frames).
    """
    words = []
    for spectrogram, places in zip(known, spans):
        for start, end in places:
            if end:
                words.append(spectrogram[:, start : end + 1])

    labels = labels[: len(known)]
    name = logistic_regression(words, labels[labels > 0])

    found = np.zeros((len(strings), strings.shape[-1]), "int32")
    for row, spectrogram in zip(found, strings):
        cuts = loud_stretches(spectrogram)
        pieces = [spectrogram[:, start:end] for start, end in cuts]
        if pieces:
            row[: len(pieces)] = name(pieces)

    return found
