"""Pictures: saving them, learning curves, confusion matrix, confident mistakes."""

import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by colour-blind readers


COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def save_figure(figure, run, name):
    """Writes the figure into the run folder as PNG."""
    run.write(name, lambda path: figure.savefig(path, dpi=120, format="png"))


def save_animation(figure, draw, frames, run, name, per_second=12):
    """Writes an animated GIF: draw(frame) paints each of `frames` on the figure."""
    FigureCanvasAgg(figure)
    draw(0)
    figure.draw_without_rendering()  # places the axes, once for all frames
    figure.set_layout_engine("none")
    animation = FuncAnimation(figure, draw, frames=frames, init_func=lambda: None)
    run.write(name, lambda path: animation.save(path, PillowWriter(per_second)))


def panel(title, xlabel, ylabel, size=(7, 4)):
    """(figure, axes) of a picture with one message, its title."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def draw_lines(lines, title, xlabel, ylabel, run, name, **settings):
    """A picture of `lines`, {label: (x, y)}; settings: of the axes, as yscale="log"."""
    figure, axes = panel(title, xlabel, ylabel)
    for i, (label, (x, y)) in enumerate(lines.items()):
        style = ("-", "--", "-.", ":")[i % 4]
        axes.plot(x, y, style, color=COLOURS[i % len(COLOURS)], label=label)
    if xlabel == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(**settings)
    if "xticks" in settings:
        axes.minorticks_off()  # a log scale's own labels would mingle with these
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, run, name)


def draw_attention(maps, rows, columns, title, run):
    """attention.png: a panel for each of `maps`, the share that a row gives a column.

    maps: arrays that begin with (len(row), len(column)); rows, columns: their labels.
    """
    across = -(-len(maps) // 2)
    figure = Figure(figsize=(3 * across + 1, 6), layout="constrained")
    for axes, shares, row, column in zip(
        figure.subplots(2, across, squeeze=False).flat, maps, rows, columns
    ):
        shares = shares[: len(row), : len(column)]
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        upright = max(map(len, column)) > 2  # words would run into one another
        axes.set_xticks(range(len(column)), column, rotation=90 * upright)
        axes.set_yticks(range(len(row)), row)
    figure.colorbar(image, ax=figure.axes, label="share of the attention", shrink=0.6)
    figure.suptitle(title)
    figure.supxlabel("read")
    figure.supylabel("written, from top to bottom")
    save_figure(figure, run, "attention.png")


def draw_curves(history, run):
    """curves.png: loss and accuracy by epoch, in training and on validation data."""
    epochs = [row["epoch"] for row in history]
    names = [name for name in history[0] if f"val_{name}" in history[0]]
    names = names or [n for n in history[0] if n not in ("epoch", "seconds")]
    figure = Figure(figsize=(4.5 * len(names), 3.5), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        for key, label, colour in (
            (name, "training", BLUE),
            (f"val_{name}", "validation", ORANGE),
        ):
            if key not in history[0]:
                continue
            values = [row[key] for row in history]
            axes.plot(epochs, values, marker="o", ms=3, color=colour, label=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.legend()
        if name == "loss":
            axes.set_yscale("log")
    figure.suptitle("Learning curves")
    save_figure(figure, run, "curves.png")


def draw_confusion(labels, predictions, classes, run):
    """confusion.png: counts by true and predicted class, mistakes in colour."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(labels, predictions, labels=range(len(classes)))
    mistakes = counts * (1 - np.eye(len(classes), dtype=int))
    side = 1.5 + 0.5 * len(classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(mistakes, cmap="Oranges")
    for (i, j), count in np.ndenumerate(counts):
        if count:
            dark = i != j and count > 0.6 * max(mistakes.max(), 1)
            colour = "white" if dark else "black"
            axes.text(j, i, count, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=90 if _long(classes) else 0)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"{mistakes.sum()} mistakes in {counts.sum()} test examples")
    figure.colorbar(image, label="mistakes", shrink=0.7)
    save_figure(figure, run, "confusion.png")


def _long(classes):
    return max(map(len, classes)) > 3


def draw_mistakes(images, labels, probabilities, classes, run, count=24):
    """mistakes.png: the wrong answers that the model was surest of."""
    predictions = probabilities.argmax(-1)
    confidence = probabilities.max(-1)
    wrong = np.flatnonzero(predictions != labels)
    worst = wrong[np.argsort(-confidence[wrong])][:count]
    columns = 8
    rows = max(1, -(-len(worst) // columns))
    figure = Figure(figsize=(1.35 * columns, 1.7 * rows + 0.5), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, i in zip(figure.axes, worst):
        axes.imshow(
            images[i].squeeze(), cmap="gray_r" if images.shape[-1] == 1 else None
        )
        said, true = classes[predictions[i]], classes[labels[i]]
        axes.set_title(f"{said} {confidence[i]:.0%}\ntrue {true}", fontsize=8)
    figure.suptitle(
        f"The {len(worst)} most confident of {len(wrong)} mistakes: answer, confidence"
        if len(worst)
        else "No mistakes"
    )
    save_figure(figure, run, "mistakes.png")
