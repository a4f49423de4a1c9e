"""`preprocessing.mjs` and `naming.mjs` compute what their Python counterparts compute."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from dlspec.deployment.serving import naming
from dlspec.deployment.serving.preprocessing import Preprocessing
from dlspec.deployment.signature import signature_of
from dlspec.deployment.steps import program_of
from dlspec.runs.samples import samples_of
from dlspec.runtime.files import finite
from tests.conftest import ROOT
from tests.deployment.networks import SPECS_BY_NAME

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="no Node on this machine")
SERVING = ROOT / "dlspec" / "deployment" / "serving"
STRANGE = ["", "été", "RED, the ÉTÉ!  new\t\u00a0new", "nothing known", "İ dog's \ud800 \U0001f600", "--", "a\u2003b"]
STRANGE += ["red the red the"]
ROWS = 40

SCRIPT = """
import { readFileSync } from "node:fs";
import { Preprocessing, wordsOf } from "SERVING/preprocessing.mjs";
import { named } from "SERVING/naming.mjs";

const asked = JSON.parse(readFileSync(0, "utf8"));
const plain = ({ dtype, shape, data }) => ({ dtype, shape, data: Array.from(data, String) });  // NaN and BigInt too
if (asked.texts) {
  console.log(JSON.stringify(asked.texts.map(wordsOf)));
} else {
  const steps = new Preprocessing(asked.record);
  const { values, kept } = steps.before(asked.raw);
  const outputs = asked.outputs.map(({ dtype, shape, data }) =>
    ({ dtype, shape, data: (dtype === "float32" ? Float32Array : Float64Array).from(data) }));
  const after = steps.after(outputs, kept);
  const names = named(asked.target, after[0]);
  console.log(JSON.stringify({ values: values.map(plain), after: after.map(plain), named: names }));
}
"""


def in_node(tmp_path, asked):
    script = tmp_path / "asked.mjs"
    script.write_text(SCRIPT.replace("SERVING", SERVING.as_posix()), encoding="utf-8")
    done = subprocess.run(["node", script], input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def odd(values, random):
    """Rows of the test part, other values, and what is unusual."""
    found = values[random.integers(0, len(values), ROWS)].copy()
    if found.dtype == object:
        found[::3, 0] = random.choice(np.array(STRANGE, object), len(found[::3]))
    elif found.dtype.kind == "f":
        found *= random.uniform(0.5, 1.5, found.shape).astype(found.dtype)
        found.reshape(ROWS, -1)[::5, 0] = np.nan
    return found


@pytest.mark.parametrize("name", SPECS_BY_NAME)
def test_javascript_computes_what_python_computes(network, tmp_path, name):
    run, random = network(name), np.random.default_rng(0)
    program, _ = program_of(run.model)
    record = json.loads(json.dumps(finite(program.as_json())))
    raw = {name: odd(values, random) for name, values in samples_of(run).raw.items()}
    outputs = [
        np.asarray(random.normal(0, 1, (ROWS, *value.shape)) % 1, value.dtype if "16" not in value.dtype else "float32")
        for value in program.gives
    ]
    steps = Preprocessing(record)
    values = steps.before(raw)
    after = steps.after(outputs, values.kept)
    target = signature_of(run.data, program, True, False, name, "onnx")["outputs"]
    asked = {
        "record": finite(program.as_json()),
        "raw": {name: finite(column.tolist()) for name, column in raw.items()},
        "outputs": [{"dtype": x.dtype.name, "shape": x.shape, "data": x.ravel().tolist()} for x in outputs],
        "target": target,
    }
    found = in_node(tmp_path, asked)
    for ours, theirs in zip([*values, *after], [*found["values"], *found["after"]], strict=True):
        assert theirs["shape"] == list(ours.shape)
        if ours.dtype == object:
            assert theirs["data"] == ours.ravel().tolist()
            continue
        assert theirs["dtype"] == ours.dtype.name
        values = np.array([float(number) for number in theirs["data"]]).reshape(ours.shape)
        rtol = 1e-6 if ours.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(values, ours, rtol, rtol)
    expected = naming.named(target, after[0])
    assert [list(row) for row in found["named"]] == [list(row) for row in expected]
    for ours, theirs in zip(expected, found["named"], strict=True):
        for name, value in ours.items():
            if name == "values":
                np.testing.assert_allclose(np.array(theirs[name], "float64"), np.array(value, "float64"), 1e-6)
            elif isinstance(value, dict | float):
                assert theirs[name] == pytest.approx(value, rel=1e-6, abs=1e-7)
            else:
                assert theirs[name] == value


def test_words_are_cut_alike(tmp_path):
    from dlspec.deployment.serving.preprocessing import words_of

    every = "".join(map(chr, range(1, 0x250))).join(["a", "B"])
    texts = [*STRANGE, every, *(f"x{chr(code)}Y" for code in range(1, 0x3000, 7))]
    assert in_node(tmp_path, {"texts": texts}) == [[word.decode() for word in words_of(text)] for text in texts]
