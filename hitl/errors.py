"""The errors a person can act on, each with the exit code of the command that meets it."""


class HitlError(Exception):
    """Something a person can mend: the message names the value, the place, and the way out."""

    exit_code = 1


class ParamsError(HitlError):
    """params.yaml or the command line asks for what cannot be."""

    exit_code = 2


class MomentError(HitlError):
    """The wrong moment: no such round, already open, somebody else at work."""

    exit_code = 3


class DeliveryError(HitlError):
    """A delivery was rejected whole."""

    exit_code = 4


class DataError(HitlError):
    """The pool or the input data cannot be used as they are."""

    exit_code = 5


class IntegrityError(HitlError):
    """A digest does not match, or a test item leaked."""

    exit_code = 6


class GateError(HitlError):
    """A gate refused, or an approval is missing."""

    exit_code = 7
