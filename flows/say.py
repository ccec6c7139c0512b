"""What the commands say to a person: facts in, a few plain lines out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hitl.ledger import Facts
from hitl.report.spelled import many
from hitl.shortage import shortage
from hitl.visible import clipped, quoted
from hitl.withdrawal import correction

if TYPE_CHECKING:  # only a type here, and the help of a command should not pay for it
    from tasks.ingest import Answer

LISTED = 10
CLIPPED = 100


def created(facts: Facts, folder: Path) -> str:
    """What `hitl init` made."""
    counts = cast(Mapping[str, int], facts["counts"])
    lines = [
        f"{folder} is a workspace: {counts['initial']} items in the initial set, {counts['test']} in the test set, "
        f"{counts['pool']} in the pool, {counts['gold']} gold",
        *(f"  note: {note}" for note in cast(list[str], facts.get("notes", []))),
        f"next: look at {folder / 'params.yaml'}, then cd {folder} && hitl open",
    ]
    return "\n".join(lines)


def planned(facts: Facts) -> str:
    """What the next round would be."""
    left = "no limit" if facts["budget_left"] is None else f"{facts['budget_left']} annotations left"
    curve = cast(list[Mapping[str, float]], facts["curve"])
    again = cast(int, facts["reissued"])
    stop = cast(Mapping[str, str] | None, facts["stop"])
    lines = [f"no more labels are asked for: {stop['why']}; {stop['way_on']}"] if stop else []
    lines += [
        f"{facts['round']} would send {f'{again} items again that nobody answered, ' if again else ''}"
        f"{cast(int, facts['items']) - again} new items ({facts['strategy']}, "
        f"{facts['random']} of them random) and {facts['gold']} gold items",
        *([_another(cast(int, facts["another"]))] if facts["another"] else []),
        f"it asks for {facts['annotations']} annotations: {facts['amount']} {facts['currency']} "
        f"at {facts['price']} each (budget: {left})",
        f"the pool has {facts['pool_left']} items nobody has answered",
    ]
    if out := cast(Mapping[str, object] | None, facts["out"]):
        lines.append(f"{out['round']} still waits for {out['annotations']} annotations, which are not counted here")
    gold = {"wanted": facts["gold_wanted"], "left": facts["gold_there"], "vendor": facts["vendor"]}
    if note := shortage(gold):
        lines.append(f"gold: {note}")
    if len(curve) > 1:
        gain = curve[-1]["value"] - curve[-2]["value"]
        lines.append(f"the last round changed {facts['metric']} by {gain:+.4f}, to {curve[-1]['value']:.4f}")
    return "\n".join([*lines, *_expected(facts)])


def _another(count: int) -> str:
    waits = "1 item waits" if count == 1 else f"{count} items wait"
    return f"{waits} for another annotator: each takes a new item's place where one more answer is worth more"


def _expected(facts: Facts) -> list[str]:
    """What the next labels are expected to bring, and how often that was right."""
    known = cast(Mapping[str, float] | None, facts["expected"])
    if not known:
        return [str(facts["unknown"])]
    spans = {name: f"{known[f'{name}_low']:+.4f} to {known[f'{name}_high']:+.4f}" for name in ("gain", "rise")}
    lines = [
        f"expected of {known['round']} with {known['labels']} labels: {facts['metric']} {known['value']:.4f} "
        f"({known['low']:.4f} to {known['high']:.4f}), a gain of {known['gain']:+.4f} ({spans['gain']})",
        f"the curve goes up by {known['rise']:+.4f} ({spans['rise']}); the rest is how far one model lies off it",
    ]
    past = cast(Mapping[str, int], facts["foretold"])
    if past["claimed"]:
        right = f"{past['right']} of {past['claimed']} rounds so far measured within what was to be expected"
        lines.append(f"{right} (an interval is to hold {known['confidence']:.0%})")
    return lines


def rehearsed(facts: Facts) -> str:
    """What `hitl rehearse` found."""
    return "\n".join(
        [
            f"{facts['name']}: {many(cast(int, facts['seeds']), 'seed')}, "
            f"each from {facts['initial']:,} initial items, "
            f"{facts['pool']:,} in the pool, {facts['test']:,} in the test set",
            *(f"  note: {note}" for note in cast(list[str], facts["notes"])),
            "",
            "annotations to 95 and 99 % of full-data quality (median and worst seed), the area under the curve in "
            "points above random choice, and the annotations saved against it:",
            str(facts["table"]),
            "",
            *cast(list[str], facts["recommendation"]),
            f"page: {facts['page']}",
        ]
    )


def opened(facts: Facts) -> str:
    """What `hitl open` sent."""
    reasons = ", ".join(f"{count} {name}" for name, count in cast(Mapping[str, int], facts["reasons"]).items())
    tells = [f"gold can be told apart in it by {clipped(one, CLIPPED)}" for one in cast(list[str], facts["tells"])]
    said = (
        f"{facts['round']} is open: {facts['items']} items ({reasons}), {facts['annotations']} annotations asked for, "
        f"due {facts['deadline']}"
    )
    return "\n".join([said, f"pack: {facts['pack']}", *tells])


def closed(facts: Facts) -> str:
    """What `hitl close` found."""
    another = cast(int, facts["another"])
    lines = [
        f"{facts['round']} is closed: {facts['resolved']} items labeled, "
        f"{len(cast(list[str], facts['unresolved'])) - another} to adjudicate, "
        f"{f'{another} wait for another annotator, ' if another else ''}"
        f"{facts['labels']} labels in all",
        f"{facts['metric']} {facts['value']:.4f} ({facts['low']:.4f} to {facts['high']:.4f}); {facts['note']}",
        f"report: {facts['report']}",
    ]
    return "\n".join(lines)


def agreed(facts: Facts) -> str:
    """What `hitl consensus` made of a file."""
    heat = float(str(facts["temperature"]))
    gold = f" Confidences fitted to {facts['gold']} gold items (temperature {heat:.2f})." if facts["gold"] else ""
    odd = ", ".join(f"{facts[key]:,} {key}" for key in ("skips", "repeats", "contradictions") if facts[key])
    return "\n".join(
        [
            f"{facts['annotations']:,} answers of {facts['annotators']:,} annotators to {facts['items']:,} items"
            + (f" ({odd} left out)" if odd else ""),
            f"method {facts['method']}: {facts['reason']}.{gold}",
            f"{facts['resolved']:,} items have a label, {facts['to_adjudicate']:,} go to adjudication: {facts['out']}",
        ]
    )


def advanced(facts: Facts) -> str:
    """What `hitl advance` did."""
    return "\n".join([*cast(list[str], facts["done"]), f"next: {facts['next']}"])


def answer_facts(answer: "Answer") -> Facts:
    """An answer as facts: the receipt, and where it lies."""
    paths = {"receipt_path": answer.receipt_path, "redo_path": answer.redo_path}
    return {**answer.receipt, **{name: str(path) for name, path in paths.items() if path}}


def answer(given: "Answer") -> str:
    """A receipt, and where it lies."""
    lines = [receipt(given.receipt)]
    if given.receipt_path:
        lines.append(f"receipt: {given.receipt_path}")
    if given.redo_path:
        lines.append(f"redo: {given.redo_path} holds the held rows; mended, it is a delivery like any other")
    return "\n".join(lines)


def receipt(facts: Facts) -> str:
    """A receipt in a few lines, the held rows first to last."""
    rows, items = cast(Mapping[str, int], facts["rows"]), cast(Mapping[str, int], facts["items"])
    payable = cast(Mapping[str, str], facts["payable"])
    held = cast(list[Mapping[str, object]], facts["held"])
    codes = [*cast(list[str], facts["reasons"]), *cast(list[str], facts["warnings"])]
    lines = [
        f"{facts['file']}: {facts['verdict']}{' (' + ', '.join(codes) + ')' if codes else ''}",
        f"  {rows['delivered']} rows = {rows['accepted']} accepted + {rows['quarantined']} quarantined "
        f"+ {rows['duplicate']} duplicate{_revised(facts)}",
        f"  payable: {payable['annotations']} annotations, {payable['amount']} {payable['currency']}; "
        f"items complete: {items['complete']} of {items['expected']}",
    ]
    if "note" in facts:
        lines.append(f"  {facts['note']}")
    return "\n".join([*lines, *_held(held, rows["quarantined"])])


def _held(held: Sequence[Mapping[str, object]], count: int) -> list[str]:
    """The held rows in a line each, the first of them."""
    lines = [
        f"  {_where(one)}, {one['column']}: '{quoted(str(one['value']), CLIPPED)}': {one['code']}, "
        f"expected {clipped(str(one['expected']), CLIPPED)}"
        for one in held[:LISTED]
    ]
    return [*lines, f"  and {count - LISTED} more"] if count > LISTED else lines


def to_settle(facts: Facts) -> str:
    """What waits for an adjudicator."""
    if not facts["items"]:
        return "no item waits for an adjudicator"
    count = "1 item waits" if facts["items"] == 1 else f"{facts['items']} items wait"
    count += f" ({facts['doubted']} with labels in doubt)" if facts["doubted"] else ""
    reasons = ", ".join(cast(list[str], facts["reasons"]))
    return (
        f"{count} for an adjudicator: {facts['file']}\n"
        f"fill in label, adjudicator, and where you override somebody reason ({reasons}); then hitl adjudicate FILE"
    )


def decided(facts: Facts) -> str:
    """The answer to a file of decisions."""
    rows, held = cast(Mapping[str, int], facts["rows"]), cast(list[Mapping[str, object]], facts["held"])
    codes = [*cast(list[str], facts["reasons"]), *cast(list[str], facts["warnings"])]
    against = cast(Mapping[str, int], facts["overridden"])
    lines = [
        f"{facts['file']}: {facts['verdict']}{' (' + ', '.join(codes) + ')' if codes else ''}",
        f"  {rows['delivered']} rows = {rows['accepted']} accepted + {rows['quarantined']} quarantined "
        f"+ {rows['duplicate']} duplicate + {rows['undecided']} undecided",
        *_held(held, rows["quarantined"]),
    ]
    if rows["accepted"]:
        told = ", ".join(f"{count} times {who}" for who, count in against.items())
        lines.append(f"  they count from the closing of {facts['counts_from']} on; overridden: {told or 'nobody'}")
    lines += [f"{name}: {facts[f'{name}_path']}" for name in ("receipt", "redo") if f"{name}_path" in facts]
    return "\n".join(lines)


def _where(held: Mapping[str, object]) -> str:
    """Where a held row stands: in a tool's export by its own count."""
    return quoted(str(held["place"]), CLIPPED) if "place" in held else f"row {held['row']}"


def _revised(facts: Facts) -> str:
    return f"; {facts['revised']} of the accepted replace an earlier answer" if facts["revised"] else ""


def pushed(facts: Facts) -> str:
    """What a push sent, and where it is."""
    return (
        f"{facts['round']}: {facts['items']} items are in project {facts['project']} of {facts['title']} at "
        f"{facts['url']}: {facts['sent']} sent, {facts['before']} were there\nhitl pull takes what is finished"
    )


def stepped(name: str, facts: Facts) -> str:
    """What one step on its own did."""
    if name == "train":
        return f"trained on {facts['labels']} labels: model {str(facts['model_id'])[:12]}"
    found = cast(Mapping[str, float], facts["metrics"])
    return (
        f"measured on {facts['items']} test items: accuracy {found['accuracy']:.4f}, macro F1 {found['macro_f1']:.4f}"
    )


def examined(facts: Facts) -> str:
    """What the doctor found, and the commands in the order in which to run them."""
    lines = [f"cleared {name}" for name in cast(list[str], facts["cleared"])]
    findings = cast(list[Mapping[str, str]], facts["findings"])
    for one in findings:
        lines += [one["what"], f"  why it matters: {one['why']}", f"  mend: {one['mend']}"]
    lines.append("nothing is wrong" if not findings else "mend them in this order, then ask again: hitl doctor")
    return "\n".join(lines)


def undone(facts: Facts, *, dry_run: bool) -> str:
    """What an undo changed, or would."""
    rounds, batches = cast(list[Facts], facts["rebuilt"]), cast(list[str], facts["batches"])
    owed = cast(Facts, facts["corrections"])
    would = "would be " if dry_run else ""
    names = ", ".join(str(one["round"]) for one in rounds) or "no round"
    lines = [f"{facts['kind']} {facts['of']} {would}withdrawn ({facts['reason']}); {names} {would}rebuilt"]
    labels = cast(Mapping[str, int], facts.get("labels", {}))
    for one in rounds:
        changed = f"; {labels[str(one['round'])]} labels change" if one["round"] in labels else ""
        lines.append(f"  {one['round']}: {one['metric']} {one['before']:.4f} -> {one['after']:.4f}{changed}")
    lines.append(f"champion: {facts['champion_before']} -> {facts['champion']}")
    lines.append(f"to correct: {correction(owed)}")
    published = [str(one["round"]) for one in cast(list[Facts], facts["published"]) if one["was_champion"]]
    if published:
        lines.append(f"models that were in use and knew these rows: {', '.join(published)}")
    if batches:
        lines.append(f"batches that were chosen by a model that knew these rows: {', '.join(batches)}")
    return "\n".join(lines)


def drawn(facts: Facts) -> str:
    """What an auditor is to look at."""
    begun = " (it was there, and stays as it is)" if facts["was_there"] else ""
    return "\n".join(
        [
            f"audit {facts['audit']} of {facts['kind']} {str(facts['of'])[:12]}: {facts['lot']} labels, accepted if "
            f"with {facts['confidence']:.0%} confidence no more than {facts['error']:.1%} are wrong",
            f"{facts['out']} has {facts['rows']} items in the order to answer them{begun}: {facts['least']} suffice "
            f"without an error, about {facts['likely']} where {facts['good']:.1%} are wrong, {facts['most']} at most",
            f"next: fill in the column label, then hitl audit close {facts['out']}",
        ]
    )


def audited(facts: Facts) -> str:
    """What an audit came to, and what to do."""
    rate = cast(Mapping[str, float], facts["rate"])
    skips = f" ({facts['skips']} of them could not be told)" if facts["skips"] else ""
    return "\n".join(
        [
            f"{facts['kind']} {str(facts['of'])[:12]} is {facts['verdict']}: {facts['errors']} of {facts['items']} "
            f"answers say otherwise{skips}",
            f"wrong in the lot: {rate['low']:.2%} to {rate['high']:.2%} (each bound with {facts['confidence']:.0%} "
            f"confidence); the limit is {facts['error']:.1%}",
            *(f"next: {step}" for step in cast(list[str], facts["next"])),
            f"receipt: {facts['receipt']}",
        ]
    )


def lettered(facts: Facts) -> str:
    """The letters that were written."""
    written, held = cast(list[Facts], facts["letters"]), cast(list[str], facts["held"])
    lines = [f"{'1 letter' if len(written) == 1 else f'{len(written)} letters'} up to {facts['round']}:"]
    lines += [
        f"  {one['letter']}: {one['answers']} answers, {one['mistakes']} known to be wrong, "
        f"{one['labels']} labels learned"
        for one in written
    ]
    lines += [f"no letter to {name}: held by resolve.policy until a person decides" for name in held]
    return "\n".join(lines)


def converted(facts: Facts) -> str:
    """What an export of a labeling tool held."""
    statuses = cast(Mapping[str, int], facts["statuses"])
    lines = [
        f"{facts['file']} ({facts['title']}): {facts['annotations']} annotations of {facts['items']} items by "
        f"{facts['annotators']} annotators, in {facts['rows']} rows of {facts['out']}",
        *(f"  {count} {status}" for status, count in statuses.items()),
    ]
    notes = {
        "machine": "given by a machine: their label column is empty",
        "several_labels": "with several labels: they stand in the column labels, and label is empty",
        "without_item_id": "whose item has no id of ours: it is called as the tool calls it",
        "without_annotator": "whose annotator the export does not name (--annotator NAME)",
        "without_zone": "whose time names no zone: it stands in time_text",
    }
    lines += [f"  {facts[key]} {words}" for key, words in notes.items() if facts[key]]
    lines += [f"  left out: {count} {reason}" for reason, count in cast(Mapping[str, int], facts["dropped"]).items()]
    fields = cast(list[str], facts["label_fields"])
    if len(fields) > 1:
        lines.append(
            f"  {len(fields)} questions were answered, a row each: {', '.join(fields)} (--label-field takes one)"
        )
    elif fields:
        lines.append(f"  the question: {fields[0]}")
    if facts["lost"]:
        lines.append(f"  what this export never had: {facts['lost']}")
    return "\n".join(lines)


def recomputed(facts: Facts) -> str:
    """What came out otherwise when everything was computed again."""
    differences, wrong = cast(list[Facts], facts["differences"]), cast(list[str], facts["files"])
    lines = [f"{facts['steps']} steps taken again, {len(differences)} came out otherwise than the ledger says"]
    lines += [
        f"  event {one['seq']} ({one['event']} of {one['round']}): {', '.join(cast(Facts, one['recomputed']))}"
        for one in differences
    ]
    done = "written back" if facts["written"] else "not what the ledger says; hitl rebuild writes it back"
    return "\n".join([*lines, *(f"  {file}: {done}" for file in wrong)])


def replayed(facts: Facts) -> str:
    """Whether a batch comes out the same."""
    different = cast(list[str], facts["different"])
    if not different:
        return f"{facts['round']}: the same batch, all {facts['items']} items"
    named = ", ".join(quoted(item, CLIPPED) for item in different[:LISTED])
    return f"{facts['round']}: {len(different)} of {facts['items']} items differ: {named}"


def running(facts: Facts) -> str:
    """The servers that are up, and where a person looks at them."""
    named = {"prefect": "rounds (Prefect)", "mlflow": "models (MLflow)"}
    lines = [f"{named[name]}: {cast(Mapping[str, str], one)['url']}" for name, one in facts.items()]
    return "\n".join([*lines, "stop them with hitl down"]) if lines else "no server of this workspace is up"
