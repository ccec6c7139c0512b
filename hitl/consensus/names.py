"""What the methods are called; known to params and the command line before numpy is."""

from typing import Literal

ConsensusName = Literal["majority", "weighted", "shared", "dawid_skene", "with_model"]
MethodName = Literal["auto", "majority", "weighted", "shared", "dawid_skene", "with_model"]
