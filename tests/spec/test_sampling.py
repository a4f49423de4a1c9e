"""`sampling` in a spec: what is wrong with it, and the loss that belongs beside it."""

import pytest

import dlspec

VAE = """\
dlspec: 1
data: {dataset: digits, scale: min_max, target: input}
model:
  - flatten
  - dense: {units: 8, name: seen}
  - dense: {units: 2, name: mean}
  - dense: {units: 2, name: log_var, from: seen}
  - sampling: {from: [mean, log_var], name: code}
  - dense: 8
  - output
"""


def problems(text, code=None):
    return [problem for problem in dlspec.validate(text) if code is None or problem.code == code]


@pytest.mark.parametrize(
    ("old", "new", "code", "said", "cure"),
    [
        ("units: 2, name: log_var", "units: 3, name: log_var", "shape-mismatch",
         "needs a mean and a logarithm of the variance of one shape, got (batch, 2) and (batch, 3)", "`dense: 2`"),
        ("[mean, log_var]", "[mean, input]", "shape-mismatch", "got (batch, 2) and (batch, 8, 8)", "two layers"),
        ("[mean, log_var]", "mean", "wrong-number-of-inputs", "needs at least 2 inputs, got 1",
         "sampling: {from: [mean, log_var]}"),
        ("[mean, log_var]", "[mean, log_var, seen]", "wrong-number-of-inputs", "takes 2 inputs at most, got 3",
         "name 2 of them"),
        ("sampling: {from: [mean, log_var], name: code}", "sampling", "wrong-number-of-inputs", "got 1",
         "sampling: {from: [mean, log_var]}"),
        ("name: code", "kl: -1, name: code", "out-of-range", "`kl` must be at least 0, got `-1`", "kl: 0"),
        ("[mean, log_var]", "[mean, mean]", "wrong-value", "from one layer, `mean`", "from: [mean, log_var]"),
        ("- dense: 8\n", "- shared: {layers: code, from: mean}\n", "wrong-number-of-inputs", "got 1", "sampling"),
        ("- dense: 8\n  - output\n", "\npretrain: {method: autoencoder, then: unroll}\n", "cannot-unroll",
         "`code` takes 2 inputs", "then: fine_tune"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_cure(old, new, code, said, cure):
    assert old in VAE
    (found,) = problems(VAE.replace(old, new), code)
    assert found.is_error
    assert said in found.message
    assert cure in found.help


def test_the_plain_spec_is_fine():
    assert not problems(VAE)


def test_numbers_of_words_are_no_means(tmp_path):
    (tmp_path / "said.csv").write_text("said,opinion\n" + "good film,yes\nbad film,no\n" * 20)
    text = (
        f"dlspec: 1\ndata: {{text: {tmp_path / 'said.csv'}, target: opinion, "
        "features: {said: {text: {words: 9, length: 4}}}}\nmodel:\n"
        "  - embedding: {output_dim: 4, name: e}\n  - flatten\n"
        "  - dense: {units: 4, name: b}\n  - sampling: {from: [input, b]}\n  - output\n"
    )
    (found,) = problems(text, "wrong-input-type")
    assert found.message == "`sampling` takes quantities, and numbers of words come here"


@pytest.mark.parametrize(
    ("data", "output", "loss"),
    [
        ("scale: min_max", "output", "cross_entropy"),
        ("scale: standard", "output", "squared_error"),
        ("scale: min_max", "output: {activation: linear}", "squared_error"),
        ("scale: min_max", "output: {activation: hard_sigmoid}", "cross_entropy"),
    ],
)
def test_the_loss_is_a_sum(data, output, loss):
    text = VAE.replace("scale: min_max", data).replace("- output", f"- {output}")
    assert dlspec.load(text).train.loss.type_name == loss
    assert not problems(text)


def test_without_a_code_that_is_drawn_the_loss_stays_a_mean():
    text = VAE.replace("  - sampling: {from: [mean, log_var], name: code}\n", "")
    assert dlspec.load(text).train.loss.type_name == "binary_crossentropy"
    beside = VAE.replace("  - dense: 8\n", "  - dense: {units: 8, from: mean}\n")  # nothing uses the code
    assert dlspec.load(beside).train.loss.type_name == "binary_crossentropy"


@pytest.mark.parametrize(("loss", "cure"), [("mse", "squared_error"), ("binary_crossentropy", "cross_entropy")])
def test_a_mean_beside_the_divergence_is_a_warning_with_the_factor(loss, cure):
    (found,) = problems(VAE + f"train: {{loss: {loss}}}\n")
    assert (found.code, found.is_error) == ("mean-beside-divergence", False)
    assert "64 times as much" in found.message
    assert found.help == f"write `loss: {cure}`, or `kl: 0.0156` in `code`"
    for right in (f"train: {{loss: {cure}}}\n", f"train: {{loss: {loss}}}\n"):
        changed = VAE if cure in right else VAE.replace("name: code", "kl: 0, name: code")
        assert not problems(changed + right)


def test_a_variance_that_is_never_below_one_is_a_warning():
    (found,) = problems(VAE.replace("units: 2, name: log_var", "units: 2, activation: softplus, name: log_var"))
    assert (found.code, found.is_error) == ("bounded-variance", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: {dataset: iris}\nmodel: [output]\ntrain: {loss: cross_entropy}\n", "`species` is a class"),
        ("data: {dataset: diabetes}\nmodel: [output]\ntrain: {loss: squared_error}\n", "`progression` is a number"),
        ("data: {dataset: digits, target: input}\nmodel: [flatten, output]\ntrain: {loss: cross_entropy}\n",
         "compares values in [0, 1]"),
    ],
)  # fmt: skip
def test_sums_are_for_inputs_that_are_given_back(text, said):
    (found,) = problems(f"dlspec: 1\n{text}", "loss-mismatch")
    assert said in found.message


def test_sizes_are_known_without_keras():
    graph = dlspec.graph(VAE)
    code = graph["code"]
    assert (code.output_shape, code.parameters, code.flops) == ((None, 2), 0, 8)
