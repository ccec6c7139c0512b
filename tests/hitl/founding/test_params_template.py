from decimal import Decimal

from hypothesis import given, strategies as st

from hitl.founding.params_template import render
from hitl.params import SKIP, Budget, Data, Delivery, Model, Params, Section, parse

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def params(**sections: Section) -> Params:
    return Params(**{"data": Data(id="id", label="y", classes=("a", "b"), columns={"x": "numeric"}), **sections})  # type: ignore[arg-type]


def test_what_is_written_is_read_back() -> None:
    ours = params(
        model=Model(options={"C": 1e-05, "tol": 1e16, "verbose": True, "solver": "no", "n": None, "k": 3}),
        delivery=Delivery(annotators=("007", "null"), price=Decimal("0.12")),
        budget=Budget(annotations=5, money=Decimal("10.50")),
    )
    assert parse(render(ours)) == ours


@given(
    st.lists(WORDS.filter(lambda word: word != SKIP), min_size=2, unique=True), st.dictionaries(WORDS, st.just("text"))
)
def test_any_class_and_any_column_name_survive(classes: list[str], columns: dict[str, str]) -> None:
    data = Data(id="NA", label="1E5", classes=tuple(classes), columns=columns)  # type: ignore[arg-type]
    assert parse(render(Params(data=data))).data == data


def test_every_key_has_its_documentation_above_it() -> None:
    lines = render(params()).splitlines()
    keys = [number for number, line in enumerate(lines) if ":" in line and line.lstrip()[0] not in '#"-']
    assert len(keys) > 35
    assert all(lines[number - 1].lstrip().startswith("# ") for number in keys)
