"""What people look for by other words than those of a spec."""

from collections import Counter

import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.language.words import bare
from dlspec.spec.meanings import MEANINGS


@pytest.mark.parametrize("meaning", [each for each in MEANINGS if each.spec], ids=lambda each: each.words[:20])
def test_the_spec_that_is_shown_is_fine(meaning):
    assert dlspec.validate(f"dlspec: 1\n{meaning.spec}") == []


def test_each_word_has_one_meaning():
    words = Counter(bare(word) for meaning in MEANINGS for word in meaning.words.split(","))
    assert [word for word, count in words.items() if count > 1] == []


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("transformer", "multi_head_attention: {num_heads: $heads"),
        ("resnet", "- skip:"),
        ("skip-connection", "- skip:"),
        ("lookback", "window: {length: 30"),
        ("K-fold", "folds: 5"),
        ("gan", "no part of the language"),
        ("conv2d", "kernel_size"),  # a name of a spec is what it is
    ],
)
def test_layers_finds_by_meaning(word, shown):
    done = CliRunner().invoke(cli, ["layers", word])
    assert done.exit_code == 0, done.output
    assert shown in done.output


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("batchsize", "`batch_size` is a key of `train`: `dlspec layers train`"),
        ("neurons", "`units` is a key of `dense`: `dlspec layers dense`"),
    ],
)
def test_layers_knows_keys_by_other_words(word, hint):
    done = CliRunner().invoke(cli, ["layers", word])
    assert done.exit_code == 2
    assert hint in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("model: [flatten, GCNConv: 3, output]", "graphs"),
        ("model: [flatten, {graph_attention: {heads: 2}}, output]", "graphs"),
        ("model: [flatten, primary_caps: 16, output]", "capsules"),
        ("model: [flatten, output]\ntrain: {loss: wgan}", "against each other"),
        ("model: [flatten, output]\ntrain: {loss: {adversarial: 3}}", "against each other"),
        ("model: {layers: [flatten, output], discriminator: [dense: 2]}", "against each other"),
        ("model: [flatten, dense: 3, output]\npretrain: {method: ddpm}", "diffusion"),
        ("model: [flatten, output]\ntrain: {method: ppo}", "reward"),
        ("model: [flatten, output]\nreward: score", "reward"),
    ],
)
def test_what_is_left_to_plugins_is_answered_so(text, what):
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {{dataset: digits}}\n{text}\n")
    assert problem.code.startswith("unknown-")
    assert what in problem.help
    assert "`--plugin FILE`" in problem.help
