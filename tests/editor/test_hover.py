"""What a word means, in English and Korean."""

from dlspec.editor.hover import explain_at
from tests.editor.test_completion import at_bar

TEXT = """\
dlspec: 1
data: {dataset: digits}
model:
  - flatten
  - dense: {units: 16, activation: relu, name: h}
  - output
train: {epochs: 5, optimizer: adam}
"""


def told(word, language="en", text=TEXT):
    hover = explain_at(*at_bar(text.replace(word, f"{word[0]}|{word[1:]}", 1)), language=language)
    return hover and hover.text


def test_a_key_with_its_range_and_default():
    assert told("epochs") == "**epochs**: Passes over the training data.\n\nWhole number, 1 or more.  \nDefault: 20."


def test_a_layer_with_its_shapes_and_parameters():
    text = told("dense")
    assert text.startswith("**dense**: Multiplies the last axis by a matrix and adds a bias")
    assert "`h`: (batch, 64) → (batch, 16) · 1,040 parameters · 2,080 FLOPs a sample" in text


def test_a_value_with_what_it_is_and_its_key():
    text = told("relu")
    assert text.startswith("**relu**: max(0, x)")
    assert "**activation**: Function of what comes out" in text


def test_a_name_alone_in_a_list():
    assert "(batch, 8, 8) → (batch, 64)" in told("flatten")


def test_in_korean_with_english_where_there_is_none():
    text = told("dense", "ko")
    assert "매개변수 1,040개" in text
    assert "마지막 축에 행렬을 곱하고" in text
    assert "Multiplies the last axis" in text
    assert told("epochs", "ko").startswith("훈련은 데이터를 5번")


def test_shapes_are_told_also_where_other_lines_are_wrong():
    assert "(batch, 64) → (batch, 16)" in told("dense", "ko", TEXT.replace("adam", "adamm"))


def test_a_variable_with_its_value():
    text = TEXT.replace("units: 16", "units: $wide") + "variables: {wide: 16}\n"
    assert told("$wide", text=text).startswith("`$wide` = `16`")


def test_it_says_which_word_it_explains():
    hover = explain_at(*at_bar(TEXT.replace("epochs", "ep|ochs")))
    assert (hover.line, hover.column, hover.end_line, hover.end_column, hover.name) == (7, 9, 7, 15, "epochs")


def test_between_words_and_outside_of_the_text_there_is_nothing():
    assert explain_at("dlspec: 1\n\n# epochs\n", 2, 1) is None
    assert explain_at("dlspec: 1\n# epochs\n", 2, 4) is None
    assert explain_at("", 99, 99) is None
    assert explain_at("{", 1, 1) is None
