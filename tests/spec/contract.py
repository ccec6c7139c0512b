"""The whole contract: its chapters in the order in which a vendor meets them."""

from tests.spec.chapters import again, file, header, labels, money, people, rows, tools, untouched

CHAPTERS = (
    file.CHAPTER,
    header.CHAPTER,
    rows.CHAPTER,
    labels.CHAPTER,
    people.CHAPTER,
    untouched.CHAPTER,
    again.CHAPTER,
    money.CHAPTER,
    tools.CHAPTER,
)
