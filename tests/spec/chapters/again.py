"""Sending in parts, again, revised, mended, with a manifest, and too late."""

import json
from hashlib import sha256

from hitl.contract import label_schema_sha256
from tests.spec.batch import CLASSES, HEADER, row, rows, sound, whole, written
from tests.spec.rule import Chapter, Sent, accepted, held, rejected, rule, sends

ANNS, ZOES = rows()[:6], rows()[6:]
TYPO = row(label="delivry")
REDO = """\
"item_id","subject","amount","label","annotator_id","labeled_at","seconds","comment","code","expected","proposed"
"T03","Where is my parcel?","8","delivry","ann","2025-03-10T09:12:00Z","10.5","","R_LABEL_UNKNOWN","one of: billing, \
delivery, other, or <skip>","delivery"
"""


def manifest(sent: Sent, **promises: object) -> Sent:
    """The file with a manifest that says how it is, but for what is promised otherwise."""
    plain = {"file_sha256": sha256(sent.data).hexdigest(), "rows": 13}
    return sent.beside(json.dumps(plain | promises, indent=1))


def revised(supersedes: str) -> Sent:
    """A file of one row that says which delivery it supersedes."""
    one = {**rows()[2], "label": "other", "supersedes": supersedes}
    return written([one], (*HEADER, "supersedes"))


CHAPTER = Chapter(
    "Sending again",
    "You may send as many files for a pack as you like, in any order. An answer that was taken stands until you say "
    "that a new one supersedes it.",
    (
        rule(
            "You may send in parts",
            "We take what is there, and the round waits for the rest until its deadline.",
            (
                sends(written(ANNS, show=(1, 6)), accepted("W_MISSING_ITEMS"), "Ann is done with her half:"),
                sends(written(ZOES, show=(1, 2)), accepted(), "The other rows, a day later:"),
            ),
        ),
        rule(
            "A row that was sent before counts once",
            "So when in doubt, send everything: what we have is a duplicate, what is new is taken.",
            (
                sends(written(ANNS, show=(1, 6)), accepted(also=("W_MISSING_ITEMS",))),
                sends(
                    sound(), accepted("W_DUP_IDENTICAL", duplicate=6), "Then everything, these rows too:", unseen=True
                ),
            ),
        ),
        rule(
            "The same file again changes nothing",
            "Whatever it is called. This is no mistake of yours, and the first receipt stands.",
            (
                sends(sound(), accepted()),
                sends(
                    sound().called("answers-again.csv"),
                    rejected("F_DUPLICATE_DELIVERY", duplicate=13),
                    unseen=True,
                ),
            ),
        ),
        rule(
            "A changed answer is held, unless you say what it supersedes",
            "Add a column `supersedes` with the sha256 of the delivery whose answer is replaced (it stands in that "
            "receipt as `delivery`; eight digits are enough), or name it in a manifest. The old answer is kept in the "
            "history.",
            (
                sends(sound(), accepted()),
                sends(
                    row(label="other"),
                    held("R_RELABEL_CONFLICT", also=("W_DUP_IDENTICAL",), duplicate=12),
                    "Later ann thinks better of T03:",
                    unseen=True,
                ),
                sends(
                    revised(sha256(sound().data).hexdigest()),
                    accepted(revised=1),
                    "The row again, with the delivery whose answer it replaces; an item is not paid twice:",
                ),
            ),
            sends(
                revised("0" * 64),
                held("R_SUPERSEDES_UNKNOWN", also=("W_MISSING_ITEMS",), rows=(1,)),
                "There must be such a delivery:",
                unseen=True,
            ),
        ),
        rule(
            "You may send a manifest beside a file",
            "A manifest is a small JSON file called like yours with `.manifest.json` after it. It says what the file "
            "should be, so that a cut or a mix-up shows. Every line of it is optional. A promise that is not kept "
            "refuses the file.",
            sends(manifest(sound(), batch_id="r0002"), accepted()),
            sends(
                manifest(
                    Sent(
                        sound().data.rstrip(b"\n"),
                        "...\nT12,Do you answer on Sundays?,0,other,ann,2025-03-10T09:22:00Z,10.5,",
                    )
                ),
                accepted(),
                "The sum shows that the file is whole, though its last line end is missing:",
            ),
            sends(manifest(sound(), file_sha256="0" * 64), rejected("F_MANIFEST_HASH")),
            sends(manifest(sound(), rows=14), rejected("F_MANIFEST_ROWS")),
            sends(sound().beside('{"rows": 13,}'), rejected("F_MANIFEST_INVALID")),
            sends(
                manifest(sound(), label_schema_sha256=label_schema_sha256(("shipping", *CLASSES))),
                rejected("F_SCHEMA_VERSION"),
                "The annotators worked with the classes of the round before:",
            ),
            sends(
                manifest(sound(), instructions_sha256=sha256(b"an older guideline").hexdigest()),
                rejected("F_INSTRUCTIONS"),
                "They worked with another guideline:",
            ),
        ),
        rule(
            "Mend held rows in the redo file, and send that",
            "`redo.csv` holds only the rows that were held: your cells as they came, then `code`, `expected` and "
            "`proposed`. Correct the cells, leave the last three columns alone, and send it like any other file.",
            (
                sends(TYPO, held(also=("R_LABEL_UNKNOWN",), proposed="delivery", redo=REDO)),
                sends(
                    whole(REDO.replace('"delivry"', '"delivery"')),
                    accepted(),
                    "The redo file, mended:",
                ),
            ),
        ),
        rule(
            "After the round is closed nothing more is taken",
            "At the deadline a round closes with what is there, and items without an answer may come again in a later "
            "pack. A late file is kept, answered, and not used.",
            sends(sound(), rejected("F_ROUND_CLOSED"), first="the round is closed", unseen=True),
        ),
    ),
)
