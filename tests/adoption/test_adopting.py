"""A Keras model becomes a spec that builds the same network, or each layer without a word is named."""

import json
import re
import shutil
import zipfile

import keras
import numpy as np
import pytest
from keras import layers as L

import dlspec
from dlspec.adoption import adopting, proving
from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.model.layers import LAYERS, LayerSpec
from tests.adoption import networks
from tests.adoption.drawn import drawn_model
from tests.commands import dlspec_here
from tests.conftest import ROOT

IN_16_BITS = ("mixed_precision", "one_layer_in_16_bits")


def body(text):
    """A spec without its first comment, which says what it was adopted from."""
    return text.partition("\n")[2]


@pytest.mark.everyday(5)
@pytest.mark.parametrize("network", networks.ADOPTED, ids=lambda network: network.__name__)
def test_the_spec_builds_the_same_network(network, tmp_path):
    model = network()
    before = [weight.tolist() for weight in model.get_weights()]
    adopted = dlspec.adopt(model)
    assert adopted.proof.largest_difference <= (2e-2 if network.__name__ in IN_16_BITS else 1e-5)
    assert [weight.tolist() for weight in model.get_weights()] == before  # which the comparison changes for a while
    assert max(map(len, adopted.text.splitlines())) <= 120
    path = tmp_path / "saved.keras"
    model.save(path)
    of_file = dlspec.adopt(path, name=model.name)
    assert body(of_file.text) == body(adopted.text)
    assert adopted.diagnostics == ()


@pytest.mark.everyday(4)
@pytest.mark.parametrize(("network", "named"), networks.REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_layers_without_a_word_are_named_all_at_once(network, named):
    keras.utils.clear_session()  # so that Keras counts its layers from 1
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.adopt(network())
    said = {problem.code for problem in caught.value.diagnostics}
    assert said == {"cannot-adopt"}
    messages = [problem.message for problem in caught.value.diagnostics]
    for layer, why in named.items():
        assert [message for message in messages if message.startswith(f"`{layer}`:") and why in message], messages


def test_a_mask_that_keras_drops_is_the_reason_why_nothing_is_written():
    given = keras.Input((9, 6))
    masked = L.Masking(name="there")(given)
    model = keras.Model(given, L.Dense(1)(L.LSTM(3)(keras.ops.exp(masked))))
    with pytest.raises(DiagnosticError) as caught:
        dlspec.adopt(model)
    (problem,) = caught.value.diagnostics
    assert problem.code == "adopted-differs"
    assert "Keras drops the mask of `there` at `" in problem.help


def test_attention_that_is_given_the_masks_of_its_inputs_is_adopted():
    given = keras.Input((9, 6))
    masked = L.Masking()(given)
    mask = masked._keras_mask
    attended = L.MultiHeadAttention(2, 3)(masked, masked, query_mask=mask, value_mask=mask)
    model = keras.Model(given, L.Dense(1)(L.GlobalAveragePooling1D()(attended)))
    assert "multi_head_attention: {num_heads: 2, key_dim: 3}" in dlspec.adopt(model).text


NOT_ALONE = ("string_lookup", "text_vectorization", "output")
"""Layers whose inputs a network of a spec does not have."""
NOT_READ = ("learned",)
"""Layers that are an embedding of numbers which the network makes by itself."""


@pytest.mark.slow
def test_every_layer_of_the_language_is_adopted():
    """Each example of each layer, built and read back."""
    adopted = 0
    for name, kind in LAYERS.load_all().items():
        if not issubclass(kind, LayerSpec) or name in (*NOT_ALONE, *NOT_READ):
            continue
        for example in kind.examples:
            layer = LAYERS.read(example.written)
            given = [keras.Input(shape[1:], dtype=layer.input_dtype) for shape in example.shapes]
            if len(given) > 1 and any(len(shape) > 2 for shape in example.shapes):
                continue  # arrays beside each other
            made = layer.connect(layer.build("the_layer"), given)
            found = dlspec.adopt(keras.Model(given if len(given) > 1 else given[0], made))
            assert found.proof.largest_difference <= 4e-6, example.written
            adopted += 1
    assert adopted > 200


@pytest.mark.slow
def test_models_that_are_drawn_are_adopted():
    for seed in range(60):
        adopted = dlspec.adopt(drawn_model(seed))
        assert adopted.proof.equal, seed
        assert max(map(len, adopted.text.splitlines())) <= 120, seed


# --- how it reads


def test_a_residual_network_reads_as_a_person_would_write_it():
    text = dlspec.adopt(networks.residual(), name="residual").text
    assert text.partition("blocks:")[2] == (
        """
  conv_stack:
    parameters: {filters: , strides: 1}
    layers:
      - conv2d: {filters: $filters, kernel_size: 3, strides: $strides, padding: same}
      - batch_normalization
      - activation: relu
      - conv2d: {filters: $filters, kernel_size: 3, padding: same}
      - batch_normalization
  stage:
    parameters: {filters: }
    layers:
      - branches:
          merge: add
          paths:
            - [conv2d: {filters: $filters, kernel_size: 1, strides: 2}]
            - [conv_stack: {filters: $filters, strides: 2}]
      - activation: relu
      - repeat:
          times: 2
          layers: [skip: [conv_stack: $filters], activation: relu]

model:
  - conv2d: {filters: 8, kernel_size: 3, padding: same}
  - repeat:
      times: 3
      layers: [skip: [conv_stack: 8], activation: relu]
  - stage: 16
  - stage: 32
  - global_average_pooling2d
  - dense: {units: 10, activation: softmax}
"""
    )


def test_blocks_of_a_transformer_are_repeated():
    text = dlspec.adopt(networks.transformer()).text
    assert (
        """
  - repeat:
      times: 3
      layers:
        - skip: [multi_head_attention: {num_heads: 2, key_dim: 4, dropout: 0.1, use_causal_mask: true}]
        - layer_normalization: {epsilon: 1e-06}
        - skip: [dense: {units: 16, activation: gelu}, dense: 8]
        - layer_normalization: {epsilon: 1e-06}
"""
        in text
    )


def test_a_tower_that_is_used_twice_is_shared():
    text = dlspec.adopt(networks.tower_used_twice()).text
    assert "- dense: {units: 5, activation: relu, name: tower_dense" in text
    assert "- shared: {layers: [tower_dense" in text


def test_names_that_say_something_stay_and_others_do_not():
    text = dlspec.adopt(networks.dense()).text
    assert "- dense: {units: 16, activation: relu, name: h1}" in text
    assert "- dropout: 0.2\n" in text
    odd = dlspec.adopt(networks.names_that_the_language_does_not_take()).text
    assert "name: layer_1st_layer" in odd
    assert "name: probs" in odd


def test_learned_state_is_written_as_arguments():
    adopted = dlspec.adopt(networks.learned_mean())
    model = networks.learned_mean()
    mean = [float(value) for value in np.ravel(model.layers[0].adapt_mean)]
    assert f"mean: {mean}" in adopted.text
    assert adopted.proof.as_arguments == 9  # means, variances, and how many samples there were


def test_how_it_was_compiled_is_in_train():
    model = networks.dense()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy")
    assert "train: {loss: binary_crossentropy, optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}}" in str(
        dlspec.adopt(model)
    )
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    adopted = dlspec.adopt(model)
    assert "train:" not in adopted.text
    assert any("from_logits" in remark for remark in adopted.remarks)


def test_an_adopted_spec_is_trained(tmp_path):
    adopted = dlspec.adopt(networks.nested(), name="adopted")
    spec = tmp_path / "adopted.yaml"
    spec.write_text(adopted.text + "train: {epochs: 1}\n", encoding="utf-8")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "adopted.npz", x=random.random((80, 12, 12, 1), "float32"), y=np.arange(80) % 10)
    run = dlspec.run(spec, out=tmp_path / "run")
    assert set(run.metrics.test) >= {"accuracy"}


def test_data_of_ones_own():
    model = keras.Sequential([keras.Input((8, 8)), L.Flatten(), L.Dense(10, "softmax")])
    adopted = dlspec.adopt(model, data="dataset: digits\nscale: none")
    assert "data:\n  dataset: digits\n  scale: none\n" in adopted.text
    assert adopted.diagnostics == ()
    assert "data:\n  table: absent.csv\n" in dlspec.adopt(networks.dense(), data="table: absent.csv\ntarget: y").text
    scaled = dlspec.adopt(model, data="{dataset: digits}")
    assert any("write `scale: none`" in remark for remark in scaled.remarks)
    with pytest.raises(dlspec.DataError, match=r"the model takes \(batch, 8\)"):
        dlspec.adopt(networks.dense(), data="{dataset: digits}")


def test_the_model_of_a_run_has_a_spec_already(tiny_run):
    with pytest.raises(dlspec.DataError, match=r"take `.*spec\.yaml`"):
        dlspec.adopt(tiny_run("digits").folder / "model.keras")


def test_a_network_without_its_top_says_so(tmp_path):
    given = keras.Input((16, 16, 3))
    keras.Model(given, L.Conv2D(4, 3)(given)).save(tmp_path / "base.keras")
    done = dlspec_here("adopt", "base.keras", "-o", "base.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "base.yaml").read_text(encoding="utf-8").endswith("- conv2d: {filters: 4, kernel_size: 3}\n")
    assert "no target has the form of what the network gives, (samples, 14, 14, 4)" in done.stderr
    assert "output-mismatch" in done.stderr


@pytest.mark.parametrize(
    ("given", "last", "loss", "y"),
    [
        ((8, 8, 3), L.Conv2D(3, 1, activation="softmax"), None, "(samples, 8, 8), classes from 0 to 2"),
        ((8, 8, 3), L.Conv2D(1, 1, activation="sigmoid"), None, "(samples, 8, 8), classes 0 and 1"),
        ((6, 2), L.TimeDistributed(L.Dense(1, "sigmoid")), None, "(samples, 6), classes 0 and 1"),
        ((6, 2), L.Dense(1), "mse", "(samples, 6), numbers"),
        ((6, 2), L.Dense(4), "mse", "(samples, 6, 4), numbers"),
    ],
)
def test_an_answer_at_each_place_is_a_target(given, last, loss, y):
    model = keras.Sequential([keras.Input(given), L.Dense(5, "relu"), last])
    if loss:
        model.compile("adam", loss)
    adopted = dlspec.adopt(model)
    assert f"# y: {y}\n" in adopted.text
    assert f"target: {{y: {'numeric' if loss else 'category'}}}" in adopted.text
    assert not [problem for problem in adopted.diagnostics if problem.is_error]


# --- that the proof finds what is wrong


@pytest.mark.everyday(2)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("kernel_size: 3", "kernel_size: 5"),
        ("padding: same", "padding: valid"),
        ("activation: relu", "activation: tanh"),
        ("- batch_normalization\n", "- batch_normalization: {momentum: 0.9}\n"),
        ("skip: [conv_stack: 8]", "skip: [conv_stack: 8, conv_stack: 8]"),
        ("merge: add", "merge: maximum"),
    ],
)
def test_a_spec_that_is_not_the_same_is_refused(right, wrong, monkeypatch):
    write = adopting.write_spec

    def spoiled(*arguments):
        written = write(*arguments)
        assert right in written.text
        return adopting.replace(written, text=written.text.replace(right, wrong, 1))

    monkeypatch.setattr(adopting, "write_spec", spoiled)
    with pytest.raises(DiagnosticError) as caught:
        dlspec.adopt(networks.residual())
    assert type(caught.value).__name__ == "SavedModelError"


def test_a_branch_that_hardly_counts_is_compared_too(monkeypatch):
    """Untrained, the branch adds a millionth; with other weights it shows that its activation is another one."""
    given = keras.Input((8,))
    x = L.Dense(8, "relu")(given)
    scaled = L.BatchNormalization(gamma_initializer=keras.initializers.Constant(1e-8))(L.Dense(8, "relu")(x))
    model = keras.Model(given, L.Dense(3)(L.Add()([x, scaled])))
    write = adopting.write_spec

    def spoiled(*arguments):
        written = write(*arguments)
        text = written.text.replace(
            "skip: [dense: {units: 8, activation: relu}", "skip: [dense: {units: 8, activation: elu}"
        )
        assert text != written.text
        return adopting.replace(written, text=text)

    monkeypatch.setattr(adopting, "write_spec", spoiled)
    monkeypatch.setattr(proving, "_same_arguments", lambda *given: None)
    with pytest.raises(DiagnosticError, match="of its largest value away"):
        dlspec.adopt(model)


# --- files


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Keras and h5py do together
def test_an_h5_file_is_adopted(tmp_path):
    model = networks.nested()
    model.save(tmp_path / "model.h5")
    assert body(dlspec.adopt(tmp_path / "model.h5", name=model.name).text) == body(dlspec.adopt(model).text)


def test_no_code_of_a_file_is_run(tmp_path):
    """A class of the file's own choice, in a module that would leave a trace when it is imported."""
    networks.dense().save(tmp_path / "plain.keras")
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    config = json.loads(zipfile.ZipFile(tmp_path / "plain.keras").read("config.json"))
    config["config"]["layers"][1] |= {"module": "trap", "class_name": "Trap", "registered_name": "Trap"}
    with zipfile.ZipFile(tmp_path / "plain.keras") as old, zipfile.ZipFile(tmp_path / "evil.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(config) if name == "config.json" else old.read(name))
    done = dlspec_here("adopt", "evil.keras", cwd=tmp_path)
    assert done.returncode == 3
    assert "trap.Trap" in done.stderr
    assert done.stdout == ""


def test_what_is_no_model_is_said(tmp_path):
    (tmp_path / "text.keras").write_text("no model", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("other.txt", "")
    for name, code in (
        ("text.keras", "data-unreadable"),
        ("empty.keras", "data-unreadable"),
        ("none", "data-not-found"),
    ):
        with pytest.raises(dlspec.DataError) as caught:
            dlspec.adopt(tmp_path / name)
        assert [problem.code for problem in caught.value.diagnostics] == [code]
    with pytest.raises(dlspec.DataError, match=r"`keras\.Model` or the path"):
        dlspec.adopt(3)


def test_the_command_prints_or_writes_and_replaces_nothing(tmp_path):
    networks.dense().save(tmp_path / "model.keras")
    printed = dlspec_here("adopt", "model.keras", cwd=tmp_path)
    assert printed.returncode == 0
    assert "- dense: {units: 16, activation: relu, name: h1}" in printed.stdout
    assert "3 layers read" in printed.stderr
    assert "equal to the last bit\n161 parameters in 4 arrays" in printed.stderr
    assert dlspec_here("adopt", "model.keras", "-o", "model.yaml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "model.yaml").read_text(encoding="utf-8") == printed.stdout
    again = dlspec_here("adopt", "model.keras", "-o", "model.yaml", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert dlspec_here("adopt", "model.keras", "-o", "model.yaml", "--force", cwd=tmp_path).returncode == 0
    shutil.copy(tmp_path / "model.keras", tmp_path / "other.keras")
    assert "name: chosen" in dlspec_here("adopt", "other.keras", "--name", "chosen", cwd=tmp_path).stdout


# --- networks of keras.applications

APPLICATIONS = {
    "ResNet50": 60, "ResNet50V2": 60, "VGG16": 40, "MobileNet": 60, "MobileNetV2": 70, "MobileNetV3Small": 110,
    "Xception": 80, "InceptionV3": 120, "DenseNet121": 60, "EfficientNetB0": 110, "EfficientNetV2B0": 110,
    "NASNetMobile": 210, "ConvNeXtTiny": 60, "InceptionResNetV2": 100,
}  # fmt: skip
"""Name -> lines that its spec may have."""


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_networks_of_keras_applications(name):
    adopted = dlspec.adopt(getattr(keras.applications, name)(weights=None))
    assert adopted.proof.largest_difference <= 4e-6
    assert len(adopted.text.splitlines()) <= APPLICATIONS[name]
    assert adopted.diagnostics == ()


@pytest.mark.slow
def test_the_page_shows_what_the_command_writes():
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8"), re.DOTALL)
    assert body(dlspec.adopt(keras.applications.ResNet50(weights=None)).text) == body(shown)
