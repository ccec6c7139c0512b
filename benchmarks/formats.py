"""What reading a labeling tool's export costs beside the standard library parsing the same bytes, and its peak memory.

Each format's export is what the tests' servers write of the same annotations, about a megabyte; json or csv parses it
whole, then `hitl.formats` reads every annotation, each in a process of its own that tells its CPU seconds. The
memory is that of `hitl convert` over one Label Studio JSON of `--megabytes`, made as it is written.

python benchmarks/formats.py [--megabytes 500] [--write]: prints a table; --write puts it into benchmarks/README.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from hitl.formats import FORMATS, Annotation
from tests.hitl.formats.servers import exported

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- formats.py -->\n", "<!-- end of formats.py -->"
SIZE = 1 << 20
"""About so many bytes of each format."""
MEASURED = """
import json, resource, sys, time
{imports}
path = sys.argv[1]
before = time.process_time()
{act}
cpu = time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"cpu_s": cpu, "peak_mb": peak, "count": count}}))
"""
OURS = MEASURED.format(
    imports="from pathlib import Path\nfrom hitl.formats import Annotation, Asked, recognised\n"
    "from tasks.edges import intake",
    act="found = recognised(Path(path).name, intake.there(Path(path)))\n"
    "count = sum(isinstance(one, Annotation) for one in found.read(Asked(accept_loss=True)))",
)
# Members of a zip are parsed one after another, as they are read by us.
FLOOR = MEASURED.format(
    imports="import csv, io, zipfile\nimport xml.etree.ElementTree as ET\ncsv.field_size_limit(1 << 30)\n"
    "def parse(data):\n"
    "    text = data.decode('utf-8-sig')\n"
    "    if text[:1] == '[':\n        return len(json.loads(text))\n"
    "    if text[:1] == '{':\n"
    "        try:\n            return len([json.loads(line) for line in text.split('\\n') if line])\n"
    "        except ValueError:\n            return len(json.loads(text))\n"
    "    if text[:1] == '<':\n        return len(ET.fromstring(text))\n"
    "    return sum(1 for _ in csv.reader(io.StringIO(text, newline='')))",
    act="data = open(path, 'rb').read()\n"
    "if data[:2] == b'PK':\n"
    "    archive = zipfile.ZipFile(path)\n    count = sum(parse(archive.read(name)) for name in archive.namelist())\n"
    "else:\n    count = parse(data)",
)
CONVERT = MEASURED.format(
    imports="from pathlib import Path\nfrom tasks.convert import convert",
    act="count = convert(Path(path), Path(sys.argv[2]))['annotations']",
)


def annotations(number: int) -> list[Annotation]:
    """So many answers by twenty annotators, each with all that a tool may carry."""
    return [
        Annotation(
            item_id=f"item-{n:07d}",
            labels=("billing", "delivery", "other")[n % 3 : n % 3 + 1],
            annotator_id=f"a{n % 20}",
            labeled_at="2026-11-21T04:00:06Z",
            time_text="11/21/2026 04:00:06",
            updated_at="2026-11-21T04:00:06Z",
            started_at="2026-11-21T04:00:00Z",
            seconds=5.5,
            comment="sure",
            label_field="label",
            batch_id="b1",
            shown_class="billing",
            shown_confidence=0.34,
            shown_model="v3",
            stamp_class="billing",
            stamp_confidence=0.34,
            stamp_model="v3",
            project_id="1",
            source_item_id=str(n),
            source_annotation_id=f"u{n}",
            content={"text": f"Ticket {n}: my invoice came twice, and nobody could tell me why. " * 3},
        )
        for n in range(number)
    ]


def measured(code: str, *arguments: Path) -> dict[str, Any]:
    """What a process of its own tells."""
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if run.returncode:
        raise SystemExit(run.stderr)
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def flavours(folder: Path) -> Iterator[list[str]]:
    """A row of the table for each flavour of each format."""
    for name, one in FORMATS.items():
        for flavour, kind in one.flavours.items():
            _, probe = exported(name, flavour, annotations(200))
            file, data = exported(name, flavour, annotations(max(200, 200 * SIZE // len(probe))))
            path = folder / f"{name}-{flavour}-{file}"
            path.write_bytes(data)
            floor, ours = (measured(code, path) for code in (FLOOR, OURS))
            speed = len(data) / 1e6 / ours["cpu_s"]
            print(f"{path.name}: {ours['cpu_s']:.2f} s", file=sys.stderr)
            yield [
                f"{one.title}, {kind.title}",
                f"{len(data) / 1e6:.1f}",
                f"{ours['count']:,}",
                f"{speed:.0f}",
                f"{ours['cpu_s'] / floor['cpu_s']:.1f}",
            ]
            path.unlink()


def large(path: Path, size: int) -> int:
    """Write a Label Studio JSON of about `size` bytes; the annotations in it."""
    some = json.loads(exported("label_studio", "json", annotations(1))[1])[0]
    with path.open("w", encoding="utf-8") as file:
        for number in count():
            some["id"] = number
            some["data"]["item_id"] = f"item-{number:07d}"
            file.write(("[" if number == 0 else ",\n") + json.dumps(some))
            if file.tell() > size:
                file.write("]")
                return number + 1
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            ["export", "MB", "annotations", "MB a CPU second", "times the standard library's CPU"],
            *flavours(folder),
        ]
        answers = large(folder / "large.json", chosen.megabytes * 10**6)
        told = measured(CONVERT, folder / "large.json", folder / "annotations.csv")
    if told["count"] != answers:
        raise SystemExit(f"{told['count']} annotations came out of {answers}")
    lines = [f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]]
    said = (
        f"`hitl convert` of a Label Studio JSON of {chosen.megabytes} MB ({answers:,} annotations): "
        f"{told['cpu_s']:.0f} CPU seconds, {told['peak_mb']:.0f} MB at its peak."
    )
    text = "\n".join([*lines, "", said]) + "\n"
    print(text)
    if chosen.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{text}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
