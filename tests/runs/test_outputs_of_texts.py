"""A tag for each word of a text beside a class of the whole of it: one network, of which padding is no part."""

import pandas as pd
import pytest

import dlspec
from tests.conftest import ROOT
from tests.trained import StopAfter, Training, same

SPEC = """\
dlspec: 1
name: requests
data: {table: some.csv, features: {said: {text: {length: 12, words: 80}}}}
model:
  layers:
    - embedding: {output_dim: 8, mask_zero: true}
    - bidirectional: {layer: {lstm: {units: 6, return_sequences: true}}, name: words}
    - lstm: 6
  outputs:
%s
train: {epochs: 6, batch_size: 16, optimizer: {adam: 0.02}}
"""
BOTH = """\
    wanted: {target: wanted, class_weight: balanced}
    slots: {target: {slots: {sequence: " "}}, from: words, weight: 2}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    pd.read_csv(ROOT / "specs/data/requests.csv").iloc[:200].to_csv(folder / "some.csv", index=False)
    (folder / "it.yaml").write_text(SPEC % BOTH)
    (folder / "turned.yaml").write_text(SPEC % "".join(reversed(BOTH.splitlines(keepends=True))))
    return folder


@pytest.fixture(scope="module")
def run(home):
    return dlspec.run(home / "it.yaml", out=home / "run")


def test_each_output_is_judged_as_if_it_were_the_only_one(run):
    wanted, slots = run.outputs.values()
    assert [*wanted.metrics.baselines] == ["majority", "linear"]
    assert [*slots.metrics.baselines] == ["majority", "word_majority"]
    assert "span_f1" in slots.metrics.test
    assert all(own.metrics.saved_model.same for own in run.outputs.values())
    page = run.report.read_text()
    assert "Words and their tags" in page
    assert "What was taken for what" in page


def test_the_held_out_loss_is_the_mean_over_all_words_and_over_all_texts(run):
    last = run.history[-1].measures
    for name in ("wanted", "slots"):
        wanted = run.outputs[name].metrics.validation["log_loss"]
        assert last[f"val_{name}_loss"] == pytest.approx(wanted, rel=1e-4)


def test_new_texts_get_a_class_and_tags(run, home):
    new = pd.DataFrame(
        {"said": ["play Runela by Tomaro", "wake me at seven please my friend and do not be late again now"]}
    )
    with pytest.warns(UserWarning, match="network"):
        found = run.predict(new)
    assert {*found} >= {"wanted", "wanted=music", "slots"}
    assert [len(tags.split()) for tags in found["slots"]] == [4, 14]
    judged = dlspec.evaluate(run, home / "some.csv").each_output
    table = pd.read_csv(home / "some.csv")
    with pytest.warns(UserWarning, match="network"):
        predicted = run.predict(table)
    assert judged["wanted"].metrics.test["accuracy"] == pytest.approx((predicted["wanted"] == table["wanted"]).mean())
    assert judged["slots"].judged == 200


@pytest.mark.slow
@pytest.mark.parametrize("file", ["it.yaml", "turned.yaml"])
def test_stopped_and_continued_is_the_same_to_the_last_bit(home, one_step_at_a_time, file):
    text = {"train.epochs": 2}
    weights, _ = Training(home / file, **text).run()
    stopped = Training(home / file, **text)
    assert stopped.run(StopAfter(10)) == (None, None)
    again, _ = Training(home / file, **text).run(checkpoint=stopped.saved[-1])
    assert same(weights, again)


def test_tags_need_their_text_beside_other_outputs_too(home):
    spec = (SPEC % BOTH).replace("{said: {text: {length: 12, words: 80}}}", "{said: text}")
    (problem,) = [each for each in dlspec.validate(spec.replace("some.csv", str(home / "some.csv"))) if each.is_error]
    assert problem.code == "missing-key"
    assert "`length`" in problem.message
