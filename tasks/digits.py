"""The demo's data: scikit-learn's handwritten digits (1,797 images of 8 x 8 pixels, from UCI), as a table of cells."""

import pandas as pd
from sklearn.datasets import load_digits

from hitl.founding.first_params import Overrides
from hitl.ledger import Facts
from hitl.params import Kind

LABEL, ID = "digit", "item_id"
PIXELS = [f"pixel_{number}" for number in range(64)]
KINDS: dict[str, Kind] = dict.fromkeys(PIXELS, "numeric")
ORIGIN: Facts = {"name": "scikit-learn digits", "sha256": "", "options": {}}
PARAMS: Overrides = {
    "data": {"image": {"prefix": "pixel_", "width": 8, "height": 8, "maximum": 16.0}},
    "query": {"batch": 30, "random_share": 0.1},
    "export": {"gold": 3, "overlap": 3, "overlap_share": 0.2},
    "delivery": {"price": "0.12"},
}
INITIAL, TEST = 30, 0.25


def table() -> pd.DataFrame:
    """The digits as cells of text: item_id (digit-0000 ...), a column a pixel (0 to 16), and the digit."""
    digits = load_digits()
    frame = pd.DataFrame(digits.data.astype(int).astype(str), columns=PIXELS)
    frame.insert(0, ID, [f"digit-{number:04d}" for number in range(len(frame))])
    return frame.assign(**{LABEL: digits.target.astype(str)})
