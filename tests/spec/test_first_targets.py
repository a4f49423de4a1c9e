"""Which column `init` predicts: never an id, a row number or a copy; by name, place and values."""

import random

import pytest

from dlspec.language.diagnostics.errors import DataError
from dlspec.spec.first_spec import look_at, write_start

ROWS = 120


def table(folder, **columns):
    """A table from functions of the row's number, or from lists whose words are drawn."""
    draw = random.Random(1)
    names = [name.replace("__", " ") for name in columns]
    lines = [",".join(names)]
    for row in range(ROWS):
        lines.append(",".join(str(make(row) if callable(make) else draw.choice(make)) for make in columns.values()))
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return look_at("t.csv", folder=folder)


def spread(row):
    return round((row * 37 % ROWS) ** 1.5 / 7, 2)


def other(row):
    return round((row * 53 % ROWS) ** 0.5 * 3, 2)


def count(row):
    return row + 1


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"PassengerId": count, "Survived": [0, 1], "Sex": ["f", "m"], "Age": other, "Fare": spread}, "Survived"),
        ({"customerID": count, "tenure": other, "charges": spread, "Churn": ["Yes", "No"]}, "Churn"),
        ({"Id": count, "LotArea": spread, "YearBuilt": range(1900, 2000), "SalePrice": other}, "SalePrice"),
        ({"age": other, "workclass": ["a", "b", "c"], "sex": ["f", "m"], "income": ["<=50K", ">50K"]}, "income"),
        ({"class": ["e", "p"], "shape": ["x", "b", "s"], "odor": ["a", "l"], "habitat": ["g", "u"]}, "class"),
        ({"번호": count, "나이": other, "성별": ["남", "여"], "소득": spread, "구매여부": [0, 1]}, "구매여부"),
        ({"시군구": ["가", "나"], "전용면적": spread, "거래금액": other, "층": range(20)}, "거래금액"),
        ({"x": spread, "y": other, "z": lambda row: spread(row + 7), "kind": ["a", "b"]}, "kind"),
        ({"price": other, "log_price": lambda row: other(row) ** 0.5, "rooms": range(1, 7)}, "price"),
        ({"V1": spread, "V2": other, "V3": lambda row: "ab"[spread(row) > 90]}, "V3"),
        ({"dose": [1, 2, 3], "supplement": ["a", "b"], "len": spread}, "len"),
        ({"married": ["no", "yes"], "beds": range(1, 5), "prce": spread, "foreign": ["no", "yes"]}, "prce"),
        ({"pctold": spread, "crmrte": other, "density": lambda row: other(row + 3)}, "crmrte"),
        ({"x": spread, "partic": ["no", "yes"], "kids": ["no", "yes"], "z": other}, "partic"),
        ({"re74": spread, "re75": other, "re78": lambda row: spread(row + 9), "kind": ["a", "b"]}, "re78"),
        ({"lag": spread, "low": lambda row: int(other(row) < 12), "size": [1, 2, 3, 4], "mass": other}, "low"),
    ],
)
def test_the_likeliest_column_is_chosen(tmp_path, columns, target):
    start = table(tmp_path, **columns)
    assert start.target == target
    assert start.likely[0].column == target
    assert start.likely[0].why


@pytest.mark.parametrize("name", ["y", "target", "zz"])
def test_a_column_that_counts_the_rows_is_neither_target_nor_feature(tmp_path, name):
    start = table(tmp_path, size=spread, kind=["a", "b"], **{name: count})
    assert start.target in ("size", "kind")
    assert name not in start.features
    assert start.left_out[name] == "counts the rows"


@pytest.mark.parametrize(
    ("name", "make", "why"),
    [
        ("customer_id", lambda row: 1000 + row * 7 % 40, "an id"),
        ("user_index", lambda row: 1000 + row * 7 % ROWS, "an id"),
        ("heat_index", lambda row: 20 + row * 7 % 40, None),
        ("body mass index", lambda row: round(20 + row * 7 % 40 / 3, 1), None),
        ("number", lambda row: 1 + row * 7 % 5, None),
    ],
)
def test_an_id_is_no_feature_and_an_index_of_something_is_one(tmp_path, name, make, why):
    start = table(tmp_path, size=spread, kind=["a", "b"], **{name: make})
    assert start.left_out.get(name) == why
    assert (name in start.features) == (why is None and start.target != name)


def test_a_copy_of_the_target_is_no_feature_and_no_target(tmp_path):
    said = {0: "no", 1: "yes"}
    start = table(tmp_path, age=spread, survived=lambda row: row * 7 % 3 % 2, alive=lambda row: said[row * 7 % 3 % 2])
    assert start.target == "survived"
    assert start.left_out["alive"] == "says the same as survived"
    assert "alive (says the same as survived)" in write_start(start)
    assert "alive" not in [each.column for each in start.likely]


def test_the_number_behind_a_target_is_no_feature(tmp_path):
    """`low` says which `mass` lies below a limit; two groups that differ are no limit."""
    start = table(tmp_path, low=lambda row: int(other(row) < 12), size=[1, 2, 3], mass=other)
    assert (start.target, start.features) == ("low", ("size",))
    assert start.left_out["mass"] == "low says on which side of a limit it lies"
    apart = table(tmp_path, low=lambda row: int(row % 2), size=[1, 2, 3], mass=lambda row: other(row) + row % 2 * 90)
    assert "mass" in apart.predicting("low").features


def test_a_file_is_called_after_its_target(tmp_path):
    draw = random.Random(2)
    lines = ["stay,doctor,wait", *(f"{draw.random()},{draw.randrange(9)},{draw.random()}" for _ in range(ROWS))]
    for name in ("table.csv", "doctors.csv"):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    assert look_at("table.csv", folder=tmp_path).target != "doctor"
    start = look_at("doctors.csv", folder=tmp_path)
    assert start.target == "doctor"
    assert "the file is called so" in start.likely[0].why


def test_what_never_changes_is_not_predicted(tmp_path):
    assert table(tmp_path, size=spread, age=other, target=["1", "01", "1.0"]).target != "target"
    assert table(tmp_path, size=spread, age=other, target=[1]).target != "target"


@pytest.mark.parametrize(
    ("name", "values", "is_class"),
    [
        ("class", [1, 2, 3], True),
        ("Cover_Type", range(1, 8), True),
        ("target", [0, 1, 2], True),
        ("target", [3, 5, 8], False),
        ("target", range(40), False),
        ("quality", range(3, 9), False),
        ("class", range(60), False),
    ],
)
def test_whole_numbers_are_classes_where_name_and_values_say_so(tmp_path, name, values, is_class):
    start = table(tmp_path, size=spread, width=other, **{name: list(values)}).predicting(name)
    assert start.task == ("class" if is_class else "number")
    assert (f"target: {{{name}: category}}" in write_start(start)) == is_class


def test_a_table_of_row_numbers_and_a_result_keeps_the_numbers(tmp_path):
    start = table(tmp_path, trial=count, result=spread)
    assert (start.target, start.features) == ("result", ("trial",))


def test_tags_of_words_are_no_classes(tmp_path):
    def said(row):
        return " ".join(f"w{row * place % 41}" for place in range(1, 2 + row % 6))

    def tags(row):
        return " ".join("OXY"[row * place % 3] for place in range(1, 2 + row % 6))

    with pytest.raises(DataError, match="`tags` has a tag for each word of `said`") as error:
        table(tmp_path, said=said, tags=tags)
    assert '{sequence: " "}' in error.value.diagnostics[0].help
    start = table(tmp_path, said=said, tags=tags, price=spread)
    assert start.target == "price"
    with pytest.raises(DataError, match="`tags` has a tag for each word"):
        start.predicting("tags")
    assert table(tmp_path, said=said, other=lambda row: said(row).upper(), price=spread).tagged == {}
