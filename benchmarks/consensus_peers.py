"""What the peers make of the same annotations; run by benchmarks/consensus.py in an environment of their own.

Reads FOLDER/NAME.said.csv (item_id, annotator_id, label) and, where it is there, FOLDER/NAME.model.csv (item_id and a
column a class). Writes FOLDER/NAME.METHOD.csv (item_id, label), and prints a JSON object a line with CPU seconds and
how far the memory grew at its peak (Linux). A method that takes more CPU seconds on a table than allowed is stopped.
"""

import json
import signal
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

warnings.simplefilter("ignore")


def crowd_kit(name: str, said: pd.DataFrame) -> pd.Series:
    from crowdkit import aggregation

    found = getattr(aggregation, name)().fit_predict(said.rename(columns={"item_id": "task", "annotator_id": "worker"}))
    return pd.Series(found)


def crowdlab(said: pd.DataFrame, model: pd.DataFrame) -> pd.Series:
    from cleanlab.multiannotator import get_label_quality_multiannotator

    classes = list(model.columns)
    wide = said.assign(label=said["label"].map(classes.index)).pivot_table(
        index="item_id", columns="annotator_id", values="label"
    )
    seen = model.reindex(wide.index).to_numpy()
    found = get_label_quality_multiannotator(wide, seen, verbose=False, return_detailed_quality=False)
    quality = found["label_quality"]["consensus_label"].to_numpy()
    return pd.Series([classes[int(one)] for one in quality], index=wide.index)


def memory(name: str) -> float:
    """VmRSS or VmHWM (the peak) of this process, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def peak_forgotten() -> float:
    """What this process holds now, MB; its peak is counted from here on, not from what it held before."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def stopped(*_: object) -> None:
    raise TimeoutError("stopped: it took too long")


def main() -> None:
    signal.signal(signal.SIGPROF, stopped)
    folder, methods, patience = Path(sys.argv[1]), sys.argv[2].split(","), float(sys.argv[3])
    for path in sorted(folder.glob("*.said.csv")):
        name = path.name.removesuffix(".said.csv")
        said = pd.read_csv(path, dtype=str, keep_default_na=False)
        view = folder / f"{name}.model.csv"
        for method in methods:
            if method == "CROWDLAB" and not view.is_file():
                continue
            before = peak_forgotten()
            signal.setitimer(signal.ITIMER_PROF, patience)
            start = time.process_time()
            try:
                if method == "CROWDLAB":
                    model = pd.read_csv(view, dtype={"item_id": str}).set_index("item_id")
                    labels = crowdlab(said, model)
                else:
                    labels = crowd_kit(method, said)
            except Exception as error:  # noqa: BLE001 - a peer that fails is a result
                print(json.dumps({"name": name, "method": method, "error": str(error)[:120]}), flush=True)
                continue
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            cpu = time.process_time() - start
            grown = memory("VmHWM") - before
            labels.rename("label").rename_axis("item_id").to_csv(folder / f"{name}.{method}.csv")
            print(json.dumps({"name": name, "method": method, "cpu_s": cpu, "grown_mb": grown}), flush=True)


if __name__ == "__main__":
    main()
