"""Where everything lies in a workspace. Names only: nothing here touches a disk."""

import re
from dataclasses import dataclass
from pathlib import Path

from hitl.errors import MomentError

BASELINE = "r0000"
_ROUND = re.compile(r"r([0-9]{4}|[1-9][0-9]{4,})")


def round_id(number: int) -> str:
    """The name of round `number`.

    >>> round_id(3)
    'r0003'
    """
    return f"r{number:04d}"


def round_number(name: str) -> int:
    """The number of the round called `name`; raises MomentError when it is no round's name.

    >>> round_number("r0003")
    3
    """
    if not _ROUND.fullmatch(name):
        raise MomentError(f"{name!r} is not a round: rounds are called r0001, r0002, ... (`hitl status` lists them)")
    return int(name[1:])


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of the workspace at `root`."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def dvc_yaml(self) -> Path:
        return self.root / "dvc.yaml"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.jsonl"

    @property
    def pool(self) -> Path:
        return self.data / "pool"

    @property
    def initial(self) -> Path:
        return self.data / "initial.parquet"

    @property
    def test(self) -> Path:
        return self.data / "test.parquet"

    @property
    def gold(self) -> Path:
        return self.data / "gold.parquet"

    @property
    def truth(self) -> Path:
        return self.data / "truth.csv"

    @property
    def guideline(self) -> Path:
        return self.data / "guideline.md"

    @property
    def labeled(self) -> Path:
        """The labeled set of now, with its features: what the next model is trained on."""
        return self.data / "labeled.parquet"

    @property
    def model(self) -> Path:
        return self.data / "model"

    @property
    def evaluation(self) -> Path:
        return self.data / "evaluation"

    @property
    def learning_curve(self) -> Path:
        return self.data / "learning_curve.csv"

    @property
    def comparison(self) -> Path:
        """What as many randomly chosen items would have taught, where that was measured."""
        return self.data / "comparison.csv"

    @property
    def deliveries(self) -> Path:
        """Raw deliveries byte for byte, named by their sha256, each with its receipt and redo file."""
        return self.data / "deliveries"

    @property
    def decisions(self) -> Path:
        """Files of decisions byte for byte, named by their sha256, each with what was taken of it and its receipt."""
        return self.data / "decisions"

    @property
    def adjudication(self) -> Path:
        """What waits for an adjudicator, as it was written last."""
        return self.data / "adjudication"

    @property
    def letters(self) -> Path:
        """Letters to annotators, a folder a round. They belong to no version: they are made again of what does."""
        return self.data / "letters"

    @property
    def inbox(self) -> Path:
        return self.data / "inbox"

    @property
    def outbox(self) -> Path:
        return self.data / "outbox"

    @property
    def local(self) -> Path:
        """What belongs to this machine alone: the lock, servers, MLflow's database. Never in git or DVC."""
        return self.root / ".hitl"

    @property
    def spool(self) -> Path:
        """A delivery that is being taken, for its owner alone."""
        return self.local / "spool"

    def round(self, name: str) -> Path:
        return self.data / "rounds" / name

    def opened_params(self, name: str) -> Path:
        """The parameters that the round was opened with."""
        return self.round(name) / "params.opened.yaml"

    def round_params(self, name: str) -> Path:
        """The parameters that the round closed with."""
        return self.round(name) / "params.yaml"

    def pack(self, name: str) -> Path:
        return self.round(name) / "pack"
