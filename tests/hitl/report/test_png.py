from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from hitl.report.png import SIDE, thumbnail


def read(uri: str) -> np.ndarray:
    return np.asarray(imread(BytesIO(b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_a_picture_comes_back_as_it_went_in() -> None:
    values = [0, 4, 8, 12, 16, 2]
    found = read(thumbnail(values, width=3, height=2, maximum=16))
    assert np.allclose(found, np.array(values).reshape(2, 3) / 16, atol=1 / 255)


def test_values_out_of_range_and_missing_ones_are_drawn() -> None:
    found = read(thumbnail([-3.0, 99.0, float("nan"), 1.0], width=2, height=2, maximum=1))
    assert found.ravel().tolist() == [0.0, 1.0, 0.0, 1.0]


def test_a_large_picture_becomes_a_small_one() -> None:
    found = read(thumbnail(list(range(200 * 100)), width=200, height=100, maximum=20000))
    assert found.shape == (SIDE, SIDE)
    assert (np.diff(found, axis=0) >= 0).all()


def test_a_picture_with_pixels_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="3 values are not an image of 2 x 2"):
        thumbnail([1, 2, 3], width=2, height=2, maximum=1)
