"""`network: {file: …}`: a saved network of one's own, read without Keras, with its weights."""

import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import layers as L

import dlspec
from dlspec.api import validate
from tests.backbones import SIDE, saved_backbone

HEAD = "dlspec: 1\ndata: {dataset: digits, scale: none}\nmodel:\n  - reshape: [8, 8, 1]\n"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return saved_backbone(tmp_path_factory.mktemp("backbones"))


def spec_of(folder, *layers):
    path = folder / "spec.yaml"
    path.write_text(HEAD + "".join(f"  - {layer}\n" for layer in layers), encoding="utf-8")
    return path


@pytest.mark.parametrize("up_to", ["pool5", "added", "relu1", None])
def test_a_part_of_it_has_its_weights_and_gives_the_same(saved, up_to):
    path, model = saved
    end = model.get_layer(up_to or "head")
    layer = f"network: {{file: backbone.keras, up_to: {up_to or 'null'}}}"
    spec = spec_of(path.parent, layer, "flatten", "output")
    part = keras.Model(model.input, end.output)
    graph, network = dlspec.graph(spec), dlspec.build(spec)
    own = [each for each in graph.layers if each.borrowed]
    assert sum(each.parameters for each in own) == part.count_params()
    assert own[-1].name == f"backbone_{end.name}"
    assert own[-1].output_shape == end.output.shape
    assert network.count_params() == graph.parameters
    x = np.random.default_rng(0).uniform(0, 16, (5, SIDE, SIDE)).astype("float32")
    got = keras.Model(network.input, network.get_layer(own[-1].name).output)(x)
    assert np.array_equal(got, part(x[..., None]))


def test_shapes_are_known_without_keras(saved):
    path, _ = saved
    spec = spec_of(path.parent, "network: {file: backbone.keras, up_to: pool5}", "flatten", "output")
    script = (
        "import sys, dlspec\nprint(dlspec.validate(sys.argv[1]), dlspec.graph(sys.argv[1]).parameters)\n"
        "print(sorted({'keras', 'tensorflow', 'h5py'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(spec)], capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"[] {dlspec.graph(spec).parameters}", "[]"], done.stderr


def problem(folder, *layers):
    (found,) = validate(spec_of(folder, *layers))
    return found


def test_a_layer_that_it_has_not_is_told_with_near_names(saved):
    found = problem(saved[0].parent, "network: {file: backbone.keras, up_to: pool_5}", "flatten", "output")
    assert (found.code, found.help) == ("unknown-layer-name", "did you mean `pool5`?")
    assert "no layer `pool_5`" in found.message


def test_without_the_file_the_rest_is_checked(tmp_path):
    found = problem(tmp_path, "network: gone.keras", "flatten", "output")
    assert (found.code, found.is_error) == ("network-not-found", False)
    assert found.span.line == 5


def test_a_file_that_is_none_and_inputs_that_do_not_fit_are_errors(saved, tmp_path):
    (tmp_path / "text.keras").write_text("no archive")
    assert problem(tmp_path, "network: text.keras", "flatten", "output").code == "data-unreadable"
    with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
        archive.writestr("config.json", "[1]")
        archive.writestr("model.weights.h5", "")
    assert "describes no model" in problem(tmp_path, "network: odd.keras", "flatten", "output").message
    found = problem(saved[0].parent, "reshape: [4, 16, 1]", "network: backbone.keras", "flatten", "output")
    assert (found.code, found.message) == (
        "shape-mismatch", "the network in `backbone.keras` takes (batch, 8, 8, 1), got (batch, 4, 16, 1)"
    )  # fmt: skip


def test_a_layer_without_a_word_is_refused_by_name(tmp_path):
    given = keras.Input((SIDE, SIDE, 1))
    x = L.Lambda(lambda value: value * 2, name="doubled")(given)
    keras.Model(given, L.Flatten()(x)).save(tmp_path / "lambda.keras")
    found = problem(tmp_path, "network: lambda.keras", "output")
    assert found.code == "cannot-unfold"
    assert "`doubled`" in found.message


def test_models_inside_and_learned_scales_come_with_their_weights(tmp_path):
    scale = L.Normalization(name="scale")
    scale.adapt(np.random.default_rng(1).uniform(0, 16, (50, SIDE, SIDE, 1)))
    layers = [keras.Input((SIDE, SIDE, 1)), L.Conv2D(2, 3, name="conv"), L.BatchNormalization(name="bn")]
    inner = keras.Sequential(layers, name="inner")
    given = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(given, L.Flatten()(inner(scale(given))))
    model.save(tmp_path / "nested.keras")
    spec = spec_of(tmp_path, "network: {file: nested.keras, trainable: {last: 2}}", "output")
    graph, network = dlspec.graph(spec), dlspec.build(spec)
    assert {layer.name: layer.may_learn and not layer.borrowed.held for layer in graph.layers if layer.borrowed} == {
        "nested_scale": False, "nested_inner_conv": True, "nested_inner_bn": True,
        graph.layers[4].name: True,
    }  # fmt: skip
    x = np.random.default_rng(0).uniform(0, 16, (5, SIDE, SIDE)).astype("float32")
    end = next(layer.name for layer in reversed(graph.layers) if layer.borrowed)
    got = np.asarray(keras.Model(network.input, network.get_layer(end).output)(x))
    np.testing.assert_allclose(got, np.asarray(model(x[..., None])), atol=1e-6)


def test_two_of_them_do_not_share_names(saved):
    path, _ = saved
    spec = spec_of(
        path.parent,
        "network: {file: backbone.keras, up_to: pool5, from: reshape_1}",
        "network: {file: backbone.keras, up_to: pool5, from: reshape_1, name: other}",
        "network: {file: backbone.keras, up_to: pool5, from: reshape_1}",
        "add: {from: [backbone, other, backbone_2]}",
        "conv2d: {filters: 2, kernel_size: 1, from: other_relu1, name: side}",
        "concatenate: {from: [side_pool, add_1]}",
        "flatten",
        "output",
    )
    text = spec.read_text().replace("  - concatenate", "  - max_pooling2d: {name: side_pool}\n  - concatenate")
    spec.write_text(text)
    assert validate(spec) == []
    names = [layer.name for layer in dlspec.graph(spec).layers]
    assert len({*names}) == len(names)
    assert {"backbone_conv1", "other_conv1", "backbone_2_conv1"} <= {*names}
    network = dlspec.build(spec)
    one, other = (network.get_layer(name).get_weights() for name in ("backbone_bn1", "backbone_2_bn1"))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert np.ptp(one[2]) > 0


CODE = {
    "a class": {"module": "canary", "class_name": "Song", "config": {"name": "sung"}, "registered_name": None},
    "a class of ones own": {
        "module": None, "class_name": "Own", "config": {"name": "own"}, "registered_name": "pack>Own",
    },
    "a lambda": {"module": "keras.layers", "class_name": "Lambda", "registered_name": None,
                 "config": {"name": "doubled", "function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}},
    "another framework": {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None,
                          "config": {"name": "other", "filepath": "away"}},
}  # fmt: skip
PLACES = {
    "a layer": lambda config, item: config["layers"].__setitem__(1, {**config["layers"][1], **item}),
    "an initializer": lambda config, item: config["layers"][1]["config"].update(kernel_initializer=item),
    "a layer that nothing leads to": lambda config, item: config["layers"].append(
        {**item, "name": "aside", "inbound_nodes": []}
    ),
    "a model aside": lambda config, item: config["layers"].append({
        "module": "keras", "class_name": "Functional", "name": "inner", "registered_name": None, "inbound_nodes": [],
        "config": {"name": "inner", "layers": [item], "input_layers": [], "output_layers": []},
    }),
}  # fmt: skip


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("place", PLACES)
def test_no_code_of_a_file_is_run_wherever_it_stands(code, place, saved, tmp_path, monkeypatch):
    import json
    from pathlib import Path

    from dlspec.model.unfolding import _loading

    with zipfile.ZipFile(saved[0]) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    PLACES[place](config["config"], CODE[code])
    with zipfile.ZipFile(tmp_path / "backbone.keras", "w") as archive:
        for name, held in {**parts, "config.json": json.dumps(config)}.items():
            archive.writestr(name, held)
    monkeypatch.setattr(keras.models, "load_model", lambda *given, **more: pytest.fail("it was loaded"))
    (tmp_path / "canary.py").write_text("raise SystemExit('it is imported')")
    monkeypatch.syspath_prepend(tmp_path)
    found = problem(tmp_path, "network: backbone.keras", "output")
    assert (found.code, found.is_error) == ("cannot-unfold", True)
    assert any(name in found.message for name in ("Song", "Own", "Lambda", "TFSMLayer", "lambda"))
    with pytest.raises(dlspec.DataError, match=r"TFSMLayer|Own|Lambda|lambda|Song"):
        _loading.saved(Path(tmp_path / "backbone.keras"))


def masked(folder, own_mask):
    """Steps of which zeros are skipped, with a sum around one layer; or skipped by a mask of ones own."""
    given = keras.Input((SIDE, SIDE))
    x = L.Masking(name="masking")(given)
    x = L.LSTM(4, return_sequences=True, name="first")(x)
    y = L.LSTM(4, return_sequences=True, name="second")(x)
    mask = {"mask": keras.ops.greater(keras.ops.max(given, axis=-1), 1.0)} if own_mask else {}
    x = L.LSTM(3, name="third")(L.Add(name="sum")([x, y]), **mask)
    model = keras.Model(given, L.Dense(2, name="end")(x))
    model.save(folder / "masked.keras")
    return model


def test_masks_of_a_saved_network_are_those_of_its_layers(tmp_path):
    model = masked(tmp_path, own_mask=False)
    spec = spec_of(tmp_path, "reshape: [8, 8]", "network: masked.keras", "output")
    network = dlspec.build(spec)
    x = np.random.default_rng(0).normal(0, 3, (4, SIDE, SIDE)).astype("float32")
    x[::2, 5:] = 0
    got = keras.Model(network.input, network.get_layer("masked_end").output)(x)
    np.testing.assert_allclose(np.asarray(got), np.asarray(model(x)), atol=1e-6)
    graph = dlspec.graph(spec)
    assert graph["masked_sum"].inputs == ("masked_first", "masked_second")


def test_masks_of_ones_own_are_not_left_out_without_a_word(tmp_path):
    masked(tmp_path, own_mask=True)
    spec = spec_of(tmp_path, "reshape: [8, 8]", "network: masked.keras", "output")
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.build(spec)
    assert caught.value.diagnostics[0].code == "cannot-unfold"
    assert "masks" in caught.value.diagnostics[0].message


def test_the_network_of_a_run_is_taken_from_raw_values_on(tiny_run, tmp_path):
    run = tiny_run("digits")
    name = next(layer.name for layer in run.model.layers if isinstance(layer, keras.Model))
    spec = tmp_path / "spec.yaml"
    layer = f"network: {{file: {run.folder / 'model.keras'}, up_to: {name}/h2, trainable: false, name: taken}}"
    spec.write_text(f"dlspec: 1\nseed: 3\ndata: {{dataset: digits, scale: none}}\nmodel:\n  - {layer}\n  - output\n")
    assert validate(spec) == []
    network = dlspec.build(spec)
    own = [each.name for each in dlspec.graph(spec).layers if each.borrowed]
    x = np.random.default_rng(0).integers(0, 17, (5, 8, 8)).astype("float64")
    inner = run.model.get_layer(name)
    part = keras.Model(inner.input, inner.get_layer("h2").output)
    wanted = part(keras.ops.cast(run.model.get_layer("scale_inputs")(x), "float32"))
    got = keras.Model(network.input, network.get_layer(own[-1]).output)(x)
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), atol=1e-6)
    (found,) = dlspec.validate(spec.read_text().replace("scale: none", "scale: standard"))
    assert (found.code, found.is_error, found.help) == ("scaled-twice", False, "write `scale: none` under `data`")
    (found,) = dlspec.validate(spec.read_text().replace("/model.keras", ""))
    assert found.help == f"name the network of that run: `{run.folder.name}/model.keras`"


def test_an_address_is_not_fetched(tmp_path):
    found = problem(tmp_path, "network: https://example.com/backbone.keras", "output")
    assert (found.code, found.is_error) == ("network-not-found", True)
    assert "an address" in found.message


def test_a_network_of_a_run_has_not_seen_the_test_part(tiny_run, tmp_path):
    """As with `pretrain: {from: RUN}`: another seed, or another split, draws another test part."""
    run = tiny_run("digits")
    split = run.spec.written()["data"]["split"]
    shares = f"{{validation: {split['validation']}, test: {split['test']}}}"
    for seed, own, codes in (
        (run.spec.seed, shares, []),
        (run.spec.seed + 1, shares, ["seen-test-part"]),
        (run.spec.seed, "{validation: 0.1, test: 0.4}", ["seen-test-part"]),
    ):
        layer = f"network: {{file: {run.folder / 'model.keras'}, trainable: false}}"
        text = f"dlspec: 1\nseed: {seed}\ndata: {{dataset: digits, scale: none, split: {own}}}\nmodel:\n"
        found = dlspec.validate(f"{text}  - {layer}\n  - output\n")
        assert [problem.code for problem in found] == codes
