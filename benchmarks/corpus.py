"""Runs the shared corpus of awkward deliveries against a fresh workspace, through the product's own commands.

The corpus is made of a real pack and a real delivery for it. A line a case that did not come out exactly, a line each
for check, ingest, orders and exports, and last the counts, a case by the worst way it came out. Ends with 1 when
something wrong was taken, something right lost, something not run, or fewer than 97 % came out exactly.

A case is checked with `check` on the workspace (the function, in a forked child with the case's limits) and taken with
`ingest` on a copy of it. One that brings a batch or classes of its own is checked with `check --pack` alone, on a pack
made of them. Gold is the workspace's own; the ids of another round are those of its first round. The corpus, its
verdicts and its marks are not ours and lie outside the repository.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.edges.quiet import quiet

quiet()

from handback import cases, corpus_files, forks, marks, orders  # noqa: E402

from hitl.layout import Workspace  # noqa: E402

ROOM = 2 << 30
"""Bytes that the copies take at most: the corpus has files of 150 MB."""
AHEAD = timedelta(seconds=60)
"""How far the corpus' own moment of receipt lies ahead of the clock: its smallest skew is then met for five minutes."""


def main() -> None:
    asked = _asked()
    if not corpus_files.CORPUS.is_dir():
        print(f"skipped: the corpus is not there ({corpus_files.CORPUS}); HITL_CORPUS names another folder")
        return
    with tempfile.TemporaryDirectory() as spare, tempfile.TemporaryDirectory(dir=_memory()) as scratch:
        found = run((asked.out or Path(spare)).resolve(), Path(scratch), asked)
    told = marks.worst(found)
    print(marks.counts(told.values()), flush=True)
    sys.exit(0 if marks.is_good(told.values()) else 1)


def run(out: Path, scratch: Path, asked: argparse.Namespace) -> list[marks.Mark]:
    """Every mark of one run, in folder `out`, its copies in `scratch`; says what is not exact, a line for each way."""
    began = time.perf_counter()
    fresh = _fresh(out, asked)
    workspace, only = Workspace(out / "workspace"), set(filter(None, asked.only.split(",")))
    corpora = _corpora(out, fresh, asked)
    _say(began, f"base {fresh['base']}: {len(corpora[0].cases)} cases, {len(corpora[0].orders)} orders")
    found = [one for corpus in corpora for one in _cases(workspace, corpus, only, scratch)]
    for way in ("check", "ingest"):
        _summary(began, way, [one for one in found if one.way == way])
    played = list(orders.run(workspace, corpora[0], only=only, scratch=scratch, round_id=fresh["round"]))
    _summary(began, "orders", played)
    sent = list(_exports(scratch, corpora[0], asked, only))
    _summary(began, "export", sent)
    return [*found, *played, *sent]


def _memory() -> Path | None:
    """A folder in memory with room for the copies, where fsync costs nothing; None where there is none."""
    memory = Path("/dev/shm")  # noqa: S108 - for a folder of our own in it
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def _fresh(out: Path, asked: argparse.Namespace) -> dict[str, Any]:
    def act() -> forks.Answer:
        from handback import bases, fresh

        return fresh.found(out, bases.chosen(asked.seed, asked.suite, asked.base), seed=asked.seed)

    out.mkdir(parents=True, exist_ok=True)
    made = forks.forked(act, loud=asked.verbose)
    if "error" in made:
        sys.exit(f"no workspace: {made['error']}")
    return made


def _corpora(out: Path, fresh: dict[str, Any], asked: argparse.Namespace) -> list[corpus_files.Corpus]:
    """The corpus of the delivery, and beside it that of the cases that need one without line ends in cells."""
    pair = corpus_files.Pair(
        returned=out / "returned.csv",
        exported=out / "exported.csv",
        classes=tuple(fresh["classes"]),
        annotators=tuple(fresh["annotators"]),
        exported_at=fresh["exported_at"],
        received_at=(datetime.now(UTC) + AHEAD).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return corpus_files.prepared(out / "corpus", pair, fresh, seed=asked.seed, suite=asked.suite)


def _cases(workspace: Workspace, corpus: corpus_files.Corpus, only: set[str], scratch: Path) -> Iterable[marks.Mark]:
    for way, answers in cases.run(workspace, corpus, only=only, scratch=scratch / corpus.root.name).items():
        for id_, (mark, note) in corpus.told(answers, way).items():
            yield marks.Mark(way, id_, mark, note)


def _exports(
    scratch: Path, corpus: corpus_files.Corpus, asked: argparse.Namespace, only: set[str]
) -> Iterator[marks.Mark]:
    def act() -> forks.Answer:
        from handback import bases, exports

        base = bases.chosen(asked.seed, asked.suite, asked.base)
        return {"wrong": exports.run(scratch, corpus, base, seed=asked.seed, only=only)}

    answer = forks.forked(act, loud=asked.verbose)
    if "error" in answer:
        sys.exit(f"no exports: {answer['error']}")
    for id_, wrong in answer["wrong"].items():
        yield marks.Mark("export", id_, "UNSAFE" if wrong else "EXACT", "; ".join(wrong)[:300])


def _summary(began: float, way: str, found: list[marks.Mark]) -> None:
    for one in found:
        if one.mark != "EXACT":
            print(one.line())
    _say(began, f"{way}: {marks.counts(one.mark for one in found)}")


def _say(began: float, text: str) -> None:
    print(f"[{time.perf_counter() - began:4.0f} s] {text}", flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suite", default="shared", help="a word mixed into the corpus' choices: shared, heldout, ...")
    parser.add_argument("--out", type=Path, help="keep everything in this folder, which must be new")
    parser.add_argument("--base", default="", help="the table to begin with (by default the seed and the suite say)")
    parser.add_argument("--only", default="", help="comma-separated ids of cases and orders")
    parser.add_argument("--verbose", action="store_true", help="let the commands speak while the workspace is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
