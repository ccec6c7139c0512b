"""Write the pages that the code knows better than we do; `--check` says which of them are out of date.

python docs/generate.py [--check]
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from flows import cli
from hitl import errors
from hitl.consensus.methods import METHODS, chosen
from hitl.formats import FORMATS, Format
from hitl.params import MAY_CHANGE_MID_ROUND, Params
from hitl.state import MOVES, Move, Phase
from hitl.strategies import STRATEGIES, Strategy
from tests.spec import page

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by docs/generate.py from {source}: change that, then run it. -->"
_USEFUL, _DRAWN = "items of greatest utility", "items drawn at random from the pool"
_BOUNDS = {
    "minimum": "at least {}",
    "ge": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "{} or more",
}
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}


def round_states() -> str:
    """The table of moves, and the same as a picture."""
    phases = [["from", "event", "to", "what happened"]]
    phases += [[_from(move), f"`{event}`", _to(move), f"{move.says}"] for event, move in MOVES.items()]
    return _page(
        "How a round moves",
        "hitl/state.py",
        "A round is in one phase. An event that this table does not allow in that phase is refused, "
        "by every command and when the ledger is read.",
        _table(phases),
        _diagram(),
    )


def params() -> str:
    """Every section and key of params.yaml: what it may be, what it is without being said, what it means."""
    schema = Params.model_json_schema()
    parts = [part for name, field in Params.model_fields.items() for part in _section(name, field.annotation, schema)]
    keeps = ", ".join(f"`{name}`" for name in sorted(MAY_CHANGE_MID_ROUND))
    return _page(
        "params.yaml",
        "hitl/params.py",
        "Everything that changes a result. A key that is not here is refused; every problem is told at once, by line. "
        f"While a round is open, only {keeps} may change (and comments, and the guideline: a pack has its own copy); "
        "any other change is refused until the round closes. A round keeps the file that it was opened with "
        "(`params.opened.yaml` in its folder) and the one that it closes with (`params.yaml`).",
        *parts,
    )


def strategies() -> str:
    """What each strategy measures, and where it comes from."""
    intro = (
        "`query.strategy` in params.yaml names one of these. Each gives every item of the pool a utility in one pass "
        "over its files; the items of highest utility are sent out, or a shortlist of them is kept from which a batch "
        "of unlike items is made. Ties go by item_id. A share of the batch, `query.random_share`, is drawn at random "
        "whatever the strategy."
    )
    parts = [part for name, one in STRATEGIES.items() for part in (f"## {name}", *_strategy(one))]
    return _page("Query strategies", "hitl/strategies.py", intro, *parts)


def _strategy(one: Strategy) -> tuple[str, ...]:
    kept = [f"{times} x `query.batch` {what}" for times, what in ((one.useful, _USEFUL), (one.drawn, _DRAWN)) if times]
    return (one.says, f"Chosen from: {' and '.join(kept)}.") if one.spread else (one.says,)


def consensus() -> str:
    """What each method of consensus takes annotators to be, and where it comes from."""
    intro = (
        "`resolve.method` in params.yaml and `--method` of `hitl consensus` name one of these; `auto` chooses by what "
        "the answers can carry and says why. An item gets no label, and goes to adjudication, when its likeliest class "
        "is tied, less likely than `resolve.confidence`, or was answered by nobody. `best` names that class all the "
        "same. "
        "Confidences are tempered: by gold where there is some, else by what public crowds have shown."
    )
    parts = [part for name, one in METHODS.items() for part in (f"## {name}", inspect.getdoc(one) or "")]
    auto = ["## auto", inspect.getdoc(chosen) or ""]
    return _page("Methods of consensus", "hitl/consensus/methods.py", intro, *parts, *auto)


def commands() -> str:
    """Every command with its arguments and options, and the exit codes."""
    parts = [part for name in cli.hitl.commands for part in _command(name, cli.hitl.commands[name])]
    every = "Every command takes `--json`: one JSON object on stdout, and what it says while it works on stderr."
    return _page("Commands", "flows/cli.py", _help(cli.hitl), every, *parts, "## Exit codes", _exit_codes())


def contract() -> str:
    """The contract with a vendor, each rule with a file that the tests send."""
    title, text = page.contract().split("\n", maxsplit=1)
    return f"{title}\n\n{NOTE.format(source='tests/spec')}\n{text}"


def tools() -> str:
    """Every labeling tool's formats, and what each cannot hold, from the declarations that a test proves."""
    front = (ROOT / "docs" / "labeling-tools.front.md").read_text(encoding="utf-8").strip()
    parts = [part for one in FORMATS.values() for part in _tool(one)]
    return _page(
        "Labeling tools", "hitl/formats and docs/labeling-tools.front.md", front, "## What each can hold", *parts
    )


def _tool(one: Format) -> list[str]:
    head = [["export", "known as", "refused without `--accept-loss`, because it drops", "import of a pack"]]
    writes = f"`export.format: [{one.name}]`" if one.write else "none"
    rows = [[kind.title, f"`{one.name}` {name}", kind.lost or "-", writes] for name, kind in one.flavours.items()]
    keys = list(dict.fromkeys(key for kind in one.flavours.values() for key in kind.cannot_hold))
    losses = [[f"`{key}`", *(kind.cannot_hold.get(key, "kept") for kind in one.flavours.values())] for key in keys]
    table = _table([["cannot hold", *(kind.title for kind in one.flavours.values())], *losses])
    return [f"### {one.title}", one.transport, *filter(None, [one.reading]), _table([*head, *rows]), table]


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/round-states.md": round_states,
    "docs/params.md": params,
    "docs/query-strategies.md": strategies,
    "docs/consensus-methods.md": consensus,
    "docs/commands.md": commands,
    "docs/vendor-contract.md": contract,
    "docs/labeling-tools.md": tools,
    "tasks/edges/contract.md": page.contract,  # goes into every pack; tests are not installed
}


def stale() -> list[str]:
    """The pages whose file is not what the code says."""
    return [name for name, made in PAGES.items() if not (ROOT / name).is_file() or _read(name) != made()]


def main(arguments: list[str]) -> int:
    """Write what is out of date, or with `--check` only tell; the exit code is 1 when something was told."""
    names = stale()
    for name in names:
        print(f"{name} is out of date" if "--check" in arguments else f"wrote {name}")
        if "--check" not in arguments:
            (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
    return int("--check" in arguments and bool(names))


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _page(title: str, source: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE.format(source=source), *parts]) + "\n"


def _table(rows: Iterable[Iterable[str]]) -> str:
    head, *body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def _from(move: Move) -> str:
    return ", ".join(move.allowed) or "(no round)"


def _to(move: Move) -> str:
    return str(move.leads_to) if move.leads_to else "(stays)"


def _diagram() -> str:
    moves: dict[tuple[str, str], list[str]] = {}
    for event, move in MOVES.items():
        for phase in move.allowed or ("[*]",):
            moves.setdefault((str(phase), str(move.leads_to or phase)), []).append(event)
    lines = [f"    {start} --> {end}: {', '.join(names)}" for (start, end), names in moves.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, f"    {Phase.CLOSED} --> [*]", "```"])


def _section(name: str, model: object, schema: Mapping[str, Any]) -> list[str]:
    assert isinstance(model, type)  # noqa: S101 - sections are models
    assert issubclass(model, BaseModel)  # noqa: S101
    found = schema["$defs"][model.__name__]
    rows = [["key", "may be", "default", "means"]]
    for key, one in found["properties"].items():
        default = "(required)" if key in found.get("required", []) else f"`{_spelled(one.get('default'))}`"
        rows.append([f"`{key}`", _allowed(one, schema), default, one["description"]])
    return [f"## {name}", inspect.getdoc(model) or "", _table(rows)]


def _allowed(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value may be, in words: its kind, and its bounds."""
    bounds = ", ".join(words.format(one[key]) for key, words in _BOUNDS.items() if key in one)
    return f"{_kind(one, schema)}{', ' if bounds else ''}{bounds}"


def _kind(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in one:
        fields = schema["$defs"][one["$ref"].rpartition("/")[2]]["properties"]
        return "{" + "; ".join(f"{key}: {_allowed(field, schema)}" for key, field in fields.items()) + "}"
    if "enum" in one or "const" in one:
        return ", ".join(f"`{value}`" for value in one.get("enum", [one.get("const")]))
    if "decimal_places" in one:
        return "amount"
    if "anyOf" in one:
        return " or ".join(dict.fromkeys(_allowed(other, schema) for other in one["anyOf"]))
    if one["type"] == "array":
        return f"list of {_kind(one['items'], schema)}"
    if one["type"] == "object":
        return f"name: {_kind(one['additionalProperties'], schema)}"
    return _WORDS[one["type"]]


def _spelled(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _command(name: str, command: click.Command) -> list[str]:
    if isinstance(command, click.Group):
        within = [part for one, inner in command.commands.items() for part in _command(f"{name} {one}", inner)]
        return [f"## hitl {name}", _help(command), *within]
    context = click.Context(command, info_name=f"hitl {name}", terminal_width=100)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    records = [one.get_help_record(context) for one in command.params if "--json" not in one.opts]
    options = [[f"`{record[0]}`", record[1].replace("  [", " [")] for record in records if record and record[1]]
    said = [_table([["option", "means"], *options])] if options else []
    return [f"## hitl {name}", _help(command), f"    {usage}", *said]


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _exit_codes() -> str:
    known = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.HitlError)]
    ordered = sorted((one for one in known if one is not errors.HitlError), key=lambda one: one.exit_code)
    rows = [["0", "done"], ["1", "anything unforeseen"]]
    return _table([["code", "means"], *rows, *([str(one.exit_code), inspect.getdoc(one) or ""] for one in ordered)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
