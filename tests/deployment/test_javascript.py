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
import { Preprocessing, spacedOf, wordsOf } from "SERVING/preprocessing.mjs";
import { named } from "SERVING/naming.mjs";

const asked = JSON.parse(readFileSync(0, "utf8"));
const plain = ({ dtype, shape, data }) => ({ dtype, shape, data: Array.from(data, String) });  // NaN and BigInt too
if (asked.texts) {
  console.log(JSON.stringify(asked.texts.map(asked.spaced ? spacedOf : wordsOf)));
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
    target = signature_of(run, program, "onnx")["outputs"]
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
    from dlspec.deployment.serving.preprocessing import spaced_of, words_of

    every = "".join(map(chr, range(1, 0x250))).join(["a", "B"])
    texts = [*STRANGE, every, *(f"x{chr(code)}Y" for code in range(1, 0x3000, 7))]
    assert in_node(tmp_path, {"texts": texts}) == [[word.decode() for word in words_of(text)] for text in texts]
    spaced = in_node(tmp_path, {"texts": texts, "spaced": True})
    assert spaced == [[word.decode() for word in spaced_of(text)] for text in texts]


PAGE_SCRIPT = """
import { readFileSync } from "node:fs";
import { cellOf, csvOf, linesOf, secondsIn } from "WEB/csv.mjs";
import { numbersOf } from "WEB/pixels.mjs";
import { readWav } from "WEB/sounds.mjs";

const asked = JSON.parse(readFileSync(0, "utf8"));
const tasks = {
  dates: () => asked.dates.map(([text, form]) => secondsIn(text, form)),
  lines: () => asked.lines.map(linesOf),
  again: () => asked.again.map(csvOf),
  cells: () => asked.cells.map(([text, column]) => cellOf(text, column)),
  pictures: () =>
    asked.pictures.map(({ data, height, width, sizes, fit }) =>
      numbersOf({ data: Uint8Array.from(data), height, width }, sizes, [0, 255], fit)),
  sounds: () => asked.sounds.map((file) => readWav(Uint8Array.from(readFileSync(file)).buffer)),
};
console.log(JSON.stringify(Object.fromEntries(Object.keys(asked).map((name) => [name, tasks[name]()]))));
"""


def in_page(tmp_path, **asked):
    """What functions of the page give, in Node."""
    script = tmp_path / "page.mjs"
    script.write_text(PAGE_SCRIPT.replace("WEB", (SERVING.parent / "web").as_posix()), encoding="utf-8")
    done = subprocess.run(["node", script], input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_times_are_read_as_python_reads_them(tmp_path):
    from datetime import UTC, datetime

    from dlspec.data.preparation.times import DATE_FORMS

    random = np.random.default_rng(0)
    times = [datetime.fromtimestamp(int(s), UTC).replace(second=0) for s in random.integers(0, 1.9e9, 20)]
    times += [datetime(2024, 2, 29, 0, 30, tzinfo=UTC), datetime(1999, 12, 31, 12, 5, tzinfo=UTC)]
    asked, expected = [], []
    for form in [form for form in DATE_FORMS if "%" in form]:
        for time in times:
            text = time.strftime(form)
            asked.append([text, form])
            expected.append(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
    isos = [[text, "ISO8601"] for text in ("2024-05-31", "2024-05-31 07:08:09", "2024-05-31T07:08+02:00")]
    read = [datetime.fromisoformat(text) for text, _ in isos]
    expected += [time.replace(tzinfo=time.tzinfo or UTC).timestamp() for time in read]
    wrong = [["31.02.2024", "%d.%m.%Y"], ["2024-13-01", "ISO8601"], ["soon", "ISO8601"], ["13/13/2024", "%m/%d/%Y"]]
    found = in_page(tmp_path, dates=[*asked, *isos, *wrong])["dates"]
    assert found == [*expected, None, None, None, None]


def test_lines_of_csv_are_read_as_python_reads_them(tmp_path):
    import csv
    import io

    texts = [
        "a,b\n1,2\n",
        'a,b\r\n"x, ""y""","l\nm"\r\n',
        "a\tb\n1\t2,5",
        "a;b\n1;2,5\n",
        "\ufeffa,b\n,\n",
        'a\n"été"\n',
    ]
    separators = [",", ",", "\t", ";", ",", ","]
    expected = [
        list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))
        for text, separator in zip(texts, separators, strict=True)
    ]
    rows = [["a", "b"], ['say "no"', "x,y"], ["l\nm", ""]]
    found = in_page(tmp_path, lines=texts, again=[rows])
    assert found["lines"] == expected
    assert list(csv.reader(io.StringIO(found["again"][0], newline=""))) == rows


def test_a_cell_is_no_number_that_it_does_not_say(tmp_path):
    number, hole = {"kind": "number", "missing": False}, {"kind": "number", "missing": True}
    asked = [
        ["1.5e3", number],
        [" 7 ", number],
        ["", number],
        ["NA", hole],
        ["7,5", number],
        ["x", hole],
        ["inf", number],
    ]
    assert in_page(tmp_path, cells=asked)["cells"] == [[1500], [7], None, [None], None, None, None]


SIZES = [((40, 30), (8, 8), 3), ((9, 12), (8, 8), 3), ((5, 5), (12, 10), 1), ((8, 8), (8, 8), 1), ((7, 30), (9, 9), 3)]


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_pictures_are_brought_to_their_size_as_in_training(tmp_path, fit):
    from dlspec.data.sources.images import fitted

    random = np.random.default_rng(0)
    asked, expected = [], []
    for (height, width), size, channels in SIZES:
        picture = random.integers(0, 256, (height, width, channels), "uint8")
        coloured = np.repeat(picture, 3, axis=2) if channels == 1 else picture
        data = np.dstack([coloured, np.full((height, width), 255, "uint8")]).ravel().tolist()
        sizes = {"height": size[0], "width": size[1], "channels": channels}
        asked.append({"data": data, "height": height, "width": width, "sizes": sizes, "fit": fit})
        values = picture[..., 0] if channels == 1 else picture  # OpenCV drops an axis of one
        expected.append(fitted(values, size, fit).ravel())
    for ours, theirs in zip(expected, in_page(tmp_path, pictures=asked)["pictures"], strict=True):
        assert np.abs(np.array(theirs) - ours).max() <= 1  # of 255, by rounding


def test_sounds_are_read_as_in_training(tmp_path):
    from scipy.io import wavfile

    random = np.random.default_rng(0)
    files, expected = [], []
    for number, dtype in enumerate(["uint8", "int16", "int32", "float32"]):
        sound = random.uniform(-0.9, 0.9, 50)
        info = np.iinfo(dtype) if dtype != "float32" else None
        scale = 1 if info is None else 128 if dtype == "uint8" else -float(info.min)
        values = (sound * scale + (128 if dtype == "uint8" else 0)).astype(dtype)
        files.append(str(tmp_path / f"{number}.wav"))
        wavfile.write(files[-1], 4000, values)
        expected.append((values.astype("float64") - (128 if dtype == "uint8" else 0)) / scale)
    for ours, theirs in zip(expected, in_page(tmp_path, sounds=files)["sounds"], strict=True):
        assert theirs["rate"] == 4000
        np.testing.assert_allclose(theirs["samples"], ours, atol=1e-12)


def test_words_are_spelt_in_the_page_as_a_server_spells_them(tmp_path):
    from dlspec.deployment.serving.columns import word_reader

    columns = [["1", "2", "30"], ["01", "2"], ["wäst", "Zürich, CH", "1"], []]
    texts = ["1", " 1 ", "01", "1.0", "3.", "-0.0", "030", "wäst ", " Zürich, CH", "x", "1.5", "-02"]
    cells = [[text, {"kind": "word", "words": words}] for words in columns for text in texts]
    readers = {str(words): word_reader({"column": "a", "words": words}, "") for words in columns}
    expected = [readers[str(column["words"])](text, 1, [], []) for text, column in cells]
    assert [found for (found,) in in_page(tmp_path, cells=cells)["cells"]] == expected
