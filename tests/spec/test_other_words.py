"""Words of other tools: each is answered by exactly what to write here, so that the cure, typed in, is accepted."""

from pathlib import Path

import pytest

import dlspec

SPEC = {
    "data": "{dataset: iris}",
    "model": "[{dense: {units: 8}}, output]",
    "train": "{epochs: 2}",
}
TABLE = Path(__file__).with_name("other_words.txt").read_text().splitlines()[1:]
CASES = [[part.strip() for part in line.split(" | ")] for line in TABLE]
HEAD = "dlspec: 1\ndata: {dataset: iris}\n"
WHOLE = "write `dense: {units: 64, activation: relu}`"
CELL, CELLS = (
    "blocks:\n  cell: {parameters: {n: }, layers: [dense: {units: 8, name: ",
    "}]}\nmodel: [cell: a, output]\n",
)
TWO = "blocks:\n  two: {parameters: {n: , a: }, layers: [dense: {units: $n, activation: $a}]}\n"


def problems(section, text):
    spec = {**SPEC, section: text}
    if "goog" in text:
        spec["model"] = "[{lstm: 3}, output]"
    return dlspec.validate("dlspec: 1\n" + "".join(f"{name}: {value}\n" for name, value in spec.items()))


@pytest.mark.parametrize(("section", "wrong", "cure", "right"), CASES)
def test_the_cure_is_what_to_write(section, wrong, cure, right):
    found = [problem for problem in problems(section, wrong) if problem.is_error]
    assert len(found) == 1, [problem.message for problem in found]
    assert cure in f"{found[0].message}; {found[0].help}", found[0]
    assert [problem.message for problem in problems(section, right) if problem.is_error] == []


def test_the_table_is_long_enough():
    assert len({(section, wrong) for section, wrong, _, _ in CASES}) > 350


@pytest.mark.parametrize(
    ("wrong", "line", "cure", "right"),
    [
        # braces, colons, dashes and tabs
        ("model:\n  - dense: units: 64, activation: relu\n  - output\n", 4, WHOLE,
         "model:\n  - dense: {units: 64, activation: relu}\n  - output\n"),
        ("model: [dense: units: 64, activation: relu, output]\n", 3, WHOLE,
         "model: [dense: {units: 64, activation: relu}, output]\n"),
        ("model:\n  - dense: 64, activation: relu\n  - output\n", 4, WHOLE,
         "model:\n  - dense: {units: 64, activation: relu}\n  - output\n"),
        ("model:\n  - dense: 64, relu\n  - output\n", 4, WHOLE,
         "model:\n  - dense: {units: 64, activation: relu}\n  - output\n"),
        ("model:\n  - dense:\n    units: 64\n    activation: relu\n  - output\n", 5,
         WHOLE,
         "model:\n  - dense: {units: 64, activation: relu}\n  - output\n"),
        ("model:\n  - dense\n    units: 64\n  - output\n", 4, "write `- dense:`, and indent the keys below it",
         "model:\n  - dense:\n      units: 64\n  - output\n"),
        ("model:\n  - dense: {units=64}\n  - output\n", 4, "write `units: 64`",
         "model:\n  - dense: {units: 64}\n  - output\n"),
        ("model:\n  - dense = 64\n  - output\n", 4, "write `dense: 64`", "model:\n  - dense: 64\n  - output\n"),
        ("model:\n  -dense: 64\n  - output\n", 4, "write `- dense: 64`", "model:\n  - dense: 64\n  - output\n"),
        ("model:\n- dense:64\n- output\n", 4, "write `dense: 64`", "model:\n- dense: 64\n- output\n"),
        ("model:\n  dense: {units: 64}\n  output:\n", 4, "as in `- dense: {units: 64}`",
         "model:\n  - dense: {units: 64}\n  - output\n"),
        ("model:\n  - output\ntrain:\n\tepochs: 3\n\tbatch_size: 8\n", 6, "replace the tab with two spaces",
         "model:\n  - output\ntrain:\n  epochs: 3\n  batch_size: 8\n"),
        ("model: [output]\ntrain: epochs: 3\n", 4, "write `train: {epochs: 3}`",
         "model: [output]\ntrain: {epochs: 3}\n"),
        ("model: [output]\ntrain:\n  epochs = 3\n", 5, "write `train: {epochs: 3}`",
         "model: [output]\ntrain: {epochs: 3}\n"),
        ("model: [output]\ntrain:\n  epochs 3\n", 5, "write `train: {epochs: 3}`",
         "model: [output]\ntrain: {epochs: 3}\n"),
        ("model: [output]\ntrain:\n  - epochs: 3\n  - batch_size: 8\n", 5, "remove the `- ` in front of its keys",
         "model: [output]\ntrain:\n  epochs: 3\n  batch_size: 8\n"),
        ("model: [output]\ntrain:\n  optimizer: adam: 0.01\n", 5, "write `optimizer: {adam: 0.01}`",
         "model: [output]\ntrain:\n  optimizer: {adam: 0.01}\n"),
        ("model: [output]\ntrain:\n  optimizer: adam lr=0.01\n", 5, "write `optimizer: {adam: 0.01}`",
         "model: [output]\ntrain:\n  optimizer: {adam: 0.01}\n"),
        ("model: [output]\ntrain:\n  optimizer:\n    adam:\n    learning_rate: 0.01\n", 7, "write `adam: 0.01`",
         "model: [output]\ntrain:\n  optimizer:\n    adam: 0.01\n"),
        # the top level
        ("model: [output]\nloss: categorical_crossentropy\n", 4, "write `train: {loss: categorical_crossentropy}`",
         "model: [output]\ntrain: {loss: categorical_crossentropy}\n"),
        ("model: [output]\nepochs: 4\n", 4, "write `train: {epochs: 4}`", "model: [output]\ntrain: {epochs: 4}\n"),
        ("model: [output]\nlr: 0.1\n", 4, "write `optimizer: {adam: 0.1}` under `train`",
         "model: [output]\ntrain: {optimizer: {adam: 0.1}}\n"),
        ("model: [output]\ngpu: true\n", 4, "write `runtime: {device: gpu}`",
         "model: [output]\nruntime: {device: auto}\n"),
        ("model: [output]\ntrain: {epochs: 3}\nbatch_size: 8\n", 5, "write `batch_size: 8` there",
         "model: [output]\ntrain: {epochs: 3, batch_size: 8}\n"),
        # signs of other languages
        ("model: [output]\n// a remark\n", 4, "write `# a remark`", "model: [output]\n# a remark\n"),
        ("description: which one: a or b\nmodel: [output]\n", 3, "into quotation marks",
         "description: 'which one: a or b'\nmodel: [output]\n"),
        ("model:\n  - dense: {units: 16 activation: relu}\n  - output\n", 4,
         "write `- dense: {units: 16, activation: relu}`",
         "model:\n  - dense: {units: 16, activation: relu}\n  - output\n"),
        ("seed: 5\nmodel: [dense: 4, output],\ntrain: {epochs: 3}\n", 4, "write `model: [dense: 4, output]`",
         "seed: 5\nmodel: [dense: 4, output]\ntrain: {epochs: 3}\n"),
        ("variables: {w: 8}\nmodel:\n  - dense: {{ w }}\n  - output\n", 5, "write `$w`",
         "variables: {w: 8}\nmodel:\n  - dense: $w\n  - output\n"),
        ("variables: {w: 8}\nmodel: [dense: $(w ^ 2), output]\n", 4, "write `$(w ** 2)`",
         "variables: {w: 8}\nmodel: [dense: $(w ** 2), output]\n"),
        ("vars: {w: 8}\nmodel: [dense: $w, output]\n", 3, "did you mean `variables`?",
         "variables: {w: 8}\nmodel: [dense: $w, output]\n"),
        ("blocks:\n  b: {parameters: [n, a], layers: [dense: {units: $n, activation: $a}]}\n"
         "model: [b: {n: 4, a: relu}, output]\n", 4, "write `parameters: {n: , a: }`",
         "blocks:\n  b: {parameters: {n: , a: }, layers: [dense: {units: $n, activation: $a}]}\n"
         "model: [b: {n: 4, a: relu}, output]\n"),
        # variables
        ("variables: {units: 8}\nmodel: [dense: units, output]\n", 4, "write `$units`",
         "variables: {units: 8}\nmodel: [dense: $units, output]\n"),
        ("variables: {units: 8}\nmodel: [dense: ${units}, output]\n", 4, "write `$units`",
         "variables: {units: 8}\nmodel: [dense: $units, output]\n"),
        ("variables: {units: 8}\nmodel: [dense: '{{units}}', output]\n", 4, "write `$units`",
         "variables: {units: 8}\nmodel: [dense: $units, output]\n"),
        ("variables: {units: 8}\nmodel: [dense: $units*2, output]\n", 4, "write arithmetic as `$(units*2)`",
         "variables: {units: 8}\nmodel: [dense: $(units*2), output]\n"),
        (f"{CELL}$n_out{CELLS}", 4,
         "write `$(n)_out`",
         f"{CELL}$(n)_out{CELLS}"),
        (f"{TWO}model: [two: 8, output]\n",
         5, "write `two: {n: …, a: …}`",
         f"{TWO}model: [two: {{n: 8, a: relu}}, output]\n"),
        # what does not fit
        ("model: [conv2d: {filters: 2, kernel_size: 2}, flatten, output]\n", 3,
         "put a `reshape` of the 4 above `conv2d`",
         "model: [reshape: [2, 2, 1], conv2d: {filters: 2, kernel_size: 2}, flatten, output]\n"),
        ("model: [lstm: 8, output]\n", 3, "put `reshape: [4, 1]` above `lstm`",
         "model: [reshape: [4, 1], lstm: 8, output]\n"),
        ("model: [dense: 8, dropout: 0.2]\n", 3, "make `output` the last layer",
         "model: [dense: 8, dropout: 0.2, output]\n"),
    ],
)  # fmt: skip
def test_the_cure_of_a_spec_as_it_is_typed(wrong, line, cure, right):
    (problem,) = dlspec.validate(HEAD + wrong)
    assert problem.span.line == line
    assert cure in (problem.help or ""), problem
    assert dlspec.validate(HEAD + right) == []


@pytest.mark.parametrize(
    "text",
    [
        "description: a point (2, 3)\n",
        "description: (2006)\n",
        "description: |\n  kernel: {size: (3, 3), rate: 0,5}\n  {{ w }}\n",
        "description: >-\n  kernel: {size: (3, 3)}\n",
        'description: "what\n  {size: (3, 3)}"\n',
    ],
)
def test_what_is_text_stays_text(text):
    spec = f"dlspec: 1\n{text}data: {{dataset: iris}}\nmodel: [output]\n"
    assert dlspec.validate(spec) == []


def test_a_comma_between_lines_of_braces_is_none_too_many():
    (problem, *_) = dlspec.validate(
        "dlspec: 1\ndata: {dataset: iris}\nmodel: [output]\ntrain: {\n  epochs: 3,\n  batch_size: 8\n"
    )
    assert "never closed" in problem.message
