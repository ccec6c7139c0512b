"""What a receipt says, and what is paid."""

from tests.spec.batch import row, rows, written
from tests.spec.rule import Chapter, held, rule, sends

CHAPTER = Chapter(
    "Receipts and money",
    "Every file gets a receipt: `receipt.html` to read, `receipt.json` for your tools, and `redo.csv` when rows are "
    "held.",
    (
        rule(
            "Every row has one outcome",
            "Accepted, held (`quarantined`), or a duplicate: the three add up to the rows that you sent.",
            sends(
                written([*rows(), rows()[0], {**rows()[2], "label": "what"}], show=(1, 14, 15)),
                held(
                    also=("R_LABEL_UNKNOWN", "W_DUP_IDENTICAL"),
                    rows=(15,),
                    duplicate=1,
                    rows__delivered=15,
                    rows__accepted=13,
                    rows__quarantined=1,
                    rows__duplicate=1,
                ),
            ),
        ),
        rule(
            "Every accepted answer is paid once",
            "At the price of the pack, to the last digit. Held rows and duplicates are not paid; a held row is, once "
            "it is mended and taken.",
            sends(
                row(label="delivry"),
                held(
                    also=("R_LABEL_UNKNOWN",),
                    proposed="delivery",
                    payable__annotations=12,
                    payable__price="0.12",
                    payable__currency="EUR",
                    payable__amount="1.44",
                ),
            ),
        ),
    ),
)
