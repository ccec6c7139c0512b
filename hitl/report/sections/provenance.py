"""Where every number comes from: digests of the ledger, params, model and files, and the versions at work."""

from collections.abc import Iterator, Mapping

from hitl.report.sections.parts import Cell, Section, Table, columns, limited
from hitl.report.sections.sources import Sources
from hitl.visible import clipped

DIGESTS = 200
VALUE = 160


def section(sources: Sources) -> Section:
    """Every digest that this round's events name, and the ledger's head before the report."""
    rows: list[tuple[Cell, ...]] = [("ledger head before this report", sources.state.head), *_digests(sources)]
    kept, note = limited(rows, DIGESTS, "digests")
    digests = Table(
        "Digests (sha256 unless said)", columns("what", "digest", code=("digest",)), kept, note, folded=True
    )
    versions = tuple(
        (clipped(name, VALUE), clipped(sources.versions[name], VALUE)) for name in sorted(sources.versions)
    )
    tables = (
        (digests, Table("Versions", columns("package", "version"), versions, folded=True)) if versions else (digests,)
    )
    head = f"The ledger's head before this report is {sources.state.head[:12]}; hitl verify checks every file below."
    return Section("provenance", "Where it comes from", (head,), tables=tables)


def _digests(sources: Sources) -> Iterator[tuple[Cell, ...]]:
    for event, facts in sources.round.facts.items():
        for key in sorted(facts):
            yield from _named(event, key, facts[key])
    for one in (*sources.round.deliveries, *sources.round.refused):
        yield f"delivery {clipped(str(one.get('file', '')), VALUE)}", str(one["delivery"])
        if "receipt_sha256" in one:
            yield f"receipt of {clipped(str(one.get('file', '')), VALUE)}", str(one["receipt_sha256"])


def _named(event: str, key: str, value: object) -> Iterator[tuple[Cell, ...]]:
    if key.endswith("_sha256"):
        yield f"{event}: {key.removesuffix('_sha256').replace('_', ' ')}", clipped(str(value), VALUE)
    elif key == "model_id":
        yield f"{event}: model id", clipped(str(value), VALUE)
    elif key == "files" and isinstance(value, Mapping):
        yield from (
            (f"{event}: {clipped(str(name), VALUE)}", clipped(str(value[name]), VALUE)) for name in sorted(value)
        )
