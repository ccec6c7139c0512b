from decimal import Decimal

import pytest

from hitl.errors import ParamsError
from hitl.params import MAY_CHANGE_MID_ROUND, Params, parse
from tests.factories import params, params_text

SMALL = """\
data:
  id: id
  label: species
  classes: [cat, dog]
  columns: {weight: numeric, note: text}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ParamsError) as caught:
        parse(text)
    return str(caught.value).split("\n")


def test_a_small_file_is_enough() -> None:
    found = parse(SMALL)
    assert found.data.classes == ("cat", "dog")
    assert (found.query.strategy, found.query.batch) == ("diverse", 30)
    assert found.features == {"weight": "numeric", "note": "text"}


def test_an_ignored_column_is_no_feature() -> None:
    assert params(data={"columns": {"weight": "numeric", "url": "ignored"}}).features == {"weight": "numeric"}


def test_every_problem_is_told_at_once_by_line_and_key() -> None:
    text = SMALL + "query:\n  strategy: guess\n  batch: -3\nmodel:\n  seed: 1.5\nevaluate: {metric: auc}\n"
    found = problems(text)
    assert [one.split(": ")[0] for one in found] == [
        "params.yaml:10",
        "params.yaml:7",
        "params.yaml:8",
        "params.yaml:11",
    ]
    assert "query.strategy" in found[1]
    assert "(got 'guess')" in found[1]
    assert "'margin'" in found[1]


def test_a_missing_key_is_told_at_its_section() -> None:
    assert problems(SMALL.replace("  label: species\n", "")) == ["params.yaml:1: data.label: Field required"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("classes: [cat, NO]", "put it in quotes (got False)"),
        ("classes: [cat, ~]", "put it in quotes (got None)"),
        ("classes: [cat, 007]", "put it in quotes (got 7)"),
        ("classes: [cat, 1.0]", "put it in quotes (got 1.0)"),
        ("classes: [cat, 2026-01-01]", "put it in quotes"),
    ],
)
def test_a_class_that_yaml_reads_as_something_else_wants_quotes(written: str, said: str) -> None:
    (found,) = problems(SMALL.replace("classes: [cat, dog]", written))
    assert found.startswith("params.yaml:4: data.classes.1: ")
    assert said in found


@pytest.mark.parametrize("name", ["NA", "None", "1E5", "nan", "café", "00012x"])
def test_an_awkward_class_stays_what_it_is(name: str) -> None:
    assert parse(SMALL.replace("dog", name)).data.classes == ("cat", name)
    assert parse(params_text(data={"classes": ["cat", name]})).data.classes == ("cat", name)


@pytest.mark.parametrize("name", ["NO", "007", "1.0", "", "~", "null", "2026-01-01", "1e5", "<<"])
def test_a_quoted_class_stays_what_it_is(name: str) -> None:
    assert parse(SMALL.replace("dog", f"'{name}'")).data.classes == ("cat", name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + "modle: {}\n", "params.yaml:6: modle: no such key; did you mean 'model'?"),
        (
            SMALL + "query:\n  strateggy: margin\n",
            "params.yaml:7: query.strateggy: no such key; did you mean 'strategy'?",
        ),
        (
            SMALL + "  image: {prefix: p, widht: 8, height: 8, maximum: 1}\n",
            "params.yaml:6: data.image.widht: no such key; did you mean 'width'?",
        ),
        (SMALL + "versioning: {zzz: 1}\n", "params.yaml:6: versioning.zzz: no such key; there are push"),
    ],
)
def test_a_misspelled_key_is_told_the_nearest_one(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_key_that_stands_twice_is_refused() -> None:
    assert problems(SMALL + "query:\n  batch: 5\n  batch: 6\n") == [
        "params.yaml:8: query.batch: the key stands here twice"
    ]


@pytest.mark.parametrize("text", ["", "[]", "data", "- a\n- b\n", "# nothing\n"])
def test_a_file_without_sections_is_refused(text: str) -> None:
    assert "expected sections" in problems(text)[0]


@pytest.mark.parametrize("text", ["data: [", "a: b: c", "\tdata: 1", SMALL + "query: {batch: 2026-13-45}\n", "a: \x01"])
def test_what_is_not_yaml_is_refused(text: str) -> None:
    assert problems(text)[0].startswith("params.yaml: not YAML")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"data": {"classes": ["cat"]}}, "at least 2"),
        ({"data": {"classes": ["cat", "cat"]}}, "a class is named twice"),
        ({"data": {"classes": ["cat", "<skip>"]}}, "reserved for skips"),
        ({"export": {"columns": ["colour"]}}, "no such column in data.columns: colour"),
        ({"schedule": {"cron": "@hourly"}}, "a cron line has five fields"),
        ({"delivery": {"price": -1}}, "greater than or equal to 0"),
        ({"delivery": {"price": "free"}}, "a decimal number (got 'free')"),
        ({"export": {"gold": -1}}, "export.gold: a number of items (0, 1, 2, ...) or a share"),
        ({"export": {"gold": 1.0}}, "such as 0.1 (got 1.0)"),
        ({"export": {"gold": "3"}}, "such as 0.1 (got '3')"),
        ({"export": {"gold": True}}, "such as 0.1 (got True)"),
        ({"delivery": {"currency": "euro"}}, "pattern"),
        ({"delivery": {"currency": "EURO"}}, "pattern"),
        ({"query": {"batch": True}}, "valid integer"),
        ({"query": {"batch": "30"}}, "valid integer"),
        ({"query": {"random_share": 1.2}}, "less than or equal to 1"),
        ({"resolve": {"agreement": 1.0}}, "less than 1"),
        ({"export": {"vendor": "../acme"}}, "pattern"),
        ({"privacy": {"mask": ["iban"]}}, "'email', 'phone' or 'card' (got 'iban')"),
        ({"privacy": {"mask_patterns": ["x*"]}}, "matches where nothing stands"),
    ],
)
def test_what_cannot_be_is_refused(sections: dict[str, dict[str, object]], said: str) -> None:
    assert said in "\n".join(problems(params_text(**sections)))


def test_a_pattern_that_does_not_compile_is_told_by_its_line() -> None:
    (found,) = problems(SMALL + "privacy:\n  mask_patterns:\n    - 'K[0-9]+'\n    - '(unclosed'\n")
    assert found.startswith("params.yaml:9: privacy.mask_patterns.1: not a regular expression")
    assert "'(unclosed'" in found


@pytest.mark.parametrize("price", [0.12, "0.12"])
def test_a_price_keeps_the_digits_it_was_written_with(price: object) -> None:
    assert params(delivery={"price": price}).delivery.price == Decimal("0.12")


def test_a_model_depends_on_its_columns_classes_and_settings_alone() -> None:
    same = params(query={"batch": 7}, export={"gold": 3}, model={"trusted_types": ["ours.Made"]})
    other = params(model={"options": {"C": 2.0}})
    assert same.model_sha256() == params().model_sha256()
    assert other.model_sha256() != params().model_sha256()


@pytest.mark.parametrize("name", ["Made", "ours.", "ours.Made()", "*", ""])
def test_a_trusted_type_is_named_in_full(name: str) -> None:
    with pytest.raises(ParamsError, match=r"model\.trusted_types\.0: not the full name of a type"):
        params(model={"trusted_types": [name]})


def test_every_key_says_what_it_is() -> None:
    sections = {name: field.annotation for name, field in Params.model_fields.items()}
    assert all(section.__doc__ for section in sections.values())
    silent = [
        f"{name}.{key}"
        for name, one in sections.items()
        for key, field in one.model_fields.items()
        if not field.description
    ]  # type: ignore[union-attr]
    assert silent == []


ANOTHER: dict[str, object] = {
    "data.classes": ["cat", "dog", "newt"],
    "data.columns": {"weight": "categorical"},
    "data.image": {"prefix": "p", "width": 1, "height": 1, "maximum": 1.0},
    "model.estimator": "random_forest",
    "export.overlap_most": 2,
    "model.options": {"C": 2.0},
    "model.factory": "ours:made",
    "model.trusted_types": ["ours.Made"],
    "query.strategy": "entropy",
    "resolve.method": "majority",
    "resolve.reasons": ["wrong"],
    "export.columns": ["weight"],
    "export.format": ["csv", "label_studio"],
    "delivery.annotators": ["ann"],
    "delivery.format": "csv",
    "delivery.label_field": "answer",
    "delivery.importers": ["admin"],
    "delivery.take": ["draft"],
    "delivery.repeat": "last",
    "resolve.policy": "hold",
    "delivery.currency": "USD",
    "evaluate.metric": "macro_f1",
    "budget.annotations": 5,
    "budget.money": 5,
    "stop.target": 0.9,
    "stop.gain": 0.01,
    "privacy.mask": ["email"],
    "privacy.mask_patterns": ["K[0-9]+"],
    "schedule.cron": "0 6 * * 1",
    "schedule.timezone": "Europe/Paris",
}
"""Another value of a key, where it is neither a number, a truth nor a name."""


def changed(key: str) -> Params:
    """The parameters with another value of one key."""
    section, name = key.split(".")
    value = getattr(getattr(params(), section), name)
    if key not in ANOTHER and not isinstance(value, bool | int | float | Decimal | str):
        pytest.fail(f"say in ANOTHER what {key} could be besides {value!r}")
    return params(**{section: {name: ANOTHER[key] if key in ANOTHER else _other(value)}})


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case Decimal():
            return "0.5"
        case float():
            return 0.75
        case _:
            return f"{value}x"


KEYS = [f"{name}.{key}" for name, one in Params.model_fields.items() for key in one.annotation.model_fields]  # type: ignore[union-attr]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_counts_for_an_open_round_but_those_that_may_change(key: str) -> None:
    same = changed(key).sha256() == params().sha256()
    assert changed(key) != params()
    assert same == (key.partition(".")[0] in MAY_CHANGE_MID_ROUND)


def test_what_a_person_adds_for_people_changes_nothing() -> None:
    spelled = "# why\n\n" + params_text().replace("batch: 30", "batch:   30   # enough for a day") + "\n# end\n"
    assert parse(spelled).sha256() == params().sha256()
