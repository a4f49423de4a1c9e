"""Files from other editors and keyboards: encodings, full-width signs and odd spaces are named for what they are."""

import codecs

import pytest

from dlspec.language.yaml import read_file, read_text

KOREAN = "dlspec: 1\nname: 주가\n"


@pytest.mark.parametrize(
    ("data", "said", "line", "column"),
    [
        (KOREAN.encode("cp949"), "CP949", 2, 7),
        ("name: Müller für Größe\n".encode("cp1252"), "WINDOWS-1252", 1, 8),
        (codecs.BOM_UTF16_LE + KOREAN.encode("utf-16-le"), "UTF-16", 1, 1),
        (KOREAN.encode("utf-16-be"), "UTF-16BE", 1, 1),
        (b"name: \x81 \x8d \x8f\n", "0x81", 1, 7),
    ],
)
def test_another_encoding_is_named_with_the_way_to_save_it(tmp_path, data, said, line, column):
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    problem = read_file(path).problems[0]
    assert problem.code == "not-utf-8"
    assert said in problem.message
    assert "UTF-8" in problem.help
    assert (problem.span.line, problem.span.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "values", "columns"),
    [
        ("name：lstm\n", {"name": "lstm"}, [5]),
        ("a: ［1，2］\n", {"a": [1, 2]}, [4, 6, 8]),
        ("a: ｛b：1｝\n", {"a": {"b": 1}}, [4, 6, 8]),
        ("a:\n－ 1\n", {"a": [1]}, [1]),
        ("＃ words\na: 1\n", {"a": 1}, [1]),
        ("a:\u00a01\n", {"a": 1}, [3]),
        ("a:\n\u3000\u3000b: 1\n", {"a": {"b": 1}}, [1]),
    ],
)
def test_a_full_width_sign_is_named_and_read_as_what_was_meant(text, values, columns):
    source = read_text(text)
    assert source.root.plain() == values
    assert {p.code for p in source.problems} <= {"full-width-sign", "odd-space"}
    assert [p.span.column for p in source.problems] == columns
    assert all(p.help.startswith("type ") for p in source.problems)


@pytest.mark.parametrize("text", ['a: "x：y，［z］"\n', "a: 가격：종가\n", "a: |\n  x：y\n", "a: 1  # 값：하나，둘\n"])
def test_in_text_and_comments_such_signs_are_what_they_are(text):
    assert not read_text(text).problems


def test_a_column_behind_a_mended_colon_is_the_one_in_the_file():
    source = read_text("name：lstm\nb：{c: 1, c: 2}\n")
    repeated = next(p for p in source.problems if p.code == "repeated-key")
    assert (repeated.span.line, repeated.span.column) == (2, 10)
