import time

from tasks.edges import parallel


def slept(_: None, seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_what_is_left_early_ends_the_calls_at_work() -> None:
    found, began = parallel.each(slept, None, [0.0, 120.0, 120.0], processes=2), time.monotonic()
    assert next(found) == (0, 0.0)
    found.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 60
