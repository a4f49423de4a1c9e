"""`pretrain` as a list: entries of any method, done in their order."""

import numpy as np
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.model.weights import LayerWeights
from dlspec.spec.other_run import taken_layers
from dlspec.spec.planning import make_plan
from dlspec.views.prose.telling import tell
from dlspec.views.report.learning import _losses_of_stages
from dlspec.views.resolved import write_resolved
from tests.conftest import problems_of
from tests.trained import StopAfter, Training, same, trained

HEAD = "dlspec: 1\ndata: {dataset: digits, scale: min_max, limit: 200}\n"
MODEL = """\
model:
  - flatten
  - dense: {units: 12, activation: sigmoid, name: h1}
  - dense: {units: 8, activation: sigmoid, name: h2}
  - output
"""
ENTRIES = """\
pretrain:
  - {method: rbm, layers: [h1], epochs: 2}
  - {method: denoising_autoencoder, layers: [h2], epochs: 2}
  - {method: supervised, layers: [h1], epochs: 1, then: freeze, thaw_after: 1}
train: {epochs: 2}
"""
LIST = HEAD + MODEL + ENTRIES


def entries(*lines, head=HEAD + MODEL):
    return head + "pretrain:\n" + "".join(f"  - {line}\n" for line in lines)


# --- reading and checking


@pytest.mark.parametrize(
    ("lines", "code", "place", "help"),
    [
        (["{method: rbm, then: freeze}", "{method: rbm}"], "unknown-key", (9, 19), "write `then` in the last entry"),
        (["{method: rbm, thaw_after: 2}", "{method: rbm}"], "unknown-key", (9, 19), "in the last entry"),
        (["{method: rbm}", "{method: rbn}"], "unknown-pretraining-method", (10, 14), "did you mean `rbm`?"),
        (["rbm"], "wrong-type", (9, 5), "write `- {method: rbm}`"),
        (["{epochs: 3}"], "missing-key", (9, 5), "add `method: autoencoder`"),
        (["{method: rbm}", "{method: autoencoder, gibbs_steps: 2}"], "unknown-key", (10, 27), "belongs to `rbm`"),
        (["{method: rbm}", "{method: rbm, epochs: -1}"], "out-of-range", (10, 27), ""),
        (["{method: rbm, layers: [h1]}", "{method: rbm, layers: [h9]}"], "unknown-layer-name", (10, 28), "h1"),
        (["{method: rbm, layers: [h1]}", "{method: rbm, layers: [h2, h1]}"], "wrong-order", (10, 32), "lowest up"),
        (["{method: rbm, layers: [h2]}", "{method: rbm, layers: [h1]}"], "wrong-order", (10, 28), "`h1` first"),
        (
            ["{method: rbm, layers: [h1]}", "{method: rbm, layers: [h2], per_layer: {h1: {epochs: 2}}}"],
            "unknown-layer-name", (10, 45), "pretrained are `h2`",
        ),
        (["{method: rbm}", "{method: rbm, thaw_after: 2}"], "nothing-to-thaw", (10, 19), "then: freeze"),
        (
            ["{method: rbm}", "{method: rbm, optimizer: {adam: 2.0}}"],
            "large-learning-rate", (10, 37), "begin with `{adam: 0.001}`",
        ),
        (
            ["{method: rbm}", "{method: autoencoder, early_stopping: {monitor: free_energy_gap}}"],
            "nothing-to-monitor", (10, 53), "val_loss",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_found_in_its_entry(lines, code, place, help, tmp_path):
    (problem,) = problems_of(entries(*lines), tmp_path)
    assert problem.code == code
    assert (problem.span.line, problem.span.column) == place
    assert help in (problem.help or "")


def test_an_empty_list_is_a_mistake(tmp_path):
    (problem,) = problems_of(HEAD + MODEL + "pretrain: []\n", tmp_path)
    assert problem.message == "`pretrain` lists no entry"


def test_all_mistakes_of_all_entries_are_found_at_once(tmp_path):
    problems = problems_of(entries("{method: rbm, then: freeze, epoch: 3}", "7", "{method: rbn}"), tmp_path)
    assert [(p.code, p.span.line) for p in problems] == [
        ("unknown-key", 9), ("unknown-key", 9), ("wrong-type", 10), ("unknown-pretraining-method", 11),
    ]  # fmt: skip


def test_where_a_refusal_ends_it_names_the_entry(tmp_path):
    tanh = HEAD + MODEL.replace("sigmoid, name: h2", "tanh, name: h2")
    (problem,) = problems_of(entries("{method: rbm, layers: [h1]}", "{method: rbm}", head=tanh), tmp_path)
    assert problem.code == "cannot-pretrain"
    assert problem.labels[0].span.line == 10
    convolved = HEAD + MODEL.replace("flatten", "conv2d: {filters: 2, kernel_size: 3, name: c}\n  - flatten")
    text = entries("{method: rbm, layers: [h1]}", "{method: rbm, layers: [c]}", head=convolved)
    assert "remove entry 2 of `pretrain`" in [problem.help for problem in problems_of(text, tmp_path)]


# --- the plan


def test_stages_come_in_the_order_of_the_entries_under_names_of_their_own():
    plan = dlspec.plan(LIST)
    assert [stage.name for stage in plan.stages] == [
        "pretrain:h1", "pretrain:h2", "pretrain:h1:2", "fine_tune:frozen", "fine_tune",
    ]  # fmt: skip
    assert [stage.method.type_name for stage in plan.pretraining] == ["rbm", "denoising_autoencoder", "supervised"]
    assert plan.frozen == ("h1", "h2")


def test_what_it_says_is_told_and_survives_being_written_out():
    spec = dlspec.load(LIST)
    again = dlspec.load(write_resolved(spec))
    assert again.pretrain == spec.pretrain
    assert [entry.path for entry in spec.pretraining] == [("pretrain", 0), ("pretrain", 1), ("pretrain", 2)]
    for language, words in (("en", "Pretraining 2: "), ("ko", "사전 훈련 2: ")):
        sentences = tell(spec, dlspec.plan(spec).graph, language)
        assert [s.line for s in sentences if s.text.startswith(words)] == [10]
        assert not any("pretrain.then" in s.text or "{" in s.text for s in sentences if s.line in (9, 10, 11))


def test_values_of_entries_can_be_set():
    spec = dlspec.load(LIST, overrides={"pretrain.0.epochs": 7, "pretrain.1.method": "autoencoder"})
    assert spec.pretrain[0].epochs == 7
    assert spec.pretrain[1].type_name == "autoencoder"
    with pytest.raises(dlspec.SpecError) as error:
        dlspec.load(LIST, overrides={"pretrain.5.epochs": 7})
    assert "there is no `5` in a list of 3" in error.value.diagnostics[0].message


def test_a_spec_that_extends_another_switches_the_method(tmp_path):
    base = HEAD + MODEL + "pretrain: {method: rbm, gibbs_steps: 3, epochs: 4, momentum: 0.5}\n"
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "list.yaml").write_text(LIST)

    def extended(text, of="base"):
        file = tmp_path / "top.yaml"
        file.write_text(f"extends: {of}.yaml\n{text}")
        return dlspec.load(file).pretrain

    other = extended("pretrain: {method: autoencoder}\n")
    assert (other.type_name, other.epochs) == ("autoencoder", 4)
    assert extended("pretrain: {gibbs_steps: null}\n").gibbs_steps == 1
    assert extended("pretrain: {momentum: null}\n").momentum is None
    assert extended("pretrain: null\n") is None
    assert [each.type_name for each in extended("pretrain: [{method: supervised}]\n")] == ["supervised"]
    assert extended("pretrain: {method: supervised}\n", of="list").epochs == 10  # a list is replaced as a whole


def test_layers_inside_of_blocks_go_by_their_addresses():
    text = HEAD + (
        "blocks:\n  pair:\n    layers: [{dense: {units: 6, activation: sigmoid, name: h}}]\n"
        "model: [flatten, pair, pair, output]\n"
        "pretrain: [{method: rbm, layers: [pair.1.h]}, {method: autoencoder, layers: [pair.2.h]}]\n"
    )
    names = [stage.layer.name for stage in dlspec.plan(text).pretraining]
    assert len(names) == 2
    assert names[0] != names[1]


def test_a_script_of_several_entries_is_refused(tmp_path):
    file = tmp_path / "list.yaml"
    file.write_text(LIST)
    done = CliRunner().invoke(cli, ["eject", str(file)])
    assert done.exit_code == 1
    assert "a list under `pretrain`" in str(done.exception)


def test_the_report_says_what_each_loss_is():
    assert _losses_of_stages(["rbm"]).startswith(" In pretraining the loss is the squared error of one step")
    both = _losses_of_stages(["rbm", "autoencoder", "denoising_autoencoder"])
    assert "In pretraining by `rbm` the loss is the squared error" in both
    assert "In pretraining by `autoencoder` and `denoising_autoencoder` the loss is the reconstruction" in both


# --- training


def test_a_list_of_one_entry_is_what_the_mapping_is():
    mapping = HEAD + MODEL + "pretrain: {method: rbm, epochs: 2}\ntrain: {epochs: 1}\n"
    listed = HEAD + MODEL + "pretrain: [{method: rbm, epochs: 2}]\ntrain: {epochs: 1}\n"
    assert same(trained(mapping)[1], trained(listed)[1])


@pytest.mark.everyday(1)
@pytest.mark.parametrize("steps", [25, 32], ids=["in the third entry", "in frozen training"])
def test_stopped_and_continued_is_the_same_to_the_last_bit(steps, one_step_at_a_time):
    _, weights, history = trained(LIST)
    stopped = Training(LIST)
    assert stopped.run(StopAfter(steps)) == (None, None)
    resumed, again = stopped.run(checkpoint=stopped.saved[-1])
    assert same(weights, resumed)
    assert [(row.stage, row.epoch, row.loss) for row in again] == [(row.stage, row.epoch, row.loss) for row in history]
    assert {row.stage for row in history} >= {"pretrain:h1", "pretrain:h2", "pretrain:h1:2"}


# --- layers of other runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two folders with layers, as runs leave them."""
    folder = tmp_path_factory.mktemp("runs")
    for name, value in (("one", 0.25), ("two", -0.5)):
        (folder / name).mkdir()
        layers = {"h1": [np.full((64, 12), value, "float32"), np.zeros(12, "float32")],
                  "h2": [np.full((12, 8), value, "float32"), np.zeros(8, "float32")]}  # fmt: skip
        LayerWeights(layers).save(folder / name / "layers.npz")
    return folder


def test_each_entry_takes_layers_of_its_own_run(runs):
    from dlspec.runs.job import _layers_of

    text = entries(f"{{from: {runs}/one, layers: [h1]}}", f"{{method: rbm, from: {runs}/two, layers: [h2]}}")
    spec = dlspec.load(text)
    graph = dlspec.plan(spec).graph
    taken = taken_layers(spec, graph)
    assert taken == (("h1",), ("h2",))
    plan = make_plan(spec, graph, taken=taken)
    assert plan.pretraining == ()
    assert plan.taken_from == {f"{runs}/one": ("h1",), f"{runs}/two": ("h2",)}
    weights = _layers_of(spec, graph)
    assert weights.layers["h1"][0][0, 0] == 0.25
    assert weights.layers["h2"][0][0, 0] == -0.5


def test_layers_that_are_taken_may_be_trained_further_and_not_the_other_way_round(runs, tmp_path):
    further = dlspec.load(entries(f"{{from: {runs}/one}}", "{method: rbm, layers: [h1]}"))
    plan = dlspec.plan(further)
    assert [stage.name for stage in plan.pretraining] == ["pretrain:h1"]
    lost = entries("{method: rbm, layers: [h1]}", f"{{from: {runs}/one, layers: [h1]}}")
    (problem,) = problems_of(lost, tmp_path)
    assert problem.code == "cannot-pretrain"
    assert problem.span.line == 10
    assert "would be lost" in problem.message
    missing = entries("{method: rbm, layers: [h1]}", f"{{from: {runs}/three, layers: [h2]}}")
    (problem,) = problems_of(missing, tmp_path)
    assert (problem.code, problem.span.line) == ("no-run", 10)


def test_the_resolved_spec_reaches_the_runs_from_its_folder(runs):
    from dlspec.runs.resolved import portable

    spec = dlspec.load(entries(f"{{from: {runs}/one, layers: [h1]}}", "{method: rbm, layers: [h2]}"))
    first, second = portable(spec, runs / "new")["pretrain"]
    assert first["from"] == "../one"
    assert "then" not in first
    assert second["then"] == "fine_tune"
