"""What an answer may be, and how many an item gets."""

from hitl.contract import SKIP
from tests.spec.batch import GOLD, row, rows, written
from tests.spec.rule import Chapter, accepted, held, rejected, rule, sends

LAST = (12, 13)


def all_billing() -> list[dict[str, str]]:
    return [{**one, "label": "billing"} for one in rows()]


def ann_guesses() -> list[dict[str, str]]:
    wrong = {"billing": "delivery", "delivery": "billing", "other": "other"}
    return [{**one, "label": wrong[one["label"]] if one["annotator_id"] == "ann" else one["label"]} for one in rows()]


CHAPTER = Chapter(
    "Answers",
    "The column `label` holds one of the classes of `guideline.md`; here they are billing, delivery and other.",
    (
        rule(
            "Write the class exactly as the guideline does",
            "Nothing is guessed: `Billing` is held although we can see what is meant, and the redo file proposes the "
            "class. You confirm it by writing it into `label`.",
            sends(row(label="Delivery"), held("R_LABEL_CASE", proposed="delivery")),
            sends(row(label="delivry"), held("R_LABEL_UNKNOWN", proposed="delivery")),
            sends(row(label="billing or delivery"), held("R_LABEL_UNKNOWN")),
        ),
        rule(
            f"If nobody can say, write `{SKIP}`",
            "A skip is an answer: it is taken, and paid like any other. An empty cell is not, for it may as well be "
            "an item that was forgotten. The rows that you have not begun may stay in the file, empty.",
            sends(row(label=SKIP, comment="in a language that I cannot read"), accepted()),
            sends(row(label=""), held("R_LABEL_EMPTY")),
        ),
        rule(
            "A class of an earlier round is none now",
            "The list of classes may change between rounds. `shipping` was a class in round r0001.",
            sends(row(label="shipping"), held("R_LABEL_RETIRED"), unseen=True),
        ),
        rule(
            "An item takes as many annotators as `MANIFEST.json` says, with one answer each",
            "Usually it is one; here T12 asks for two, and has a row for each. With more answers than that, none is "
            "taken: which of them to leave out would be a guess.",
            sends(written(rows(), show=LAST), accepted()),
            sends(
                written([*rows(), {**rows()[2], "label": "other"}], show=(3, 14)),
                held("R_DUP_CONFLICT", rows=(3, 14)),
                "Ann answers T03 twice:",
            ),
            sends(
                written([*rows(), {**rows()[2], "annotator_id": "zoé"}], show=(3, 14)),
                held("R_DUP_CONFLICT", rows=(3, 14)),
                "Two annotators answer T03, which asks for one:",
            ),
        ),
        rule(
            "The answers must fit the items",
            "Some items of each pack are known to us. When the answers to them are no better than chance, the file is "
            "sent back, or all rows of one annotator are held. The reason is rarely laziness: a column was sorted "
            "alone, or a label was filled down. A few honest mistakes never do this.",
            sends(
                written(all_billing(), show=(1, 2, 3)),
                rejected("F_GOLD_FAIL"),
                "The first label was filled down:",
                unseen=True,
            ),
            sends(
                written(ann_guesses(), show=(1, 2, 7)),
                held("R_ANNOTATOR_GOLD_FAIL", rows=(1, 2, 3, 4, 5, 6, 13)),
                "Every answer of ann is wrong, those of zoé are right:",
                unseen=True,
            ),
            sends(
                written([one for one in rows() if one["item_id"] not in tuple(GOLD)[:3]], show=(1, 2)),
                accepted("W_GOLD_MISSING"),
                "Only items that we know are left out:",
                unseen=True,
            ),
        ),
    ),
)
