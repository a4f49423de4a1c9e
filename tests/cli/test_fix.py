"""`dlspec fix`: what it writes, what it leaves, and what it returns."""

import os
import stat

import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli

WRONG = "dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, dens: 8, output]  # 층\ntrain: {epocs: 5}\n"
RIGHT = WRONG.replace("dens", "dense").replace("epocs", "epochs")
CHOICE = "dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, output]\ntrain:\n  epochs: 5\n  epochs: 50\n"


def fix(*words, given=None):
    done = CliRunner().invoke(
        cli, ["fix", *map(str, words)], input=given, catch_exceptions=False, standalone_mode=False
    )
    return done.return_value, done.stdout, done.stderr


@pytest.fixture
def wrong(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(WRONG, encoding="utf-8")
    return path


def test_it_writes_the_cures_and_says_them(wrong):
    code, said, _ = fix(wrong)
    assert code == 0
    assert (
        said == f"{wrong}:3: there is no layer `dens`: write `dense`\n{wrong}:4: unknown key `epocs`: write `epochs`\n"
    )
    assert wrong.read_text(encoding="utf-8") == RIGHT


def test_from_python_nothing_is_written(wrong):
    fixed = dlspec.fix(wrong)
    assert (fixed.text, fixed.left) == (RIGHT, [])
    assert [problem.code for problem, _ in fixed.applied] == ["unknown-layer", "unknown-key"]
    assert wrong.read_text(encoding="utf-8") == WRONG
    assert dlspec.fix(WRONG).text == RIGHT


def test_a_spec_that_is_fine_is_not_written(wrong):
    wrong.write_text(RIGHT, encoding="utf-8")
    os.utime(wrong, (1, 1))
    assert fix(wrong) == (0, f"{wrong}: fine\n", "")
    assert wrong.stat().st_mtime == 1


def test_check_and_diff_write_nothing(wrong):
    assert fix(wrong, "--check")[0] == 1
    code, said, told = fix(wrong, "--diff")
    assert code == 0
    assert "-train: {epocs: 5}\n" in said
    assert "+train: {epochs: 5}\n" in said
    assert said.startswith(f"--- a{wrong}\n+++ b{wrong}\n")
    assert "write `dense`" in told
    assert wrong.read_text(encoding="utf-8") == WRONG


def test_of_several_cures_none_is_taken(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(CHOICE, encoding="utf-8")
    code, said, told = fix(path)
    assert (code, said) == (1, "")
    assert "not applied, since it is for you to choose: keep the one on line 5; or keep the one on line 6" in told
    assert path.read_text(encoding="utf-8") == CHOICE


def test_warnings_are_cured_where_that_is_asked_for(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(RIGHT.replace("epochs: 5", "optimizer: {adam: 1}"), encoding="utf-8")
    code, _, told = fix(path)
    assert code == 0
    assert "large-learning-rate" in told
    assert "adam: 1}" in path.read_text(encoding="utf-8")
    fix(path, "--warnings")
    assert "adam: 0.001}" in path.read_text(encoding="utf-8")


def test_the_mark_the_line_ends_and_the_rights_of_a_file_stay(wrong):
    wrong.write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", "\r\n").encode())
    wrong.chmod(0o640)
    assert fix(wrong)[0] == 0
    assert wrong.read_bytes() == b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(wrong.stat().st_mode) == 0o640


def test_standard_input_goes_to_standard_output():
    code, said, told = fix("-", given=WRONG)
    assert (code, said) == (0, RIGHT)
    assert "write `dense`" in told


def test_a_folder_and_a_file_that_is_not_there(wrong, tmp_path):
    code, _, told = fix(wrong.parent, tmp_path / "none.yaml")
    assert code == 3
    assert "cannot read" in told
    assert wrong.read_text(encoding="utf-8") == RIGHT
