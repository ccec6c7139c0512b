import numpy as np

from hitl.curve import CurvePoint
from tasks.edges.figures import confusion, learning_curve, png

POINTS = [
    CurvePoint(round="", labels=60, value=0.8, low=0.7, high=0.9),
    CurvePoint(round="", labels=30, value=0.6, low=0.5, high=0.7),
]


def test_equal_figures_give_equal_bytes() -> None:
    first = png(learning_curve(POINTS, beside={"random": POINTS}))
    assert first.startswith(b"\x89PNG")
    assert png(learning_curve(POINTS, beside={"random": POINTS})) == first


def test_points_are_drawn_in_the_order_of_their_labels() -> None:
    line = learning_curve(POINTS).axes[0].lines[0]
    assert np.asarray(line.get_path().vertices)[:, 0].tolist() == [30.0, 60.0]


def test_a_curve_without_points_is_an_empty_figure() -> None:
    assert png(learning_curve([]))


def test_class_names_are_text_and_never_markup() -> None:
    assert png(confusion([[3, 1], [0, 2]], ["$\\bad{", "ham & _x_"]))


def test_a_class_that_no_item_has_is_drawn() -> None:
    assert png(confusion([[0, 0], [1, 2]], ["a", "b"]))


def test_many_classes_are_drawn_without_numbers() -> None:
    size = 77
    matrix = [[int(row == column) for column in range(size)] for row in range(size)]
    figure = confusion(matrix, [f"class {number}" for number in range(size)])
    assert not figure.axes[0].texts
    assert png(figure)
