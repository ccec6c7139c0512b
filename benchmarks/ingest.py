"""What it costs to judge a sound delivery beside the floor: pyarrow.csv reads the same file as strings, on one core.

Each of the two runs in a process of its own, which tells its CPU seconds (imports left out) and its peak memory.
Prints a table, and the CPU seconds of a whole `hitl check` of 100 rows, start-up included; with --json one object.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hitl import pack

CLASSES, PEOPLE = ("cat", "dog", "horse"), tuple(f"annotator-{n:02d}" for n in range(20))
HEADER = ("item_id", "subject", *pack.ANSWERS)
EXPORTED = datetime(2026, 1, 1, tzinfo=UTC)

MEASURED = """
import json, resource, sys, time
{imports}
before = time.process_time()
{act}
cpu = time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"cpu_s": cpu, "peak_mb": peak}}))
"""
OURS = MEASURED.format(
    imports="from pathlib import Path\nfrom tasks.ingest import check_with_pack",
    act="said = check_with_pack(Path(sys.argv[1]), Path(sys.argv[2]))\nassert said['verdict'] == 'accept', said",
)
FLOOR = MEASURED.format(
    imports="import pyarrow\nfrom pyarrow import csv",
    act=f"""
names = {HEADER!r}
strings = csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False)
read = csv.ReadOptions(use_threads=False)
csv.read_csv(sys.argv[1], convert_options=strings, read_options=read)""",
)
WHOLE = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu_s": spent.ru_utime + spent.ru_stime}))
"""


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """A pack of so many items, and a sound delivery of all of them; their paths."""
    sent, delivery = folder / "pack", folder / "delivery.csv"
    sent.mkdir()
    with (sent / "batch.csv").open("w", newline="") as out, delivery.open("w", newline="") as back:
        exported = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        answered = csv.writer(back, lineterminator="\n")
        exported.writerow(HEADER)
        answered.writerow(HEADER)
        for n in range(rows):
            item, subject = f"item-{n:08d}", f"message about subject {n % 997}"
            at = (EXPORTED + timedelta(seconds=n / 20)).strftime("%Y-%m-%dT%H:%M:%SZ")
            exported.writerow([item, subject, "", "", "", "", ""])
            answered.writerow([item, subject, CLASSES[n * 7 % 11 % 3], PEOPLE[n % 20], at, f"{n % 500 / 10 + 1}", ""])
    promised = pack.manifest(
        round_id="r0001", batch_id="b", classes=CLASSES, default_overlap=1, overlap={}, exported_at=EXPORTED,
        deadline=EXPORTED, files={}, guideline_sha256="", annotators=PEOPLE,
    )  # fmt: skip
    (sent / "MANIFEST.json").write_text(json.dumps(promised))
    return delivery, sent


def measured(program: str, *arguments: object) -> dict[str, float]:
    """What a program, run in a process of its own, says it cost."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


def compared(rows: int) -> dict[str, Any]:
    """Ours beside the floor, for so many rows."""
    with tempfile.TemporaryDirectory() as folder:
        delivery, sent = write(Path(folder), rows)
        floor, ours = measured(FLOOR, delivery), measured(OURS, delivery, sent)
    return {
        "rows": rows,
        "rows_per_s": round(rows / ours["cpu_s"]),
        "cpu_s": round(ours["cpu_s"], 2),
        "floor_cpu_s": round(floor["cpu_s"], 3),
        "ratio": round(ours["cpu_s"] / floor["cpu_s"], 1),
        "peak_mb": round(ours["peak_mb"]),
        "floor_peak_mb": round(floor["peak_mb"]),
    }


def start_up() -> float:
    """CPU seconds of a whole `hitl check` of 100 rows."""
    with tempfile.TemporaryDirectory() as folder:
        delivery, sent = write(Path(folder), 100)
        hitl = Path(sys.executable).with_name("hitl")
        return round(measured(WHOLE, hitl, "check", delivery, "--pack", sent)["cpu_s"], 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found, check = [compared(rows) for rows in asked.rows], start_up()
    if asked.json:
        json.dump({"deliveries": found, "check_100_rows_cpu_s": check}, sys.stdout)
        return
    print("  ".join(f"{name:>13}" for name in found[0]))
    for one in found:
        print("  ".join(f"{value:>13,}" for value in one.values()))
    print(f"hitl check of 100 rows, start-up included: {check} s of CPU")


if __name__ == "__main__":
    main()
