"""Export: make the pack that goes to the vendor. What params do not allow a vendor to see never leaves."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from hitl import choose, hidden, mask, overlap as overlapping, pack, surrogate
from hitl.contract import MODEL_CLASS, MODEL_CONFIDENCE, csv_bytes
from hitl.formats import FORMATS, Batch
from hitl.layout import Workspace, round_number
from hitl.ledger import Facts, digest
from hitl.params import Params
from hitl.state import RoundState
from tasks import expected, firewall, journal, overlap
from tasks.edges import files, intake, papers, tables
from tasks.edges.check_page import check_html
from tasks.edges.key import pseudonym_key
from tasks.edges.patterns import places


def export(workspace: Workspace, round_id: str) -> Facts:
    """Write the round's pack/; says its files' digests, the annotations it asks for, and the deadline."""
    params, at = journal.params_of(workspace, round_id), journal.now()
    batch = tables.read_parquet(workspace.round(round_id) / "batch.parquet")
    _refuse_test_items(workspace, round_id, batch)
    ids = _sent_ids(params, list(batch["item_id"]))
    drawn = partial(choose.draw, seed=params.query.seed, round_number=round_number(round_id))
    annotators, share, unshown = params.export.overlap, params.export.overlap_share, params.export.blind_share
    first = batch.loc[batch["reason"] != overlapping.REASON, "item_id"]
    many = drawn(_objects(first), purpose="overlap")
    wanted = choose.overlap([ids[item] for item in first], many, annotators=annotators, share=share)
    wanted |= {ids[item]: 1 for item in batch["item_id"] if ids[item] not in wanted}
    # By what the vendor knows alone: the order of the same items at another vendor tells nothing.
    order = np.argsort(drawn(_objects(batch["item_id"].map(ids)), purpose="order"), kind="stable")
    # In an order which tells nothing. Masked before anything is written: answers are compared with what was sent.
    blind = choose.blind(list(batch["item_id"]), drawn(_objects(batch["item_id"]), purpose="blind"), share=unshown)
    rows, masked = visible(params, _rows(workspace, round_id, params, batch.iloc[order], blind))
    known = [ids[item] for item in batch.loc[batch["reason"] == "gold", "item_id"]]
    sent, batch_id = [{**row, "item_id": ids[row["item_id"]]} for row in rows], digest(sorted(wanted))
    written = _files(workspace, params, round_id, sent)
    written |= _imports(workspace, params, _tools_batch(params, round_id, batch_id, sent, batch))
    deadline = at + timedelta(days=params.delivery.deadline_days)
    manifest = pack.manifest(
        round_id=round_id,
        batch_id=batch_id,
        classes=params.data.classes,
        default_overlap=1,
        overlap={item: count for item, count in wanted.items() if count > 1},
        exported_at=at,
        deadline=deadline,
        files=written,
        guideline_sha256=written["guideline.md"],
        annotators=params.delivery.annotators,
        answered={ids[item]: who for item, who in _answered(workspace, params, round_id, batch).items()},
        bad_row_share=params.delivery.bad_row_share,
        reading=params.delivery.reading(),
    )
    written["check.html"] = _check_page(workspace.pack(round_id), manifest)
    manifest["files"] = dict(sorted(written.items()))
    written["MANIFEST.json"] = files.write_json(workspace.pack(round_id) / "MANIFEST.json", manifest)
    return {
        "items": len(batch),
        "annotations": sum(wanted.values()),
        "exported_at": manifest["exported_at"],
        "deadline": manifest["deadline"],
        "price": str(params.delivery.price),
        "currency": params.delivery.currency,
        "vendor": params.export.vendor,
        "files": written,
        "guideline_sha256": written["guideline.md"],
        "tells": hidden.tells(
            [{name: row[name] for name in ("item_id", *params.export.columns)} for row in sent], known
        ),
        **masked,
        **_map(workspace, round_id, ids),
    }


def for_tools(workspace: Workspace, current: RoundState) -> Batch:
    """The items of a round whose pack is out as a labeling tool gets them, in the order of batch.csv."""
    name, params = current.id, journal.unchanged(workspace, current)
    batch, ids = tables.read_parquet(workspace.round(name) / "batch.parquet"), expected.sent_ids(workspace, name)
    place = {sent: number for number, sent in enumerate(intake.exported(workspace.pack(name) / "batch.csv"))}
    order = np.argsort([place[ids[item]] for item in batch["item_id"]])
    told = pack.exported_items((workspace.pack(name) / "batch.csv").read_bytes())
    blind = {item for item, sent in ids.items() if not told[sent].get(MODEL_CLASS)}
    rows, _ = visible(params, _rows(workspace, name, params, batch.iloc[order], blind))
    sent = [{**row, "item_id": ids[row["item_id"]]} for row in rows]
    return _tools_batch(params, name, str(expected.manifest(workspace, name)["batch_id"]), sent, batch)


def _answered(workspace: Workspace, params: Params, round_id: str, batch: pd.DataFrame) -> dict[str, list[str]]:
    """Who answered an item before, and may not do so again; of gold there is no such item."""
    items = set(batch.loc[batch["reason"] == overlapping.REASON, "item_id"])
    return overlap.answered(workspace, params, journal.read(workspace), round_id, items)


def _sent_ids(params: Params, items: list[str]) -> dict[str, str]:
    pack.check_ids(items)
    return surrogate.sent(items, key=pseudonym_key(params))


def _map(workspace: Workspace, round_id: str, ids: Mapping[str, str]) -> Facts:
    """Write ids.csv where an item goes out under another name than its own; its sha256."""
    path = workspace.round(round_id) / "ids.csv"
    if all(item == sent for item, sent in ids.items()):
        path.unlink(missing_ok=True)
        return {}
    data = csv_bytes([("item_id", "sent_id"), *sorted(ids.items())])
    return {"ids_sha256": files.write_bytes(path, data, mode=files.PRIVATE)}


def visible(params: Params, rows: list[dict[str, str]]) -> tuple[list[dict[str, str]], Facts]:
    """The rows as people may read them, and in how many cells what was masked, where params ask for it."""
    asked = params.privacy
    if not asked.mask and not asked.mask_patterns:
        return rows, {}
    columns = mask.maskable(params.export.columns, params.data.columns)
    own = places(asked.mask_patterns, mask.texts(rows, columns))
    covered, counts = mask.redact(rows, columns, asked.mask, own)
    names = (*asked.mask, *([mask.OWN] if asked.mask_patterns else []))
    return covered, {"masked": {name: counts.get(name, 0) for name in sorted(names)}}


def _files(workspace: Workspace, params: Params, round_id: str, rows: list[dict[str, str]]) -> dict[str, str]:
    """Write batch.csv and what goes with it; says their sha256."""
    folder, columns, shown = workspace.pack(round_id), params.export.columns, params.export.show_prediction
    numeric = [name for name in columns if params.data.columns[name] == "numeric"]
    data = pack.batch_csv(rows, columns, show_prediction=shown, numeric=numeric)
    package = pack.datapackage(columns, params.data.classes, show_prediction=shown)
    return {
        "batch.csv": files.write_bytes(folder / "batch.csv", data),
        "guideline.md": files.write_bytes(folder / "guideline.md", workspace.guideline.read_bytes()),
        "datapackage.json": files.write_json(folder / "datapackage.json", package),
        "contract.md": files.write_bytes(folder / "contract.md", papers.contract()),
    }


def _imports(workspace: Workspace, params: Params, sent: Batch) -> dict[str, str]:
    """Write the batch as the tools import it that params name; the files' sha256."""
    folder = workspace.pack(sent.round)
    writes = [write for name in params.export.format if name != "csv" and (write := FORMATS[name].write)]
    made = {file: data for write in writes for file, data in write(sent).items()}
    return {file: files.write_bytes(folder / file, data) for file, data in made.items()}


def _tools_batch(
    params: Params, round_id: str, batch_id: str, rows: list[dict[str, str]], batch: pd.DataFrame
) -> Batch:
    """The rows of batch.csv as a labeling tool gets them: of the model no more than params let annotators see."""
    columns, shown = params.export.columns, params.export.show_prediction
    names = ("item_id", *columns, *((MODEL_CLASS, MODEL_CONFIDENCE) if shown else ()))
    texts = [name for name in columns if params.data.columns[name] == "text"]
    return Batch(
        round=round_id,
        batch_id=batch_id,
        classes=params.data.classes,
        columns=columns,
        rows=[{name: row[name] for name in names} for row in rows],
        shows_model=shown,
        model_version=str(batch["model_version"].iloc[0]) if shown and len(batch) else "",
        text=next(iter(texts), ""),
    )


def _check_page(folder: Path, manifest: Mapping[str, object]) -> str:
    """Write the page on which the vendor checks a file against this pack; its sha256, for the manifest comes after."""
    return files.write_bytes(folder / "check.html", check_html(manifest, (folder / "batch.csv").read_bytes()))


def _rows(
    workspace: Workspace, round_id: str, params: Params, batch: pd.DataFrame, blind: Collection[str]
) -> list[dict[str, str]]:
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet", ["item_id", *params.export.columns])
    shown = batch[["item_id", "model_class", "model_confidence"]].merge(items, on="item_id", how="left")
    unseen = shown["item_id"].isin(list(blind))
    return spelled(shown.assign(**{name: shown[name].mask(unseen) for name in (MODEL_CLASS, MODEL_CONFIDENCE)}))


def spelled(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The rows of a table, each cell as a person reads it."""
    cells = {str(name): [_cell(value) for value in frame[name]] for name in frame.columns}
    return [{name: values[row] for name, values in cells.items()} for row in range(len(frame))]


def _cell(value: object) -> str:
    """A value as a person reads it: missing is empty, whole numbers have no point, others keep their digits."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value)) if isinstance(value, float) else str(value)


def _refuse_test_items(workspace: Workspace, round_id: str, batch: pd.DataFrame) -> None:
    params = journal.params_of(workspace, round_id)
    items = tables.read_parquet(workspace.round(round_id) / "items.parquet", ["item_id", *params.features])
    items = batch[["item_id"]].merge(items, on="item_id", how="outer")
    fix = "run hitl verify: it names what was changed since the batch was selected"
    table = f"the batch of {round_id}"
    firewall.refuse(workspace, params, items, table=table, undone="nothing was exported", fix=fix)


def _objects(ids: pd.Series) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    return ids.to_numpy(dtype=object)
