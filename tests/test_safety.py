"""What a stranger's run folder and data cannot do: run code, read or write elsewhere, or fill the memory."""

import base64
import io
import json
import os
import shutil
import tarfile
import zipfile

import numpy as np
import pytest

import dlspec
from dlspec.data.sources.formats import base
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.layers import LAYERS
from dlspec.model.saved import load_model
from dlspec.model.weights import LayerWeights
from dlspec.training.progress import Checkpoint
from tests.conftest import TINY, TINY_TABLE
from tests.model.test_layers import EXAMPLES


def code_of(call):
    with pytest.raises(DataError) as raised:
        call()
    assert len(raised.value.diagnostics) == 1
    return raised.value.diagnostics[0].code, raised.value.diagnostics[0].message


# --- the model of a run


@pytest.fixture
def saved(tmp_path):
    """A network of ten inputs and one layer `hidden` of four units, as dlspec saves it."""
    import keras

    inputs = keras.Input((10,), name="raw")
    path = tmp_path / "model.keras"
    keras.Model(inputs, keras.layers.Dense(4, name="hidden")(inputs)).save(path)
    return path


@pytest.fixture
def marker(tmp_path):
    """A file that code out of a model would write."""
    path = tmp_path / "code_ran"
    yield path
    assert not path.exists(), "code out of the model ran"


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in dict(members).items() if isinstance(members, dict) else members:
            archive.writestr(name, content)


def change_config(path, change):
    """Writes the file anew with another `config.json`; `change` alters it in place or gives another one."""
    members = members_of(path)
    config = json.loads(members["config.json"])
    config = change(config) or config
    write_archive(path, members | {"config.json": json.dumps(config)})


def hidden_of(config):
    return next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == "hidden")


def replace_layer(path, module, name, arguments, **more):
    """Puts another layer in place of `hidden`."""

    def change(config):
        layer = hidden_of(config)
        layer.update({"module": module, "class_name": name, "config": {"name": "hidden", **arguments}, **more})
        layer.pop("build_config")

    change_config(path, change)


def change_weights(path, change):
    """Writes the file anew with other weights; `change` alters an open HDF5 file."""
    import h5py

    members = members_of(path)
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        change(file)
    write_archive(path, members | {"model.weights.h5": content.getvalue()})


def marshalled_code(marker):
    """A function as Keras stores one in a `Lambda`."""
    import marshal

    source = f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"
    code = base64.b64encode(marshal.dumps(eval(source).__code__)).decode()
    held = {"value": [code, None, None], "code": code, "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": held}


def assert_refused(path, *words):
    code, message = code_of(lambda: load_model(path))
    assert code == "unsafe-model", message
    for word in words:
        assert word in message


SAVED = [(written, shapes) for written, shapes in EXAMPLES if "sampling" not in written]
"""Layers that a saved model may have: in the place of `sampling` it has the mean."""


@pytest.mark.parametrize(("written", "shapes"), SAVED, ids=str)
def test_every_layer_of_a_spec_is_loaded(written, shapes, tmp_path):
    import keras

    layer = LAYERS.read(written)
    inputs = [keras.Input(shape[1:], dtype=layer.input_dtype) for shape in shapes]
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer.connect(layer.build("it"), inputs))
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    for one, other in zip(again.weights, model.weights, strict=True):
        assert np.array_equal(one, other)


def parts():
    from dlspec.model.constraints import CONSTRAINTS
    from dlspec.model.initializers import INITIALIZERS
    from dlspec.model.regularizers import REGULARIZERS

    for key, registry in (("initializer", INITIALIZERS), ("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS)):
        for name in registry:
            for example in registry[name].examples or [name]:
                yield pytest.param(f"kernel_{key}", example, id=f"{key}-{example}")


@pytest.mark.parametrize(("key", "example"), list(parts()))
def test_every_part_of_a_spec_is_loaded(key, example, tmp_path):
    import keras

    convolution = "stft" in str(example)
    kind = (
        {"conv1d": {"filters": 4, "kernel_size": 6, key: example}}
        if convolution
        else {"dense": {"units": 4, key: example}}
    )
    layer = LAYERS.read(kind)
    inputs = keras.Input((8, 1) if convolution else (4,))
    keras.Model(inputs, layer.connect(layer.build("it"), [inputs])).save(tmp_path / "m.keras")
    load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_float16", "float64"])
def test_weights_of_other_precisions_are_loaded(dtype, tmp_path):
    import keras

    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(2, dtype=dtype)(inputs))
    model.save(tmp_path / "m.keras")
    assert np.array_equal(load_model(tmp_path / "m.keras").weights[0], model.weights[0])


@pytest.mark.parametrize("name", TINY)
def test_the_model_of_a_run_is_loaded(tiny_run, name):
    assert dlspec.open_run(tiny_run(name).folder).model.count_params() > 0


def test_the_code_of_these_tests_would_run(saved, tmp_path):
    """Where nothing guards against it."""
    import keras

    replace_layer(saved, "keras.layers", "Lambda", {"function": marshalled_code(tmp_path / "ran")})
    keras.models.load_model(saved, safe_mode=False)
    assert (tmp_path / "ran").exists()


def test_a_lambda_is_refused(saved, marker):
    """CVE-2024-3660 and CVE-2026-12481: a layer that is Python code."""
    replace_layer(saved, "keras.layers", "Lambda", {"function": marshalled_code(marker)})
    assert_refused(saved, "keras.layers.Lambda")


def test_a_lambda_without_its_module_is_refused(saved, marker):
    replace_layer(saved, None, "Lambda", {"function": marshalled_code(marker)})
    assert_refused(saved, "Lambda")


def test_code_in_the_place_of_an_activation_is_refused(saved, marker):
    change_config(saved, lambda config: hidden_of(config)["config"].update(activation=marshalled_code(marker)))
    assert_refused(saved, "__lambda__")


def test_a_function_of_any_module_is_refused(saved, marker):
    """CVE-2025-1550: a module and a function in it, with what it is called with."""
    replace_layer(
        saved,
        "os",
        "function",
        {},
        registered_name="system",
        inbound_nodes=[{"args": [f"touch {marker}"], "kwargs": {}}],
    )
    change_config(saved, lambda config: hidden_of(config).update(config="system", name="hidden"))
    assert_refused(saved, "os.system")


@pytest.mark.parametrize("name", ["get_file", "pack_x_y_sample_weight"])
def test_a_function_of_keras_itself_is_refused(saved, name):
    """CVE-2025-8747: functions of Keras that fetch and write files, reused as layers."""
    replace_layer(saved, "keras.utils", "function", {}, registered_name=name)
    change_config(saved, lambda config: hidden_of(config).update(config=name, name="hidden"))
    assert_refused(saved, f"keras.utils.{name}")


def test_an_old_file_of_keras_is_refused_whatever_its_name_is(saved, marker):
    """CVE-2025-9905: `safe_mode` does not hold for HDF5 files."""
    import h5py

    layer = {
        "class_name": "Lambda",
        "config": {"name": "hidden", "function": marshalled_code(marker)},
    }
    saved.unlink()
    with h5py.File(saved, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})
    assert code_of(lambda: load_model(saved))[0] == "data-unreadable"


def test_a_file_cannot_turn_safe_mode_off(saved, marker):
    """CVE-2025-9906: a call of `enable_unsafe_deserialization` before a `Lambda`."""
    import keras

    replace_layer(saved, "keras.config", "function", {}, registered_name="enable_unsafe_deserialization")
    change_config(saved, lambda config: hidden_of(config).update(config="enable_unsafe_deserialization", name="hidden"))
    assert_refused(saved, "keras.config.enable_unsafe_deserialization")
    assert keras.src.saving.serialization_lib.in_safe_mode() is not False


def test_a_module_of_torch_is_refused(saved, marker):
    """CVE-2025-49655 and CVE-2026-12484: a pickle inside of `TorchModuleWrapper`."""

    class Runs:
        def __reduce__(self):
            return open, (str(marker), "w")

    import pickle

    module = base64.b64encode(pickle.dumps(Runs())).decode()
    replace_layer(saved, "keras.layers", "TorchModuleWrapper", {"module": module})
    assert_refused(saved, "keras.layers.TorchModuleWrapper")


def test_a_model_of_tensorflow_elsewhere_is_refused(saved):
    """CVE-2026-1462: `TFSMLayer` loads what lies at a path."""
    replace_layer(saved, "keras.layers", "TFSMLayer", {"filepath": "https://example.org/model"})
    assert_refused(saved, "keras.layers.TFSMLayer")


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_a_vocabulary_in_a_file_is_refused(saved, name):
    """CVE-2025-12058: a vocabulary that is a path, or an address."""
    replace_layer(saved, "keras.layers", name, {"vocabulary": "/etc/passwd"})
    assert_refused(saved, "vocabulary", "/etc/passwd")


def test_objects_that_a_program_registered_are_refused(saved):
    replace_layer(saved, "keras.layers", "Dense", {"units": 4}, registered_name="mine>Layer")
    assert_refused(saved, "keras.layers.Dense")


def test_a_private_class_of_keras_is_refused(saved):
    replace_layer(saved, "keras.src.layers.core.lambda_layer", "Lambda", {})
    assert_refused(saved, "keras.src.layers.core.lambda_layer.Lambda")


def test_what_is_no_operation_among_the_operations_is_refused(saved):
    replace_layer(saved, "keras.src.ops.numpy", "KerasTensor", {"shape": [1]})
    assert_refused(saved, "keras.src.ops.numpy.KerasTensor")


def test_an_optimizer_is_refused(saved):
    change_config(saved, lambda config: config.update(compile_config={"optimizer": "adam"}))
    assert_refused(saved, "how to train")


def test_nothing_is_computed_of_constants(saved):
    """A layer without an input would be computed when the file is loaded."""

    def change(config):
        hidden_of(config)["inbound_nodes"] = [{"args": [[[1.0] * 10]], "kwargs": {}}]

    change_config(saved, change)
    assert_refused(saved, "of nothing")


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a\\..\\evil", ".."])
def test_a_name_of_a_layer_is_no_path(saved, name):
    """CVE-2026-12479: the name of a layer becomes a folder."""

    def change(config):
        hidden_of(config)["config"]["name"] = name

    change_config(saved, change)
    assert_refused(saved, "a layer's name")


@pytest.mark.parametrize("name", ["../evil", "assets/../../evil", "/tmp/dlspec_evil", "..\\evil", "C:/evil"])
def test_members_of_the_archive_stay_in_it(saved, name):
    """GHSA-hqp4-2352-xf5r: members that are unpacked into another folder."""
    write_archive(saved, members_of(saved) | {name: b"evil"})
    assert_refused(saved, "leads out of it")
    assert not os.path.exists("/tmp/dlspec_evil")


@pytest.mark.parametrize("name", ["assets/layer/vocabulary.txt", "model.weights.npz", "evil.py"])
def test_other_members_of_the_archive_are_refused(saved, name):
    write_archive(saved, members_of(saved) | {name: b"evil"})
    assert_refused(saved, f"also holds `{name}`")


def test_a_member_that_comes_twice_is_refused(saved):
    """One of them could be checked and the other one read."""
    members = members_of(saved)
    with pytest.warns(UserWarning, match="Duplicate"):
        write_archive(saved, [*members.items(), ("config.json", members["config.json"])])
    assert_refused(saved, "twice")


def test_a_compressed_archive_is_refused(saved):
    """A little of it unfolds to a lot."""
    members = members_of(saved)
    write_archive(saved, members | {"metadata.json": b" " * 10**7}, zipfile.ZIP_DEFLATED)
    assert_refused(saved, "it unfolds to 1")


def test_a_compressed_archive_that_unfolds_to_little_is_refused(saved):
    write_archive(saved, members_of(saved), zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(saved, "a") as archive:
        archive.comment = b" " * 60_000
    assert_refused(saved, "compressed")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "metadata.json"])
def test_a_member_that_is_missing_is_said(saved, name):
    members = members_of(saved)
    del members[name]
    write_archive(saved, members)
    assert_refused(saved, f"has no `{name}`")


def test_a_layer_of_a_billion_units_is_refused(saved):
    """Keras makes room for them before it looks at the weights."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def change(config):
        hidden_of(config)["config"]["units"] = 10**9

    change_config(saved, change)
    assert_refused(saved, "11,000,000,000 weights")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20, "a GiB was taken"
    import keras

    keras.Model(inputs := keras.Input((2,)), keras.layers.Dense(2)(inputs))  # nothing is left over of the large one


def test_arrays_that_promise_more_than_there_is_are_refused(saved):
    """CVE-2026-0897 and CVE-2026-12570: a dataset of any shape that stores nothing."""

    def change(file):
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (10**6, 10**6), "float32", chunks=(1000, 1000), compression="gzip")

    change_weights(saved, change)
    assert_refused(saved, "unfolds to 4,000,000,000,000 bytes")


def test_arrays_in_other_files_are_refused(saved, tmp_path):
    """CVE-2026-1669: the values of a dataset are those of another file."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 160)

    def change(file):
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (10, 4), "float32", external=[(str(secret), 0, 160)])

    change_weights(saved, change)
    assert_refused(saved, "layers/dense/vars/0", "another file")


def test_virtual_arrays_are_refused(saved, tmp_path):
    """CVE-2026-12480: a dataset made of parts of other files."""
    import h5py

    layout = h5py.VirtualLayout((10, 4), "float32")
    layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "secret", (10, 4), "float32")

    def change(file):
        del file["layers/dense/vars/0"]
        file.create_virtual_dataset("layers/dense/vars/0", layout)

    change_weights(saved, change)
    assert_refused(saved, "layers/dense/vars/0", "another file")


@pytest.mark.parametrize("link", ["external", "soft"])
def test_links_among_the_weights_are_refused(saved, link):
    """CVE-2026-9335: a group that is a link into another file."""
    import h5py

    def change(file):
        del file["layers/dense/vars"]
        there = h5py.ExternalLink("secret.h5", "/vars") if link == "external" else h5py.SoftLink("/layers")
        file["layers/dense/vars"] = there

    change_weights(saved, change)
    assert_refused(saved, "layers/dense/vars", "leads elsewhere")


def test_weights_that_are_no_numbers_are_refused(saved):
    def change(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = np.array([b"text"] * 10, "S4")

    change_weights(saved, change)
    assert_refused(saved, "no numbers")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + b"\0" * 50])
def test_a_damaged_file_is_said(saved, content):
    saved.write_bytes(content)
    assert code_of(lambda: load_model(saved))[0] == "data-unreadable"


@pytest.mark.parametrize("config", [b"[1]", b"{", b"[" * 100_000, b'{"a": 1}', b"\xff"])
def test_a_damaged_description_is_said(saved, config):
    write_archive(saved, members_of(saved) | {"config.json": config})
    assert code_of(lambda: load_model(saved))[0] == "data-unreadable"


def test_weights_that_do_not_fit_are_said(saved):
    change_config(saved, lambda config: hidden_of(config)["config"].update(units=5))
    assert code_of(lambda: load_model(saved))[0] == "data-unreadable"


@pytest.mark.parametrize("way", ["name", "link"])
def test_a_data_set_cannot_be_unpacked_elsewhere(tmp_path, way):
    """CVE-2025-12060 and CVE-2026-12482: dlspec lets Keras fetch its data sets, and Keras unpacks them."""
    import keras

    cache, outside = tmp_path / "cache", tmp_path / "outside"
    cache.mkdir()
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        if way == "link":
            link = tarfile.TarInfo("evil")
            link.type, link.linkname = tarfile.SYMTYPE, str(outside)
            archive.addfile(link)
        for name in ("good", "evil" if way == "link" else "../../../outside"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"text"))
    with pytest.warns(UserWarning, match="Skipping invalid path"):
        folder = keras.utils.get_file("set.tar.gz", (tmp_path / "set.tar.gz").as_uri(), extract=True, cache_dir=cache)
    assert os.path.exists(os.path.join(folder, "good"))
    assert not outside.exists()


# --- other files of a run folder


@pytest.fixture
def run_folder(tiny_run, tmp_path):
    """A copy of a run folder that may be spoilt."""

    def copy(name):
        return shutil.copytree(tiny_run(name).folder, tmp_path / "stranger")

    return copy


@pytest.fixture
def a_pickle(marker):
    """Bytes of an `.npy` file that run code when they are unpickled."""

    class Runs:
        def __reduce__(self):
            return open, (str(marker), "w")

    content = io.BytesIO()
    np.save(content, np.array([Runs()], object), allow_pickle=True)
    return content.getvalue()


def promising(shape, content=b"\0" * 8):
    """An `.npy` file whose head promises more than it has."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + content


READERS = {
    "pictures.npz": lambda folder: dlspec.open_run(folder).pictures,
    "layers.npz": lambda folder: LayerWeights.load(folder / "layers.npz"),
    "pretrained.npz": lambda folder: dlspec.open_run(folder).part(None, None, pretrained=True),
    "checkpoints/latest.npz": lambda folder: Checkpoint.load(folder / "checkpoints/latest.npz"),
}
"""File of a run folder -> what reads it."""


@pytest.mark.parametrize("name", READERS)
def test_arrays_of_a_run_run_no_code(run_folder, a_pickle, name):
    folder = run_folder("digits")
    write_archive(folder / name, {"h1/0.npy": a_pickle})
    code, message = code_of(lambda: READERS[name](folder))
    assert code == "data-unreadable"
    assert "is pickled" in message
    (folder / name).write_bytes(a_pickle)
    assert code_of(lambda: READERS[name](folder))[0] == "data-unreadable"


@pytest.mark.parametrize("name", READERS)
def test_arrays_of_a_run_take_no_more_than_they_are(run_folder, name):
    folder = run_folder("digits")
    write_archive(folder / name, {"h1/0.npy": promising((10**6, 10**6))})
    code, message = code_of(lambda: READERS[name](folder))
    assert code == "data-unreadable"
    assert "promises 8,000,000,000,128 bytes and has 136" in message
    zeros = io.BytesIO()
    np.save(zeros, np.zeros(2**16))
    write_archive(folder / name, {f"{i}/0.npy": zeros.getvalue() for i in range(520)}, zipfile.ZIP_DEFLATED)
    code, message = code_of(lambda: READERS[name](folder))
    assert code == "data-unreadable"
    assert "unfolds to 272,696,320 bytes" in message


def test_validate_takes_no_promise_of_another_run(run_folder):
    folder = run_folder("spirals")
    write_archive(folder / "layers.npz", {"dense/0.npy": promising((10**6, 10**6))})
    text = TINY["spirals"].replace("train:", f"pretrain: {{from: {folder}}}\ntrain:")
    (problem,) = dlspec.validate(text)
    assert "promises" in problem.message


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff"])
def test_what_a_run_says_may_be_damaged(run_folder, content):
    folder = run_folder("spirals")
    for name in ("metrics", "data", "environment"):
        (folder / f"{name}.json").write_bytes(content)
        code, message = code_of(lambda name=name: getattr(dlspec.open_run(folder), name))
        assert code == "data-unreadable"
        assert f"{name}.json" in message


@pytest.mark.parametrize("name", ["metrics.json", "model.keras", "checkpoints"])
def test_a_link_out_of_a_run_is_refused(run_folder, tmp_path, name):
    folder, outside = run_folder("spirals"), tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(folder / name) if name == "checkpoints" else (folder / name).unlink()
    (folder / name).symlink_to(outside)
    assert code_of(lambda: dlspec.open_run(folder))[0] == "outside-run"
    text = TINY["spirals"].replace("train:", f"pretrain: {{from: {folder}}}\ntrain:")
    assert [problem.code for problem in dlspec.validate(text)] == ["outside-run"]


def test_a_link_within_a_run_is_followed(run_folder):
    folder = run_folder("spirals")
    (folder / "model.keras").rename(folder / "kept.keras")
    (folder / "model.keras").symlink_to("kept.keras")
    assert dlspec.open_run(folder).model.count_params() > 0


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "../../evil"), ("name", "/tmp/evil"), ("train.callbacks", [{"tensor_board": {"log_dir": "/tmp/evil"}}])],
)
def test_what_is_written_stays_in_the_run(key, value):
    assert "wrong-value" in [problem.code for problem in dlspec.validate(TINY_TABLE, {key: value})]


@pytest.mark.parametrize(
    "layer",
    [
        "lambda: {function: 'lambda x: x'}",
        "os.system: touch evil",
        "keras.layers.Lambda: {function: abs}",
        "dense: {units: 4, activation: os.system}",
        "dense: {units: 4, kernel_initializer: '!!python/object/apply:os.system'}",
        "tfsm_layer: {filepath: model}",
        "torch_module_wrapper: {module: evil}",
        "string_lookup: {vocabulary: /etc/passwd}",
    ],
)
def test_a_spec_names_no_code_and_no_other_files(layer):
    spec = f"dlspec: 1\ndata: {{dataset: iris}}\nmodel:\n  - {layer}\n  - output\n"
    assert [problem for problem in dlspec.validate(spec) if problem.is_error]


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [touch evil]", "!!python/name:os.system", "!x y"])
def test_a_tag_of_python_is_an_error(tag):
    problems = dlspec.validate(f"dlspec: 1\nname: {tag}\ndata: {{dataset: iris}}\nmodel: [output]\n")
    assert "unknown-tag" in [problem.code for problem in problems]


# --- data


def read_data(folder, data):
    path = folder / "spec.yaml"
    path.write_text(f"dlspec: 1\ndata: {data}\nmodel: [flatten, output]\n", encoding="utf-8")
    try:
        return dlspec.columns(dlspec.load(path))
    except dlspec.SpecError as error:
        raise DataError(error.diagnostics) from None


def test_arrays_of_data_run_no_code(tmp_path, a_pickle):
    write_archive(tmp_path / "a.npz", {"x.npy": a_pickle, "y.npy": a_pickle})
    (tmp_path / "x.npy").write_bytes(a_pickle)
    for data in ("{arrays: a.npz}", "{arrays: {x: x.npy}, target: input}"):
        code, message = code_of(lambda data=data: read_data(tmp_path, data))
        assert code == "data-unreadable"
        assert "Python objects" in message


def test_arrays_of_data_take_no_more_than_they_are(tmp_path):
    write_archive(tmp_path / "a.npz", {"x.npy": promising((10**6, 10**6)), "y.npy": promising((1,))})
    (tmp_path / "x.npy").write_bytes(promising((10**6, 10**6)))
    for data in ("{arrays: a.npz}", "{arrays: {x: x.npy}, target: input}"):
        assert code_of(lambda data=data: read_data(tmp_path, data))[0] == "data-unreadable"


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_arrays_are_packed_as_numpy_packs_them(tmp_path, packing):
    """What else there is takes memory of its own, as much as the file asks for."""
    array = io.BytesIO()
    np.save(array, np.zeros((40, 3)))
    write_archive(tmp_path / "a.npz", {"x.npy": array.getvalue()}, packing)
    assert code_of(lambda: read_data(tmp_path, "{arrays: a.npz, target: input}"))[0] == "data-unreadable"


def test_arrays_of_data_that_unfold_to_more_than_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("dlspec.data.sources.arrays.machine_memory", lambda: 2**20)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 200)), y=np.arange(1000) % 2)
    assert code_of(lambda: read_data(tmp_path, "{arrays: a.npz}"))[0] == "data-too-large"


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.xz", "t.csv.zip", "t.jsonl.gz"])
@pytest.mark.parametrize("place", ["first", "later"])
def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path, monkeypatch, name, place):
    monkeypatch.setattr(base, "LONGEST_LINE", 2**21)
    rows = b'{"a": 1, "b": 2}\n' * 300 if "jsonl" in name else b"a,b\n" + b"1,2\n" * 300
    with base.creating(tmp_path / name, "t.csv") as file:
        file.write((rows if place == "later" else b"") + b" " * 2**23)
    code, message = code_of(lambda: read_data(tmp_path, f"{{table: {name}, target: b}}"))
    assert code == "data-unreadable"
    assert "a line of it is longer than 2,097,152 bytes" in message


def test_a_deep_line_is_no_object(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": ' + "[" * 100_000 + "\n", encoding="utf-8")
    code, message = code_of(lambda: read_data(tmp_path, "{table: t.jsonl, target: a}"))
    assert code == "data-unreadable"
    assert "no JSON object" in message


def test_words_out_of_data_cannot_become_markup(tmp_path):
    rows = [f"{i},{i % 7},{('<p>p', '<s>s')[i % 2]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["a,<i>i,<b>b", *rows, ""]), encoding="utf-8")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "dlspec: 1\ndata: {table: t.csv, target: <b>b}\nmodel: [dense: 4, output]\ntrain: {epochs: 1}\n",
        encoding="utf-8",
    )
    run = dlspec.run(spec, out=tmp_path / "run")
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    for tag in ("<i>i", "<b>b", "<p>p", "<s>s"):
        assert tag not in page
        assert tag.replace("<", "&lt;").replace(">", "&gt;") in page
