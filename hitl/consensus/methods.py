"""The methods that turn a crowd's answers into labels, and how `auto` chooses among them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hitl.consensus import skill
from hitl.consensus.crowd import Codes, Crowd, Floats
from hitl.consensus.em import Fit, fit
from hitl.consensus.model_view import View, view
from hitl.consensus.names import ConsensusName, MethodName

FEW = 2
"""Answers an item needs before its annotators can be compared."""
COMPARED = 0.5
"""Share of the items that must have so many: else most labels would rest on what a few others say of an annotator."""
DOUBT: Mapping[ConsensusName, float] = {
    "majority": 1.5, "weighted": 3.0, "shared": 3.0, "dawid_skene": 3.0, "with_model": 3.0,
}  # fmt: skip
"""The temperature of each method's confidences before gold speaks.

Methods take annotators to err independently; people err on the same items. Over six public crowd tables, whole and with
2, 3 and 5 answers an item, gold asked for temperatures from 1.2 to 11, 3 to 4 in the middle, and 2 by majority.
"""


@dataclass(frozen=True)
class Found:
    """What a method makes of a crowd: `posterior` (items, classes), and in a sentence what it went by.

    `prior` is the tempered view of a model, where that has a say.
    """

    method: ConsensusName
    reason: str
    posterior: Floats
    fit: Fit
    prior: Floats | None = None


Method = Callable[[Crowd, Codes, Floats | None], Found]


def majority(crowd: Crowd, known: Codes, probabilities: Floats | None) -> Found:
    """Every answer weighs the same. The confidence is that of a crowd in which everybody is right equally often.

    How often that is follows from how far annotators agree.
    """
    return _found("majority", fit(crowd, skill.equal, known=known, even=True))


def weighted(crowd: Crowd, known: Codes, probabilities: Floats | None) -> Found:
    """An answer weighs as much as its annotator is right: one probability a person, the same for every class.

    The one-coin model of Dawid & Skene (1979). Each person's probability is drawn towards the crowd's by two answers.
    """
    return _found("weighted", fit(crowd, skill.one_coin, known=known))


def shared(crowd: Crowd, known: Codes, probabilities: Floats | None) -> Found:
    """All annotators share one confusion of the classes: for crowds in which nobody answered much.

    Dawid & Skene (1979) with one observer. The confusion is drawn by 100 answers towards one that is alike for every
    class.
    """
    return _found("shared", fit(crowd, skill.shared, known=known))


def dawid_skene(crowd: Crowd, known: Codes, probabilities: Floats | None) -> Found:
    """Each annotator has a confusion of their own, drawn towards the crowd's by one answer a class.

    Dawid & Skene (1979), as variational Bayes (Kim & Ghahramani 2012) on a ladder of priors: person, crowd, coin.
    """
    return _found("dawid_skene", fit(crowd, skill.own, known=known))


def with_model(crowd: Crowd, known: Codes, probabilities: Floats | None) -> Found:
    """As dawid_skene, and before anybody answers, an item's classes are as likely as the model thinks.

    After CROWDLAB (Goh et al. 2022), but the model is tempered to fit the crowd, and has no say unless it foretells
    held-out answers better than the shares of the classes do. Its probabilities must be out of sample.
    """
    plain = fit(crowd, skill.own, known=known)
    if probabilities is None:
        return _found("dawid_skene", plain, "no model's probabilities were given")
    seen = view(crowd, plain.evidence, probabilities)
    if not seen.helps:
        return _found("dawid_skene", plain, f"the model was left out: {_told(seen)}")
    found = fit(crowd, skill.own, known=known, prior=seen.logs)
    return Found("with_model", _told(seen), found.posterior, found, seen.logs)


METHODS: Mapping[ConsensusName, Method] = {
    "majority": majority,
    "weighted": weighted,
    "shared": shared,
    "dawid_skene": dawid_skene,
    "with_model": with_model,
}


def resolve(crowd: Crowd, method: MethodName, known: Codes, probabilities: Floats | None = None) -> Found:
    """What `method` makes of the crowd's answers; for auto, the method that the answers can carry."""
    if method != "auto":
        found = METHODS[method](crowd, known, probabilities)
        return replace(found, reason=f"{method} was asked for{_also(found)}")
    name, why = chosen(crowd, model=probabilities is not None)
    found = METHODS[name](crowd, known, probabilities)
    return replace(found, reason=f"{why}{_also(found)}")


def informed(found: Found, crowd: Crowd, known: Codes) -> Floats:
    """The posterior of the method that was found, now that some classes are `known`.

    Whether a model has a say was decided with `found`, and is not decided again.
    """
    if found.prior is not None:
        return fit(crowd, skill.own, known=known, prior=found.prior).posterior
    return METHODS[found.method](crowd, known, None).posterior


def chosen(crowd: Crowd, *, model: bool) -> tuple[ConsensusName, str]:
    """The method for this crowd, and why: the richest one whose parameters the answers can tell apart.

    `majority` where fewer than half of the items have answers of two annotators; `with_model` where a model's
    probabilities were given; `shared` where half of the answers are by people who gave fewer answers than there are
    classes; else `dawid_skene`.
    """
    said = crowd.votes.sum(axis=1)
    answered, several = int((said > 0).sum()), int((said >= FEW).sum())
    told = f"{several:,} of {answered:,} items have answers of two annotators or more"
    if several < COMPARED * answered or not several:
        return "majority", f"{told}, too few to compare annotators by"
    typical = _typical(crowd)
    if model:
        return "with_model", f"{told}, and a model's probabilities were given"
    if typical < len(crowd.classes):
        each = f"half of the answers are by people who gave {typical:,} or fewer"
        return "shared", f"{told}; {each}, too few for a confusion of {len(crowd.classes)} classes each"
    return "dawid_skene", f"{told}; half of the answers are by people who gave {typical:,} or more"


def _typical(crowd: Crowd) -> int:
    """The median over answers of how many its annotator gave."""
    gave = np.bincount(crowd.annotator, minlength=len(crowd.annotators))
    return int(np.median(gave[crowd.annotator])) if len(crowd.annotator) else 0


def _found(method: ConsensusName, one: Fit, reason: str = "") -> Found:
    return Found(method, reason, one.posterior, one)


def _told(seen: View) -> str:
    return (
        f"on items held out, it makes the answers likelier by {seen.gain:.3f} nats an item "
        f"(standard error {seen.error:.3f}; tempered to the power {seen.weight:.2f})"
    )


def _also(found: Found) -> str:
    return f"; {found.reason}" if found.reason else ""
