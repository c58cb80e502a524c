"""Pictures of sounds: spectrograms, and what a network hears in them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cookbook.plots.figures import ORANGE, Folder, save_figure


def draw_spectrograms(
    spectrograms: Sequence[np.ndarray] | np.ndarray,
    titles: Sequence[str],
    seconds: float,
    title: str,
    run: Folder,
    name: str = "spectrograms.png",
    columns: int = 5,
) -> None:
    """NAME: a panel for each spectrogram (bands, frames), low pitches at the bottom.

    seconds: length of each sound.
    """
    rows = max(1, -(-len(spectrograms) // columns))
    figure = Figure(figsize=(2.3 * columns, 2.2 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes in panels.flat[len(spectrograms) :]:
        axes.set_axis_off()
    for axes, spectrogram, heading in zip(panels.flat, spectrograms, titles):
        spectrogram_panel(axes, spectrogram, seconds)
        axes.set_title(heading, fontsize=9)
    figure.suptitle(title)
    figure.supxlabel("seconds")
    figure.supylabel("band of pitches (mel)")
    save_figure(figure, run, name)


def spectrogram_panel(axes: Axes, spectrogram: np.ndarray, seconds: float) -> None:
    """Draws loudness (bands, frames): the darker, the louder."""
    place = (0, seconds, 0, len(spectrogram))
    axes.imshow(spectrogram, cmap="Greys", origin="lower", aspect="auto", extent=place)


def draw_alignments(
    spectrograms: Sequence[np.ndarray] | np.ndarray,
    alignments: np.ndarray,
    spans: np.ndarray,
    words: Sequence[str],
    seconds: float,
    run: Folder,
) -> None:
    """alignment.png: where the network hears each word of a few strings.

    spectrograms: (bands, frames) of each string.
    alignments: (N, T), for each step 0 or 1 + the place of a word in `words`.
    spans: (N, words of a string, 2), seconds at which each word begins and ends.
    """
    count = len(spectrograms)
    figure = Figure(figsize=(10, 1.9 * count + 0.6), layout="constrained")
    panels = figure.subplots(count, 1, squeeze=False, sharex=True).flat
    for axes, spectrogram, steps, places in zip(
        panels, spectrograms, alignments, spans
    ):
        spectrogram_panel(axes, spectrogram, seconds)
        top = len(spectrogram)
        for start, end in places[places[:, 1] > 0]:
            axes.axvspan(start, end, color=ORANGE, alpha=0.15)
        width = seconds / len(steps)
        for first in onsets(steps):
            middle = (first + 0.5) * width
            axes.axvline(middle, color=ORANGE)
            word = words[steps[first] - 1]
            axes.text(middle, top, word, color=ORANGE, ha="center", va="bottom")
        axes.set_yticks([])
    figure.suptitle("Where each word is heard (line), and where it is said (area)")
    figure.supxlabel("seconds")
    save_figure(figure, run, "alignment.png")


def onsets(alignment: np.ndarray) -> np.ndarray:
    """The steps of an alignment (T,) at which a word begins."""
    before = np.insert(alignment, 0, 0)[:-1]
    return np.flatnonzero((alignment > 0) & (alignment != before))
