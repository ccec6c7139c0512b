"""What a web form of Amazon's crowd elements sends, as questions and the classes that were ticked.

Mechanical Turk puts it into `Answer.taskAnswers`, Ground Truth and A2I into `answerContent`. Shapes: the pages of the
elements (crowd-classifier, crowd-radio-group, crowd-checkbox, ...) in the SageMaker developer guide.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hitl.formats.annotation import text
from hitl.formats.question import Ticked

DRAWN: Final[Mapping[str, str]] = {
    "boundingBoxes": "boxes",
    "polygons": "polygons",
    "polylines": "lines",
    "keypoints": "key points",
    "entities": "spans of text",
    "labeledImage": "segmentation masks",
    "instances": "segmentation masks",
    "cuboids": "cuboids",
}
"""What an element sends that draws or marks, and what that is."""


def ticked(answer: object, name: str = "") -> Iterator[tuple[str, Ticked]]:
    """The questions of a form's answer, each with what was ticked or written; one without a name is called "".

    >>> dict(ticked({"category": {"label": "cat"}}))
    {'category': Ticked(classes=('cat',), closed=True, drawn='')}
    >>> dict(ticked([{"label": {"cat": False, "dog": True}, "why": "it barks"}]))["label"].classes
    ('dog',)
    """
    if isinstance(answer, dict):
        yield from _element(answer, name)
    elif not isinstance(answer, list):
        yield name, Ticked((text(answer),) if text(answer) else (), closed=False)
    elif all(isinstance(part, str) for part in answer):
        yield name, Ticked(tuple(filter(None, answer)), closed=False)
    else:
        for part in answer:
            yield from ticked(part, name)


def _element(sent: Mapping[str, Any], name: str) -> Iterator[tuple[str, Ticked]]:
    """What an element sent: a classifier names its class, a box is on, a radio says of each option whether it was."""
    match sent:
        case {"label": str(label)} if len(sent) == 1:
            yield name, Ticked((label,) if label else ())
        case {"labels": [*labels]} if len(sent) == 1:
            yield name, Ticked(tuple(map(text, labels)))
        case {"on": bool(on)} if len(sent) == 1:
            yield name, Ticked((text(on),))
        case _ if sent and all(isinstance(on, bool) for on in sent.values()):
            yield name, Ticked(tuple(option for option, on in sent.items() if on))
        case _ if not DRAWN.keys().isdisjoint(sent):
            yield name, Ticked((), drawn=next(DRAWN[part] for part in sent if part in DRAWN))
        case _:
            for part, inner in sent.items():
                yield from ticked(inner, f"{name}.{part}" if name else part)
