"""No text of a table is a formula to a spreadsheet, and each comes back as it was."""

from hypothesis import example, given
from hypothesis import strategies as st

from dlspec.runtime.cells import as_cell, from_cell


@given(st.text(st.sampled_from("'=+-@\t\r1.eab "), max_size=6))
@example("=1+1")
@example("'=1+1")
@example("''-x")
def test_a_cell_is_no_formula_and_comes_back(text):
    cell = as_cell(text)
    assert from_cell(cell) == text
    if cell[:1] in {*"=+-@\t\r"}:
        float(cell)


def test_numbers_and_words_stay():
    for text in ("-1", "+5", "-1.5e3", "1-2", "a=b", "", "'quoted'", "don't"):
        assert as_cell(text) == text
