"""Evaluation of a plain script: figures, claims and pictures."""

import matplotlib.pyplot as plt
import numpy as np

BLUE = "#0072B2"
ORANGE = "#D55E00"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def finish(figures: dict[str, float]) -> dict[str, float]:
    """Prints the figures."""
    for name, value in figures.items():
        print(f"{name}: {value:.4f}")
    return figures


def draw_curves(history: dict) -> None:
    """curves.png: each figure by epoch, in training and in validation."""
    for name, values in history.items():
        plt.plot(values, label=name)
    plt.xlabel("epoch")
    plt.legend()
    plt.savefig("curves.png")


def report_classifier(model, data, history, views=None) -> dict[str, float]:
    """The accuracy on the test images, and learning curves."""
    x, y = data.test
    seen = views(x) if views else [x]
    logits = sum(model.predict(view, 500, verbose=0) for view in seen)
    is_right = logits.argmax(-1) == y
    accuracy = is_right.mean()

    draw_curves(history)
    print(f"test accuracy: {accuracy:.4f}")
    return {"test accuracy": accuracy}


def report_reviews(model, data, history) -> dict[str, float]:
    """The accuracy on the test texts, and learning curves."""
    _, accuracy = model.evaluate(*data.test, batch_size=100, verbose=0)
    draw_curves(history)
    print(f"test accuracy: {accuracy:.4f}")
    return {"test accuracy": accuracy}


def Claim(text: str, measured, at_least=None, at_most=None) -> tuple[str, bool]:
    """Prints a sentence, the number in place of its braces, and whether it holds."""
    percent = f"{100 * measured:.3g} %"
    sentence = text.format(f"{measured:.3g}", percent=percent, points=percent)
    holds = measured <= at_most if at_least is None else measured >= at_least

    print("holds " if holds else "FAILS ", sentence)
    return sentence, bool(holds)


def panel(title, xlabel, ylabel, size: tuple = (7, 4)) -> tuple:
    """A picture with one panel, to draw in."""
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)

    return figure, axes


def save_figure(figure, name: str) -> None:
    figure.savefig(name)


def draw_lines(lines: dict, title, xlabel, ylabel, name: str, **settings) -> None:
    """A picture of lines, {label: (x, y)}."""
    figure, axes = plt.subplots(figsize=(8, 4))
    for label, (x, y) in lines.items():
        axes.plot(x, y, label=label)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel, **settings)
    axes.legend()
    figure.savefig(name)


def draw_panels(
    panels, title, xlabel, ylabel, name: str, columns: int = 2, styles=None, **settings
) -> None:
    """A picture with a panel for each of {heading: {label: (x, y)}}."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    settings.pop("size", None)  # that of a panel

    figure, places = plt.subplots(rows, columns, figsize=(12, 3 * rows))
    styles = styles or {}
    for axes, heading in zip(np.ravel(places), panels):
        for label, (x, y) in panels[heading].items():
            axes.plot(x, y, label=label, **styles.get(label, {}))
        axes.set(title=heading, xlabel=xlabel, ylabel=ylabel, **settings)
        axes.legend(fontsize=7)

    figure.suptitle(title)
    figure.savefig(name)


def draw_bars(bars: dict, names, title, label, name: str, **settings) -> None:
    """Horizontal bars with their values, in groups: a group for each of `names`."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    height = 1 / (len(bars) + 1)  # some room stays between two groups
    places = np.arange(len(names))

    for i, group in enumerate(bars):
        values = bars[group]
        drawn = axes.barh(places + i * height, values, height, label=group)
        axes.bar_label(drawn, fmt="%.3g")

    # A group for each name
    axes.set_yticks(places, names)
    axes.set(title=title, xlabel=label, **settings)
    axes.legend()
    figure.savefig(name)


def draw_heat_map(values, rows, columns, labels, title, name: str) -> None:
    """A table of numbers as colours."""
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    image = axes.imshow(values, aspect="auto", origin="lower")

    # A label for each row, and for each fifth column
    shown = range(0, len(columns), 5)
    names = []
    for i in shown:
        names.append(f"{columns[i]:g}")

    axes.set_xticks(shown, names)
    axes.set_yticks(range(len(rows)), rows)

    xlabel, ylabel, label = labels
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    figure.colorbar(image, label=label)
    figure.savefig(name)


def draw_regions(networks: dict, x, y, title, name: str) -> None:
    """Where networks of two inputs answer 0 and 1."""
    count = len(networks)

    figure, places = plt.subplots(1, count, figsize=(3 * count, 3.7))

    # The networks answer at all points of a grid.
    line = np.linspace(-1.1, 1.1, 150) * np.abs(x).max()
    grid = np.meshgrid(line, line)  # 150 x 150 points
    points = np.stack(grid, -1).reshape(-1, 2)

    for axes, heading in zip(np.ravel(places), networks):
        network = networks[heading]
        answers = np.array(network(points))
        answers = answers.reshape(150, 150)
        axes.contourf(line, line, answers, [0, 0.5, 1], cmap="coolwarm")

        first, second = x.T
        axes.scatter(first, second, c=y, s=9, cmap="coolwarm")
        axes.set_title(heading)

    figure.suptitle(title)
    figure.savefig(name)
