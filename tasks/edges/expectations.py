"""Great Expectations: the engine that asks rules of tables. It decides nothing and keeps nothing.

Its Data Docs print values unescaped, so none are made: what it finds goes back as records.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hitl.rules import Finding, Rule, found, unasked

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

LONG = 1_000
"""Values in a set above which it is narrowed: GX copies a set some 130 times (100,000 values cost 15 s of CPU)."""
# Rows come back as index numbers. `unexpected_index_column_names` would say the same 40 times slower.
RESULT_FORMAT: dict[str, object] = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


def check(frame: pd.DataFrame, rules: Sequence[Rule], *, key: str = "item_id") -> tuple[Finding, ...]:
    """A finding for each of `rules` on `frame`, in their order, as `hitl.rules.failures` gives them.

    The first call pays for the import of GX: 7 s of CPU.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    named = {name for rule in rules for name in rule.columns}
    asked = frame[[name for name in frame.columns if name in named]].reset_index(drop=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tables").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": asked})
    expectations = [_expectation(rule, asked, position) for position, rule in enumerate(rules)]
    results = batch.validate(gx.ExpectationSuite("door", expectations=expectations), result_format=RESULT_FORMAT)
    # GX puts the results that raised first, so the place is carried along and not counted.
    by_place = {_place(result): result for result in results.results}
    return tuple(_finding(rule, by_place[place], frame, key) for place, rule in enumerate(rules))


def _place(result: "ExpectationValidationResult") -> int:
    config = result.expectation_config
    if config is None or config.meta is None:
        raise TypeError("Great Expectations lost what it was asked")
    return int(config.meta["place"])


def _finding(rule: Rule, result: "ExpectationValidationResult", frame: pd.DataFrame, key: str) -> Finding:
    positions = np.sort(np.asarray(result.result.get("unexpected_index_list") or [], dtype=np.intp))
    if len(positions):
        return found(rule, frame, positions, key)
    broken = unasked(rule, frame, _exception(result.exception_info))
    return Finding(rule, success=bool(result.success) and not broken, broken=broken)


def _exception(info: Mapping[str, object]) -> str:
    """What GX could not do, from either shape of `exception_info`: one record, or one a metric."""
    records = [info, *(record for record in info.values() if isinstance(record, Mapping))]
    raised = [str(record["exception_message"]) for record in records if record.get("raised_exception")]
    return raised[0] if raised else ""


def _expectation(rule: Rule, frame: pd.DataFrame, place: int) -> dict[str, object]:
    kind, kwargs = _asked(rule, frame)
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"place": place}}


def _asked(rule: Rule, frame: pd.DataFrame) -> tuple[str, dict[str, object]]:
    """GX's name for `rule`, and what GX wants to know of it."""
    column = {"column": rule.columns[0]} if rule.columns else {}
    match rule.check:
        case "rows":
            high = {} if np.isinf(rule.high) else {"max_value": int(rule.high)}
            return "table_row_count_to_be_between", {"min_value": int(rule.low), **high}
        case "distinct":
            return "column_unique_value_count_to_be_between", {**column, "min_value": int(rule.low)}
        case "present":
            return "column_to_exist", {**column}
        case "filled":
            return "column_values_to_not_be_null", {**column}
        case "unique" if len(rule.columns) > 1:
            return "compound_columns_to_be_unique", {"column_list": list(rule.columns)}
        case "unique":
            return "column_values_to_be_unique", {**column}
        case "among" | "apart":
            refused, values = _narrowed(rule, frame)
            return f"column_values_to_{'not_' if refused else ''}be_in_set", {**column, "value_set": values}
        case "within":
            bounds = {"min_value": rule.low, "max_value": rule.high, "strict_min": True}
            return "column_values_to_be_between", {**column, **bounds}
        case "matches":
            return "column_values_to_match_regex", {**column, "regex": rule.pattern}


def _narrowed(rule: Rule, frame: pd.DataFrame) -> tuple[bool, list[str]]:
    """Whether the set is one of refused values, and its values: of a long set only those that matter to the column."""
    refused, column = rule.check == "apart", rule.columns[0]
    if len(rule.values) <= LONG or column not in frame.columns:
        return refused, sorted(rule.values)
    stand = set(frame[column].dropna().unique())
    # To be in a long set is to be none of the few values that stand in the column and not in the set.
    return True, sorted(stand & rule.values if refused else stand - rule.values, key=str)
