"""Suspicion with evidence: answers that honest work would hardly give, how hardly, and the items that show it.

It accuses nobody: a finding names a probability and items for a person to look at. Every test asks how likely such
answers, or odder ones, are from somebody honest, and an honest person may be unable, hurried, tired, biased, or lean on
a hint a little. All tests of a round together flag anybody honest with a probability of at most LEVEL: Holm's procedure
("A simple sequentially rejective multiple test procedure", 1979) over all tests of all annotators and pairs, and over
rounds, which look at the same answers again, by `spent`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, gammaln

from hitl.consensus import skill
from hitl.consensus.crowd import UNKNOWN, Codes, Crowd, Floats, crowd_of
from hitl.consensus.em import fit, softmax
from hitl.ledger import Facts
from hitl.params import PolicyName

Kind = Literal["copying", "follows_hint", "constant", "unread"]
LEVEL = 0.01
"""The probability, over all tests of a workspace's life, that anybody honest is flagged."""
COLUMNS = ("round", "item_id", "annotator_id", "label", "seconds", "shown_class", "model_class")
TELLS_APART = 0.3
"""How often, at the least, somebody honest gives another answer to an item that is not of their usual class."""
LEANS = 2.0
"""By what odds, at the most, somebody honest agrees with a model's class the more for having seen it."""
LOOK, WORDS_A_SECOND = 0.3, 15.0
"""Seconds in which nobody has looked and chosen (Luce, "Response times", 1986), and words that nobody reads in one:
four times what adults read (Brysbaert, "How many words do we read per minute?", 2019)."""
APART = 0.15
"""By what share, at the least, honest pairs differ in how often they disagree, for reasons that no model knows."""
COMPARABLE = 5.0
"""Disagreements that must be expected of a pair before it is tested: of fewer nothing can be made."""
SHOWN = 20
"""Items that a finding names."""
_OWN = 4.0
"""Answers that an annotator's confusion is drawn by, in each class, towards the crowd's."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """Answers of `annotators` that an honest person gives with a probability of at most `p`, `adjusted` by Holm.

    `seen` is a count of answers, `expected` what honest work would have made it, `of` how many answers it is about.
    `items` show it, most telling first.
    """

    kind: Kind
    annotators: tuple[str, ...]
    seen: int
    expected: float
    of: int
    p: float
    items: tuple[str, ...]
    adjusted: float = 1.0


@dataclass(frozen=True)
class _Case:
    """All that the tests look at, an entry an answer: who said what of which item, and what others make of the item."""

    frame: pd.DataFrame
    crowd: Crowd
    known: Codes
    evidence: Floats
    prior: Floats
    confusion: Floats
    usual: Floats
    model: Floats | None

    def without(self, *answers: Codes) -> Floats:
        """The probabilities (n, classes) of each item's class as far as all but these answers (n,) to it tell."""
        item = self.crowd.item[answers[0]]
        weight = self.evidence[item] + self.prior
        for one in answers:
            weight = weight - self.worth(one)
        found, known = softmax(weight), self.known[item]
        found[known != UNKNOWN] = np.eye(len(self.crowd.classes))[known[known != UNKNOWN]]
        return found

    def worth(self, answers: Codes) -> Floats:
        """The log-probability (n, classes) of each answer, if the item is of a class."""
        return np.asarray(np.log(self.confusion[self.crowd.annotator[answers], :, self.crowd.answer[answers]]))

    @cached_property
    def by_others(self) -> Floats:
        """How often each annotator said what (annotators, true, said), where all others tell what is true."""
        every = np.arange(len(self.crowd.item))
        counts = np.zeros(self.confusion.shape)
        np.add.at(counts.swapaxes(1, 2), (self.crowd.annotator, self.crowd.answer), self.without(every))
        return counts

    def alone(self, answers: Codes) -> Bools:
        """Whether nobody else answered the item, and nobody knows it."""
        item = self.crowd.item[answers]
        return np.asarray((self.crowd.votes.sum(axis=1)[item] < 2) & (self.known[item] == UNKNOWN))


def spent(round_number: int) -> float:
    """The part of LEVEL that the tests of a round (from 1) may spend; over all rounds they spend no more than LEVEL.

    >>> round(sum(spent(number) for number in range(1, 1000)), 4)
    0.01
    """
    return LEVEL / (round_number * (round_number + 1))


def readable_in(words: int) -> float:
    """Seconds in which an item of so many words cannot have been read and answered.

    >>> readable_in(30)
    2.3
    """
    return LOOK + words / WORDS_A_SECOND


def findings(
    annotations: pd.DataFrame,
    *,
    known: Mapping[str, str],
    words: Mapping[str, int] | None = None,
    probabilities: pd.DataFrame | None = None,
    level: float = LEVEL,
) -> tuple[Finding, ...]:
    """What is suspicious in annotations (COLUMNS) of any rounds at that level, least likely first.

    A missing label is a skip, a missing `shown_class` a prediction that was not shown, `model_class` the prediction
    whether it was shown or not. `known` are classes that we know (gold, or settled by a person). `words` says how much
    there is to read of an item, 0 where nothing is said. `probabilities` (index item_id, a column a class) stand in
    where nobody else answered an item.
    """
    if annotations["label"].isna().all():
        return ()
    case = _case(annotations, known, probabilities)
    tried = [*_copying(case), *_hint(case), *_constant(case), *_unread(case, words or {})]
    return tuple(one for one in _holm(tried) if one.adjusted <= level)


def held(found: Iterable[Finding], policy: PolicyName, cleared: Collection[str]) -> dict[str, str]:
    """The annotators whose answers do not count for now, and why; nobody whom a person has `cleared`.

    Of two who copy nobody can tell who copied, so both are held.
    """
    if policy == "note":
        return {}
    why: dict[str, list[str]] = {}
    for one in found:
        for who in one.annotators:
            why.setdefault(who, []).append(says(one))
    return {who: "; ".join(why[who]) for who in sorted(why) if who not in cleared}


def excludable(told: Iterable[Facts]) -> list[str]:
    """Those whom a finding names alone: of two who copy, one may only have been copied from."""
    named = (cast(list[str], one["annotators"]) for one in told)
    return sorted({who[0] for who in named if len(who) == 1})


def says(one: Finding) -> str:
    """A finding in a sentence, without names."""
    seen, of, usual = f"{one.seen:,}", f"{one.of:,}", f"{one.expected:.3g}"
    said = {
        "copying": f"two people differ on {seen} of {of} items, where {usual} are to be expected",
        "follows_hint": f"{seen} of {of} answers are the model's class where it was shown, where {usual} would go with "
        "those given where it was hidden",
        "constant": f"{seen} of {of} answers are not of the usual class, where {usual} at least are to be expected",
        "unread": f"{seen} of {of} answers that came faster than anybody reads are right, where {usual} at least would "
        "be usual",
    }
    return f"{said[one.kind]} (chance {one.p:.2g}, with all that was tested {one.adjusted:.2g})"


def told(found: tuple[Finding, ...]) -> list[Facts]:
    """The findings as JSON-able values; probabilities to three digits."""
    return [
        {**cast(Facts, asdict(one)), "annotators": list(one.annotators), "items": list(one.items)}
        | {key: float(f"{getattr(one, key):.3g}") for key in ("p", "adjusted", "expected")}
        for one in found
    ]


def _holm(tried: list[Finding]) -> Iterator[Finding]:
    """The findings by p, each with its p adjusted for all that were tried."""
    least = 0.0
    for place, one in enumerate(sorted(tried, key=lambda one: (one.p, one.kind, one.annotators))):
        least = max(least, min(1.0, one.p * (len(tried) - place)))
        yield Finding(**{**{name: getattr(one, name) for name in Finding.__slots__}, "adjusted": least})


def _case(annotations: pd.DataFrame, known: Mapping[str, str], probabilities: pd.DataFrame | None) -> _Case:
    crowd = crowd_of(annotations, {*known.values(), *(() if probabilities is None else probabilities.columns)})
    codes, classes = crowd.known(known), len(crowd.classes)
    posterior = fit(crowd, skill.own, known=codes).posterior
    counts = np.zeros((len(crowd.annotators), classes, classes))
    np.add.at(counts.swapaxes(1, 2), (crowd.annotator, crowd.answer), posterior[crowd.item])
    usual = counts.sum(axis=0) + np.eye(classes) + 1 / max(classes, 1)
    usual /= usual.sum(axis=1, keepdims=True)
    confusion = counts + _OWN * usual
    confusion /= confusion.sum(axis=2, keepdims=True)
    worth = np.log(confusion)[crowd.annotator, :, crowd.answer]
    evidence = np.zeros(crowd.size)
    np.add.at(evidence, crowd.item, worth)
    shares = posterior.sum(axis=0) + 1
    model = None
    if probabilities is not None:
        said = probabilities.reindex(index=list(crowd.items), columns=list(crowd.classes)).to_numpy(dtype=float)
        model = 0.8 * np.where(np.isnan(said), shares / shares.sum(), said) + 0.2 * shares / shares.sum()
    return _Case(annotations, crowd, codes, evidence, np.log(shares / shares.sum()), confusion, usual, model)


# --- copying: two people disagree far less often than their own errors should make them


def _copying(case: _Case) -> list[Finding]:
    """A finding for each pair that answered enough items both.

    Two honest people err on different items, unless the items mislead both. How often they should disagree follows from
    what each confuses and from what everybody else says of the items; by how much honest pairs of this very crowd
    disagree less than that, and differ, is measured over all pairs (an empirical null: Efron, "Large-scale
    simultaneous hypothesis testing", 2004). The count is a negative binomial around it.
    """
    one, two = _both(case.crowd)
    people = len(case.crowd.annotators)
    code, place = np.unique(case.crowd.annotator[one] * people + case.crowd.annotator[two], return_inverse=True)
    pairs = list(zip(*np.divmod(code, max(people, 1)), strict=True))
    truth, differ = case.without(one, two), case.crowd.answer[one] != case.crowd.answer[two]
    able = [_able(case, rows, place, [who[end] for who in pairs], truth) for end, rows in enumerate((one, two))]
    alike = np.einsum("pta,pta->pt", *able)
    expected = np.bincount(place, 1 - np.einsum("nt,nt->n", truth, alike[place]), len(pairs))
    seen = np.bincount(place, differ, len(pairs))
    if len(pairs) < 2:  # there is nobody to compare a single pair with
        return []
    mean = min(1.0, seen.sum() / max(expected.sum(), 1e-9)) * expected
    shape = 1 / _apart(seen[mean >= 1], mean[mean >= 1]) ** 2
    found = []
    for number in np.flatnonzero(expected >= COMPARABLE):
        rows = np.flatnonzero(place == number)
        p = float(betainc(shape, seen[number] + 1, shape / (shape + mean[number])))
        same = rows[~differ[rows]]
        doubt = truth[same, case.crowd.answer[one[same]]]
        telling = same[np.argsort(doubt, kind="stable")[: min(SHOWN, int((doubt < 0.5).sum()))]]
        names = tuple(str(case.crowd.annotators[who]) for who in pairs[number])
        items = _items(case, one[telling])
        found.append(Finding("copying", names, int(seen[number]), float(mean[number]), len(rows), p, items))
    return found


def _able(case: _Case, rows: Codes, place: Codes, who: Sequence[int], truth: Floats) -> Floats:
    """What one of each pair confuses (pairs, true, said), as far as neither their own answers nor the other's tell."""
    answers, alone = case.crowd.answer[rows], case.without(rows)
    counts = case.by_others[who]
    np.add.at(counts.swapaxes(1, 2), (place, answers), truth - alone)
    counts = np.maximum(counts, 0) + _OWN * case.usual
    return np.asarray(counts / counts.sum(axis=2, keepdims=True))


def _apart(seen: Floats, mean: Floats) -> float:
    """By what share of their means the counts of pairs differ beyond chance, at least APART: odd pairs move it little.

    That for which half of the squared residuals are below the median of chi-squared with one degree.
    """
    residuals, low, high = (seen - mean) ** 2, APART, 2.0
    for _ in range(30 if len(mean) else 0):
        middle = (low + high) / 2
        wide = float(np.median(residuals / (mean + (middle * mean) ** 2))) > 0.455
        low, high = (middle, high) if wide else (low, middle)
    return low


def _both(crowd: Crowd) -> tuple[Codes, Codes]:
    """Every two answers to the same item, as places in the crowd's answers, the annotators in order."""
    ones, twos, far = [], [], 1
    while len(near := np.flatnonzero(crowd.item[far:] == crowd.item[: len(crowd.item) - far])):
        ones.append(near)
        twos.append(near + far)
        far += 1
    empty = np.zeros(0, dtype=np.intp)
    return np.concatenate([empty, *ones]), np.concatenate([empty, *twos])


# --- following the hint: agreeing with the model where its class is shown, and not where it is hidden


def _hint(case: _Case) -> list[Finding]:
    """A finding for each annotator who saw predictions, and answered items where they were hidden by chance.

    Which items are hidden is drawn, so nobody honest agrees with the model more often on the others, whatever they can
    and however hard the items are. In each round, apart for items of which others think otherwise than the model, that
    is Fisher's noncentral hypergeometric, here at the odds of LEANS; the counts are added up.
    """
    frame = case.frame[case.frame["label"].notna() & case.frame["model_class"].notna()]
    shows = frame["shown_class"].notna().groupby(frame["round"]).transform("any")
    frame = frame[shows.astype(bool)]
    frame = frame.assign(shown=frame["shown_class"].notna(), agrees=frame["label"] == frame["model_class"])
    found = []
    for who, mine in frame.groupby("annotator_id", sort=True):
        if mine["shown"].all() or not mine["shown"].any():
            continue
        others = mine["item_id"].map(_others(case, str(who)))
        doubted = others.notna() & (others != mine["model_class"])
        chances, seen = np.ones(1), int((mine["shown"] & mine["agrees"]).sum())
        for _, one in mine.groupby([mine["round"], doubted], sort=True):
            chances = np.convolve(chances, _noncentral(len(one), int(one["agrees"].sum()), int(one["shown"].sum())))
        p, expected = float(chances[seen:].sum()), float(chances @ np.arange(len(chances)))
        items = tuple(sorted(mine.loc[doubted & mine["shown"] & mine["agrees"], "item_id"]))[:SHOWN]
        found.append(Finding("follows_hint", (str(who),), seen, expected, int(mine["shown"].sum()), min(p, 1.0), items))
    return found


def _others(case: _Case, who: str) -> dict[str, str]:
    """What all others make of each item that somebody answered, where there are others."""
    mine = np.flatnonzero(case.crowd.annotators[case.crowd.annotator] == who)
    mine = mine[~case.alone(mine)]
    best = case.without(mine).argmax(axis=1)
    named = zip(_items(case, mine), best, strict=True)
    return {item: case.crowd.classes[code] for item, code in named}


def _noncentral(total: int, agreeing: int, shown: int) -> Floats:
    """The probabilities of 0, 1, ... of the `shown` among the `agreeing`, at the odds of LEANS."""
    x = np.arange(shown + 1)
    there = (x <= agreeing) & (x >= shown + agreeing - total)
    y = x[there]
    weight = _choose(shown, y) + _choose(total - shown, agreeing - y) + y * np.log(LEANS)
    chance = np.exp(weight - weight.max())
    found = np.zeros(shown + 1)
    found[there] = chance / chance.sum()
    return found


def _choose(n: int, k: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


# --- the same answer to everything


def _constant(case: _Case) -> list[Finding]:
    """A finding for each annotator: how rarely they say anything but their usual class.

    Of the items that are not of that class, as far as others or the model tell, somebody honest gives at least the
    share TELLS_APART another answer. The count of other answers is binomial, of equal means the widest (Hoeffding,
    1956).
    """
    found = []
    for who, mine in _by_annotator(case):
        answers = case.crowd.answer[mine]
        usual = int(np.bincount(answers).argmax())
        truth, alone = case.without(mine), case.alone(mine)
        if case.model is not None:
            truth[alone] = case.model[case.crowd.item[mine[alone]]]
        chance = TELLS_APART * (1 - truth[:, usual])
        seen, mean = int((answers != usual).sum()), float(chance.sum())
        p = _at_most(seen, len(mine), mean)
        order = np.argsort(np.where(answers == usual, truth[:, usual], 1.0), kind="stable")[:SHOWN]
        items = _items(case, mine[order[answers[order] == usual]])
        found.append(Finding("constant", (who,), seen, mean, len(mine), p, items))
    return found


# --- faster than anybody reads, and wrong


def _unread(case: _Case, words: Mapping[str, int]) -> list[Finding]:
    """A finding for each annotator with answers in less time than `readable_in` says, of items that others tell of.

    Fast is not careless: such answers are suspicious only where they are wrong, more often than halfway between
    guessing and what people of this crowd get right on the same items. Speed alone is never told against anybody.
    """
    times = case.frame.dropna(subset=["label"]).groupby(["item_id", "annotator_id"])["seconds"].min()
    least = {item: readable_in(words.get(item, 0)) for item in case.crowd.items}
    usual, found = case.confusion.mean(axis=0), []
    guess = np.bincount(case.crowd.answer, minlength=len(case.crowd.classes)) / max(len(case.crowd.answer), 1)
    for who, mine in _by_annotator(case):
        items = case.crowd.items[case.crowd.item[mine]]
        took = times.reindex(pd.MultiIndex.from_product([items, [who]])).to_numpy(dtype=float)
        limit = np.array([least[item] for item in items])
        fast = mine[(took < limit) & ~case.alone(mine)]
        if not len(fast):
            continue
        truth = case.without(fast)
        best = truth.argmax(axis=1)
        right = case.crowd.answer[fast] == best
        able = np.einsum("nt,tn->n", truth, usual[:, best])
        mean = float(((able + np.minimum(guess[best], able)) / 2).sum())
        shown = _items(case, fast[~right])[:SHOWN]
        p = _at_most(int(right.sum()), len(fast), mean)
        found.append(Finding("unread", (who,), int(right.sum()), mean, len(fast), p, shown))
    return found


def _at_most(seen: int, of: int, mean: float) -> float:
    """The probability that of so many answers no more than `seen` are, where `mean` are expected."""
    return float(betainc(of - seen, seen + 1, 1 - mean / of)) if seen < of else 1.0


def _by_annotator(case: _Case) -> Iterator[tuple[str, Codes]]:
    """Each annotator who answered anything, and the places of their answers."""
    order = np.argsort(case.crowd.annotator, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(case.crowd.annotator, minlength=len(case.crowd.annotators)))[:-1])
    return ((str(who), mine) for who, mine in zip(case.crowd.annotators, parts, strict=False) if len(mine))


def _items(case: _Case, answers: Codes) -> tuple[str, ...]:
    return tuple(str(case.crowd.items[place]) for place in case.crowd.item[answers])
