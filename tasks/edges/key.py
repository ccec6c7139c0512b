"""The key of pseudonyms, out of the environment: it never gets into a file, a ledger or a message."""

import os

from hitl import surrogate
from hitl.errors import ParamsError
from hitl.params import Params

VARIABLE = "HITL_PSEUDONYM_KEY"
MINIMUM = 32
"""Characters. A key as the message proposes has 64 hexadecimal digits: 256 bits."""


def pseudonym_key(params: Params) -> bytes | None:
    """The key of the vendor's pseudonyms; None where params ask for none.

    Raises ParamsError, without a word of the key, when the environment holds none or a short one.
    """
    if not params.privacy.pseudonymise:
        return None
    master = os.environ.get(VARIABLE, "").strip()
    if len(master) >= MINIMUM:
        return surrogate.vendor_key(os.fsencode(master), params.export.vendor)
    found = f"has only {len(master)} characters of at least {MINIMUM}" if master else "is not set"
    raise ParamsError(
        f"privacy.pseudonymise wants a key in the environment, and {VARIABLE} {found}; make one and keep it outside "
        'the workspace: python -c "import secrets; print(secrets.token_hex(32))"'
    )
