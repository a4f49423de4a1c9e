"""`dlspec validate` over files, folders and standard input, in every format, and comments that silence warnings."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from dlspec.api import validate
from dlspec.language.diagnostics import Findings, render
from dlspec.language.yaml import read_file
from tests.commands import dlspec
from tests.conftest import SPIRALS

GOOD = "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: 4}, output]\n"
BAD = "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dens: 4}, output]\n"
RATE = "train: {optimizer: {sgd: 50}}"
WARNED = f"{GOOD}{RATE}\n"


def codes(text):
    return [problem.code for problem in validate("dlspec: 1\n" + text)]


@pytest.fixture
def folder(tmp_path):
    """A folder with a spec that is fine, one below it that is not, and files that are no specs."""
    (tmp_path / "more" / "runs" / "x").mkdir(parents=True)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "more" / "bad.yml").write_text(BAD)
    (tmp_path / "more" / "runs" / "x" / "spec.yaml").write_text(BAD)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / ".hidden.yaml").write_text(BAD)
    return tmp_path


# --- which files


@pytest.mark.parametrize("argument", [".", "**/*.y*ml"])
def test_a_folder_or_a_pattern_stands_for_the_specs_in_it(folder, argument):
    done = dlspec("validate", argument, "good.yaml", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.count("good.yaml: fine") == 1
    assert "bad.yml:3:10: error[unknown-layer]" in done.stderr
    if argument == ".":
        assert "compose" not in done.stderr + done.stdout
        assert "hidden" not in done.stderr


def test_standard_input_is_named_so():
    done = dlspec("validate", "-", input=BAD)
    assert done.returncode == 1
    assert done.stderr.startswith("<stdin>:3:10: error[unknown-layer]")


@pytest.mark.parametrize("argument", ["nowhere", "empty", "*.toml"])
def test_where_no_spec_is_that_is_an_error_and_the_others_are_still_checked(folder, argument):
    (folder / "empty").mkdir()
    done = dlspec("validate", argument, "more", cwd=folder)
    assert done.returncode == 3
    assert "error[file-not-found]" in done.stderr
    assert "error[unknown-layer]" in done.stderr


def test_quiet_prints_problems_alone_and_strict_counts_warnings_as_errors(write_spec):
    path = write_spec(WARNED)
    assert dlspec("validate", "-q", write_spec(GOOD, "good.yaml")).stdout == ""
    assert dlspec("validate", path).returncode == 0
    done = dlspec("validate", "--strict", path)
    assert done.returncode == 1
    assert "error[large-learning-rate]" in done.stderr


# --- formats


@pytest.fixture
def findings(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "두 %,.yaml").write_text(BAD.replace("dens", "주가"), encoding="utf-8")
    files = ["good.yaml", "more/bad.yml", "두 %,.yaml"]
    return [Findings(file, validate(file), read_file(file).texts) for file in files]


def test_github_annotations_stand_at_the_place(findings):
    first, second = render("github", findings).splitlines()
    assert first.startswith("::error file=more/bad.yml,line=3,col=10,endLine=3,endColumn=14,title=unknown-layer::there")
    assert "%0Ahelp: did you mean `dense`?" in first
    assert "file=두 %25%2C.yaml," in second


def test_sarif_names_rule_place_and_message(findings):
    (run,) = json.loads(render("sarif", findings))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "unknown-layer"
    first, second = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "more/bad.yml"
    assert place["region"] == {"startLine": 3, "startColumn": 10, "endLine": 3, "endColumn": 14}
    assert first["message"]["text"].endswith("help: did you mean `dense`?")
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%EB%91%90%20%25%2C.yaml"


def test_junit_has_a_test_for_each_file(findings):
    suite = ElementTree.fromstring(render("junit", findings)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    good, bad, _ = suite.findall("testcase")
    assert len(good) == 0
    assert bad.find("failure").get("type") == "unknown-layer"
    assert "^^^^" in bad.find("failure").text


@pytest.mark.everyday("json", "sarif")
@pytest.mark.parametrize("form", ["json", "github", "sarif", "junit"])
def test_every_format_is_written_to_standard_output_with_the_same_exit_code(folder, form):
    done = dlspec("validate", ".", "--format", form, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert "unknown-layer" in done.stdout


# --- explanations


def test_explain_prints_what_a_code_means_and_the_nearest_when_there_is_none():
    done = dlspec("validate", "--explain", "shape-mismatch")
    assert done.stdout.startswith("shape-mismatch: ")
    done = dlspec("validate", "--explain", "shape-mismach")
    assert done.returncode == 2
    assert "did you mean `shape-mismatch`?" in done.stderr


# --- `# dlspec: ignore[code] reason`


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (WARNED, ["large-learning-rate"]),
        (f"{GOOD}{RATE}  # dlspec: ignore[large-learning-rate] it converges\n", []),
        (f"{GOOD}# dlspec: ignore[large-learning-rate] it converges\n{RATE}\n", []),
        (f"{GOOD}# dlspec: ignore[large-learning-rate]\n{RATE}\n", ["ignore-without-reason"]),
        (f"{GOOD}{RATE}  # dlspec: ignore\n", ["large-learning-rate", "useless-ignore"]),
        (f"{GOOD}{RATE}  # dlspec: ignore[large-rate] because\n", ["large-learning-rate", "useless-ignore"]),
        (f"{GOOD}train: {{epochs: 3}}  # dlspec: ignore[large-learning-rate] because\n", ["useless-ignore"]),
        (BAD.replace("output]", "output]  # dlspec: ignore[unknown-layer] mine"), ["unknown-layer", "cannot-ignore"]),
        (f'{GOOD}description: "x # dlspec: ignore[large-learning-rate] text"\n', []),
    ],
)
def test_a_comment_silences_the_warning_on_its_line_and_says_when_it_does_not(text, codes):
    assert sorted(d.code for d in validate(text)) == sorted(codes)


def test_the_pipe_of_a_reader_that_left_ends_quietly(folder):
    command = [sys.executable, "-m", "dlspec", "validate", ".", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("data: {dataset: digits}\nmodel: [{conv2d: {filters: 4, kernel_size: 3, groups: 5}}, flatten, output]\n",
         ["shape-mismatch", "wrong-value"]),
        (SPIRALS + "model: [{dense: {units: 3, name: 층}}, output]\n", "wrong-value"),
        (SPIRALS + "model: [{dense: {units: 3, name: input}}, output]\n", "wrong-value"),
        (SPIRALS + "model: [{gaussian_noise: 2}, output]\n", "out-of-range"),
        (SPIRALS + "model: [{dense: {units: 3, bias_initializer: orthogonal}}, output]\n", "wrong-value"),
        ("data: {dataset: spirals}\nmodel: [output]\ntrain: {optimizer: {adam: {clipnorm: 1, clipvalue: 1}}}\n",
         "wrong-value"),
        ("data: {dataset: digits, target: image}\nmodel: [flatten, output]\n", "wrong-value"),
        ("data: {dataset: goog, target: date, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n", "wrong-value"),
        ("data: {dataset: digits}\nmodel: [flatten, {dense: 10}, {dropout: 0.2}]\n",
         ["dropout-at-output", "output-mismatch"]),
        ("data: {dataset: digits}\nmodel: [flatten, {dense: {units: 10, activation: sigmoid}}]\n", "output-mismatch"),
        (SPIRALS + "model: [{dense: {units: 1, activation: softmax}}]\n", "one-unit-softmax"),
        (SPIRALS + "model: [{dense: {units: 3, trainable: false}}, output]\npretrain: {method: autoencoder}\n",
         "cannot-pretrain"),
        ("data: {series: \"a\\0b\", target: x, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n", "data-unreadable"),
        ("seed: 0x" + "f" * 5000 + "\n" + SPIRALS + "model: [output]\n", "wrong-type"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_by_validate(text, code):
    assert codes(text) == ([code] if isinstance(code, str) else code)


def test_a_wrong_column_does_not_hide_shapes():
    text = "data: {dataset: goog, features: [opne], window: {length: 9}}\nmodel: [{lstm: 3}, {lstm: 3}, output]\n"
    assert codes(text) == ["unknown-column", "shape-mismatch"]


def test_a_broken_layer_keeps_its_name_and_its_number():
    text = (
        SPIRALS + "model: [{dense: {unitz: 3, name: h1}}, {dense: {unitz: 3}}, {dense: 4}, output]\n"
        "pretrain: {method: autoencoder, layers: [h1, dense_2]}\n"
    )
    assert codes(text) == ["unknown-key", "unknown-key"]
