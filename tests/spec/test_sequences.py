"""What is said of specs that write texts item by item."""

import pytest

import dlspec

SPEC = """\
dlspec: 1
data:
  dataset: {sums: {digits: 2, samples: 120}}
  features: {question: {text: {tokens: characters, length: 5}}}
  target: {answer: {sequence: characters, feed_back: shifted}}
model:
  inputs: {sum: question, shifted: answer}
  layers:
    - embedding: {output_dim: 4, from: sum}
    - gru: {units: 6, name: reader}
    - embedding: {output_dim: 4, from: shifted}
    - gru: {units: 6, return_sequences: true, state_from: reader}
    - output
"""
TARGET = "target: {answer: {sequence: characters, feed_back: shifted}}"


def found(old="", new="", more=""):
    return [(each.code, each.span.line) for each in dlspec.validate(SPEC.replace(old, new) + more) if each.is_error]


def test_it_is_planned_with_the_items_of_the_training_part():
    assert not found()
    graph = dlspec.graph(SPEC)
    assert [given.shape for given in graph.inputs] == [(None, 5), (None, 4)]
    assert graph.output_shape == (None, 4, 12)  # ten digits, the end, and what is not known
    assert dlspec.graph(SPEC.replace("feed_back: shifted", "feed_back: shifted, length: 6")).output_shape[1] == 7


@pytest.mark.parametrize(
    ("new", "code", "line"),
    [
        ("target: {answer: {sequence: characters}}", "missing-key", 5),
        ("target: {answer: {sequence: characters, feed_back: shfted}}", "no-fed-input", 5),
        ("target: {answer: {sequence: characters, feed_back: sum}}", "no-fed-input", 7),
        ("target: {answer: {sequence: characters, feed_back: shifted, length: 2}}", "too-long-text", 5),
        ("target: {answer: {sequence: letters, feed_back: shifted}}", "wrong-value", 5),
        ("target: {answer: {sequence: characters, feed_back: shifted, beem: 2}}", "unknown-key", 5),
        ("target: {answer: {sequence: characters, feed_back: shifted, beam: 0}}", "out-of-range", 5),
        ("target: {answer: {feed_back: shifted}}", "missing-key", 5),
        (f"{TARGET}\n  labels: 20", "wrong-value", 6),
        (f"{TARGET}\n  split: {{folds: 3}}", "wrong-split", 6),
    ],
)
def test_mistakes_of_the_target_are_said_at_their_places(new, code, line):
    assert (code, line) in found(TARGET, new)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("sum: question, shifted: answer", "sum: [question, answer], shifted: answer", "target-among-features", 7),
        ("sum: question, shifted: answer", "sum: question, shifted: question", "no-fed-input", 7),
        ("sum: question, shifted: answer", "shifted: answer", "no-fed-input", 7),
        ("return_sequences: true, state_from: reader", "state_from: reader", "output-mismatch", 13),
        ("gru: {units: 6, return_sequences: true, state_from: reader}",
         "bidirectional: {gru: {units: 3, return_sequences: true}}", "sees-the-answer", 12),
    ],
)  # fmt: skip
def test_mistakes_of_the_network_are_said_at_their_places(old, new, code, line):
    assert (code, line) in found(old, new)


def test_metrics_and_baselines_are_those_of_texts():
    more = "evaluate: {metrics: [accuracy, exact_match], baselines: [linear, nearest_text]}\n"
    assert found(more=more) == [("metric-mismatch", 14), ("baseline-mismatch", 14)]
    other = "dlspec: 1\ndata: {dataset: iris}\nmodel: [dense: 4, output]\nevaluate: {metrics: [edit_distance]}\n"
    assert [each.code for each in dlspec.validate(other) if each.is_error] == ["metric-mismatch"]


def test_a_text_with_items_that_are_not_told_apart_is_a_warning():
    from dlspec.data.checks import check_data
    from dlspec.runs.job import load_data

    spec = dlspec.load(SPEC.replace("feed_back: shifted", "feed_back: shifted, words: 4"))
    codes = [each.code for each in check_data(spec.data, load_data(spec))]
    assert "unknown-tokens" in codes
    spec = dlspec.load(SPEC)
    assert "unknown-tokens" not in [each.code for each in check_data(spec.data, load_data(spec))]
    assert "target-leak" not in codes  # what is fed back is the target, as far as it was written


def test_a_text_from_which_its_answer_follows_is_no_leak(tmp_path):
    from dlspec.data.checks import check_data
    from dlspec.runs.job import load_data

    asked = [f"{a}+{b}" for a in range(1, 8) for b in range(2)] * 12  # each often, as in a table of phrases
    rows = "".join(f'{sum_},"{" ".join(reversed(sum_))}"\n' for sum_ in asked)
    (tmp_path / "sums.csv").write_text(f"question,answer\n{rows}")
    data = "  table: sums.csv\n  features: {question: {text: {tokens: characters, length: 4}}}\n"
    text = SPEC.replace(SPEC[SPEC.index("data:") : SPEC.index("  target:")], f"data:\n{data}")
    (tmp_path / "spec.yaml").write_text(text)
    spec = dlspec.load(tmp_path / "spec.yaml")
    assert "target-leak" not in [each.code for each in check_data(spec.data, load_data(spec))]


def test_a_text_that_is_longer_than_what_is_seen_is_counted():
    from dlspec.data.checks import check_data
    from dlspec.runs.job import load_data

    spec = dlspec.load(SPEC.replace("length: 5", "length: 4"))
    (cut,) = [each for each in check_data(spec.data, load_data(spec)) if each.code == "texts-cut"]
    asked = load_data(spec).columns["question"]
    longer = sum(len(text) > 4 for text in asked)
    assert longer
    assert f"{longer} of 120 texts of `question` have more than 4 characters" in cut.message
    assert cut.help == "write `length: 5`"
