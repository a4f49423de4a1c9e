"""Cures as edits: each mends what it says, and touches nothing else."""

import json
import random
import re

import pytest

from dlspec.data.sources.reading import briefly
from dlspec.editor.examining import examine
from dlspec.editor.fixing import fix_document
from dlspec.language.diagnostics import Edit, Findings, Span, apply_edits, render
from dlspec.language.yaml import read_file, read_text
from dlspec.spec.fixes import with_fixes
from dlspec.spec.fixes.phrases import cures_in
from tests.conftest import SPECS, problems_of
from tests.language.test_codes import SHOWN, examples

HEAD = "dlspec: 1\ndata: {dataset: digits}\n"
WITHOUT_EDIT = {
    "bad-arithmetic", "block-hides-layer", "cannot-pretrain", "cannot-unroll", "data-not-found",
    "dropout-at-output", "dropped-mask", "expands-too-far", "extends-cycle", "ignore-without-reason",
    "key-not-text", "masked-axis", "metric-mismatch", "nested-too-deep", "no-source",
    "not-supported-yet", "out-of-range", "outside-folder", "over-budget", "recursive-block",
    "several-documents", "several-outputs", "slow-on-gpu", "split-too-large",
    "too-few-timesteps", "unknown-alias", "unknown-callback", "unknown-regularizer",
    "unlabeled-mismatch", "variable-cycle", "wrong-number-of-inputs", "wrong-order", "wrong-value",
}  # fmt: skip
"""Codes whose `help` names, for the example of their explanation, no definite thing."""


def counted(problems, code, message):
    return sum((each.code, each.message) == (code, message) for each in problems)


@pytest.mark.parametrize(
    "code", [code for code in SHOWN if code != "expands-too-far"]
)  # which takes a second each time
def test_every_fix_of_a_wrong_example_mends_it(code, tmp_path):
    problems_of(examples(code)[0], tmp_path)
    examined = examine(tmp_path / "spec.yaml", seconds=None)
    assert code in {problem.code for problem in examined.diagnostics}
    fixes = [(problem, fix) for problem in examined.diagnostics for fix in problem.fixes]
    assert bool([problem for problem, _ in fixes if problem.code == code]) == (code not in WITHOUT_EDIT)
    for problem, fix in fixes:
        text = apply_edits(examined.text, fix.edits)
        after = examine(text, file=tmp_path / "spec.yaml", fixes=False).diagnostics
        told = problem.code, problem.message
        assert counted(after, *told) < counted(examined.diagnostics, *told)
        touched = {edit.span.line for edit in fix.edits}
        before = {(each.code, each.message) for each in examined.diagnostics}
        new = [each for each in after if each.is_error and (each.code, each.message) not in before]
        assert [each for each in new if each.span and each.span.line in touched] == []


def misspelt(word):
    return word[:1] + word[2:3] + word[1:2] + word[3:]


BROKEN = {
    "a misspelt key": (r"\b([a-z_]{5,}):", misspelt),
    "a misspelt layer": (r"- ([a-z]{5,}\w*)\b", misspelt),
    "a name of Keras": (r"- ([a-z0-9_]{4,})\b", lambda word: "".join(part.capitalize() for part in word.split("_"))),
    "a word of others": (r"\b(epochs|batch_size|units)\b(?=:)", {"epochs": "n_epochs", "batch_size": "bs",
                                                                "units": "neurons"}.get),
    "a full-width colon": (r"\w(: )", lambda _: "："),
    "no space behind a colon": (r"\w(: )\S", lambda _: ":"),
    "no space behind a dash": (r"^\s*(- )\w", lambda _: "-"),
    "a tab": (r"^(  +)\w", lambda _: "\t"),
    "a bracket that is not closed": (r"([}\]])$", lambda _: ""),
}  # fmt: skip


def broken(text, pattern, change, pick):
    """The text with one of the places that match changed; what stands in remarks is not."""
    lines = text.split("\n")
    found = [
        (number, match)
        for number, line in enumerate(lines)
        for match in re.finditer(pattern, line)
        if "#" not in line and change(match[1]) != match[1]
    ]
    number, match = pick.choice(found)
    lines[number] = lines[number][: match.start(1)] + change(match[1]) + lines[number][match.end(1) :]
    return "\n".join(lines)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_spec_is_mended_byte_for_byte(what):
    pick = random.Random(what)
    same = 0
    for path in pick.sample([path for path in SPECS if "neurons" not in path.read_text()], 6):
        text = path.read_text(encoding="utf-8")
        try:
            wrong = broken(text, *BROKEN[what], pick)
        except IndexError:  # it has no such place
            same += 1
            continue
        fixed = fix_document(read_text(wrong, str(path)))
        same += fixed.text == text
        if fixed.text != text:  # a name of the writer's own, or a choice that is the user's
            assert not fixed.applied or "unknown-layer-name" in {problem.code for problem, _ in fixed.applied}
    assert same >= 5


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("model: [flatten, dens: 8, output]", "model: [flatten, dense: 8, output]"),
        ("model:\n  - flatten\n  - dense: \"8\"  # as a text\n  - output",
         "model:\n  - flatten\n  - dense: 8  # as a text\n  - output"),
        ("model: [flatten, output]\nepochs: 5", "model: [flatten, output]\ntrain: {epochs: 5}"),
        ("model: [flatten, output]\nlearning_rate: 0.1\ntrain: {epochs: 5}",
         "model: [flatten, output]\ntrain: {epochs: 5, optimizer: {adam: 0.1}}"),
        ("model:\n  - flatten\n  - output\nval_split: 0.2\ntrain:\n  epochs: 5\n",
         "model:\n  - flatten\n  - output\ntrain:\n  epochs: 5\n"),
        ("model: [flatten, output]\ntrain:\n  # slowly\n  patience: 3\n  epochs: 9",
         "model: [flatten, output]\ntrain:\n  # slowly\n  early_stopping: {patience: 3}\n  epochs: 9"),
        ("model:\n  - flatten\n  - Dense(8, activation='relu')\n  - output",
         "model:\n  - flatten\n  - dense: {units: 8, activation: relu}\n  - output"),
        ("model:\n  - flatten\n  - dense: {units: 8, dropout: 0.5}\n  - output",
         "model:\n  - flatten\n  - dense: {units: 8}\n  - dropout: 0.5\n  - output"),
        ("model: [flatten, dense: {units: 8, activation relu}, output]",
         "model: [flatten, dense: {units: 8, activation: relu}, output]"),
        ("model: [flatten, dense: {units: 8, use_bias: rue}, output]",
         "model: [flatten, dense: {units: 8, use_bias: true}, output]"),
        ("model: [flatten, dense: $w, output]\nvariables: {w: \"8\"}",
         "model: [flatten, dense: $w, output]\nvariables: {w: 8}"),
        ("model: [flatten, dense: $(wdth * 2), output]\nvariables: {width: 8}",
         "model: [flatten, dense: $(width * 2), output]\nvariables: {width: 8}"),
        ("model: [flatten, dense: {neurons: '16', activation: relu}, output]",  # of which one hides the other
         "model: [flatten, dense: {units: 16, activation: relu}, output]"),
        ("model: [flatten, dense: 8]", "model: [flatten, dense: 8, output]"),
        ("model:\n  - flatten\n  - dense 8\n  - output", "model:\n  - flatten\n  - dense: 8\n  - output"),
        ("model:\n  - flatten\n   - dense: 8\n  - output", "model:\n  - flatten\n  - dense: 8\n  - output"),
    ],
)  # fmt: skip
def test_what_is_written_in_its_place(wrong, right, tmp_path):
    fixed = fix_document(read_text(HEAD + wrong, str(tmp_path / "spec.yaml")))
    expected = HEAD + right
    if "val_split" in wrong:
        expected = expected.replace("{dataset: digits}", "{dataset: digits, split: {validation: 0.2}}")
    assert fixed.text == expected


def test_of_several_cures_none_is_applied_and_all_are_offered(tmp_path):
    text = HEAD + "model: [flatten, output]\ntrain:\n  epochs: 5\n  epochs: 50\n"
    fixed = fix_document(read_text(text, str(tmp_path / "spec.yaml")))
    assert fixed.text == text
    (problem,) = fixed.left
    assert [fix.title for fix in problem.fixes] == ["keep the one on line 5", "keep the one on line 6"]
    assert [apply_edits(text, fix.edits).count("epochs") for fix in problem.fixes] == [1, 1]


def test_output_is_not_put_behind_a_softmax_unasked(tmp_path):
    text = HEAD + "model: [flatten, dense: {units: 8, activation: softmax}]\n"
    fixed = fix_document(read_text(text, str(tmp_path / "spec.yaml")))
    assert fixed.text == text
    assert [(fix.title, fix.sure) for fix in fixed.left[0].fixes] == [("make `output` the last layer", False)]


def test_the_limit_of_a_number_is_offered_and_not_taken(tmp_path):
    text = HEAD + "model: [flatten, output]\ntrain: {epochs: -20}\n"
    fixed = fix_document(read_text(text, str(tmp_path / "spec.yaml")))
    assert fixed.text == text
    (fix,) = fixed.left[0].fixes
    assert (fix.title, fix.sure) == ("write `epochs: 1`", False)


def test_while_a_line_cannot_be_read_nothing_is_cured_that_may_follow_from_it(tmp_path):
    text = HEAD + "model:\n  - flatten\n  - dense: {units: 8, from: x\n  - dense: 8\n  - {]\n  - outputt\n"
    examined = examine(text, folder=tmp_path, seconds=None)
    assert examined.spec.document.recovered
    assert [
        fix for problem in examined.diagnostics if problem.code != "bad-yaml" for fix in problem.fixes if fix.sure
    ] == []


def test_windows_line_ends_and_wide_signs_stay(tmp_path):
    text = "dlspec: 1\r\nname: 이름\r\ndata: {dataset: digits}  # 😀 그림\r\nmodel: [flatten, outptu]  # 😀\r\n"
    fixed = fix_document(read_text(text, str(tmp_path / "spec.yaml")))
    assert fixed.text == text.replace("outptu", "output")


def test_what_an_extended_file_says_is_left_to_that_file(tmp_path):
    (tmp_path / "base.yaml").write_text(HEAD + "model: [flatten, dens: 8, output]\n", encoding="utf-8")
    (tmp_path / "top.yaml").write_text("dlspec: 1\nextends: base.yaml\ntrain: {epoch: 5}\n", encoding="utf-8")
    fixed = fix_document(read_file(tmp_path / "top.yaml"))
    assert [problem.code for problem, _ in fixed.applied] == ["unknown-key"]
    assert [problem.code for problem in fixed.left] == ["unknown-layer"]
    assert fixed.left[0].fixes == ()


def test_json_and_sarif_carry_the_edits(tmp_path):
    path = tmp_path / "spec.yaml"
    examined = examine(HEAD + "model: [flatten, dens: 8, output]\n", file=path)
    found = [Findings(str(path), examined.diagnostics, {str(path): examined.text})]
    (row,) = json.loads(render("json", found))
    place = {"file": str(path), "line": 3, "column": 18, "end_line": 3, "end_column": 22}
    assert row["fixes"] == [{"title": "write `dense`", "sure": True, "edits": [{**place, "text": "dense"}]}]
    (result,) = json.loads(render("sarif", found))["runs"][0]["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    region = {"startLine": 3, "startColumn": 18, "endLine": 3, "endColumn": 22}
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "dense"}}]
    typed = examine(examined.text, file="<stdin>")
    (result,) = json.loads(render("sarif", [Findings("<stdin>", typed.diagnostics)]))["runs"][0]["results"]
    assert "fixes" not in result  # of what is no file


def test_whatever_is_typed_cures_are_looked_for_and_bring_no_mistake_of_form():
    pick = random.Random(7)
    lines = sorted({line for path in SPECS for line in path.read_text(encoding="utf-8").splitlines()})
    applied = 0
    for path in pick.sample(SPECS, 10):
        mixed = path.read_text(encoding="utf-8").splitlines()
        for _ in range(3):
            place = pick.randrange(len(mixed))
            new = pick.choice([[], [pick.choice(lines)], mixed[place : place + 1] * 2, [f"  {mixed[place]}"]])
            mixed[place : place + 1] = new
        wrong = "\n".join([*mixed, ""])
        before = examine(wrong, file=path, fixes=False).diagnostics
        fixed = fix_document(read_text(wrong, str(path)))
        applied += len(fixed.applied)
        broken = [sum(problem.code == "bad-yaml" for problem in found) for found in (before, fixed.left)]
        assert broken[1] <= broken[0]
    assert applied


def test_edits_are_tried_out_for_a_while_only():
    text = HEAD + "model: [flatten, dens: 8, output]\n"
    checked = examine(text, folder=".", fixes=False).checked
    with briefly():
        assert [problem.fixes for problem in with_fixes(checked, seconds=0)] == [()]
        assert len(with_fixes(checked)[0].fixes) == 1


def test_edits_that_overlap_are_refused():
    edits = [Edit(Span("f", 1, 1, 1, 4), "x"), Edit(Span("f", 1, 3, 1, 5), "y")]
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abcdef", edits)


@pytest.mark.parametrize(
    ("help", "cures"),
    [
        ("did you mean `relu`?", [("rename", ("relu",), "")]),
        ("write `scale: min_max` under `data`, or `loss: mse`",
         [("write", ("scale: min_max",), "data"), ("write", ("loss: mse",), "")]),
        ("leave `loss` out: it is what the target needs", [("remove", ("loss",), "")]),
        ("keep `gradient_clipping`, and remove `clipnorm`", [("remove", ("clipnorm",), "")]),
        ("write `then: fine_tune` with `target: input`, and the decoder as layers of the model", []),
        ("write `# dlspec: ignore[x]` and why", []),
        ("`dlspec layers` lists them", []),
    ],
)  # fmt: skip
def test_what_help_names(help, cures):
    assert [(cure.action, cure.texts, cure.place) for cure in cures_in(help)] == cures
