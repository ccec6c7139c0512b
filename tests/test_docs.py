from docs import generate


def test_the_pages_that_code_writes_are_what_it_would_write_now() -> None:
    assert generate.stale() == [], "run: python docs/generate.py"
