"""Who answered, when, and how long it took."""

from tests.spec.batch import SOON, Row, changed, row, rows, written
from tests.spec.rule import Chapter, accepted, held, rule, sends


def in_two_parts() -> list[Row]:
    return [{**one, "annotator_id": one["annotator_id"].replace("é", "e\u0301")} for one in rows()]


CHAPTER = Chapter(
    "Who, when, and how long",
    "A column that you use is filled in every row; one that you do not use is empty in all of them, or left out.",
    (
        rule(
            "Say in `annotator_id` who answered",
            "Always the same name for the same person. Where the pack has a list of annotators (here: ann and zoé) it "
            "is one of these.",
            sends(row(annotator_id=""), held("R_ANNOTATOR_EMPTY")),
            sends(row(annotator_id="Ann"), held("R_ANNOTATOR_UNKNOWN", proposed="ann")),
            sends(
                written(in_two_parts(), show=(7, 8)),
                accepted("W_NORMALISED"),
                "A Mac wrote each é as an e and an accent. It looks the same, and is taken for the same:",
            ),
        ),
        rule(
            "Have somebody else answer an item that comes again",
            "An item on which annotators did not agree may come in a later pack, for one more answer. `MANIFEST.json` "
            "names under `answered` who gave one before (here: ann, for T09); from them it takes none.",
            sends(changed(T09={"annotator_id": "ann"}), held("R_ANSWERED_BEFORE", rows=(9,))),
        ),
        rule(
            "Write times as 2025-03-10T09:12:00Z",
            "Year, month, day, T, the time, and the zone: Z for UTC, or an offset such as +01:00. Without the zone it "
            "would be hours wrong; 10/03/2025 may be March or October.",
            sends(row(labeled_at="2025-03-10T10:12:00+01:00"), accepted()),
            sends(row(labeled_at="2025-03-10T10:12:00"), held("R_TIME_NO_ZONE")),
            sends(row(labeled_at="10/03/2025 10:12"), held("R_TIME_FORMAT")),
        ),
        rule(
            "A time lies between the pack and the delivery",
            "This pack was made on 2025-03-10 at 08:00 UTC. A clock may be five minutes fast; that is said.",
            sends(row(labeled_at="2025-03-09T09:12:00Z"), held("R_TIME_BEFORE_EXPORT")),
            sends(row(labeled_at="2999-03-10T09:12:00Z"), held("R_TIME_FUTURE")),
            sends(row(labeled_at=SOON), accepted("W_CLOCK_SKEW"), "Sent at 12:00 UTC:"),
        ),
        rule(
            "Seconds are a plain number",
            "With a point, not a comma; more than 0, and no more than a day has (86400).",
            sends(row(seconds="12,5"), held("R_SECONDS_FORMAT")),
            sends(row(seconds="0"), held("R_SECONDS_RANGE")),
        ),
    ),
)
