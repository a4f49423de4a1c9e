"""What reaches a network of `keras.applications`: the data say whether those are pixels from 0 to 255."""

import numpy as np
import pytest

import dlspec
from dlspec.runs.job import find_oddities, load_data

NETWORK = "application: {mobilenet: {weights: null, alpha: 0.25, pooling: avg}}"


def found(folder, ends, *layers):
    """What is odd about pictures whose values lie between two ends."""
    random = np.random.default_rng(0)
    x = random.uniform(*ends, (40, 32, 32, 3)).astype("float32")
    x[:2] = np.array(ends, "float32")[:, None, None, None]
    np.savez(folder / "pictures.npz", x=x, y=["a", "b"] * 20)
    text = f"dlspec: 1\ndata: {{arrays: {folder / 'pictures.npz'}, split: {{by: order}}}}\nmodel:\n"
    spec = dlspec.load(text + "".join(f"  - {layer}\n" for layer in (*layers, NETWORK, "output")))
    return [problem for problem in find_oddities(spec, load_data(spec)) if problem.code == "not-pixels"]


@pytest.mark.parametrize(
    ("ends", "layers", "said", "cure"),
    [
        ((0, 255), (), None, ""),
        ((0, 1), (), "from 0 to 1,", "put `rescaling: 255` above it"),
        ((0, 1), ("random_flip: horizontal", "resizing: {height: 40, width: 40}"), "from 0 to 1,", "rescaling: 255`"),
        ((0, 1), ("rescaling: 255",), None, ""),
        ((-1, 1), (), "from -1 to 1,", "put `rescaling: {scale: 127.5, offset: 127.5}` above it"),
        ((-1, 1), ("rescaling: {scale: 127.5, offset: 127.5}",), None, ""),
        ((0, 16), (), "from 0 to 16,", "put `rescaling: 15.9375` above it"),
        ((0, 255), ("rescaling: 0.00392156862745098",), "from 0 to 1,", "remove `rescaling_1`"),
        ((0, 255), ("rescaling: {scale: [1, -1, 1], offset: 0}",), "from -255 to 255,", "remove `rescaling_1`"),
        ((0, 4096), (), "from 0 to 4096,", "put `rescaling: {scale: 0.0622559, offset: 0}` above it"),
        ((0, 1), ("conv2d: {filters: 3, kernel_size: 1}",), None, ""),
    ],
)
def test_values_that_are_no_pixels_are_told_with_what_makes_them_pixels(ends, layers, said, cure, tmp_path):
    problems = found(tmp_path, ends, *layers)
    if said is None:
        assert problems == []
        return
    (problem,) = problems
    assert said in problem.message
    assert cure in problem.help
    assert problem.is_error == (said in ("from 0 to 1,", "from -1 to 1,"))
    assert problem.span.line == 4 + len(layers)


def test_a_run_on_values_from_0_to_1_does_not_begin(tmp_path):
    np.savez(tmp_path / "p.npz", x=np.random.default_rng(0).uniform(0, 1, (40, 32, 32, 3)), y=["a", "b"] * 20)
    (tmp_path / "spec.yaml").write_text(f"dlspec: 1\ndata: {{arrays: p.npz}}\nmodel:\n  - {NETWORK}\n  - output\n")
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "runs")
    assert "not-pixels" in [problem.code for problem in caught.value.diagnostics]
    assert not (tmp_path / "runs").exists()
