"""Plays the corpus' orders of delivery, each on a copy of the workspace, with real `hitl` processes and real races."""

import csv
import json
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from handback import cases, forks, races
from handback.corpus_files import Case, Corpus
from handback.marks import Mark

from hitl.layout import Workspace
from tasks import inbox, journal, verify

Receipt = dict[str, Any]
FAILED: Receipt = {"verdict": "failed", "reasons": [], "warnings": [], "rows": {"accepted": 0}}
"""What a command that could not answer comes to."""


@dataclass(slots=True)
class Order:
    """One order of deliveries as it is played: where, of what, and what was answered to each step."""

    workspace: Workspace
    folder: Path
    case: Case
    round_id: str
    receipts: list[Receipt] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ingest(self, name: str) -> tuple[object, ...]:
        """The command that takes a file of this order."""
        return ("-C", self.workspace.root, "ingest", self.folder / name, "--json")


def run(workspace: Workspace, corpus: Corpus, *, only: set[str], scratch: Path, round_id: str) -> Iterator[Mark]:
    """The mark of each order."""
    wanted = [order for order in corpus.orders if not only or order["id"] in only]
    acts = [partial(_played, workspace, corpus, order, scratch, round_id) for order in wanted]
    for order, answer in zip(wanted, forks.spread(acts, [300.0] * len(acts)), strict=True):
        mark, note = ("UNSAFE", answer["error"]) if "error" in answer else _mark(corpus, order, answer)
        yield Mark("order", order["id"], mark, note)


def _played(workspace: Workspace, corpus: Corpus, case: Case, scratch: Path, round_id: str) -> forks.Answer:
    """Play one order to its end; what was answered, what stands, what is wrong with the workspace it leaves."""
    folder = scratch / f"order-{case['id']}"
    shutil.copytree(workspace.root, folder / "workspace", symlinks=True)
    shutil.copytree(corpus.root / case["dir"], folder / "files")
    order = Order(Workspace(folder / "workspace"), folder / "files", case, round_id)
    try:
        for step in case["steps"]:
            MODES[step.get("mode", "")](order, step)
        problems = verify.verify(order.workspace)["problems"]
        standing = cases.standing(order.workspace, round_id)
    except races.NotRun as why:
        return {"absent": str(why)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"receipts": order.receipts, "standing": standing, "wrong": [*order.wrong, *map(str, problems)]}  # type: ignore[call-overload]


def _plainly(order: Order, step: Case) -> None:
    if step["deliver"] == "-":
        code, _, said = races.processes([("-C", order.workspace.root, "close", "--partial", "--engine", "direct")])[0]
        order.wrong += [f"close ended with {code}: {said[-200:]}"] if code else []
        order.receipts.append({**FAILED, "verdict": step["verdict"]})
        return
    _answered(order, races.processes([order.ingest(step["deliver"])])[0])


def _slowly(order: Order, step: Case) -> None:
    """Leave the file in the inbox piece by piece, and take what lies there again and again meanwhile."""
    inside, data = order.workspace.inbox / "slow.csv", (order.folder / step["deliver"]).read_bytes()
    inside.parent.mkdir(exist_ok=True)
    writing = races.trickle(data, inside, pieces=step["chunks"], pause=step["interval_s"])
    deadline, alive = time.monotonic() + races.PATIENCE, True
    while (alive or not order.receipts) and time.monotonic() < deadline:
        alive = alive and races.is_alive(writing)
        inbox.take(order.workspace)
        state = journal.read(order.workspace).round(order.round_id)
        order.receipts = [dict(one) for one in (*state.deliveries, *state.refused)]
    whole = cases.sha256(order.folder / step["deliver"])
    order.wrong += [f"{one['delivery']} was no whole file" for one in order.receipts if one["delivery"] != whole]
    order.receipts = order.receipts or [FAILED]


def _replaced(order: Order, step: Case) -> None:
    path, other = order.folder / step["deliver"], order.folder / step["replace_with"]
    _raced(order, path, lambda: shutil.copy(other, path.with_suffix(".new")).rename(path))


def _unlinked(order: Order, step: Case) -> None:
    path = order.folder / step["deliver"]
    _raced(order, path, path.unlink)


def _raced(order: Order, path: Path, act: Any) -> None:  # noqa: ANN401 - whatever happens to the file
    _answered(order, races.after_open(path, act, *order.ingest(path.name)))
    for kept in order.workspace.deliveries.glob("*.csv"):
        if ".redo" not in kept.name and cases.sha256(kept) != kept.stem:
            order.wrong.append(f"{kept.name} holds other bytes than its name says")


def _at_once(order: Order, step: Case) -> None:
    """Several processes, one file: one takes it, and the others say that it is known."""
    said = races.processes([order.ingest(step["deliver"])] * step["processes"])
    found = [_receipt(*one) for one in said]
    took = [one for one in found if one["verdict"] == "accept"]
    known = [one for one in found if one["reasons"] == ["F_DUPLICATE_DELIVERY"]]
    order.receipts.append(took[0] if took else FAILED)
    if len(took) != 1:
        order.wrong.append(f"{len(took)} of {len(found)} processes took the file")
    if len(took) + len(known) != len(found):
        codes = [code for code, _, _ in said]
        order.receipts[-1] = {**order.receipts[-1], "note": f"{len(known)} say it is known (exit codes {codes})"}


def _killed(order: Order, step: Case) -> None:
    """Take the file, then kill that at random moments, each on a copy of its own, and run it again each time."""
    rng = random.Random(order.case["id"])  # noqa: S311 - no secret
    fresh = order.workspace.root.with_name("fresh")
    shutil.copytree(order.workspace.root, fresh, symlinks=True)
    began = time.perf_counter()
    races.unharmed(*order.ingest(step["deliver"]))
    took = time.perf_counter() - began
    for number in range(step["times"]):
        copy = Order(Workspace(fresh.with_name(f"kill-{number}")), order.folder, order.case, order.round_id)
        shutil.copytree(fresh, copy.workspace.root, symlinks=True)
        races.killed(rng.random() * took, *copy.ingest(step["deliver"]))
        races.unharmed(*copy.ingest(step["deliver"]))
        order.wrong += [f"after kill {number}: {one}" for one in _unlike(order, copy)]
    order.receipts.append(_known(order, step))


def _unlike(order: Order, copy: Order) -> Iterator[str]:
    """What differs between a workspace that was killed and one that was not."""
    states = [journal.read(one.workspace).round(one.round_id) for one in (order, copy)]
    if len({(len(one.deliveries), one.accepted, one.spent) for one in states}) > 1:
        yield f"{len(states[1].deliveries)} deliveries, {states[1].accepted} answers taken, {states[1].spent} spent"
    yield from map(str, verify.verify(copy.workspace)["problems"])  # type: ignore[call-overload]


def _known(order: Order, step: Case) -> Receipt:
    """What the delivery was answered when it was taken, once it is known."""
    again = _receipt(*races.processes([order.ingest(step["deliver"])])[0])
    taken = journal.read(order.workspace).round(order.round_id).deliveries[0]
    return dict(taken) if again["reasons"] == ["F_DUPLICATE_DELIVERY"] else FAILED


def _on_a_full_disk(order: Order, step: Case) -> None:
    path = order.folder / step["deliver"]
    answer = races.processes([order.ingest(path.name)], file_size=path.stat().st_size // 2)[0]
    _answered(order, answer)
    if order.receipts[-1] is FAILED and answer[0]:
        order.receipts[-1] = {**FAILED, "verdict": step["verdict"]}


MODES = {
    "": _plainly,
    "slow_append": _slowly,
    "replace_after_open": _replaced,
    "unlink_after_open": _unlinked,
    "concurrent": _at_once,
    "kill_random": _killed,
    "enospc": _on_a_full_disk,
}


def _answered(order: Order, said: tuple[int, str, str]) -> None:
    order.receipts.append(_receipt(*said))
    if "Traceback" in said[2]:
        order.wrong.append(f"raised: {said[2].strip().splitlines()[-1]}")


def _receipt(code: int, out: str, _: str) -> Receipt:
    return json.loads(out) if code in (0, 4) and out.strip() else FAILED


def _mark(corpus: Corpus, order: Case, answer: forks.Answer) -> tuple[str, str]:
    if "absent" in answer:
        return "ABSENT", answer["absent"]
    if answer["wrong"]:
        return "UNSAFE", "; ".join(answer["wrong"])[:200]
    standing = set(map(tuple, answer["standing"]))
    if order["final"] == "one_of":
        found = _mixture(corpus, order, standing, answer["receipts"])
    else:
        found = _differing(_expected(corpus, order), standing)
    steps = zip(order["steps"], answer["receipts"], strict=False)
    return found or next((one for step, receipt in steps if (one := _step(step, receipt))), ("EXACT", ""))


def _expected(corpus: Corpus, order: Case) -> set[Any]:
    """The answers that must stand at the end, and no others."""
    if order["final"] == "first_half":
        return _triples(corpus.root / order["dir"] / "a.csv")
    base = _triples(corpus.root / corpus.document["valid_returned"]["file"])
    return base - set(map(tuple, order["final_minus"])) | set(map(tuple, order["final_plus"]))


def _differing(must: set[Any], standing: set[Any]) -> tuple[str, str] | None:
    if standing - must:
        return "UNSAFE", f"{len(standing - must)} answers that must not stand, e.g. {min(standing - must)}"
    return ("LOST", f"{len(must - standing)} of {len(must)} answers are lost") if must - standing else None


def _mixture(corpus: Corpus, order: Case, standing: set[Any], receipts: list[Receipt]) -> tuple[str, str] | None:
    """Whether what stands is that of one file, whole; or nothing, where nothing was taken."""
    files = [_triples(path) for path in (corpus.root / order["dir"]).glob("*.csv")]
    whole = standing in files if any(one["rows"]["accepted"] for one in receipts) else not standing
    return None if whole else ("UNSAFE", f"the {len(standing)} answers that stand are not those of one file")


def _step(step: Case, receipt: Receipt) -> tuple[str, str] | None:
    verdict, codes = receipt["verdict"], {*receipt["reasons"], *receipt["warnings"]}
    new, asked = receipt["rows"]["accepted"], set(step["reasons"])
    if verdict not in (step["verdict"], *step.get("also_ok", ())):
        return "VERDICT", f"{step['deliver']}: {verdict} ({', '.join(sorted(codes))}) for {step['verdict']}"
    if verdict == "accept":
        asked = {code for code in asked if code.startswith("W_")}
    if verdict == step["verdict"] and asked and not asked & codes:
        return "REASON", f"{step['deliver']}: {sorted(codes)} for any of {sorted(asked)}"
    if verdict == step["verdict"] and step["new_labels"] not in (None, new):
        return "VERDICT", f"{step['deliver']}: {new} new answers for {step['new_labels']}"
    return ("REASON", receipt["note"]) if "note" in receipt else None


def _triples(path: Path) -> set[Any]:
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["item_id"], row["label"], row["annotator_id"]) for row in csv.DictReader(file)}
