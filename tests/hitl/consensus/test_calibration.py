import numpy as np
import pytest

from hitl.consensus import calibration
from hitl.consensus.crowd import UNKNOWN


def boasting(items: int, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Items of which we are always 98 % sure, and right as often as `right` says."""
    known = (np.arange(items) >= right * items).astype(int)
    return np.tile([0.98, 0.02], (items, 1)), known


def test_without_gold_the_doubt_we_begin_with_stays() -> None:
    posterior, _ = boasting(5, 1.0)
    assert calibration.temperature(posterior, np.full(5, UNKNOWN), 3.0) == 3.0


def test_gold_takes_confidence_down_to_what_is_right() -> None:
    posterior, known = boasting(2000, 0.8)
    heat = calibration.temperature(posterior, known)
    assert calibration.tempered(posterior, heat)[0, 0] == pytest.approx(0.8, abs=0.01)


def test_little_gold_changes_little() -> None:
    few, many = (calibration.temperature(*boasting(items, 0.5)) for items in (2, 200))
    assert 1 < few < 2 < many


def test_tempering_keeps_the_order_of_classes() -> None:
    posterior = np.random.default_rng(0).dirichlet(np.ones(4), size=50)
    warm = calibration.tempered(posterior, 3.0)
    assert np.allclose(warm.sum(axis=1), 1)
    assert (warm.argsort(axis=1) == posterior.argsort(axis=1)).all()


def test_reliability_tells_the_share_right_of_items_alike_sure() -> None:
    sure = np.repeat([0.6, 0.9], 50)
    right = np.concatenate([np.arange(50) < 30, np.arange(50) < 40])
    low, high = calibration.reliability(sure, right, bins=2)
    assert (low.items, low.confidence, low.right) == (50, pytest.approx(0.6), pytest.approx(0.6))
    assert (high.right, high.low < 0.8 < high.high) == (pytest.approx(0.8), True)
    assert calibration.error((low, high)) == pytest.approx(0.05)
