"""What must come back as it went out."""

from tests.spec.batch import changed, row
from tests.spec.rule import Chapter, accepted, held, rule, sends

CHAPTER = Chapter(
    "What you must not change",
    "You need not send our columns back; `item_id` is enough. When you do, they must hold what we sent.",
    (
        rule(
            "Leave our cells as they are",
            "An answer to an edited text is no answer to ours. A number may be written in another way, as "
            "spreadsheets do.",
            sends(row(subject="Where is my refund?"), held("R_ECHO_CHANGED", proposed="Where is my parcel?")),
            sends(row(amount="8.00"), accepted("W_ECHO_FORMAT")),
        ),
        rule(
            "An apostrophe at the start of a cell is ours",
            "A text that begins like a formula goes out with an apostrophe before it, so that no spreadsheet runs it. "
            "It may come back with or without.",
            sends(changed(T08={"subject": "+1 for the blue one"}), accepted()),
        ),
    ),
)
