"""One function over many arguments in processes of their own: fresh ones, so that no thread of ours is copied."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from hitl.errors import HitlError

Argument = TypeVar("Argument")
Found = TypeVar("Found")
_shared: list[Any] = []


def each(
    function: Callable[[Any, Argument], Found], shared: object, arguments: Sequence[Argument], *, processes: int
) -> Iterator[tuple[int, Found]]:
    """`function(shared, argument)` for every argument: (the argument's place, what came back), as they are done.

    With one process it runs here. `function` must be a module's own. Raises what a call raises, and HitlError when the
    system ends a process. Where it is left early, the calls at work are ended.
    """
    if min(processes, len(arguments)) <= 1:
        yield from ((place, function(shared, one)) for place, one in enumerate(arguments))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(processes, len(arguments)), context, _begin, (shared,))
    try:
        waiting = {pool.submit(_call, function, one): place for place, one in enumerate(arguments)}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    except BrokenProcessPool as error:
        raise HitlError(
            "the system ended a process of ours, most likely for want of memory; try again with fewer processes"
        ) from error
    except BaseException:  # Ctrl-C above all: what nobody waits for any more must not be waited for
        for one in multiprocessing.active_children():
            one.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(shared: object) -> None:
    _shared[:] = [shared]


def _call(function: Callable[[Any, Argument], Found], argument: Argument) -> Found:
    return function(_shared[0], argument)
