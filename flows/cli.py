"""The `hitl` command. It parses, calls, and prints; nothing heavy is imported for what does not need it."""

import errno
import json
import logging
import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import Any, Literal, cast, get_args

import click

from flows import say
from hitl import __version__
from hitl.consensus.names import MethodName
from hitl.errors import HitlError, MomentError
from hitl.layout import Workspace
from hitl.ledger import Facts
from hitl.visible import escaped, visible, visible_lines
from hitl.withdrawal import Kind
from tasks.edges.quiet import quiet

ENGINES = ("auto", "direct", "prefect")
METHODS = get_args(MethodName)
PATIENCE = 30.0
"""Seconds that deliveries, and what is quick, wait for a command that is at work."""
WAYS_OUT: Mapping[int | None, str] = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or have the quota raised",
    errno.EFBIG: "have the limit on the size of files raised (ulimit -f)",
    errno.EROFS: "make the folder writable (it is mounted read-only)",
    errno.EACCES: "get the right to it (ls -l says who has it)",
    errno.EPERM: "get the right to it (ls -l says who has it)",
}
"""What a person can do when the system refuses a file, by its reason."""


class Commands(click.Group):
    """Commands in the order of a round, and our errors as messages with their exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        try:
            return super().invoke(ctx)
        except HitlError as error:
            self._refuse(ctx, str(error), error.exit_code)
        except OSError as error:
            if error.errno not in WAYS_OUT:
                raise
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
            way_out = WAYS_OUT[error.errno]
            self._refuse(ctx, f"{what}; {way_out}, and run the command again: what was done is safe", 1)

    def _refuse(self, ctx: click.Context, why: str, code: int) -> None:
        click.echo(visible_lines(f"hitl: {why}"), err=True)
        if ctx.meta.get("json"):
            click.echo(_as_json({"error": why, "exit": code}))
        ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="hitl")
@click.option(
    "-C", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Work in this folder."
)
@click.pass_context
def hitl(ctx: click.Context, folder: Path) -> None:
    """Human-in-the-loop label rounds: choose the batch, hand it off, take labels back, retrain, prove it.

    A round is: hitl open, send the pack, hitl ingest FILE, hitl close. Or let a schedule run hitl advance.
    """
    ctx.obj = folder


def command(
    name: str | None = None,
    *,
    of: click.Group = hitl,
    **extra: Any,  # noqa: ANN401
) -> Callable[[Callable[..., tuple[Facts, str]]], click.Command]:
    """A command whose function returns (facts, text): --json prints the facts as one object, else the text."""

    def made(function: Callable[..., tuple[Facts, str]]) -> click.Command:
        def shown(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401
            ctx.meta["json"] = as_json
            facts, text = function(**options)
            code = facts.pop("exit", 0)
            click.echo(_as_json(facts) if as_json else text)
            ctx.exit(int(str(code)))

        called = update_wrapper(click.pass_context(shown), function)
        asked = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")(called)
        return of.command(name or function.__name__.rstrip("_"), **extra)(asked)

    return made


engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="auto: Prefect where a server answers (PREFECT_API_URL or hitl up), else plain calls.",
)


accept_loss_option = click.option(
    "--accept-loss", is_flag=True, help="Take an export of a labeling tool that drops what another one of it has."
)


def here() -> Workspace:
    """The workspace that the current folder lies in."""
    start = (click.get_current_context().obj or Path()).resolve()
    for folder in (start, *start.parents):
        if (folder / "data" / "ledger.jsonl").is_file():
            return Workspace(folder)
    raise MomentError(f"{start} is not in a workspace: make one with hitl init or hitl demo, or change into one")


def there(folder: Path) -> Workspace:
    return Workspace(((click.get_current_context().obj or Path()) / folder).resolve())


@command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("hitl-demo"))
@click.option("--rounds", type=click.IntRange(1, 40), default=6, show_default=True, help="Rounds to run.")
@click.option(
    "--engine", type=click.Choice(ENGINES[1:]), default="prefect", show_default=True, help="What runs the rounds."
)
def demo(folder: Path, rounds: int, engine: str) -> tuple[Facts, str]:
    """Run whole rounds on real handwritten digits, against the simulated vendor."""
    from flows import demo as demonstration

    return demonstration.run(
        there(folder), rounds=rounds, wanted=cast(Literal["direct", "prefect"], engine), tell=_tell
    )


@command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--from", "source", required=True, type=click.Path(path_type=Path), help="A CSV, TSV or Parquet file.")
@click.option("--label", required=True, metavar="COL", help="The column of classes; empty where unlabeled.")
@click.option("--id", "id_", metavar="COL", help="The column that names the items.")
@click.option("--text", metavar="COL", help="The column to learn words from.")
@click.option("--initial", type=click.IntRange(min=2), metavar="N", help="Size of the initial set.")
@click.option(
    "--test",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Share of the labeled rows held out as the test set.",
)
@click.option("--hide", is_flag=True, help="A rehearsal: every row has a label; hide the pool's.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the split and of params.yaml."
)
def init(folder: Path, source: Path, id_: str | None, **options: Any) -> tuple[Facts, str]:  # noqa: ANN401
    """Make a workspace out of your own table."""
    from flows import start

    facts = start.from_file(there(folder), source, id=id_, **options)
    return facts, say.created(facts, folder)


@command()
def plan() -> tuple[Facts, str]:
    """What the next round would send, cost and bring, and why no more labels are asked for; changes nothing."""
    from tasks import plan as planning

    facts = planning.plan(here())
    return facts, say.planned(facts)


@command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--label", metavar="COL", help="FILE's column of classes; rows without one are left out.")
@click.option("--id", "id_", metavar="COL", help="FILE's column that names the items.")
@click.option("--text", metavar="COL", help="FILE's column to learn words from.")
@click.option(
    "--strategy", "strategies", multiple=True, metavar="NAME", help="Try this one. [default: diverse, margin]"
)
@click.option("--batch", "batches", multiple=True, type=click.IntRange(min=1), metavar="N", help="Items a batch.")
@click.option(
    "--overlap", "overlaps", multiple=True, type=click.IntRange(1, 20), metavar="N", help="Annotators an item. [1]"
)
@click.option(
    "--noise", "noises", multiple=True, type=click.FloatRange(0, 1), metavar="P", help="How often one errs. [0]"
)
@click.option("--seeds", type=click.IntRange(1, 1000), default=8, show_default=True, help="Runs of each setting.")
@click.option("--initial", type=click.IntRange(min=2), metavar="N", help="Items to begin with. [2 a class]")
@click.option("--rows", type=click.IntRange(min=20), default=4000, show_default=True, help="Use at most so many items.")
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="At once. [as many as processors]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="HTML", help="Where the page goes.")
def rehearse(
    file: Path | None,
    *,
    label: str | None,
    id_: str | None,
    text: str | None,
    out: Path | None,
    rows: int,
    initial: int | None,
    processes: int | None,
    **asked: Any,  # noqa: ANN401
) -> tuple[Facts, str]:
    """Play rounds on labels that are known already: which strategy and batch needs the fewest annotations?

    On FILE (needs no workspace), or on the workspace: all its items where data/truth.csv has their labels, else the
    labeled set. --strategy, --batch, --overlap and --noise may each be given several times: every combination is
    tried, beside random choice. Nothing changes but the page, by default rehearsal.html or .hitl/rehearsal.html.
    """
    from tasks import rehearse as rehearsing

    plan = rehearsing.plan_of(**asked)
    if file is None:
        if label or id_ or text:
            raise click.UsageError("--label, --id and --text speak of a FILE, and none is given")
        workspace = here()
        page = out or workspace.local / "rehearsal.html"
        facts = rehearsing.rehearse(workspace, plan, rows=rows, initial=initial, processes=processes, out=page)
    else:
        if not label:
            raise click.UsageError("--label COL is missing: the column of FILE that holds the classes")
        page = out or Path("rehearsal.html")
        facts = rehearsing.rehearse_file(
            file, plan, label=label, id=id_, text=text, rows=rows, initial=initial, processes=processes, out=page
        )
    return facts, say.rehearsed(facts)


@command("open")
@engine_option
def open_(engine: str) -> tuple[Facts, str]:
    """Train, score the pool, select the batch, export the pack; also where advance would ask for no more labels."""
    from flows.engine import perform
    from hitl import outcome
    from tasks import journal

    workspace = here()
    done = perform("open", workspace, engine, tell=_tell)
    name, params = str(done["round"]), journal.params(workspace)
    facts = {**done, **outcome.opened(journal.left_by(workspace, "exported", name), name, params)}
    facts["pack"] = str(workspace.pack(name))
    return facts, say.opened(facts)


@command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--pack",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check against this pack, without a workspace.",
)
@accept_loss_option
def check(file: Path, pack: Path | None, accept_loss: bool) -> tuple[Facts, str]:
    """The verdict that ingest would give; changes nothing."""
    from tasks import ingest as ingesting

    facts = (
        ingesting.check_with_pack(file, pack, accept_loss=accept_loss)
        if pack
        else ingesting.check(here(), file, accept_loss=accept_loss)
    )
    return _verdict([(facts, say.receipt(facts))])


@command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@accept_loss_option
def ingest(files: tuple[Path, ...], accept_loss: bool) -> tuple[Facts, str]:
    """Take deliveries; each is answered with a receipt."""
    from tasks import receipts
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "ingest", wait=PATIENCE):
        answers = [receipts.ingested(workspace, file, accept_loss=accept_loss) for file in files]
    return _verdict([(say.answer_facts(answer), say.answer(answer)) for answer in answers])


tool_names = click.Choice(["label_studio", "doccano"])


@command()
@click.argument("tool", type=tool_names)
@click.option("--project", type=click.IntRange(min=1), metavar="ID", help="A project of the tool's; else one is made.")
@click.option("--url", metavar="URL", help="The tool's server; else LABEL_STUDIO_URL or DOCCANO_URL says where.")
@click.option(
    "--webhook", metavar="URL", help="Where Label Studio calls after each answer: the address of hitl listen."
)
def push(tool: str, project: int | None, url: str | None, webhook: str | None) -> tuple[Facts, str]:
    """Put the open round's items into a labeling tool, those that are not there yet.

    Who we are there is in the environment: LABEL_STUDIO_API_KEY, or DOCCANO_USERNAME and DOCCANO_PASSWORD.
    """
    from tasks import push as pushing
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "push", wait=PATIENCE):
        facts = pushing.push(workspace, tool, url=url, project=project, webhook=webhook)
    return facts, say.pushed(facts)


@command()
@click.argument("tool", type=tool_names, required=False)
def pull(tool: str | None) -> tuple[Facts, str]:
    """Take what annotators have finished at the tools that the open round was pushed to.

    It goes through the same door as a file given to hitl ingest; what was taken before is not taken again.
    """
    from tasks import pull as pulling
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "pull", wait=PATIENCE):
        answers = pulling.pull(workspace, tool)
    if not answers:
        return {"receipts": []}, "nobody has finished anything yet"
    old = "nothing new since the last pull"
    return _verdict([(say.answer_facts(one), old if pulling.is_old(one) else say.answer(one)) for one in answers])


@command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="The port to listen at.")
@engine_option
def listen(host: str, port: int, engine: str) -> tuple[Facts, str]:
    """Run advance whenever Label Studio calls with the shared secret in HITL_WEBHOOK_SECRET, until stopped.

    A call is a reason to look, and nothing more: what it holds is not read.
    """
    from flows import listen as listening

    listening.listen(here(), host, port, engine=engine, tell=_tell)
    return {}, ""


@command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the CSV goes.")
@click.option("--label-field", default="", metavar="NAME", help="The question to take, where there are several.")
@click.option("--annotator", default="", metavar="NAME", help="Who answered, where the export does not say.")
@click.option("--importer", multiple=True, metavar="NAME", help="Who imported labels (doccano): no human gave those.")
@accept_loss_option
def convert(file: Path, out: Path, importer: tuple[str, ...], **asked: Any) -> tuple[Facts, str]:  # noqa: ANN401
    """Any labeling tool's export to annotations.csv; needs no workspace.

    Tool and flavour are told by the content. An answer to several questions takes a row for each.
    """
    from hitl.formats import Asked
    from tasks import convert as converting

    facts = converting.convert(file, out, Asked(importers=frozenset(importer), **asked))
    return facts, say.converted(facts)


@command()
@click.option(
    "--noise", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="How often an annotator errs."
)
@click.option("--annotators", type=click.IntRange(1, 50), default=3, show_default=True, help="People at the vendor.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of their answers.")
@click.option("--messy", is_flag=True, help="Send a file with slips first, then the redo file mended.")
def simulate(noise: float, annotators: int, seed: int, messy: bool) -> tuple[Facts, str]:
    """The simulated vendor labels the open round's pack and delivers."""
    from tasks import simulate as simulating
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "simulate"):
        answers = simulating.simulate(workspace, annotators=annotators, noise=noise, seed=seed, messy=messy)
    return _verdict([(say.answer_facts(answer), say.answer(answer)) for answer in answers])


@command()
@click.option("--partial", is_flag=True, help="Close although answers are missing.")
@engine_option
def close(partial: bool, engine: str) -> tuple[Facts, str]:
    """Validate, resolve, retrain, evaluate, promote, report."""
    from flows.engine import perform
    from hitl import outcome
    from tasks import journal

    workspace = here()
    done = perform("close", workspace, engine, tell=_tell, partial=partial)
    left = journal.left_by(workspace, "closed", str(done["round"]))
    facts = {**done, **outcome.closed(left, str(done["round"]), journal.params(workspace))}
    facts["report"] = str(workspace.round(str(done["round"])) / "report.html")
    return facts, say.closed(facts)


@command()
@engine_option
def advance(engine: str) -> tuple[Facts, str]:
    """Do whatever is due; what a schedule runs. Where a rule of `stop` in params.yaml holds, no round is opened."""
    from flows.engine import perform
    from hitl import screen
    from tasks import journal

    workspace = here()
    facts = perform("advance", workspace, engine, tell=_tell)
    facts["next"] = screen.next_step(journal.read(workspace), journal.params(workspace), journal.now())
    return facts, say.advanced(facts)


@command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--item", "items", multiple=True, metavar="ID", help="Put this item into the file, too, though settled.")
@click.option("--all", "everything", is_flag=True, help="Put the items that wait for another annotator into it, too.")
def adjudicate(file: Path | None, items: tuple[str, ...], everything: bool) -> tuple[Facts, str]:
    """Write the items that wait for an adjudicator to a file; with FILE, take the decisions that were filled in.

    The labels that a model which did not learn them contradicts most stand in the file, too, the worst first.
    A decision outranks every answer. It counts from the next closing on; hitl undo decision withdraws it.
    """
    from tasks import adjudicate as adjudicating, doubts, journal
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "adjudicate", wait=PATIENCE):
        if file is None:
            doubted = doubts.doubted(workspace, journal.params(workspace))
            facts = adjudicating.write(workspace, items, doubted, everything=everything)
            return facts, say.to_settle(facts)
        facts = adjudicating.take(workspace, file)
    return _verdict([(facts, say.decided(facts))])


@command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the labels here.")
@click.option(
    "--method", type=click.Choice(METHODS), default="auto", show_default=True, help="How answers are weighed."
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="An item less sure than this goes to adjudication.",
)
@click.option("--gold", type=click.Path(path_type=Path), help="A file of item_id, label: answers that are known.")
@click.option(
    "--probabilities",
    type=click.Path(path_type=Path),
    help="A file of item_id and a column a class, by a model that did not learn from these answers.",
)
@click.option("--item", metavar="COL", help="The column of items, if FILE calls it otherwise than item_id.")
@click.option("--annotator", metavar="COL", help="The column of annotators, likewise.")
@click.option("--label", metavar="COL", help="The column of answers, likewise.")
def consensus(
    file: Path,
    out: Path,
    *,
    method: str,
    confidence: float,
    gold: Path | None,
    probabilities: Path | None,
    item: str | None,
    annotator: str | None,
    label: str | None,
) -> tuple[Facts, str]:
    """Labels out of any file of item_id, annotator_id, label; needs no workspace.

    OUT has a row an item: its label, or none where it needs adjudication (a tie, a low confidence, a class that nobody
    answered); the best class all the same; the votes; and how sure that is.
    """
    from hitl.params import Resolve
    from tasks import consensus as resolving

    rule = Resolve(method=cast(MethodName, method), confidence=confidence)
    columns = {"item_id": item, "annotator_id": annotator, "label": label}
    facts = resolving.consensus(file, out, rule, columns=columns, gold=gold, probabilities=probabilities)
    return facts, say.agreed(facts)


@command()
def status() -> tuple[Facts, str]:
    """One screen: rounds, budget, champion, what is awaited, what to do next."""
    from hitl import screen
    from tasks import annotators, awaited, guideline, journal

    workspace = here()
    state, params = journal.read(workspace), journal.params(workspace)
    shown = screen.view(
        state,
        params,
        name=workspace.name,
        at=journal.now(),
        awaited=awaited.awaited(workspace, state),
        annotators=annotators.newest(workspace, state),
        regraded=annotators.regraded(workspace, state),
        guideline=guideline.newest(workspace, state),
    )
    return shown, screen.text(shown)


@command()
@click.argument("round_id", metavar="[ROUND]", required=False)
def report(round_id: str | None) -> tuple[Facts, str]:
    """The path of a round's HTML report (the newest by default), written anew if it is missing."""
    from tasks import report as reporting

    facts = reporting.find(here(), round_id)
    return facts, str(facts["report"])


@command()
@click.argument("annotators", nargs=-1, metavar="[ANNOTATOR]...")
@click.option("--round", "round_id", metavar="ROUND", help="Up to this round.  [default: the newest that is closed]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the letters go.")
def letter(annotators: tuple[str, ...], round_id: str | None, out: Path | None) -> tuple[Facts, str]:
    """Write a letter to each annotator: how the answers held up, what there is to learn, what they changed, thanks.

    A page and a plain text each, by default in data/letters/ROUND. Nobody else is named in them, and nobody is ranked
    unless letter.leaderboard asks for it. Whose answers are held as suspicious gets none until that is decided.
    """
    from tasks import letters
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "letter", wait=PATIENCE):
        facts = letters.letters(workspace, annotators, round_id=round_id, out=out, tell=_tell)
    return facts, say.lettered(facts)


@command()
@click.option(
    "--standalone",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a verifier to FILE that needs Python alone, to go with evidence, and end.",
)
def verify(standalone: Path | None) -> tuple[Facts, str]:
    """Check the ledger's chain, every digest it names, and what git and MLflow remember of it, offline."""
    from tasks import verify as verifying

    if standalone:
        facts = verifying.standalone(standalone)
        return facts, f"{standalone} verifies a workspace with Python 3.9 or later alone: python3 {standalone} FOLDER"
    facts = verifying.verify(here())
    return {**facts, "exit": 6 if facts["problems"] else 0}, verifying.text(facts)


@command()
@click.option("--tidy", is_flag=True, help="First clear away what a killed command left.")
def doctor(tidy: bool) -> tuple[Facts, str]:
    """Say what is wrong with the workspace, why it matters, and the command that mends it; changes nothing by itself.

    It works where the others fail. The exit code is that of the worst of what it finds.
    """
    from tasks import doctor as doctoring, journal

    start = (click.get_current_context().obj or Path()).resolve()
    workspace = doctoring.home(start) or here()
    cleared = doctoring.tidy(workspace) if tidy else []
    facts = {"cleared": cleared, **doctoring.doctor(workspace, journal.now())}
    return facts, say.examined(facts)


reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept in the ledger.")


@command()
@click.argument("kind", type=click.Choice(get_args(Kind)))
@click.argument("of", metavar="ID")
@reason_option
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
def undo(kind: str, of: str, reason: str, dry_run: bool) -> tuple[Facts, str]:
    """Withdraw a delivery or a file of decisions (8+ digits of its sha256), an annotator or a round.

    All that followed is rebuilt: afterwards everything is as if those rows had never come. What was paid or published
    for them is told as corrections; packs stay as they went out. To undo an exclusion is the way back: the answers of
    an annotator who was withdrawn, or held as suspicious, count again, and resolve.policy does not hold them any more.
    """
    from flows import repair

    act = repair.preview if dry_run else repair.undo
    facts = act(here(), cast(Kind, kind), of, reason=reason)
    return facts, say.undone(facts, dry_run=dry_run)


@command()
@reason_option
def rollback(reason: str) -> tuple[Facts, str]:
    """Put the previous champion back; said again with another reason, the one before it."""
    from flows import repair

    facts = repair.rollback(here(), reason=reason)
    return facts, f"{facts['champion']} is champion again in place of {facts['previous']}"


class Share(click.ParamType):  # type: ignore[type-arg] # has one since click 8.3
    """A share of a whole, written 3% or 0.03."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - as click has it
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{text!r} is no share: write 3% or 0.03", param, ctx)
        return share


@hitl.group()
def audit() -> None:
    """Acceptance: an auditor looks at a few items of a lot, and the lot is accepted or sent back."""


@command("sample", of=audit)
@click.argument("of", metavar="[ROUND|DELIVERY]", required=False)
@click.option("--error", type=Share(), required=True, help="Accept only if at most this share is wrong: 3%.")
@click.option("--confidence", type=Share(), default="95%", show_default=True, help="How sure the verdict must be.")
@click.option(
    "--good", type=Share(), help="A lot with no more wrong than this should pass.  [default: a third of --error]"
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the auditor's file goes.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept in the ledger.")
def draw_audit(
    of: str | None, error: float, confidence: float, good: float | None, out: Path | None, reason: str
) -> tuple[Facts, str]:
    """Draw what an auditor must see of a round's labels (the newest by default), or of a delivery.

    The file has what annotators saw, in the order to answer it in, and nothing of what anybody said. A delivery is
    called by 8+ digits of its sha256.
    """
    from tasks import audit as auditing
    from tasks.edges.lock import locked

    workspace, good = here(), error / 3 if good is None else good
    with locked(workspace, "audit sample", wait=PATIENCE):
        facts = auditing.draw(workspace, of, out, error=error, good=good, confidence=confidence, reason=reason)
    return facts, say.drawn(facts)


@command("close", of=audit)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--auditor", metavar="NAME", help="Who answered; by default who runs this.")
def close_audit(file: Path, auditor: str | None) -> tuple[Facts, str]:
    """Accept the lot that FILE was drawn from, or send it back; exits 7 when it is sent back.

    As soon as the answers decide, the rest need not be answered.
    """
    from tasks import audit as auditing
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "audit close", wait=PATIENCE):
        facts = auditing.close(workspace, file, auditor=auditor)
    return {**facts, "exit": 0 if facts["verdict"] == "accepted" else 7}, say.audited(facts)


@command()
@click.option("--check", is_flag=True, help="Compare only, and change nothing.")
def rebuild(check: bool) -> tuple[Facts, str]:
    """Recompute every derived table and model from deliveries and params; write back what is damaged."""
    from tasks import rebuild as rebuilding
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "rebuild"):
        facts = rebuilding.rebuild(workspace, check=check)
    differs = facts["differences"] or (check and facts["files"])
    return {**facts, "exit": 6 if differs else 0}, say.recomputed(facts)


@command()
@click.argument("round_id", metavar="ROUND")
def replay(round_id: str) -> tuple[Facts, str]:
    """Choose a round's batch again, with the pool, the model and the params of then, and compare it item for item."""
    from tasks import rebuild as rebuilding
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, "replay"):
        facts = rebuilding.replay(workspace, round_id)
    return {**facts, "exit": 6 if facts["different"] else 0}, say.replayed(facts)


@command()
@click.argument("name", type=click.Choice(["train", "evaluate"]))
def step(name: str) -> tuple[Facts, str]:
    """One step on its own: what dvc.yaml calls."""
    from tasks import evaluate, train
    from tasks.edges.lock import locked

    workspace = here()
    with locked(workspace, f"step {name}", wait=PATIENCE):
        facts = {"train": train.fit, "evaluate": evaluate.measure}[name](workspace)
    return facts, say.stepped(name, facts)


@command()
def up() -> tuple[Facts, str]:
    """Start the workspace's own Prefect server and MLflow UI on this machine."""
    from flows import services as ours

    facts = ours.up(here(), tell=_tell).facts()
    return facts, say.running(facts)


@command()
def down() -> tuple[Facts, str]:
    """Stop what hitl up started."""
    from flows import services as ours

    stopped = ours.down(here())
    return {"stopped": list(stopped)}, f"stopped {', '.join(stopped)}" if stopped else "nothing was running"


@command()
def serve() -> tuple[Facts, str]:
    """Register advance with Prefect on the schedule of params.yaml, and serve it until stopped."""
    from flows import serve as serving

    serving.serve(here(), tell=_tell)
    return {}, ""


def _verdict(said: list[tuple[Facts, str]]) -> tuple[Facts, str]:
    """Receipts together: the exit code is 4 when a delivery was rejected, but for bytes that are known already."""
    refused = any(f["verdict"] == "reject" and f["reasons"] != ["F_DUPLICATE_DELIVERY"] for f, _ in said)
    facts: Facts = dict(said[0][0]) if len(said) == 1 else {"receipts": [facts for facts, _ in said]}
    return {**facts, "exit": 4 if refused else 0}, "\n\n".join(text for _, text in said)


def _as_json(facts: Facts) -> str:
    return escaped(json.dumps(facts, ensure_ascii=False, default=str))


def _tell(text: str) -> None:
    click.echo(visible_lines(text), err=True)


class _Line(logging.Formatter):
    """One line a record, whatever a stranger's text in it would do to a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging has it
        return visible(super().formatMessage(record))


def _log_to_stderr() -> None:
    handler, log = logging.StreamHandler(sys.stderr), logging.getLogger("hitl")
    handler.setFormatter(_Line("hitl: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # a line that Prefect's server does not take is no trouble of ours to print


def main() -> None:
    """Run the command line."""
    quiet()
    _log_to_stderr()
    sys.exit(hitl(standalone_mode=True))
