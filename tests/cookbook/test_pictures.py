"""Pictures: no empty panel, labels that match what is drawn, colours with a meaning."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from cookbook.lab import paths, pictures
from cookbook.plots import diagrams, figures, mistakes
from cookbook.plots.figures import BLUE, ORANGE, in_lines, save_figure
from cookbook.plots.formulas import with_formula
from cookbook.plots.mistakes import telling_answers
from cookbook.reports import page, review_picture
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.insight.pictures import is_spread_over_decades
from oracle import array
from recipes.activations_gallery import CURVES

DIGITS = tuple("0123456789")


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path, SimpleNamespace())


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, {name: figure}."""
    found = {}

    def keep(figure, run, name):
        save_figure(figure, run, name)
        found[name] = figure

    for module in (diagrams, figures, mistakes, pictures, paths, review_picture):
        monkeypatch.setattr(module, "save_figure", keep)
    monkeypatch.setattr(paths, "save_animation", lambda figure, draw, *_: draw(3))
    return found


def shown(axes):
    """Whether something is drawn on the axes."""
    return axes.lines or axes.images or axes.collections or axes.patches


def answers(mistakes, count=60):
    """(labels, probabilities) of `count` answers, the first of which are wrong."""
    labels = np.arange(count) % 10
    said = np.where(np.arange(count) < mistakes, (labels + 1) % 10, labels)
    sure = np.linspace(0.5, 0.9, count)[:, None]
    return labels, np.where(np.eye(10)[said] == 1, sure, (1 - sure) / 9)


@pytest.mark.parametrize("wrong", [0, 1, 3, 60])
def test_a_confusion_matrix_has_a_scale_of_whole_mistakes_or_none(wrong, run, drawn):
    labels, probabilities = answers(wrong)
    mistakes.draw_confusion(labels, probabilities.argmax(-1), DIGITS, run)
    figure = drawn["confusion.png"]
    matrix, *scales = figure.axes
    assert len(scales) == (wrong > 0)
    for scale in scales:
        assert all(tick == round(tick) for tick in scale.get_yticks())
    expected = {0: "No mistake in", 1: "1 mistake in"}
    assert matrix.get_title().startswith(expected.get(wrong, f"{wrong} mistakes in"))


def test_without_a_mistake_no_field_of_the_confusion_matrix_is_orange(run, drawn):
    labels, probabilities = answers(0)
    mistakes.draw_confusion(labels, probabilities.argmax(-1), DIGITS, run)
    colours, ground = drawn["confusion.png"].axes[0].images
    painted = colours.cmap(colours.norm(colours.get_array()))
    assert painted.min() > 0.9  # nearly white
    assert np.array_equal(ground.get_array().mask, ~np.eye(10, dtype=bool))


@pytest.mark.parametrize("wrong", [0, 1, 5, 60])
def test_the_grid_of_answers_is_full_whatever_the_number_of_mistakes(wrong, run, drawn):
    labels, probabilities = answers(wrong)
    images = array(60, 4, 4, 1, low=0, high=9, dtype="uint8")
    mistakes.draw_mistakes(images, labels, probabilities, DIGITS, run)
    figure = drawn["mistakes.png"]
    assert len(figure.axes) == 24
    assert all(axes.images for axes in figure.axes)
    titles = [axes.title for axes in figure.axes]
    is_wrong = ["not" in title.get_text() for title in titles]
    assert sum(is_wrong) == min(wrong, 24 if wrong == 60 else 16)
    for title, said_wrong in zip(titles, is_wrong):
        colour = ORANGE if said_wrong else BLUE
        assert to_rgb(title.get_color()) == to_rgb(colour)


@pytest.mark.parametrize("classes", [DIGITS, ("automobile", *DIGITS[1:-1], "airplane")])
def test_what_stands_above_an_answer_does_not_reach_its_neighbour(classes, run, drawn):
    labels, probabilities = answers(30)
    images = array(60, 4, 4, 1, low=0, high=9, dtype="uint8")
    mistakes.draw_mistakes(images, labels, probabilities, classes, run)
    figure = drawn["mistakes.png"]
    figure.draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    for left, right in itertools.pairwise(boxes):
        in_a_row = right.x0 > left.x0
        assert not in_a_row or left.x1 < right.x0
        assert in_a_row or left.y0 > right.y1


@pytest.mark.parametrize(
    ("mistakes", "wrong", "right"),
    [(0, 0, 9), (2, 2, 7), (30, 6, 3), (59, 8, 1), (60, 9, 0)],
)
def test_telling_answers_are_the_surest_mistakes_and_the_least_sure_right_ones(
    mistakes, wrong, right
):
    labels, probabilities = answers(mistakes)
    rows, others = telling_answers(labels, probabilities, 9)
    # The later an answer stands, the surer it is.
    assert rows.tolist() == [mistakes - 1 - i for i in range(wrong)]
    assert others.tolist() == [mistakes + i for i in range(right)]


def test_every_bar_has_its_own_value_beside_it(run, drawn):
    bars = {"a": [0.5, 20.0], "b": [1e-5, 7.25]}
    names = "one", "two"
    pictures.draw_bars(bars, names, "t", "x", run, "bars.svg", xscale="log")
    (axes,) = drawn["bars.svg"].axes
    lengths = [bar.get_width() for bar in axes.patches]
    labels = [text.get_text() for text in axes.texts]
    assert [float(label) for label in labels] == lengths == [0.5, 20.0, 1e-5, 7.25]


def test_a_network_has_each_weight_on_its_edge_and_each_answer_in_its_unit(run, drawn):
    h = np.array([0.25, 0.75])
    layers = [
        {"in": np.array([3.0, 4.0]), "w": np.array([[0.1, -0.2], [0.3, 0.4]])},
        {"in": h, "w": np.array([[1.5, 2.5]]), "b": np.array([9.0])},
    ]
    layers[0] |= {"b": np.array([7.0, 8.0]), "out": h}
    layers[1] |= {"out": np.array([0.125])}
    diagrams.draw_networks({"before": layers, "after": layers}, "t", run, "n.svg")
    for axes in drawn["n.svg"].axes:
        texts = {text.get_text(): text.get_position() for text in axes.texts}
        units = {"3", "4", "0.25\nb 7", "0.75\nb 8", "0.125\nb 9"}
        assert set(texts) == {"0.1", "-0.2", "0.3", "0.4", "1.5", "2.5"} | units
        assert len(set(texts.values())) == 11  # no text lies on another
        x, y = texts["-0.2"]  # from the lower input to the upper unit
        assert 0 < x < 0.5
        assert -1 < y < 0


def test_a_network_that_nobody_could_read_is_not_drawn(run, drawn):
    w = np.zeros((7, 6))
    layer = {"in": np.zeros(6), "w": w, "b": np.zeros(7), "out": np.zeros(7)}
    diagrams.draw_networks({"large": [layer]}, "t", run, "n.svg")
    assert not drawn


def test_paths_have_their_minima_marked_and_legends_below_the_panels(run, drawn):
    surfaces = {"bowl": (lambda x, y: x**2 + y**2, (2, 2))}
    path = np.linspace([-1.0, 1.0], [0.0, 0.0], 20)
    lines = {"bowl": {f"kind {i}": path for i in range(7)}}
    paths.draw_paths(surfaces, lines, "t", run, "paths", 5)
    figure = drawn["paths.png"]
    figure.draw_without_rendering()
    found = []
    for axes in figure.axes:
        legend = axes.get_legend()
        found += [text.get_text() for text in legend.get_texts()]
        assert legend.get_window_extent().y1 < axes.bbox.y0
        stars = [line for line in axes.lines if line.get_marker() == "*"]
        assert [star.get_xydata().tolist() for star in stars] == [[[0, 0]]]
    assert found == list(lines["bowl"])


def test_panels_with_a_range_of_their_own_are_filled_by_their_lines(run, drawn):
    x = np.linspace(-5, 8, 50)
    panels = {"bounded": {"f": (x, np.tanh(x))}, "free": {"f": (x, 5 * x)}}
    pictures.draw_panels(panels, "t", "x", "y", run, "p.svg", share=False)
    for axes, lines in zip(drawn["p.svg"].axes, panels.values()):
        low, high = axes.get_ylim()
        assert np.ptp(lines["f"][1]) > 0.8 * (high - low)
        assert shown(axes)


def test_a_picture_is_written_as_its_name_says_and_always_the_same(run):
    figure = Figure()
    figure.subplots().plot([0, 1])
    for name in ("a.png", "a.svg", "b.svg"):
        save_figure(figure, run, name)
    assert (run.path / "a.png").read_bytes().startswith(b"\x89PNG")
    text = (run.path / "a.svg").read_text()
    assert text.startswith("<?xml")
    save_figure(figure, run, "a.svg")
    assert (run.path / "a.svg").read_text() == text


def test_the_report_shows_pictures_of_lines(run):
    figure = Figure()
    figure.subplots().plot([0, 1])
    save_figure(figure, run, "a.svg")
    shown = page.gallery(page.pictures(run.path), run.path)
    assert 'src="data:image/svg+xml;base64,' in shown


@pytest.mark.parametrize("width", [2, 6, 9])
def test_a_title_is_as_wide_as_its_picture(width):
    title = "Gradient clipping cures exploding gradients, but not vanishing ones"
    lines = in_lines(title, width).split("\n")
    assert " ".join(lines) == title
    assert max(map(len, lines)) <= 9 * width
    assert in_lines("a\nb", width) == "a\nb"


def test_words_of_a_review_lie_a_letter_apart(run, drawn, monkeypatch):
    words = ["a", "film", "of", "unbelievable", "length"] * 9
    ids = np.arange(1, 46)
    data = SimpleNamespace(
        test=(ids[None], np.array([1])),
        classes=("neg", "pos"),
        vocabulary=SimpleNamespace(spell=lambda ids: words),
    )
    monkeypatch.setattr(review_picture, "influence", lambda *_: np.linspace(-2, 3, 45))
    review_picture.draw_review(None, data, 0, run)
    figure = drawn["review.png"]
    figure.draw_without_rendering()
    sheet = figure.axes[0]
    boxes = [text.get_window_extent() for text in sheet.texts]
    letter = boxes[0].width  # "a"
    for word, box, later in zip(words, boxes, boxes[1:]):
        assert box.width == pytest.approx(letter * len(word), rel=0.03)
        if later.y0 == pytest.approx(box.y0, abs=2) and later.x0 > box.x0:
            assert later.x0 - box.x0 == pytest.approx(
                letter * (len(word) + 1), rel=0.05
            )
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    title = figure.get_suptitle().replace("\n", " ")
    assert title.startswith("Words that make the model answer pos")


@pytest.mark.parametrize(
    ("scores", "better", "expected"),
    [
        ([0.1, 0.2, 5.0], min, True),
        ([0.1, 0.2, 0.5], min, False),
        ([0.0, 0.2, 5.0], min, False),
        ([-1.0, 0.2, 5.0], min, False),
        ([0.05, 0.9, 0.95], max, False),
    ],
)
def test_only_losses_of_several_decades_need_a_logarithmic_axis(
    scores, better, expected
):
    outcome = SimpleNamespace(scores=scores, better=better)
    assert is_spread_over_decades(outcome) == expected


def test_every_activation_of_the_gallery_has_its_formula():
    names = [f.__name__ for f in CURVES]
    names += ["threshold(1, 0)", "softmax([x, 0])", "glu([x, 0])"]
    headings = [with_formula(name) for name in names]
    assert [heading.split("\n")[0] for heading in headings] == names
    figure = Figure()
    for heading in headings:
        figure.text(0, 0, heading)
    figure.draw_without_rendering()  # mathtext refuses what is no formula


def test_only_the_lowest_places_of_a_surface_are_marked(run, drawn):
    surfaces = {"saddle": (lambda x, y: x**2 + (y**2 - 1) ** 2, (1, 2))}
    lines = {"saddle": {"a": np.zeros((9, 2)), "b": np.ones((9, 2))}}
    paths.draw_paths(surfaces, lines, "t", run, "paths", 5)
    for axes in drawn["paths.png"].axes:
        stars = [
            line.get_xydata()[0] for line in axes.lines if line.get_marker() == "*"
        ]
        np.testing.assert_allclose(stars, [[0, -1], [0, 1]], atol=0.02)
