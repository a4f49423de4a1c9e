"""A network that reads texts off its timesteps: trained, judged, saved, taken up again, and asked."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.evaluation.aligned import log_shares, read
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.alignment import NEVER
from dlspec.runs.written_texts import texts_of
from dlspec.training.values import predict
from tests.commands import dlspec_here
from tests.conftest import ROOT
from tests.trained import StopAfter

SPEC = """\
dlspec: 1
name: tiny_ctc
seed: 2
data:
  table: words.csv
  features: {heard: {text: {tokens: characters, length: 14}}}
  target: {said: {sequence: characters}}
model:
  - embedding: {output_dim: 8, mask_zero: true}
  - bidirectional: {gru: {units: 16, return_sequences: true}}
  - output
train: {loss: ctc, optimizer: {adam: 0.02}, epochs: 12, batch_size: 16}
"""
STRIPS = """\
dlspec: 1
name: tiny_strips
data:
  dataset: {digit_strips: {digits: 2, samples: 300}}
  target: {number: {sequence: characters, beam: 1}}
  scale: min_max
model:
  - reshape: [8, 20, 1]
  - conv2d: {filters: 8, kernel_size: 3, padding: same, activation: relu}
  - permute: [2, 1, 3]
  - reshape: [20, 64]
  - output
train: {loss: ctc, optimizer: {adam: 0.01}, epochs: 4, batch_size: 32}
"""


def rows(weights=False):
    """Letters with dots before and behind them; what is said are the letters."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(260):
        letters = random.choice([*"abc가"], random.integers(1, 5))
        heard = "".join(letter + "." * random.integers(1, 3) for letter in letters)
        found.append({"heard": "." * random.integers(1, 3) + heard, "said": "".join(letters)})
    table = pd.DataFrame(found)
    return table.assign(counts=random.uniform(0.5, 2, len(table))) if weights else table


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ctc")
    rows().to_csv(folder / "words.csv", index=False)
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def ctc_run(home):
    return dlspec.run(home / "spec.yaml", out=home / "run")


@pytest.fixture(scope="session")
def strips_run(home):
    (home / "strips.yaml").write_text(STRIPS, encoding="utf-8")
    return dlspec.run(home / "strips.yaml", out=home / "strips")


def own_rows(run):
    return rows().iloc[run.predictions["row"]].reset_index(drop=True)


def test_it_reads_better_than_guesses_and_is_what_was_saved(ctc_run):
    metrics = ctc_run.metrics
    assert metrics.saved_model.same
    assert metrics.past_alone is None
    assert (metrics.verdict.metric, metrics.verdict.outcome) == ("exact match", "better")
    assert metrics.test["exact_match"] > 0.8
    assert {*metrics.test} == {"exact_match", "edit_distance"}
    assert {*metrics.baselines} == {"majority", "nearest_text"}
    assert any("prefix beam search of 16" in note for note in metrics.notes)


def test_figures_are_those_of_the_texts_that_stand_in_the_table(ctc_run):
    table, test = ctc_run.predictions, ctc_run.metrics.test
    right = table["truth"] == table["written"]
    assert test["exact_match"] == pytest.approx(right.mean())
    assert (table["network"] == 1 - right).all()
    assert table["truth"].tolist() == own_rows(ctc_run)["said"].tolist()


def test_masked_timesteps_say_the_blank_for_certain(ctc_run):
    import tensorflow as tf

    own = own_rows(ctc_run)
    logits = np.array(ctc_run.model({"heard": tf.constant(own["heard"].to_numpy()[:, None], "string")}))
    there = np.arange(14) < own["heard"].str.len().to_numpy()[:, None]
    assert logits.shape[1:] == (14, 5)
    assert (logits[~there] == [0, *[np.float32(NEVER)] * 4]).all()
    assert (logits[there] > NEVER / 2).all()


def test_the_loss_is_that_of_the_timesteps_that_are_there(ctc_run):
    """`val_loss` of the last epoch, out of the logits of the saved model, cut where each text ends."""
    import tensorflow as tf

    from dlspec.runs.job import load_data

    part = load_data(ctc_run.spec).validation
    own = rows().iloc[np.asarray(part.rows)]
    logits = np.array(ctc_run.model({"heard": tf.constant(own["heard"].to_numpy()[:, None], "string")}))
    items = [*ctc_run.data.target.classes]
    labels = [[items.index(letter) for letter in text] for text in own["said"]]
    losses = [
        tf.nn.ctc_loss([text or [0]], values[None, : len(heard)], [len(text)], [len(heard)], False, blank_index=0)[0]
        for text, values, heard in zip(labels, logits, own["heard"], strict=True)
    ]
    assert ctc_run.history[-1].val_loss == pytest.approx(np.mean(losses), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["ctc_run", "strips_run"])
def test_the_saved_model_reads_with_plain_keras_as_model_txt_shows(which, request, tmp_path):
    """The lines of `model.txt`, for the rows of the test part, in a process without dlspec."""
    run = request.getfixturevalue(which)
    text = (run.folder / "model.txt").read_text(encoding="utf-8")
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ") and "predict(" not in line]
    where = next(i for i, line in enumerate(lines) if line.startswith("predicted ="))
    if which == "ctc_run":
        given = own_rows(run)["heard"].tolist()
        start = f"rows = {{'heard': tf.constant({[[each] for each in given]!r}, 'string')}}"
        expected = texts_of(
            read(predict(run.model, {"heard": np.array(given, object)[:, None]}), best_path_of(run)), run.data.target
        )
    else:
        strips = run.spec.data.dataset.load(run.spec.seed)["strip"][run.predictions["row"].to_numpy()]
        np.save(tmp_path / "rows.npy", strips)
        start, expected = "rows = np.load('rows.npy')", run.predictions["written"].to_numpy()
    code = [*lines[:where], start, *lines[where:], "import sys, json", "assert 'dlspec' not in sys.modules"]
    code += ["json.dump(read, open('read.json', 'w', encoding='utf-8'))", ""]
    script = "\n".join(code).replace('"model.keras"', repr(str(run.folder / "model.keras")))
    (tmp_path / "run.py").write_text(script, encoding="utf-8")
    subprocess.run([sys.executable, "run.py"], check=True, cwd=tmp_path, capture_output=True)
    assert json.loads((tmp_path / "read.json").read_text(encoding="utf-8")) == expected.tolist()


def best_path_of(run):
    from dataclasses import replace

    target = run.data.target_of_run()
    return replace(target, written=replace(target.written, beam=1))


def test_predict_never_asks_for_the_target(ctc_run, tmp_path):
    own = own_rows(ctc_run)
    found = ctc_run.predict(own[["heard"]])
    assert found.columns.tolist() == ["said"]
    assert found["said"].tolist() == ctc_run.predictions["written"].tolist()
    own.to_csv(tmp_path / "new.csv", index=False)
    done = CliRunner().invoke(cli, ["predict", str(ctc_run.folder), str(tmp_path / "new.csv")])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "heard,said,predicted said"
    with pytest.raises(DataError, match="no column `heard`"):
        ctc_run.predict(own[["said"]])


def test_predict_reads_pictures_out_of_an_array(strips_run):
    strips = strips_run.spec.data.dataset.load(42)["strip"][strips_run.predictions["row"].to_numpy()]
    assert strips_run.predict(strips)["number"].tolist() == strips_run.predictions["written"].tolist()
    with pytest.raises(DataError, match="shape"):
        strips_run.predict(strips[:, :, :10])


def test_evaluate_on_a_file_gives_the_figures_of_the_run(ctc_run, tmp_path):
    own_rows(ctc_run).to_csv(tmp_path / "new.csv", index=False)
    found = dlspec.evaluate(ctc_run, tmp_path / "new.csv")
    assert found.metrics.test == pytest.approx(ctc_run.metrics.test)
    for name, scores in ctc_run.metrics.baselines.items():
        assert found.metrics.baselines[name] == pytest.approx(scores)
    assert "timesteps:blank" in found.pictures


def test_evaluate_reads_pictures_too(strips_run, tmp_path):
    columns, places = strips_run.spec.data.dataset.load(42), strips_run.predictions["row"].to_numpy()
    np.savez(tmp_path / "new.npz", x=columns["strip"][places], y=columns["number"][places].astype(str))
    found = dlspec.evaluate(strips_run, tmp_path / "new.npz")
    assert found.metrics.test == pytest.approx(strips_run.metrics.test)
    assert found.pictures["timesteps:seen"].shape[1:] == (8, 20)


def test_what_cannot_be_read_counts_as_wrong(ctc_run, tmp_path):
    """A text with an item that nobody knows, one that is longer than any, and one that is longer than what is heard."""
    table = pd.DataFrame({"heard": ["..z", ".a.a.a.a.a.", "."], "said": ["z", "aaaaaaa", "aa"]})
    table.to_csv(tmp_path / "new.csv", index=False)
    found = dlspec.evaluate(ctc_run, tmp_path / "new.csv")
    assert found.metrics.test["exact_match"] == 0
    assert found.predictions["truth"].tolist() == ["\ufffd", "aaaa\ufffd", "aa"]


def test_a_masked_sample_with_too_few_timesteps_is_told_with_its_row(home):
    table = rows()
    table.loc[17, ["heard", "said"]] = ["a.", "abc"]
    table.loc[30, ["heard", "said"]] = ["bb", "bb"]
    table.to_csv(home / "short.csv", index=False)
    (home / "short.yaml").write_text(SPEC.replace("words.csv", "short.csv"), encoding="utf-8")
    assert not [each for each in dlspec.validate(home / "short.yaml") if each.is_error]
    with pytest.raises(DataError) as caught:
        dlspec.run(home / "short.yaml", out=home / "short")
    (found,) = caught.value.diagnostics
    assert found.code == "too-few-timesteps"
    assert found.message.startswith("`said` of row 18 takes 3 timesteps")
    assert found.message.endswith("of its sample 2 are not masked, and so it is in 1 more")
    assert (found.span.line, found.span.column) == (7, 18)


@pytest.mark.slow
def test_validation_texts_with_items_of_their_own_are_counted(home):
    table = rows()
    table.loc[[3, 9, 200, 240], "said"] = ["q", "qq", "qa", "aq"]
    table.assign(part=["train" if "q" not in text else "test" for text in table["said"]]).to_csv(
        home / "odd.csv", index=False
    )
    text = SPEC.replace("words.csv", "odd.csv").replace("epochs: 12", "epochs: 1")
    table = pd.read_csv(home / "odd.csv", keep_default_na=False)
    table.loc[range(50, 80), "part"] = "validation"
    table.to_csv(home / "odd.csv", index=False)
    (home / "odd.yaml").write_text(text.replace("  target:", "  split: {column: part}\n  target:"), encoding="utf-8")
    run = dlspec.run(home / "odd.yaml", out=home / "odd")
    assert run.metrics.test["exact_match"] == 0
    assert any("4 of 4 texts have an item that the training part does not have" in each for each in run.metrics.notes)
    assert "q" not in run.data.target.classes


@pytest.mark.slow
def test_weighted_samples_count_by_their_weight(home):
    rows(weights=True).to_csv(home / "weighted.csv", index=False)
    text = SPEC.replace("words.csv", "weighted.csv\n  weight: counts").replace("epochs: 12", "epochs: 2")
    (home / "weighted.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(home / "weighted.yaml", out=home / "weighted")
    table = run.predictions
    right = (table["truth"] == table["written"]).to_numpy()
    assert run.metrics.test["exact_match"] == pytest.approx(np.average(right, weights=table["weight"]))
    assert run.metrics.saved_model.same


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_bits(ctc_run, home, tmp_path):
    with pytest.raises(dlspec.Stopped):
        dlspec.run(home / "spec.yaml", out=tmp_path / "run", listener=StopAfter(50))
    again = dlspec.resume(tmp_path / "run")
    assert (again.folder / "predictions.csv").read_bytes() == (ctc_run.folder / "predictions.csv").read_bytes()
    assert again.metrics.test == ctc_run.metrics.test
    for one, other in zip(again.model.get_weights(), ctc_run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_export_gives_logits_and_says_how_they_are_read(strips_run, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    dlspec.export(strips_run, out=tmp_path / "net.onnx")
    receipt = json.loads((tmp_path / "net.onnx.receipt.json").read_text())
    signature = json.loads((tmp_path / "net.onnx.signature.json").read_text())
    decoding = {"outputs": "logits", "method": "ctc", "blank": 0, "unit": "characters", "beam": 1}
    assert receipt["decoding"] == signature["outputs"]["decoding"] == decoding
    assert signature["outputs"]["places"] == [20]
    strips = strips_run.spec.data.dataset.load(42)["strip"][strips_run.predictions["row"].to_numpy()]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (logits,) = session.run(None, {session.get_inputs()[0].name: strips.astype("float64")})
    found = texts_of(read(logits, strips_run.data.target_of_run()), strips_run.data.target)
    assert found.tolist() == strips_run.predictions["written"].tolist()


@pytest.mark.parametrize(
    ("way", "message"), [("web", "off all timesteps"), ("serve", "off timesteps"), ("eject", "off timesteps")]
)
def test_what_gives_one_answer_is_refused(strips_run, way, message, tmp_path):
    from dlspec.deployment.serve import serve

    ways = {
        "web": lambda: dlspec.export(strips_run, out=tmp_path / "net.html"),
        "serve": lambda: serve(strips_run),
        "eject": lambda: dlspec.eject(strips_run.folder.parent / "strips.yaml", out=tmp_path / "out.py"),
    }
    with pytest.raises(DataError, match=message):
        ways[way]()


def test_the_page_shows_when_each_item_was_said(strips_run, ctc_run):
    page = (strips_run.folder / "report.html").read_text(encoding="utf-8")
    assert "When each item was said" in page
    assert "What it wrote" not in page
    assert "a text that is read as one of 10 different characters" in page
    page = (ctc_run.folder / "report.html").read_text(encoding="utf-8")
    assert "When each item was said" in page
    assert "What it read" in page


def test_what_is_drawn_is_what_the_network_says(ctc_run):
    import tensorflow as tf

    pictures, table = ctc_run.pictures, ctc_run.predictions
    own = own_rows(ctc_run)
    shown = texts_of(pictures["timesteps:read"], ctc_run.data.target)
    assert {*shown} <= {*table["written"]}
    truth = texts_of(pictures["timesteps:truth"], ctc_run.data.target)
    assert [one == other for one, other in zip(shown, truth, strict=True)] == sorted(
        one == other for one, other in zip(shown, truth, strict=True)
    )
    logits = np.array(ctc_run.model({"heard": tf.constant(own["heard"].to_numpy()[:, None], "string")}))
    shares = np.exp(log_shares(logits))
    for blank in pictures["timesteps:blank"]:
        assert np.abs(shares[..., 0] - blank).max(axis=1).min() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numbers", "short"])
def test_texts_out_of_arrays_are_read(name, tmp_path):
    """Strings of an array are texts where the spec says so, also where they are few and look like classes."""
    random = np.random.default_rng(0)
    texts = random.choice(["ab", "ba", "a"] if name == "short" else [*map(str, range(10, 90))], 80)
    seen = np.zeros((80, 6, 2), "float32")
    for row, text in enumerate(texts):
        seen[row, [1, 3][: len(text)], [ord(letter) % 2 for letter in text]] = 1
    np.savez(tmp_path / "a.npz", x=seen, y=texts)
    (tmp_path / "spec.yaml").write_text(
        "dlspec: 1\nname: arrays\ndata: {arrays: a.npz, target: {y: {sequence: characters}}}\n"
        "model: [{gru: {units: 4, return_sequences: true}}, output]\ntrain: {loss: ctc, epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    assert run.predictions["truth"].tolist() == texts[run.predictions["row"]].tolist()
    assert run.metrics.saved_model.same
    np.savez(tmp_path / "new.npz", x=seen[run.predictions["row"]])
    done = dlspec_here("predict", str(run.folder), "new.npz", "--out", "found.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "found.csv", dtype=str, keep_default_na=False)
    assert found.iloc[:, -1].tolist() == run.predictions["written"].tolist()
    np.savez(tmp_path / "labelled.npz", x=seen[run.predictions["row"]], y=texts[run.predictions["row"]])
    assert dlspec.evaluate(run, tmp_path / "labelled.npz").metrics.test == pytest.approx(run.metrics.test)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["images", "audio"])
def test_texts_beside_files_are_read(source, tmp_path):
    """A table names pictures, or sounds, and the text of each; `validate` opens the table alone."""
    import wave

    from PIL import Image

    random = np.random.default_rng(0)
    table = []
    for number in range(60):
        text = "".join(random.choice([*"ab"], random.integers(1, 4)))
        if source == "images":
            pixels = np.zeros((4, 18), "uint8")
            for place, letter in enumerate(text):
                pixels["ab".index(letter) * 2 : "ab".index(letter) * 2 + 2, place * 6 : place * 6 + 4] = 255
            file = f"{number}.png"
            Image.fromarray(pixels).save(tmp_path / file)
        else:
            tones = np.zeros(600)
            for place, letter in enumerate(text):
                tones[place * 200 : place * 200 + 150] = np.sin(np.arange(150) * (0.2 + 0.3 * "ab".index(letter)))
            file = f"{number}.wav"
            with wave.open(str(tmp_path / file), "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(8000)
                sound.writeframes((tones * 20000).astype("<i2").tobytes())
        table.append({"file": file, "said": text})
    pd.DataFrame(table).to_csv(tmp_path / "table.csv", index=False)
    layers = {
        "images": "permute: [2, 1, 3]}, {reshape: [18, 4]",
        "audio": "reshape: [600, 1]}, {conv1d: {filters: 4, kernel_size: 50, strides: 50}",
    }
    (tmp_path / "spec.yaml").write_text(
        f"dlspec: 1\nname: files\ndata: {{{source}: table.csv, target: {{said: {{sequence: characters}}}}}}\n"
        f"model: [{{{layers[source]}}}, {{gru: {{units: 4, return_sequences: true}}}}, output]\n"
        "train: {loss: ctc, epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    said = {each["file"]: each["said"] for each in table}
    assert run.predictions["truth"].tolist() == [table[row]["said"] for row in run.predictions["row"]]
    found = dlspec.evaluate(run, tmp_path / "table.csv")
    assert len(found.predictions) == len(said)
    assert "timesteps:seen" in found.pictures


def test_empty_texts_are_told(home):
    from dlspec.data.checks import check_data
    from dlspec.runs.job import load_data

    table = rows()
    table.loc[[4, 8], "said"] = ""
    table.to_csv(home / "empty.csv", index=False)
    spec = dlspec.load(SPEC.replace("words.csv", str(home / "empty.csv")))
    (found,) = [each for each in check_data(spec.data, load_data(spec)) if each.code == "empty-texts"]
    assert found.message == "`said` is empty in 2 of 260 rows, which count as texts without an item"


@pytest.mark.slow
def test_the_example_learns_to_read(tmp_path):
    run = dlspec.run(ROOT / "specs" / "digits_ctc.yaml", out=tmp_path / "run")
    assert run.metrics.test["exact_match"] > 0.85
    assert run.metrics.verdict.outcome == "better"
