"""A network that writes: trained, judged, saved, taken up again, and asked to go on."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.evaluation.writing import drawn
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.language import writer_of
from tests.preloaded import preloaded
from tests.trained import StopAfter

SPEC = """\
dlspec: 1
name: tiny_text
seed: 4
data:
  text: book.txt
  target: {text: next}
  features: {text: {text: {tokens: characters, length: 16}}}
model:
  - embedding: 8
  - gru: {units: 24, return_sequences: true}
  - output
train: {optimizer: {adam: 0.01}, epochs: 6, batch_size: 8}
"""


def book():
    random = np.random.default_rng(1)
    who, does = ("고양이", "the dog", "a bird"), ("slept", "sang", "ate bread")
    return "".join(f"{random.choice(who)} {random.choice(does)}.\n" for _ in range(240))


@pytest.fixture(scope="session")
def text_run(tmp_path_factory):
    home = tmp_path_factory.mktemp("texts")
    (home / "book.txt").write_text(book(), encoding="utf-8", newline="")
    (home / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return dlspec.run(home / "spec.yaml", out=home / "run")


def test_it_beats_triples_and_is_what_was_saved(text_run):
    metrics = text_run.metrics
    assert metrics.saved_model.same
    assert metrics.past_alone.holds
    assert metrics.verdict.metric == "perplexity"
    assert metrics.verdict.against == "triples"
    scores = {name: own["perplexity"] for name, own in metrics.scores().items()}
    assert scores["majority"] > scores["pairs"] > scores["triples"]
    assert np.exp(metrics.test["log_loss"]) == pytest.approx(metrics.test["perplexity"])
    low, high = metrics.test_intervals["perplexity"]
    assert low < metrics.test["perplexity"] < high


def test_perplexity_counts_each_token_of_the_test_part_once(text_run):
    """By the saved model alone, in windows that follow each other from the beginning of the test part."""
    text = book()
    start = round(len(text) - 0.15 * len(text))
    tested = [sign.encode() for sign in text[start:]]
    found = writer_of(text_run.data, text_run.model).log_probabilities(tested)
    assert len(found) == len(tested) - 1
    assert np.exp(-found.mean()) == pytest.approx(text_run.metrics.test["perplexity"], rel=1e-4)
    assert text_run.predictions["network"].mean() == pytest.approx(-found.mean(), rel=1e-4)


def test_the_saved_model_is_plain_keras(text_run, tmp_path):
    code = (
        "import keras, numpy as np, sys, tensorflow as tf\n"
        "assert 'dlspec' not in sys.modules\n"
        f"model = keras.models.load_model({str(text_run.folder / 'model.keras')!r})\n"
        "found = np.array(model({'text': tf.constant([['the dog'], ['고양이 ate'], ['']])}))\n"
        "np.save('found.npy', found)\n"
    )
    done = preloaded("keras").run("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "found.npy")
    assert found.shape == (3, 16, len(text_run.data.target.classes))
    assert np.allclose(found.sum(axis=-1), 1, atol=1e-5)
    own = writer_of(text_run.data, text_run.model).of_next([sign.encode() for sign in "the dog"])
    assert np.allclose(found[0, 6], own, atol=1e-5)


def test_the_most_probable_token_is_written_at_temperature_0(text_run):
    written = dlspec.generate(text_run, "the", length=30, temperature=0)
    assert written == dlspec.generate(text_run.folder, "the", length=30, temperature=0)
    assert len(written) == 33
    writer = writer_of(text_run.data, text_run.model)
    for place in range(3, 33):
        shares = writer.of_next([sign.encode() for sign in written[:place]])
        assert written[place] == writer.tokens[1 + int(shares[1:].argmax())]


def test_a_seed_writes_the_same_again_and_korean_works(text_run):
    once = dlspec.generate(text_run, "고양", length=60, temperature=0.8, seed=3)
    assert once == dlspec.generate(text_run, "고양", length=60, temperature=0.8, seed=3)
    assert once != dlspec.generate(text_run, "고양", length=60, temperature=0.8, seed=4)
    assert once.startswith("고양이")
    assert {*once} <= {*book()}


def test_tokens_are_drawn_by_their_probability():
    shares, random = np.array([0.5, 0.1, 0.2, 0.2]), np.random.default_rng(0)
    plain = np.bincount([drawn(shares, 1.0, random) for _ in range(4000)], minlength=4) / 4000
    assert np.allclose(
        plain, [0, 0.2, 0.4, 0.4], atol=0.03
    )  # the unknown one, of which much is expected, is never drawn
    cold = np.bincount([drawn(shares, 0.5, random) for _ in range(4000)], minlength=4) / 4000
    assert np.allclose(cold, [0, 1 / 9, 4 / 9, 4 / 9], atol=0.03)
    assert drawn(shares, 0.0, random) == 2


def test_unknown_tokens_of_a_prompt_are_reported(text_run):
    with pytest.warns(UserWarning, match="`Z`, `é`"):
        written = dlspec.generate(text_run, "Zé dog", length=5, temperature=0)
    assert written.startswith("Zé dog")
    with pytest.raises(DataError, match="the prompt has no character"):
        dlspec.generate(text_run, "")
    with pytest.raises(ValueError, match="`length` is 1 or more"):
        dlspec.generate(text_run, "the", length=0)


def test_the_command_writes_to_standard_output(text_run):
    arguments = ["generate", str(text_run.folder), "the Q", "--length", "20", "--temperature", "0.8", "--seed", "1"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0
    assert "has no characters `Q`" in done.stderr
    with pytest.warns(UserWarning, match="`Q`"):
        assert done.stdout == dlspec.generate(text_run, "the Q", length=20, temperature=0.8, seed=1) + "\n"


def test_other_runs_write_no_text(tiny_run):
    with pytest.raises(DataError, match="writes no text") as error:
        dlspec.generate(tiny_run("table"), "the")
    assert error.value.diagnostics[0].code == "no-language-model"


def test_predict_says_how_probable_texts_are(text_run, tmp_path):
    texts = ["the dog slept.\n", "zzz zzz", "x", ""]
    found = text_run.predict(pd.DataFrame({"text": texts}))
    assert found["text tokens"].tolist() == [14, 6, 0, 0]
    assert found["text unknown"].tolist() == [0, 6, 1, 0]
    assert found["text perplexity"][0] < 3 < 50 < found["text perplexity"][1]
    assert np.isnan(found["text perplexity"][2:]).all()
    own = -found["text log_probability"][0] / 14
    assert np.exp(own) == pytest.approx(found["text perplexity"][0])
    (tmp_path / "new.txt").write_text(texts[0], encoding="utf-8")
    done = CliRunner().invoke(cli, ["predict", str(text_run.folder), str(tmp_path / "new.txt")])
    assert done.exit_code == 0
    assert f"{found['text perplexity'][0]:.4f}"[:5] in done.stdout


def test_evaluate_judges_new_text(text_run, tmp_path):
    text = book()
    (tmp_path / "same.txt").write_text(text[round(len(text) - 0.15 * len(text)) :], encoding="utf-8", newline="")
    again = dlspec.evaluate(text_run, tmp_path / "same.txt")
    for name, scores in text_run.metrics.scores().items():
        assert again.metrics.scores()[name]["perplexity"] == pytest.approx(scores["perplexity"], rel=1e-3)
    (tmp_path / "other.txt").write_text(text[:600].upper(), encoding="utf-8", newline="")
    other = dlspec.evaluate(text_run, tmp_path / "other.txt")
    assert other.metrics.test["perplexity"] > 3 * again.metrics.test["perplexity"]
    assert any("count as one unknown token" in note for note in other.metrics.notes)


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_bits(text_run, tmp_path, one_step_at_a_time):
    spec = text_run.folder.parent / "spec.yaml"
    from dlspec.training.progress import Stopped

    with pytest.raises(Stopped):
        dlspec.run(spec, out=tmp_path / "run", listener=StopAfter(40))
    again = dlspec.resume(tmp_path / "run")
    for one, other in zip(text_run.model.weights, again.model.weights, strict=True):
        assert np.array_equal(one, other)
    assert again.metrics.test == text_run.metrics.test


def test_the_report_shows_what_is_written_and_what_surprised(text_run):
    page = text_run.report.read_text(encoding="utf-8")
    for heading in ("What it writes", "What surprised it", "How much it helps to see more"):
        assert heading in page
    assert page.count('<span title="probability') > 200
    pictures = text_run.pictures
    assert pictures["text:written"].shape == (3, 320)
    assert (pictures["text:written"] > 0).all()
    prompt = "".join(text_run.data.target.classes[token] for token in pictures["text:prompt"])
    assert prompt in book()
    written = "".join(text_run.data.target.classes[token] for token in pictures["text:written"][1])
    assert dlspec.generate(text_run, prompt, length=40, temperature=0.8, seed=0) == prompt + written[:40]


def test_padding_counts_in_no_engine(text_run):
    """The loss is the mean over tokens, in compiled steps as one by one: a last window of one token counts as one."""
    from dlspec.runs.job import load_data, new_network, plan_of
    from dlspec.training.masked import places_of

    spec = dlspec.load(text_run.folder.parent / "spec.yaml")
    data = load_data(spec)
    network = new_network(spec, plan_of(spec, data), data)
    counted = places_of(network, data.test.inputs)
    assert counted.tolist() == (np.asarray(data.test.truth) >= 0).sum(axis=1).tolist()
    assert counted[-1] < 16
    last, metrics = text_run.history[-1], text_run.metrics
    assert (np.asarray(data.validation.truth) < 0).any()
    assert last.val_loss == pytest.approx(metrics.validation["log_loss"], rel=1e-5)


@pytest.mark.slow
def test_engines_give_the_same_losses(text_run, tmp_path, monkeypatch):
    """Compiled by XLA, in runs of steps and one by one; windows of one token and of sixteen are in a batch together."""
    from dlspec.training.engines.choice import TensorFlowRuns

    text = (text_run.folder.parent / "spec.yaml").read_text(encoding="utf-8")
    (tmp_path / "many").mkdir()
    for number in range(40):
        (tmp_path / "many" / f"{number}.txt").write_text(book()[number : 2 * number + 20], encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(text.replace("book.txt", "many"), encoding="utf-8")

    def losses(name, **change):
        found = dlspec.run(tmp_path / "spec.yaml", {"train.epochs": 2, **change}, out=tmp_path / name)
        return [(row.loss, row.val_loss) for row in found.history], found

    plain, run = losses("plain")
    compiled, _ = losses("compiled", **{"runtime.xla": "on"})
    monkeypatch.setattr(TensorFlowRuns, "fits", lambda self, task: False)
    steps, _ = losses("steps")
    assert np.allclose(plain, compiled, rtol=1e-4)
    assert np.allclose(plain, steps, rtol=1e-4)
    assert plain[-1][1] == pytest.approx(run.metrics.validation["log_loss"], rel=1e-5)


def test_what_cannot_be_done_is_refused_by_name(text_run, tmp_path):
    with pytest.raises(DataError, match="what comes next") as error:
        dlspec.serve(text_run)
    assert "dlspec generate" in error.value.diagnostics[0].help
    with pytest.raises(DataError, match="cut into windows"):
        dlspec.eject(text_run.folder.parent / "spec.yaml", out=tmp_path / "a.py")
    with pytest.raises(DataError, match="one at each place"):
        dlspec.export(text_run, out=tmp_path / "a.html")
    with pytest.raises(DataError, match="at each place"):
        text_run.predict(pd.DataFrame({"text": ["the"]}), intervals=0.9)


@pytest.mark.slow
def test_two_runs_are_compared_by_perplexity(text_run, tmp_path):
    spec = text_run.folder.parent / "spec.yaml"
    worse = dlspec.run(spec, {"train.epochs": 1}, out=tmp_path / "worse")
    (pair,) = dlspec.compare(text_run, worse).found.pairs
    assert pair.verdict.outcome == "worse"
    figures = [run.metrics.test["perplexity"] for run in (worse, text_run)]
    assert f"Perplexity {figures[0]:.3f}"[:14] in pair.verdict.sentence
    assert pair.verdict.gain_of == "log loss"
    assert pair.verdict.gain == pytest.approx(np.log(figures[1] / figures[0]), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text.keras", "text.onnx", "text.tflite"])
def test_it_is_taken_away(text_run, tmp_path, name):
    """What is written is opened again, and compared with the run before it is kept."""
    assert dlspec.export(text_run, out=tmp_path / name).exists()


@pytest.mark.slow
def test_words_are_written_with_spaces_between(tmp_path):
    (tmp_path / "book.txt").write_text(book().replace("고양이", "Cat"), encoding="utf-8")
    spec = SPEC.replace("tokens: characters, length: 16", "length: 6").replace("epochs: 6", "epochs: 12")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    written = dlspec.generate(run, "the dog", length=8, temperature=0)
    assert written.startswith("the dog ")
    assert {*written.split()} <= {"the", "dog", "cat", "a", "bird", "slept", "sang", "ate", "bread"}
    assert run.metrics.saved_model.same
