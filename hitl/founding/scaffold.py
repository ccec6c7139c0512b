"""The texts of a new workspace besides params.yaml: its DVC pipeline, its guideline, what git leaves alone."""

from collections.abc import Sequence

from hitl.params import SKIP
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


def guideline(classes: Sequence[str]) -> str:
    """The first guideline.md, to be written on by whoever knows what the classes mean."""
    lines = "\n".join(
        f"- `{visible(name)}`: say in a sentence when this is the answer, and give an example" for name in classes
    )
    return f"""\
# Guideline

Read this before you label. Write exactly one of these answers in the column `label` of each row:

{lines}

If you cannot say, write `{SKIP}`, and why in `comment`. A skip is better than a guess.

Write your own name or number in `annotator_id`, always the same one. Leave `item_id` and the order of columns alone.
"""
