"""Networks of `keras.applications` as parts of a network: their layers are Keras's, down to the last weight."""

import keras
import numpy as np
import pytest

import dlspec
from dlspec.api import validate
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.unfolding import _loading
from dlspec.model.unfolding.catalogue import APPLICATIONS, STRUCTURES, read, variants
from dlspec.model.unfolding.folding import folded_rows
from dlspec.model.unfolding.rows import Plain, expanded
from dlspec.model.unfolding.write_structures import structure_of, text_of, watched

pytestmark = pytest.mark.filterwarnings("ignore:`input_shape` is undefined")  # which weights Keras takes then
EVERYDAY = ("mobilenet_0.25", "efficientnet_b0")
VARIANTS = [(name, stem, given) for name in APPLICATIONS for stem, given in variants(name)]


def pictures(folder, *shape):
    """A file with two pictures of a shape, and their labels."""
    random = np.random.default_rng(0)
    np.savez(folder / "pictures.npz", x=random.integers(0, 256, (8, *shape), dtype="uint8"), y=["a", "b"] * 4)
    return folder / "pictures.npz"


def spec_of(folder, layers, *shape, more=""):
    text = f"dlspec: 1\ndata: {{arrays: {pictures(folder, *shape)}}}\n{more}model:\n"
    return text + "".join(f"  - {layer}\n" for layer in layers)


def keras_network(name, *, pretrained, **arguments):
    """Of `keras.applications`; what is only there with weights of ImageNet is there with `pretrained`."""
    make = getattr(keras.applications, APPLICATIONS[name].keras)
    with watched():
        return make(include_top=False, weights="imagenet" if pretrained else None, **arguments)


def item(network, **given):
    return to_inline_yaml({"application": {network: given}})


@pytest.mark.parametrize(
    ("name", "stem", "given"),
    [pytest.param(*each, marks=() if each[1] in EVERYDAY else pytest.mark.slow, id=each[1]) for each in VARIANTS],
)
def test_shapes_parameters_and_layers_are_those_of_keras(name, stem, given, tmp_path):
    """Of every network, also for pictures of odd sizes, of which paddings are others."""
    side = read(stem).smallest + (1 if stem in EVERYDAY else 5)
    for weights, pooling, sizes in ((None, None, (side, side + 2)), ("imagenet", "avg", (side + 1, side + 1))):
        shape = {"input_shape": (*sizes, 3)}
        if name.startswith("nasnet") and weights:
            shape = {}  # Keras takes pictures of its own size alone
        model = keras_network(name, pretrained=weights is not None, pooling=pooling, **shape, **given)
        own = item(name, **given, weights=weights, pooling=pooling, name="net")
        text = spec_of(tmp_path, [own, "flatten", "output"], *sizes, 3)
        graph = dlspec.graph(dlspec.load(text))
        layers = [layer for layer in graph.layers if layer.borrowed]
        assert sum(layer.parameters for layer in layers) == model.count_params()
        assert shape == {} or layers[-1].output_shape == model.output_shape
        counted = {layer.borrowed.rank for layer in layers} - {None}
        assert counted == set(range(1, len(model.layers)))
        for layer in layers:
            if layer.borrowed.rank is not None and layer.layer.has_weights and len(layer.borrowed.place) == 1:
                theirs = model.layers[layer.borrowed.rank]
                assert [sum(np.prod(w.shape) for w in theirs.weights)] == [layer.parameters], (layer.name, theirs.name)


def test_every_structure_has_its_network():
    assert {path.stem for path in STRUCTURES.iterdir()} == {stem for _, stem, _ in VARIANTS}
    own = {listed.keras for listed in APPLICATIONS.values()}
    theirs = {name for name, value in vars(keras.applications).items() if name[0].isupper() and callable(value)}
    assert own == theirs


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["mobilenet_0.25", "nasnet_mobile"])
def test_structures_are_as_this_keras_makes_them(stem):
    name, _, given = next(each for each in VARIANTS if each[1] == stem)
    assert (STRUCTURES / f"{stem}.json").read_text() == text_of(structure_of(APPLICATIONS[name], given))


def test_what_repeats_is_listed_once_and_counted_on():
    layers = [
        Plain(("stem",), 0),
        *(Plain((f"block{i}{letter}_{part}",), 3 * i + kind, back, word)
          for i in (9, 10, 11) for letter in "bc" for part, kind, back, word in (("conv", 1, (1,), ""),
                                                                                 ("add", 2, (1, 2), "operation"))),
        Plain(("inner", "a07_x"), 5), Plain(("inner", "a08_x"), 5, word="inside"), Plain(("inner", "a8_x"), 5),
    ]  # fmt: skip
    listed = folded_rows(layers)
    assert [*expanded(listed)] == layers
    assert listed[1] == {
        "times": 3,
        "layers": [
            ["block{9}b_conv", [28, 3]], ["block{9}b_add", [29, 3], [1, 2], "operation"],
            ["block{9}c_conv", [28, 3]], ["block{9}c_add", [29, 3], [1, 2], "operation"],
        ],
    }  # fmt: skip
    assert listed[2:] == [["inner/a07_x", 5], ["inner/a08_x", 5, [1], "inside"], ["inner/a8_x", 5]]
    twice = folded_rows([Plain((f"block2{letter}_{part}",), 4) for letter in "bcd" for part in ("conv", "bn")])
    assert twice == [{"times": 3, "layers": [["block2{b}_conv", 4], ["block2{b}_bn", 4]]}]


def shaken(model):
    """Weights with which no layer passes on what it takes."""
    random = np.random.default_rng(1)
    model.set_weights([
        random.uniform(0.5, 1.5, weight.shape).astype(weight.dtype) if weight.ndim == 1 else weight
        for weight in model.get_weights()
    ])  # fmt: skip
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # as Keras does where it loads weights
    return model


PREPROCESSED = ("mobilenet", "resnet50", "densenet121")
FAMILIES = (*PREPROCESSED, "efficientnet_b0", "efficientnet_v2_b0", "mobilenet_v3_small", "convnext_tiny",
            "inception_resnet_v2", "nasnet_mobile", "resnet50_v2", "vgg16", "xception", "inception_v3")  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "mobilenet" else pytest.mark.slow) for n in FAMILIES]
)
def test_pixels_come_out_as_keras_has_them(name, tmp_path, monkeypatch):
    """With the network's own preprocessing, and all that it is made of, on pictures of an odd size."""
    side = read(name).smallest + 1
    listed = APPLICATIONS[name]
    model = shaken(keras_network(name, pretrained=False, pooling="max", input_shape=(side, side, 3)))
    text = spec_of(tmp_path, [item(name, weights="kept.h5", pooling="max", name="net"), "output"], side, side, 3)
    monkeypatch.setattr(_loading, "_of_file", lambda *given: model)
    network = dlspec.build(text)
    x = np.random.default_rng(2).integers(0, 256, (3, side, side, 3)).astype("float32")
    module = {"MobileNet": keras.applications.mobilenet, "ResNet50": keras.applications.resnet,
              "DenseNet121": keras.applications.densenet, "InceptionResNetV2": keras.applications.inception_resnet_v2,
              "NASNetMobile": keras.applications.nasnet, "ResNet50V2": keras.applications.resnet_v2,
              "VGG16": keras.applications.vgg16, "Xception": keras.applications.xception,
              "InceptionV3": keras.applications.inception_v3}  # fmt: skip
    seen = module[listed.keras].preprocess_input(x.copy()) if listed.keras in module else x
    wanted = np.asarray(model(seen))
    last = [layer.name for layer in dlspec.graph(text).layers if layer.borrowed][-1]  # behind the pooling of some
    end = keras.Model(network.input, network.get_layer(last).output)
    got = np.asarray(end(x))
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-5 * np.abs(wanted).max())


def problems(text):
    return [(found.code, found.message) for found in validate(text)]


def test_a_picture_of_one_channel_is_taken_three_times(tmp_path):
    spec = dlspec.load(spec_of(tmp_path, [item("mobilenet", alpha=0.25, weights=None), "flatten", "output"],
                               32, 32, 1))  # fmt: skip
    graph = dlspec.graph(spec)
    assert graph["mobilenet_colors"].output_shape == (None, 32, 32, 3)
    assert dlspec.build(spec).count_params() == graph.parameters


@pytest.mark.parametrize(
    ("layer", "shape", "message", "help"),
    [
        ("application: xception", (70, 80, 3), "71 x 71", "resizing: {height: 71, width: 71}"),
        ("application: mobilenet", (32, 32, 4), "with one channel, got (batch, 32, 32, 4)", None),
        ("application: mobilenet", (32, 32), "(batch, height, width, 3)", "reshape: [32, 32, 1]"),
        ("application: efficientnet_b9", (32, 32, 3), "no network `efficientnet_b9`", "efficientnet_b"),
        ("application: EfficientNetB0", (32, 32, 3), "no network `EfficientNetB0`", "`efficientnet_b0`"),
        ("application: {resnet50: {alpha: 0.5}}", (32, 32, 3), "no `alpha: 0.5`", "leave `alpha` out"),
        ("application: {mobilenet: {alpha: 0.3}}", (32, 32, 3), "no `alpha: 0.3`", "`0.25`"),
        ("application: [resnet50]", (32, 32, 3), "must be the name of a network", "`application: efficientnet_b0`"),
        ("application: {resnet50: avg}", (32, 32, 3), "stand below it", "{resnet50: {pooling: avg}}"),
        ("application: resnet50", (20, 32), "(batch, height, width, 3)", None),
        ("application: {mobilenet: {trainable: 20}}", (32, 32, 3), "`{last: 20}`", "trainable: {last: 20}"),
        ("application: {mobilenet: {trainable: {last: 900}}}", (32, 32, 3), "has 86 layers", "trainable: true"),
        ("application: {mobilenet: {wieghts: null}}", (32, 32, 3), "unknown key `wieghts`", "`weights`"),
    ],
)
def test_what_a_network_cannot_take_is_told_with_its_cure(layer, shape, message, help, tmp_path):
    (problem,) = validate(spec_of(tmp_path, [layer, "flatten", "output"], *shape))
    assert problem.is_error
    assert message in problem.message
    assert (help is None and problem.help is None) or help in problem.help
    assert problem.span.line == 4
