"""What is said of specs that read texts off timesteps."""

import numpy as np
import pytest

import dlspec
from dlspec.data.datasets import DATASETS
from dlspec.data.written import timesteps_needed

SPEC = """\
dlspec: 1
data:
  dataset: {digit_strips: {digits: 2, samples: 120}}
  target: {number: {sequence: characters}}
model:
  - permute: [2, 1]
  - conv1d: {filters: 8, kernel_size: 3, padding: same, activation: relu}
  - lstm: {units: 6, return_sequences: true}
  - output
train: {loss: ctc}
"""
TARGET, LSTM, PERMUTE = "{sequence: characters}", "lstm: {units: 6, return_sequences: true}", "permute: [2, 1]"
AS_PICTURE = "reshape: [8, 20, 1]\n  - conv2d: {filters: 4, kernel_size: 3}"
ABOVE = f"{PERMUTE}\n  - conv1d: {{filters: 8, kernel_size: 3, padding: same, activation: relu}}\n  - {LSTM}"


def problems(old="", new="", more="", errors=True):
    assert old in SPEC
    return [each for each in dlspec.validate(SPEC.replace(old, new) + more) if each.is_error or not errors]


def one(*given, **more):
    (found,) = problems(*given, **more)
    return found


def test_it_is_planned_with_the_blank_and_the_items_of_the_training_part():
    assert not problems(errors=False)
    assert dlspec.graph(SPEC).output_shape == (None, 20, 11)
    shown = dlspec.load(SPEC)
    from dlspec.spec.checks import check

    filled = check(shown.document).spec
    assert filled.data.target["number"].beam == 16
    assert [metric.type_name for metric in filled.evaluate.metrics] == ["exact_match", "edit_distance"]
    assert [baseline.type_name for baseline in filled.evaluate.baselines] == ["majority", "nearest_text"]


@pytest.mark.parametrize("loss", ["", "train: {loss: mse}\n"])
def test_a_text_that_is_neither_fed_back_nor_read_is_told_both_ways(loss):
    found = one("train: {loss: ctc}\n", loss)
    assert (found.code, found.span.line) == ("missing-key", 4)
    assert found.message == (
        "`sequence` of `number` says neither `feed_back`, the input by which the network sees what it has written so "
        "far, nor is it read off all timesteps by `loss: ctc`"
    )
    assert "`loss: ctc` under `train`" in found.help
    assert "`feed_back: shifted`" in found.help


def test_an_input_that_sees_the_target_alone_was_meant_to_be_fed_back():
    found = one(
        SPEC[SPEC.index("model:") :],
        "model:\n  inputs: {seen: strip, before: number}\n  layers: [{flatten: {from: seen}}, output]\n",
    )
    assert (found.code, "`feed_back: before` beside `sequence`;" in found.help) == ("missing-key", True)


@pytest.mark.parametrize(
    ("new", "code", "help"),
    [
        ("{sequence: characters, length: 4}", "wrong-value", "remove `length`"),
        ("{sequence: characters, words: 4}", "too-few-items", "write `words: 10`"),
        ("{sequence: characters, beam: 1001}", "out-of-range", "write `beam: 100`; more hardly read otherwise"),
        ("{sequence: characters}\n  labels: 20", "wrong-value", "remove `labels`"),
        ("{sequence: characters}}\n  split: {folds: 3", "wrong-split", "remove `folds`"),
    ],
)
def test_mistakes_of_the_target(new, code, help):
    if "labels" in new:
        new = "{sequence: characters}}\n  labels: 20\n  split: {test: 0.1"
    found = problems(TARGET, new)
    assert (code, help) in [(each.code, each.help) for each in found]


@pytest.mark.parametrize(
    ("old", "new", "message", "help"),
    [
        (LSTM, "lstm: 6",
         "the network ends in (batch, 11), and `number` is read off timesteps, (batch, timesteps, 11): the blank and "
         "10 items at each",
         "write `return_sequences: true` in `lstm_1`, so that it gives every timestep"),
        (LSTM, "flatten", "the network ends in (batch, 11)",
         "remove `flatten_1`, which gives (batch, 160): a text needs timesteps"),
        (ABOVE, AS_PICTURE, "the network ends in (batch, 6, 18, 11)", "write `permute: [2, 1, 3]` and `reshape: "
         "{target_shape: [18, 24]}` below, so that the width of the picture becomes time"),
        (ABOVE, f"{AS_PICTURE}\n  - flatten", "the network ends in (batch, 11)", "write `permute: [2, 1, 3]` and "
         "`reshape` in place of `flatten_1`"),
        ("- output", "- output: {units: 4}", "the network ends in (batch, 20, 4), and `number` has 10 items",
         "remove `units`"),
        ("- output", "- dense: 9", "the network ends in (batch, 20, 9)", "make `output` the last layer"),
        ("- output", "- output: {activation: softmax}", "`ctc` takes logits", "leave `activation` out"),
        ("- output", "- dense: 11\n  - softmax", "`ctc` takes logits", "make `output` the last layer"),
        ("- output", "- time_distributed: {dense: {units: 11, activation: softmax}}", "`ctc` takes logits",
         "make `output` the last layer"),
        ("- output", "- lstm: {units: 11, return_sequences: true}", "`ctc` takes logits",
         "make `output` the last layer"),
        (f"{ABOVE}\n  - output", f"masking\n  - {LSTM}\n  - dense: 11", "timesteps are masked",
         "make `output` the last layer"),
    ],
)  # fmt: skip
def test_a_network_that_ends_in_no_logits_along_time(old, new, message, help):
    found = one(old, new)
    assert found.code == "output-mismatch"
    assert found.message.startswith(message)
    assert found.help.startswith(help)


def test_what_is_told_to_write_mends_it():
    text = f"{AS_PICTURE}\n  - permute: [2, 1, 3]\n  - reshape: {{target_shape: [18, 24]}}"
    assert not problems(ABOVE, text)


def test_a_network_with_too_few_timesteps_is_told_with_the_row():
    found = one(LSTM, f"max_pooling1d: 10\n  - {LSTM}")
    numbers = DATASETS["digit_strips"](digits=2, samples=120).load(42)["number"]
    doubled = [row for row, number in enumerate(numbers) if len(number) == 2 and number[0] == number[1]]
    assert found.code == "too-few-timesteps"
    assert found.message == (
        f"the network gives 2 timesteps, and `number` of row {doubled[0] + 1} takes 3: one for each item and a blank "
        f"between two that are the same; so it is with {len(doubled)} rows"
    )
    assert found.labels[0].span.line == 8
    assert found.help == "pool or stride less along time, so that there are 3 timesteps"
    assert not problems(LSTM, f"max_pooling1d: 6\n  - {LSTM}")


def test_how_many_timesteps_a_text_takes():
    needed = [timesteps_needed(text) for text in ("", "a", "ab", "aa", "aaa", "abba")]
    assert needed == [0, 1, 2, 3, 5, 5]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sequence: characters}}\n", "`ctc` is of a text that is read off timesteps, and `digit` is none"),
        ("fed", "`ctc` is of a text that is read off all timesteps, and `answer` is written item by item"),
    ],
)
def test_the_loss_of_other_targets(text, line):
    spec = "dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, output]\ntrain: {loss: ctc}\n"
    if text == "fed":
        from tests.spec.test_sequences import SPEC as FED

        spec = f"{FED}train: {{loss: ctc}}\n"
    (found,) = [each for each in dlspec.validate(spec) if each.is_error]
    assert found.code == "loss-mismatch"
    assert found.message.startswith(line)


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ("evaluate: {metrics: [teacher_forced_accuracy]}\n", "metric-mismatch", "is read by `ctc`"),
        ("evaluate: {metrics: [accuracy]}\n", "metric-mismatch", "is a text that is read"),
        ("evaluate: {baselines: [linear]}\n", "baseline-mismatch", "texts that are written or read"),
        ("pretrain: {method: supervised, epochs: 1}\n", "wrong-target", "read off all timesteps"),
        ("runtime: {distribute: {strategy: mirrored}}\n", "wrong-value", "read on one device"),
    ],
)
def test_what_is_of_other_targets(more, code, message):
    found = one(more=more)
    assert (found.code, message in found.message) == (code, True)


def test_classes_have_no_weight():
    found = one("loss: ctc", "loss: ctc, class_weight: balanced")
    assert (found.code, found.help) == ("class-weight-mismatch", "remove `class_weight`")


def test_the_target_is_no_input():
    found = problems("model:\n", "model:\n  inputs: {seen: strip, other: number}\n  layers:\n")
    assert found[0].code == "target-among-features"
    assert "`feed_back: other`" in found[0].help


def test_a_mask_that_is_dropped_is_a_warning():
    (found,) = problems(ABOVE, f"masking\n  - conv1d: {{filters: 8, kernel_size: 3}}\n  - {LSTM}", errors=False)
    assert (found.code, "learns to say the blank" in found.help) == ("dropped-mask", True)


def test_spaces_separate_items_that_are_read_where_the_loss_says_so(tmp_path):
    """Without it `{sequence: " "}` is a tag for each word."""
    rows = "".join(f"{'ab' * (row % 3 + 1)},{' '.join('uv' * (row % 3 + 1))}\n" for row in range(60))
    (tmp_path / "t.csv").write_text(f"seen,said\n{rows}")
    text = (
        'dlspec: 1\ndata:\n  table: t.csv\n  features: {seen: {text: {tokens: characters, length: 8}}}\n'
        '  target: {said: {sequence: " "}}\n'
        "model: [{embedding: 4}, {lstm: {units: 4, return_sequences: true}}, output]\n"
    )  # fmt: skip
    (tmp_path / "read.yaml").write_text(f"{text}train: {{loss: ctc}}\n")
    (tmp_path / "tags.yaml").write_text(text)
    assert not [each for each in dlspec.validate(tmp_path / "read.yaml") if each.is_error]
    assert dlspec.graph(dlspec.load(tmp_path / "read.yaml")).output_shape == (None, 8, 3)
    assert [each for each in dlspec.validate(tmp_path / "tags.yaml") if each.is_error]


def test_strips_hold_their_digits_in_their_order():
    from sklearn.datasets import load_digits

    dataset = DATASETS["digit_strips"](digits=3, samples=200)
    loaded, described, digits = dataset.load_parts(5), dataset.describe(), load_digits()
    strips, numbers = loaded.columns["strip"], loaded.columns["number"]
    assert strips.shape == (200, 8, dataset.width)
    assert (loaded.validation_rows, loaded.test_rows) == (20, 50) == (described.validation_rows, described.test_rows)
    assert {len(number) for number in numbers} == {1, 2, 3}
    assert loaded.columns["count"].tolist() == [str(len(number)) for number in numbers]
    assert described.column("count").classes == ("1", "2", "3")
    of_part = []
    for rows in (range(150), range(150, 200)):
        known = set()
        for row in rows:
            if len(numbers[row]) != 1:
                continue
            (first,) = np.flatnonzero(strips[row].any(axis=0))[:1]
            places = [(n, i) for n, i in enumerate(digits.images) if str(digits.target[n]) == numbers[row]]
            known |= {
                n
                for n, image in places
                for left in range(max(0, first - 8), first + 1)
                if left + 8 <= dataset.width and np.array_equal(strips[row][:, left : left + 8], image)
            }
        assert known
        of_part.append(known)
    assert not of_part[0] & of_part[1]
    assert np.array_equal(DATASETS["digit_strips"](digits=3, samples=200).load(5)["strip"], strips)
    assert dlspec.validate("dlspec: 1\ndata: {dataset: {digit_strips: {digits: 21}}}\nmodel: [output]\n")
