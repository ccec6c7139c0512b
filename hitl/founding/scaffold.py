"""The texts of a new workspace besides params.yaml: its DVC pipeline, its guideline, what git leaves alone."""

from collections.abc import Sequence

from hitl.contract import ANNOTATOR_ID, COMMENT, LABEL, LABELED_AT, SECONDS, SKIP
from hitl.visible import visible

GITIGNORE = """\
# Written by hitl
/.hitl/
"""

DVC_YAML = """\
# The current model, reproduced by DVC alone: `dvc repro` does what `hitl close` did.
stages:
  train:
    cmd: hitl step train
    deps:
      - data/labeled.parquet
      - data/test.parquet
    params:
      - data
      - model
    outs:
      - data/model
  evaluate:
    cmd: hitl step evaluate
    deps:
      - data/model
      - data/test.parquet
    params:
      - data
      - evaluate
    outs:
      - data/evaluation/predictions.parquet
      - data/evaluation/confusion.csv:
          cache: false
    metrics:
      - data/evaluation/metrics.json:
          cache: false

plots:
  - data/evaluation/confusion.csv:
      template: confusion
      x: actual
      y: predicted
      title: Confusion on the test set
  - data/learning_curve.csv:
      x: labels
      y: accuracy
      title: Learning curve
"""


UNWRITTEN = "say in a sentence when this is the answer, and give an example"
"""What the first guideline says of each class, until somebody writes what it means."""


def guideline(classes: Sequence[str]) -> str:
    """The first guideline.md, to be written on by whoever knows what the classes mean."""
    lines = "\n".join(f"- `{visible(name)}`: {UNWRITTEN}" for name in classes)
    return f"""\
# Guideline

Read this before you label.

## The answers

Write exactly one of these in the column `{LABEL}` of each row, letter for letter:

{lines}

If you cannot say, write `{SKIP}`, and why in `{COMMENT}`. A skip is an answer, and better than a guess.

## The file

`batch.csv` has one row an item; where several people answer the same item, each gets a row of their own. The last five
columns are yours. Leave every other cell, and the first row, as they are.

| column | write |
|---|---|
| `{LABEL}` | one of the answers above |
| `{ANNOTATOR_ID}` | your own name or number, always the same one |
| `{LABELED_AT}` | when you answered, with its zone: `2026-11-21T09:00:00Z`. Fill it in every row, or in none |
| `{SECONDS}` | how long it took you: `12.5`. Fill it in every row, or in none |
| `{COMMENT}` | what we should know, a question after a `?`; may be empty |

A spreadsheet changes what it opens. In Excel, open the file with *Data > From Text/CSV* and choose *Do not detect
data types*; save it as *CSV UTF-8 (comma delimited)*. In LibreOffice, choose *UTF-8*, *comma*, and *Text* for all
columns.

Before you send the file, open `check.html` in a browser and drop it there: the page says what we would answer. All
rules, each with a file that shows it, are in `contract.md`.
"""
